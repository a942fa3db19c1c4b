"""The symbolic reading: a state is Z3 functions over sorts of any size, a question is followed both ways.

Maps are functions and updates are definitions by cases over them, so no array theory is needed: reading a cell after
writes gives `If(key is the written one, value, cell before)`.  An operation is run once a path: every `if` or `require` that the
path so far does not settle takes one side, and the function runs again from its start for the other (no fork, no
copy of the interpreter).  Decisions are not asked of the solver; a path that cannot be is harmless in a proof and is found
where every exit must be shown possible.

The same code serves a finite scope: sorts are enumerations, quantifiers are written out, counts are sums.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import z3

from ..language import (
    OK,
    SUSPENDED,
    Action,
    Call,
    Component,
    Constant,
    Counter,
    Declaration,
    Refusal,
    Scope,
    Slot,
    Spec,
    SpecError,
    StepProperty,
    Type,
    is_enumeration,
    is_sort,
    reading,
    vocabulary,
)

MAX_PATHS = 4096
MAX_DECISIONS = 48
_names = itertools.count()


_TRUE, _FALSE = z3.BoolVal(True), z3.BoolVal(False)


def _is_true(term: z3.ExprRef) -> bool:
    return bool(term.eq(_TRUE))  # z3.is_true asks four questions of the solver to find this out


def _is_false(term: z3.ExprRef) -> bool:
    return bool(term.eq(_FALSE))


def _same(left: z3.ExprRef, right: z3.ExprRef) -> z3.BoolRef:
    """left == right, settled at once where the terms themselves settle it."""
    if left.eq(right):
        return z3.BoolVal(True)
    if _is_value(left) and _is_value(right):
        return z3.BoolVal(False)
    return left == right


def _is_value(term: z3.ExprRef) -> bool:
    if _is_true(term) or _is_false(term) or z3.is_int_value(term):
        return True
    return bool(z3.is_app(term) and term.decl().kind() == z3.Z3_OP_DT_CONSTRUCTOR and term.num_args() == 0)


def conjunction(parts: Sequence[z3.BoolRef]) -> z3.BoolRef:
    """All of `parts`, settled at once where true or false settles it."""
    kept = [p for p in parts if not _is_true(p)]
    if any(_is_false(p) for p in kept):
        return z3.BoolVal(False)
    if len(kept) < 2:
        return kept[0] if kept else z3.BoolVal(True)
    return z3.And(kept)


def _choice(condition: z3.BoolRef, yes: Any, no: Any) -> Any:
    if _is_true(condition) or yes.eq(no):
        return yes
    return no if _is_false(condition) else z3.If(condition, yes, no)


def _conjuncts(statement: z3.BoolRef) -> Iterator[z3.BoolRef]:
    if z3.is_and(statement):
        for part in statement.children():
            yield from _conjuncts(part)
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
    return [variables[i] for i in used], z3.Implies(conjunction([guards[i] for i in used]), part)


def _constants_of(term: z3.ExprRef) -> set[int]:
    """The ids of the constants in `term`, shared parts visited once."""
    seen: set[int] = set()
    found: set[int] = set()
    pending = [term]
    while pending:
        here = pending.pop()
        if here.get_id() in seen:
            continue
        seen.add(here.get_id())
        if z3.is_quantifier(here):
            pending.append(here.body())
        elif z3.is_app(here):
            if here.num_args() == 0:
                found.add(here.get_id())
            pending.extend(here.children())
    return found


def _for_all(variables: Sequence[z3.ExprRef], guards: Sequence[z3.BoolRef], part: z3.BoolRef) -> z3.BoolRef:
    bound, guarded = _guarded(variables, guards, part)
    return z3.ForAll(bound, guarded) if bound else part


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
            raise SpecError(f"{kind.__name__} is in no component, operation, statement or counter of the spec")
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
            self._nones[kind] = z3.Const(f"{kind.__name__}.none!{self._mark}", sort)
            named = {(kind, c.name): z3.Const(f"{kind.__name__}.{c.name}!{self._mark}", sort) for c in kind.constants}
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
        return z3.Const(f"{name}!{self._mark}", self.sort(kind))

    def fresh(self, kind: Type, name: str) -> z3.ExprRef:
        return z3.FreshConst(self.sort(kind), name)

    def is_thing(self, kind: Type, term: z3.ExprRef) -> z3.BoolRef:
        """What it takes to be a value that a statement ranges over: not none, no number below 0 or out of scope."""
        if is_sort(kind):
            return z3.Not(_same(term, self.none(kind)))
        if kind is int:
            least: z3.BoolRef = term >= 0
            return least if self.scope is None else z3.And(least, term <= self.scope["numbers"])
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
            return conjunction([_for_all(bound, guards, part) for whole in parts for part in _conjuncts(whole)])
        return z3.Exists(bound, conjunction([*guards, z3.Or(parts)])) if bound else z3.Or(parts)


class Term:
    """A value in the symbolic reading: a Z3 term with its type in the spec.  Comparing terms makes a truth term; using
    one as a condition asks the reading to decide."""

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("expr", "reading", "type")

    def __init__(self, reading: Symbolic, expr: z3.ExprRef, kind: Type) -> None:
        self.reading, self.expr, self.type = reading, expr, kind

    def _truth(self, expr: z3.ExprRef) -> Term:
        return Term(self.reading, expr, bool)

    def _other(self, value: Any) -> z3.ExprRef:
        return self.reading.world.lift(self.type, value)

    def __eq__(self, other: Any) -> Any:
        return self._truth(_same(self.expr, self._other(other)))

    def __ne__(self, other: Any) -> Any:
        return self._truth(z3.Not(_same(self.expr, self._other(other))))

    def _number(self, other: Any, what: str) -> Any:
        if self.type is not int:
            raise SpecError(f"{what} on a {self.type.__name__}: only numbers have an order; names have equality alone")
        return self.reading.world.lift(int, other)

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
        if _is_false(left) or _is_true(right):
            return self._truth(right)
        return self._truth(left if _is_true(left) or _is_false(right) else z3.Or(left, right))

    __ror__ = __or__

    def negated(self) -> Any:
        """What `negation` makes of it."""
        return self._truth(z3.Not(self._condition(self)))

    def __invert__(self) -> Any:
        raise SpecError("~ is no negation (on a plain bool it gives -1 or -2): write negation(...), or not in an operation")

    def _no_arithmetic(self, *_: Any) -> Any:
        raise SpecError("numbers are added, subtracted and compared, nothing else")

    __mul__ = __rmul__ = __floordiv__ = __mod__ = __neg__ = _no_arithmetic

    def _condition(self, value: Any) -> z3.BoolRef:
        return self.reading.world.lift(bool, value)

    def __bool__(self) -> bool:
        return self.reading.decide(self._condition(self))

    def __index__(self) -> int:
        raise SpecError("the spec wants the number behind a name, which only a finite reading has; compare names instead")

    def __iter__(self) -> Iterator[Any]:
        raise SpecError("the spec loops over the state; write one bulk update with where(), or forall in a statement")


class SubsetTerm:
    """A subset in the symbolic reading: `holds` gives the condition for an element to be in it."""

    def __init__(self, reading: Symbolic, kind: Type, holds: Callable[[z3.ExprRef], z3.BoolRef]) -> None:
        self.reading, self.type, self.holds = reading, kind, holds

    def __getitem__(self, element: Any) -> Term:
        return Term(self.reading, self.holds(self.reading.world.lift(self.type, element)), bool)


class Cells(ABC):
    """The cells of a map at one moment: reads a key as a Z3 term."""

    def __init__(self) -> None:
        self._memo: dict[tuple[int, ...], tuple[tuple[z3.ExprRef, ...], z3.ExprRef]] = {}

    def read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        ids = tuple(part.get_id() for part in key)
        if ids not in self._memo:
            self._memo[ids] = key, self._read(key)  # the key is kept, so that its ids are not given out again
        return self._memo[ids][1]

    @abstractmethod
    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        """The term at a key that was not read before."""


class Unknown(Cells):
    """Any content: an uninterpreted function."""

    def __init__(self, function: z3.FuncDeclRef) -> None:
        super().__init__()
        self.function = function

    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        return self.function(*key)


class Blank(Cells):
    """The default everywhere."""

    def __init__(self, value: z3.ExprRef) -> None:
        super().__init__()
        self.value = value

    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        return self.value


class Written(Cells):
    """What another state of the map holds, but `value` where `condition`, a term over the variables `over`, holds."""

    def __init__(self, under: Cells, over: list[z3.ExprRef], condition: z3.BoolRef, value: z3.ExprRef) -> None:
        super().__init__()
        self.under, self.over, self.condition, self.value = under, over, condition, value

    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        here = z3.substitute(self.condition, *zip(self.over, key, strict=True))
        return _choice(here, self.value, self.under.read(key))


class Stored(Cells):
    """What another state of the map holds, but `value` at `at`."""

    def __init__(self, under: Cells, at: tuple[z3.ExprRef, ...], value: z3.ExprRef) -> None:
        super().__init__()
        self.under, self.at, self.value = under, at, value

    def _read(self, key: tuple[z3.ExprRef, ...]) -> z3.ExprRef:
        here = conjunction([_same(k, a) for k, a in zip(key, self.at, strict=True)])
        return self.value if _is_true(here) else _choice(here, self.value, self.under.read(key))


@dataclass
class Head:
    """A term defined as the oldest element of a line: `term` is the element of `place` = `line` with the least ticket."""

    term: z3.ExprRef
    queue: str
    place: Cells
    ticket: Cells
    line: z3.ExprRef
    axiom: z3.BoolRef


class System:
    """A state in the symbolic reading.  `parts` holds a map's cells under its name, a queue's as name.place (element ->
    line), name.ticket and name.clock (the next ticket), a parameter's term."""

    def __init__(self, reading: Symbolic, parts: dict[str, Any], label: str, before: System | None = None) -> None:
        self.__dict__.update(_reading=reading, _parts=parts, _label=label, _before=before, _changed=set())

    def __getattr__(self, name: str) -> Any:
        reading: Symbolic = self.__dict__["_reading"]
        if name == "before":
            if self is not reading._running:
                raise SpecError("system.before in a statement: a step property is given the state before as a parameter")
            return self.__dict__["_before"]
        component = reading.components.get(name)
        if component is None:
            raise SpecError(f"the state has no {name!r}; it has {', '.join(reading.components)}")
        if component.kind == "parameter":
            return Term(reading, self._parts[name], int)
        return (_Queue if component.kind == "queue" else _Map)(self, component)

    def __setattr__(self, name: str, value: Any) -> None:
        raise SpecError(f"system.{name} = ...: a component is written cell by cell, or with where()")

    def written_at(self) -> list[tuple[Type, z3.ExprRef]]:
        """The keys of the cells that were written one by one, each with its type."""
        found: list[tuple[Type, z3.ExprRef]] = []
        kinds = {part: kinds for _, part, kinds, _ in self._reading.parts()}
        for name in sorted(self._changed):
            cells = self._parts[name]
            while isinstance(cells, Stored | Written):
                if isinstance(cells, Stored):
                    found += zip(kinds[name], cells.at, strict=True)
                cells = cells.under
        return found

    def set_part(self, name: str, cells: Any) -> None:
        if self._before is None:
            raise SpecError(f"{name} is written outside an operation")
        self._parts[name] = cells
        self._changed.add(name)


