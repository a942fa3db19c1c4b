"""Two places in a search that are alike: the same but for the names of fresh things, which nobody has told yet."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

from ...model.concrete import Vector
from ...model.language import Type, default, is_sort
from .trying import Trying

ROUNDS = 2
"""How often things without handles are told apart by what the things around them are."""

REMEMBERED = 4096
"""For how many contents of components it is remembered what they say."""

Fact = tuple[Any, ...]
"""What a cell says: its component, keys and value; things that could as well have other names as their sort and element."""


class Place(NamedTuple):
    """A place in a search: the state, the handles by sort, and what is known beside."""

    vector: Vector
    handles: tuple[tuple[Type, tuple[tuple[Any, Any], ...]], ...]
    waits: tuple[tuple[Any, Any], ...]
    unnamed: tuple[tuple[Any, Any], ...]
    guessed: tuple[tuple[Any, Any], ...]
    open: tuple[tuple[Any, Any], ...]
    settling: tuple[tuple[Any, Any], ...]


class Likeness:
    """What places in a search have in common."""

    def __init__(self, here: Trying) -> None:
        self._here = here
        self._blank = here.plain.blank()
        self._remembered: dict[tuple[int, int], tuple[Any, list[Fact]]] = {}

    def of(self, place: Place) -> bytes:
        """What two places have in common only if they are alike, as 128 bits: whatever can still be told from the one can be
        from the other.  Things that have handles go by these; of others each has a number, so that places which differ never
        agree, though places that are alike may differ."""
        labels: dict[tuple[Type, int], Any] = {}
        for kind, handles in place.handles:
            for element, handle in handles:
                labels[kind, element] = handle
        facts = [*self._facts(place.vector), *self._known(place)]
        marks = {part: "" for fact in facts for part in fact if type(part) is tuple and part not in labels}
        for _ in range(ROUNDS if marks else 0):
            around: dict[Any, list[str]] = {part: [] for part in marks}
            for fact in facts:
                if any(part in marks for part in fact if type(part) is tuple):
                    said = repr([labels.get(part, marks.get(part)) if type(part) is tuple else part for part in fact])
                    for number, part in enumerate(fact):
                        if type(part) is tuple and part in marks:
                            around[part].append(f"{number} {said}")
            marks = {part: blake2b("\n".join(sorted(told)).encode(), digest_size=16).hexdigest() for part, told in around.items()}
        for number, part in enumerate(sorted(marks, key=lambda part: (part[0].__name__, marks[part], part[1]))):
            labels[part] = -1 - number
        told = sorted(repr([labels[part] if type(part) is tuple else part for part in fact]) for fact in facts)
        return blake2b("\n".join(told).encode(), digest_size=16).digest()

    def _thing(self, kind: Type, element: Any) -> Any:
        """A thing that could as well have another name, or a value that is what it is."""
        free = is_sort(kind) and kind in self._here.session.spec.unused and kind not in self._here.ordered
        return (kind, element) if free and element > len(kind.constants) else element

    def _facts(self, vector: Vector) -> Iterator[Fact]:
        """What the state says, cell by cell, where it is not the default."""
        known = self._remembered
        for position, cells in enumerate(vector):
            if cells == self._blank[position]:
                continue
            found = known.get((position, id(cells)))
            if found is None:
                if len(known) > REMEMBERED:
                    known.clear()
                found = known[position, id(cells)] = cells, list(self._said(position, cells))
            yield from found[1]

    def _said(self, position: int, cells: tuple[Any, ...]) -> Iterator[Fact]:
        component = self._here.model.components[position]
        shape = self._here.model.shape(component)
        if component.kind == "queue":
            for key, line in enumerate(cells):
                if line:
                    things = (self._thing(component.value, element) for element in line)
                    yield component.name, self._thing(component.keys[0], key), *things
            return
        nothing = default(component.value)
        for index, value in enumerate(cells):
            if value != nothing:
                keys = []
                rest = index
                for kind, size in zip(reversed(component.keys), reversed(shape), strict=True):
                    rest, key = divmod(rest, size)
                    keys.append(self._thing(kind, key))
                yield component.name, *reversed(keys), self._thing(component.value, value)

    def _known(self, place: Place) -> Iterator[Fact]:
        """What is known beside the state: who waits, what has no handle yet, which handles were guessed, which calls are open."""
        for (operation, waiter), call in place.waits:
            kind = next(slot.type for slot in call.action.slots if slot.name == self._here.session.spec.waiter)
            yield "waits", operation, self._thing(kind, waiter), call.asked
        for kind, some in place.unnamed:
            for element, is_answered in some:
                yield "unnamed", self._thing(kind, element), is_answered
        for (kind, handle), _ in place.guessed:
            yield "guessed", kind.__name__, handle
        yield "open", *sorted(call.asked for call, _ in place.open)
        yield "settled", *sorted(settle.asked for settle, is_done in place.settling if is_done)
