"""Calls that show what an operation writes, and that it writes nothing where it is refused.

That an operation was called, and a state looked at some time, says nothing of whether what it wrote there was looked at.  So each
effect is left out in turn, or made although the call is refused, or made too far or not far enough (`Deviation`), on one side of
two that make the same calls.  It is noticed where a call is answered otherwise there; where none is in a suite, ways are walked
from where the two states differ until one is.
(Mutation analysis, DeMillo, Lipton and Sayward 1978; with all mutants in one program, Untch, Offutt and Harrold 1993.)  What is
overwritten before anybody can read it shows nowhere.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...model.compiled import INHERITED, DeviatingModel, Deviation
from ...model.concrete import Outcome, Vector, picked
from ...model.language import EFFECTIVE, Action, Step
from ...model.recording import READS, Block, Branch, Check, Node, Write, trees
from .aside import Aside, Heir
from .more import replayed
from .remade import Made, shortest, together
from .shown import Shown

HELD = 40
"""At how many calls of an operation it deviates, to see whether the calls after them notice."""

FROM, TIMES, FEW, LONG = 8, 48, 2, 8
"""From how many states that a deviation makes a difference in is walked, how often in all, how often for one effect of a refused
call, and how far."""

SAMPLE, ANSWERS = 64, 8
"""Of how many calls of an operation it is compared where they lead, and of how many what they answer."""

WALKS, FURTHER, MEETINGS = 300, 5, 4
"""How many walks are made for what makes no difference in any way, how far each goes on, and how many calls of an operation are
tried in a state."""

ALONG = 6
"""How many operations are tried so in a state of a way."""

TRIED = 12
"""How many operations are tried for the next call of a walk."""

Begun = Sequence[Made]
"""Calls of which the last is one that a deviation makes a difference to."""


class Deviations:
    """Looks for calls that notice where `operations` deviate in what they write, if none of some `ways` does.  Of those that are
    `noticed` nothing is asked, and what is found to be is added to them."""

    def __init__(
        self,
        model: DeviatingModel,
        operations: Collection[str],
        ways: Iterable[Sequence[Made]],
        noticed: set[Deviation],
        seed: int = 0,
    ) -> None:
        self.model, self.spec, self.noticed = model, model.spec, noticed
        self.actions = {name: action for name, action in self.spec.actions.items() if name in operations}
        self.chance = random.Random(seed)
        self.asks, self.reads = {}, dict[str, frozenset[str]]()
        self.makes = {name: {slot.type for slot in action.slots if slot.fresh} for name, action in self.actions.items()}
        for name in self.actions:
            self.asks[name], self.reads[name] = _read(trees(self.spec)[name])
        self._heirs: list[Deviation] = []
        self._of = defaultdict[tuple[str, str], list[Deviation]](list)
        for deviation in model.deviations:
            if deviation.operation not in self.actions or deviation in noticed:
                continue
            if deviation.kind == INHERITED:
                self._heirs.append(deviation)
            else:
                self._of[deviation.operation, deviation.exit].append(deviation)
        self._made = defaultdict[Deviation, list[tuple[Sequence[Made], int]]](list)
        """The calls that a deviation makes a difference to: the way, and which call of it."""
        self._met = defaultdict[Deviation, list[Begun]](list)
        """Where some were met that make no difference in any way."""
        self._ways: list[Sequence[Made]] = []
        for way in ways:
            self._add(way)

    def _add(self, made: Sequence[Made]) -> None:
        self._ways.append(made)
        for deviation, number in self._along(made):
            self._made[deviation].append((made, number))

    def _along(self, made: Sequence[Made], left: Collection[Deviation] | None = None) -> Iterator[tuple[Deviation, int]]:
        """What makes a difference along a way, of those that are `left` (None: all), and to which call of it."""
        for number, (action, vector, arguments, outcome) in enumerate(made):
            those = self._of.get((action.name, "" if outcome.effective else outcome.exit), [])
            those = those if left is None else [deviation for deviation in those if deviation in left]
            for deviation in self.model.differing(action, vector, arguments, those) if those else ():
                yield deviation, number
        yield from self._inheriting(made)

    def _inheriting(self, made: Sequence[Made]) -> Iterator[tuple[Deviation, int]]:
        """What would inherit something else than it has, and by which call."""
        calls = {action.name for action, _, _, _ in made}
        for deviation in self._heirs:
            if deviation.operation in calls:
                heir = Heir(self.model, deviation)
                for number, (action, vector, arguments, outcome) in enumerate(made):
                    if heir.after(action, vector, arguments, outcome) is not outcome:
                        yield deviation, number

    def unnoticed(self) -> Iterator[Deviation]:
        """What no way notices, as far as it was held against it."""
        return (each for each in self.model.deviations if each.operation in self.actions and not self._is_noticed(each))

    def kept(self, ways: Iterable[list[Made]]) -> Iterator[list[Made]]:
        """Of some ways those that notice what none before them does; each is one of the ways from then on."""
        left = set(self.unnoticed())
        for made in ways:
            before = len(left)
            for deviation, number in self._along(made, left):
                if deviation in left and self._notices(deviation, made, number) is not None:
                    left.remove(deviation)
                    self.noticed.add(deviation)
            if len(left) < before:
                self._add(made)
                yield made

    def found(self) -> Iterator[tuple[Deviation, list[Made]]]:
        """What is noticed by a short way that was found, and that is one of the ways from then on; in the end of what makes no
        difference in any of the ways, but where it is met beside or after them."""
        missed: list[Deviation] = []
        for deviation in self.unnoticed():
            begun = self._begun(deviation)
            made = self._way(deviation, begun)
            if made is not None:
                yield deviation, made
            elif not begun and not (deviation.exit and deviation.component):
                # of what a refused call may have for effects, so far away, all together are enough
                missed.append(deviation)
        self._seek(missed)
        for deviation in missed:
            if not self._is_noticed(deviation):
                made = self._way(deviation, self._met[deviation])
                if made is not None:
                    yield deviation, made

    def _is_noticed(self, deviation: Deviation) -> bool:
        if deviation not in self.noticed:
            made = sorted(self._made[deviation], key=lambda each: len(each[0]) - each[1])
            if any(self._notices(deviation, calls, number) is not None for calls, number in _some(made, HELD)):
                self.noticed.add(deviation)
        return deviation in self.noticed

    def _notices(self, deviation: Deviation, made: Sequence[Made], begin: int) -> int | None:
        """Which call is the first that is answered otherwise if the operation deviates from one of them on; None if none is.
        From the first of all on, the operation may deviate later."""
        if deviation.kind == INHERITED:
            begin = 0
        wrong = Aside(self.model, deviation, made[begin][1])
        for number in range(begin, len(made)):
            action, vector, arguments, outcome = made[number]
            if number > begin > 0 and wrong.vector == vector:
                return None  # it is over
            other = wrong.step(action, arguments, outcome)
            if other is None or self._differ(action, vector, arguments, outcome, other, wrong):
                return None if other is None else number
        return None

    def _shows(self, deviation: Deviation, made: list[Made]) -> bool:
        """Whether the last call is the first that is answered otherwise where the operation deviates."""
        return self._notices(deviation, made, 0) == len(made) - 1

    def _differ(
        self,
        action: Action,
        vector: Vector,
        arguments: Mapping[str, Any],
        right: Outcome,
        other: Outcome,
        wrong: Aside,
    ) -> bool:
        """Whether an answer is not permitted, or who waits is told something else."""
        if right.exit != other.exit:
            return self._is_wrong(action, vector, arguments, other.exit)
        if wrong.names:
            return False
        return right.answer != other.answer or self._late(vector, right) != self._late(wrong.before, other)

    def _is_wrong(self, action: Action, vector: Vector, arguments: Mapping[str, Any], exit: str) -> bool:
        return exit in EFFECTIVE or exit not in self.model.permitted(action, vector, arguments)

    def _late(self, vector: Vector, outcome: Outcome) -> list[Any]:
        if self.spec.late is None or outcome.shown is outcome.state:
            return []
        return list(self.spec.late(self.model.system(vector), self.model.system(outcome.shown), self.model.scope))

    def _begun(self, deviation: Deviation) -> list[Begun]:
        """The calls up to where the ways come to a deviation."""
        made = sorted(self._made[deviation], key=lambda each: each[1])
        return [calls[: number + 1] for calls, number in _some(made, HELD)]

    def _way(self, deviation: Deviation, begun: list[Begun]) -> list[Made] | None:
        """Few calls that notice a deviation, if some are found from where they have come to it, and note of them."""
        times = FEW if deviation.exit and deviation.component else TIMES
        chosen = _some(begun, min(FROM, times))
        for number in range(times // len(chosen) if chosen else 0):
            for made in chosen:
                action, vector, arguments, outcome = made[-1]
                wrong = self._beside(deviation, made)
                other = wrong.step(action, arguments, outcome) if wrong else None
                if wrong is None or other is None:
                    continue
                if self._differ(action, vector, arguments, outcome, other, wrong):
                    calls: list[Step] | None = _steps(made)
                elif number % 2:
                    calls = self._after(made, deviation)
                else:
                    calls = self._walk(made, outcome.state, wrong)
                if calls is not None:
                    found = shortest(self.model, calls, lambda each: self._shows(deviation, each))
                    if found is not None:
                        self._add(found)
                        self.noticed.add(deviation)
                        return found
        return None

    def _beside(self, deviation: Deviation, made: Begun) -> Aside | None:
        """The side on which an operation deviates before the last call; None where it is not defined."""
        if deviation.kind != INHERITED:
            return Aside(self.model, deviation, made[-1][1])
        wrong = Aside(self.model, deviation, made[0][1])
        if any(wrong.step(action, given, outcome) is None for action, _, given, outcome in made[:-1]):
            return None
        return wrong

    def _seek(self, deviations: Sequence[Deviation]) -> None:
        """Look for calls that some make a difference to: along the ways; after ways that are made beside each other, and calls
        after them."""
        sought: dict[str, list[Deviation]] = {}
        for deviation in deviations:
            sought.setdefault(deviation.operation, []).append(deviation)
        for way in list(self._ways) if sought else ():
            self._meet_along(way, sought)
        for _ in range(WALKS if self._ways else 0):
            ways = [_steps(self.chance.choice(self._ways)) for _ in range(self.chance.choice((1, 2, 2)))]
            calls = together(self.model, *ways) if len(ways) == 2 else ways[0]
            made = list(replayed(self.model, calls))
            shown = self._shown(made)
            for _ in range(FURTHER):
                vector = made[-1][3].state if made else self.model.initial()
                self._meet_some(sought, made, shown, vector, len(sought))
                following = self._next(set(), shown, vector)
                if following is None:
                    break
                action, arguments = following
                made.append((action, vector, arguments, self.model.step(action, vector, arguments)))
                shown.after(action, vector, made[-1][3])
        for deviation in deviations:
            if deviation.kind == INHERITED:
                self._bequeath(deviation)

    def _bequeath(self, deviation: Deviation) -> None:
        """Look along the ways for somebody for whom the component has something, let it die there, and make another."""
        heir = Heir(self.model, deviation)
        kind = heir.slot.type
        for way in self.chance.sample(self._ways, min(WALKS, len(self._ways))):
            shown, tried = Shown(self.model), set[int]()
            for number, (action, vector, _, outcome) in enumerate(way):
                shown.after(action, vector, outcome)
                for element in [e for sort, e in shown.known if sort is kind and e not in tried]:
                    if heir.had(outcome.state, element) != heir.nothing and len(self._met[deviation]) < FROM:
                        tried.add(element)
                        made = self._killed(way[: number + 1], shown, heir, element)
                        made = made and self._with_another(made, self.actions[deviation.operation])
                        if made and any(each is deviation for each, _ in self._inheriting(made)):
                            self._met[deviation].append(made)
            if len(self._met[deviation]) >= FROM:
                return

    def _killed(self, way: Sequence[Made], shown: Shown, heir: Heir, element: int) -> list[Made] | None:
        """A way and a call by which an element of a sort dies, if one is found."""
        vector, kind = way[-1][3].state, heir.slot.type
        takers = [(a, s.name) for a in self.actions.values() for s in a.slots if s.type is kind and not (s.fresh or s.subset)]
        for action, name in self.chance.sample(takers, len(takers)):
            choices = shown.calls(action, vector, self.model.unused(vector)) | {name: [element]}
            arguments = self._effective(action, vector, choices, self._numbers(choices, SAMPLE // 4))
            if arguments is not None:
                outcome = self.model.step(action, vector, arguments)
                if heir.died(vector, outcome.state) == element:
                    return [*way, (action, vector, arguments, outcome)]
        return None

    def _with_another(self, way: Sequence[Made], action: Action) -> list[Made] | None:
        """A way and a call that makes something, if one takes effect."""
        shown, vector = self._shown(way), way[-1][3].state
        arguments = self._effective(action, vector, *self._drawn(action, shown, vector, SAMPLE))
        if arguments is None:
            return None
        return [*way, (action, vector, arguments, self.model.step(action, vector, arguments))]

    def _meet_along(self, way: Sequence[Made], sought: Mapping[str, list[Deviation]]) -> None:
        shown = Shown(self.model)
        for number, (action, vector, _, outcome) in enumerate(way):
            shown.after(action, vector, outcome)
            if outcome.state is not vector:
                places = self.model.positions
                news = {name for name, place in places.items() if outcome.state[place] is not vector[place]}
                self._meet_some(sought, way[: number + 1], shown, outcome.state, ALONG, news)

    def _meet_some(
        self,
        sought: Mapping[str, list[Deviation]],
        made: Sequence[Made],
        shown: Shown,
        vector: Vector,
        most: int,
        news: Collection[str] = (),
    ) -> None:
        """Try some operations in a state for what is left of them; half of them such as read what is new there."""
        names = [name for name, left in sought.items() if left]
        near = [name for name in names if not self.reads[name].isdisjoint(news)]
        chosen = self.chance.sample(near, min(most // 2, len(near)))
        others = [name for name in names if name not in chosen]
        chosen += self.chance.sample(others, min(most - len(chosen), len(others)))
        for name in chosen:
            self._meet(self.actions[name], sought[name], made, shown, vector)

    def _meet(self, action: Action, left: list[Deviation], made: Sequence[Made], shown: Shown, vector: Vector) -> None:
        """Try some calls of an operation in a state for what is left; what was met often enough is left no more."""
        choices, numbers = self._drawn(action, shown, vector, SAMPLE)
        exits = self.model.foreseen(action, vector, choices, numbers, ())
        refused = {deviation.exit for deviation in left}
        worth = [n for n, exit in zip(numbers, exits, strict=False) if ("" if exit in EFFECTIVE else exit) in refused]
        for number in worth[:MEETINGS]:
            arguments = picked(choices, number)
            found = self.model.differing(action, vector, arguments, left)
            if found:
                call = action, vector, arguments, self.model.step(action, vector, arguments)
                for deviation in found:
                    self._met[deviation].append([*made, call])
                    if len(self._met[deviation]) >= FROM:
                        left.remove(deviation)

    def _shown(self, made: Sequence[Made]) -> Shown:
        """What is known at the end of a way."""
        shown = Shown(self.model)
        for action, vector, _, outcome in made:
            shown.after(action, vector, outcome)
        return shown

    def _after(self, made: Sequence[Made], deviation: Deviation) -> list[Step] | None:
        """The calls and those of another way after them, up to one that is answered otherwise."""
        calls = together(self.model, _steps(made), _steps(self.chance.choice(self._ways)))
        number = self._notices(deviation, list(replayed(self.model, calls)), len(made) - 1)
        return None if number is None else calls[: number + 1]

    def _walk(self, made: Sequence[Made], right: Vector, wrong: Aside) -> list[Step] | None:
        """The calls and some more up to one that is answered otherwise on both sides."""
        model, shown = self.model, self._shown(made)
        calls = _steps(made)
        for _ in range(LONG):
            places = model.positions
            differing = {name for name, place in places.items() if right[place] != wrong.vector[place]}
            if not differing:
                return None
            for name in [name for name, asked in self.asks.items() if asked & differing]:
                found = self._told_apart(self.actions[name], shown, right, wrong)
                if found is not None:
                    return [*calls, (name, found)]
            following = self._next(differing, shown, right)
            if following is None:
                return None
            action, arguments = following
            calls.append((action.name, arguments))
            outcome = model.step(action, right, arguments)
            other = wrong.step(action, arguments, outcome)
            if other is None:
                return None
            if self._differ(action, right, arguments, outcome, other, wrong):
                return calls
            shown.after(action, right, outcome)
            right = outcome.state
        return None

    def _told_apart(self, action: Action, shown: Shown, right: Vector, wrong: Aside) -> dict[str, Any] | None:
        """The arguments of a call that is answered otherwise on both sides."""
        choices, numbers = self._drawn(action, shown, right, SAMPLE)
        exits = self.model.foreseen(action, right, choices, numbers, ())
        others = wrong.foreseen(action, choices, numbers)
        alike = 0
        for number, exit, other in zip(numbers, exits, others, strict=False):
            arguments = picked(choices, number)
            if exit != other:
                if self._is_wrong(action, right, arguments, other):
                    return arguments
            elif exit in EFFECTIVE and alike < ANSWERS:
                alike += 1
                outcome, aside = self.model.step(action, right, arguments), wrong.copy()
                told = aside.step(action, arguments, outcome)
                if told is not None and self._differ(action, right, arguments, outcome, told, aside):
                    return arguments
        return None

    def _next(self, differing: set[str], shown: Shown, vector: Vector) -> tuple[Action, dict[str, Any]] | None:
        """A call that takes effect; more often than not one that reads where the two sides differ."""
        near = [name for name, read in self.reads.items() if read & differing]
        # what has died and was not cleared shows in what is made in its place
        keys = {kind for component in self.spec.components if component.name in differing for kind in component.keys}
        near += [name for name, made in self.makes.items() if made & keys and name not in near]
        names = near if near and self.chance.random() < 0.6 else list(self.actions)
        for _ in range(TRIED):
            action = self.actions[self.chance.choice(names)]
            if action.name in self.spec.seldom and self.chance.random() < 0.5:
                continue
            arguments = self._effective(action, vector, *self._drawn(action, shown, vector, SAMPLE // 2))
            if arguments is not None:
                return action, arguments
        return None

    def _effective(
        self, action: Action, vector: Vector, choices: Mapping[str, list[Any]], numbers: Sequence[int]
    ) -> dict[str, Any] | None:
        """The arguments of the first of some calls that takes effect."""
        exits = self.model.foreseen(action, vector, choices, numbers, EFFECTIVE)
        return picked(choices, numbers[len(exits) - 1]) if exits and exits[-1] in EFFECTIVE else None

    def _drawn(self, action: Action, shown: Shown, vector: Vector, most: int) -> tuple[dict[str, list[Any]], list[int]]:
        """What the arguments of a call may be, and the numbers of some calls."""
        choices = shown.calls(action, vector, self.model.unused(vector))
        return choices, self._numbers(choices, most)

    def _numbers(self, choices: dict[str, list[Any]], most: int) -> list[int]:
        size = math.prod(map(len, choices.values()))
        if size <= most:
            return self.chance.sample(range(size), size)
        return [int(self.chance.random() * size) for _ in range(most)]


def _steps(made: Sequence[Made]) -> list[Step]:
    return [(action.name, arguments) for action, _, arguments, _ in made]


def _some(all: list[Any], most: int) -> list[Any]:
    """Some of many, that lie evenly in between."""
    return all[:: max(1, len(all) // most)][:most]


def _read(tree: Block) -> tuple[frozenset[str], frozenset[str]]:
    """The components that an operation's exit and answer depend on, and all that it reads."""
    asked, read = set[str](), set[str]()
    for block in tree.within():
        ends: Iterable[Any] = [block.end.condition] if isinstance(block.end, Branch) else block.end.answer
        ends = [*ends, *(s.condition for s in block.statements if isinstance(s, Check))]
        writes = [n for s in block.statements if isinstance(s, Write) for n in (*s.keys, s.condition, s.value)]
        asked |= _components(ends)
        read |= _components(writes)
    return frozenset(asked), frozenset(asked | read)


def _components(nodes: Iterable[Any]) -> set[str]:
    return {each.args[1] for node in nodes if isinstance(node, Node) for each in node.within() if each.op in READS}