class _Map:
    def __init__(self, system: System, component: Component) -> None:
        self._system, self._component = system, component
        self._reading: Symbolic = system._reading

    def _key(self, key: Any) -> tuple[z3.ExprRef, ...]:
        parts = key if isinstance(key, tuple) else (key,)
        if len(parts) != len(self._component.keys):
            raise SpecError(f"{self._component.name} has keys {self._component.keys}, not {len(parts)}")
        lift = self._reading.world.lift
        return tuple(lift(kind, part) for kind, part in zip(self._component.keys, parts, strict=True))

    def __getitem__(self, key: Any) -> Term:
        cells = self._system._parts[self._component.name]
        self._reading.read_parts.add(self._component.name)
        return Term(self._reading, cells.read(self._key(key)), self._component.value)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._writable()
        at = self._key(key)
        name, world = self._component.name, self._reading.world
        for kind, part in zip(self._component.keys, at, strict=True):
            self._reading.check(world.is_thing(kind, part), f"{name} is written at none")
        self._system.set_part(name, Stored(self._system._parts[name], at, self._value(value)))

    def _value(self, value: Any) -> z3.ExprRef:
        lifted = self._reading.world.lift(self._component.value, value)
        if self._component.value is int:
            self._reading.check(lifted >= 0, f"{self._component.name} is written below 0")
        return lifted

    def where(self, condition: Callable[..., Any], value: Any) -> None:
        self._writable()
        name, kinds, world = self._component.name, self._component.keys, self._reading.world
        over = [world.fresh(kind, "k") for kind in kinds]
        with self._reading.stating():
            held = condition(*(Term(self._reading, k, kind) for k, kind in zip(over, kinds, strict=True)))
        guards = [world.is_thing(kind, k) for k, kind in zip(over, kinds, strict=True)]
        inside = conjunction([*guards, world.lift(bool, held)])
        under = self._system._parts[name]
        self._system.set_part(name, Written(under, over, inside, self._value(value)))

    def _writable(self) -> None:
        if self._component.kind not in ("map", "output"):
            raise SpecError(f"{self._component.name} is rigid: it never changes; declare it as a Map to write it")


