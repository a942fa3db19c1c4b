"""Terms: what the symbolic reading computes with, and formulas that are settled at once where they can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import z3

from ..language import NoValue, SpecError, Type
from .made import all_of, any_of, chosen, equal, implied, is_constant, negated

_TRUE, _FALSE = z3.BoolVal(True), z3.BoolVal(False)


def _is(left: z3.ExprRef, right: z3.ExprRef) -> bool:
    """Whether two terms are one.  The solver keeps one of each; to ask it for that takes ten times as long as to look."""
    return bool(left.ast.value == right.ast.value)


def is_true(term: z3.ExprRef) -> bool:
    """Whether a term is the constant true."""
    return _is(term, _TRUE)


def is_false(term: z3.ExprRef) -> bool:
    """Whether a term is the constant false."""
    return _is(term, _FALSE)


def same(left: z3.ExprRef, right: z3.ExprRef) -> z3.BoolRef:
    """left == right, settled at once where the terms themselves settle it."""
    if _is(left, right):
        return z3.BoolVal(True)
    if is_value(left) and is_value(right):
        return z3.BoolVal(False)
    return equal(left, right)


def is_value(term: z3.ExprRef) -> bool:
    """Whether a term is a value: two of them that are not the same term differ."""
    return is_true(term) or is_false(term) or is_constant(term)


def conjunction(parts: Sequence[z3.BoolRef]) -> z3.BoolRef:
    """All of `parts`, settled at once where true or false settles it."""
    kept = [p for p in parts if not is_true(p)]
    if any(is_false(p) for p in kept):
        return z3.BoolVal(False)
    if len(kept) < 2:
        return kept[0] if kept else z3.BoolVal(True)
    return all_of(kept)


def choice(condition: z3.BoolRef, yes: Any, no: Any) -> Any:
    """`yes` where `condition` holds, else `no`; settled at once where that can be."""
    if is_true(condition) or _is(yes, no):
        return yes
    return no if is_false(condition) else chosen(condition, yes, no)


def conjuncts(statement: z3.BoolRef) -> Iterator[z3.BoolRef]:
    """What a statement is a conjunction of."""
    if z3.is_and(statement):
        for part in statement.children():
            yield from conjuncts(part)
    else:
        yield statement


def _guarded(variables: Sequence[z3.ExprRef], guards: Sequence[z3.BoolRef], part: z3.BoolRef) -> tuple[Any, z3.BoolRef]:
    """Which of `variables` occur in `part`, and `part` under their guards alone.

    A statement is taken apart into its conjuncts, each about no more than what it speaks of: the solver finds instances
    by matching, and one that has to match everything at once is not found.  To drop a variable is to say that its sort has an
    element, which every proof assumes.
    """
    inside = _constants_of(part)
    used = [i for i, variable in enumerate(variables) if variable.get_id() in inside]
    return [variables[i] for i in used], implied(conjunction([guards[i] for i in used]), part)


def applications(term: z3.AstRef) -> Iterator[z3.ExprRef]:
    """The applications in a term, constants among them, also in what is quantified; shared parts are visited once."""
    seen: set[int] = set()
    pending = [term]
    while pending:
        here = pending.pop()
        if here.get_id() in seen:
            continue
        seen.add(here.get_id())
        if z3.is_quantifier(here):
            pending.append(here.body())
        elif z3.is_app(here):
            yield here
            pending.extend(here.children())


def _constants_of(term: z3.ExprRef) -> set[int]:
    """The ids of the constants in `term`.  As `applications`, without an object a term: what is in it lives as long as it."""
    context, ids = term.ctx.ref(), set[int]()
    seen, pending = set[int](), [term.as_ast()]
    while pending:
        here = pending.pop()
        number = here.value
        if number in seen:
            continue
        seen.add(number)
        kind = z3.Z3_get_ast_kind(context, here)
        if kind == z3.Z3_QUANTIFIER_AST:
            pending.append(z3.Z3_get_quantifier_body(context, here))
        elif kind in (z3.Z3_APP_AST, z3.Z3_NUMERAL_AST):
            count = z3.Z3_get_app_num_args(context, here)
            if not count:
                ids.add(z3.Z3_get_ast_id(context, here))
            pending += [z3.Z3_get_app_arg(context, here, at) for at in range(count)]
    return ids


def for_all(variables: Sequence[z3.ExprRef], guards: Sequence[z3.BoolRef], part: z3.BoolRef) -> z3.BoolRef:
    """A conjunct for all values of those of `variables` that occur in it, each under its guard."""
    bound, guarded = _guarded(variables, guards, part)
    return z3.ForAll(bound, guarded) if bound else part


class Asked(Protocol):
    """Who answers what terms ask: a reading."""

    def lift(self, kind: Type, value: Any) -> z3.ExprRef:
        """The Z3 term of a value of type `kind` as a spec writes it."""

    def decide(self, condition: z3.BoolRef) -> bool:
        """Settle a condition on the path being followed."""


class Term:
    """A value in the symbolic reading: a Z3 term with its type in the spec.  Comparing terms makes a truth term; using
    one as a condition asks the reading to decide."""

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("expr", "reading", "type")

    def __init__(self, reading: Asked, expr: z3.ExprRef, kind: Type) -> None:
        self.reading, self.expr, self.type = reading, expr, kind

    def _truth(self, expr: z3.ExprRef) -> Term:
        return Term(self.reading, expr, bool)

    def _other(self, value: Any) -> z3.ExprRef:
        return self.reading.lift(self.type, value)

    def __eq__(self, other: Any) -> Any:
        return self._truth(same(self.expr, self._other(other)))

    def __ne__(self, other: Any) -> Any:
        return self._truth(negated(same(self.expr, self._other(other))))

    def _number(self, other: Any, what: str) -> Any:
        if self.type is not int:
            raise SpecError(f"{what} on a {self.type.__name__}: only numbers have an order; names have equality alone")
        return self.reading.lift(int, other)

    def __lt__(self, other: Any) -> Any:
        return self._truth(self.expr < self._number(other, "<"))

    def __le__(self, other: Any) -> Any:
        return self._truth(self.expr <= self._number(other, "<="))

    def __gt__(self, other: Any) -> Any:
        return self._truth(self.expr > self._number(other, ">"))

    def __ge__(self, other: Any) -> Any:
        return self._truth(self.expr >= self._number(other, ">="))

    def __add__(self, other: Any) -> Any:
        return Term(self.reading, self.expr + self._number(other, "+"), int)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return Term(self.reading, self.expr - self._number(other, "-"), int)

    def __rsub__(self, other: Any) -> Any:
        return Term(self.reading, self._number(other, "-") - self.expr, int)

    def __and__(self, other: Any) -> Any:
        return self._truth(conjunction([self._condition(self), self._condition(other)]))

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        left, right = self._condition(self), self._condition(other)
        if is_false(left) or is_true(right):
            return self._truth(right)
        return self._truth(left if is_true(left) or is_false(right) else any_of([left, right]))

    __ror__ = __or__

    def negated(self) -> Any:
        """What `negation` makes of it."""
        return self._truth(negated(self._condition(self)))

    def __invert__(self) -> Any:
        raise SpecError("~ is no negation (on a plain bool it gives -1 or -2): write negation(...), or not in an operation")

    def _no_arithmetic(self, *_: Any) -> Any:
        raise SpecError("numbers are added, subtracted and compared, nothing else")

    __mul__ = __rmul__ = __floordiv__ = __mod__ = __neg__ = _no_arithmetic

    def _condition(self, value: Any) -> z3.BoolRef:
        return self.reading.lift(bool, value)

    def __bool__(self) -> bool:
        return self.reading.decide(self._condition(self))

    def __index__(self) -> int:
        raise SpecError("the spec wants the number behind a name, which only a finite reading has; compare names instead")

    def __iter__(self) -> Iterator[Any]:
        raise SpecError("the spec loops over the state; write one bulk update with where(), or forall in a statement")


class SubsetTerm(NoValue):
    """A subset in the symbolic reading: `holds` gives the condition for an element to be in it."""

    called = "a subset"

    def __init__(self, reading: Asked, kind: Type, holds: Callable[[z3.ExprRef], z3.BoolRef]) -> None:
        self.reading, self.type, self.holds = reading, kind, holds

    def __getitem__(self, element: Any) -> Term:
        return Term(self.reading, self.holds(self.reading.lift(self.type, element)), bool)
