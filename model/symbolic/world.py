"""The Z3 sorts and constants of a specification."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import z3

from ..language import (
    Constant,
    Scope,
    Spec,
    SpecError,
    Type,
    is_enumeration,
    is_sort,
)
from .made import all_of, any_of, negated
from .terms import Term, conjunction, conjuncts, for_all, same

_names = itertools.count()


class World:
    """The Z3 sorts and constants of a spec: of any size, or of a finite `scope`."""

    def __init__(self, spec: Spec, scope: Scope | None = None) -> None:
        self.spec = spec
        self.scope = None if scope is None else spec.scope(scope)
        self._elements: dict[Type, list[z3.ExprRef]] = {}
        self._known_types = spec.types
        self._sorts: dict[Type, z3.SortRef] = {int: z3.IntSort(), bool: z3.BoolSort()}
        self._nones: dict[Type, z3.ExprRef] = {}
        self._constants: dict[tuple[Type, str], z3.ExprRef] = {}
        self.distinct: list[z3.BoolRef] = []
        self._mark = next(_names)

    def sort(self, kind: Type) -> z3.SortRef:
        if kind not in self._sorts:
            self._declare(kind)
        return self._sorts[kind]

    def _declare(self, kind: Type) -> None:
        if kind not in self._known_types:
            raise SpecError(f"{getattr(kind, '__name__', kind)} is in no component, operation, statement or counter of the spec")
        name = f"{kind.__name__}!{self._mark}"
        if is_enumeration(kind):
            self._sorts[kind], members = z3.EnumSort(name, [f"{m.name}!{self._mark}" for m in kind])
            self._elements[kind] = list(members)
        elif self.scope is not None:
            labels = [f"{kind.__name__}{i}!{self._mark}" for i in range(self.scope[kind.plural] + 1)]
            self._sorts[kind], members = z3.EnumSort(name, labels)
            self._nones[kind], self._elements[kind] = members[0], list(members[1:])
            self._constants |= {(kind, c.name): members[int(c)] for c in kind.constants}
        else:
            self._sorts[kind] = sort = z3.DeclareSort(name)
            self._nones[kind] = z3.Const(f"none of {kind.__name__}!{self._mark}", sort)
            named = {(kind, c.name): z3.Const(f"constant {c.name} of {kind.__name__}!{self._mark}", sort) for c in kind.constants}
            self._constants |= named
            if named:
                self.distinct.append(z3.Distinct(self._nones[kind], *named.values()))

    def elements(self, kind: Type) -> list[z3.ExprRef] | None:
        """The values of a type, none left out, where they can be listed."""
        if kind is bool:
            return [z3.BoolVal(False), z3.BoolVal(True)]
        if kind is int:
            return None if self.scope is None else [z3.IntVal(i) for i in range(self.scope["numbers"] + 1)]
        self.sort(kind)
        return self._elements.get(kind)

    def none(self, kind: Type) -> z3.ExprRef:
        self.sort(kind)
        return self._nones[kind]

    def default(self, kind: Type) -> z3.ExprRef:
        if is_sort(kind):
            return self.none(kind)
        if is_enumeration(kind):
            return (self.elements(kind) or [])[0]
        return z3.BoolVal(False) if kind is bool else z3.IntVal(0)

    def lift(self, kind: Type, value: Any) -> z3.ExprRef:
        """The Z3 term of a value of type `kind` as a spec writes it."""
        if isinstance(value, Term):
            if value.type is not kind:
                raise SpecError(f"a {value.type.__name__} where a {kind.__name__} is wanted")
            return value.expr
        if is_sort(kind):
            self.sort(kind)
            if isinstance(value, Constant) and value.sort is kind:
                return self._constants[kind, value.name]
            if value == 0 and isinstance(value, int):
                return self._nones[kind]
            if self.scope is not None and isinstance(value, int) and value <= self.scope[kind.plural]:
                return self._elements[kind][value - 1]
        elif is_enumeration(kind) and isinstance(value, int) and value < len(kind):
            return (self.elements(kind) or [])[int(value)]
        elif kind is bool and value in (0, 1):
            return z3.BoolVal(bool(value))
        elif kind is int and isinstance(value, int):
            return z3.IntVal(int(value))
        raise SpecError(f"{value!r} is no {kind.__name__}")

    def variable(self, kind: Type, name: str) -> z3.ExprRef:
        """The constant of that name: what it is, a blank, and whose, so that no name of a spec's is one of another kind's."""
        return z3.Const(f"{name}!{self._mark}", self.sort(kind))

    def fresh(self, kind: Type, name: str) -> z3.ExprRef:
        return z3.FreshConst(self.sort(kind), name)

    def is_thing(self, kind: Type, term: z3.ExprRef) -> z3.BoolRef:
        """What it takes to be a value that a statement ranges over: not none, no number below 0 or out of scope."""
        if is_sort(kind):
            return negated(same(term, self.none(kind)))
        if kind is int:
            least: z3.BoolRef = term >= 0
            return least if self.scope is None else all_of([least, term <= self.scope["numbers"]])
        return z3.BoolVal(True)

    def quantified(self, universal: bool, kinds: Sequence[Type], body: Callable[..., z3.BoolRef]) -> z3.BoolRef:
        """`body` for all (some) values of `kinds`; written out for whatever can be listed."""
        bound: list[z3.ExprRef] = []
        guards: list[z3.BoolRef] = []
        ranges: list[list[z3.ExprRef]] = []
        for kind in kinds:
            listed = self.elements(kind)
            if listed is None:
                bound.append(variable := self.fresh(kind, "x"))
                guards.append(self.is_thing(kind, variable))
                listed = [variable]
            ranges.append(listed)
        parts = [body(*values) for values in itertools.product(*ranges)]
        if universal:
            return conjunction([for_all(bound, guards, part) for whole in parts for part in conjuncts(whole)])
        return z3.Exists(bound, conjunction([*guards, any_of(parts)])) if bound else any_of(parts)
