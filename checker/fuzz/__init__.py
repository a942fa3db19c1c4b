"""Fuzzing: calls drawn at random, with the specification's help, until an implementation answers wrongly."""

from .aim import Aim, changed, targets
from .beside import fuzz_beside
from .run import FuzzReport, fuzz

__all__ = [
    "Aim",
    "FuzzReport",
    "changed",
    "fuzz",
    "fuzz_beside",
    "targets",
]
