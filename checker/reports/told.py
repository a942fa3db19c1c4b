"""A failure as the specification sees it: each call with what it must come to, and what it changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...model.concrete import Model, Outcome, Vector, answer_names, differences, value_name
from ...model.language import (
    OK,
    SUSPENDED,
    Action,
    Members,
    Slot,
    Spec,
    Type,
    answer_fields,
    is_subset,
    member_type,
    reading,
)
from ..conform import Report, Verdict
from ..session import LATE, MOST_WORLDS, Failure, Origin, Recorded, model
from .words import replay

SYSTEM = "system"
ANYONE = "caller"


@dataclass(frozen=True)
class ToldCall:
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
    calls: list[ToldCall]
    living: dict[Origin, tuple[Type, int]]
    shown: dict[Origin, str]


@dataclass(frozen=True)
class Told:
    """A failure as the specification sees it.  The last call is the wrong one."""

    model: Model
    calls: list[ToldCall]
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

    def calls(self) -> list[ToldCall]:
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
        outcome = self.model.step(action, world.vector, values)
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
        told = ToldCall(
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


def told_lines(spec: Spec, report: Report, verdict: Verdict, traces: Path) -> list[str]:
    """A failure in lines."""
    assert verdict.failure is not None
    told = Told.of(spec, verdict.failure, strict=report.strict)
    lines = [
        verdict.failure.text,
        *map(str, verdict.failure.reasons),
        f"seen again {verdict.shown} times{verdict.failure.freshly}",
        *call_lines(told.calls),
    ]
    return [*lines, f"Again: {replay(report, traces, verdict.clause)}"]


def call_lines(calls: Sequence[ToldCall]) -> list[str]:
    """The calls of a failure in lines, with numbers."""
    return [_line(*each) for each in enumerate(calls, 1)]


def _line(number: int, call: ToldCall) -> str:
    if not call.wrong:
        return f"{number:3}. {call.who}: {call.text} -> {call.answer}"
    return f"{number:3}. {call.who}: {call.text} -> {call.answer}  WRONG, it must be: {call.must}"
