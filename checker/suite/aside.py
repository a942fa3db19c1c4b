"""The side on which an operation deviates, beside the one on which it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from typing import Any

from ...model.compiled import INHERITED, DeviatingModel, Deviation
from ...model.concrete import Model, Outcome, Vector
from ...model.language import Action, Members, Slot, SpecError, Type


class Heir:
    """Along a way, what a component had for the last of a sort that died, for what is made new to inherit."""

    def __init__(self, model: Model, deviation: Deviation) -> None:
        self.model, self.deviation = model, deviation
        (self.slot,) = (s for s in model.spec.actions[deviation.operation].slots if s.name == deviation.when)
        (component,) = (c for c in model.spec.components if c.name == deviation.component)
        self.position, self.left = model.positions[component.name], tuple[Any, ...]()
        at, keys = component.keys.index(self.slot.type), list(model.keys(component))
        self.cells = {e: [model.index(component, k) for k in keys if k[at] == e] for e in model.domain(self.slot.type)}
        beside = (c.name for c in model.spec.components if self.slot.type in c.keys and c is not component)
        self.beside = [model.positions[name] for name in beside if name in model.positions]
        self.nothing = self.had(model.blank(), next(iter(self.cells)))

    def had(self, vector: Vector, element: int) -> tuple[Any, ...]:
        """What the component has for an element."""
        return tuple(vector[self.position][index] for index in self.cells[element])

    def died(self, before: Vector, after: Vector) -> int:
        """Who dies in a step: whose name is free after it, or who loses all that the component had where others of what is kept
        for the sort change as well; 0 if nobody does."""
        if after is before:
            return 0
        kind = self.slot.type
        free = self.model.unused(after)[kind] & ~self.model.unused(before)[kind]
        if free:
            return (free & -free).bit_length() - 1
        if after[self.position] == before[self.position] or all(after[place] == before[place] for place in self.beside):
            return 0
        lost = (e for e in self.cells if self.had(after, e) == self.nothing != self.had(before, e))
        return next(lost, 0)

    def after(self, action: Action, before: Vector, arguments: Mapping[str, Any], outcome: Outcome) -> Outcome:
        """What a call comes to where what it makes inherits."""
        made = arguments[self.slot.name] if action.name == self.deviation.operation and outcome.effective else 0
        died = self.died(before, outcome.state)
        if died:
            self.left = self.had(before, died)
        if not made or not self.left or self.left == self.had(outcome.state, made):
            return outcome
        cells = list(outcome.state[self.position])
        for index, value in zip(self.cells[made], self.left, strict=True):
            cells[index] = value
        state = (*outcome.state[: self.position], tuple(cells), *outcome.state[self.position + 1 :])
        return Outcome(outcome.exit, state, outcome.answer, state if outcome.shown is outcome.state else outcome.shown)


class Aside:
    """The side on which an operation deviates: its state now and the one `before`, and what has another name there."""

    def __init__(self, model: DeviatingModel, deviation: Deviation, vector: Vector) -> None:
        self.model, self.deviation, self.vector, self.before = model, deviation, vector, vector
        self.names: dict[tuple[Type, int], int] = {}
        self.heir = Heir(model, deviation) if deviation.kind == INHERITED else None

    def copy(self) -> Aside:
        made = Aside(self.model, self.deviation, self.vector)
        made.names = dict(self.names)
        if self.heir:
            made.heir = copy(self.heir)
        return made

    def step(self, action: Action, arguments: Mapping[str, Any], right: Outcome) -> Outcome | None:
        """What a call comes to there, that on the other side comes to what is `right`; None where that is not defined."""
        given = {slot.name: self._named(slot, arguments[slot.name]) for slot in action.slots}
        try:
            with self._deviating(action):
                outcome = self.model.step(action, self.vector, given)
        except SpecError:
            return None
        if self.heir:
            outcome = self.heir.after(action, self.vector, given, outcome)
        for slot in action.slots:
            if slot.fresh and right.effective:
                self.names.pop((slot.type, arguments[slot.name]), None)
                if given[slot.name] != arguments[slot.name]:
                    self.names[slot.type, arguments[slot.name]] = given[slot.name]
        self.before, self.vector = self.vector, outcome.state
        return outcome

    def foreseen(self, action: Action, choices: Mapping[str, Sequence[Any]], numbers: Sequence[int]) -> list[str]:
        """The exits of calls there; none where one of them is not defined."""
        given = {slot.name: [self._named(slot, choice) for choice in choices[slot.name]] for slot in action.slots}
        try:
            with self._deviating(action):
                return self.model.foreseen(action, self.vector, given, numbers, ())
        except SpecError:
            return []

    def _deviating(self, action: Action) -> AbstractContextManager[None]:
        return self.model.deviating(self.deviation) if action.name == self.deviation.operation else nullcontext()

    def _named(self, slot: Slot, value: Any) -> Any:
        if slot.fresh:
            # the same where it is free there too
            free = value and self.model.unused(self.vector)[slot.type] >> value & 1
            return value if free else self.model.fresh(self.vector, slot.type)
        if slot.subset:
            return Members(self.names.get((slot.type, element), element) for element in value)
        return self.names.get((slot.type, value), value) if self.names else value
