"""A model that tells refusals from the printed guards, where many calls are tried of which most are refused."""

from __future__ import annotations

from collections.abc import Mapping

from ..language import EFFECTIVE, Action
from .model import Model, Outcome
from .state import Vector


class Guarded(Model):
    """A model whose refusals are those of `printed.exits`; what takes effect is a step of the text.

    For drawing what is then held against the text itself: it is not the one to judge an implementation by.
    """

    def step(self, action: Action, vector: Vector, arguments: Mapping[str, int]) -> Outcome:
        """Call an operation.  Raises SpecError where the spec itself is at fault."""
        exit, _ = self._guards_of(action)(vector, arguments)
        if exit and exit not in EFFECTIVE:
            return Outcome(exit, vector, None, vector)
        return super().step(action, vector, arguments)
