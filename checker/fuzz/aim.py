"""What a run of fuzzing goes for next."""

from __future__ import annotations

import contextlib
import itertools
import math
import random
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...model.concrete import Model, Vector, picked
from ...model.language import EFFECTIVE, OK, Spec, Step, Type
from ...model.recording import causes
from ..errors import Unsupported
from ..session import Session, kinds
from .detours import Detours
from .lives import Lives

SAMPLE, LARGE_SAMPLE = 60, 200
"""Of how many calls of an operation it is tried where they lead; and of how many with live elements, when a run begins."""

LOOKED_AFTER = 1 / 3
"""How often it is looked after a call."""

TRIES = 6
HANDFUL = 12
FEW = 4
TURNS, MOST_DUE = 6, 24
"""How many operations a handle that has died is given to; and how many such turns are waited for at most."""

LOOKED, LOOK_SAMPLE, NEARER = 2, 16, 3
"""How many calls that change nothing are made where it is looked after a call, chosen among how many of an operation; and how
much rather about what the call was about."""

KNOCKED, BESIDES = 6, 2
"""About how many of the things that a call has changed calls are made that are to be refused, and about how many others of their
sorts."""

Target = tuple[str, int, str]
"""A cause: its operation, its number among the operation's, and its exit."""


def targets(spec: Spec, without: Collection[str] = ()) -> list[Target]:
    """The causes of a spec, but for those of some operations."""
    known = {name: each for name, each in causes(spec).items() if name not in without}
    return [(name, number, cause.exit) for name, each in known.items() for number, cause in enumerate(each.all)]


def changed(model: Model, before: Vector, after: Vector) -> list[tuple[Type, int]]:
    """The elements of which something is otherwise than it was."""
    found: dict[tuple[Type, int], None] = {}
    for component, was, now in zip(model.components, before, after, strict=True):
        if was != now and component.kind != "parameter":
            for key in model.keys(component):
                at = model.index(component, key)
                if was[at] != now[at]:
                    found |= dict.fromkeys(zip(component.keys, key, strict=True))
    return list(found)


@dataclass
class Reach:
    """Calls of an operation by what they come to now, each as a number that picks its arguments out of `choices`."""

    choices: dict[str, list[Any]]
    calls: dict[str, list[int]] = field(default_factory=dict)
    hit: bool = False
    """Whether the last call comes to what is wanted for the cause that is wanted."""

    def arguments(self, number: int) -> dict[str, Any]:
        """The arguments of a call."""
        return picked(self.choices, number)


