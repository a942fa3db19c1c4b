"""What is asked of a graph of states in a library that was built for its search: its transitions by number, and what leads where.

`liveness` does the same with numpy for a search in the batch reading.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..batch import Fingerprints
from .expansion import Edges

_GIVEN = {"oo_number": "puppu", "oo_edges": "ppuppupp", "oo_back": "ppupp"}


def declare(library: Any) -> None:
    """Say what the functions of a library are given that are called here."""
    kinds = {"p": ctypes.c_void_p, "u": ctypes.c_uint64}
    for name, given in _GIVEN.items():
        getattr(library, name).argtypes = [kinds[kind] for kind in given]


def transitions(library: Any, marks: Fingerprints, edges: Sequence[Edges]) -> tuple[Any, Any, Any]:
    """By transition the numbers of the states before and after, as they stand among `marks`, and that of the call; without those
    to or from a state that does not stand there."""
    places = 2 * len(marks) + 64
    keys, numbers = np.zeros(places, np.uint64), np.zeros(places, np.uint32)
    library.oo_number(marks.ctypes.data, len(marks), keys.ctypes.data, numbers.ctypes.data, places)
    count = sum(len(each.before) for each in edges)
    source, target = np.empty(count, np.intp), np.empty(count, np.intp)
    at = 0
    for each in edges:
        before, after = np.ascontiguousarray(each.before), np.ascontiguousarray(each.after)
        found = source[at:], target[at:]
        table = keys.ctypes.data, numbers.ctypes.data, places
        library.oo_edges(*table, before.ctypes.data, after.ctypes.data, len(before), *(f.ctypes.data for f in found))
        at += len(before)
    call = np.concatenate([np.empty(0, np.int32), *(each.call for each in edges)])
    there = (source >= 0) & (target >= 0)
    return (source, target, call) if there.all() else (source[there], target[there], call[there])


def back(library: Any, source: Any, target: Any, reached: Any, through: Any) -> Any:
    """The states from which one that is `reached` can be reached, by way of those in `through` (None: all)."""
    found, inside = reached.astype(np.uint8), None if through is None else np.ascontiguousarray(through, np.uint8)
    library.oo_back(
        source.ctypes.data, target.ctypes.data, len(source), None if inside is None else inside.ctypes.data, found.ctypes.data
    )
    return found.astype(np.bool_)
