"""Statements judged for many states or steps at once, each once for what it reads.

A statement that asks certain components only gives the same verdict for all states that agree in those.  Which it asks is seen
while it is judged; should it ever ask another, what was remembered of it is forgotten.  What is remembered is bounded: an old
verdict gives way to a new one, and is found again by judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..language import Declaration
from .layout import Block, Fingerprints, Index, random_numbers
from .reading import Batch

SMALLEST, LARGEST = 1 << 10, 1 << 18
"""How many verdicts are remembered of a statement, at first and at most."""

FACTORS = random_numbers(20261, 64) | np.uint64(1)


class Remembered:
    """Keys that were judged to hold; a place for each by its last bits."""

    def __init__(self) -> None:
        self.keys = np.zeros(SMALLEST, np.uint64)
        self.used = 0

    def missing(self, keys: Fingerprints) -> Index:
        """Where in `keys` one stands that is not remembered, once each."""
        places = (keys & np.uint64(len(self.keys) - 1)).astype(np.intp)
        absent = np.flatnonzero(self.keys[places] != keys)
        if not len(absent):
            return absent
        _, first = np.unique(keys[absent], return_index=True)
        return np.sort(absent[first])

    def remember(self, keys: Fingerprints) -> None:
        self.used += len(keys)
        while self.used > len(self.keys) // 2 and len(self.keys) < LARGEST:
            old = self.keys[self.keys != 0]
            self.keys = np.zeros(4 * len(self.keys), np.uint64)
            self.keys[(old & np.uint64(len(self.keys) - 1)).astype(np.intp)] = old
        self.keys[(keys & np.uint64(len(self.keys) - 1)).astype(np.intp)] = keys


class Verdicts:
    """What is known of some statements of a spec, in a scope."""

    def __init__(self, batch: Batch, statements: Sequence[Declaration]) -> None:
        self.batch, self.statements = batch, statements
        self._reads: dict[str, list[set[int]]] = {}
        self._remembered: dict[str, Remembered] = {}

    def _key(self, name: str, blocks: Sequence[Block], call: Fingerprints | None) -> Fingerprints:
        key = np.zeros(blocks[0].size, np.uint64) if call is None else call.copy()
        for factor, block, reads in zip(FACTORS, blocks, self._reads.get(name, []), strict=False):
            part = np.zeros(block.size, np.uint64)
            for position in sorted(reads):
                if position in block.parts:
                    part ^= block.parts[position]
            key += part * factor
        key[key == 0] = 1
        return key

    def broken(
        self, blocks: Sequence[Block], call: Mapping[str, Any] | None = None, mark: Fingerprints | None = None
    ) -> list[tuple[Declaration, Index]]:
        """The statements that do not hold in some state or step, with the rows; of rows that agree in what is read, the first.

        `blocks` is one of states, or the states before and after steps of one `call`, of which `mark` is by row a fingerprint.
        """
        found = []
        for statement in self.statements:
            judge = self.batch.judge
            rows = self._unknown(statement.name, blocks, mark)
            while len(rows):
                holds, asked = judge(statement, rows, *blocks, **(call or {}))
                known = self._reads.setdefault(statement.name, [set() for _ in blocks])
                if all(now <= before for now, before in zip(asked, known, strict=True)):
                    key = self._key(statement.name, blocks, mark)
                    self._remembered[statement.name].remember(key[rows[holds]])
                    if not holds.all():
                        found.append((statement, rows[~holds]))
                    break
                self._reads[statement.name] = [now | before for now, before in zip(asked, known, strict=True)]
                self._remembered[statement.name] = Remembered()
                rows = self._unknown(statement.name, blocks, mark)
        return found

    def _unknown(self, name: str, blocks: Sequence[Block], mark: Fingerprints | None) -> Index:
        if name not in self._remembered:
            self._remembered[name] = Remembered()
        return self._remembered[name].missing(self._key(name, blocks, mark))
