"""Which calls depend on each other: those that cannot be shown to commute, in whatever order all others take effect.

Each open call is tried in the state at hand.  What it comes to is a function of what it read, so a call alone can only come to
something else after another has written that; calls of which one writes what another reads or writes make a group, and what a
group may read and write is found by trying all its orders.  Groups that then touch nothing of each other are independent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...model.concrete import Cell, Question
from .history import Called, Settled
from .trying import Tried, Trying

TOGETHER = 100
"""How many ways to order calls that depend on each other alone are looked at before they are taken to depend on all."""


@dataclass
class Group:
    """Calls that depend on each other: what they may read and write, however they are ordered."""

    calls: list[Called]
    read: set[Cell] = field(default_factory=set)
    asked: dict[Cell, dict[Question, Any]] = field(default_factory=dict)
    written: dict[Cell, list[Any]] = field(default_factory=dict)

    @staticmethod
    def alone(call: Called, ways: list[Tried]) -> Group:
        """A call alone, in all the ways in which it can be made now."""
        known: Group | None = ways[0].alone if len(ways) == 1 else None
        if known is not None:
            return known
        group = Group([call])
        for tried in ways:
            group.add(tried)
        if len(ways) == 1:
            ways[0].alone = group
        return group

    def joined(self, other: Group) -> Group:
        """Two groups made one."""
        whole = Group([*self.calls, *other.calls], self.read | other.read)
        for group in (self, other):
            for cell, questions in group.asked.items():
                whole.asked.setdefault(cell, {}).update(questions)
            for cell, values in group.written.items():
                whole.written.setdefault(cell, []).extend(values)
        return whole

    def add(self, tried: Tried) -> None:
        self.read.update(tried.notes.read)
        for cell, questions in tried.notes.asked.items():
            self.asked.setdefault(cell, {}).update(questions)
        if tried.wrong is None:
            for cell, value in tried.notes.written.items():
                self.written.setdefault(cell, []).append(value)


def needed(here: Trying, target: Called | Settled) -> list[Called]:
    """The open calls on which it may depend whether `target` can be explained: those that cannot be shown to commute with it,
    and with all that it needs."""
    calls = here.open_calls()
    settling = [settle for settle, is_done in here.settling.now() if not is_done and settle is not target]
    asking = [(*item.due, *item.others) if isinstance(item, Settled) else (item,) for item in (target, *settling)]
    own = [Group([], {(here.status, call) for call in asked}) for asked in asking]
    groups = [*own, *(Group.alone(call, here.tries(call)) for call in calls)]
    while True:
        merged = _merged(here, groups)
        if len(merged) == len(groups):
            return groups[0].calls
        for group in merged:
            if len(group.calls) == len(calls) or (len(group.calls) > 1 and not _explore(here, group)):
                return calls
        groups = merged


def _merged(here: Trying, groups: list[Group]) -> list[Group]:
    """Groups that cannot be shown to commute, made one."""
    writers: dict[Cell, list[int]] = {}
    for number, group in enumerate(groups):
        for cell in group.written:
            writers.setdefault(cell, []).append(number)
    of = list(range(len(groups)))

    def root(number: int) -> int:
        while of[number] != number:
            number = of[number]
        return number

    for number, group in enumerate(groups):
        for cell in (*group.read, *group.written):
            for writer in writers.get(cell, ()):
                if (one := root(writer)) != (other := root(number)):
                    of[max(one, other)] = min(one, other)
        for cell, questions in group.asked.items():
            for writer in writers.get(cell, ()):
                if (one := root(writer)) != (other := root(number)) and _changes(here, cell, groups[writer], questions):
                    of[max(one, other)] = min(one, other)
    for number, group in enumerate(groups):
        if of[number] != number:
            groups[root(number)] = groups[root(number)].joined(group)
    return [group for number, group in enumerate(groups) if of[number] == number]


def _changes(here: Trying, cell: Cell, writer: Group, questions: dict[Question, Any]) -> bool:
    """Whether what a group writes to a cell changes the answer to a question about it."""
    for value in writer.written[cell]:
        other = here.model.put(here.vector, {cell: value})
        if any(here.model.answer(question, other) != answer for question, answer in questions.items()):
            return True
    return False


def _explore(here: Trying, group: Group) -> bool:
    """Note what the calls of a group may read and write in any order.  False if there are too many."""
    left = TOGETHER

    def go(calls: list[Called]) -> bool:
        nonlocal left
        for call in calls:
            for tried in here.tries(call):
                left -= 1
                if left < 0:
                    return False
                group.add(tried)
                if tried.wrong is None:
                    moment = here.moment()
                    here.apply(tried)
                    whole = go([c for c in calls if c is not call])
                    here.back_to(moment)
                    if not whole:
                        return False
        return True

    return go(list(group.calls))
