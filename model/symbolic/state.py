"""A state in the symbolic reading, as spec functions see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import z3

from ..language import (
    Component,
    Counter,
    NoValue,
    Slot,
    SpecError,
    Type,
    none,
)
from .cells import Stored, Written
from .made import any_of, negated
from .paths import Follower
from .terms import Term, conjunction, same


class System(NoValue):
    """A state in the symbolic reading.  `parts` holds a map's cells under its name, a queue's as name.place (element ->
    line), name.ticket and name.clock (the next ticket), a parameter's term."""

    def __init__(self, reading: Follower, parts: dict[str, Any], label: str, before: System | None = None) -> None:
        self.__dict__.update(_reading=reading, _parts=parts, _label=label, _before=before, _changed=set())

    def __getattr__(self, name: str) -> Any:
        reading: Follower = self.__dict__["_reading"]
        if name == "before":
            if self is not reading.running:
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


class _Map(NoValue):
    def __init__(self, system: System, component: Component) -> None:
        self._system, self._component = system, component
        self._reading: Follower = system._reading

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


class _Queue(NoValue):
    def __init__(self, system: System, component: Component) -> None:
        self._system, self._component = system, component
        self._reading: Follower = system._reading

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
        return (here == there) & (here != none) & Term(self._reading, earlier, bool)

    def remove(self, element: Any) -> None:
        self._leave([gone := self._reading.world.fresh(self._component.value, "e")], same(gone, self._lift(element)))

    def drop(self, condition: Callable[[Any], Any]) -> None:
        element = self._reading.world.fresh(self._component.value, "e")
        with self._reading.stating():
            held = condition(Term(self._reading, element, self._component.value))
        self._leave([element], self._reading.world.lift(bool, held))

    def _leave(self, over: list[z3.ExprRef], condition: z3.BoolRef) -> None:
        nowhere = self._reading.world.none(self._component.keys[0])
        name = f"{self._component.name}.place"
        self._system.set_part(name, Written(self._part("place"), over, condition, nowhere))


class _Line(NoValue):
    def __init__(self, queue: _Queue, key: z3.ExprRef) -> None:
        self._queue, self._key = queue, key
        self._reading = queue._reading

    @property
    def empty(self) -> Any:
        queue, world = self._queue, self._reading.world
        if self._reading.deciding:
            return self.head == none
        place = queue._part("place")
        statement = world.quantified(True, [queue._component.value], lambda e: negated(same(place.read((e,)), self._key)))
        nowhere = same(self._key, world.none(queue._component.keys[0]))
        return Term(self._reading, any_of([nowhere, statement]), bool)

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
        self._reading.check(same(place.read((entered,)), world.none(key_kind)), f"what stands in {name} is pushed again")
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
        return (getattr(system, component.name).of(element) == line) & (line != none)

    kinds = (component.keys[0], component.value)
    return Counter(f"{component.name}.length", member, tuple(Slot(k.__name__.lower(), k) for k in kinds))
