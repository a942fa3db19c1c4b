"""A thread of a compiled search: what it needs to expand states, and what it makes of them."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .expansion import Edges, Expansion
from .table import Table

RECENT, LATE_KNOWN, KNOWN = 1 << 15, 1 << 14, 1 << 14
FOUND_ROOM, EDGE_ROOM, LATE_ROOM = 1 << 14, 1 << 16, 1 << 10
"""How many states, transitions, and calls with outputs a thread has room for, beside those of one state."""

TABLE_FULL = 1
"""In what a library says is full: the table, which only who has all threads at rest can make larger."""


@dataclass
class Sizes:
    """What the threads of a search have in common: the library; how many calls a state has at most; by sort of which fresh names
    are given out, those that may be one beside the least; with which colours names begin; whether it judges; how many words a
    state takes, without outputs and with them; the invariants, by name, and how many statements of a step there are; whether
    transitions are kept, and calls with outputs told; what is written by all, or tells them to stop; whether there are many."""

    library: Any
    most: int
    own: Any
    colours: Any
    judges: bool
    words: int
    whole: int
    invariants: Sequence[str]
    steps: int
    keep_edges: bool
    tells_late: bool
    late_masks: Any
    reached: Any
    stop: Any
    shared: bool


class Work(ctypes.Structure):
    """`struct oo_work`."""

    _fields_ = [
        ("keys", ctypes.c_void_p),
        ("parents", ctypes.c_void_p),
        ("places", ctypes.c_uint64),
        ("todo", ctypes.c_void_p),
        ("todo_at", ctypes.c_uint64),
        ("todo_count", ctypes.c_uint64),
        ("found", ctypes.c_void_p),
        ("found_count", ctypes.c_uint64),
        ("found_room", ctypes.c_uint64),
        ("entered", ctypes.c_uint64),
        ("may_enter", ctypes.c_uint64),
        ("transitions", ctypes.c_uint64),
        ("cut", ctypes.c_uint64),
        ("marks", ctypes.c_void_p),
        ("dead", ctypes.c_void_p),
        ("dead_count", ctypes.c_uint64),
        ("edges", ctypes.c_void_p),
        ("edge_count", ctypes.c_uint64),
        ("edge_room", ctypes.c_uint64),
        ("late", ctypes.c_void_p),
        ("late_count", ctypes.c_uint64),
        ("late_room", ctypes.c_uint64),
        ("late_known", ctypes.c_void_p),
        ("late_before", ctypes.c_void_p),
        ("late_after", ctypes.c_void_p),
        ("broken_states", ctypes.c_void_p),
        ("broken_steps", ctypes.c_void_p),
        ("reached", ctypes.c_void_p),
        ("recent", ctypes.c_void_p),
        ("known", ctypes.c_void_p),
        ("colours", ctypes.c_void_p),
        ("own", ctypes.c_void_p),
        ("most_calls", ctypes.c_uint64),
        ("stop", ctypes.c_void_p),
        ("misnamed", ctypes.c_int32),
        ("full", ctypes.c_int32),
        ("shared", ctypes.c_int32),
        ("judges", ctypes.c_int32),
    ]


@dataclass
class Piece:
    """What a thread has made of some states: those that it left, why, what it found, and the fingerprints of those that it
    expanded."""

    data: Any
    done: int
    full: int
    found: list[Any]
    entered: int
    expansion: Expansion
    late: Any
    coming: list[int]
    steps: list[int]
    misnamed: int
    seconds: float
    marks: Any


class Worker:
    """What a thread needs to expand states."""

    def __init__(self, sizes: Sizes) -> None:
        most, words, late = sizes.most, sizes.words, sizes.tells_late and sizes.whole > sizes.words
        self.sizes = sizes
        of = {
            "found": np.empty((FOUND_ROOM + 2 * most, words), np.uint64),
            "edges": np.empty((EDGE_ROOM + 2 * most, 3), np.uint64) if sizes.keep_edges else None,
            "late": np.empty((LATE_ROOM + 2 * most, 2 * sizes.whole), np.uint64) if late else None,
            "late_known": np.zeros(LATE_KNOWN, np.uint64) if late else None,
            "late_before": sizes.late_masks[0],
            "late_after": sizes.late_masks[1],
            "broken_states": np.zeros(len(sizes.invariants) + 1, np.uint64),
            "broken_steps": np.zeros(sizes.steps + 1, np.uint64),
            "reached": sizes.reached,
            "recent": np.zeros(RECENT, np.uint64),
            "known": np.zeros(KNOWN, np.uint64),
            "colours": sizes.colours,
            "own": sizes.own,
            "stop": sizes.stop,
        }
        self.arrays: dict[str, Any] = {name: array for name, array in of.items() if array is not None}
        self.work = Work(most_calls=most, shared=sizes.shared, judges=sizes.judges)
        for name, array in self.arrays.items():
            setattr(self.work, name, array.ctypes.data)
        for name in ("found", "edge", "late"):
            array = self.arrays.get("edges" if name == "edge" else name)
            setattr(self.work, f"{name}_room", 0 if array is None else len(array))

    def point(self, table: Table, may_enter: int = 1 << 62) -> None:
        """Have it look at a table, and enter at most so many."""
        self.work.keys, self.work.parents, self.work.places = table.keys, table.parents, table.places
        self.work.may_enter = may_enter

    def taken(self, name: str) -> Any:
        """What stands in one of its arrays."""
        counts = {"found": self.work.found_count, "edges": self.work.edge_count, "late": self.work.late_count}
        return self.arrays[name][: counts[name]]

    def reset(self) -> None:
        """Forget what was found."""
        for name in ("found_count", "entered", "transitions", "cut", "dead_count", "edge_count", "late_count", "misnamed"):
            setattr(self.work, name, 0)
        self.arrays["broken_states"][:] = 0
        self.arrays["broken_steps"][:] = 0

    def forget_late(self) -> None:
        """Forget which calls with outputs were told."""
        self.arrays["late_known"][:] = 0

    def broken_states(self) -> list[tuple[str, int]]:
        """The invariants that were broken, each with the least fingerprint of a state that breaks it."""
        marks = self.arrays["broken_states"].tolist()
        return [(name, mark) for name, mark in zip(self.sizes.invariants, marks, strict=False) if mark]

    def expanded(self, data: Any, *, whole: bool = False, keep: bool = False) -> Piece:
        """Expand states; with `whole` all of them, even if it is to stop."""
        began = time.monotonic()
        data = np.ascontiguousarray(data)
        work = self.work
        self.reset()
        marks, dead = np.empty(len(data), np.uint64), np.empty(len(data), np.uint64)
        never = np.zeros(1, np.int32)
        work.todo, work.todo_at, work.todo_count = data.ctypes.data, 0, len(data)
        work.marks, work.dead = marks.ctypes.data, dead.ctypes.data
        work.stop = never.ctypes.data if whole else self.sizes.stop.ctypes.data
        found, late = [], []
        nothing = np.empty((0, 0), np.uint8)
        expansion = Expansion(nothing, np.empty(0, np.uint64), np.empty(0, np.uint64))
        while True:
            self.sizes.library.oo_expand(ctypes.byref(work))
            if work.found_count:
                found.append(self.taken("found").copy())
                work.found_count = 0
            if not keep and work.edge_count:
                edges = self.taken("edges")
                calls = (edges[:, 2] & np.uint64(0xFFFFFFFF)).astype(np.int32)
                expansion.edges.append(Edges(edges[:, 0].copy(), edges[:, 1].copy(), calls))
                work.edge_count = 0
            if work.late_count:
                late.append(self.taken("late").copy())
                work.late_count = 0
            if not work.full or work.full & TABLE_FULL:
                break
        expansion.transitions, expansion.cut = work.transitions, work.cut
        expansion.dead = dead[: work.dead_count].tolist()
        return Piece(
            data,
            work.todo_at,
            work.full,
            found,
            work.entered,
            expansion,
            np.concatenate(late) if late else np.empty((0, 0), np.uint64),
            self.arrays["broken_states"].tolist()[: len(self.sizes.invariants)],
            self.arrays["broken_steps"].tolist(),
            work.misnamed,
            time.monotonic() - began,
            marks[: work.todo_at],
        )
