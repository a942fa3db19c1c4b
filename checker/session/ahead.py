"""What calls a session could make next, and what they would come to: for who chooses them."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ...model.concrete import Model, Vector
from ...model.language import Action, Slot, Type
from .handles import NEVER, Names, World

LATELY = 6
"""How many of the handles that died last are used on purpose."""

Values = TypeVar("Values", bound=Mapping[str, Any])


class Ahead:
    """A session as it looks ahead: nothing here makes a call."""

    model: Model
    actions: dict[str, Action]
    worlds: list[World]

    @property
    def vector(self) -> Vector:
        """The state now, or the first of those that it may be."""
        return self.worlds[0].vector

    @property
    def names(self) -> dict[Type, Names]:
        """The handles, by sort, in that state."""
        return self.worlds[0].names

    def stranger(self, kind: Type) -> int:
        """The element that stands for every handle that is dead or was never given out."""
        return self.model.scope[kind.plural]

    def fresh(self, action: Action, world: World | None = None) -> dict[str, int]:
        """The fresh arguments of a call now: the least names not in use."""
        vector = (world or self.worlds[0]).vector
        return {s.name: self.model.fresh(vector, s.type, int(s.type in self.names)) for s in action.slots if s.fresh}

    def reach(
        self,
        operation: str,
        choices: Mapping[str, Sequence[Any]],
        numbers: Sequence[int],
        wanted: Collection[str],
        because: int | None = None,
    ) -> list[str]:
        """The exits to which calls would come if they were made now, up to the first that is wanted and, where causes are given,
        has one of them: each picked by a number out of `choices` (see `picked`)."""
        action = self.actions[operation]
        fresh = self.fresh(action)
        values = {s.name: [fresh[s.name]] if s.fresh else choices[s.name] for s in action.slots}
        return self.model.foreseen(action, self.vector, values, numbers, wanted, because)

    def foreseen_causes(self, operation: str, values: Mapping[str, Any], exit: str) -> int:
        """The causes, by bit, that a call that comes to an exit now would have."""
        action = self.actions[operation]
        return self.model.came(action, self.vector, {**values, **self.fresh(action)}, exit)

    def choices(self, operation: str, *, strangers: bool) -> dict[str, list[Any]]:
        """By argument of a call now, the model's values that it may have: elements that live, and with `strangers` the one that
        stands for a handle that is dead or was never given out; of data all."""
        found = {}
        for slot in self.actions[operation].slots:
            if slot.fresh:
                continue
            if slot.type in self.names:
                live = [*self.names[slot.type].handle, *([self.stranger(slot.type)] if strangers else [])]
                found[slot.name] = [0, *live] if slot.optional else live
            else:
                found[slot.name] = self.model.choices(slot)
        return found

    def foresee(self, operation: str, calls: Iterable[Values]) -> Iterator[tuple[Values, str]]:
        """Calls in the model's values, each with the exit that it is to come to if it is made now."""
        action = self.actions[operation]
        fresh = self.fresh(action)
        for values in calls:
            yield values, self.model.exit_of(action, self.vector, {**values, **fresh})

    def handles(self, operation: str, values: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
        """The model's values as `compare` takes them: for the element that stands for strangers, a handle that died lately or one
        that was never given out."""
        given: dict[str, Any] = {}
        for slot in (s for s in self.actions[operation].slots if not s.fresh):
            value = values[slot.name]
            if slot.type not in self.names or not value:
                given[slot.name] = None if slot.type in self.names else value
            elif value not in self.names[slot.type].handle:
                # the stranger, or what died since
                given[slot.name] = chance.choice([*self.names[slot.type].dead[-LATELY:], NEVER])
            else:
                given[slot.name] = self.names[slot.type].handle[value]
        return given

    def argument(self, slot: Slot, value: int) -> Any:
        """A model value as `compare` takes it; None also where the element has no handle that was shown."""
        return self.names[slot.type].handle.get(value) if slot.type in self.names else value
