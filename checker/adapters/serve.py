"""An implementation in Python behind the protocol: what an adapter in another language does, for one that has none.

It reads requests from one descriptor and writes responses to another, and prints nothing of its own there.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import msgspec

from ..errors import AdapterError, Unsupported
from . import protocol as wire
from .connection import Implementation, is_given


def serve(
    make: Callable[[], Implementation], reading: IO[bytes], writing: IO[bytes], *, waiter: str, actors: dict[str, str]
) -> None:
    """Answer requests until shutdown or the end of input.  `actors` names by operation the parameter that is its actor."""
    Server(make(), writing, waiter, actors).run(reading)


class Server:
    """One connection.  Suspended calls are known by who waits, so that their late answers come under their own ids."""

    def __init__(self, implementation: Implementation, writing: IO[bytes], waiter: str, actors: dict[str, str]) -> None:
        self.implementation, self.writing, self.waiter, self.actors = implementation, writing, waiter, actors
        self.waiting: dict[str, int] = {}

    def run(self, reading: IO[bytes]) -> None:
        for line in reading:
            try:
                asked = json.loads(line)
                number, method, params = asked["id"], asked["method"], asked.get("params", {})
            except (ValueError, KeyError, TypeError, RecursionError):
                self._say({"id": None, "error": {"code": -32700, "message": "no request"}})
                continue
            self._answer(number, method, params)
            if method == "shutdown":
                return

    def _answer(self, number: int, method: str, params: dict[str, Any]) -> None:
        try:
            result = self._do(number, method, params)
        except Unsupported as error:
            self._say({"id": number, "error": {"code": wire.UNSUPPORTED, "message": str(error)}})
        except Exception as error:
            self._say({"id": number, "error": {"code": wire.INTERNAL, "message": f"{type(error).__name__}: {error}"}})
        else:
            if result is not None:
                self._say({"id": number, "result": result})

    def _do(self, number: int, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        if method == "initialize":
            name = type(self.implementation).__name__
            default = wire.Introduction(1, name, language="Python", profiles=["all"])
            said = getattr(self.implementation, "introduction", default)
            capabilities = {"settle": True, "given": is_given(self.implementation)}
            return {**msgspec.to_builtins(said), "capabilities": capabilities}
        if method == "reset":
            self.waiting.clear()
            return self.implementation.reset(*(params[each] for each in ("topology", "given") if each in params))
        if method == "call":
            return self._call(number, params["op"], params["actor"], params["args"])
        if method in ("settle", "shutdown"):
            return {}
        raise Unsupported(method)

    def _call(self, number: int, operation: str, actor: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
        answer = self.implementation.call(operation, {self.actors.get(operation, "caller"): actor, **arguments})
        if "suspended" in answer:
            self.waiting[actor] = number
        settle = getattr(self.implementation, "settle", list)
        for late in settle():
            who = late[self.waiter]
            rest = {name: value for name, value in late.items() if name != self.waiter}
            self._say({"id": self.waiting.pop(who), "result": rest})
        if "indeterminate" in answer:
            self._say({"id": number, "error": {"code": wire.INDETERMINATE, "message": "it may have happened or not"}})
        return None if "suspended" in answer or "indeterminate" in answer else answer

    def _say(self, message: dict[str, Any]) -> None:
        self.writing.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.writing.flush()


def serve_here(make: Callable[[], Implementation], *, waiter: str, actors: dict[str, str]) -> None:
    """Serve on stdin and stdout; whatever else is printed there goes to stderr."""
    writing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(make, sys.stdin.buffer, writing, waiter=waiter, actors=actors)


def serve_socket(
    make: Callable[[], Implementation], where: str, *, waiter: str, actors: dict[str, str], ready: Callable[[str], None]
) -> None:
    """Serve at unix:PATH or tcp:HOST:PORT (port 0: any), one connection after another, until interrupted.

    `ready` is told where it listens.  Raises AdapterError where that cannot be.
    """
    scheme, _, rest = where.partition(":")
    host, _, port = rest.rpartition(":")
    try:
        if scheme == "unix" and rest:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(rest)
        elif scheme == "tcp" and host and port.isdecimal():
            listener = socket.create_server((host, int(port)))
            where = f"tcp:{host}:{listener.getsockname()[1]}"
        else:
            raise AdapterError(f"{where!r} is no place to listen; write unix:PATH or tcp:HOST:PORT")
    except OSError as error:
        raise AdapterError(f"{where}: cannot listen: {error.strerror}") from None
    with listener:
        listener.listen()
        ready(where)
        try:
            while True:
                connection, _ = listener.accept()
                if scheme == "tcp":
                    # two lines in a row, a late answer and a call's, would wait for each other's acknowledgement
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with (
                    contextlib.suppress(OSError),
                    connection,
                    connection.makefile("rb") as reading,
                    connection.makefile("wb") as writing,
                ):
                    serve(make, reading, writing, waiter=waiter, actors=actors)
        finally:
            if scheme == "unix":
                Path(rest).unlink(missing_ok=True)
