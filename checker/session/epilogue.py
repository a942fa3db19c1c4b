"""The end of a run: what calls before it have damaged, and nobody has looked at, shows there.

Everything is looked at that can be, what waits is taken out, all is given back, and all is taken again until it is refused: a
thing that was not given back is missed then, however small it is.  Which operations look, take, give and undo is read from the
recording of the specification, and from what the model says that they do.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...model.concrete import Model, Vector, picked
from ...model.language import EFFECTIVE, OK, SUSPENDED, Action, Spec, once
from ...model.recording import READS, Causes, Leaf, Node, Recorder, Write, trees
from ..errors import Unsupported

SAMPLE = 24
"""Of how many calls of an operation it is tried where they lead."""


@dataclass(frozen=True)
class Most:
    """How many calls of each operation that looks are made at once, and how many calls put, take, undo, fill and mark at most."""

    looks: int = 6
    put: int = 6
    taken: int = 40
    undone: int = 60
    filled: int = 100
    marked: int = 12


TRIED = 6
"""Of how many calls of an operation it is seen what they would change."""


@dataclass(frozen=True)
class Kinds:
    """The operations that change nothing and answer something; that change something and answer what they found; that give a
    name or write a number; that may end the life of something; that write nothing but data that they are given; and that put
    something in a line, without waiting there themselves."""

    looks: tuple[str, ...]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    undoes: tuple[str, ...]
    marks: tuple[str, ...]
    puts: tuple[str, ...]


@once
def kinds(spec: Spec) -> Kinds:
    """The operations of a spec by what they are good for at the end of a run."""
    looks, takes, gives, undoes, marks, puts = [], [], [], [], [], []
    recorder = Recorder(spec)
    lives = {n.args[1] for test in spec.unused.values() for n in recorder.statement(test)[1].within() if n.op in READS}
    numbers = {c.name for c in spec.components if c.value is int}
    for name, tree in trees(spec).items():
        answers = [part for block in tree.within() if isinstance(block.end, Leaf) for part in block.end.answer]
        fresh = {s.name for s in spec.actions[name].slots if s.fresh}
        if not tree.written:
            if answers:
                looks.append(name)
        elif any(not (isinstance(part, Node) and part.op == "arg" and part.args[0] in fresh) for part in answers):
            takes.append(name)
        if fresh or tree.written & numbers:
            gives.append(name)
        if any(_may_end(s) for block in tree.within() for s in block.statements if getattr(s, "component", "") in lives):
            undoes.append(name)
        data = {s.name for s in spec.actions[name].slots if s.type not in spec.unused and not s.fresh}
        writes = [s for block in tree.within() for s in block.statements if isinstance(s, Write)]
        if writes and all(s.value.op == "arg" and s.value.args[0] in data for s in writes):
            marks.append(name)
        pushes = any(getattr(s, "kind", "") == "push" for block in tree.within() for s in block.statements)
        if pushes and SUSPENDED not in tree.exits:
            puts.append(name)
    return Kinds(*map(tuple, (looks, takes, gives, undoes, marks, puts)))


def _may_end(write: Any) -> bool:
    """Whether a write may be the end of something's life: it clears a cell, or takes something out of a line."""
    return write.kind in ("remove", "drop") or (write.kind != "push" and write.value.op == "const" and not write.value.args[0])


MOST = Most()


