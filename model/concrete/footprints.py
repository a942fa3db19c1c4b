"""Footprints: which cells a call read and which it wrote, in the concrete reading.

What a call comes to depends on the cells that it read and on nothing else, so two calls of which neither writes what the other
reads or writes commute, and so do whole groups of calls.  Of a counter that looks at one cell for each element only that is
noted which a change of the cell could change: whether the element counts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from ..language import Counter, Scope, Spec, none
from .model import Model
from .state import Vector, _Cells, _FlatMap, _Line, _Map, _Queue

Cell = tuple[Any, Hashable]
"""A cell: of the state, its component's position and its index; of anything else, who holds it and its key there."""


class Notes:
    """What was read, cell by cell, with the value found; what was only counted, with the tests that gave what they gave; and
    what was written."""

    __slots__ = ("counted", "read", "written")

    def __init__(self) -> None:
        self.read: dict[Cell, Any] = {}
        self.counted: dict[Cell, list[tuple[Callable[[Vector], bool], bool]]] = {}
        self.written: dict[Cell, Any] = {}

    def see(self, cell: Cell, value: Any) -> None:
        """Note that a cell was read.  One that was written before holds what this call put there itself."""
        if cell not in self.written:
            self.read[cell] = value


class Footprints(Model):
    """The concrete reading with notes: `notes` are those of what was run since they were last set anew."""

    def __init__(self, spec: Spec, scope: Scope | None = None) -> None:
        self.notes = Notes()
        super().__init__(spec, scope)

    def wrap(self, position: int, vector: Vector, log: list[_Cells]) -> Any:
        component, cells, shape = self.components[position], vector[position], self._shapes[position]
        if component.kind not in ("map", "queue"):
            return super().wrap(position, vector, log)
        if component.kind == "queue":
            queue = _NotedQueue(component.name, shape, cells, log)
            queue.model, queue.position = self, position
            return queue
        noted = _NotedFlatMap if len(shape) == 1 else _NotedMap
        cell_map = noted(component.name, shape, cells, log, self._domains[position])
        cell_map.model, cell_map.position = self, position
        return cell_map

    def count(self, counter: Counter, system: Any, arguments: tuple[Any, ...]) -> int:
        whole, member, kind = self.notes, counter.function, counter.slots[-1].type
        number = 0
        for element in self.domain(kind):
            self.notes = Notes()
            self.notes.written = whole.written
            held = bool(member(system, *arguments, element))
            number += held
            if len(self.notes.read) == 1 and not self.notes.counted:
                (cell,) = self.notes.read

                def test(vector: Vector, member: Any = member, element: int = element) -> bool:
                    return bool(member(self.system(vector), *arguments, element))

                whole.counted.setdefault(cell, []).append((test, held))
            else:
                whole.read |= self.notes.read
                for cell, tests in self.notes.counted.items():
                    whole.counted.setdefault(cell, []).extend(tests)
        self.notes = whole
        return number

    def holds(self, cell: Cell, vector: Vector) -> Any:
        """What a cell of the state holds."""
        return vector[cell[0]][cell[1]]

    def put(self, vector: Vector, values: Mapping[Cell, Any]) -> Vector:
        """A state with other values in some of its cells."""
        parts: list[Any] = list(vector)
        opened: dict[int, list[Any]] = {}
        for (position, index), value in values.items():
            if position not in opened:
                opened[position] = list(parts[position])
            opened[position][index] = value  # type: ignore[index]
        for position, cells in opened.items():
            parts[position] = tuple(cells)
        return tuple(parts)


class _NotedFlatMap(_FlatMap):
    __slots__ = ("model", "position")

    def __getitem__(self, key: Any) -> Any:
        value = self.cells[key]
        self.model.notes.see((self.position, int(key)), value)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.model.notes.written[self.position, int(key)] = value

    def where(self, condition: Callable[..., bool], value: Any) -> None:
        _where(self, condition, value)


class _NotedMap(_Map):
    __slots__ = ("model", "position")

    def __getitem__(self, key: Any) -> Any:
        index = self._index(key)
        value = self.cells[index]
        self.model.notes.see((self.position, index), value)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.model.notes.written[self.position, self._index(key)] = value

    def where(self, condition: Callable[..., bool], value: Any) -> None:
        _where(self, condition, value)


def _where(cells: Any, condition: Callable[..., bool], value: Any) -> None:
    chosen: list[tuple[int, ...]] = []

    def noting(*key: int) -> bool:
        held = condition(*key)
        if held:
            chosen.append(key)
        return held

    _Map.where(cells, noting, value)
    for key in chosen:
        cells.model.notes.written[cells.position, cells._index(key if len(key) > 1 else key[0])] = value


class _NotedLine(_Line):
    __slots__ = ()

    def _see(self) -> None:
        queue: Any = self.queue
        queue.model.notes.see((queue.position, int(self.key)), queue.cells[self.key])

    @property
    def empty(self) -> bool:
        self._see()
        return super().empty

    @property
    def length(self) -> int:
        self._see()
        return super().length

    @property
    def head(self) -> int:
        self._see()
        return super().head

    def push(self, element: int) -> None:
        self._see()
        super().push(element)
        self._wrote()

    def pop(self) -> int:
        self._see()
        element = super().pop()
        self._wrote()
        return element

    def _wrote(self) -> None:
        queue: Any = self.queue
        queue.model.notes.written[queue.position, int(self.key)] = queue.cells[self.key]


class _NotedQueue(_Queue):
    """A queue's lines are its cells.  Where an element stands is not read when it is pushed: that it stands nowhere is a demand
    on the spec's text."""

    __slots__ = ("model", "position")

    def __getitem__(self, key: int) -> _Line:
        return _NotedLine(self, key)

    def of(self, element: int) -> int:
        found = self.place(element)
        for key in range(len(self.cells)) if element else ():
            cell = self.position, key
            if cell not in self.model.notes.written:

                def test(vector: Vector, cell: tuple[int, int] = cell) -> bool:
                    return element in vector[cell[0]][cell[1]]

                self.model.notes.counted.setdefault(cell, []).append((test, key == found))
        return found

    def ahead(self, first: int, second: int) -> bool:
        key = self.of(first)
        self.model.notes.see((self.position, key), self.cells[key])
        return super().ahead(first, second)

    def remove(self, element: int) -> None:
        key = self.of(element)
        self.model.notes.see((self.position, key), self.cells[key])
        super().drop(lambda other: other == element)
        if key:
            self.model.notes.written[self.position, key] = self.cells[key]

    def drop(self, condition: Callable[[int], bool]) -> None:
        before = tuple(self.cells)
        for key, line in enumerate(before):
            self.model.notes.see((self.position, key), line)
        super().drop(condition)
        for key, line in enumerate(self.cells):
            if line != before[key]:
                self.model.notes.written[self.position, key] = line
