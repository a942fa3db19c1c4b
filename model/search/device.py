"""Exhaustive search in the compiled reading on a GPU: the same fingerprints, and so the same answers, as by threads.

The table and the states of two levels are in the GPU's memory for as long as the search is (`model/compiled/device.py`); what is
found in them comes back.  Ways are found again by the CPU, in the library that threads have.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from ..batch import Fingerprints
from ..compiled import CUDA, Device, Outgrown, device_building, state_bytes
from ..concrete import Model
from ..language import SpecError
from .compiled import CompiledExplorer
from .expansion import Expansion

AT_ONCE, LONGEST = 1 << 14, 0.05
"""How many states are expanded at once at first; more as long as a launch is over in half of so many seconds."""

COPIED = 1 << 20
"""How many states or places are copied at a time."""

NO_ROOM = "the stored search does not fit into the memory of the GPU: go on with it without --device"
KEEPS_NO_TRANSITIONS = (
    "a search on a GPU keeps no transitions, which --can-return, --leads-to and --graph need: ask them without --device"
)


class OnDevice:
    """The table of a search on a GPU, as `Table` is one by threads, but as large as it will ever be."""

    def __init__(self, device: Device) -> None:
        self.device, self.count = device, 0
        self.places: int = device.work.places

    @property
    def room(self) -> int:
        """How many more may be entered."""
        return self.device.most - self.count

    def room_for(self, more: int) -> int:
        """How many places it has.  Raises SpecError where so many more do not fit."""
        if more > self.room:
            raise SpecError(NO_ROOM)
        return self.places

    def items(self) -> Iterator[tuple[Fingerprints, Any]]:
        """All fingerprints, with the upper halves of their parents', in pieces."""
        for keys, parents in self.device.places(COPIED):
            used = np.flatnonzero(keys)
            if len(used):
                yield keys[used], parents[used]

    def add(self, keys: Fingerprints, parents: Any) -> None:
        """Enter fingerprints that are not there.  There must be room for them."""
        self.device.enter(keys, parents)
        self.count += len(keys)

    def parents_of(self, key: int) -> list[int]:
        """As of a `Table`."""
        found = self.device.parents_of(key)
        if found is None:
            raise KeyError(key)
        return list(found)


class Waiting:
    """States that wait in the ring of a GPU: a level, behind the one at hand."""

    def __init__(self, device: Device, behind: Waiting | None = None) -> None:
        self.device, self.behind = device, behind
        self._begin = self._end = 0
        self.folder: Path | None = None
        self.room = 0
        """That a level may take of the CPU's memory and files; nothing of this one is there."""

    def __bool__(self) -> bool:
        return bool(self.size)

    @property
    def size(self) -> int:
        return self._end - self._begin

    @property
    def begin(self) -> int:
        """Where in the ring the first of them stands, or if there is none would stand."""
        return self._begin if self or self.behind is None else self.behind.end

    @property
    def end(self) -> int:
        """Where the next would stand."""
        return self.begin + self.size

    def like(self) -> Waiting:
        """An empty one behind this one, which is the one at hand now."""
        self._begin, self._end, self.behind = self.begin, self.end, None
        return Waiting(self.device, self)

    def more(self, count: int) -> None:
        """Say that so many were put behind those that wait."""
        self._begin, self._end = self.begin, self.end + count

    def done(self, count: int) -> None:
        """Say that so many, the first, wait no longer."""
        self._begin += count

    def add(self, data: Any) -> None:
        """Put states behind those that wait.  Raises SpecError where there is no room for them."""
        waiting = self.size + (self.behind.size if self.behind else 0) + len(data)
        if waiting > self.device.work.room:
            raise SpecError(NO_ROOM)
        self.device.put(self.end, data)
        self.more(len(data))

    def blocks(self) -> Iterator[Any]:
        """All of it, to be stored, block by block."""
        for begin in range(self.begin, self.end, COPIED):
            yield from self.device.states(begin, min(COPIED, self.end - begin))


