"""What a run of fuzzing goes for next."""

from __future__ import annotations

import contextlib
import itertools
import math
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ...model.language import EFFECTIVE
from ..errors import Unsupported
from ..session import Session

SAMPLE, LARGE_SAMPLE = 60, 200
"""Of how many calls of an operation it is tried where they lead; and of how many with live elements, when a run begins."""

TRIES = 6
HANDFUL = 12
FEW = 4


class Aim:
    """What a run goes for next.  It depends on this run alone, so that Hypothesis can make a run again, another day too."""

    def __init__(self, session: Session, chance: random.Random, targets: Sequence[str]) -> None:
        self.session, self.chance, self.targets = session, chance, targets
        self.successes: Counter[str] = Counter()
        self._vain: Counter[str] = Counter()

    def sweep(self) -> None:
        """Try every operation in every way that is refused now: what was just done may have left a door open somewhere."""
        for name in self.chance.sample(list(self.session.actions), len(self.session.actions)):
            among_live, among_all = (
                self._reach(name, (), strangers=False, sample=LARGE_SAMPLE),
                self._reach(name, (), strangers=True),
            )
            for exit, calls in (among_all | among_live).items():
                if exit not in EFFECTIVE:
                    for arguments in self.chance.sample(calls, min(FEW, len(calls))):
                        with contextlib.suppress(Unsupported):
                            self.session.compare(name, self.session.handles(name, arguments, self.chance))

    def choose(self) -> tuple[tuple[str, str], dict[str, Any]]:
        """The clause to go for now, as operation and exit, and the arguments that lead to it.

        Two times out of three a success, of an operation that has succeeded and been tried in vain seldom in this run (one of
        `Spec.seldom` seldomer); else one of the clauses that it has seen least often, if it is within reach, or
        whatever refusal of that operation was seen least.
        """
        chance, names = self.chance, list(self.session.actions)
        if chance.random() < 2 / 3:
            for _ in range(TRIES):
                rare = [1 / (1 + self.successes[n] + self._vain[n] / 2) for n in names]
                weights = [w / 4 if n in self.session.spec.seldom else w for n, w in zip(names, rare, strict=True)]
                (name,) = chance.choices(names, weights)
                found = self._reach(name, EFFECTIVE, strangers=False)
                for exit in EFFECTIVE:
                    if exit in found:
                        return self._going_for(name, exit, found)
                self._vain[name] += 1
        seen = self.session.clauses
        for number in itertools.count(1):
            clause = min(chance.choices(self.targets, k=HANDFUL), key=lambda c: seen[c])
            name, _, exit = clause.partition("/")
            found = self._reach(name, (exit,), strangers=True)
            if exit in found or (number >= TRIES and found):
                break
        return self._going_for(name, exit if exit in found else min(found, key=lambda e: seen[f"{name}/{e}"]), found)

    def _going_for(self, name: str, exit: str, found: dict[str, list[dict[str, Any]]]) -> tuple[tuple[str, str], dict[str, Any]]:
        arguments = self.chance.choice(found[exit])
        return (name, exit), self.session.handles(name, arguments, self.chance)

    def _reach(
        self, name: str, wanted: Collection[str], *, strangers: bool, sample: int = SAMPLE
    ) -> dict[str, list[dict[str, Any]]]:
        """By exit, some calls of an operation that lead to it now: a sample of all with live elements, and with `strangers` also
        a dead, foreign or never-issued handle a sort; no more once one leads to an exit that is wanted."""
        session = self.session
        choices = session.choices(name, strangers=strangers)
        size = math.prod(map(len, choices.values()))

        def drawn() -> Iterator[dict[str, Any]]:
            for number in self.chance.sample(range(size), min(size, sample)):
                rest, arguments = number, {}
                for slot, values in choices.items():
                    rest, index = divmod(rest, len(values))
                    arguments[slot] = values[index]
                yield arguments

        reach: dict[str, list[dict[str, Any]]] = {}
        for arguments, exit in session.foresee(name, drawn()):
            reach.setdefault(exit, []).append(arguments)
            if exit in wanted:
                break
        return reach
