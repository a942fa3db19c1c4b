"""Refusals after what came before: the same cause, in another history.

A call that is refused for one cause alone depends on one thing that some call before it has left behind; an implementation may
keep that elsewhere than the specification does, and lose it in a call that should not touch it (the first close of a file that is
open twice marks its region as free).  So each cause is to come after each kind of call that had to do with what it is given.  A
refused call changes nothing: it can be put into sequences that are there.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...model.concrete import Model, Outcome, Vector, picked
from ...model.language import EFFECTIVE, Action, Component, Step, Type
from .more import SEVERAL, named, replayed
from .shown import Element, Shown

AWAY = 2
"""How many maps away from what a call is given something may stand and still have to do with it."""

STATES, TRIED, ASKED = 3, 300, 40
"""In how many states of a sequence calls are tried, the last of them included; how many of an operation there, and how many for
one exit are asked for their causes."""


class Past:
    """Along a way, in which role what lives took part in which operations, and of which sorts something has ended."""

    def __init__(self, model: Model) -> None:
        self.model, self.spec = model, model.spec
        self._refer = defaultdict[Type, list[Component]](list)
        for component in self.spec.components:
            if component.kind == "map" and len(component.keys) == 1 and component.value in self.spec.unused:
                self._refer[component.keys[0]].append(component)
        self._constants = {(kind, int(each)) for kind in self.spec.unused for each in kind.constants}
        self._took_part = defaultdict[Element, set[tuple[str, str]]](set)
        self._ended = set[Type]()

    def after(self, action: Action, vector: Vector, arguments: Mapping[str, Any], outcome: Outcome) -> None:
        """Take note of a call."""
        if not outcome.effective:
            return
        for state in (vector, outcome.state):
            for element, roles in self._roles(action, state, arguments).items():
                self._took_part[element] |= {(action.name, role) for role in roles}
        before, unused = self.model.unused(vector), self.model.unused(outcome.state)
        for kind in unused:
            gone = unused[kind] & ~before[kind]
            if gone:
                self._ended.add(kind)
                for element in [e for e in self._took_part if e[0] is kind and gone >> e[1] & 1]:
                    del self._took_part[element]

    def of(self, action: Action, vector: Vector, arguments: Mapping[str, Any]) -> Iterator[str]:
        """What may be said of the history of a call: what else something that has to do with it took part in; whether nothing
        that is always there does; whether it is one of several, or not the first; and whether several are given."""
        roles = self._roles(action, vector, arguments)
        for element, here in roles.items():
            if element not in self._constants:
                for operation, there in self._took_part.get(element, ()):
                    yield from (f"after {operation} of its {role} as {there}" for role in here)
        unused, kinds = self.model.unused(vector), {kind for kind, _ in roles}
        for kind in kinds:
            mine = {element for element in roles if element[0] is kind}
            if kind.constants and mine.isdisjoint(self._constants):
                yield f"with no {kind.__name__} that is always there"
            live = (e for e in self.model.domain(kind) if e and not unused[kind] >> e & 1)
            if sum((kind, e) not in self._constants for e in live) >= SEVERAL:
                yield f"with another {kind.__name__}"
            if kind in self._ended:
                yield f"after the end of a {kind.__name__}"
        for slot in action.slots:
            if slot.subset and len(arguments[slot.name]) >= SEVERAL:
                yield f"with several as {slot.name}"

    def _roles(self, action: Action, vector: Vector, arguments: Mapping[str, Any]) -> dict[Element, set[str]]:
        """By element that has to do with a call the parameters that it is given as, or stands nearest to."""
        found: dict[Element, set[str]] = {}
        level: dict[Element, set[str]] = {}
        for slot in (slot for slot in action.slots if slot.type in self.spec.unused):
            for element in arguments[slot.name] if slot.subset else (arguments[slot.name],):
                if element:
                    level.setdefault((slot.type, element), set()).add(slot.name)
        for _ in range(AWAY + 1):
            level = {element: roles for element, roles in level.items() if element not in found}
            found |= level
            further: dict[Element, set[str]] = {}
            for (kind, element), roles in level.items():
                for component in self._refer[kind]:
                    other = vector[self.model.positions[component.name]][self.model.index(component, (element,))]
                    if other:
                        further.setdefault((component.value, other), set()).update(roles)
            level = further
        return found


class Histories:
    """What causes came after, in some ways that call `operations` only; and calls for what they did not come after."""

    def __init__(self, model: Model, operations: Collection[str], seed: int = 0) -> None:
        self.model, self.chance = model, random.Random(seed)
        self.actions = [action for name, action in model.spec.actions.items() if name in operations]
        self.known = set[str]()

    def add(self, calls: Collection[Step]) -> bool:
        """Take note of what a way comes to; whether any of it is new."""
        past, before = Past(self.model), len(self.known)
        for action, vector, arguments, outcome in replayed(self.model, list(calls)):
            if outcome.exit not in EFFECTIVE:
                self.known |= self._targets(past, action, vector, arguments, outcome.exit)
            past.after(action, vector, arguments, outcome)
        return len(self.known) > before

    def filled(self, calls: Collection[Step]) -> list[Step]:
        """A way with refused calls in between, for what no way came to."""
        made = list(replayed(self.model, list(calls)))
        ends = [number for number, (_, _, _, outcome) in enumerate(made) if outcome.effective]
        chosen = {*ends[-1:], *self.chance.sample(ends, min(STATES - 1, len(ends)))}
        past, shown, filled = Past(self.model), Shown(self.model), list[Step]()
        for number, (action, vector, arguments, outcome) in enumerate(made):
            past.after(action, vector, arguments, outcome)
            shown.after(action, vector, outcome)
            filled.append((action.name, arguments))
            if number in chosen:
                filled += self._refusals(past, shown, outcome.state)
        return filled

    def _refusals(self, past: Past, shown: Shown, vector: Vector) -> Iterator[Step]:
        """Calls that are refused in a state, each for something new."""
        unused = self.model.unused(vector)
        for action in self.actions:
            choices = shown.calls(action, vector, unused)
            size = math.prod(map(len, choices.values()))
            numbers = self.chance.sample(range(size), min(size, TRIED))
            exits = self.model.foreseen(action, vector, choices, numbers, ())
            asked = dict.fromkeys(exits, 0)
            for number, exit in zip(numbers, exits, strict=True):
                asked[exit] += 1
                if exit not in EFFECTIVE and asked[exit] <= ASKED:
                    arguments = picked(choices, number)
                    targets = self._targets(past, action, vector, arguments, exit)
                    if not targets <= self.known:
                        self.known |= targets
                        yield action.name, arguments

    def _targets(self, past: Past, action: Action, vector: Vector, arguments: Mapping[str, Any], exit: str) -> set[str]:
        """What a refused call shows of its causes, if it is refused for one alone."""
        if len(self.model.refusals(action, vector, arguments, SEVERAL)) > 1:
            return set()
        causes = named(self.model, action, vector, arguments, exit)
        return {f"{cause} {said}" for said in past.of(action, vector, arguments) for cause in causes} if causes else set()
