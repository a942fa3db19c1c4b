"""The states of a level of a search: in memory as far as they may be, the rest in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..batch import Cells


class Frontier:
    """Blocks of states, last in first out.  Those that go beyond `room` bytes are written to `folder`, if there is one.  Along
    `axis` of a block lie the states."""

    def __init__(self, folder: Path | None = None, room: int = 1 << 62, axis: int = 1) -> None:
        self.folder, self.room, self.axis = folder, room, axis
        self.size = 0
        self.bytes = 0
        self._blocks: list[Cells | Path] = []
        self._number = 0

    def __bool__(self) -> bool:
        return bool(self.size)

    def like(self) -> Frontier:
        """An empty one for the same states, in the same place."""
        return Frontier(self.folder, self.room, self.axis)

    def add(self, data: Cells) -> None:
        self.size += data.shape[self.axis]
        if self.folder is None or self.bytes + data.nbytes <= self.room:
            self.bytes += data.nbytes
            self._blocks.append(data)
            return
        self._number += 1
        path = self.folder / f"states-{id(self)}-{self._number}.npy"
        np.save(path, data)
        self._blocks.append(path)

    def take(self, size: int) -> Cells:
        """So many states, or all there are, and not many more than fewer blocks have."""
        taken: list[Cells] = []
        wanted = size
        while self._blocks and wanted > 0:
            block = self._blocks.pop()
            if isinstance(block, Path):
                data = np.load(block)
                block.unlink()
            else:
                data = block
                self.bytes -= data.nbytes
            self.size -= data.shape[self.axis]
            if data.shape[self.axis] > wanted:
                data, rest = np.split(data, [wanted], self.axis)
                rest = np.ascontiguousarray(rest)
                self.size += rest.shape[self.axis]
                self.bytes += rest.nbytes
                self._blocks.append(rest)
            wanted -= data.shape[self.axis]
            taken.append(data)
        return np.concatenate(taken, axis=self.axis) if len(taken) != 1 else np.ascontiguousarray(taken[0])

    def blocks(self) -> Iterator[Cells]:
        """All of it, to be stored, block by block."""
        return (np.load(block) if isinstance(block, Path) else block for block in self._blocks)
