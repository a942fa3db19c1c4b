"""States as rows of small numbers: where in a row each cell of a state stands, and a row's fingerprint.

Equal states are equal rows.  A map's cell is one number; cells at none are left out, because they hold the default.  A queue's
element has two: the line in which it stands and its place there, counted from 1 at the oldest, so that no position drifts.
What never changes in a scope (rigid maps, parameters) is not in a row, and outputs have columns of their own after it.

The rows of a block are stored by column: a column is the same cell of all its states.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..concrete import Model, Vector
from ..language import Component, SpecError, Type

Cells = NDArray[np.uint8]
Fingerprints = NDArray[np.uint64]
Index = NDArray[np.intp]

MOST = 255
"""The largest number that a cell can hold."""

SALT = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class Cell:
    """One column: the position of its component, its key, the type of what it holds; `rank` marks a queue's places."""

    component: int
    key: tuple[int, ...]
    kind: Type
    rank: bool = False


@dataclass
class Block:
    """Some states, a column a cell: `data` has the layout's `width` rows of numpy and one entry a state in each; with outputs,
    `whole` rows."""

    layout: Layout
    data: Cells
    _times: dict[int, Block] = field(default_factory=dict)

    def times(self, count: int) -> Block:
        """The states of this block, so many times over."""
        if count == 1:
            return self
        found = self._times.get(count)
        if found is None:
            found = self._times[count] = Block(self.layout, np.tile(self.data, count))
            found.__dict__.update(constants=self.constants, fingerprints=np.tile(self.fingerprints, count))
        return found

    @property
    def size(self) -> int:
        return int(self.data.shape[1])

    @cached_property
    def constants(self) -> list[int | None]:
        """By column, the number that it holds in all states, if it is one; outputs are blank."""
        if not self.size:
            return [0] * self.layout.whole
        low, high = self.data.min(axis=1), self.data.max(axis=1)
        same = [int(a) if a == b else None for a, b in zip(low.tolist(), high.tolist(), strict=True)]
        return same + [0] * (self.layout.whole - len(same))

    @cached_property
    def parts(self) -> dict[int, Fingerprints]:
        """By component, the fingerprint of what it holds; a component that is blank in all states is left out."""
        found: dict[int, Fingerprints] = {}
        for column, constant in enumerate(self.constants):
            if constant == 0:
                continue
            marks = self.layout.marks[column]
            part = self.layout.cells[column].component
            values = marks[self.data[column]] if constant is None else np.full(self.size, marks[constant])
            found[part] = found[part] ^ values if part in found else values
        return found

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """A state's fingerprint: 64 bits, never 0.  Outputs are no part of a state."""
        whole = np.full(self.size, SALT, np.uint64)
        for position, part in self.parts.items():
            if self.layout.model.components[position].kind != "output":
                whole ^= part
        return nonzero(whole)


def nonzero(fingerprints: Fingerprints) -> Fingerprints:
    """Fingerprints with 1 in place of 0, which stands for none."""
    fingerprints[fingerprints == 0] = 1
    return fingerprints


def random_numbers(seed: int, *shape: int) -> NDArray[np.uint64]:
    """Numbers of 64 bits that look random, by splitmix64 (Steele, Lea and Flood 2014): unlike those of Python's own generator, no
    few of them cancel out under exclusive or, and unlike numpy's it costs nothing to import."""
    numbers = np.arange(1, math.prod(shape) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        numbers ^= numbers >> np.uint64(shift)
        numbers *= np.uint64(factor)
    return (numbers ^ numbers >> np.uint64(31)).reshape(shape)


@dataclass
class Layout:
    """Where the cells of a model's states stand in a row.

    Column 0 is always blank; it stands for every cell at none.  `columns` gives by component an array of columns by the flat
    index of a map's key (as `Model.index`), `places` and `ranks` by a queue's element.  `width` columns make a state; outputs
    follow up to `whole`.
    """

    model: Model
    cells: list[Cell] = field(default_factory=list)
    columns: dict[int, list[int]] = field(default_factory=dict)
    places: dict[int, list[int]] = field(default_factory=dict)
    ranks: dict[int, list[int]] = field(default_factory=dict)
    width: int = 0

    def __post_init__(self) -> None:
        for kind in self.model.spec.sorts:
            if self.model.scope[kind.plural] > MOST:
                raise SpecError(f"exploration has room for at most {MOST} {kind.plural}, not {self.model.scope[kind.plural]}")
        self.cells.append(Cell(-1, (), int))
        kinds = [("map", "queue"), ("output",)]
        for wanted in kinds:
            for position, component in enumerate(self.model.components):
                if component.kind in wanted:
                    self._place(position, component)
            self.width = self.width or len(self.cells)

    def _place(self, position: int, component: Component) -> None:
        if component.kind == "queue":
            elements = self.model.domain(component.value)
            for found, rank in ((self.places, False), (self.ranks, True)):
                kind = int if rank else component.keys[0]
                found[position] = [0] + [self._new(Cell(position, (e,), kind, rank)) for e in elements]
            return
        columns = [0] * len(self.model.blank()[position])
        for key in self.model.keys(component):
            columns[self.model.index(component, key)] = self._new(Cell(position, key, component.value))
        self.columns[position] = columns

    def _new(self, cell: Cell) -> int:
        self.cells.append(cell)
        return len(self.cells) - 1

    @property
    def whole(self) -> int:
        return len(self.cells)

    @cached_property
    def marks(self) -> NDArray[np.uint64]:
        """By column and number, 64 random bits, none for 0: a fingerprint is their exclusive or (Zobrist's hashing), so that what
        a call changes is all that has to be looked at.  The same in every run."""
        marks = random_numbers(20260, self.whole, MOST + 1)
        marks[:, 0] = 0
        return marks

    def block(self, vectors: Sequence[Vector]) -> Block:
        """States as a block."""
        data = np.zeros((self.width, len(vectors)), np.uint8)
        for at, vector in enumerate(vectors):
            for position, columns in self.columns.items():
                for column, value in zip(columns, vector[position], strict=True):
                    if column and column < self.width:
                        data[column, at] = value
            for position, places in self.places.items():
                for line, elements in enumerate(vector[position]):
                    for rank, element in enumerate(elements, 1):
                        data[places[element], at] = line
                        data[self.ranks[position][element], at] = rank
        return Block(self, data)

    def vector(self, row: Sequence[int]) -> Vector:
        """One state, of its cells in order; outputs that `row` does not have are blank."""
        parts: list[Any] = list(self.model.blank())
        values = [*row, *[0] * (self.whole - len(row))]
        for position, columns in self.columns.items():
            as_kind = bool if self.model.components[position].value is bool else int
            parts[position] = tuple(as_kind(values[column]) for column in columns)
        for position, places in self.places.items():
            lines: list[list[tuple[int, int]]] = [[] for _ in parts[position]]
            for element, column in enumerate(places):
                if values[column]:
                    lines[int(values[column])].append((int(values[self.ranks[position][element]]), element))
            parts[position] = tuple(tuple(e for _, e in sorted(line)) for line in lines)
        return tuple(parts)