class _Queue:
    def __init__(self, system: System, component: Component) -> None:
        self._system, self._component = system, component
        self._reading: Symbolic = system._reading

    def _part(self, name: str) -> Any:
        self._reading.read_parts.add(f"{self._component.name}.{name}")
        return self._system._parts[f"{self._component.name}.{name}"]

    def _lift(self, element: Any) -> z3.ExprRef:
        return self._reading.world.lift(self._component.value, element)

    def __getitem__(self, key: Any) -> _Line:
        return _Line(self, self._reading.world.lift(self._component.keys[0], key))

    def of(self, element: Any) -> Term:
        return Term(self._reading, self._part("place").read((self._lift(element),)), self._component.keys[0])

    def ahead(self, first: Any, second: Any) -> Any:
        here, there = self.of(first), self.of(second)
        ticket = self._part("ticket")
        earlier = ticket.read((self._lift(first),)) < ticket.read((self._lift(second),))
        return (here == there) & (here != vocabulary.none) & Term(self._reading, earlier, bool)

    def remove(self, element: Any) -> None:
        self._leave([gone := self._reading.world.fresh(self._component.value, "e")], _same(gone, self._lift(element)))

    def drop(self, condition: Callable[[Any], Any]) -> None:
        element = self._reading.world.fresh(self._component.value, "e")
        with self._reading.stating():
            held = condition(Term(self._reading, element, self._component.value))
        self._leave([element], self._reading.world.lift(bool, held))

    def _leave(self, over: list[z3.ExprRef], condition: z3.BoolRef) -> None:
        nowhere = self._reading.world.none(self._component.keys[0])
        name = f"{self._component.name}.place"
        self._system.set_part(name, Written(self._part("place"), over, condition, nowhere))


