"""What a log tells: which calls were made and settled, from which line to which, and what they were answered with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...model.language import Action, Spec, Type
from ..adapters import INDETERMINATE, METHOD_NOT_FOUND, UNSUPPORTED
from ..errors import quoted
from .reading import Line, Log
from .values import Wire, action_of, argument_at, given_to

NOT_MADE = (UNSUPPORTED, METHOD_NOT_FOUND)


@dataclass(frozen=True, eq=False)
class Called:
    """A call: asked in one line, answered with `result` in another, or never (0)."""

    action: Action
    given: Mapping[str, Any]
    asked: int
    answered: int = 0
    result: Any = None
    fresh: tuple[tuple[str, Type], ...] = ()
    handles: tuple[tuple[str, Type], ...] = ()
    """The arguments that are fresh, and those that are handles, with their sorts."""
    unsure: bool = False
    """Whether the adapter said that it does not know: the call may take effect at any time, or never."""


@dataclass(frozen=True, eq=False)
class Settled:
    """A settle: at some moment from its line to that of its answer each call that was asked before had ended or was suspended;
    those of `due` were suspended, because they are not answered by then, those of `others` may have ended."""

    asked: int
    answered: int
    due: tuple[Called, ...] = ()
    others: tuple[Called, ...] = ()


@dataclass
class History:
    """The calls of a log in order, and its events by line: a call or a settle that is asked, or that is answered.

    `failed` is the first line in which the adapter said that it failed, and its text; what comes after it says nothing.
    """

    calls: int = 0
    judged: int = 0
    overlaps: int = 0
    events: list[tuple[int, Called | Settled]] = field(default_factory=list)
    named: frozenset[str] = frozenset()
    """The handles that stand in answers."""
    failed: tuple[int, str] | None = None


def history(spec: Spec, log: Log, wire: Wire) -> History:
    """What a log tells.  Raises SpecError, with its line, for a call that cannot be."""
    answers, asked = _paired(log)
    found = History()
    open_calls: dict[int, Called] = {}
    settles: dict[int, Settled] = {}
    named: set[str] = set()
    waits = 0
    for line in log.lines[1:]:
        message = line.message
        if message.get("method") == "call":
            found.calls += 1
            found.overlaps += waits
            waits += 1
            call = _called(spec, log, wire, line, answers.get(line.number))
            if call is not None:
                open_calls[line.number] = call
                found.events.append((line.number, call))
                named.update(_strings(call.result))
            continue
        if message.get("method") == "settle":
            answer = answers.get(line.number)
            if answer is not None and "result" in answer.message:
                sure = [call for call in open_calls.values() if not call.unsure]
                others = tuple(call for call in sure if 0 < call.answered < answer.number)
                due = tuple(call for call in sure if call not in others)
                settles[line.number] = Settled(line.number, answer.number, due, others)
                found.events.append((line.number, settles[line.number]))
            continue
        request = asked.get(line.number)
        if request is None:
            continue
        if request.number in settles:
            found.events.append((line.number, settles[request.number]))
        if request.message["method"] != "call":
            continue
        waits -= 1
        if "error" not in message:
            found.judged += 1
            found.events.append((line.number, open_calls.pop(request.number)))
        elif _code(message) not in (*NOT_MADE, INDETERMINATE):
            found.judged += 1
            name = action_of(spec, log, request).name
            found.failed = line.number, f"{name}: the adapter failed: {quoted(message['error'])}"
            break
    found.named = frozenset(named)
    return found


def _paired(log: Log) -> tuple[dict[int, Line], dict[int, Line]]:
    """The answers by the line of their request, and the requests by the line of their answer."""
    waits: dict[int, Line] = {}
    answers, asked = {}, {}
    for line in log.lines[1:]:
        name = line.message["id"]
        if line.is_request:
            waits[name] = line
        elif name in waits:
            request = waits.pop(name)
            answers[request.number], asked[line.number] = line, request
    return answers, asked


def _called(spec: Spec, log: Log, wire: Wire, line: Line, answer: Line | None) -> Called | None:
    """A call with its answer, or None for one that the adapter did not make."""
    action = action_of(spec, log, line)
    given = given_to(action, line.message["params"])
    values = {s.name: argument_at(log, line, wire, s, given) for s in action.slots if not s.fresh}
    fresh = tuple((s.name, s.type) for s in action.slots if s.fresh)
    handles = tuple((s.name, s.type) for s in action.slots if not s.fresh and s.type in spec.unused and s.type.handles)
    code = _code(answer.message) if answer else None
    if code in NOT_MADE:
        return None
    if answer is None or "result" not in answer.message:
        return Called(action, values, line.number, 0, None, fresh, handles, code == INDETERMINATE)
    return Called(action, values, line.number, answer.number, answer.message["result"], fresh, handles)


def _code(message: Mapping[str, Any]) -> Any:
    if "error" not in message:
        return None
    return message["error"].get("code") if isinstance(message["error"], dict) else ""


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in _strings(part)]
    return []
