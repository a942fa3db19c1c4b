"""A state's components as spec functions see them in the batch reading."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..language import (
    Component,
    Members,
    NoValue,
    Sort,
    SpecError,
    Type,
    default,
    none,
)
from .columns import Column, Run, Values, count_of, either, never
from .layout import MOST, Block


class View(NoValue):
    """A state's components as spec functions see them, in a run; `writes` is what was written, None for one to read only."""

    def __init__(self, run: Run, block: Block, writes: dict[int, Any] | None) -> None:
        self.__dict__.update(_run=run, _block=block, _writes=writes, _fetched={}, _asked=set())

    def __getattr__(self, name: str) -> Any:
        run = self._run
        tables = run.tables
        if name == "before":
            if run.stating:
                raise SpecError("system.before in a statement: a step property is given the state before as a parameter")
            wrapped: Any = View(run, self._block, None)
        elif name in tables.positions:
            position = tables.positions[name]
            component = tables.components[position]
            if component.kind == "parameter":
                return tables.model.scope[name]
            self._asked.add(position)
            kind = {"queue": _Queue, "rigid": _Rigid}.get(component.kind, _Map)
            wrapped = kind(self, position, component)
        else:
            raise SpecError(f"the state has no {name!r}; it has {', '.join(tables.positions)}")
        self.__dict__[name] = wrapped
        return wrapped

    def __setattr__(self, name: str, value: Any) -> None:
        raise SpecError(f"system.{name} = ...: a component is written cell by cell, or with where()")

    def cell(self, column: int) -> Any:
        """What a column holds: a plain value, or a Column."""
        writes = self._writes
        if writes is not None and column in writes:
            return writes[column]
        found = self._fetched.get(column)
        if found is None:
            found = self._fetched[column] = self._fetch(column)
        return found

    def _fetch(self, column: int) -> Any:
        run, block = self._run, self._block
        kind, constant = run.tables.layout.cells[column].kind, block.constants[column]
        if constant is None:
            values = block.data[column] if run.index is None else block.data[column][run.index]
            first = values[0]
            if (values == first).all():
                constant = int(first)
        if constant is not None:
            return bool(constant) if kind is bool else constant
        if kind is bool:
            return Column(run, values.view(np.bool_))
        return Column(run, values.astype(np.int32) if kind is int else values)

    def write(self, column: int, value: Any) -> None:
        writes = self._writes
        if writes is None:
            raise SpecError("a write to a state that can only be read: write to the operation's first parameter")
        self._run.wrote = True
        writes[column] = value


