"""A conformance run written to a file: JUnit, one HTML page, SARIF, a statement with its badge.

The pictures of a failure show what the specification makes of its calls; of the implementation only its answers are known.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as Xml

from ...model.concrete import Model, Outcome, Vector, answer_names, differences, value_name
from ...model.language import (
    OK,
    SUSPENDED,
    Action,
    Component,
    Members,
    Slot,
    Spec,
    SpecError,
    Type,
    answer_fields,
    is_enumeration,
    is_sort,
    is_subset,
    member_type,
    reading,
)
from .. import TRACES
from ..conform import FAIL, FLAKY, PASS, PERMITTED, STATUSES, UNKNOWN, UNSUPPORTED, UNTESTED, Report, Verdict, code_of
from ..fuzz import Failure
from ..session import LATE, MOST_WORLDS, Origin, Recorded, model
from ..suite import digest
from ..traces import file_name

BADGE = ".badge.svg"
SYSTEM = "system"
ANYONE = "caller"
REASONS = {
    UNTESTED: "no call came to it",
    UNSUPPORTED: "the operation is not supported",
    UNKNOWN: "it was left open what happened",
}
"""Why a clause has no verdict, where the run does not say."""


def write(spec: Spec, report: Report, kind: str, path: Path, traces: Path = TRACES) -> None:
    """Write a run as `kind`: junit, html, sarif or statement, which has its badge beside it.  `traces` is where its failures
    are kept.  Raises SpecError where it cannot be written."""
    if kind == "statement":
        _put(path, json.dumps(statement(spec, report), indent=1) + "\n")
        _put(path.with_suffix(BADGE), badge(spec, report))
        return
    kinds: dict[str, Callable[[Spec, Report, Path], str]] = {"junit": junit, "html": html, "sarif": sarif}
    _put(path, kinds[kind](spec, report, traces))


def _put(path: Path, text: str) -> None:
    """Write a file as a whole or not at all; its folder is made.  Raises SpecError."""
    target = Path(os.path.realpath(path))
    part = target.parent / f".oneowner-{os.getpid()}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file() and not target.is_dir():
            # a device or a pipe, such as /dev/stdout, must not be replaced by a file
            target.write_text(text, encoding="utf-8")
            return
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from None


def clean(text: str) -> str:
    """`text` without the characters that neither XML nor HTML can hold."""
    return re.sub("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]", "", text)


def rooms(spec: Spec, report: Report) -> dict[str, list[Verdict]]:
    """The verdicts by room."""
    found: dict[str, list[Verdict]] = {}
    for verdict in report.verdicts.values():
        found.setdefault(spec.room(verdict.clause.partition("/")[0]), []).append(verdict)
    return found


def reason(report: Report, verdict: Verdict) -> str:
    """Why a verdict is not a plain pass, in words."""
    text = verdict.reason or REASONS.get(verdict.status, "")
    if verdict.clause in report.expected:
        return f"known to fail: {text}" if verdict.status in (FAIL, FLAKY) else f"listed as known to fail, but {verdict.status}"
    return text


def replay(traces: Path, clause: str) -> str:
    """The command that shows a failure again."""
    return f"oneowner replay {traces / file_name('fuzz', clause)}"


def statement(spec: Spec, report: Report) -> dict[str, Any]:
    """A run as plain data: what was tested, with what budget, and every verdict."""
    return {
        "implementation": {
            "connection": report.where,
            "name": report.name,
            "version": report.version,
            "language": report.language,
        },
        "specification": {"name": spec.name, "digest": digest(spec)},
        "profiles": list(report.profiles),
        "strict": report.strict,
        "seed": report.seed,
        "budget": {"fuzz_seconds": report.budget, "sequences": report.sequences, "calls": report.calls},
        "known_failing": sorted(report.expected),
        "verdicts": {v.clause: {"status": v.status, "times": v.times, "reason": v.reason} for v in report.verdicts.values()},
    }


def badge(spec: Spec, report: Report) -> str:
    """A run in a few words, as a picture: "oneowner: core 85 clauses pass".  Never a percentage."""
    profiles = ", ".join(report.profiles)
    passed, all_ = len(report.having(PASS, PERMITTED)), len(report.verdicts)
    code, _ = code_of(report)
    if code == 1:
        said = f"{profiles} fails"
    elif not passed:
        said = f"{profiles} not tested"
    else:
        said = f"{profiles} {passed if passed == all_ else f'{passed} of {all_}'} clauses pass"
    kind = {0: "pass", 1: "fail"}.get(code, "open")
    return _template("badge.svg.j2", label=spec.name, said=said.strip(), kind=kind)


def junit(spec: Spec, report: Report, traces: Path = TRACES) -> str:
    """A run as JUnit has it: a suite a room, a test case a clause."""
    found = []
    for room, verdicts in rooms(spec, report).items():
        cases = [_case(spec, report, traces, room, v) for v in verdicts]
        suite = Xml.Element("testsuite", {"name": clean(room), **_counted(cases), "skipped": _how_many(cases, "skipped")})
        suite.extend(cases)
        found.append(suite)
    cases = [case for suite in found for case in suite]
    name = clean(f"{spec.name}: {report.name}")
    top = Xml.Element("testsuites", {"name": name, **_counted(cases), "time": f"{report.seconds:.3f}"})
    top.extend(found)
    Xml.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(top, encoding="unicode") + "\n"


def _counted(cases: Sequence[Xml.Element]) -> dict[str, str]:
    return {"tests": str(len(cases)), "failures": _how_many(cases, "failure"), "errors": "0"}


def _how_many(cases: Iterable[Xml.Element], tag: str) -> str:
    return str(sum(case.find(tag) is not None for case in cases))


def _case(spec: Spec, report: Report, traces: Path, room: str, verdict: Verdict) -> Xml.Element:
    case = Xml.Element("testcase", name=clean(verdict.clause), classname=clean(f"{spec.name}.{room}"))
    why = clean(reason(report, verdict))
    if verdict in report.broken:
        kind = "flaky" if verdict.status == FLAKY else "failure"
        broken = Xml.SubElement(case, "failure", type=kind, message=why)
        broken.text = clean("\n".join(_told(spec, report, verdict, traces)))
    elif verdict in report.unexpectedly_right:
        # it fails the run, so it fails here
        Xml.SubElement(case, "failure", type="unexpectedly right", message=f"{why}; take it off the list")
    elif verdict.status in (FAIL, FLAKY):
        Xml.SubElement(case, "skipped", message=why)
    elif verdict.status in (UNSUPPORTED, UNTESTED, UNKNOWN):
        Xml.SubElement(case, "skipped", message=f"{verdict.status}: {why}")
    elif verdict.status == PERMITTED:
        Xml.SubElement(case, "system-out").text = f"permitted: {why}"
    return case


def _told(spec: Spec, report: Report, verdict: Verdict, traces: Path) -> list[str]:
    """A failure in lines."""
    assert verdict.failure is not None
    told = Told.of(spec, verdict.failure, strict=report.strict)
    lines = [verdict.failure.text, f"seen again {verdict.shown} times", *(_line(*each) for each in enumerate(told.calls, 1))]
    return [*lines, f"Again: {replay(traces, verdict.clause)}"]


def _line(number: int, call: Call) -> str:
    if not call.wrong:
        return f"{number:3}. {call.who}: {call.text} -> {call.answer}"
    return f"{number:3}. {call.who}: {call.text} -> {call.answer}  WRONG, it must be: {call.must}"


def sarif(spec: Spec, report: Report, traces: Path = TRACES) -> str:
    """The failures of a run as SARIF 2.1.0: a rule a clause that fails."""
    failing = report.having(FAIL, FLAKY)
    found = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "oneowner",
                        "version": version("oneowner"),
                        "rules": [_rule(spec.actions[v.clause.partition("/")[0]], v.clause) for v in failing],
                    }
                },
                "results": [_result(spec, report, traces, number, v) for number, v in enumerate(failing)],
                "properties": {
                    "connection": report.where,
                    "specification": spec.name,
                    "digest": digest(spec),
                    "profiles": list(report.profiles),
                    "seed": report.seed,
                },
            }
        ],
    }
    return json.dumps(found, indent=1) + "\n"


def _rule(action: Action, clause: str) -> dict[str, Any]:
    text = action.text or action.name
    seed = f" It carries {', '.join(action.seed)} of the requirements." if action.seed else ""
    return {
        "id": clause,
        "shortDescription": {"text": text},
        "fullDescription": {"text": f"{text} This clause is of its outcome {clause.partition('/')[2]}.{seed}"},
        "defaultConfiguration": {"level": "error"},
    }


def _result(spec: Spec, report: Report, traces: Path, number: int, verdict: Verdict) -> dict[str, Any]:
    # "](" would begin a link, and the text quotes what the implementation answered
    text = "\n".join(_told(spec, report, verdict, traces)).replace("](", "] (")
    found = {
        "ruleId": verdict.clause,
        "ruleIndex": number,
        "level": "error",
        "message": {"text": text},
        # What fails is an implementation's behaviour, which is in no file of the project.  GitHub shows no result without
        # a file, so each clause has a path of its own that is none: results of different clauses stay apart.
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"oneowner/{quote(verdict.clause)}"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": verdict.clause, "kind": "function"}],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": hashlib.sha256(repr(verdict.clause).encode()).hexdigest()},
        "properties": {"status": verdict.status, "again": verdict.shown},
    }
    if verdict.clause in report.expected:
        found["suppressions"] = [{"kind": "external", "justification": "listed as known to fail"}]
    return found


@dataclass(frozen=True)
class Call:
    """One call of a failure: who makes it, the call and its answer as text, what the specification expects, what it changes
    there, and to whom it must bring late answers."""

    who: str
    text: str
    answer: str
    expected: str
    wrong: bool
    before: Vector
    after: Vector
    changes: list[str]
    late: list[tuple[str, str]]

    @property
    def must(self) -> str:
        """All that the specification expects of it, in words."""
        return "; ".join([self.expected, *(f"{who} is answered {text}" for who, text in self.late)])


@dataclass
class _World:
    """A state in which the specification may be after some calls: what lives of the handles that were shown, and all that ever
    were."""

    vector: Vector
    calls: list[Call]
    living: dict[Origin, tuple[Type, int]]
    shown: dict[Origin, str]


@dataclass(frozen=True)
class Told:
    """A failure as the specification sees it.  The last call is the wrong one."""

    model: Model
    calls: list[Call]
    text: str
    late: bool
    """Whether it is a late answer that is wrong, and not that of the last call itself."""

    @classmethod
    def of(cls, spec: Spec, failure: Failure, *, strict: bool = False) -> Told:
        """Make the calls of a failure by the specification alone."""
        teller = _Teller(spec, failure, strict)
        return cls(teller.model, teller.calls(), failure.text, "/late-" in failure.clause or LATE in failure.text)


class _Teller:
    def __init__(self, spec: Spec, failure: Failure, strict: bool) -> None:
        self.spec, self.failure, self.strict = spec, failure, strict
        self.sorts = [kind for kind in spec.unused if kind.handles]
        sizes = spec.scope(failure.scope)
        # the last element of a sort stands for handles that are dead or were never given out, as in a session
        self.model = model(spec, sizes | {kind.plural: sizes[kind.plural] + 1 for kind in self.sorts})

    def calls(self) -> list[Call]:
        constants = [(kind, constant) for kind in self.sorts for constant in kind.constants]
        living = {Origin(-1, constant.name): (kind, int(constant)) for kind, constant in constants}
        shown = {Origin(-1, constant.name): constant.name for _, constant in constants}
        worlds = [_World(self.model.initial(), [], living, shown)]
        for index, call in enumerate(self.failure.calls):
            last = index == len(self.failure.calls) - 1
            found = [self._call(world, index, call, last) for world in worlds]
            # a call that may not have happened leaves both states, the one before first; a later answer tells them apart
            stayed = [before for before, _, _ in found if before is not None]
            went = [after for _, after, fits in found if fits or last] or [after for _, after, _ in found]
            worlds = [*stayed, *went][:MOST_WORLDS]
        return worlds[0].calls

    def _call(self, world: _World, index: int, call: Recorded, last: bool) -> tuple[_World | None, _World, bool]:
        """The world if the call did not happen, where that is left open; if it did; and whether the answer fits that."""
        action = self.spec.actions[call.operation]
        values = {
            slot.name: self.model.fresh(world.vector, slot.type, int(slot.type in self.sorts))
            if slot.fresh
            else self._value(world, slot, call.arguments[slot.name])
            for slot in action.slots
        }
        outcome = self.model.call(action, world.vector, values)
        answer = call.answer if isinstance(call.answer, dict) else {}
        late = self._late(world.vector, outcome)
        actor = next((s for s in action.slots[:1] if s.type in self.sorts and not s.fresh and not s.type.endless), None)
        texts = {s.name: self._text(world, s, call.arguments[s.name]) for s in action.slots if not s.fresh}
        if outcome.exit == OK:
            expected = self._sent(action, outcome.answer) if last else _words(answer_names(action, outcome.answer))
        elif outcome.effective or self.strict:
            expected = outcome.exit
        else:
            expected = " or ".join(self.model.permitted(action, world.vector, values))
        told = Call(
            texts[actor.name] if actor else ANYONE,
            f"{action.name}({', '.join(f'{name}={text}' for name, text in texts.items() if not actor or name != actor.name)})",
            _answered(answer, last, expected),
            expected,
            last,
            world.vector,
            outcome.state,
            differences(self.model, world.vector, outcome.state),
            [(value_name(each.sort, each.waiter), f"{each.operation}: {_came_to(self.spec, each)}") for each in late],
        )
        after = _World(outcome.state, [*world.calls, told], dict(world.living), dict(world.shown))
        if "ok" in answer and outcome.exit == OK:
            self._learn(after, index, "", action, outcome.answer)
        for number, each in enumerate(late):
            if each.exit == OK:
                self._learn(after, index, f"late {number} ", self.spec.actions[each.operation], each.answer)
        self._bury(after)
        stayed = None
        if "indeterminate" in answer and not last and outcome.effective:
            stayed = _World(world.vector, after.calls, world.living, world.shown)
        kind = {OK: "ok", SUSPENDED: SUSPENDED}.get(outcome.exit, "error")
        return stayed, after, not answer or kind in answer or "indeterminate" in answer

    def _late(self, before: Vector, outcome: Outcome) -> list[Any]:
        if self.spec.late is None or outcome.shown is outcome.state:
            return []
        return list(self.spec.late(self.model.system(before), self.model.system(outcome.shown), self.model.scope))

    def _sent(self, action: Action, answer: Any) -> str:
        """An answer as text, data as an implementation sends it: what was answered instead stands beside it."""
        found: dict[str, Any] = {}
        for position, (name, kind) in enumerate(answer_fields(action.answer)):
            value = answer[position] if name else answer
            encode = self.spec.encodings.get(member_type(kind))
            if encode is None:
                found[name] = value_name(member_type(kind), value)
            elif isinstance(value, Members):
                found[name] = json.dumps([encode(self.model.scope, element) for element in sorted(value)])
            else:
                found[name] = json.dumps(encode(self.model.scope, value))
        return _words(found.get("", found or None))

    def _learn(self, world: _World, index: int, prefix: str, action: Action, answer: Any) -> None:
        """Take note of the handles that an answer shows."""
        known = set(world.living.values())
        for position, (name, kind) in enumerate(answer_fields(action.answer)):
            value = answer[position] if name else answer
            if not is_subset(kind) and kind in self.sorts and value and (kind, int(value)) not in known:
                origin = Origin(index, f"{prefix}{name}".strip())
                world.living[origin], world.shown[origin] = (kind, int(value)), value_name(kind, value)

    def _bury(self, world: _World) -> None:
        """Forget the handles whose elements live no more."""
        system = self.model.system(world.vector)
        with reading(self.model):
            dead = [
                origin
                for origin, (kind, element) in world.living.items()
                if element > len(kind.constants) and self.spec.unused[kind].function(system, element)
            ]
        for origin in dead:
            del world.living[origin]

    def _value(self, world: _World, slot: Slot, argument: Any) -> Any:
        if argument is None:
            return 0
        if slot.type not in self.sorts:
            return argument
        found = world.living.get(argument) if isinstance(argument, Origin) else None
        return found[1] if found else self.model.scope[slot.type.plural]

    def _text(self, world: _World, slot: Slot, argument: Any) -> str:
        if argument is None or slot.type not in self.sorts:
            return _words(value_name(slot.type, self._value(world, slot, argument)))
        if argument in world.living:
            return world.shown[argument]
        return f"{world.shown[argument]}, gone" if argument in world.shown else f"unknown {slot.type.__name__.lower()}"


def _words(value: Any) -> str:
    """An answer's value as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={_words(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "{" + ", ".join(map(str, value)) + "}"
    return "ok" if value is None else str(value)


