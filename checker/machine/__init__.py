"""The specification as a Hypothesis state machine."""

from .machine import Conforming, machine

__all__ = ["Conforming", "machine"]
