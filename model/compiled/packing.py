"""States as bits: as many words as a search needs, and no cell in them that nothing in it changes.

A cell has the bits that its type asks for in the scope, and lies within one word.  What no operation of the search can change
(by what it writes, and whether that is other than what is there) is no part of a state but a constant of the search.  Outputs
follow the state's words in words of their own, which are blank before every call.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..batch import Cells, Layout
from ..concrete import Model, Vector
from ..language import Component, Type, is_enumeration, is_sort
from ..recording import READS, Block, Node, Write
from .cells import c_name

WORD = 64
Words = Any
"""An array of unsigned words: a row a state."""


@dataclass(frozen=True)
class Field:
    """An array of cells of a state: a map's, or of a queue's elements their lines or their ranks.

    It has `count` cells, in the order of their keys, with `width` bits a cell, and begins at bit `shift` of `word`, with
    `each` cells a word if it takes several (0: it takes one). Of one that is no part of the states, `word` is -1, and `held`
    says what its cells hold.
    """

    name: str
    component: Component
    position: int
    keys: tuple[Type, ...]
    width: int
    count: int
    part: str = ""
    word: int = -1
    shift: int = 0
    each: int = 0
    held: tuple[int, ...] = ()

    def at(self, number: int) -> tuple[int, int]:
        """The word and the bit where a cell begins."""
        if self.each:
            return self.word + number // self.each, number % self.each * self.width
        return self.word, self.shift + number * self.width


class Packing:
    """Where the cells of a search's states are, which begins at `start` and calls operations with the trees given.

    What names elements of the sorts `renamed` is part of a state also where nothing changes it.  A state takes `words` words, and
    `whole` with the outputs.
    """

    def __init__(self, model: Model, start: Vector, trees: Collection[Block], renamed: Collection[Type] = ()) -> None:
        self.model, self.start = model, start
        parts = [c for c in model.components if c.kind in ("map", "queue", "output")]
        moving = self._moving(parts, trees)
        fields = [field for c in parts for field in self._fields(c)]
        moving |= {f.component.name for f in fields if any(f.held) and {*f.component.keys, f.component.value} & set(renamed)}
        self.fields = {f.name: f for f in fields if f.component.name not in moving}
        states = [f for f in fields if f.component.name in moving and f.component.kind != "output"]
        outputs = [f for f in fields if f.component.name in moving and f.component.kind == "output"]
        self.words = max(1, self._place(states, 0))
        self.whole = self._place(outputs, self.words)
        self.bits = sum(f.width * f.count for f in states)
        self.moving = [f for f in self.fields.values() if f.word >= 0]

    def _fields(self, component: Component) -> list[Field]:
        model, position = self.model, self.model.positions[component.name]
        if component.kind == "queue":
            count = len(model.domain(component.value))
            line, rank = self._width(component.keys[0]), max(1, (count - 1).bit_length())
            kinds = (component.value,)
            both = self._queued(position, count)
            return [
                Field(f"{component.name}_{part}", component, position, kinds, width, count, part, held=values)
                for part, width, values in zip(("line", "rank"), (line, rank), both, strict=True)
            ]
        cells = self.start[position]
        held = tuple(int(cells[model.index(component, key)]) for key in model.keys(component))
        return [
            Field(c_name(component.name), component, position, component.keys, self._width(component.value), len(held), held=held)
        ]

    def _queued(self, position: int, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        line, rank = [0] * (count + 1), [0] * (count + 1)
        for key, elements in enumerate(self.start[position]):
            for at, element in enumerate(elements):
                line[element], rank[element] = key, at
        return tuple(line[1:]), tuple(rank[1:])

    def _width(self, kind: Type) -> int:
        if is_sort(kind):
            return max(1, self.model.scope[kind.plural].bit_length())
        if is_enumeration(kind):
            return max(1, (len(kind) - 1).bit_length())
        return 1 if kind is bool else 8

    def _moving(self, parts: Sequence[Component], trees: Collection[Block]) -> set[str]:
        """The components that can change: written with something else than the default where all their cells hold it, or written
        at all where some do not."""
        fields = {c.name: self._fields(c) for c in parts}
        blank = {name for name, of in fields.items() if not any(any(f.held) for f in of)}
        writes = [s for tree in trees for block in tree.within() for s in block.statements if isinstance(s, Write)]
        moving = {w.component for w in writes if w.component not in blank}

        def idle(node: Node) -> bool:
            if node.op == "const":
                return not node.args[0]
            return node.op in READS and node.op != "rank" and node.args[1] in blank - moving

        while True:
            more = {w.component for w in writes if w.kind == "push" or (w.kind in ("set", "where") and not idle(w.value))}
            if more <= moving:
                return moving
            moving |= more

    def _place(self, fields: Sequence[Field], first: int) -> int:
        """Give each field its place from a word on, the largest first, where there is room; the first word that is left."""
        room: list[int] = []
        for field in sorted(fields, key=lambda f: -f.count * f.width):
            bits = field.count * field.width
            if bits <= WORD:
                word = next((n for n, used in enumerate(room) if used + bits <= WORD), len(room))
                if word == len(room):
                    room.append(0)
                placed = {"word": first + word, "shift": room[word]}
                room[word] += bits
            else:
                each = WORD // field.width
                placed = {"word": first + len(room), "each": each}
                room += [each * field.width] * (field.count // each)
                room += [field.count % each * field.width] if field.count % each else []
            self.fields[field.name] = Field(**{**field.__dict__, **placed})
        return first + len(room)

    def packed(self, vector: Vector) -> list[int]:
        """A concrete state as words, outputs left out.  What is no part of a state is taken to be as it is at the start."""
        words = [0] * self.words
        for field in self.moving:
            if field.component.kind == "output":
                continue
            cells = vector[field.position]
            if field.part:
                values = [0] * (field.count + 1)
                for key, elements in enumerate(cells):
                    for at, element in enumerate(elements):
                        values[element] = key if field.part == "line" else at
                values = values[1:]
            else:
                values = [int(cells[self.model.index(field.component, key)]) for key in self.model.keys(field.component)]
            for number, value in enumerate(values):
                word, bit = field.at(number)
                words[word] |= value << bit
        return words

    def unpacked(self, words: Sequence[int], start: Vector | None = None) -> Vector:
        """The concrete state that words stand for, with outputs if they are there."""
        parts: list[Any] = list(start or self.start)
        queues: dict[int, dict[str, list[int]]] = {}
        for field in self.moving:
            if field.component.kind == "output" and len(words) <= self.words:
                continue
            places = (field.at(number) for number in range(field.count))
            values = [words[word] >> bit & (1 << field.width) - 1 for word, bit in places]
            if field.part:
                queues.setdefault(field.position, {})[field.part] = values
                continue
            cells = list(self.model.blank()[field.position])
            as_kind = bool if field.component.value is bool else int
            for key, value in zip(self.model.keys(field.component), values, strict=True):
                cells[self.model.index(field.component, key)] = as_kind(value)
            parts[field.position] = tuple(cells)
        for position, of in queues.items():
            lines: list[list[tuple[int, int]]] = [[] for _ in parts[position]]
            for element, (line, rank) in enumerate(zip(of["line"], of["rank"], strict=True), 1):
                if line:
                    lines[line].append((rank, element))
            parts[position] = tuple(tuple(e for _, e in sorted(line)) for line in lines)
        return tuple(parts)

    def cells(self, layout: Layout, words: Words) -> Cells:
        """States as the batch reading has them, of a row of words each."""
        data = np.repeat(layout.block([self.start]).data, len(words), axis=1)
        by_word = np.ascontiguousarray(words.T)
        # ranks come last: they are asked of what stands in a line
        for field in sorted(self.moving, key=lambda f: f.part):
            if field.component.kind == "output":
                continue
            columns = self._columns(layout, field)
            for number, column in enumerate(columns):
                word, bit = field.at(number)
                values = (by_word[word] >> np.uint64(bit)).astype(np.uint8) & np.uint8((1 << field.width) - 1)
                data[column] = values
            if field.part == "rank":
                # a rank counts from 1 there, and is blank of what stands in no line
                data[columns] += data[layout.places[field.position][1:]] != 0
        return data

    def _columns(self, layout: Layout, field: Field) -> list[int]:
        if field.part:
            return (layout.ranks if field.part == "rank" else layout.places)[field.position][1:]
        columns, component = layout.columns[field.position], field.component
        return [columns[self.model.index(component, key)] for key in self.model.keys(component)]