def _came_to(spec: Spec, late: Any) -> str:
    return _words(answer_names(spec.actions[late.operation], late.answer)) if late.exit == OK else str(late.exit)


def _answered(answer: dict[str, Any], last: bool, expected: str) -> str:
    """What the implementation answered; where it is right, in the specification's names."""
    if not answer:
        return "no answer"
    kind, value = next(iter(answer.items()))
    if kind == "error":
        return str(value)
    if kind == "indeterminate":
        return "may have happened or not"
    if kind == "ok" and last and value is not None:
        return f"ok, {json.dumps(value, ensure_ascii=False, default=str)}"
    return expected if kind == "ok" and not last else kind


CHARACTER = 7.3
"""How wide a character of a picture's text is."""
ROW, TOP = 26, 46
LONGEST = 96
WRONG = "✗ "


@dataclass(frozen=True)
class Arrow:
    """One arrow of a sequence diagram: from one life line to another, with its text, which begins at the caller's."""

    y: int
    start: int
    end: int
    at: int
    text: str
    kind: str


@dataclass
class Diagram:
    """A sequence diagram: life lines by place, the arrows, and what is said of the wrong call."""

    lines: list[tuple[int, str]]
    arrows: list[Arrow]
    width: int
    height: int
    note: str
    note_at: tuple[int, int]