class Running(Protocol):
    """What an epilogue asks of a session."""

    spec: Spec
    model: Model
    actions: dict[str, Action]
    unsupported: set[str]
    probing: bool
    causes: dict[str, Causes]

    @property
    def vector(self) -> Vector:
        """The state now."""

    def fresh(self, action: Action) -> dict[str, int]:
        """The fresh names of a call now."""

    def choices(self, operation: str, *, strangers: bool) -> dict[str, list[Any]]:
        """What the arguments of a call may be."""

    def reach(
        self, operation: str, choices: Mapping[str, Sequence[Any]], numbers: Sequence[int], wanted: Collection[str]
    ) -> list[str]:
        """Where calls would lead."""

    def handles(self, operation: str, values: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
        """The arguments as `compare` takes them."""

    def compare(self, operation: str, arguments: Mapping[str, Any], *, probe: bool = False) -> str:
        """Make a call, and compare what it comes to."""


class Epilogue:
    """The end of the run of a session.  What it makes depends on `chance` and on the session alone."""

    def __init__(self, session: Running, chance: random.Random, most: Most = MOST) -> None:
        self.session, self.chance, self.most = session, chance, most
        self.kinds = kinds(session.spec)

    def run(self) -> None:
        """Look, put and take, mark, undo, fill, mark, and look again.  Raises as `Session.compare`."""
        self.look()
        self.put()
        self.take()
        self.mark()
        self.look()
        self.undo()
        probing, self.session.probing = self.session.probing, False
        self.fill()
        self.mark()
        self.session.probing = probing
        self.look()

    def put(self) -> None:
        """Fill lines, take a little, and fill them again, so that what is taken next comes from behind what was left over."""
        for times, names in (
            (self.most.put, self.kinds.puts),
            (self.most.put // 2, self.kinds.takes),
            (self.most.put, self.kinds.puts),
        ):
            for _ in range(times):
                if not self._one(names, lambda _: True):
                    break

    def mark(self) -> None:
        """Write data wherever that can be, and only then look there: two that have one place between them show it."""
        session, made = self.session, list[dict[str, Any]]()
        for name in self._of(self.kinds.marks):
            for values in itertools.islice(self._possible(name), self.most.marked):
                if self._make(name, values):
                    made.append({s.type: values[s.name] for s in session.actions[name].slots})
        looks = {name: session.actions[name].slots for name in self._of(self.kinds.looks)}
        for marked in made:
            for name, slots in looks.items():
                if len(slots) > 1 and all(s.type in marked for s in slots):
                    with contextlib.suppress(Unsupported):
                        given = session.handles(name, {s.name: marked[s.type] for s in slots}, self.chance)
                        session.compare(name, given, probe=True)

    def look(self) -> None:
        """Call what changes nothing."""
        for name in self._of(self.kinds.looks):
            calls = itertools.islice(self._possible(name), self.most.looks)
            # handles at once: where several states are possible, a look may tell which
            given = [self.session.handles(name, values, self.chance) for values in calls]
            for handles in given:
                with contextlib.suppress(Unsupported):
                    self.session.compare(name, handles, probe=True)

    def take(self) -> None:
        """Take out what waits."""
        for _ in range(self.most.taken):
            if not self._one(self.kinds.takes, lambda _: True):
                return

    def undo(self) -> None:
        """Give back: call what ends the life of something."""
        session = self.session
        for _ in range(self.most.undone):
            free = sum(each.bit_count() for each in session.model.unused(session.vector).values())
            kills = lambda after: sum(each.bit_count() for each in session.model.unused(after).values()) > free  # noqa: E731
            if not self._one(self.kinds.undoes, kills):
                return

    def fill(self) -> None:
        """Take whatever can be had, and see that no more can be."""
        names, left, going = self._of(self.kinds.gives), self.most.filled, True
        while going and left > 0:
            going = False
            for name in names:
                if left > 0 and self._one((name,), lambda _: True):
                    left, going = left - 1, True
        for name in names:
            self._refused(name)

    def _of(self, names: tuple[str, ...]) -> list[str]:
        known = [name for name in names if name in self.session.actions and name not in self.session.unsupported]
        return self.chance.sample(known, len(known))

    def _drawn(self, name: str) -> tuple[dict[str, list[Any]], list[int]]:
        """What the arguments of a call may be now, and the numbers of some calls."""
        choices = self.session.choices(name, strangers=False)
        size = math.prod(map(len, choices.values()))
        if size > SAMPLE:
            return choices, [int(self.chance.random() * size) for _ in range(SAMPLE)]
        return choices, self.chance.sample(range(size), size)

    def _possible(self, name: str) -> Iterator[dict[str, Any]]:
        """Some calls of an operation that take effect now."""
        choices, numbers = self._drawn(name)
        while numbers:
            exits = self.session.reach(name, choices, numbers, (OK,))
            if exits[-1] == OK:
                yield picked(choices, numbers[len(exits) - 1])
            numbers = numbers[len(exits) :]

    def _one(self, names: tuple[str, ...], wanted: Any) -> bool:
        """Make one call that changes something in a way that is wanted; whether there was one."""
        session = self.session
        for name in self._of(names):
            action = session.actions[name]
            for values in itertools.islice(self._possible(name), TRIED):
                outcome = session.model.step(action, session.vector, {**values, **session.fresh(action)})
                if outcome.state != session.vector and wanted(outcome.state):
                    return self._make(name, values)
        return False

    def _refused(self, name: str) -> None:
        """Make the call that gets furthest before it is refused."""
        last = self.session.causes[name].last
        choices, numbers = self._drawn(name)
        exits = self.session.reach(name, choices, numbers, ())
        refused = [n for n, exit in enumerate(exits) if exit not in EFFECTIVE]
        if refused:
            furthest = max(refused, key=lambda n: last.get(exits[n], -1))
            self._make(name, picked(choices, numbers[furthest]))

    def _make(self, name: str, values: dict[str, Any]) -> bool:
        with contextlib.suppress(Unsupported):
            self.session.compare(name, self.session.handles(name, values, self.chance))
            return True
        return False
