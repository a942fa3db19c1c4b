"""Who owns what, as a map of memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...model.concrete import Model, Vector, value_name
from ...model.language import (
    Component,
    Type,
    is_enumeration,
    is_sort,
    reading,
)


@dataclass(frozen=True)
class Card:
    """A thing that has an owner, in a memory map: what is known of it, a line each."""

    name: str
    lines: tuple[str, ...]
    changed: bool
    y: int = 0

    @property
    def height(self) -> int:
        return 28 + 16 * (len(self.lines) + self.changed)


@dataclass
class Box:
    """An owner in a memory map, with what it owns; the last box is of what nobody owns."""

    name: str
    life: str
    changed: bool
    cards: list[Card] = field(default_factory=list)

    @property
    def height(self) -> int:
        return self.cards[-1].y + self.cards[-1].height + 10 if self.cards else 90

    @property
    def words(self) -> str:
        return f"{self.name}: {', '.join(card.name for card in self.cards) or 'nothing'}"


FREE = "free"


class Memory:
    """Who owns what: drawn for a spec whose state has a map `owner` from things to owners and `mapped` from both."""

    def __init__(self, machine: Model) -> None:
        self.model = machine
        parts = {c.name: c for c in machine.components if c.kind == "map"}
        owner, mapped = parts.get("owner"), parts.get("mapped")
        self.there = (
            owner is not None
            and mapped is not None
            and len(owner.keys) == 1
            and is_sort(owner.value)
            and mapped.keys == (owner.value, owner.keys[0])
        )
        if self.there:
            assert owner is not None
            assert mapped is not None
            self.thing, self.owner_sort = owner.keys[0], owner.value
            self.owner, self.mapped, self.process_mapped = owner, mapped, parts.get("process_mapped")
            self.notes = [c for c in parts.values() if c.keys[0] == self.thing and c is not owner]
            lives = parts.get("status")
            self.life = lives if lives and lives.keys == (self.owner_sort,) and is_enumeration(lives.value) else None

    def elements(self, kind: Type) -> range:
        """The elements of a sort, without the one that stands for strangers."""
        return range(1, self.model.scope[kind.plural] + (kind not in self.model.spec.unused or not kind.handles))

    def boxes(self, vector: Vector, other: Vector) -> list[Box]:
        """The map of a state; what is different in the `other` one is marked."""
        found = {}
        for element in self.elements(self.owner_sort):
            if self._lives(vector, element) or self._lives(other, element):
                life = self._life(vector, element)
                found[element] = Box(value_name(self.owner_sort, element), life, life != self._life(other, element))
        found[0] = Box(FREE, "owned by nobody", False)
        for thing in self.elements(self.thing):
            box = found[int(self._cell(vector, self.owner, thing))]
            changed = self._of(vector, thing) != self._of(other, thing)
            y = box.cards[-1].y + box.cards[-1].height + 8 if box.cards else 58
            box.cards.append(Card(value_name(self.thing, thing), tuple(self._lines(vector, thing)), changed, y))
        return list(found.values())

    def _cell(self, vector: Vector, component: Component, *key: int) -> Any:
        return vector[self.model.positions[component.name]][self.model.index(component, key)]

    def _life(self, vector: Vector, element: int) -> str:
        return str(value_name(self.life.value, self._cell(vector, self.life, element))) if self.life else ""

    def _lives(self, vector: Vector, element: int) -> bool:
        kind = self.owner_sort
        owns = any(self._cell(vector, self.owner, thing) == element for thing in self.elements(self.thing))
        if owns or element <= len(kind.constants) or kind not in self.model.spec.unused:
            return True
        with reading(self.model):
            return not self.model.spec.unused[kind].function(self.model.system(vector), element)

    def _of(self, vector: Vector, thing: int) -> tuple[Any, ...]:
        return self._cell(vector, self.owner, thing), *self._lines(vector, thing)

    def _lines(self, vector: Vector, thing: int) -> list[str]:
        owner = self._cell(vector, self.owner, thing)
        mapped = [element for element in self.elements(self.owner_sort) if self._cell(vector, self.mapped, element, thing)]
        if mapped == [owner]:
            lines = ["mapped here"]
        elif mapped:
            lines = [f"mapped in {', '.join(value_name(self.owner_sort, element) for element in mapped)}"]
        else:
            lines = ["mapped nowhere"]
        if self.process_mapped and self.process_mapped.keys[1:] == (self.thing,):
            kind = self.process_mapped.keys[0]
            inside = [element for element in self.elements(kind) if self._cell(vector, self.process_mapped, element, thing)]
            lines += [f"mapped in {value_name(kind, element)}" for element in inside]
        for component in self.notes:
            for key in self.model.keys(component):
                if key[0] == thing and (value := self._cell(vector, component, *key)):
                    at = "".join(f" {value_name(k, v)}" for k, v in zip(component.keys[1:], key[1:], strict=True))
                    lines.append(f"{component.name.replace('_', ' ')}{at}: {value_name(component.value, value)}")
        return lines
