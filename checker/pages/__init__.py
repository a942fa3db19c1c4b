"""The specification as pages: requirements, operations, theorems, rooms, flows."""

from .matrix import is_lemma, matrix, steps

__all__ = ["is_lemma", "matrix", "steps"]