class Aim:
    """What a run goes for next.  It depends on this run alone, so that Hypothesis can make a run again, another day too.  What is
    known to be `failing`, clauses, shows nothing of other calls.  In one that is `living` refusals are asked for after calls."""

    def __init__(
        self,
        session: Session,
        chance: random.Random,
        targets: Sequence[Target],
        failing: Collection[str] = (),
        ways: Sequence[Sequence[Step]] = (),
        living: bool = True,
    ) -> None:
        # Hypothesis' own takes ten times as long for a number
        self.session, self.chance, self.targets = session, random.Random(chance.getrandbits(64)), targets
        self.failing, self.living = failing, living
        self.seen: Counter[tuple[str, int]] = Counter()
        self._due: deque[tuple[str, str, str]] = deque(maxlen=MOST_DUE)
        self._looks = [name for name in kinds(session.spec).looks if name in session.actions]
        self._marks = [name for name in kinds(session.spec).marks if name in session.actions]
        self._takers: dict[Any, list[tuple[str, str]]] = {}
        for action in session.actions.values():
            for slot in action.slots:
                if not slot.fresh and not slot.subset:
                    self._takers.setdefault(slot.type, []).append((action.name, slot.name))
        self.successes: Counter[str] = Counter()
        self._vain: Counter[str] = Counter()
        self._names = list(session.actions)
        self._weights = [self._weight(name) for name in self._names]
        self._at = {name: at for at, name in enumerate(self._names)}
        self.lives = Lives(session, self.chance, self._make)
        self.detours = Detours(session, self.chance, ways, self.lives)
        self._coming: tuple[str, dict[str, Any]] = "", {}

    def made(self, name: str, exit: str, values: Mapping[str, Any] | None = None) -> bool:
        """Take note of a call that was made, with `values` that can be made again, and of the handles that died by it; whether a
        cause of it is new to this run."""
        if values is not None and exit in EFFECTIVE:
            self.lives.note(name, values)
        came = self.session.had_last
        news = any(came >> number & 1 and not self.seen[name, number] for number in range(came.bit_length()))
        self.seen.update((name, number) for number in range(came.bit_length()) if came >> number & 1)
        if exit in EFFECTIVE:
            self.successes[name] += 1
            self._weights[self._at[name]] = self._weight(name)
        for kind, handle in self.session.buried:
            takers = self._takers.get(kind, ())
            for operation, slot in self.chance.sample(takers, min(TURNS, len(takers))):
                self._due.append((operation, slot, handle))
        return news

    def _weight(self, name: str) -> float:
        """How much an operation is to be gone for: the less, the more often it has succeeded or been tried in vain."""
        if name in self.session.unsupported:
            return 0
        rare = 1 / (1 + self.successes[name] + self._vain[name] / 2)
        return rare / 4 if name in self.session.spec.seldom else rare

    def look_after(self, name: str, given: Mapping[str, Any]) -> None:
        """Ask after a call what changes nothing, mostly about what it was given and has answered: of what it has done, and of
        what it must not have done."""
        if not self._looks:
            return
        session, chance = self.session, self.chance
        about: dict[Any, list[int]] = {}
        answered = next(call.answer for call in reversed(session.recorded) if not call.probe)
        told = answered.get("ok") if answered else None
        for text in (*given.values(), *(told.values() if isinstance(told, dict) else [told])):
            for kind, names in session.names.items():
                if isinstance(text, str) and text in names.element:
                    about.setdefault(kind, []).append(names.element[text])
        data = [s for s in session.actions[name].slots if s.name in given and not (s.subset or s.type in session.names)]
        same = {s.type: [given[s.name]] for s in data}
        near = {look: sum(s.type in about for s in session.actions[look].slots) + chance.random() for look in self._looks}
        nearest = sorted(near, key=lambda look: -near[look])
        for look in nearest[:LOOKED]:
            choices = session.choices(look, strangers=False)
            for slot in session.actions[look].slots:
                if values := about.get(slot.type) or same.get(slot.type):
                    choices[slot.name] = [*choices[slot.name], *values * NEARER]
            size = math.prod(map(len, choices.values()))
            if not size:
                continue
            numbers = self._drawn(size, min(size, LOOK_SAMPLE))
            exits = session.reach(look, choices, numbers, ())
            right = [number for number, exit in zip(numbers, exits, strict=True) if exit == OK]
            number = chance.choice(right if right and chance.random() < 3 / 4 else numbers)
            with contextlib.suppress(Unsupported):
                session.compare(look, session.handles(look, picked(choices, number), chance), probe=True)

    def knock(self, before: Vector) -> None:
        """Make calls that are to be refused, given what the last call has changed since `before`, or another of its sort, which
        it should not have touched: of much of a state nothing tells but a refusal."""
        session, chance = self.session, self.chance
        touched = [e for e in changed(session.model, before, session.vector) if e[0] in self._takers]
        asked = chance.sample(touched, min(KNOCKED, len(touched)))
        unused = session.model.unused(session.vector)
        for kind, _ in chance.sample(touched, min(BESIDES, len(touched))):
            live = [e for e in session.model.domain(kind) if e and not unused.get(kind, 0) >> e & 1]
            asked += [(kind, element) for element in live and [chance.choice(live)]]
        for kind, element in asked:
            takers = self._takers[kind]
            any(self._knock(name, {slot: [element]}) for name, slot in chance.sample(takers, min(FEW, len(takers))))

    def _knock(self, name: str, given: Mapping[str, list[Any]]) -> bool:
        """Make a call that is refused as late as can be, with some arguments given; whether there was one.  It is no probe: what
        it should not have done is its own fault."""
        session = self.session
        choices = {**session.choices(name, strangers=False), **given}
        size = math.prod(map(len, choices.values()))
        numbers = self._drawn(size, min(size, HANDFUL)) if size else []
        exits = session.reach(name, choices, numbers, ())
        last = session.causes[name].last
        refused = [at for at, exit in enumerate(exits) if exit not in EFFECTIVE and f"{name}/{exit}" not in self.failing]
        if refused:
            number = numbers[max(refused, key=lambda at: last.get(exits[at], -1))]
            with contextlib.suppress(Unsupported):
                session.compare(name, session.handles(name, picked(choices, number), self.chance))
        return bool(refused)

    def mark(self) -> None:
        """Write data somewhere, so that what is lost or scrubbed is missed."""
        for name in self.chance.sample(self._marks, len(self._marks)):
            found = self._reach(name, (OK,), strangers=False)
            if OK in found.calls:
                with contextlib.suppress(Unsupported):
                    self.session.compare(name, self.session.handles(name, found.arguments(found.calls[OK][-1]), self.chance))
                return

    def take_turn(self) -> bool:
        """If a handle has died lately, give it to an operation that takes one of its sort; whether there was one."""
        if not self._due or self.chance.random() < 1 / 2:
            return False
        name, slot, handle = self._due.popleft()
        session = self.session
        kind = next(s.type for s in session.actions[name].slots if s.name == slot)
        choices = session.choices(name, strangers=False) | {slot: [session.stranger(kind)]}
        size = math.prod(map(len, choices.values()))
        if size:
            numbers = self._drawn(size, min(size, FEW))
            last = session.causes[name].last
            exits = session.reach(name, choices, numbers, ())
            furthest = max(range(len(exits)), key=lambda n: last.get(exits[n], -1))
            given = session.handles(name, picked(choices, numbers[furthest]), self.chance) | {slot: handle}
            with contextlib.suppress(Unsupported):
                self.made(name, session.compare(name, given))
        return True

    def sweep(self, few: int = FEW) -> None:
        """Try every operation in every way that is refused now, a `few` times: what was just done may have left a door open
        somewhere."""
        for name in self.chance.sample(list(self.session.actions), len(self.session.actions)):
            among_live, among_all = (
                self._reach(name, (), strangers=False, sample=LARGE_SAMPLE),
                self._reach(name, (), strangers=True),
            )
            for exit, calls in (among_all.calls | among_live.calls).items():
                if exit not in EFFECTIVE:
                    found = among_live if exit in among_live.calls else among_all
                    for number in self.chance.sample(calls, min(few, len(calls))):
                        with contextlib.suppress(Unsupported):
                            self.session.compare(name, self.session.handles(name, found.arguments(number), self.chance))

    def choose(self) -> tuple[tuple[str, str], dict[str, Any]]:
        """The clause to go for now, as operation and exit, and the arguments that lead to it.

        Two times out of three a success, of an operation that has succeeded and been tried in vain seldom in this run (one of
        `Spec.seldom` seldomer); else one of the causes that it has seen least often, if it is within reach, or whatever exit of
        that operation was seen least.
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
        seen = self.seen
        for number in itertools.count(1):
            name, at, exit = min(chance.choices(self.targets, k=HANDFUL), key=lambda t: seen[t[:2]])
            found = self._reach(name, (exit,), strangers=True, because=1 << at)
            if found.hit or (number >= TRIES and found.calls):
                break
        if not found.hit:
            exit = exit if exit in found.calls else min(found.calls, key=lambda e: self.session.clauses[f"{name}/{e}"])
        return self._going_for(name, exit, found)

    def _going_for(self, name: str, exit: str, found: Reach) -> tuple[tuple[str, str], dict[str, Any]]:
        calls = found.calls[exit]
        arguments = found.arguments(calls[-1] if found.hit else self.chance.choice(calls))
        self._coming = name, arguments
        return (name, exit), self.session.handles(name, arguments, self.chance)

    def coming(self) -> dict[str, Any]:
        """The arguments of the call that was chosen, in the model's values, with what it would be given now."""
        name, arguments = self._coming
        return arguments | self.session.fresh(self.session.actions[name])

    def _make(self, name: str, values: Mapping[str, Any]) -> str:
        """Make a call for its own sake, and look after it."""
        session = self.session
        made = {**values, **session.fresh(session.actions[name])}
        given = session.handles(name, values, self.chance)
        before = session.vector
        exit = session.compare(name, given)
        self.made(name, exit, made)
        if self.chance.random() < LOOKED_AFTER:
            self.look_after(name, given)
        if self.living:
            self.knock(before)
        return exit

    def _reach(
        self, name: str, wanted: Collection[str], *, strangers: bool, sample: int = SAMPLE, because: int | None = None
    ) -> Reach:
        """By exit, some calls of an operation that lead to it now: a sample of all with live elements, and with `strangers` also
        a dead, foreign or never-issued handle a sort; no more once one leads to an exit that is wanted."""
        choices = self.session.choices(name, strangers=strangers)
        size = math.prod(map(len, choices.values()))
        numbers = self._drawn(size, min(size, sample))
        reach = Reach(choices)
        exits = self.session.reach(name, choices, numbers, wanted, because)
        for number, exit in zip(numbers, exits, strict=False):
            reach.calls.setdefault(exit, []).append(number)
        if because is not None and exits and exits[-1] in wanted:
            # the last may be the last of the sample, and for another reason
            arguments = reach.arguments(numbers[len(exits) - 1])
            reach.hit = bool(self.session.foreseen_causes(name, arguments, exits[-1]) & because)
        return reach

    def _drawn(self, size: int, count: int) -> list[int]:
        """So many different numbers below `size`, in no order; of many, some may come twice, which is sooner drawn."""
        if size <= 2 * count:
            return self.chance.sample(range(size), count)
        draw = self.chance.random
        return [int(draw() * size) for _ in range(count)]
