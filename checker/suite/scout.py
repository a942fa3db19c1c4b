"""Ways to what no exploration comes to: the model is walked at random in the scope of fuzzing, and each way made short.

An exploration is exhaustive, and so small; what takes two guests, a second message and a file at once lies outside of all of
them.  A walk looks at every state what could be called there, so that it finds what is one call away, and goes on by what it has
done least.  What a walk has found is made again with ever fewer calls.  A seed makes it the same on every machine.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.concrete import Model, Outcome, Vector, picked
from ...model.graph import with_fresh_names
from ...model.language import EFFECTIVE, Action, Slot, Step
from ...model.recording import causes
from .more import SEVERAL, WITH, given_to, lent, lives, living, more_of, named, replayed
from .remade import Made, shortest, together
from .shown import Shown

PATIENCE, LESS = 100, 10
"""In how many states it is looked for an operation's causes before it is done in half of them only; and for those that come with
a handle that lives, of which there are many more."""

LONG = 40
"""How many calls a walk takes after its opening."""

SAMPLE = 64
"""Of how many calls of an operation it is tried where they lead."""

TRIED = 4
"""Of how many calls that are refused it is seen whether they are so for one cause alone."""


@dataclass(frozen=True)
class Found:
    """A short way: the calls, and all that they come to, in order."""

    calls: tuple[Step, ...]
    clauses: tuple[str, ...]
    targets: frozenset[str]


def _targets(model: Model, action: Action, vector: Vector, arguments: Mapping[str, Any], outcome: Outcome) -> set[str]:
    """All that a call comes to beside its clause."""
    return {
        *named(model, action, vector, arguments, outcome.exit),
        *given_to(model, action, vector, arguments, outcome),
        *more_of(model, action, vector, outcome),
    }


@dataclass
class _Open:
    """What is still looked for of an operation: targets, each with the exit and the bit of its cause; those of one `slot` have a
    handle there that lives.  `vain` says in how many states nothing was found."""

    action: Action
    slot: Slot | None
    left: list[tuple[str, str, int]]
    vain: int = 0


class Scout:
    """Looks for ways to targets: causes, and what `given_to` and `more_of` tell.  Walks begin with an opening of the spec, or
    with one of some `ways`, or with what was found."""

    def __init__(self, model: Model, operations: Collection[str], ways: Collection[Sequence[Step]] = (), seed: int = 0) -> None:
        self.model, self.spec = model, model.spec
        spec = self.spec
        self.actions = {name: action for name, action in spec.actions.items() if name in operations}
        openings = (calls for calls in (*spec.openings.values(), *ways) if {name for name, _ in calls} <= set(self.actions))
        self.openings: list[Sequence[Step]] = [(), *openings]
        self.chance = random.Random(seed)
        self.causes = causes(spec)
        self.done: Counter[str] = Counter()
        self._open: list[_Open] = []
        for name, action in self.actions.items():
            every = [(str(cause), cause.exit, 1 << number) for number, cause in enumerate(self.causes[name].all)]
            self._open.append(_Open(action, None, every))
            for slot in lent(model, action):
                refused = [(living(cause, slot), exit, bit) for cause, exit, bit in every if exit not in EFFECTIVE]
                self._open.append(_Open(action, slot, refused))

    def found(self, known: set[str], walks: int) -> Iterator[Found]:
        """Short ways to targets that are not `known`; each is added to it."""
        for number in range(walks):
            opening = self.openings[number % len(self.openings)]
            if number % 2:
                opening = together(self.model, opening, self.chance.choice(self.openings))
            for walked, wanted in self._walk(opening, known):
                if wanted not in known:
                    found = self._shortest(walked, wanted)
                    known |= found.targets
                    if WITH not in wanted:
                        # the same way with another value would lead to where the other does
                        self.openings.append(found.calls)
                    yield found

    def kept(self, known: set[str], ways: Iterable[list[Made]]) -> Iterator[Found]:
        """Of some ways those that come to targets that are not `known`; these are added to it."""
        for made in ways:
            found = self._told(made)
            news = found.targets - known
            if news:
                known |= news
                if not all(WITH in target for target in news):
                    self.openings.append(found.calls)
                yield found

    def come_to(self, model: Model, calls: Sequence[Step]) -> frozenset[str]:
        """All targets that some calls come to, in a scope of their own."""
        made = replayed(model, calls)
        return frozenset(target for call in made for target in _targets(model, *call))

    def _walk(self, opening: Sequence[Step], known: set[str]) -> Iterator[tuple[list[Step], str]]:
        vector, walked = self.model.initial(), list[Step]()
        self._restart()
        for step in with_fresh_names(self.model, list(opening)):
            vector, targets = self._stepped(vector, step, walked)
            for target in sorted(targets - known):
                yield list(walked), target
        for _ in range(LONG):
            for step, target in self._within_reach(vector, known):
                yield [*walked, step], target
            following = self._next(vector)
            if following is None:
                return
            vector, targets = self._stepped(vector, following, walked)
            for target in sorted(targets - known):
                yield list(walked), target

    def _restart(self) -> None:
        self.shown = Shown(self.model)

    def _stepped(self, vector: Vector, step: Step, walked: list[Step]) -> tuple[Vector, set[str]]:
        walked.append(step)
        after, outcome, targets = self._made(vector, step)
        self.shown.after(self.spec.actions[step[0]], vector, outcome)
        self.done[step[0]] += 1
        return after, targets

    def _made(self, vector: Vector, step: Step) -> tuple[Vector, Outcome, set[str]]:
        action = self.spec.actions[step[0]]
        outcome = self.model.step(action, vector, step[1])
        return outcome.state, outcome, _targets(self.model, action, vector, step[1], outcome)

    def _drawn(self, choices: dict[str, list[Any]]) -> list[int]:
        size = math.prod(map(len, choices.values()))
        if size <= SAMPLE:
            return list(range(size))
        return [int(self.chance.random() * size) for _ in range(SAMPLE)]

    def _within_reach(self, vector: Vector, known: set[str]) -> Iterator[tuple[Step, str]]:
        """Calls that come to a cause that is not known, or to one with a handle that lives, one an operation and exit.  What was
        looked for in vain in many states is looked for in fewer of them."""
        unused = self.model.unused(vector)
        for each in self._open:
            patience = PATIENCE if each.slot is None else LESS
            if self.chance.random() > patience / (patience + each.vain):
                continue
            each.left = left = [target for target in each.left if target[0] not in known]
            if not left:
                continue
            each.vain += 1
            action, slot = each.action, each.slot
            choices = self.shown.calls(action, vector, unused)
            if slot is not None:
                choices[slot.name] = [one for one in choices[slot.name] if lives(unused, slot, one)]
            numbers = self._drawn(choices)
            by_exit: dict[str, int] = {}
            for _, exit, bit in left:
                by_exit[exit] = by_exit.get(exit, 0) | bit
            for exit, bits in by_exit.items():
                for arguments in self._coming(each, vector, choices, numbers, exit, bits):
                    came = self.model.came(action, vector, arguments, exit)
                    for cause in self.causes[action.name].named(came & bits):
                        target = cause if slot is None else living(cause, slot)
                        if target not in known:
                            each.vain = 0
                            yield (action.name, arguments), target

    def _coming(
        self, open: _Open, vector: Vector, choices: dict[str, list[Any]], numbers: list[int], exit: str, bits: int
    ) -> Iterator[dict[str, Any]]:
        """The first call that comes to an exit for one of these causes; with a handle that lives, for that cause alone."""
        begin = 0
        for _ in range(1 if open.slot is None else TRIED):
            exits = self.model.foreseen(open.action, vector, choices, numbers[begin:], (exit,), bits)
            if not exits or exits[-1] != exit:
                return
            begin += len(exits)
            arguments = picked(choices, numbers[begin - 1])
            if open.slot is None or len(self.model.refusals(open.action, vector, arguments, SEVERAL)) == 1:
                yield arguments
                return

    def _next(self, vector: Vector) -> Step | None:
        unused = self.model.unused(vector)
        names = list(self.actions)
        weights = [(0.1 if n in self.spec.seldom else 1.0) / (1 + self.done[n]) for n in names]
        for _ in range(20):
            (name,) = self.chance.choices(names, weights)
            action = self.spec.actions[name]
            choices = self.shown.calls(action, vector, unused)
            numbers = self._drawn(choices)
            self.chance.shuffle(numbers)
            exits = self.model.foreseen(action, vector, choices, numbers, EFFECTIVE)
            if exits and exits[-1] in EFFECTIVE:
                return name, picked(choices, numbers[len(exits) - 1])
            self.done[name] += 0.2  # type: ignore[assignment]
        return None

    def _shortest(self, walked: Sequence[Step], wanted: str) -> Found:
        made = shortest(self.model, walked, lambda made: wanted in _targets(self.model, *made[-1]))
        assert made is not None
        return self._told(made)

    def _told(self, made: Sequence[Made]) -> Found:
        clauses: list[str] = []
        targets: set[str] = set()
        for action, vector, arguments, outcome in made:
            come_to = _targets(self.model, action, vector, arguments, outcome)
            clauses.append(f"{action.name}/{outcome.exit}")
            clauses += [target.rpartition(" by ")[0] for target in sorted(come_to) if " by " in target]
            targets |= come_to
        calls = tuple((action.name, arguments) for action, _, arguments, _ in made)
        return Found(calls, tuple(dict.fromkeys(clauses)), frozenset(targets))
