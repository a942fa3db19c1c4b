"""The fingerprints that a compiled search has seen: a table that its threads share, in memory that grows and is given back.

A place has 12 bytes: a fingerprint of 64 bits and the upper half of that of the state from which it was found.  Where in the
table a fingerprint is looked for is its part of the whole range, so that moving to a larger table goes through both in order, and
what was moved is given back at once.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..batch import Fingerprints

FULL = 0.75
"""How much of the table is used at most before it grows."""

SMALLEST = 1 << 14
PLACE = 12
"""Bytes of a place in the table."""

AT_ONCE = 1 << 20
"""How many places are looked at or moved at a time."""


def _memory(size: int) -> mmap.mmap:
    found = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if size >= 1 << 22 and hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            found.madvise(mmap.MADV_HUGEPAGE)
        except OSError:
            return found
    return found


class Table:
    """Fingerprints (none is 0), in a table of a library's (see `search.h`)."""

    def __init__(self, library: Any, places: int = SMALLEST) -> None:
        self.library = library
        self.count = 0
        self._allocate(places)

    def _allocate(self, places: int) -> None:
        self.places = places
        self._maps = _memory(8 * places), _memory(4 * places)
        self._keys: Any = np.frombuffer(self._maps[0], np.uint64)
        self._parents: Any = np.frombuffer(self._maps[1], np.uint32)
        self.keys, self.parents = self._keys.ctypes.data, self._parents.ctypes.data

    @property
    def room(self) -> int:
        """How many more may be entered before it grows."""
        return int(FULL * self.places) - self.count

    def room_for(self, more: int) -> int:
        """How many places a table needs that takes so many more."""
        places = self.places
        while self.count + more > FULL * places:
            places *= 4 if places < 1 << 22 else 2
        return places

    def grow(self, places: int) -> None:
        """Move everything to a table of so many places."""
        old, maps = (self.keys, self.parents, self.places), self._maps
        kept = self._keys, self._parents
        self._allocate(places)
        for begin in range(0, old[2], AT_ONCE):
            count = min(AT_ONCE, old[2] - begin)
            self.library.oo_move(old[0] + 8 * begin, old[1] + 4 * begin, count, self.keys, self.parents, places)
            if count == AT_ONCE:
                maps[0].madvise(mmap.MADV_DONTNEED, 8 * begin, 8 * count)
                maps[1].madvise(mmap.MADV_DONTNEED, 4 * begin, 4 * count)
        del kept

    def items(self) -> Iterator[tuple[Fingerprints, Any]]:
        """All fingerprints, with the upper halves of their parents', in pieces."""
        for begin in range(0, self.places, AT_ONCE):
            keys = self._keys[begin : begin + AT_ONCE]
            used = np.flatnonzero(keys)
            if len(used):
                yield keys[used], self._parents[begin : begin + AT_ONCE][used]

    def add(self, keys: Fingerprints, parents: Any) -> None:
        """Enter fingerprints that are not there.  There must be room for them."""
        keys, parents = np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(parents, np.uint32)
        self.library.oo_move(keys.ctypes.data, parents.ctypes.data, len(keys), self.keys, self.parents, self.places)
        self.count += len(keys)

    def parents_of(self, key: int) -> list[int]:
        """The fingerprints of which one is that of the state from which `key` was found.  Raises KeyError for one that is not
        there."""
        at = self.library.oo_found(self.keys, self.places, ctypes.c_uint64(key))
        if at == self.places:
            raise KeyError(key)
        found = (ctypes.c_uint64 * 64)()
        count = self.library.oo_like(self.keys, self.places, int(self._parents[at]), found, 64)
        return list(found[:count])
