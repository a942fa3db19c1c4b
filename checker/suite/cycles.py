"""Cycles: calls after which everything is as it was before them, to be made many times over.

What wraps, drifts or runs out little by little is not seen in a sequence of a hundred calls: an index at 16, a counter of eight
bits, a page that is not given back.  A cycle is found where a walk comes back to a state, and made short.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ...model.concrete import Model, Vector
from ...model.graph import with_fresh_names
from ...model.language import EFFECTIVE, Step
from .scout import Scout

FEW = 5
"""How many operations a walk is made of: with more it seldom comes back."""

STEPS = 40


@dataclass(frozen=True)
class Cycle:
    """The calls that lead to a state, and calls that lead from it to itself."""

    before: tuple[Step, ...]
    calls: tuple[Step, ...]


class Cyclist(Scout):
    """Looks for a cycle through each operation that takes effect in one."""

    def cycles(self, walks: int) -> list[Cycle]:
        """The cycles found, the shortest that was come to for each operation; no operation stands in more than it must."""
        best: dict[str, Cycle] = {}
        names = list(self.actions)
        rooms = {name: [n for n in names if self.spec.room(n) == self.spec.room(name)] for name in names}
        for number in range(walks):
            opening = self.openings[number % len(self.openings)]
            missing = [name for name in names if name not in best] or names
            aim = self.chance.choice(missing)
            mates = [*self.chance.sample(rooms[aim], min(FEW, len(rooms[aim]))), *self.chance.sample(names, 2), aim]
            for cycle in self._cycles_of(opening, mates):
                for name in {name for name, _ in cycle.calls}:
                    if name not in best or len(cycle.calls) < len(best[name].calls):
                        best[name] = cycle
        return _fewest(best)

    def _cycles_of(self, opening: Sequence[Step], names: Collection[str]) -> list[Cycle]:
        all_, self.actions = self.actions, {name: self.actions[name] for name in dict.fromkeys(names)}
        try:
            return self._walked(opening)
        finally:
            self.actions = all_

    def _walked(self, opening: Sequence[Step]) -> list[Cycle]:
        self._restart()
        vector, walked = self.model.initial(), list[Step]()
        for step in with_fresh_names(self.model, list(opening)):
            after = self._after(vector, step)
            if after != vector:
                walked.append(step)
            vector = after
        at, found = {vector: len(walked)}, list[Cycle]()
        for _ in range(STEPS):
            step_ = self._next(vector)
            if step_ is None:
                break
            after = self._after(vector, step_)
            if after == vector:
                continue
            vector = after
            walked.append(step_)
            start = at.setdefault(vector, len(walked))
            if start < len(walked):
                found.append(self._made_short(walked[:start], walked[start:]))
                at = {known: number for known, number in at.items() if number <= start}
                del walked[start:]
        return found

    def _after(self, vector: Vector, step: Step) -> Vector:
        action = self.spec.actions[step[0]]
        outcome = self.model.step(action, vector, step[1])
        self.shown.after(action, vector, outcome)
        self.done[step[0]] += 1
        return outcome.state

    def _made_short(self, before: list[Step], calls: list[Step]) -> Cycle:
        """A cycle without what it can do without: first calls of its own, then calls before it."""
        for part, most in ((calls, 1), (before, -1)):
            number = len(part) - 1
            while number >= 0 and len(part) > most:
                call = part.pop(number)
                if not returns(self.model, before, calls):
                    part.insert(number, call)
                number -= 1
        return Cycle(tuple(before), tuple(calls))


def returns(model: Model, before: Sequence[Step], calls: Sequence[Step]) -> bool:
    """Whether calls all take effect, name what was given out as it is, and lead back to where they began."""
    vector = model.initial()
    start = vector
    changed = False
    for number, (name, arguments) in enumerate([*before, *calls]):
        if number == len(before):
            start = vector
        action = model.spec.actions[name]
        if any(model.fresh(vector, s.type) != arguments[s.name] for s in action.slots if s.fresh):
            return False
        outcome = model.step(action, vector, arguments)
        if outcome.exit not in EFFECTIVE:
            return False
        changed |= number >= len(before) and outcome.state != vector
        vector = outcome.state
    return changed and vector == start


def _fewest(best: dict[str, Cycle]) -> list[Cycle]:
    """Cycles in which every operation stands that stands in one: of those that hold most that is missing, the shortest."""
    missing, chosen = set(best), list[Cycle]()
    while missing:
        cycle = min(
            best.values(), key=lambda c: (-len(missing & {n for n, _ in c.calls}) / len(c.calls), len(c.calls), str(c))
        )
        chosen.append(cycle)
        missing -= {name for name, _ in cycle.calls}
    return chosen

