"""The protocol of `oneowner` for an implementation in Python 3.11 or later, with the standard library alone: call run.

One thread does everything: a request is read, the method of its operation is called, and what it answers is written before
the next request is read.  That is why `settle` can be answered at once.

stdout belongs to the protocol: run keeps it to itself and lets file descriptor 1 be stderr, so that a print left in the
implementation, or in a library or process of its, does no harm.
"""

from __future__ import annotations

import inspect
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol

MAX_LINE = 1 << 20
UNSUPPORTED, INDETERMINATE, INTERNAL = -32001, -32002, -32603
PARSE_ERROR, BAD_REQUEST, NO_METHOD, BAD_PARAMS = -32700, -32600, -32601, -32602

SUSPENDED = object()
"""What a method returns to leave its call unanswered for now."""


class Outcome(Exception):
    """An outcome of the system, such as Outcome("EAGAIN")."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Failure(Exception):
    """An outcome of the adapter: Failure(UNSUPPORTED, "why"), or INDETERMINATE, or INTERNAL."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Adapter(Protocol):
    """What an adapter is.  One that has `given = True` too has partitions and connected channels from the start: its reset takes
    them as a second argument, and it needs no operations that make them."""

    name: str
    version: str
    profiles: list[str]
    limits: dict[str, int]
    operations: dict[str, Callable[..., Any]]
    """By operation the method that does it: called with the Call and its arguments by name, it returns the answer (None, an
    integer, a string, a boolean, or a dictionary of the fields of an answer that has several) or raises Outcome."""
    reset: Callable[..., dict[str, str]]
    """Start afresh with a topology, sizes by name; the handles of what is there from the start."""


class Call:
    """A call under way.  Keep it when SUSPENDED is returned: it is answered later with `ok` or `error`, once.  A reset forgets
    suspended calls: what is said to them after it is dropped."""

    def __init__(self, line: Line, number: int, operation: str, actor: str) -> None:
        self.operation, self.actor = operation, actor
        self._line, self._number, self._era = line, number, line.era

    def ok(self, answer: Any = None) -> None:
        """Answer a suspended call."""
        self._answer({"ok": answer})

    def error(self, name: str) -> None:
        """Answer a suspended call with an outcome such as ECANCELED."""
        self._answer({"error": name})

    def _answer(self, result: dict[str, Any]) -> None:
        line = self._line
        if self._era != line.era:
            return
        if self not in line.suspended:
            raise RuntimeError(f"{self.operation} is answered late, but is not suspended: return its answer, or SUSPENDED")
        line.suspended.discard(self)
        line.say({"id": self._number, "result": result})


class Line:
    """The conversation."""

    def __init__(self, adapter: Adapter, output: int) -> None:
        self.adapter, self.output = adapter, output
        self.given: bool = getattr(adapter, "given", False)
        self.era = 0
        self.suspended: set[Call] = set()

    def serve(self, line: bytes) -> bool:
        """Answer a line; False after the last."""
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            self.fail(None, PARSE_ERROR, "not JSON")
            return True
        if not isinstance(request, dict):
            request = {}
        number, method, params = request.get("id"), request.get("method"), request.get("params", {})
        if type(number) is not int or type(method) is not str:
            self.fail(number if type(number) is int else None, BAD_REQUEST, "a request has an integer id and a method")
            return True
        try:
            result = self.do(number, method, params if isinstance(params, dict) else {})
            if result is not SUSPENDED:
                self.say({"id": number, "result": result})
        except Failure as failure:
            self.fail(number, failure.code, failure.message)
        except Exception as error:
            traceback.print_exc()
            self.fail(number, INTERNAL, f"{type(error).__name__}: {error}")
        return method != "shutdown"

    def do(self, number: int, method: str, params: dict[str, Any]) -> Any:
        if method == "initialize":
            return self.initialize(params)
        if method == "reset":
            return self.reset(params)
        if method == "call":
            return self.call(number, params)
        if method in ("settle", "shutdown"):
            return {}
        raise Failure(NO_METHOD, "no such method")

    def initialize(self, params: dict[str, Any]) -> dict[str, Any]:
        spoken = params.get("protocol")
        if not isinstance(spoken, list) or 1 not in spoken:
            raise Failure(BAD_PARAMS, "this adapter speaks protocol 1")
        return {
            "protocol": 1,
            "name": self.adapter.name,
            "version": self.adapter.version,
            "language": "Python",
            "profiles": self.adapter.profiles,
            "capabilities": {"settle": True, **({"given": True} if self.given else {})},
            "limits": self.adapter.limits,
        }

    def reset(self, params: dict[str, Any]) -> dict[str, str]:
        topology = params.get("topology")
        if not isinstance(topology, dict):
            raise Failure(BAD_PARAMS, "a reset has a topology")
        for name, size in topology.items():
            if type(size) is not int or size < 0:
                raise Failure(BAD_PARAMS, f"missing or of another type: {name}")
            if size > self.adapter.limits.get(name, size):
                raise Failure(UNSUPPORTED, "the topology is larger than the adapter's limits")
        if self.given and not isinstance(params.get("given"), dict):
            raise Failure(BAD_PARAMS, "a reset says what is given")
        self.era += 1
        self.suspended.clear()
        return self.adapter.reset(topology, params["given"]) if self.given else self.adapter.reset(topology)

    def call(self, number: int, params: dict[str, Any]) -> Any:
        actor, operation, given = params.get("actor"), params.get("op"), params.get("args")
        if not isinstance(actor, str) or not isinstance(operation, str) or not isinstance(given, dict):
            raise Failure(BAD_PARAMS, "a call has an actor, an op and args")
        if operation not in self.adapter.operations:
            raise Failure(UNSUPPORTED, "not supported")
        method = self.adapter.operations[operation]
        call = Call(self, number, operation, actor)
        try:
            inspect.signature(method).bind(call, **given)
        except TypeError as error:
            raise Failure(BAD_PARAMS, f"{operation}: {error}") from None
        try:
            answer = method(call, **given)
        except Outcome as outcome:
            return {"error": outcome.name}
        if answer is SUSPENDED:
            self.suspended.add(call)
            return SUSPENDED
        return {"ok": answer}

    def fail(self, number: int | None, code: int, message: str) -> None:
        self.say({"id": number, "error": {"code": code, "message": message}})

    def say(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self.output, data) :]
        except OSError:
            sys.stderr.write("oneowner_adapter.py: cannot write: the checker is gone\n")
            sys.exit(70)


def lines(reading: IO[bytes]) -> Iterator[bytes | None]:
    """The lines that are not empty; None for one that is too long."""
    while line := reading.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while (rest := reading.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield None
        elif line.strip():
            yield line


def run(adapter: Adapter) -> None:
    """Serve stdin until `shutdown` or its end."""
    line = Line(adapter, os.dup(1))
    os.dup2(2, 1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    for each in lines(sys.stdin.buffer):
        if each is None:
            line.fail(None, PARSE_ERROR, "a line has at most 1 MiB")
        elif not line.serve(each):
            break
