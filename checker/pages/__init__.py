"""The specification as pages: requirements, operations, theorems, rooms, flows."""

from .listing import show_invariants, show_matrix, show_operations, show_steps, show_tree
from .matrix import is_lemma, matrix, steps
from .rooms import show_flow, show_rooms, show_states

__all__ = [
    "is_lemma",
    "matrix",
    "show_flow",
    "show_invariants",
    "show_matrix",
    "show_operations",
    "show_rooms",
    "show_states",
    "show_steps",
    "show_tree",
    "steps",
]
