"""The fingerprints of the states that a search has seen, each with that of the state from which it was found.

A hash table with open addressing, looked up and filled for many fingerprints at a time.  Two states with one fingerprint would
be taken for one: with n states the chance of that is about n * n / 2**65.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..batch import Fingerprints

FULL = 0.7
"""How much of the table is used at most before it grows."""

SMALLEST = 1 << 12
PLACE = 16
"""Bytes of a place in the table."""

AT_ONCE = 1 << 20


class Seen:
    """Fingerprints (none is 0) and their parents' (0 for a beginning).

    With a `folder` the table lies in a file there, at which other processes look too (see `attach`) while one alone adds to it;
    in a folder of a disk, the operating system keeps in memory what there is room for.
    """

    def __init__(self, places: int = SMALLEST, folder: Path | None = None) -> None:
        self.count = 0
        self.folder = folder
        self._allocate(places)

    def _allocate(self, places: int) -> None:
        self.places = places
        if self.folder is None:
            self._table: Any = np.zeros((2, places), np.uint64)
        else:
            self.path = self.folder / f"seen-{places}"
            self._table = np.memmap(self.path, np.uint64, "w+", shape=(2, places))

    @classmethod
    def attach(cls, path: Path) -> Seen:
        """The table of another process, to look at."""
        seen = cls.__new__(cls)
        seen.path, seen.folder, seen.count = path, path.parent, 0
        seen.places = path.stat().st_size // PLACE
        seen._table = np.memmap(path, np.uint64, "r", shape=(2, seen.places))
        return seen

    def room_for(self, more: int) -> int:
        """How many places a table needs that takes so many more."""
        places = self.places
        while self.count + more > FULL * places:
            places *= 2
        return places

    def grow(self, places: int, folder: Path | None = None) -> None:
        """Move everything to a table of so many places, in `folder` if it is given."""
        old = self._table
        gone = self.path if self.folder is not None else None
        self.folder = folder or self.folder
        self._allocate(places)
        self.count = 0
        for keys, parents in _items(old):
            self.add(keys, parents)
        if gone is not None:
            gone.unlink()

    def come_home(self) -> None:
        """Take the table out of its file into memory."""
        if self.folder is not None:
            self.path.unlink()
            self.folder, self._table = None, np.array(self._table)

    def items(self) -> Iterator[tuple[Fingerprints, Fingerprints]]:
        """All fingerprints with their parents', in pieces."""
        return _items(self._table)

    def _first(self, keys: Fingerprints) -> Any:
        return (keys >> np.uint64(64 - (self.places.bit_length() - 1))).astype(np.intp)

    def among(self, keys: Fingerprints) -> Any:
        """By fingerprint, whether it is there."""
        return self._find(keys) >= 0

    def _find(self, keys: Fingerprints) -> Any:
        found = np.full(len(keys), -1, np.intp)
        table = self._table[0]
        at = self._first(keys)
        left = None
        while len(at):
            there = table[at]
            wanted = keys if left is None else keys[left]
            here = there == wanted
            found[np.flatnonzero(here) if left is None else left[here]] = at[here]
            on = np.flatnonzero(~here & (there != 0))
            left = on if left is None else left[on]
            at = (at[on] + 1) & (self.places - 1)
        return found

    def parent(self, key: int) -> int:
        """The fingerprint of the state from which one was found.  Raises KeyError for one that is not there."""
        at = int(self._find(np.array([key], np.uint64))[0])
        if at < 0:
            raise KeyError(key)
        return int(self._table[1, at])

    def add(self, keys: Fingerprints, parents: Fingerprints) -> Any:
        """Enter fingerprints, all different; by fingerprint, whether it is new.  There must be room for them."""
        new = np.zeros(len(keys), np.bool_)
        table, origins = self._table
        at, left = self._first(keys), np.arange(len(keys))
        while len(left):
            wanted, there = keys[left], table[at]
            empty = there == 0
            table[at[empty]] = wanted[empty]  # of several that want one place the last has it
            mine = empty & (table[at] == wanted)
            origins[at[mine]] = parents[left[mine]]
            new[left[mine]] = True
            on = ~mine & (there != wanted)
            left, at = left[on], (at[on] + 1) & (self.places - 1)
        self.count += int(np.count_nonzero(new))
        return new


def _items(table: Any) -> Iterator[tuple[Fingerprints, Fingerprints]]:
    for begin in range(0, table.shape[1], AT_ONCE):
        keys = table[0, begin : begin + AT_ONCE]
        used = np.flatnonzero(keys)
        if len(used):
            yield keys[used], table[1, begin : begin + AT_ONCE][used]
