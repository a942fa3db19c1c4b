"""A GPU, or what plays one on the CPU: whether there is one, a search built for it, its memory and launches (see `device.h`)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..language import SpecError
from .building import Building, nvcc

CPU, CUDA, EMULATED = DEVICES = ("cpu", "cuda", "emulated")
"""Where a compiled search is made: by threads, on a GPU, or as on a GPU but in two threads of the CPU, for tests."""

FLAGS = ("-x", "cu", "-O3", "-shared", "-Xcompiler", "-fPIC", "-w", "-DOO_DEVICE")
LONG, QUICKLY = 250_000, ("-Xcicc", "-O1", "-Xptxas", "-O1")
"""From how many characters on a text is built less well: it takes minutes otherwise."""

EMULATED_BYTES = 1 << 28
DRIVER = "libcuda.so.1"
OLDEST = 7, 0
"""The compute capability of the first GPUs that take the state of a launch as it is printed."""

PART = 0.9
"""What part of the free memory of a GPU a search has where no limit is given."""

LEVELS_PART = 0.4
"""For what part of the states that the table has room for there is room to wait to be expanded: in the scopes that were looked at
less than a quarter of all do so at a time."""

FULL, PLACE = 0.75, 12
"""How much of the table is used at most, and the bytes of a place in it."""

MOST_AT_ONCE, LEAST_AT_ONCE = 1 << 22, 1 << 8
LATE_PLACES = 1 << 12
MOST_PARENTS = 64
OUT_OF_MEMORY = 2
WITHOUT = "or search without --device cuda"


@dataclass(frozen=True)
class Card:
    """A GPU that the driver knows: its name and compute capability."""

    name: str
    capability: tuple[int, int]


def card() -> Card:
    """The first GPU of this machine.  Raises SpecError where there is none, saying what was looked for and what to do."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        raise SpecError(f"there is no driver for a GPU here ({DRIVER} is not found): install NVIDIA's, {WITHOUT}") from None
    count, device, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(256)
    major, minor = ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        raise SpecError(
            f"the driver {DRIVER} finds no GPU: see whether nvidia-smi lists one and CUDA_VISIBLE_DEVICES hides none, {WITHOUT}"
        )
    driver.cuDeviceGet(ctypes.byref(device), 0)
    driver.cuDeviceGetName(name, 256, device)
    for number, found in ((75, major), (76, minor)):
        driver.cuDeviceGetAttribute(ctypes.byref(found), number, device)
    found_one = Card(name.value.decode(errors="replace"), (major.value, minor.value))
    if found_one.capability < OLDEST:
        raise SpecError(f"{found_one.name} is too old: a compute capability of {OLDEST[0]}.{OLDEST[1]} is needed; {WITHOUT[3:]}")
    return found_one


def device_building(text: str, device: str) -> Building:
    """A printed search on its way for a GPU, or what plays one.  Raises SpecError where there is none, or no compiler for it."""
    if device == EMULATED:
        return Building(text, more=("-pthread", "-DOO_DEVICE", f"-DOO_EMULATED={EMULATED_BYTES}ull"))
    found = card()
    if nvcc() is None:
        raise SpecError(
            f"there is {found.name} here, but no compiler for it (nvcc, on PATH or in /usr/local/cuda/bin): install the CUDA "
            f"toolkit, have the variable NVCC name it, {WITHOUT}"
        )
    flags = (*FLAGS, f"-arch=sm_{''.join(map(str, found.capability))}", *(QUICKLY if len(text) >= LONG else ()))
    return Building(text, flags, for_gpu=True)


class Work(ctypes.Structure):
    """`struct oo_work` of `device.h`."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in (
            *("keys", "parents", "places", "states", "room", "begin", "end", "count", "scratch", "at_once"),
            *("late", "late_keys", "late_places", "told", "broken_states", "broken_steps", "reached"),
        )
    ]


def _told(invariants: int, steps: int, clauses: int, whole: int) -> Any:
    """`struct oo_told`, blank."""
    words = {"broken_states": invariants + 1, "broken_steps": steps + 1, "late_before": whole, "late_after": whole}

    class Told(ctypes.Structure):
        _fields_ = [
            *((name, ctypes.c_uint64) for name in ("found", "bad", "transitions", "cut", "dead", "late")),
            *((name, ctypes.c_uint64 * size) for name, size in words.items()),
            *((name, ctypes.c_int32) for name in ("misnamed", "late_full")),
            ("reached", ctypes.c_uint8 * (clauses + 1)),
        ]

    return Told()


def state_bytes(words: int) -> float:
    """How many bytes a state of so many words takes of a GPU's memory, in the table and where it may wait."""
    return PLACE / FULL + 8 * words * LEVELS_PART


class Outgrown(Exception):
    """The memory of a GPU is too small for something."""


