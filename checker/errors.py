"""What can go wrong on the way to an implementation, and how it is told what one said: whatever that is, a terminal shows it."""

from __future__ import annotations

from typing import Any

QUOTED = 200
"""How many characters of what somebody else wrote are quoted."""


class AdapterError(Exception):
    """The implementation cannot be reached, or does not keep to the interface; says what to do."""


class AdapterFault(AdapterError):
    """The adapter died, hung, or does not keep to the protocol, in the middle of something."""


class Unsupported(Exception):
    """The implementation says that it does not have an operation, or cannot be made so large."""

    def __init__(self, operation: str, text: str = "") -> None:
        super().__init__(f"{operation} is not supported{': ' + named(text) if text else ''}")
        self.operation = operation


def printable(text: str) -> str:
    """`text` for a terminal: what would control it, or turn the direction of writing, is shown as an escape.  Lines stay
    lines."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def quoted(value: Any) -> str:
    """A value of somebody else's as Python has it, in one line and cut where it is long."""
    return _cut(repr(value))


def named(text: str) -> str:
    """A name of somebody else's, in quotes if it does not look like one."""
    return text if text.isprintable() and len(text) <= QUOTED else quoted(text)


def _cut(text: str) -> str:
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}... ({len(text)} characters)"
