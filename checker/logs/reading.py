"""Conversations read back: the protocol's own lines, from one reset on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...model.language import (
    Spec,
    SpecError,
)


@dataclass(frozen=True)
class Line:
    """A line of a conversation: its number, and the request or response."""

    number: int
    message: Mapping[str, Any]

    @property
    def is_request(self) -> bool:
        return "method" in self.message


@dataclass(frozen=True)
class Log:
    """The lines from one reset to the next, that reset first; `heading` is what the checker wrote above, if it was the checker's.
    `forgotten` are the requests that were open when the reset came: their answers, if they come, say nothing."""

    path: Path
    heading: Mapping[str, Any]
    lines: list[Line]
    forgotten: frozenset[int] = frozenset()

    @property
    def topology(self) -> dict[str, int]:
        found: dict[str, int] = self.lines[0].message["params"]["topology"]
        return found


def is_log(path: Path) -> bool:
    """Whether a file looks like a conversation, and not like a trace."""
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline()
        value = json.loads(first)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool({"oneowner", "jsonrpc"} & set(value))


def read(path: Path) -> Log:
    """Read a conversation: what was said since the last reset.  Raises SpecError, as `sections`."""
    return sections(path)[-1]


def sections(path: Path) -> list[Log]:
    """Read a conversation, a part a reset; what comes before the first is passed over.  A last line that was cut off is left out.

    Raises SpecError, naming the line: for what is no message of the protocol, and for an answer that cannot be, because nothing
    waits for it."""
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: {error}") from None
    heading: Mapping[str, Any] = {}
    found: list[Log] = []
    waits: dict[int, int] = {}
    said = text.split("\n")
    for number, line in enumerate(said, 1):
        if number == len(said) and not line.strip():
            break
        try:
            message = json.loads(line)
            _check(message)
        except (ValueError, RecursionError) as error:
            if number == len(said):
                break
            raise SpecError(f"{path}, line {number}: no message of the protocol: {error}") from None
        if "oneowner" in message:
            heading = message["oneowner"]
            continue
        if not found and message.get("method") != "reset":
            continue
        try:
            _follow(waits, message, number)
        except ValueError as error:
            raise SpecError(f"{path}, line {number}: {error}") from None
        if message.get("method") == "reset":
            found.append(Log(path, heading, [Line(number, message)], frozenset(waits) - {message["id"]}))
        elif found:
            found[-1].lines.append(Line(number, message))
    if not found:
        raise SpecError(f"{path}: no reset in it: a log begins with the request that sets the system up")
    return found


def _follow(waits: dict[int, int], message: Mapping[str, Any], number: int) -> None:
    """Take note of which requests wait for their answers.  Raises ValueError for an answer that nothing waits for, and for a
    request that is called as one that waits."""
    name = message["id"]
    if "method" in message:
        if name in waits:
            raise ValueError(f"a second request is called {name}, while the one of line {waits[name]} waits for its answer")
        waits[name] = number
    elif name not in waits:
        raise ValueError(f"answers {name}, and no request of that name waits for an answer")
    else:
        del waits[name]


def _check(message: Any) -> None:
    if not isinstance(message, dict):
        raise ValueError("not an object")
    if "oneowner" in message:
        if not isinstance(message["oneowner"], dict):
            raise ValueError("its heading is not an object")
        return
    params = message.get("params", {})
    if not isinstance(params, dict):
        raise ValueError("params is not an object")
    if message.get("method") == "reset":
        topology = params.get("topology")
        if not isinstance(topology, dict) or not all(type(size) is int for size in topology.values()):
            raise ValueError("reset needs a topology of whole numbers")
    is_whole = isinstance(params.get("op"), str) and isinstance(params.get("args"), dict) and "actor" in params
    if message.get("method") == "call" and not is_whole:
        raise ValueError("call needs actor, op and args")
    if type(message.get("id")) is not int:
        raise ValueError("id is not a whole number")
    if "method" not in message and ("result" in message) == ("error" in message):
        raise ValueError("a response has one of result and error")


def scope_of(spec: Spec, log: Log, sizes: Mapping[str, int] | None = None) -> dict[str, int]:
    """The scope of a log: that of its heading, else the fuzzing scope with the sizes of its topology; and `sizes` over that."""
    given = log.heading.get("scope")
    if given is None:
        known = spec.scope(spec.fuzz_scope)
        given = known | {name: max(size, 1) for name, size in log.topology.items() if name in known or name in spec.varied}
    try:
        return spec.scope({str(name): int(size) for name, size in given.items()} | dict(sizes or {}))
    except (AttributeError, TypeError, ValueError) as error:
        raise SpecError(f"{log.path}: the scope in its heading is none: {error}") from None


def opened(spec: Spec, log: Log, sizes: Mapping[str, int] | None = None) -> tuple[Spec, dict[str, int]]:
    """The spec and the scope in which a log is read: with an element for every value of the spec's open data that it has."""
    scope = scope_of(spec, log, sizes)
    encodings = dict(spec.encodings)
    for kind, ordinary in spec.open_data.items():
        encode = spec.encodings[kind]
        values = [encode(scope, number) for number in range(scope[kind.plural])]
        names = [(a.name, s.name) for a in spec.actions.values() for s in a.slots if s.type is kind]
        for line in log.lines:
            params = line.message.get("params", {})
            if line.message.get("method") == "call":
                given = [value for name, value in params["args"].items() if (params["op"], name) in names]
                values += [value for value in given if ordinary(value) and value not in values]
        last = encode(scope, scope[kind.plural])
        values.append(last if last not in values else [])
        scope[kind.plural] = len(values) - 1
        encodings[kind] = _table(values)
    return replace(spec, encodings=encodings), scope


def _table(values: list[Any]) -> Callable[[Mapping[str, int], int], Any]:
    return lambda scope, element: values[element]
