"""Searches on disk: written whole or not at all, and gone on with only if they are as they were written.

A store is a folder with a generation in a folder of its own, and a file `current` that names it.  A new generation is written
beside the old one, brought to the disk, and only then named; so whatever ends a save, a kill or a full disk, leaves one that is
whole.  Each file is held against its digest when it is read.  Who uses a store holds its lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..language import SpecError

CURRENT, TOLD, LOCK = "current", "search.json", "lock"


class Store:
    """A folder in which one search is kept; to be entered and left.  Raises SpecError where another process is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    def __enter__(self) -> Store:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / LOCK).open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SpecError(
                f"{self.folder}: another search is being kept there just now: wait for it, or name another folder"
            ) from None
        except OSError as error:
            raise SpecError(f"{self.folder}: nothing can be kept there: {error.strerror or error}") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()

    @property
    def holds_one(self) -> bool:
        """Whether a search is stored there."""
        return (self.folder / CURRENT).exists()

    def _generation(self) -> int:
        try:
            return int((self.folder / CURRENT).read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError):
            raise SpecError(
                f"{self.folder / CURRENT}: damaged: it names no generation; remove the folder to begin anew"
            ) from None

    def write(self, told: Mapping[str, Any], arrays: Mapping[str, Iterable[Any]]) -> None:
        """Store a search in place of the one before, arrays in pieces, none of which is held when it is written.  Raises
        SpecError where it cannot be written; that one is there still."""
        before = self._generation()
        target = self.folder / str(before + 1)
        try:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            digests = {}
            for name, pieces in arrays.items():
                with (target / f"{name}.npy").open("wb") as file:
                    for piece in pieces:
                        np.save(file, piece)
                    _to_disk(file)
                digests[name] = _digest(target / f"{name}.npy")
            text = json.dumps({"told": told, "digests": digests})
            _write(target / TOLD, json.dumps({"digest": hashlib.sha256(text.encode()).hexdigest(), "text": text}))
            _sync(target)
            part = self.folder / f"{CURRENT}.new"
            _write(part, str(before + 1))
            part.replace(self.folder / CURRENT)
        except OSError as error:
            shutil.rmtree(target, ignore_errors=True)
            kept = "; the one stored before is still there" if before else ""
            raise SpecError(f"{self.folder}: the search cannot be stored: {error.strerror or error}{kept}") from None
        # it is named now; that the name is on the disk as well comes before the old one goes
        with contextlib.suppress(OSError):
            _sync(self.folder)
            if before:
                shutil.rmtree(self.folder / str(before), ignore_errors=True)

    def read(self) -> tuple[dict[str, Any], dict[str, Iterator[Any]]]:
        """What is stored: what is told of the search, and its arrays in pieces.  Raises SpecError, naming the file that is
        damaged."""
        folder = self.folder / str(self._generation())
        path = folder / TOLD
        try:
            whole = json.loads(path.read_text(encoding="utf-8"))
            text = whole["text"]
            if hashlib.sha256(text.encode()).hexdigest() != whole["digest"]:
                raise ValueError("it is not as it was written")
            found = json.loads(text)
            arrays = {}
            for name, digest in found["digests"].items():
                path = folder / f"{name}.npy"
                if _digest(path) != digest:
                    raise ValueError("it is not as it was written")
                arrays[name] = _pieces(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SpecError(f"{path}: the stored search is damaged: {error}; remove {self.folder} to begin anew") from None
        return found["told"], arrays


def _pieces(path: Path) -> Iterator[Any]:
    """The pieces of an array, which was seen to be as it was written."""
    size = path.stat().st_size
    with path.open("rb") as file:
        while file.tell() < size:
            yield np.load(file)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        _to_disk(file)


def _to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
