"""The calls of a log as they can be made again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.language import (
    Spec,
    is_sort,
)
from ..session import NEVER, Origin, Recorded
from .reading import Log, opened
from .values import Wire, action_of, argument_at, given_to


def recorded(spec: Spec, log: Log) -> tuple[Spec, dict[str, int], list[Recorded]]:
    """The calls of a log with their handles by origin, to be made again, and the spec and the scope in which it is read."""
    spec, scope = opened(spec, log)
    wire = Wire(spec, scope)
    origins: dict[str, Origin] = {}
    calls: list[Recorded] = []
    index_of: dict[int, int] = {}
    late: dict[int, int] = {}
    for line in log.lines:
        message = line.message
        if message.get("method") == "call":
            action = action_of(spec, log, line)
            given = given_to(action, message["params"])
            arguments: dict[str, Any] = {}
            for slot in (s for s in action.slots if not s.fresh):
                value = argument_at(log, line, wire, slot, given)
                is_handle = is_sort(slot.type) and slot.type in spec.unused and slot.type.handles
                arguments[slot.name] = origins.get(value, NEVER) if is_handle and value is not None else value
            index_of[message["id"]] = len(calls)
            calls.append(Recorded(action.name, arguments))
        elif not line.is_request and "result" in message:
            own = index_of.get(message["id"], -1)
            at, prefix = own, ""
            if own >= 0 and own != len(calls) - 1:
                at, prefix = len(calls) - 1, f"late {late.get(len(calls) - 1, 0)} "
                late[at] = late.get(at, 0) + 1
            for name, value in _strings(message["result"], own < 0):
                origins.setdefault(value, Origin(at, f"{prefix}{name}".strip()))
    return spec, scope, calls


def _strings(result: Any, constants: bool) -> Iterator[tuple[str, str]]:
    answer = result if constants else result.get("ok") if isinstance(result, dict) else None
    if isinstance(answer, str):
        yield "", answer
    elif isinstance(answer, dict):
        yield from ((name, value) for name, value in answer.items() if isinstance(value, str))