class _Map(NoValue):
    def __init__(self, view: View, position: int, component: Component) -> None:
        self.view, self.position, self.component = view, position, component
        tables = view._run.tables
        self.columns: list[int] = tables.layout.columns[position]
        self.shape = tables.shapes[position]
        self.domains = tables.domains[position]
        self.blank = default(component.value)

    def __getitem__(self, key: Any) -> Any:
        parts = key if type(key) is tuple else (key,)
        for part in parts:
            if type(part) is Column:
                return self._look_up(parts, 0, 0)
        column = self._column(parts)
        return self.view.cell(column) if column else self.blank

    def _look_up(self, parts: tuple[Any, ...], at: int, flat: int) -> Any:
        if at == len(parts):
            column = self.columns[flat]
            return self.view.cell(column) if column else self.blank
        part, size = parts[at], self.shape[at]
        if type(part) is not Column:
            return self._look_up(parts, at + 1, flat * size + part)
        run, kind = self.view._run, self.component.value
        choice = part.now()
        found: Any = self.blank
        for element in self.domains[at]:
            value = self._look_up(parts, at + 1, flat * size + element)
            if type(value) is Column or type(found) is Column or value != found:
                found = either(run, Column(run, choice == element), value, found, kind)
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        run = self.view._run
        parts = key if type(key) is tuple else (key,)
        for part, domain in zip(parts, self.domains, strict=True):
            inside = (0 in domain or part != 0) if type(part) is Column else part in domain
            run.must(inside, lambda: f"{self.component.name}[{key}] = {value}: a map is never written at none")
        value = self._number(value)
        choices = [domain if type(part) is Column else (part,) for part, domain in zip(parts, self.domains, strict=True)]
        for at in itertools.product(*choices):
            here: Any = True
            for part, element in zip(parts, at, strict=True):
                if type(part) is Column:
                    here = (part == element) & here
            if never(here):
                continue
            column = self._column(at)
            self.view.write(column, either(run, here, value, self.view.cell(column), self.component.value))

    def _column(self, key: tuple[Any, ...]) -> int:
        flat = 0
        for part, size in zip(key, self.shape, strict=True):
            flat = flat * size + int(part)
        return self.columns[flat]

    def _number(self, value: Any) -> Any:
        if not isinstance(value, int | Column):
            raise SpecError(f"{self.component.name} is set to {value!r}: that is no value of a cell")
        if self.component.value is not int:
            return value
        run, name = self.view._run, self.component.name
        run.must(value >= 0, lambda: f"{name}: numbers count from 0")
        if (value.now().max() if type(value) is Column else value) > MOST:
            raise SpecError(f"{name}: exploration has room for numbers up to {MOST}")
        return value

    def where(self, condition: Callable[..., bool], value: Any) -> None:
        value = self._number(value)
        run, kind = self.view._run, self.component.value
        holds = [(key, condition(*key)) for key in itertools.product(*self.domains)]
        run.wrote = True
        for key, held in holds:
            if not never(held):
                column = self._column(key)
                self.view.write(column, either(run, held, value, self.view.cell(column), kind))


class _Rigid(NoValue):
    """A map that never changes: its cells are the same in every state."""

    def __init__(self, view: View, position: int, component: Component) -> None:
        tables = view._run.tables
        self.run, self.name, self.shape = view._run, component.name, tables.shapes[position]
        self.cells, self.array = tables.rigid[position]

    def __getitem__(self, key: Any) -> Any:
        flat: Any = 0
        for part, size in zip(key if type(key) is tuple else (key,), self.shape, strict=True):
            flat = flat * size + (part.now().astype(np.intp) if type(part) is Column else part)
        return self.cells[flat] if type(flat) is int else Column(self.run, self.array[flat])

    def __setitem__(self, key: Any, value: Any) -> None:
        raise SpecError(f"{self.name}[{key}] = {value}: a rigid map never changes; declare it as a Map to write it")

    def where(self, condition: Callable[..., bool], value: Any) -> None:
        raise SpecError(f"{self.name}.where(...): a rigid map never changes; declare it as a Map to write it")


class _Queue(NoValue):
    def __init__(self, view: View, position: int, component: Component) -> None:
        self.view, self.name = view, component.name
        tables = view._run.tables
        self.places, self.ranks = tables.layout.places[position], tables.layout.ranks[position]
        self.elements = range(1, len(self.places))

    def __getitem__(self, key: Any) -> _Line:
        return _Line(self, key)

    def place(self, element: int) -> Any:
        return self.view.cell(self.places[element])

    def rank(self, element: int) -> Any:
        return self.view.cell(self.ranks[element])

    def _pick(self, element: Any, of: Callable[[int], Any], kind: Type) -> Any:
        if type(element) is not Column:
            return of(element) if element else 0
        run, choice = self.view._run, element.now()
        found: Any = 0
        for each in self.elements:
            value = of(each)
            if type(value) is Column or type(found) is Column or value != found:
                found = either(run, Column(run, choice == each), value, found, kind)
        return found

    def of(self, element: Any) -> Any:
        return self._pick(element, self.place, Sort)

    def ahead(self, first: Any, second: Any) -> Any:
        line, other = self.of(first), self.of(second)
        in_order = self._pick(first, self.rank, int) < self._pick(second, self.rank, int)
        return (line == other) & (line != 0) & in_order

    def remove(self, element: Any) -> None:
        self.drop(lambda other: other == element)

    def drop(self, condition: Callable[[int], bool]) -> None:
        run, view = self.view._run, self.view
        places = {e: self.place(e) for e in self.elements}
        places = {e: p for e, p in places.items() if type(p) is Column or p}
        if not places:
            return
        gone: dict[int, Any] = {}
        for element, place in places.items():
            held = condition(element) & (place != 0)
            if not never(held):
                gone[element] = held
        ranks = {e: self.rank(e) for e in places}
        run.wrote = run.wrote or bool(gone)
        for element, place in places.items():
            before: Any = 0
            for other, held in gone.items():
                if other != element:
                    before = count_of(held & (places[other] == place) & (ranks[other] < ranks[element])) + before
            leaves = gone.get(element, False)
            if type(before) is Column or before:
                view.write(self.ranks[element], either(run, leaves, 0, ranks[element] - before, int))
            elif leaves is not False:
                view.write(self.ranks[element], either(run, leaves, 0, ranks[element], int))
            if leaves is not False:
                view.write(self.places[element], either(run, leaves, 0, place, Sort))


