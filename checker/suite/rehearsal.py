"""A run of the model alone, for who chooses calls: what `Session` is without an implementation."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...model.concrete import Model
from ...model.graph import with_fresh_names
from ...model.language import Step
from ...model.recording import causes
from ..session import Ahead, World
from .shown import Shown


class Rehearsal(Ahead):
    """The model after some calls.  Handles are the elements themselves; `made` are the calls since, each with whether it is a
    probe."""

    def __init__(self, model: Model, calls: Sequence[Step], operations: Collection[str]) -> None:
        self.model, self.spec = model, model.spec
        self.actions = {name: action for name, action in self.spec.actions.items() if name in operations}
        self.unsupported: set[str] = set()
        self.probing = False
        self.causes = causes(self.spec)
        self.made: list[tuple[Step, bool]] = []
        self.worlds = [World(model.initial(), {})]
        self._shown = Shown(model)
        for name, arguments in with_fresh_names(model, list(calls)):
            self._step(name, arguments)

    def _step(self, name: str, arguments: Mapping[str, Any]) -> str:
        action = self.spec.actions[name]
        outcome = self.model.step(action, self.vector, arguments)
        self._shown.after(action, self.vector, outcome)
        self.worlds[0].vector = outcome.state
        return outcome.exit

    def choices(self, operation: str, *, strangers: bool) -> dict[str, list[Any]]:
        """As in `Session`, without strangers."""
        return self._shown.choices(self.actions[operation], self.model.unused(self.vector), strangers=False)

    def handles(self, operation: str, values: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
        """As in `Session`."""
        return dict(values)

    def compare(self, operation: str, arguments: Mapping[str, Any], *, probe: bool = False) -> str:
        """Make a call."""
        self.made.append(((operation, dict(arguments)), probe))
        return self._step(operation, {**arguments, **self.fresh(self.actions[operation])})
