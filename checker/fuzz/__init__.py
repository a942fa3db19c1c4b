"""Fuzzing: calls drawn at random, with the specification's help, until an implementation answers wrongly."""

from .run import Aim, Failure, FuzzReport, fuzz, smallest_failure

__all__ = ["Aim", "Failure", "FuzzReport", "fuzz", "smallest_failure"]
