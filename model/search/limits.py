"""Where a search stops before it is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Where a search stops before it is done: each None for no limit.  `memory` is in bytes, of this process and those that share
    its work; None is two thirds of the machine's.  Of the levels at hand what goes beyond `level` bytes lies in files (None: a
    part of the memory)."""

    states: int | None = None
    depth: int | None = None
    seconds: float | None = None
    memory: int | None = None
    level: int | None = None