class Device:
    """The memory of a search on a GPU, as its library lays it out, and the launches.

    A state takes `words` words, `whole` with outputs; there are so many invariants, statements of a step and clauses.  It takes
    `memory` bytes of the GPU, by itself `PART` of what is free.
    """

    def __init__(
        self, library: Any, words: int, whole: int, statements: tuple[int, int, int], *, late: bool, memory: int | None = None
    ) -> None:
        self.library, self.words, self.whole = library, words, whole
        library.oo_said.restype = ctypes.c_char_p
        library.oo_copied.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64]
        self.told = _told(*statements, whole)
        self.work = Work()
        free = ctypes.c_uint64()
        self._checked(library.oo_free_bytes(ctypes.byref(free)))
        self.memory = min(memory or 1 << 62, int(free.value * PART))
        work = self.work
        work.late_places = min(LATE_PLACES, 1 + (self.memory >> 4) // (16 * whole + 8)) if late else 0
        work.at_once = min(MOST_AT_ONCE, max(LEAST_AT_ONCE, self.memory >> 11))
        left = self.memory - 8 * work.at_once - (16 * whole + 8) * work.late_places - ctypes.sizeof(self.told)
        states = max(1, int(left / state_bytes(words)))
        work.places, work.room = int(states / FULL) + 1, int(states * LEVELS_PART) + 1
        code = library.oo_allocated(ctypes.byref(work))
        if code:
            library.oo_freed(ctypes.byref(work))
            self.work = Work()
            self._checked(code)

    def __del__(self) -> None:
        if getattr(self, "work", None) and self.work.keys:
            self.library.oo_freed(ctypes.byref(self.work))

    def _checked(self, code: int) -> None:
        if code == OUT_OF_MEMORY:
            raise Outgrown
        if code:
            raise SpecError(f"the GPU answers: {self.library.oo_said(code).decode()}; see what nvidia-smi says of it, {WITHOUT}")

    @property
    def most(self) -> int:
        """How many states the table takes."""
        return int(FULL * self.work.places)

    def expand(self, begin: int, count: int, end: int, late_masks: Any) -> Any:
        """Expand so many states of the ring and put what they lead to from `end` on; what is told of it.  Calls with outputs are
        told apart by what the masks have of the states before and after them."""
        work, told = self.work, self.told
        work.begin, work.count, work.end = begin % work.room, count, end % work.room
        told.found = told.bad = told.transitions = told.cut = told.dead = told.misnamed = told.late_full = 0
        for name in ("broken_states", "broken_steps"):
            ctypes.memset(getattr(told, name), 0, ctypes.sizeof(getattr(told, name)))
        told.late_before[:], told.late_after[:] = late_masks.tolist()
        self._checked(self.library.oo_expanded(ctypes.byref(work), ctypes.byref(told)))
        return told

    def _down(self, at: int, shape: tuple[int, ...], kind: Any = np.uint64) -> Any:
        found = np.empty(shape, kind)
        self._checked(self.library.oo_copied(found.ctypes.data, at, found.nbytes))
        return found

    def _up(self, at: int, data: Any) -> None:
        self._checked(self.library.oo_copied(at, data.ctypes.data, data.nbytes))

    def dead(self) -> list[int]:
        """The fingerprints of the states of the last launch in which no call changes anything."""
        found: list[int] = self._down(self.work.scratch, (self.told.dead,)).tolist()
        return found

    def late(self, begin: int) -> Any:
        """The calls with outputs that were told, from one on."""
        return self._down(self.work.late + 16 * self.whole * begin, (self.told.late - begin, 2 * self.whole))

    def forget(self) -> None:
        """Forget everything that was seen and told."""
        ctypes.memset(ctypes.addressof(self.told), 0, ctypes.sizeof(self.told))
        self._checked(self.library.oo_forgotten(ctypes.byref(self.work)))
        if self.work.late_places:
            self.late_afresh(larger=False)

    def late_afresh(self, *, larger: bool) -> None:
        """Forget which calls with outputs were told; with room for more of them, if it was too small."""
        self.work.late_places *= 4 if larger else 1
        self.told.late = 0
        self._checked(self.library.oo_late_afresh(ctypes.byref(self.work)))

    def places(self, size: int) -> Iterator[tuple[Any, Any]]:
        """The table, in pieces: fingerprints, 0 where a place is empty, and the upper halves of their parents'."""
        work = self.work
        for begin in range(0, work.places, size):
            count = min(size, work.places - begin)
            yield self._down(work.keys + 8 * begin, (count,)), self._down(work.parents + 4 * begin, (count,), np.uint32)

    def enter(self, keys: Any, parents: Any) -> None:
        """Enter fingerprints that are not there, with the upper halves of their parents'."""
        work, half = self.work, self.work.at_once // 2
        for begin in range(0, len(keys), half):
            given = [np.ascontiguousarray(of[begin : begin + half], np.uint64) for of in (keys, parents)]
            for at, of in zip((work.scratch, work.scratch + 8 * half), given, strict=True):
                self._up(at, of)
            work.count = len(given[0])
            self._checked(self.library.oo_entered(ctypes.byref(work)))

    def parents_of(self, key: int) -> Sequence[int] | None:
        """The fingerprints of which one is that of the state from which `key` was found; None for one that is not there."""
        self._up(self.work.scratch, np.array([key], np.uint64))
        self._checked(self.library.oo_asked(ctypes.byref(self.work)))
        count, *found = self._down(self.work.scratch, (1 + MOST_PARENTS,)).tolist()
        return None if count > MOST_PARENTS else found[:count]

    def _in_ring(self, begin: int, count: int) -> Iterator[tuple[int, int]]:
        """Where states of the ring lie, and how many, in one or two parts."""
        at, room = begin % self.work.room, self.work.room
        first = min(count, room - at)
        yield self.work.states + 8 * self.words * at, first
        if count > first:
            yield self.work.states, count - first

    def states(self, begin: int, count: int) -> Iterator[Any]:
        """States of the ring, in pieces, a row each."""
        for at, size in self._in_ring(begin, count):
            yield self._down(at, (size, self.words))

    def put(self, begin: int, data: Any) -> None:
        """Put states into the ring."""
        done = 0
        for at, size in self._in_ring(begin, len(data)):
            self._up(at, np.ascontiguousarray(data[done : done + size]))
            done += size
