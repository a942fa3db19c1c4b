"""Footprints: which cells a call read and which it wrote, in the concrete reading.

What a call comes to depends on the cells that it read and on nothing else, so two calls of which neither writes what the other
reads or writes commute, and so do whole groups of calls.  Where less than a cell matters only that is noted, as a question with
its answer: whether an element counts, whether it stands in a line, what comes first there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..language import Counter, Scope, Spec, none, reading
from .model import Model
from .state import Vector, _Cells, _FlatMap, _Line, _Map, _Queue

Cell = tuple[Any, Any]
"""A cell: of the state, its component's position and its index (of a queue, a line); else who holds it and its key there."""

Question = tuple[Any, ...]
"""What is asked of one cell: ("at", position, line, number), ("length", position, line), ("has", position, line, element), or
("member", function of the counter, arguments, element, the cell)."""


class Notes:
    """What was read, cell by cell, with the value found; what was only asked of a cell, with the answers; what was written; and
    of lines to which was only added, or from which was taken, with what: ("push", element) or ("pop",)."""

    __slots__ = ("asked", "moved", "read", "written")

    def __init__(self) -> None:
        self.read: dict[Cell, Any] = {}
        self.asked: dict[Cell, dict[Question, Any]] = {}
        self.written: dict[Cell, Any] = {}
        self.moved: dict[Cell, list[tuple[Any, ...]]] = {}

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
            queue.model, queue.position, queue.found = self, position, cells
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
            if len(self.notes.read) == 1 and not self.notes.asked:
                (cell,) = self.notes.read
                whole.asked.setdefault(cell, {})["member", member, arguments, element, cell] = held
            else:
                whole.read |= self.notes.read
                for cell, questions in self.notes.asked.items():
                    whole.asked.setdefault(cell, {}).update(questions)
        self.notes = whole
        return number

    def answer(self, question: Question, vector: Vector) -> Any:
        """The answer to a question in a state."""
        if question[0] == "member":
            _, member, arguments, element, _ = question
            kept, self.notes = self.notes, Notes()
            with reading(self):
                held = bool(member(self.system(vector), *arguments, element))
            self.notes = kept
            return held
        return _of_line(question, vector[question[1]][question[2]])

    def put(self, vector: Vector, values: Mapping[Cell, Any]) -> Vector:
        """A state with other values in some of its cells."""
        parts: list[Any] = list(vector)
        opened: dict[int, list[Any]] = {}
        for (position, index), value in values.items():
            if position not in opened:
                opened[position] = list(parts[position])
            opened[position][index] = value
        for position, cells in opened.items():
            parts[position] = tuple(cells)
        return tuple(parts)


class _NotedFlatMap(_FlatMap):
    __slots__ = ("model", "position")
    model: Footprints
    position: int

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
    model: Footprints
    position: int

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

    queue: _NotedQueue

    def _ask(self, what: str, *more: int) -> None:
        self.queue.ask(int(self.key), what, *more)

    @property
    def empty(self) -> bool:
        self._ask("at", 0)
        return super().empty

    @property
    def length(self) -> int:
        self._ask("length")
        return super().length

    @property
    def head(self) -> int:
        self._ask("at", 0)
        return super().head

    def push(self, element: int) -> None:
        super().push(element)
        self.queue.move(int(self.key), "push", element)

    def pop(self) -> int:
        self._ask("at", 0)
        element = super().pop()
        self.queue.move(int(self.key), "pop")
        return element


class _NotedQueue(_Queue):
    """A queue's lines are its cells.  Where an element stands is not read when it is pushed: that it stands nowhere is a demand
    on the spec's text."""

    __slots__ = ("found", "model", "position")
    model: Footprints
    position: int
    found: tuple[tuple[int, ...], ...]

    def __getitem__(self, key: int) -> _Line:
        return _NotedLine(self, key)

    def ask(self, key: int, what: str, *more: int) -> None:
        """Note a question about a line; of one that this call has changed, what it depends on of what was found there."""
        notes, cell = self.model.notes, (self.position, key)
        question: Question | None = (what, self.position, key, *more)
        if cell in notes.written:
            question = earlier((what, self.position, key, *more), notes.moved.get(cell, []), self.found[key])
        if question is None:
            notes.read[cell] = self.found[key]
        else:
            notes.asked.setdefault(cell, {})[question] = _of_line(question, self.found[key])

    def move(self, key: int, *how: Any) -> None:
        notes, cell = self.model.notes, (self.position, key)
        if cell not in notes.written or cell in notes.moved:
            notes.moved.setdefault(cell, []).append(how)
        notes.written[cell] = self.cells[key]

    def set_anew(self, key: int) -> None:
        notes, cell = self.model.notes, (self.position, key)
        notes.read[cell] = self.found[key]
        notes.written[cell] = self.cells[key]
        notes.moved.pop(cell, None)

    def of(self, element: int) -> int:
        for key in range(len(self.cells)) if element else ():
            self.ask(key, "has", int(element))
        return self.place(element)

    def ahead(self, first: int, second: int) -> bool:
        key = self.of(first)
        self.model.notes.read[self.position, key] = self.found[key]
        return super().ahead(first, second)

    def remove(self, element: int) -> None:
        key = self.of(element)
        super().drop(lambda other: other == element)
        if key:
            self.set_anew(key)

    def drop(self, condition: Callable[[int], bool]) -> None:
        for key, line in enumerate(self.found):
            self.model.notes.read[self.position, key] = line
        before = tuple(self.cells)
        super().drop(condition)
        for key, line in enumerate(self.cells):
            if line != before[key]:
                self.set_anew(key)


def _of_line(question: Question, line: tuple[int, ...]) -> Any:
    if question[0] == "has":
        return question[3] in line
    if question[0] == "length":
        return len(line)
    return line[question[3]] if question[3] < len(line) else none


def earlier(question: Question, how: list[tuple[Any, ...]], line: tuple[int, ...]) -> Question | None:
    """The question about a line, before it was changed in one way, that settles one after; None if there is none."""
    if len(how) != 1:
        return None
    if question[0] != "at":
        return question
    what, position, key, number = question
    if how[0][0] == "pop":
        return what, position, key, number + 1
    return question if number < len(line) else ("length", position, key)
