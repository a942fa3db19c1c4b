"""Ends of what belongs together, and the same made once more: what was kept of the former meets what came after.

An implementation that keeps something of what has ended (an entry by its number, a flag of its owner, a peer that is not told)
shows it only where more of the same stands beside it, ends later, or takes its place.  That takes many calls in the right order,
which are seldom drawn one by one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...model.concrete import picked
from ...model.language import EFFECTIVE, OK, Slot, Type
from ..session import Session
from ..suite import renamed

STEPS = (1, 1, 2, 2, 3)
"""How many ends there are in a turn, each as likely."""

REMADE = 1 / 2
"""How often what has ended is made once more, at once."""

AMONG = 2
"""Among how many things that is chosen which took part in most calls: what others belong to."""

WHOLE = 1 / 2
"""How often what they belong to ends after them."""

SAMPLE = 12
"""How many calls of an operation are tried for one that ends something."""

DEEDS = 8
"""How many of the calls that made something what it is are made again."""

Element = tuple[Type, int]


class Lives:
    """What took part in which calls of a run; `make` makes a call."""

    def __init__(self, session: Session, chance: random.Random, make: Callable[[str, Mapping[str, Any]], str]) -> None:
        self.session, self.chance, self.make = session, chance, make
        self.made: list[tuple[str, dict[str, Any]]] = []
        """The effective calls, in the model's values."""
        self._constants = {(kind, int(each)) for kind in session.spec.unused for each in kind.constants}
        self._takers: dict[Type, list[tuple[str, str]]] = {}
        for action in session.actions.values():
            for slot in action.slots:
                if slot.type in session.spec.unused and not (slot.fresh or slot.subset):
                    self._takers.setdefault(slot.type, []).append((action.name, slot.name))

    def note(self, name: str, values: Mapping[str, Any]) -> None:
        """Take note of an effective call."""
        self.made.append((name, dict(values)))

    def given(self, name: str, slot: Slot) -> list[int]:
        """What lives of that which an operation gave out."""
        unused = self.session.model.unused(self.session.vector)[slot.type]
        return [e for e in dict.fromkeys(v[slot.name] for n, v in self.made if n == name) if e and not unused >> e & 1]

    def turn(self) -> None:
        """End some of what took part in calls with something, make some of it once more, and end that."""
        live = self._live()
        if not live:
            return
        one = max(self.chance.choices(live, k=AMONG), key=lambda e: sum(e in self._named(*call) for call in self.made))
        together = {each for each in self._with(one) if each in live} - self._constants - {one}
        for _ in range(self.chance.choice(STEPS)):
            if not together:
                break
            ended = self.chance.choice(sorted(together, key=lambda e: (e[0].__name__, e[1])))
            together.discard(ended)
            before = self._deeds(ended)
            if self._end(ended) and self.chance.random() < REMADE:
                self._remake(ended, before)
        if one not in self._constants and self.chance.random() < WHOLE:
            self._end(one)

    def _live(self) -> list[Element]:
        unused = self.session.model.unused(self.session.vector)
        found = dict.fromkeys(e for name, values in self.made for e in self._named(name, values))
        return [e for e in found if not unused[e[0]] >> e[1] & 1]

    def _named(self, name: str, values: Mapping[str, Any]) -> Iterator[Element]:
        for slot in self.session.actions[name].slots:
            if slot.type in self.session.spec.unused and not slot.subset and values[slot.name]:
                yield slot.type, values[slot.name]

    def _with(self, one: Element) -> Iterator[Element]:
        """What took part in a call with something."""
        for name, values in self.made:
            named = list(self._named(name, values))
            if one in named:
                yield from named

    def _deeds(self, one: Element) -> list[tuple[str, dict[str, Any]]]:
        """The calls in which something took part since it was given out, that one included."""
        found: list[tuple[str, dict[str, Any]]] = []
        for name, values in self.made:
            if one in self._named(name, values):
                born = any(s.fresh and (s.type, values[s.name]) == one for s in self.session.actions[name].slots)
                found = [(name, values)] if born else [*found, (name, values)]
        return found[:DEEDS]

    def _end(self, one: Element) -> bool:
        """Make a call that ends something, or of those given it the one that ends most of the rest; whether there was one."""
        session, (kind, element) = self.session, one
        takers = self._takers.get(kind, [])
        free, most = _free(session.model.unused(session.vector)), 0
        chosen: tuple[str, dict[str, Any]] | None = None
        for name, taken in self.chance.sample(takers, len(takers)):
            choices = session.choices(name, strangers=False) | {taken: [element]}
            size = math.prod(map(len, choices.values()))
            if not size:
                continue
            action = session.actions[name]
            numbers = self.chance.sample(range(size), min(size, SAMPLE))
            exits = session.reach(name, choices, numbers, ())
            for number in (n for n, exit in zip(numbers, exits, strict=True) if exit == OK):
                values = picked(choices, number)
                after = session.model.step(action, session.vector, {**values, **session.fresh(action)}).state
                unused = session.model.unused(after)
                if unused[kind] >> element & 1:
                    self.make(name, values)
                    return True
                if _free(unused) - free > most:
                    most, chosen = _free(unused) - free, (name, values)
        if chosen is not None:
            self.make(*chosen)
        return chosen is not None

    def _remake(self, one: Element, deeds: list[tuple[str, dict[str, Any]]]) -> None:
        """Make calls again in which something took part, with what is given out now in its place."""
        names: dict[Element, int] = {}
        for name, values in deeds:
            self.again(name, values, names)

    def again(self, name: str, values: Mapping[str, Any], names: dict[Element, int]) -> None:
        """Make a call once more if it takes effect, with other `names` for what it is given, to which what it gives is added."""
        session = self.session
        action = session.actions[name]
        made = renamed(session.model, action, session.vector, values, names)
        given = {s.name: made[s.name] for s in action.slots if not s.fresh}
        fresh = session.fresh(action)
        ((_, exit),) = session.foresee(name, [given])
        if exit in EFFECTIVE:
            self.make(name, given)
            names |= {(s.type, values[s.name]): fresh[s.name] for s in action.slots if s.fresh and fresh[s.name]}


def _free(unused: Mapping[Type, int]) -> int:
    return sum(each.bit_count() for each in unused.values())
