"""An executable specification of message passing by moving memory, its proof, and conformance checking."""

from typing import Any


def __getattr__(name: str) -> Any:
    # Hypothesis and the checker are imported by who asks for them only
    if name == "machine":
        from .checker.machine import machine

        return machine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
