"""Columns: a value for each state that a run is still about; and runs, each one way through an operation for some states."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..language import (
    SpecError,
    Type,
)
from .layout import Index
from .tables import Tables, numpy_type

Values = Any
"""A numpy array: of truth values, of names (unsigned, 8 bits) or of whole numbers (signed, 32 bits)."""


class NoneLeft(BaseException):
    """No state is left that follows this run."""


def _operator(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Column:
        return Column(self.run, apply(self.now(), other.now() if type(other) is Column else other))

    return method


class Column:
    """One value for each state that a run is still about."""

    __slots__ = ("cuts", "run", "values")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, run: Run, values: Values) -> None:
        self.run, self.values, self.cuts = run, values, len(run.cuts)

    def now(self) -> Values:
        """Its values for the states that are left by now."""
        cuts = self.run.cuts
        if self.cuts != len(cuts):
            for kept in cuts[self.cuts :]:
                self.values = self.values[kept]
            self.cuts = len(cuts)
        return self.values

    def __bool__(self) -> bool:
        return self.run.decide(self.now())

    def __and__(self, other: Any) -> Any:
        if type(other) is bool:
            return self if other else False
        return Column(self.run, self.now() & now_of(other))

    def __or__(self, other: Any) -> Any:
        if type(other) is bool:
            return True if other else self
        return Column(self.run, self.now() | now_of(other))

    __rand__, __ror__ = __and__, __or__
    __eq__, __ne__ = _operator(operator.eq), _operator(operator.ne)
    __lt__, __le__ = _operator(operator.lt), _operator(operator.le)
    __gt__, __ge__ = _operator(operator.gt), _operator(operator.ge)
    __add__ = __radd__ = _operator(operator.add)
    __sub__, __rsub__ = _operator(operator.sub), _operator(lambda own, other: other - own)

    def negated(self) -> Column:
        values = self.now()
        if values.dtype != np.bool_:
            raise SpecError("negation of a number and not of a truth value")
        return Column(self.run, ~values)

    def __invert__(self) -> Column:
        raise SpecError("~ on a truth value of Python's gives a number: write negation(...)")

    def __index__(self) -> int:
        raise SpecError("a cell of the state was used as an index of Python's: look it up in a map of the state")


def now_of(value: Any) -> Any:
    """The values of a column for the states that are left by now; another value as it is."""
    return value.now() if type(value) is Column else value


class Run:
    """One way of an operation, or of a statement, for some states of a block: `index` says which are left."""

    def __init__(self, tables: Tables, size: int, index: Index | None) -> None:
        self.tables, self.index = tables, index
        self.size = size if index is None else len(index)
        self.cuts: list[Index] = []
        self.others: list[Index] = []
        self.refused: list[tuple[str, Index]] = []
        self.undefined: list[tuple[str, Index]] = []
        self.wrote = False
        self.suspended = False
        self.stating = False

    def rows(self, chosen: Index) -> Index:
        return chosen if self.index is None else self.index[chosen]

    def cut(self, values: Values) -> Index:
        """Go on with the states for which `values` holds; give the others, as rows of the block."""
        left = self.rows(np.flatnonzero(~values))
        kept = np.flatnonzero(values)
        self.index = self.rows(kept)
        self.size = len(kept)
        self.cuts.append(kept)
        return left

    def everything(self) -> Index:
        return np.arange(self.size) if self.index is None else self.index

    def decide(self, values: Values) -> bool:
        if self.stating:
            raise SpecError("a statement decides: use &, |, negation and implies, which mean the same in every reading")
        if values.dtype != np.bool_:
            values = values != 0
        if not values.any():
            return False
        if not values.all():
            self.others.append(self.cut(values))
        return True

    def must(self, condition: Any, text: Callable[[], str]) -> None:
        """Put the states aside in which the spec's own text makes no sense."""
        if condition is True:
            return
        if condition is False:
            self.undefined.append((text(), self.everything()))
            raise NoneLeft
        values = condition.now()
        if not values.all():
            self.undefined.append((text(), self.cut(values)))
            if not self.size:
                raise NoneLeft


def never(condition: Any) -> bool:
    """Whether a condition holds in no state."""
    return not condition.now().any() if type(condition) is Column else not condition


def either(run: Run, condition: Any, value: Any, other: Any, kind: Type) -> Any:
    """`value` where `condition` holds, else `other`."""
    if type(condition) is not Column:
        return value if condition else other
    chosen = np.where(condition.now(), plain(value, kind), plain(other, kind))
    return Column(run, chosen)


def plain(value: Any, kind: Type) -> Any:
    """A value as numpy has those of its type."""
    if type(value) is Column:
        return value.now()
    return numpy_type(kind)(value)


def count_of(held: Any) -> Any:
    """A truth value, or a column of them, as numbers to add up."""
    return Column(held.run, held.now().astype(np.int32)) if type(held) is Column else int(held)
