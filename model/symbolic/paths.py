"""Paths: one way through an operation, and who follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import z3

from ..language import (
    OK,
    SUSPENDED,
    Component,
    Counter,
    Refusal,
    Scope,
    Spec,
    SpecError,
    Type,
    check_range,
    inside,
    reading,
)
from .cells import Cells
from .made import all_of, any_of, implied, negated
from .terms import SubsetTerm, Term, conjunction, is_false, is_true, same
from .world import World

MAX_DECISIONS = 48


@dataclass
class Head:
    """A term defined as the oldest element of a line: `term` is the element of `place` = `line` with the least ticket."""

    term: z3.ExprRef
    queue: str
    place: Cells
    ticket: Cells
    line: z3.ExprRef
    axiom: z3.BoolRef


@dataclass
class Path:
    """One way through an operation: under `conditions` it comes to `exit`, leaves the state `after`, returns `answer`.

    `heads` are terms that the conditions and the state speak of; `checks` are what must hold for the spec's own text
    to make sense here (no write at none, no pop of an empty line); `counts` are what was counted before any effect; `changed`
    names the parts that were assigned, the rest is the frame.
    """

    conditions: list[z3.BoolRef] = field(default_factory=list)
    decisions: list[bool] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    checks: list[tuple[z3.BoolRef, str]] = field(default_factory=list)
    counts: list[tuple[Counter, tuple[Any, ...]]] = field(default_factory=list)
    exit: str = OK
    after: Any = None
    answer: Any = None

    @property
    def changed(self) -> set[str]:
        return self.after._changed  # type: ignore[no-any-return]

    @property
    def assumptions(self) -> list[z3.BoolRef]:
        return [*self.conditions, *(h.axiom for h in self.heads)]


class Stating:
    """For a `with` block: conditions are part of a statement and cannot be decided."""

    def __init__(self, follower: Follower) -> None:
        self._follower, self._was = follower, follower.deciding

    def __enter__(self) -> None:
        self._was, self._follower.deciding = self._follower.deciding, False

    def __exit__(self, *_: object) -> None:
        self._follower.deciding = self._was


class Follower:
    """Who answers what spec functions ask, on the path that is being followed."""

    state: Any
    """The state that an operation finds."""

    def __init__(self, spec: Spec, scope: Scope | None = None) -> None:
        self.spec = spec
        self.world = World(spec, scope)
        self.components = {c.name: c for c in spec.components}
        self.deciding = False
        self.counted: list[tuple[Counter, tuple[Any, ...], Any]] = []
        self.read_parts: set[str] = set()
        self.running: Any = None
        self._path = Path()
        self._prefix: list[bool] = []
        self._known: dict[int, bool] = {}
        self._counts: dict[str, tuple[Counter, z3.FuncDeclRef]] = {}
        self._noting = False

    def lift(self, kind: Type, value: Any) -> z3.ExprRef:
        """The Z3 term of a value of type `kind` as a spec writes it."""
        return self.world.lift(kind, value)

    def parts(self) -> Iterator[tuple[str, str, tuple[Type, ...], Type]]:
        """What a state is made of: (component, part, keys, value); a part without keys is a single number."""
        for c in self.components.values():
            if c.kind == "queue":
                yield c.name, f"{c.name}.place", (c.value,), c.keys[0]
                yield c.name, f"{c.name}.ticket", (c.value,), int
                yield c.name, f"{c.name}.clock", (), int
            else:
                yield c.name, c.name, c.keys, c.value

    def require(self, condition: Any, error: str) -> None:
        if not condition:
            raise Refusal(error)

    def decide(self, condition: z3.BoolRef) -> bool:
        """Settle a condition on the path being followed."""
        if is_true(condition) or is_false(condition):
            return bool(is_true(condition))
        if not self.deciding:
            raise SpecError(
                "a statement (or a where condition) branches on the state: write & for and, | for or, "
                "negation() for not, implies() for if"
            )
        known = self._known.get(condition.get_id())
        if known is not None:
            return known
        path = self._path
        index = len(path.decisions)
        side = self._prefix[index] if index < len(self._prefix) else True
        if index >= MAX_DECISIONS:
            raise SpecError(f"one path has over {MAX_DECISIONS} decisions: an operation has no loop over the state; use where()")
        path.decisions.append(side)
        path.conditions.append(condition if side else negated(condition))
        self._known[condition.get_id()] = side
        if z3.is_not(condition):
            self._known[condition.arg(0).get_id()] = not side
        return side

    def stating(self) -> Stating:
        """While it lasts, conditions are part of a statement and cannot be decided."""
        return Stating(self)

    def suspend(self) -> None:
        self._path.exit = SUSPENDED

    def collect(self, sort: Any, body: Callable[..., Any]) -> SubsetTerm:
        anyone = self.world.fresh(sort, "s")
        with self.stating():
            inside = conjunction([self.world.is_thing(sort, anyone), self.world.lift(bool, body(Term(self, anyone, sort)))])

        def holds(element: z3.ExprRef) -> z3.BoolRef:
            return z3.substitute(inside, (anyone, element))

        return SubsetTerm(self, sort, holds)

    def check(self, condition: z3.BoolRef, text: str) -> None:
        if not is_true(condition):
            self._path.checks.append((condition, text))

    def quantify(self, universal: bool, sort: Any, body: Callable[..., Any]) -> Term:
        check_range(sort)

        def inside(term: z3.ExprRef) -> z3.BoolRef:
            return self.world.lift(bool, body(Term(self, term, sort)))

        with self.stating():
            return Term(self, self.world.quantified(universal, [sort], inside), bool)

    def count(self, counter: Counter, system: Any, arguments: tuple[Any, ...]) -> Term:
        lifted = tuple(self.world.lift(s.type, a) for s, a in zip(counter.slots[:-1], arguments, strict=True))
        kind = counter.slots[-1].type
        listed = self.world.elements(kind)
        if listed is not None:
            with self.stating():
                members = [self.member(counter, system, lifted, element) for element in listed]
            return Term(self, z3.Sum([z3.If(m, 1, 0) for m in members]), int)
        if self._noting:
            self.member(counter, self.state, lifted, self.world.fresh(kind, "m"))
        running = system is self.running
        if running and system._changed:
            raise SpecError(f"{counter.name} is counted after an effect: count before the first write")
        label = "'" if system._before is not None and not running else ""
        function = self.count_function(counter, label)
        if label:
            self.counted.append((counter, lifted, system))
        elif running:
            self._path.counts.append((counter, lifted))
        return Term(self, function(*lifted), int)

    def count_function(self, counter: Counter, label: str) -> z3.FuncDeclRef:
        """The function that stands for a count before ("") or after ("'") a step."""
        name = f"count {counter.name}{label}!{self.world._mark}"
        if name not in self._counts:
            domain = [self.world.sort(s.type) for s in counter.slots[:-1]]
            self._counts[name] = counter, z3.Function(name, *domain, z3.IntSort())
        known, function = self._counts[name]
        if known.function is not counter.function and not counter.name.endswith(".length"):
            raise SpecError(f"two counters are called {counter.name}: rename one")
        return function

    def member(self, counter: Counter, system: Any, key: tuple[z3.ExprRef, ...], element: z3.ExprRef) -> z3.BoolRef:
        """Whether `element` is counted by `counter` under `key`."""
        terms = [Term(self, t, s.type) for t, s in zip((*key, element), counter.slots, strict=True)]
        with reading(self), self.stating(), inside(counter.name, counter.function):
            return self.world.lift(bool, counter.function(system, *terms))

    def head(self, component: Component, place: Cells, ticket: Cells, line: z3.ExprRef) -> z3.ExprRef:
        """The oldest element of a line, as a term with its definition on the path."""
        for known in self._path.heads:
            if known.place is place and known.ticket is ticket and known.line.eq(line):
                return known.term
        world, kind = self.world, component.value
        term = world.variable(kind, f"head {len(self._path.heads)} of {component.name}")
        nothing, nowhere = world.none(kind), world.none(component.keys[0])
        in_line = negated(same(line, nowhere))
        outside = world.quantified(True, [kind], lambda e: negated(same(place.read((e,)), line)))
        first = world.quantified(
            True,
            [kind],
            lambda e: implied(same(place.read((e,)), line), ticket.read((term,)) <= ticket.read((e,))),
        )
        missing = all_of([same(term, nothing), any_of([negated(in_line), outside])])
        there = all_of([negated(same(term, nothing)), in_line, same(place.read((term,)), line), first])
        axiom = any_of([missing, there])
        self._path.heads.append(Head(term, component.name, place, ticket, line, axiom))
        return term
