"""What a run of fuzzing goes for next."""

from __future__ import annotations

import contextlib
import itertools
import math
import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...model.concrete import picked
from ...model.language import EFFECTIVE
from ..errors import Unsupported
from ..session import Session

SAMPLE, LARGE_SAMPLE = 60, 200
"""Of how many calls of an operation it is tried where they lead; and of how many with live elements, when a run begins."""

TRIES = 6
HANDFUL = 12
FEW = 4


@dataclass
class Reach:
    """Calls of an operation by what they come to now, each as a number that picks its arguments out of `choices`."""

    choices: dict[str, list[Any]]
    calls: dict[str, list[int]] = field(default_factory=dict)

    def arguments(self, number: int) -> dict[str, Any]:
        """The arguments of a call."""
        return picked(self.choices, number)


class Aim:
    """What a run goes for next.  It depends on this run alone, so that Hypothesis can make a run again, another day too."""

    def __init__(self, session: Session, chance: random.Random, targets: Sequence[str]) -> None:
        # Hypothesis' own takes ten times as long for a number
        self.session, self.chance, self.targets = session, random.Random(chance.getrandbits(64)), targets
        self.successes: Counter[str] = Counter()
        self._vain: Counter[str] = Counter()
        self._names = list(session.actions)
        self._weights = [self._weight(name) for name in self._names]
        self._at = {name: at for at, name in enumerate(self._names)}

    def succeeded(self, name: str) -> None:
        """Take note of a call that took effect."""
        self.successes[name] += 1
        self._weights[self._at[name]] = self._weight(name)

    def _weight(self, name: str) -> float:
        """How much an operation is to be gone for: the less, the more often it has succeeded or been tried in vain."""
        rare = 1 / (1 + self.successes[name] + self._vain[name] / 2)
        return rare / 4 if name in self.session.spec.seldom else rare

    def sweep(self) -> None:
        """Try every operation in every way that is refused now: what was just done may have left a door open somewhere."""
        for name in self.chance.sample(list(self.session.actions), len(self.session.actions)):
            among_live, among_all = (
                self._reach(name, (), strangers=False, sample=LARGE_SAMPLE),
                self._reach(name, (), strangers=True),
            )
            for exit, calls in (among_all.calls | among_live.calls).items():
                if exit not in EFFECTIVE:
                    found = among_live if exit in among_live.calls else among_all
                    for number in self.chance.sample(calls, min(FEW, len(calls))):
                        with contextlib.suppress(Unsupported):
                            self.session.compare(name, self.session.handles(name, found.arguments(number), self.chance))

    def choose(self) -> tuple[tuple[str, str], dict[str, Any]]:
        """The clause to go for now, as operation and exit, and the arguments that lead to it.

        Two times out of three a success, of an operation that has succeeded and been tried in vain seldom in this run (one of
        `Spec.seldom` seldomer); else one of the clauses that it has seen least often, if it is within reach, or
        whatever refusal of that operation was seen least.
        """
        chance = self.chance
        if chance.random() < 2 / 3:
            for _ in range(TRIES):
                (name,) = chance.choices(self._names, self._weights)
                found = self._reach(name, EFFECTIVE, strangers=False)
                for exit in EFFECTIVE:
                    if exit in found.calls:
                        return self._going_for(name, exit, found)
                self._vain[name] += 1
                self._weights[self._at[name]] = self._weight(name)
        seen = self.session.clauses
        for number in itertools.count(1):
            clause = min(chance.choices(self.targets, k=HANDFUL), key=lambda c: seen[c])
            name, _, exit = clause.partition("/")
            found = self._reach(name, (exit,), strangers=True)
            if exit in found.calls or (number >= TRIES and found.calls):
                break
        exit = exit if exit in found.calls else min(found.calls, key=lambda e: seen[f"{name}/{e}"])
        return self._going_for(name, exit, found)

    def _going_for(self, name: str, exit: str, found: Reach) -> tuple[tuple[str, str], dict[str, Any]]:
        arguments = found.arguments(self.chance.choice(found.calls[exit]))
        return (name, exit), self.session.handles(name, arguments, self.chance)

    def _reach(
        self, name: str, wanted: Collection[str], *, strangers: bool, sample: int = SAMPLE
    ) -> Reach:
        """By exit, some calls of an operation that lead to it now: a sample of all with live elements, and with `strangers` also
        a dead, foreign or never-issued handle a sort; no more once one leads to an exit that is wanted."""
        choices = self.session.choices(name, strangers=strangers)
        size = math.prod(map(len, choices.values()))
        numbers = self._drawn(size, min(size, sample))
        reach = Reach(choices)
        for number, exit in zip(numbers, self.session.reach(name, choices, numbers, wanted), strict=False):
            reach.calls.setdefault(exit, []).append(number)
        return reach

    def _drawn(self, size: int, count: int) -> list[int]:
        """So many different numbers below `size`, in no order; of many, some may come twice, which is sooner drawn."""
        if size <= 2 * count:
            return self.chance.sample(range(size), count)
        draw = self.chance.random
        return [int(draw() * size) for _ in range(count)]
