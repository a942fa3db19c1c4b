"""Physical memory and page tables: every access of a partition goes through one, page by page."""

from __future__ import annotations

import mmap


class Fault(Exception):
    """An access to a logical address that is not mapped."""


class PhysicalMemory:
    """Page frames in one anonymous mapping of the host.  `page_size` is in bytes; a frame is known by its number."""

    def __init__(self, frames: int, page_size: int) -> None:
        self.page_size = page_size
        self._memory = mmap.mmap(-1, max(1, frames) * page_size)
        self._free = list(range(frames))

    def take(self, count: int) -> list[int] | None:
        """`count` free frames, or None where there are not so many."""
        if len(self._free) < count:
            return None
        taken, self._free = self._free[:count], self._free[count:]
        return taken

    def give_back(self, frames: list[int]) -> None:
        """Make frames free again; the last given back is the first taken, so that nothing forgotten stays hidden."""
        self._free = frames + self._free

    def scrub(self, frame: int) -> None:
        self.store(frame, 0, bytes(self.page_size))

    def load(self, frame: int, offset: int, size: int) -> bytes:
        start = frame * self.page_size + offset
        return self._memory[start : start + size]

    def store(self, frame: int, offset: int, data: bytes) -> None:
        start = frame * self.page_size + offset
        self._memory[start : start + len(data)] = data


class AddressSpace:
    """The logical address space of a partition: its page table over physical memory."""

    def __init__(self, memory: PhysicalMemory) -> None:
        self._memory = memory
        self.table: dict[int, int] = {}

    def map(self, address: int, frames: list[int]) -> None:
        first = address // self._memory.page_size
        for page, frame in enumerate(frames, first):
            self.table[page] = frame

    def unmap(self, address: int, pages: int) -> None:
        first = address // self._memory.page_size
        for page in range(first, first + pages):
            self.table.pop(page, None)

    def read(self, address: int, size: int) -> bytes:
        """The bytes at a logical address.  Raises Fault where any of them is not mapped."""
        return b"".join(self._memory.load(frame, offset, length) for frame, offset, length in self._pieces(address, size))

    def write(self, address: int, data: bytes) -> None:
        """Store bytes at a logical address: all of them, or none and Fault."""
        done = 0
        for frame, offset, length in list(self._pieces(address, len(data))):
            self._memory.store(frame, offset, data[done : done + length])
            done += length

    def _pieces(self, address: int, size: int) -> list[tuple[int, int, int]]:
        pieces = []
        while size:
            page, offset = divmod(address, self._memory.page_size)
            length = min(size, self._memory.page_size - offset)
            if page not in self.table:
                raise Fault(f"{address:#x} is not mapped")
            pieces.append((self.table[page], offset, length))
            address, size = address + length, size - length
        return pieces