def diagram(told: Told) -> Diagram:
    """The calls of a failure as a sequence diagram; what is wrong with the last is marked and said."""
    at: dict[str, int] = {}
    x = 20
    actors = dict.fromkeys(who for call in told.calls for who in (call.who, *(waiter for waiter, _ in call.late)))
    for actor in actors:
        half = max(45, _wide(actor) // 2 + 10)
        x += half
        at[actor] = x
        x += half + 10
    note = WRONG + clipped(told.text)
    rows: list[tuple[str, str, str, bool]] = []
    for call in told.calls:
        asked, answered, brought = (call.wrong, call.wrong and not told.late, call.wrong and told.late)
        rows.append((call.who, WRONG * asked + call.text, "call" + " wrong" * asked, True))
        rows.append((call.who, WRONG * answered + call.answer, "answer" + " wrong" * answered, False))
        must = f"{WRONG * brought}must come: " if call.wrong else "late, "
        rows += [(who, must + text, "late" + " wrong" * brought, False) for who, text in call.late]
    rows = [(who, clipped(text), kind, asks) for who, text, kind, asks in rows]
    system = max([x + 20, *(at[who] + _wide(text) + 30 for who, text, _, _ in rows)])
    arrows = []
    for number, (who, shown, kind, asks) in enumerate(rows, 1):
        start, end = (at[who], system) if asks else (system, at[who])
        arrows.append(Arrow(TOP + ROW * number, start, end, at[who] + 10, shown, kind))
    bottom = TOP + ROW * (len(rows) + 1)
    last = at[told.calls[-1].who]
    width = max(system + 60, last + _wide(note) + 40)
    lines = [*((place, name) for name, place in at.items()), (system, SYSTEM)]
    return Diagram(lines, arrows, width, bottom + 20, note, (last + 10, bottom))


def clipped(text: str) -> str:
    """`text` on one line, no longer than a picture can hold."""
    line = " ".join(clean(text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _wide(text: str) -> int:
    return round(len(text) * CHARACTER)


@dataclass(frozen=True)
class Card:
    """A thing that has an owner, in a memory map: what is known of it, a line each."""

    name: str
    lines: tuple[str, ...]
    changed: bool
    y: int = 0

    @property
    def height(self) -> int:
        return 28 + 16 * (len(self.lines) + self.changed)


@dataclass
class Box:
    """An owner in a memory map, with what it owns; the last box is of what nobody owns."""

    name: str
    life: str
    changed: bool
    cards: list[Card] = field(default_factory=list)

    @property
    def height(self) -> int:
        return self.cards[-1].y + self.cards[-1].height + 10 if self.cards else 90

    @property
    def words(self) -> str:
        return f"{self.name}: {', '.join(card.name for card in self.cards) or 'nothing'}"


FREE = "free"


class Memory:
    """Who owns what: drawn for a spec whose state has a map `owner` from things to owners and `mapped` from both."""

    def __init__(self, machine: Model) -> None:
        self.model = machine
        parts = {c.name: c for c in machine.components if c.kind == "map"}
        owner, mapped = parts.get("owner"), parts.get("mapped")
        self.there = (
            owner is not None
            and mapped is not None
            and len(owner.keys) == 1
            and is_sort(owner.value)
            and mapped.keys == (owner.value, owner.keys[0])
        )
        if self.there:
            assert owner is not None
            assert mapped is not None
            self.thing, self.owner_sort = owner.keys[0], owner.value
            self.owner, self.mapped, self.process_mapped = owner, mapped, parts.get("process_mapped")
            self.notes = [c for c in parts.values() if c.keys[0] == self.thing and c is not owner]
            lives = parts.get("status")
            self.life = lives if lives and lives.keys == (self.owner_sort,) and is_enumeration(lives.value) else None

    def elements(self, kind: Type) -> range:
        """The elements of a sort, without the one that stands for strangers."""
        return range(1, self.model.scope[kind.plural] + (kind not in self.model.spec.unused or not kind.handles))

    def boxes(self, vector: Vector, other: Vector) -> list[Box]:
        """The map of a state; what is different in the `other` one is marked."""
        found = {}
        for element in self.elements(self.owner_sort):
            if self._lives(vector, element) or self._lives(other, element):
                life = self._life(vector, element)
                found[element] = Box(value_name(self.owner_sort, element), life, life != self._life(other, element))
        found[0] = Box(FREE, "owned by nobody", False)
        for thing in self.elements(self.thing):
            box = found[int(self._cell(vector, self.owner, thing))]
            changed = self._of(vector, thing) != self._of(other, thing)
            y = box.cards[-1].y + box.cards[-1].height + 8 if box.cards else 58
            box.cards.append(Card(value_name(self.thing, thing), tuple(self._lines(vector, thing)), changed, y))
        return list(found.values())

    def _cell(self, vector: Vector, component: Component, *key: int) -> Any:
        return vector[self.model.positions[component.name]][self.model.index(component, key)]

    def _life(self, vector: Vector, element: int) -> str:
        return str(value_name(self.life.value, self._cell(vector, self.life, element))) if self.life else ""

    def _lives(self, vector: Vector, element: int) -> bool:
        kind = self.owner_sort
        owns = any(self._cell(vector, self.owner, thing) == element for thing in self.elements(self.thing))
        if owns or element <= len(kind.constants) or kind not in self.model.spec.unused:
            return True
        with reading(self.model):
            return not self.model.spec.unused[kind].function(self.model.system(vector), element)

    def _of(self, vector: Vector, thing: int) -> tuple[Any, ...]:
        return self._cell(vector, self.owner, thing), *self._lines(vector, thing)

    def _lines(self, vector: Vector, thing: int) -> list[str]:
        owner = self._cell(vector, self.owner, thing)
        mapped = [element for element in self.elements(self.owner_sort) if self._cell(vector, self.mapped, element, thing)]
        if mapped == [owner]:
            lines = ["mapped here"]
        elif mapped:
            lines = [f"mapped in {', '.join(value_name(self.owner_sort, element) for element in mapped)}"]
        else:
            lines = ["mapped nowhere"]
        if self.process_mapped and self.process_mapped.keys[1:] == (self.thing,):
            kind = self.process_mapped.keys[0]
            inside = [element for element in self.elements(kind) if self._cell(vector, self.process_mapped, element, thing)]
            lines += [f"mapped in {value_name(kind, element)}" for element in inside]
        for component in self.notes:
            for key in self.model.keys(component):
                if key[0] == thing and (value := self._cell(vector, component, *key)):
                    at = "".join(f" {value_name(k, v)}" for k, v in zip(component.keys[1:], key[1:], strict=True))
                    lines.append(f"{component.name.replace('_', ' ')}{at}: {value_name(component.value, value)}")
        return lines


def html(spec: Spec, report: Report, traces: Path = TRACES) -> str:
    """A run as one page that needs nothing else."""
    by_room = rooms(spec, report)
    code, why = code_of(report)
    return _template(
        "report.html.j2",
        spec=spec,
        report=report,
        digest=digest(spec),
        why=why,
        holds=code == 0,
        statuses=STATUSES,
        rooms=by_room,
        counts={room: [sum(v.status == status for v in verdicts) for status in STATUSES] for room, verdicts in by_room.items()},
        reasons={v.clause: reason(report, v) for v in report.verdicts.values()},
        failures=[_drawn(spec, report, traces, verdict) for verdict in report.having(FAIL, FLAKY)],
    )


def _drawn(spec: Spec, report: Report, traces: Path, verdict: Verdict) -> dict[str, Any]:
    """What the page shows of a failure."""
    assert verdict.failure is not None
    told = Told.of(spec, verdict.failure, strict=report.strict)
    memory = Memory(told.model)
    maps = []
    if told.calls and memory.there:
        before, after = told.calls[-1].before, told.calls[-1].after
        maps = [("before the failing call", memory.boxes(before, after)), ("expected after it", memory.boxes(after, before))]
    return {
        "verdict": verdict,
        "known": verdict.clause in report.expected,
        "action": spec.actions[verdict.clause.partition("/")[0]],
        "text": verdict.failure.text,
        "calls": told.calls,
        "diagram": diagram(told) if told.calls else None,
        "maps": maps,
        "replay": replay(traces, verdict.clause),
    }


def _template(name: str, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["wide"] = _wide
    return environment.get_template(name).render(values)
