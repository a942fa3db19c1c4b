"""Fuzzing: calls drawn at random, with the specification's help, until an implementation answers wrongly."""

from .aim import Aim, targets
from .beside import fuzz_beside
from .run import FuzzReport, fuzz

__all__ = [
    "Aim",
    "FuzzReport",
    "fuzz",
    "fuzz_beside",
    "targets",
]
