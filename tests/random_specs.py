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
from oneowner.model.language import Exploration, Members, Spec, Step, is_sort

HEAD = """\
import sys

from oneowner.model import *


class Ant(Sort):
    pass


class Bee(Sort, handles=False):
    pass


class Letter(Sort, endless=True):
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
    weight: Map[Ant, int]
    heard: Map[tuple[Bee, Mood], bool]
    written: Map[Letter, Bee]
    loud: Rigid[Bee, bool]
    most: Parameter
    told: Output[Ant, bool]


@unused
def unborn(nest: Nest, ant: Ant) -> bool:
    return negation(nest.live[ant])


@unused
def unwritten(nest: Nest, letter: Letter) -> bool:
    return nest.written[letter] == none


@counter
def known(nest: Nest, ant: Ant, bee: Bee) -> bool:
    return nest.knows[ant, bee]
"""

CLEARED = (
    "nest.mark[ant] = False",
    "nest.weight[ant] = 0",
    "nest.likes[ant] = none",
    "nest.likes.where(lambda other: nest.before.likes[other] == ant, none)",
    "nest.knows.where(lambda other, bee: other == ant, False)",
    "nest.inbox.drop(lambda bee: nest.before.inbox.of(bee) == ant)",
)
"""What goes with an ant, so that the unborn are alike."""

MOODS = ("Mood.CALM", "Mood.ANGRY", "Mood.LOST")
HOURS = 2

Names = dict[str, str]
"""What can be spoken of, by name, with its sort."""

PARAMETERS = {
    "one": "Ant",
    "other": "Ant",
    "bee": "Bee",
    "maybe": "Option[Ant]",
    "bees": "Subset[Bee]",
    "mood": "Mood",
    "number": "int",
    "flag": "bool",
    "letter": "Fresh[Letter]",
}

GUARD, EFFECT, STATEMENT = range(3)
"""Where a condition stands: before the effects, among them (nothing is counted there), or in a statement (no heads of queues, nor
where anything is bound)."""


