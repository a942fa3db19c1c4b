"""The states of a level of a search: in memory as far as they may be, the rest in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..batch import Cells


class Frontier:
    """Blocks of states, last in first out.  Those that go beyond `room` bytes are written to `folder`, if there is one."""

    def __init__(self, folder: Path | None = None, room: int = 1 << 62) -> None:
        self.folder, self.room = folder, room
        self.size = 0
        self.bytes = 0
        self._blocks: list[Cells | Path] = []
        self._number = 0

    def __bool__(self) -> bool:
        return bool(self.size)

    def add(self, data: Cells) -> None:
        self.size += data.shape[1]
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
            self.size -= data.shape[1]
            if data.shape[1] > wanted:
                rest = np.ascontiguousarray(data[:, wanted:])
                data = data[:, :wanted]
                self.size += rest.shape[1]
                self.bytes += rest.nbytes
                self._blocks.append(rest)
            wanted -= data.shape[1]
            taken.append(data)
        return np.concatenate(taken, axis=1) if len(taken) != 1 else np.ascontiguousarray(taken[0])

    def blocks(self) -> Iterator[Cells]:
        """All of it, to be stored, block by block."""
        return (np.load(block) if isinstance(block, Path) else block for block in self._blocks)
