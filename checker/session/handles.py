"""Handles: which element each stands for, in every state in which an implementation may be; and calls remembered by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...model.concrete import Vector
from ...model.language import (
    Type,
)

NEVER = "never-given-out"
"""A handle that no implementation has given out; one that does breaks the protocol."""


@dataclass(frozen=True)
class Origin:
    """Where a handle came from: the `call`-th recorded call's answer, at `field`; call -1 is reset."""

    call: int
    field: str


@dataclass(frozen=True)
class Recorded:
    """A call as it can be made again: handles by origin, data by the model's values, `never` for a handle not given out.

    A `probe` was made only to see what the last call that is none did: a wrong answer to it is that call's fault.
    """

    operation: str
    arguments: dict[str, Origin | int | str | None]
    exit: str = ""
    answer: Any = None
    probe: bool = False


@dataclass
class Names:
    """The handles of one sort: by living element, the living elements by handle, and all ever given out, dead ones apart."""

    handle: dict[int, str] = field(default_factory=dict)
    element: dict[str, int] = field(default_factory=dict)
    origin: dict[str, Origin] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)

    def copy(self) -> Names:
        return Names(dict(self.handle), dict(self.element), dict(self.origin), list(self.dead))


@dataclass
class World:
    """A state in which the implementation may be, with what its handles stand for there."""

    vector: Vector
    names: dict[Type, Names]


MOST_WORLDS = 64
"""In how many states an implementation may be before the checker gives up telling which."""


def bind(names: Names, element: int, handle: str, origin: Origin) -> None:
    """Tie an element to the handle that was shown for it."""
    names.handle[element], names.element[handle], names.origin[handle] = handle, element, origin