class _Line(NoValue):
    def __init__(self, queue: _Queue, key: Any) -> None:
        self.queue, self.key = queue, key

    def _inside(self, element: int) -> Any:
        """Whether `element` stands in this line."""
        place = self.queue.place(element)
        if type(place) is not Column and not place:
            return False
        return (place == self.key) & (self.key != 0)

    @property
    def length(self) -> Any:
        total: Any = 0
        for element in self.queue.elements:
            inside = self._inside(element)
            if inside is not False:
                total = count_of(inside) + total
        return total

    @property
    def empty(self) -> Any:
        some: Any = False
        for element in self.queue.elements:
            some = self._inside(element) | some
        return some.negated() if type(some) is Column else not some

    @property
    def head(self) -> Any:
        queue, run = self.queue, self.queue.view._run
        found: Any = none
        for element in queue.elements:
            inside = self._inside(element)
            if inside is not False:
                found = either(run, inside & (queue.rank(element) == 1), element, found, Sort)
        return found

    def push(self, element: Any) -> None:
        queue, run, view = self.queue, self.queue.view._run, self.queue.view
        outside = (self.key != 0) & (element != 0) & (queue.of(element) == 0)
        run.must(outside, lambda: f"{queue.name}: push needs an element that stands in no line")
        last = self.length + 1
        for each in queue.elements if type(element) is Column else (element,):
            here = element == each
            if never(here):
                continue
            view.write(queue.places[each], either(run, here, self.key, queue.place(each), Sort))
            view.write(queue.ranks[each], either(run, here, last, queue.rank(each), int))

    def pop(self) -> Any:
        queue = self.queue
        first = self.head
        queue.view._run.must(first != 0, lambda: f"{queue.name}: pop of a line that is empty; require that it is not")
        queue.drop(lambda other: other == first)
        return first


class Chosen(NoValue):
    """A subset that was given to a call, another for each state: `inside` has a row a state, by element whether it is in."""

    called = "a subset"

    def __init__(self, run: Run, inside: Values) -> None:
        self.run, self.inside = run, inside

    def __getitem__(self, element: Any) -> Column:
        if type(element) is Column:
            return Column(self.run, self.inside[np.arange(len(self.inside)), element.now()])
        return Column(self.run, self.inside[:, element])


class Same(NoValue):
    """A subset that was given to a call, the same for every state."""

    called = "a subset"

    def __init__(self, run: Run, members: Members) -> None:
        self.run, self.members = run, members

    def __getitem__(self, element: Any) -> Any:
        if type(element) is Column:
            return Column(self.run, np.isin(element.now(), [*self.members]))
        return element in self.members


class Collected(NoValue):
    """A subset that an operation made: by element, whether it is in, for each state."""

    called = "a subset"

    def __init__(self, run: Run, inside: dict[int, Any]) -> None:
        self.run, self.inside = run, inside

    def __getitem__(self, element: Any) -> Any:
        if type(element) is not Column:
            return self.inside.get(element, False)
        found: Any = False
        for each, held in self.inside.items():
            found = ((element == each) & held) | found
        return found