class DeviceExplorer(CompiledExplorer):
    """A search as `CompiledExplorer` is one, on a GPU.

    It takes `memory` bytes of the GPU's for as long as it is there, by itself most of what is free; what limits say of memory is
    nothing to it.  Raises SpecError where there is no GPU, or no compiler for it, and for a search that keeps its transitions.
    """

    def __init__(self, model: Model, *, device: str = CUDA, memory: int | None = None, **options: Any) -> None:
        if options.get("keep_edges") or options.get("fixed"):
            raise SpecError(KEEPS_NO_TRANSITIONS)
        self._kind, self._most_memory = device, memory
        self._device: Any = None
        super().__init__(model, **{**options, "jobs": 1})

    def _begin(self) -> None:
        building = device_building(self.printer(self).printed(), self._kind)
        try:
            building.start()
            super()._begin()
            library = building.library()
        finally:
            building.stop()
        printer, packing = self._printer, self.packing
        numbers = len(printer.invariants), len(printer.steps), len(printer.clauses)
        late = self.model.spec.late is not None and packing.whole > packing.words
        try:
            self._device = Device(library, packing.words, packing.whole, numbers, late=late, memory=self._most_memory)
            seen, todo = self.seen, self.todo
            self._forget()
        except Outgrown:
            raise SpecError("the GPU has no memory left for a search: see with nvidia-smi who has it, or give --memory") from None
        self._at_once = AT_ONCE
        for keys, parents in seen.items():
            self.seen.add(keys, parents)
        for data in todo.blocks():
            self.todo.add(data)

    def _forget(self) -> None:
        if self._device is None:
            super()._forget()
            return
        self._device.forget()
        self.seen: Any = OnDevice(self._device)
        self.todo: Any = Waiting(self._device)
        self.following: Any = self.todo.like()

    def _is_full(self) -> bool:
        return False

    def _level(self, stack: ExitStack, seconds: float) -> Generator[Expansion, None, None]:
        self.outgrown = ""
        while self.todo:
            if self._held.seen:
                self.search.stopped = "interrupted"
                return
            room = min(self.seen.room, self._device.work.room - self.todo.size - self.following.size)
            count = min(self._at_once, self._device.work.at_once, self.todo.size, room // self._printer.most_calls)
            try:
                if not count:
                    raise Outgrown
                found = self._expanded_on(count)
            except Outgrown:
                # of a launch for which there is no memory nothing was done
                self.search.stopped, self.outgrown = "memory", self._advice()
                return
            yield found

    def _advice(self) -> str:
        """What is to be said of a search that does not fit into the memory of a GPU."""
        device, printer = self._device, self._printer
        each = state_bytes(self.packing.words)
        return (
            f"the GPU's {device.memory} bytes are full: a state takes {each:.0f} of them, and there has to be room "
            f"for all that one can lead to, {printer.most_calls} at most; search with --symmetry, in a smaller scope, with a "
            "larger --memory if there is one, or without --device, where levels that do not fit go to files: what --keep stores "
            "can be gone on with there"
        )

    def _expanded_on(self, count: int) -> Expansion:
        """Expand so many states, for all that they may lead to there is room."""
        device, began = self._device, time.monotonic()
        known, begin, end = device.told.late, self.todo.begin, self.following.end
        told = device.expand(begin, count, end, self._late_masks)
        found = Expansion(np.empty((0, 0), np.uint8), np.empty(0, np.uint64), np.empty(0, np.uint64), told.transitions, told.cut)
        found.dead = device.dead()
        self.todo.done(count)
        self.following.more(told.found)
        self.seen.count += told.found + told.bad
        self._reached[:] = told.reached[: len(self._reached)]
        self._tell(found, told.misnamed, told.broken_steps, told.broken_states[:-1])
        if count == self._at_once:
            seconds = time.monotonic() - began
            self._at_once = count * 2 if seconds < LONGEST / 2 else max(1, count // 2) if seconds > LONGEST * 2 else count
        while told.late_full or (told.late > known and self._asks_more(found, device.late(known))):
            # all that the states lead to is entered already: another launch tells of calls with outputs only
            try:
                device.late_afresh(larger=bool(told.late_full))
            except Outgrown:
                raise SpecError("the GPU has no memory for all late answers of one launch: search without --device") from None
            known = 0
            device.expand(begin, count, end, self._late_masks)
        return found
