"""What a compiled text is made of, takes and gives: names, tables, components as bytes, arguments and answers as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..concrete import Model
from ..language import Component, Members, SpecError, answer_fields, is_subset, member_type
from ..recording import Block, Leaf

STATED = ("map", "output", "queue")
"""The kinds of components that stand in the struct of a state."""

MOST = 255
"""The largest number that a cell can hold."""

MOST_IN_SUBSET = 63
"""How many elements a sort has at most of which there are subsets: one is a word of bits."""

KEYWORDS = frozenset(
    " ".join(
        (
            "auto break case char const continue default do double else enum extern float for goto if inline int long register",
            "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while",
            "before now answer",
        )
    ).split(" ")
)


def c_name(name: str) -> str:
    """A name of the specification as C takes it."""
    return f"{name}_" if name in KEYWORDS else name


def initializer(shape: Sequence[int], flat: Sequence[int]) -> str:
    """The initializer of an array of several dimensions, of its cells in order."""
    if len(shape) == 1:
        return "{" + ", ".join(map(str, flat)) + "}"
    each = len(flat) // shape[0]
    return "{" + ", ".join(initializer(shape[1:], flat[n : n + each]) for n in range(0, len(flat), each)) + "}"


def held(model: Model) -> dict[str, tuple[int, int]]:
    """By component that is part of a state, or an output, where its bytes begin in a state, and how many there are."""
    places, at = {}, 0
    for component in model.components:
        if component.kind in STATED:
            size = len(model.blank()[model.positions[component.name]])
            if component.kind == "queue":
                size = 2 * (model.scope[component.value.plural] + 1)
            places[component.name] = at, size
            at += size
    return places


def bytes_of(model: Model, component: Component, part: Any) -> bytes:
    """What a component holds: of a queue by element its line, then by element its rank from 0."""
    if component.kind != "queue":
        return bytes(part)
    size = model.scope[component.value.plural] + 1
    line, rank = bytearray(size), bytearray(size)
    for key, elements in enumerate(part):
        for at, element in enumerate(elements):
            line[element], rank[element] = key, at
    return bytes(line + rank)


def part_of(model: Model, component: Component, cells: bytes) -> Any:
    """What a component holds, of its bytes."""
    if component.kind != "queue":
        return tuple(map(bool, cells)) if component.value is bool else tuple(cells)
    half = len(cells) // 2
    lines: list[list[tuple[int, int]]] = [[] for _ in model.blank()[model.positions[component.name]]]
    for element in range(1, half):
        if cells[element]:
            lines[cells[element]].append((cells[half + element], element))
    return tuple(tuple(e for _, e in sorted(each)) for each in lines)


def word_of(value: Any, subset: bool) -> int:
    """An argument as a word: of a subset, bit n stands for element n."""
    return sum(1 << element for element in value) if subset else int(value)


def value_of(kind: Any, word: int) -> Any:
    """A part of an answer, of its word."""
    if is_subset(kind):
        return Members(n for n in range(64) if word >> n & 1)
    return bool(word) if kind is bool else int(word)


def answering(trees: Mapping[str, Block]) -> set[tuple[str, str]]:
    """The operations and exits that have an answer."""
    ends = [(name, block.end) for name, tree in trees.items() for block in tree.within()]
    return {(name, end.exit) for name, end in ends if isinstance(end, Leaf) and end.answer}


def check_room(model: Model) -> None:
    """Raise SpecError for a scope that has no room in bytes."""
    spec = model.spec
    for kind in spec.sorts:
        if model.scope[kind.plural] > MOST:
            raise SpecError(f"C has room for at most {MOST} {kind.plural}, not {model.scope[kind.plural]}")
    subsets = {s.type for a in spec.actions.values() for s in a.slots if s.subset}
    answered = {k for a in spec.actions.values() for _, k in answer_fields(a.answer)}
    subsets |= {member_type(kind) for kind in answered if is_subset(kind)}
    for kind in subsets:
        if model.scope[kind.plural] > MOST_IN_SUBSET:
            raise SpecError(f"C has room for subsets of at most {MOST_IN_SUBSET} {kind.plural}, not {model.scope[kind.plural]}")
