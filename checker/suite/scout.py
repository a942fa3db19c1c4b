"""Ways to what no exploration comes to: the model is walked at random in the scope of fuzzing, and each way made short.

An exploration is exhaustive, and so small; what takes two guests, a second message and a file at once lies outside of all of
them.  A walk looks at every state what could be called there, so that it finds what is one call away, and goes on by what it has
done least.  What a walk has found is made again with ever fewer calls.  A seed makes it the same on every machine.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.concrete import Model, Outcome, Vector, picked
from ...model.graph import with_fresh_names
from ...model.language import EFFECTIVE, Action, Step, Type
from ...model.recording import causes
from .more import CauseNames, more_of

LONG = 40
"""How many calls a walk takes after its opening."""

SAMPLE = 64
"""Of how many calls of an operation it is tried where they lead."""

Walked = list[tuple[Step, dict[str, int]]]
"""Calls, each with its fresh names."""


@dataclass(frozen=True)
class Found:
    """A short way: the calls, and all that they come to, in order."""

    calls: tuple[Step, ...]
    clauses: tuple[str, ...]
    targets: frozenset[str]


class Scout:
    """Looks for ways to targets: causes, late answers by who brings them, and what `more_of` tells."""

    def __init__(self, model: Model, operations: Collection[str], seed: int = 0) -> None:
        self.model, self.spec = model, model.spec
        spec = self.spec
        self.actions = {name: action for name, action in spec.actions.items() if name in operations}
        self.openings = [calls for calls in spec.openings.values() if {name for name, _ in calls} <= set(self.actions)]
        self.chance = random.Random(seed)
        self.names = CauseNames(spec)
        self.causes = causes(spec)
        self.done: Counter[str] = Counter()

    def found(self, known: set[str], walks: int) -> Iterator[Found]:
        """Short ways to targets that are not `known`; each is added to it."""
        for number in range(walks):
            opening = [*self.openings, ()][number % (len(self.openings) + 1)]
            for walked, wanted in self._walk(opening, known):
                if wanted not in known:
                    found = self._shortest(walked, wanted)
                    known |= found.targets
                    yield found

    def come_to(self, model: Model, calls: Sequence[Step]) -> frozenset[str]:
        """All targets that some calls come to, in a scope of their own."""
        vector, targets = model.initial(), set[str]()
        for step in with_fresh_names(model, list(calls)):
            action = self.spec.actions[step[0]]
            outcome = model.step(action, vector, step[1])
            came = model.came(action, vector, step[1], outcome.exit)
            targets |= {*self.names.of(action.name, came), *more_of(model, action, vector, outcome)}
            vector = outcome.state
        return frozenset(targets)

    def _walk(self, opening: Sequence[Step], known: set[str]) -> Iterator[tuple[Walked, str]]:
        vector, walked = self.model.initial(), Walked()
        for step in with_fresh_names(self.model, list(opening)):
            vector, targets = self._stepped(vector, step, walked)
            for target in targets - known:
                yield list(walked), target
        for _ in range(LONG):
            for step, target in self._within_reach(vector, known):
                yield [*walked, (step, self._fresh(step))], target
            following = self._next(vector)
            if following is None:
                return
            vector, targets = self._stepped(vector, following, walked)
            for target in targets - known:
                yield list(walked), target

    def _stepped(self, vector: Vector, step: Step, walked: Walked) -> tuple[Vector, set[str]]:
        walked.append((step, self._fresh(step)))
        after, _, targets = self._made(vector, step)
        self.done[step[0]] += 1
        return after, targets

    def _fresh(self, step: Step) -> dict[str, int]:
        return {s.name: step[1][s.name] for s in self.spec.actions[step[0]].slots if s.fresh}

    def _made(self, vector: Vector, step: Step) -> tuple[Vector, Outcome, set[str]]:
        action = self.spec.actions[step[0]]
        outcome = self.model.step(action, vector, step[1])
        bits = self.model.came(action, vector, step[1], outcome.exit)
        return outcome.state, outcome, {*self.names.of(action.name, bits), *more_of(self.model, action, vector, outcome)}

    def _choices(self, action: Action, vector: Vector, unused: dict[Type, int]) -> dict[str, list[Any]]:
        """By argument what lives, and one element that does not."""
        found: dict[str, list[Any]] = {}
        for slot in action.slots:
            if slot.fresh:
                found[slot.name] = [self.model.fresh(vector, slot.type)]
            elif slot.type in unused and not slot.subset:
                free = unused[slot.type]
                live = [e for e in self.model.domain(slot.type) if not free >> e & 1]
                dead = [e for e in self.model.domain(slot.type) if free >> e & 1][-1:]
                found[slot.name] = [*([0] if slot.optional else []), *live, *dead]
            else:
                found[slot.name] = list(self.model.choices(slot))
        return found

    def _drawn(self, choices: dict[str, list[Any]]) -> list[int]:
        size = math.prod(map(len, choices.values()))
        if size <= SAMPLE:
            return list(range(size))
        return [int(self.chance.random() * size) for _ in range(SAMPLE)]

    def _within_reach(self, vector: Vector, known: set[str]) -> Iterator[tuple[Step, str]]:
        """Calls that come to a cause that is not known, one an operation and exit."""
        unused = self.model.unused(vector)
        for name, action in self.actions.items():
            open_: dict[str, int] = {}
            for number, cause in enumerate(self.causes[name].all):
                if str(cause) not in known:
                    open_[cause.exit] = open_.get(cause.exit, 0) | 1 << number
            if not open_:
                continue
            choices = self._choices(action, vector, unused)
            numbers = self._drawn(choices)
            for exit, bits in open_.items():
                exits = self.model.foreseen(action, vector, choices, numbers, (exit,), bits)
                if exits and exits[-1] == exit:
                    arguments = picked(choices, numbers[len(exits) - 1])
                    came = self.model.came(action, vector, arguments, exit)
                    for target in self.names.of(name, came & bits):
                        if target not in known:
                            yield (name, arguments), target

    def _next(self, vector: Vector) -> Step | None:
        unused = self.model.unused(vector)
        names = list(self.actions)
        weights = [(0.1 if n in self.spec.seldom else 1.0) / (1 + self.done[n]) for n in names]
        for _ in range(20):
            (name,) = self.chance.choices(names, weights)
            action = self.spec.actions[name]
            choices = self._choices(action, vector, unused)
            numbers = self._drawn(choices)
            self.chance.shuffle(numbers)
            exits = self.model.foreseen(action, vector, choices, numbers, EFFECTIVE)
            if exits and exits[-1] in EFFECTIVE:
                return name, picked(choices, numbers[len(exits) - 1])
            self.done[name] += 0.2  # type: ignore[assignment]
        return None

    def _shortest(self, walked: Walked, wanted: str) -> Found:
        kept = walked
        found = self._again(kept, wanted)
        assert found is not None
        size = max(1, len(kept) // 2)
        while True:
            before, end = len(kept), len(kept) - 1
            while end > 0:
                start = max(0, end - size)
                tried = [*kept[:start], *kept[end:]]
                again = self._again(tried, wanted)
                if again is not None:
                    kept, found = tried, again
                end = start
            if size == 1 and len(kept) == before:
                return found
            size = max(1, size // 2)

    def _again(self, walked: Walked, wanted: str) -> Found | None:
        """Calls made again, the elements that they give renamed; None if the last does not come to what is wanted."""
        vector, renamed = self.model.initial(), dict[tuple[Type, int], int]()
        calls: list[Step] = []
        clauses: list[str] = []
        targets: set[str] = set()
        last: set[str] = set()
        for (name, arguments), fresh in walked:
            action = self.spec.actions[name]
            given = dict(arguments)
            for slot in action.slots:
                if slot.fresh:
                    given[slot.name] = self.model.fresh(vector, slot.type)
                elif (slot.type, given[slot.name]) in renamed if not slot.subset else False:
                    given[slot.name] = renamed[slot.type, given[slot.name]]
            vector, outcome, last = self._made(vector, (name, given))
            for slot in action.slots:
                if slot.fresh and outcome.effective:
                    renamed[slot.type, fresh[slot.name]] = given[slot.name]
            calls.append((name, given))
            clauses.append(f"{name}/{outcome.exit}")
            clauses += [target.rpartition(" by ")[0] for target in last if " by " in target]
            targets |= last
        return Found(tuple(calls), tuple(dict.fromkeys(clauses)), frozenset(targets)) if wanted in last else None