class Writer:
    """Writes one specification."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.queen = self.now_and_then(0.4)
        self.lines = [HEAD, *['QUEEN = constant("QUEEN", Ant)'] * self.queen]
        self.writes_letters = self.now_and_then(0.1)
        self.slots: dict[str, Names] = {}
        """By operation, what it is called with."""
        self._bound = 0

    def now_and_then(self, share: float) -> bool:
        return self.chance.random() < share

    def condition(self, names: Names, where: int, depth: int = 2, state: str = "nest") -> str:
        draw = self.chance.random()
        if depth and draw < 0.15:
            self._bound += 1
            kind, name = self.chance.choice(("Ant", "Bee")), f"v{self._bound}"
            body = self.condition({**names, name: kind}, where, depth - 1, state)
            return f"{self.chance.choice(('exists', 'forall'))}({kind}, lambda {name}: {body})"
        if depth and draw < 0.5:
            one, other = (self.condition(names, where, depth - 1, state) for _ in range(2))
            return self.chance.choice((f"({one} & {other})", f"({one} | {other})", f"implies({one}, {other})"))
        if draw < 0.65:
            return f"negation({self.condition(names, where, max(0, depth - 1), state)})"
        return self.chance.choice(self._atoms(names, where, state))

    def _atoms(self, names: Names, where: int, state: str) -> list[str]:
        ants, bees, moods = _of(names, "Ant", "Option[Ant]"), _of(names, "Bee"), [*_of(names, "Mood"), *MOODS]
        mood, counts = self.chance.choice(moods), where != EFFECT
        heads = where != STATEMENT and names.keys() <= {"ant", *PARAMETERS}
        found = [f"({state}.hour[CLOCK] < {1 + self.chance.randrange(HOURS)})", *_of(names, "bool")]
        for ant in ants:
            found += [f"{state}.live[{ant}]", f"{state}.mark[{ant}]", f"({state}.likes[{ant}] == none)"]
            found += [f"{state}.inbox[{ant}].empty", f"{state}.live[{state}.likes[{ant}]]"]
            found += [f"(known({state}, {ant}) < 2)", f"({state}.inbox[{ant}].length < {state}.most)"] * counts
            found += [f"({ant} == QUEEN)"] * self.queen + [f"{state}.told[{ant}]"] * (state == "after")
            found += [f"({state}.likes[{ant}] == {other})" for other in ants]
            found += [f"({ant} == {other})" for other in ants if other != ant]
            found += [f"({state}.weight[{ant}] < {number})" for number in (1, *_of(names, "int"))]
            for bee in bees:
                found += [f"{state}.knows[{ant}, {bee}]", f"({state}.inbox.of({bee}) == {ant})"]
                found += [f"({state}.inbox[{ant}].head == {bee})"] * heads
        for bee in bees:
            found += [f"({state}.mood[{bee}] == {mood})", f"({state}.inbox.of({bee}) == none)", f"{state}.loud[{bee}]"]
            found += [f"{state}.heard[{bee}, {mood}]", *(f"{some}[{bee}]" for some in _of(names, "Subset[Bee]"))]
            found += [f"{state}.inbox.ahead({bee}, {other})" for other in bees if other != bee]
        return found

    def _effect(self, names: Names) -> list[str]:
        ants, bees = _of(names, "Ant"), _of(names, "Bee")
        truth = self.chance.choice(["True", "True", "False", *_of(names, "bool")])
        someone = self.chance.choice(["none", *ants, *_of(names, "Option[Ant]")])
        mood, number = self.chance.choice([*_of(names, "Mood"), *MOODS]), self.chance.choice(["1", *_of(names, "int")])

        def which(**bound: str) -> str:
            alive = "nest.before.live[a] & " if "a" in bound and self.now_and_then(0.9) else ""
            return f"lambda {', '.join(bound)}: {alive}{self.condition({**names, **bound}, EFFECT, 1, 'nest.before')}"

        found = [
            [f"nest.mark.where({which(a='Ant')}, {truth})"],
            [f"nest.knows.where({which(a='Ant', b='Bee')}, {truth})"],
            [f"nest.likes.where({which(a='Ant')}, {someone})"],
            [f"nest.heard.where({which(b='Bee', m='Mood')}, {truth})"],
            [f"nest.told.where({which(a='Ant')}, True)"],
            [f"nest.inbox.drop({which(b='Bee')})"],
        ]
        for ant in ants:
            found += [[f"nest.mark[{ant}] = {truth}"], [f"nest.likes[{ant}] = {someone}"]] * 2
            found += [[f"nest.weight[{ant}] = {number}"], [f"nest.told[{ant}] = True"]]
            found += [[f"if not nest.inbox[{ant}].empty:", f"    nest.inbox[{ant}].pop()"]] * 2
            for bee in bees:
                found += [[f"nest.knows[{ant}, {bee}] = {truth}"]]
                found += [[f"nest.inbox.remove({bee})", f"nest.inbox[{ant}].push({bee})"]] * 2
        for bee in bees:
            found += [[f"nest.mood[{bee}] = {mood}"], [f"nest.inbox.remove({bee})"], [f"nest.heard[{bee}, {mood}] = {truth}"]]
        return self.chance.choice(found)

    def _effects(self, names: Names) -> list[str]:
        lines: list[str] = []
        for _ in range(self.chance.choice((1, 2))):
            effect = self._effect(names)
            if self.now_and_then(0.25):
                effect = [f"if {self.condition(names, EFFECT, 1)}:", *(f"    {line}" for line in effect)]
            lines += effect
        return lines

    def operation(self, name: str) -> None:
        slots = {"hatch": {"ant": "Fresh[Ant]"}, "die": {"ant": "Ant"}}.get(name, {})
        likely = {"one": 0.45, "other": 0.45, "bee": 0.5, "letter": 0.5 * self.writes_letters}
        chosen = [n for n in PARAMETERS if self.now_and_then(likely.get(n, 0.12) / (2 if name == "hatch" else 1))]
        slots |= {n: PARAMETERS[n] for n in chosen}
        if "letter" in slots:
            slots["bee"] = "Bee"
        slots = slots or {"bee": "Bee"}
        self.slots[name] = slots
        names = {n: "Ant" if n == "ant" else kind for n, kind in slots.items()}
        guards = ['require(ant != none, "FULL")'] if name == "hatch" else []
        for ant in (n for n, kind in slots.items() if kind == "Ant"):
            if ant == "ant" or self.now_and_then(0.9):
                guards.append(f'require(nest.live[{ant}], "UNBORN_{ant}")')
        guards += [f'require({self.condition(names, GUARD)}, "E{n}")' for n in range(self.chance.choice((0, 0, 1, 1, 2)))]
        effects = {"hatch": ["nest.live[ant] = True"], "die": ["nest.live[ant] = False", *CLEARED]}.get(name, [])
        if name == "die" and self.now_and_then(0.15):
            effects.remove(self.chance.choice(CLEARED))
        if self.now_and_then(0.3):
            guards.append(f'require(nest.hour[CLOCK] < {HOURS}, "LATE")')
            effects.append("nest.hour[CLOCK] = nest.hour[CLOCK] + 1")
        if "letter" in slots:
            effects.append("nest.written.where(lambda other: nest.before.written[other] == bee, none)")
            effects += ["nest.written[letter] = bee"]
        if name != "die" or self.now_and_then(0.3):
            effects += self._effects({n: kind for n, kind in names.items() if (name, n) != ("die", "ant")})
        if self.now_and_then(0.1):
            effects += [f"if {self.condition(names, EFFECT, 1)}:", "    suspend()"]
        self._function("@action()", name, f"nest: Nest, {_declared(slots)}", "None", [*guards, *effects])

    def statements(self, operations: list[str]) -> None:
        for number in range(6):
            names = dict([("ant", "Ant"), ("other", "Ant"), ("bee", "Bee")][: self.chance.choice((1, 2, 3))])
            body = f"return implies({self.condition(names, STATEMENT)}, {self.condition(names, STATEMENT)})"
            self._function("@invariant()", f"holds{number}", f"nest: Nest, {_declared(names)}", "bool", [body])
        before, after = (self.condition({"ant": "Ant"}, STATEMENT, 1, state) for state in ("before", "after"))
        body = f'return implies({before}, {after} | (call.operation == "{self.chance.choice(operations)}"))'
        self._function("@step_property()", "steps", "before: Nest, after: Nest, call: Call, ant: Ant", "bool", [body])
        self._function(
            "@rest", "quiet", "nest: Nest, ant: Ant", "bool", [f"return {self.condition({'ant': 'Ant'}, STATEMENT, 1)}"]
        )
        for number, kind in enumerate(("Ant", "Ant", "Ant", "Bee")):
            name, by = kind.lower(), self.chance.choice(operations)
            waits, ends, helps = (self.condition({name: kind}, STATEMENT, 1) for _ in range(3))
            helps = f'(call.operation == "{by}")' + f" & {helps}" * self.now_and_then(0.3)
            for slot in _of(self.slots[by], kind):
                helps += f" & (call.{slot} == {name})" * self.now_and_then(0.5)
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
        loud = self.chance.choice(("False", "False", "bee == 1"))
        rigid = f'rigid={{"loud": lambda scope, bee: {loud}}}'
        made = f'DRAWN = Spec("drawn", Nest, (sys.modules[__name__],), initial, {rigid})'
        return "\n".join([*self.lines, "", "", made, ""])


def _of(names: Names, *kinds: str) -> list[str]:
    return [name for name, kind in names.items() if kind in kinds]


def _declared(names: Names) -> str:
    return ", ".join(f"{name}: {kind}" for name, kind in names.items())


def written(text: str, name: str, folder: Path) -> Spec:
    """The specification of a text, written to `folder` as a module of a name.  Raises SpecError for one that is none."""
    path = folder / f"{name}.py"
    path.write_text(text)
    found: Any = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    spec: Spec = module.DRAWN
    return spec


def one_line_broken(text: str, chance: random.Random) -> str:
    """The text of a specification with one line of its operations lost or changed."""
    lines = text.split("\n")
    begins = next(n for n, line in enumerate(lines) if line.startswith("@action"))
    ends = next(n for n, line in enumerate(lines) if line.startswith("@invariant"))
    where = [n for n in range(begins, ends) if lines[n].startswith("    ") and "FULL" not in lines[n]]
    while True:
        at = chance.choice(where)
        line = lines[at]
        indented = line[: len(line) - len(line.lstrip())]
        changes = [indented + "pass"] if not line.endswith(":") else []
        changes += [line.replace(*pair, 1) for pair in SWAPS if pair[0] in line]
        changes = [changed for changed in changes if changed != line]
        if changes:
            return "\n".join([*lines[:at], chance.choice(changes), *lines[at + 1 :]])


SWAPS = (
    ("negation(", "("),
    (" & ", " | "),
    (" | ", " & "),
    ("True", "False"),
    ("False", "True"),
    ("== none", "!= none"),
    ("== ", "!= "),
    ("< 1", "< 2"),
    ("< 2", "< 3"),
    ("forall(", "exists("),
    ("exists(", "forall("),
    ("[one]", "[other]"),
    ("[other]", "[one]"),
    ("CALM", "ANGRY"),
    ("nest.before.", "nest."),
)
"""What stands in a line, and what is put in its place."""


def drawn(seed: int, folder: Path) -> tuple[Spec, Exploration]:
    """The specification of a seed, written to `folder`, and a scope for it."""
    chance = random.Random(seed)
    spec = written(Writer(chance).text(), f"drawn{seed}", folder)
    sizes = {"ants": chance.choice((2, 3, 3)), "bees": chance.choice((1, 2)), "clocks": 1, "letters": 2}
    sizes |= {"numbers": chance.choice((1, 2)), "most": chance.choice((1, 2))}
    tried = {
        slot.name: slot for action in spec.actions.values() for slot in action.slots if is_sort(slot.type) and not slot.fresh
    }
    picked: dict[str, Any] = {}
    for name, slot in tried.items():
        if chance.random() < 0.15:
            element = chance.randint(1, sizes[slot.type.plural])
            picked[name] = (Members([element]), Members()) if slot.subset else (element,)
    opening = _walk(Model(spec, sizes), chance, chance.choice((0, 1, 2, 4)))
    return replace(spec, openings={"begun": opening}), Exploration(sizes, arguments=picked, opening="begun")


def _walk(model: Model, chance: random.Random, most: int) -> list[Step]:
    """Some calls that take effect one after the other, without the names that they give out."""
    vector, steps = model.initial(), []
    for _ in range(most):
        action = chance.choice(list(model.spec.actions.values()))
        calls = [each for each in model.calls(action, vector) if each is not None]
        if calls and (outcome := model.step(action, vector, arguments := chance.choice(calls))).effective:
            steps.append((action.name, {s.name: arguments[s.name] for s in action.slots if not s.fresh}))
            vector = outcome.state
    return steps