class _Line:
    def __init__(self, queue: _Queue, key: z3.ExprRef) -> None:
        self._queue, self._key = queue, key
        self._reading = queue._reading

    @property
    def empty(self) -> Any:
        queue, world = self._queue, self._reading.world
        if self._reading.deciding:
            return self.head == vocabulary.none
        place = queue._part("place")
        statement = world.quantified(True, [queue._component.value], lambda e: z3.Not(_same(place.read((e,)), self._key)))
        nowhere = _same(self._key, world.none(queue._component.keys[0]))
        return Term(self._reading, z3.Or(nowhere, statement), bool)

    @property
    def length(self) -> Any:
        queue = self._queue
        return self._reading.count(
            line_counter(queue._component),
            queue._system,
            (Term(self._reading, self._key, queue._component.keys[0]),),
        )

    @property
    def head(self) -> Term:
        queue = self._queue
        component = queue._component
        if not self._reading.deciding:
            raise SpecError(f"{component.name}[...].head: a statement says with ahead() which comes first")
        head = self._reading.head(component, queue._part("place"), queue._part("ticket"), self._key)
        return Term(self._reading, head, component.value)

    def push(self, element: Any) -> None:
        queue = self._queue
        name, world = queue._component.name, self._reading.world
        entered = queue._lift(element)
        place, ticket, clock = queue._part("place"), queue._part("ticket"), queue._part("clock")
        key_kind = queue._component.keys[0]
        self._reading.check(world.is_thing(key_kind, self._key), f"{name} is pushed to at none")
        self._reading.check(world.is_thing(queue._component.value, entered), f"none is pushed to {name}")
        self._reading.check(_same(place.read((entered,)), world.none(key_kind)), f"what stands in {name} is pushed again")
        queue._system.set_part(f"{name}.place", Stored(place, (entered,), self._key))
        queue._system.set_part(f"{name}.ticket", Stored(ticket, (entered,), clock))
        queue._system.set_part(f"{name}.clock", clock + 1)

    def pop(self) -> Term:
        head = self.head
        world, kind = self._reading.world, self._queue._component.value
        self._reading.check(world.is_thing(kind, head.expr), f"an empty line of {self._queue._component.name} is popped")
        self._queue.remove(head)
        return head


def line_counter(component: Component) -> Counter:
    """The counter behind a line's length."""

    def member(system: Any, line: Any, element: Any) -> Any:
        return (getattr(system, component.name).of(element) == line) & (line != vocabulary.none)

    kinds = (component.keys[0], component.value)
    return Counter(f"{component.name}.length", member, tuple(Slot(k.__name__.lower(), k) for k in kinds))


