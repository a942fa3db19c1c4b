"""Small specifications drawn at random: ants that come and go, bees that are always there, one clock.

What they say makes no sense.  They are there so that independent ways to one answer can be held against one another where nobody
had thought of it.  Each is written out as a module, since the engine reads the text of what it reads.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from oneowner.model.concrete import Model
from oneowner.model.spec import Exploration, Spec, Step

HEAD = """\
import sys

from oneowner.model import *


class Ant(Sort):
    pass


class Bee(Sort):
    pass


class Clock(Sort):
    pass


class Mood(Enumeration):
    CALM = 0
    ANGRY = 1
    LOST = 2


CLOCK = constant("CLOCK", Clock)


class Nest(State):
    live: Map[Ant, bool]
    mark: Map[Ant, bool]
    likes: Map[Ant, Ant]
    mood: Map[Bee, Mood]
    knows: Map[tuple[Ant, Bee], bool]
    inbox: Queue[Ant, Bee]
    hour: Map[Clock, int]


@unused
def unborn(nest: Nest, ant: Ant) -> bool:
    return negation(nest.live[ant])


@counter
def known(nest: Nest, ant: Ant, bee: Bee) -> bool:
    return nest.knows[ant, bee]
"""

CLEARED = (
    "nest.mark[ant] = False",
    "nest.likes[ant] = none",
    "nest.likes.where(lambda other: nest.before.likes[other] == ant, none)",
    "nest.knows.where(lambda other, bee: other == ant, False)",
    "nest.inbox.drop(lambda bee: nest.before.inbox.of(bee) == ant)",
)
"""What goes with an ant, so that the unborn are alike."""

MOODS = ("CALM", "ANGRY", "LOST")
HOURS = 2

Names = dict[str, str]
"""What can be spoken of, by name, with its sort."""


class Writer:
    """Writes one specification."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.queen = self.now_and_then(0.4)
        self.lines = [HEAD, *['QUEEN = constant("QUEEN", Ant)'] * self.queen]
        self._bound = 0

    def now_and_then(self, share: float) -> bool:
        return self.chance.random() < share

    def condition(self, names: Names, depth: int = 2, state: str = "nest", counts: bool = True) -> str:
        draw = self.chance.random()
        if depth and draw < 0.15:
            self._bound += 1
            kind, name = self.chance.choice(("Ant", "Bee")), f"v{self._bound}"
            body = self.condition({**names, name: kind}, depth - 1, state, counts)
            return f"{self.chance.choice(('exists', 'forall'))}({kind}, lambda {name}: {body})"
        if depth and draw < 0.5:
            one, other = (self.condition(names, depth - 1, state, counts) for _ in range(2))
            return self.chance.choice((f"({one} & {other})", f"({one} | {other})", f"implies({one}, {other})"))
        if draw < 0.65:
            return f"negation({self.condition(names, max(0, depth - 1), state, counts)})"
        return self.chance.choice(self._atoms(names, state, counts))

    def _atoms(self, names: Names, state: str, counts: bool) -> list[str]:
        ants, bees = _by_sort(names)
        found = [f"({state}.hour[CLOCK] < {1 + self.chance.randrange(HOURS)})"]
        for ant in ants:
            found += [f"{state}.live[{ant}]", f"{state}.mark[{ant}]", f"({state}.likes[{ant}] == none)"]
            found += [f"{state}.inbox[{ant}].empty", f"{state}.live[{state}.likes[{ant}]]"]
            found += [f"(known({state}, {ant}) < 2)"] * counts + [f"({ant} == QUEEN)"] * self.queen
            found += [f"({state}.likes[{ant}] == {other})" for other in ants]
            found += [f"({ant} == {other})" for other in ants if other != ant]
            for bee in bees:
                found += [f"{state}.knows[{ant}, {bee}]", f"({state}.inbox.of({bee}) == {ant})"]
        for bee in bees:
            found += [f"({state}.mood[{bee}] == Mood.{self.chance.choice(MOODS)})", f"({state}.inbox.of({bee}) == none)"]
        return found

    def _effect(self, names: Names) -> list[str]:
        ants, bees = _by_sort(names)
        truth, someone, mood = str(self.now_and_then(0.6)), self.chance.choice(["none", *ants]), self.chance.choice(MOODS)

        def which(**bound: str) -> str:
            alive = "nest.before.live[a] & " if "a" in bound and self.now_and_then(0.9) else ""
            return f"lambda {', '.join(bound)}: {alive}{self.condition({**names, **bound}, 1, 'nest.before', counts=False)}"

        found = [
            [f"nest.mark.where({which(a='Ant')}, {truth})"],
            [f"nest.knows.where({which(a='Ant', b='Bee')}, {truth})"],
            [f"nest.likes.where({which(a='Ant')}, {someone})"],
            [f"nest.inbox.drop({which(b='Bee')})"],
        ]
        for ant in ants:
            found += [[f"nest.mark[{ant}] = {truth}"], [f"nest.likes[{ant}] = {someone}"]] * 2
            for bee in bees:
                found += [[f"nest.knows[{ant}, {bee}] = {truth}"]]
                found += [[f"nest.inbox.remove({bee})", f"nest.inbox[{ant}].push({bee})"]] * 2
        for bee in bees:
            found += [[f"nest.mood[{bee}] = Mood.{mood}"], [f"nest.inbox.remove({bee})"]]
        return self.chance.choice(found)

    def _effects(self, names: Names) -> list[str]:
        lines: list[str] = []
        for _ in range(self.chance.choice((1, 2))):
            effect = self._effect(names)
            if self.now_and_then(0.25):
                effect = [f"if {self.condition(names, 1, counts=False)}:", *(f"    {line}" for line in effect)]
            lines += effect
        return lines

    def operation(self, name: str) -> None:
        names = {"ant": "Ant"} if name in ("hatch", "die") else {}
        share = 0.2 if name == "hatch" else 0.45
        names |= {n: kind for n, kind in (("one", "Ant"), ("other", "Ant"), ("bee", "Bee")) if self.now_and_then(share)}
        names = names or {"bee": "Bee"}
        slots = {n: f"Fresh[{kind}]" if name == "hatch" and n == "ant" else kind for n, kind in names.items()}
        guards = ['require(ant != none, "FULL")'] if name == "hatch" else []
        for ant in _by_sort(names)[0]:
            if slots[ant] == "Ant" and (ant == "ant" or self.now_and_then(0.9)):
                guards.append(f'require(nest.live[{ant}], "UNBORN_{ant}")')
        guards += [f'require({self.condition(names)}, "E{number}")' for number in range(self.chance.choice((0, 0, 1, 1, 2)))]
        effects = {"hatch": ["nest.live[ant] = True"], "die": ["nest.live[ant] = False", *CLEARED]}.get(name, [])
        if name == "die" and self.now_and_then(0.15):
            effects.remove(self.chance.choice(CLEARED))
        if self.now_and_then(0.3):
            guards.append(f'require(nest.hour[CLOCK] < {HOURS}, "LATE")')
            effects.append("nest.hour[CLOCK] = nest.hour[CLOCK] + 1")
        if name != "die" or self.now_and_then(0.3):
            effects += self._effects({n: kind for n, kind in names.items() if (name, n) != ("die", "ant")})
        self._function("@action()", name, f"nest: Nest, {_declared(slots)}", "None", [*guards, *effects])

    def statements(self, operations: list[str]) -> None:
        for number in range(6):
            names = dict([("ant", "Ant"), ("other", "Ant"), ("bee", "Bee")][: self.chance.choice((1, 2, 3))])
            body = f"return implies({self.condition(names)}, {self.condition(names)})"
            self._function("@invariant()", f"holds{number}", f"nest: Nest, {_declared(names)}", "bool", [body])
        before, after = (self.condition({"ant": "Ant"}, 1, state) for state in ("before", "after"))
        body = f'return implies({before}, {after} | (call.operation == "{self.chance.choice(operations)}"))'
        self._function("@step_property()", "steps", "before: Nest, after: Nest, call: Call, ant: Ant", "bool", [body])
        self._function("@rest", "quiet", "nest: Nest, ant: Ant", "bool", [f"return {self.condition({'ant': 'Ant'}, 1)}"])
        for number, kind in enumerate(("Ant", "Ant", "Ant", "Bee")):
            name, by = kind.lower(), self.chance.choice(operations)
            waits, ends, helps = (self.condition({name: kind}, 1) for _ in range(3))
            helps = f'(call.operation == "{by}")' + f" & {helps}" * self.now_and_then(0.3)
            slots = f"nest: Nest, call: Call, {name}: {kind}"
            body = f"return {waits}, {ends}, {helps}"
            self._function(f'@leads_to(by="{by}")', f"comes_about{number}", slots, "tuple[bool, bool, bool]", [body])

    def _function(self, mark: str, name: str, slots: str, answer: str, body: list[str]) -> None:
        self.lines += ["", "", mark, f"def {name}({slots}) -> {answer}:", *(f"    {line}" for line in body)]

    def text(self) -> str:
        operations = ["hatch", "die", *(f"do{number}" for number in range(self.chance.choice((2, 3))))]
        for name in operations:
            self.operation(name)
        self.statements(operations)
        self._function("", "initial", "nest: Nest", "None", ["nest.live[QUEEN] = True" if self.queen else "pass"])
        return "\n".join([*self.lines, "", "", 'DRAWN = Spec("drawn", Nest, (sys.modules[__name__],), initial)', ""])


