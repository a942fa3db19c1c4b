"""How tests go through long lists of one kind: some of it in `make test`, all of it in `make fuzz`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

EVERY = bool(os.environ.get("ONEOWNER_EVERY"))


def one_in(number: int, found: Iterable[T]) -> list[T]:
    """One in so many, the first among them; all where ONEOWNER_EVERY is set."""
    return list(found)[:: 1 if EVERY else number]
