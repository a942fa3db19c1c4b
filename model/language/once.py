"""What is found of a specification once, for as long as it lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from .spec import Spec

T = TypeVar("T")


def once(find: Callable[[Spec], T]) -> Callable[[Spec], T]:
    """A function of a specification that is asked once of each, whatever others are asked about meanwhile.

    Two threads may both find something; all get that of the first to be done, so that what was found of one specification fits
    together.
    """
    known: dict[int, T] = {}

    @wraps(find)
    def found(spec: Spec) -> T:
        key = id(spec)
        if key not in known:
            known.setdefault(key, find(spec))
            weakref.finalize(spec, known.pop, key, None).atexit = False
        return known[key]

    return found
