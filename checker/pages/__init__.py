"""The specification as pages: requirements, operations, theorems, rooms, flows."""

from .matrix import is_lemma, matrix, steps
from .rooms import show_flow, show_rooms

__all__ = [
    "is_lemma",
    "matrix",
    "show_flow",
    "show_rooms",
    "steps",
]
