"""What a call came to for some states of a block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .columns import Column
from .layout import Block, Cells, Fingerprints, Index, nonzero


@dataclass(frozen=True)
class Part:
    """What a call came to for some states of a block: their `rows`, the `exit`, and what was written, by column, for each of them
    (a number where it is one for all).  `exit` is "" where the spec's own text makes no sense; then `text` says why."""

    block: Block
    operation: str
    arguments: Mapping[str, Any]
    rows: Index
    exit: str
    writes: Mapping[int, Any]
    answer: Any = None
    text: str = ""

    def parts(self) -> dict[int, Fingerprints]:
        """By component that was written, by how much its fingerprint has changed."""
        layout = self.block.layout
        changed: dict[int, Any] = {}
        for column, values in self.writes.items():
            marks = layout.marks[column]
            constant = self.block.constants[column]
            old = marks[constant] if constant is not None else marks[self.block.data[column][self.rows]]
            change = old ^ marks[values]
            part = layout.cells[column].component
            changed[part] = changed[part] ^ change if part in changed else change
        return {part: np.broadcast_to(np.asarray(change, np.uint64), self.rows.shape) for part, change in changed.items()}

    def after(self, chosen: Index, *, outputs: bool = False) -> Cells:
        """The states after, of the `chosen` ones, with outputs or without."""
        layout = self.block.layout
        data: Cells = self.block.data[:, self.rows[chosen]]
        if outputs:
            data = np.concatenate([data, np.zeros((layout.whole - layout.width, len(chosen)), np.uint8)])
        for column, values in self.writes.items():
            if column < len(data):
                data[column] = values if type(values) is int else values[chosen]
        return data

    def argument(self, name: str, at: int) -> Any:
        """An argument of the call for one of its states."""
        given = self.arguments[name]
        return int(given[at]) if isinstance(given, np.ndarray) else given


def fingerprints(part: Part, changed: Mapping[int, Fingerprints]) -> Fingerprints:
    """The fingerprints of the states after a part, given what `parts` of it says."""
    layout = part.block.layout
    found = part.block.fingerprints[part.rows]
    for position, change in changed.items():
        if layout.model.components[position].kind != "output":
            found = found ^ change
    return nonzero(found if changed else found.copy())


def settled(value: Any) -> Any:
    """What was written, as it is kept: a number, or unsigned of 8 bits."""
    if type(value) is Column:
        return value.now().astype(np.uint8)
    return int(value)
