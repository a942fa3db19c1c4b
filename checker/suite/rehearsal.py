"""A run of the model alone, for who chooses calls: what `Session` is without an implementation."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...model.concrete import Model
from ...model.graph import with_fresh_names
from ...model.language import Action, Step
from ...model.recording import causes


class Rehearsal:
    """The model after some calls.  Handles are the elements themselves; `made` are the calls since, each with whether it is a
    probe."""

    def __init__(self, model: Model, calls: Sequence[Step], operations: Collection[str]) -> None:
        self.model, self.spec = model, model.spec
        self.actions = {name: action for name, action in self.spec.actions.items() if name in operations}
        self.unsupported: set[str] = set()
        self.causes = causes(self.spec)
        self.made: list[tuple[Step, bool]] = []
        self.vector = model.initial()
        for name, arguments in with_fresh_names(model, list(calls)):
            self.vector = model.step(self.spec.actions[name], self.vector, arguments).state

    def fresh(self, action: Action) -> dict[str, int]:
        """As in `Session`."""
        return {s.name: self.model.fresh(self.vector, s.type) for s in action.slots if s.fresh}

    def choices(self, operation: str, *, strangers: bool) -> dict[str, list[Any]]:
        """As in `Session`, without strangers."""
        unused, found = self.model.unused(self.vector), dict[str, list[Any]]()
        for slot in self.actions[operation].slots:
            if slot.fresh:
                continue
            if slot.type in unused and slot.type.handles and not slot.subset:
                live = [e for e in self.model.domain(slot.type) if not unused[slot.type] >> e & 1]
                found[slot.name] = [0, *live] if slot.optional else live
            else:
                found[slot.name] = list(self.model.choices(slot))
        return found

    def reach(
        self, operation: str, choices: Mapping[str, Sequence[Any]], numbers: Sequence[int], wanted: Collection[str]
    ) -> list[str]:
        """As in `Session`."""
        action = self.actions[operation]
        fresh = self.fresh(action)
        values = {s.name: [fresh[s.name]] if s.fresh else choices[s.name] for s in action.slots}
        return self.model.foreseen(action, self.vector, values, numbers, wanted)

    @staticmethod
    def handles(operation: str, values: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
        """As in `Session`."""
        return dict(values)

    def compare(self, operation: str, arguments: Mapping[str, Any], *, probe: bool = False) -> str:
        """Make a call."""
        action = self.actions[operation]
        outcome = self.model.step(action, self.vector, {**arguments, **self.fresh(action)})
        self.vector = outcome.state
        self.made.append(((operation, dict(arguments)), probe))
        return outcome.exit