@dataclass
class Path:
    """One way through an operation: under `conditions` it comes to `exit`, leaves the state `after`, returns `answer`.

    `heads` are terms that the conditions and the state speak of; `checks` are what must hold for the spec's own text
    to make sense here (no write at none, no pop of an empty line); `changed` names the parts that were assigned, the
    rest is the frame.
    """

    conditions: list[z3.BoolRef] = field(default_factory=list)
    decisions: list[bool] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    checks: list[tuple[z3.BoolRef, str]] = field(default_factory=list)
    exit: str = OK
    after: Any = None
    answer: Any = None

    @property
    def changed(self) -> set[str]:
        return self.after._changed  # type: ignore[no-any-return]

    @property
    def assumptions(self) -> list[z3.BoolRef]:
        return [*self.conditions, *(h.axiom for h in self.heads)]


class Symbolic:
    """A spec in the symbolic reading, in a world."""

    def __init__(self, spec: Spec, scope: Scope | None = None) -> None:
        self.spec = spec
        self.world = World(spec, scope)
        self.components = {c.name: c for c in spec.components}
        self.deciding = False
        self.counted: list[tuple[Counter, tuple[Any, ...], System]] = []
        self._path = Path()
        self._prefix: list[bool] = []
        self._known: dict[int, bool] = {}
        self._running: System | None = None
        self._counts: dict[str, tuple[Counter, z3.FuncDeclRef]] = {}
        self.read_parts: set[str] = set()
        self._noting = False
        self._reads: dict[tuple[str, str | None], set[str]] = {}
        self._denials: dict[tuple[str, str, int], list[tuple[list[Any], z3.BoolRef]]] = {}
        self.state = self._unknown_state()

    def _unknown_state(self) -> System:
        parts: dict[str, Any] = {}
        for _, part, kinds, value in self.parts():
            if self.components[part.partition(".")[0]].kind == "output":
                parts[part] = Blank(self.world.default(value))
            elif not kinds:
                parts[part] = self.world.variable(value, part)
            else:
                domain = [self.world.sort(k) for k in kinds]
                parts[part] = Unknown(z3.Function(f"{part}!{self.world._mark}", *domain, self.world.sort(value)))
        return System(self, parts, "")

    def parts(self) -> Iterator[tuple[str, str, tuple[Type, ...], Type]]:
        """What a state is made of: (component, part, keys, value); a part without keys is a single number."""
        for c in self.components.values():
            if c.kind == "queue":
                yield c.name, f"{c.name}.place", (c.value,), c.keys[0]
                yield c.name, f"{c.name}.ticket", (c.value,), int
                yield c.name, f"{c.name}.clock", (), int
            else:
                yield c.name, c.name, c.keys, c.value

    def blank_state(self) -> System:
        """The state that holds defaults only, to be written by the spec's `initial`."""
        parts = dict(self.state._parts)
        for name, part, kinds, value in self.parts():
            if self.components[name].kind not in ("rigid", "parameter"):
                default = self.world.default(value)
                parts[part] = Blank(default) if kinds else default
        return System(self, parts, "'", before=self.state)

    def axioms(self) -> list[z3.BoolRef]:
        """What holds of any state by how states are made: default at none, numbers not negative, parameters positive.

        In a finite scope also that numbers stay in it, so that every solution is a state that can be shown.
        """
        found = list(self.world.distinct)
        for name, part, kinds, value in self.parts():
            cells = self.state._parts[part]
            component = self.components[name]
            if component.kind == "parameter":
                exact = None if self.world.scope is None else self.world.scope[name]
                found.append(cells >= 1 if exact is None else cells == exact)
                continue
            if component.kind == "output":
                continue
            if not kinds:
                found.append(cells >= 0)
                continue
            for position, kind in enumerate(kinds):
                if is_sort(kind):
                    found.append(self._default_at_none(cells, kinds, position, self.world.default(value)))
            if value is int:
                bounded = component.kind == "map"
                found.append(self.world.quantified(True, kinds, lambda *key, c=cells, b=bounded: self._number(c.read(key), b)))
            if component.kind == "rigid" and self.world.scope is not None and name in self.spec.rigid:
                found += self._given(component, cells)
        return found

    def _number(self, term: z3.ExprRef, bounded: bool) -> z3.BoolRef:
        return self.world.is_thing(int, term) if bounded else term >= 0

    def _given(self, component: Component, cells: Cells) -> Iterator[z3.BoolRef]:
        assert self.world.scope is not None
        ranges = [range(1, self.world.scope[k.plural] + 1) if is_sort(k) else range(len(k)) for k in component.keys]
        for key in itertools.product(*ranges):
            lifted = tuple(self.world.lift(k, v) for k, v in zip(component.keys, key, strict=True))
            value = self.spec.rigid[component.name](self.world.scope, *key)
            yield _same(cells.read(lifted), self.world.lift(component.value, value))

    def _default_at_none(self, cells: Cells, kinds: tuple[Type, ...], position: int, default: z3.ExprRef) -> z3.BoolRef:
        others = [k for i, k in enumerate(kinds) if i != position]
        here = self.world.none(kinds[position])

        def body(*key: z3.ExprRef) -> z3.BoolRef:
            whole = (*key[:position], here, *key[position:])
            return _same(cells.read(whole), default)

        bound: list[z3.ExprRef] = []
        ranges = []
        for kind in others:
            listed = self.world.elements(kind)
            if listed is None:
                bound.append(variable := self.world.fresh(kind, "x"))
                listed = [variable]
            elif is_sort(kind):
                listed = [self.world.none(kind), *listed]
            ranges.append(listed)
        inside = conjunction([body(*values) for values in itertools.product(*ranges)])
        return z3.ForAll(bound, inside) if bound else inside

    def order(self, system: System) -> Iterator[tuple[str, z3.BoolRef]]:
        """By queue, that its tickets order it: each element's below the clock, no two of one line the same.

        What makes the least ticket the oldest element.  Proved of every operation like any invariant.
        """
        for name, c in self.components.items():
            if c.kind != "queue":
                continue
            place, ticket, clock = (system._parts[f"{name}.{part}"] for part in ("place", "ticket", "clock"))
            nowhere = self.world.none(c.keys[0])

            def below(e: z3.ExprRef, place=place, ticket=ticket, clock=clock, nowhere=nowhere) -> z3.BoolRef:  # type: ignore[no-untyped-def]
                return z3.Or(_same(place.read((e,)), nowhere), ticket.read((e,)) < clock)

            def apart(e: z3.ExprRef, f: z3.ExprRef, place=place, ticket=ticket, nowhere=nowhere) -> z3.BoolRef:  # type: ignore[no-untyped-def]
                there = place.read((e,))
                together = z3.And(_same(there, place.read((f,))), z3.Not(_same(there, nowhere)))
                return z3.Implies(z3.And(together, _same(ticket.read((e,)), ticket.read((f,)))), _same(e, f))

            yield (
                name,
                z3.And(
                    self.world.quantified(True, [c.value], below),
                    self.world.quantified(True, [c.value, c.value], apart),
                ),
            )

    # -- what a spec asks --

    def require(self, condition: Any, error: str) -> None:
        if not condition:
            raise Refusal(error)

    def decide(self, condition: z3.BoolRef) -> bool:
        """Settle a condition on the path being followed."""
        if _is_true(condition) or _is_false(condition):
            return bool(_is_true(condition))
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
        path.conditions.append(condition if side else z3.Not(condition))
        self._known[condition.get_id()] = side
        if z3.is_not(condition):
            self._known[condition.arg(0).get_id()] = not side
        return side

    def stating(self) -> _Stating:
        """While it lasts, conditions are part of a statement and cannot be decided."""
        return _Stating(self)

    def suspend(self) -> None:
        self._path.exit = SUSPENDED

    def collect(self, sort: Any, body: Callable[..., Any]) -> SubsetTerm:
        def holds(element: z3.ExprRef) -> z3.BoolRef:
            with reading(self), self.stating():
                return self.world.lift(bool, body(Term(self, element, sort)))

        return SubsetTerm(self, sort, holds)

    def check(self, condition: z3.BoolRef, text: str) -> None:
        if not _is_true(condition):
            self._path.checks.append((condition, text))

    def quantify(self, universal: bool, sort: Any, body: Callable[..., Any]) -> Term:
        if sort is int:
            raise SpecError("forall and exists range over a sort or an enumeration, not over numbers")

        def inside(term: z3.ExprRef) -> z3.BoolRef:
            return self.world.lift(bool, body(Term(self, term, sort)))

        with self.stating():
            return Term(self, self.world.quantified(universal, [sort], inside), bool)

    def count(self, counter: Counter, system: System, arguments: tuple[Any, ...]) -> Term:
        lifted = tuple(self.world.lift(s.type, a) for s, a in zip(counter.slots[:-1], arguments, strict=True))
        kind = counter.slots[-1].type
        listed = self.world.elements(kind)
        if listed is not None:
            with self.stating():
                members = [self.member(counter, system, lifted, element) for element in listed]
            return Term(self, z3.Sum([z3.If(m, 1, 0) for m in members]), int)
        if self._noting:
            self.member(counter, self.state, lifted, self.world.fresh(kind, "m"))
        running = system is self._running
        if running and system._changed:
            raise SpecError(f"{counter.name} is counted after an effect: count before the first write")
        label = "'" if system._before is not None and not running else ""
        function = self.count_function(counter, label)
        if label:
            self.counted.append((counter, lifted, system))
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

    def member(self, counter: Counter, system: System, key: tuple[z3.ExprRef, ...], element: z3.ExprRef) -> z3.BoolRef:
        """Whether `element` is counted by `counter` under `key`."""
        terms = [Term(self, t, s.type) for t, s in zip((*key, element), counter.slots, strict=True)]
        with reading(self), self.stating():
            return self.world.lift(bool, counter.function(system, *terms))

    def head(self, component: Component, place: Cells, ticket: Cells, line: z3.ExprRef) -> z3.ExprRef:
        """The oldest element of a line, as a term with its definition on the path."""
        for known in self._path.heads:
            if known.place is place and known.ticket is ticket and known.line.eq(line):
                return known.term
        world, kind = self.world, component.value
        term = world.variable(kind, f"{component.name}.head{len(self._path.heads)}")
        nothing, nowhere = world.none(kind), world.none(component.keys[0])
        in_line = z3.Not(_same(line, nowhere))
        outside = world.quantified(True, [kind], lambda e: z3.Not(_same(place.read((e,)), line)))
        first = world.quantified(
            True,
            [kind],
            lambda e: z3.Implies(_same(place.read((e,)), line), ticket.read((term,)) <= ticket.read((e,))),
        )
        axiom = z3.Or(
            z3.And(_same(term, nothing), z3.Or(z3.Not(in_line), outside)),
            z3.And(z3.Not(_same(term, nothing)), in_line, _same(place.read((term,)), line), first),
        )
        self._path.heads.append(Head(term, component.name, place, ticket, line, axiom))
        return term

    # -- what a checker asks --

    def arguments(self, action: Action) -> dict[str, Any]:
        """The operation's arguments, as variables; a subset as an unknown predicate."""
        return {s.name: self._argument(f"{action.name}.{s.name}", s) for s in action.slots}

    def _argument(self, name: str, slot: Slot) -> Any:
        if not slot.subset:
            return Term(self, self.world.variable(slot.type, name), slot.type)
        inside = z3.Function(f"{name}!{self.world._mark}", self.world.sort(slot.type), z3.BoolSort())
        return SubsetTerm(self, slot.type, inside)

    def call_assumptions(self, action: Action) -> list[z3.BoolRef]:
        """What holds of any call's arguments: none only where it may be, fresh names fresh."""
        found = []
        arguments = self.arguments(action)
        for slot in action.slots:
            if slot.subset:
                found.append(z3.Not(arguments[slot.name].holds(self.world.none(slot.type))))
                continue
            term = arguments[slot.name].expr
            thing = self.world.is_thing(slot.type, term)
            if slot.fresh:
                free = self._is_free(slot.type, term)
                taken = self.world.quantified(True, [slot.type], lambda e, k=slot.type: z3.Not(self._is_free(k, e)))
                found.append(z3.And(thing, free) if slot.type.endless else z3.If(thing, free, taken))
            elif not slot.optional:
                found.append(thing)
        return found

    def _is_free(self, kind: Type, term: z3.ExprRef) -> z3.BoolRef:
        test = self.spec.unused[kind].function
        with reading(self), self.stating():
            free = self.world.lift(bool, test(self.state, Term(self, term, kind)))
        return conjunction([free, *(z3.Not(_same(term, self.world.lift(kind, c))) for c in kind.constants)])

    def paths(self, action: Action) -> list[Path]:
        """Every path through an operation, from any state.  Raises SpecError beyond MAX_PATHS."""
        found: list[Path] = []
        pending: list[list[bool]] = [[]]
        while pending:
            prefix = pending.pop()
            path = self._follow(action, prefix)
            found.append(path)
            if len(found) > MAX_PATHS:
                raise SpecError(f"{action.name} has over {MAX_PATHS} paths; join conditions with & and |, or split it")
            for index in range(len(prefix), len(path.decisions)):
                pending.append([*path.decisions[:index], not path.decisions[index]])
        return found

    def _follow(self, action: Action, prefix: list[bool]) -> Path:
        self._path, self._prefix, self._known = Path(), prefix, {}
        system = System(self, dict(self.state._parts), "'", before=self.state)
        self.deciding, self._running = True, system
        try:
            with reading(self):
                self._path.answer = action.function(system, **self.arguments(action))
        except Refusal as refusal:
            self._path.exit = refusal.error
            if system._changed:
                raise SpecError(
                    f"{action.name} refuses with {refusal.error} after an effect on {', '.join(sorted(system._changed))}: "
                    "put every require before the first write"
                ) from None
        finally:
            self.deciding, self._running = False, None
        self._path.after = system
        return self._path

    def initial(self) -> Path:
        """The initial state, as a path of no operation."""
        self._path, self._prefix, self._known = Path(), [], {}
        system = self._running = self.blank_state()
        try:
            with reading(self):
                self.spec.initial(system)
        finally:
            self._running = None
        self._path.after = system
        return self._path

    def statement(self, declaration: Declaration, *states: Any) -> z3.BoolRef:
        """A statement, for all values of its parameters."""
        kinds = [s.type for s in declaration.slots]
        return self.world.quantified(True, kinds, lambda *terms: self._instance(declaration, states, terms))

    def instance(self, declaration: Declaration, *states: Any) -> tuple[dict[str, z3.ExprRef], z3.BoolRef]:
        """A statement at one unknown binding of its parameters: the binding, and binding in range implies statement.

        To refute the statement is to satisfy the negation of that.
        """
        binding = {s.name: self.world.variable(s.type, f"{declaration.name}.{s.name}") for s in declaration.slots}
        guards = [self.world.is_thing(s.type, binding[s.name]) for s in declaration.slots]
        body = self._instance(declaration, states, tuple(binding.values()))
        return binding, z3.Implies(conjunction(guards), body)

    def _instance(self, declaration: Declaration, states: Any, terms: tuple[z3.ExprRef, ...]) -> z3.BoolRef:
        wrapped = [Term(self, t, s.type) for t, s in zip(terms, declaration.slots, strict=True)]
        with reading(self):
            return self.world.lift(bool, declaration.function(*states, *wrapped))

    def reads(self, statement: Declaration, action: Action | None = None) -> set[str]:
        """The parts of the state that an invariant, or a step property for the calls of `action`, speaks of: always the same,
        because a statement cannot branch on the state.

        What changes none of them preserves an invariant.
        """
        key = statement.name, action.name if action else None
        if key not in self._reads:
            self.read_parts, self._noting = set(), True
            if action is None:
                self.instance(statement, self.state)
            else:
                self.instance(statement, self.state, self.state, Call(action.name, self.arguments(action)))
            self._reads[key], self._noting = self.read_parts, False
        return self._reads[key]

    def denial(self, statement: Declaration, action: Action | None, path: Path) -> z3.BoolRef:
        """That a statement does not hold after a path, at an unknown binding.  What is counted after the step is in `counted`.

        Paths that leave alike what the statement speaks of share the term.
        """
        step = action is not None and isinstance(statement, StepProperty)
        cells = [path.after._parts[part] for part in sorted(self.reads(statement, action if step else None))]
        key = statement.name, action.name if step and action else "", len(cells)
        for known, term in self._denials.get(key, []):
            if all(here is there for here, there in zip(cells, known, strict=True)):
                self.counted = []
                return term
        self.counted = []
        assert action is not None or not step
        states = self.step(action, path) if step and action else (path.after,)
        term = z3.Not(self.instance(statement, *states)[1])
        if not self.counted:
            self._denials.setdefault(key, []).append((cells, term))
        return term

    def step(self, action: Action, path: Path) -> tuple[System, System, Call]:
        """What a step property takes before its parameters, for a path."""
        return self.state, path.after, Call(action.name, self.arguments(action))


class _Stating:
    def __init__(self, symbolic: Symbolic) -> None:
        self._symbolic, self._was = symbolic, symbolic.deciding

    def __enter__(self) -> None:
        self._was, self._symbolic.deciding = self._symbolic.deciding, False

    def __exit__(self, *_: object) -> None:
        self._symbolic.deciding = self._was