def _by_sort(names: Names) -> tuple[list[str], list[str]]:
    ants, bees = ([name for name, kind in names.items() if kind == wanted] for wanted in ("Ant", "Bee"))
    return ants, bees


def _declared(names: Names) -> str:
    return ", ".join(f"{name}: {kind}" for name, kind in names.items())


def drawn(seed: int, folder: Path) -> tuple[Spec, Exploration]:
    """The specification of a seed, written to `folder`, and a scope for it."""
    chance = random.Random(seed)
    path = folder / f"drawn{seed}.py"
    path.write_text(Writer(chance).text())
    found: Any = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    spec: Spec = module.DRAWN
    sizes = {"ants": chance.choice((2, 3, 3)), "bees": chance.choice((1, 2)), "clocks": 1}
    parameters = {slot.name: slot.type.plural for action in spec.actions.values() for slot in action.slots if not slot.fresh}
    picked = {name: (chance.randint(1, sizes[plural]),) for name, plural in parameters.items() if chance.random() < 0.15}
    opening = _walk(Model(spec, sizes), chance, chance.choice((0, 1, 2, 4)))
    return replace(spec, openings={"begun": opening}), Exploration(sizes, arguments=picked, opening="begun")


def _walk(model: Model, chance: random.Random, most: int) -> list[Step]:
    """Some calls that take effect one after the other, without the names that they give out."""
    vector, steps = model.initial(), []
    for _ in range(most):
        action = chance.choice(list(model.spec.actions.values()))
        calls = [each for each in model.calls(action, vector) if each is not None]
        if calls and (outcome := model.call(action, vector, arguments := chance.choice(calls))).effective:
            steps.append((action.name, {s.name: arguments[s.name] for s in action.slots if not s.fresh}))
            vector = outcome.state
    return steps
