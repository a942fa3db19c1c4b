"""An implementation in another process, spoken to by lines of JSON-RPC over a pipe or a socket.

An adapter may die, hang, babble or lie about types; each of these is an AdapterFault that says what was seen and what to do,
within a budget of time.  Whatever happened, `stop` leaves no process behind: an adapter's whole tree is found by a mark in
its environment, which a child inherits even where it leaves the process group.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from ..errors import AdapterFault, Unsupported, quoted
from . import protocol as wire

if TYPE_CHECKING:
    pass
from .line import Line

LOOKS = 40
"""How often it is looked for an answer before waiting for it."""

QUOTE = 200
"""How many characters of a bad line are quoted back."""


@dataclass(frozen=True)
class Budgets:
    """Seconds: an answer that must come is waited for `must_return`; one that must not come, where the adapter cannot say that
    it has settled, `must_not_return`.  After `patience` an adapter that is slow to answer is asked whether it has settled."""

    must_return: float = 10.0
    must_not_return: float = 0.2
    patience: float = 0.25


class Remote:
    """An implementation behind a line.  Operations that may be suspended are `waiting` (None: any), and `waiter` is
    what the one who waits is called in a late answer.

    Every call is written to `log`, if there is one, before it is sent, and every line that comes after it; the log holds
    what was said since the last reset that a call or a fault followed, so that a crash leaves what led to it.
    """

    def __init__(
        self,
        name: str,
        line: Line,
        *,
        waiting: Collection[str] | None = None,
        waiter: str = "process",
        budgets: Budgets | None = None,
        log: Path | None = None,
        heading: dict[str, Any] | None = None,
    ) -> None:
        self.name, self.line, self.waiting, self.waiter = name, line, waiting, waiter
        self.budgets = budgets or Budgets()
        self.log_path, self.heading = log, heading or {}
        self._log: int | None = None
        self._held: bytearray | None = None
        self._opened = False
        self._late: list[dict[str, Any]] = []
        self.start()
        atexit.register(self.stop)

    def start(self) -> None:
        """Open the line and shake hands.  Raises AdapterError."""
        self.reading, self.writing = self.line.open()
        self._opened = True
        os.set_blocking(self.reading, False)
        os.set_blocking(self.writing, False)
        self._read, self._write = select.poll(), select.poll()
        self._read.register(self.reading, select.POLLIN)
        self._write.register(self.writing, select.POLLOUT)
        self._buffer = b""
        self._lines: list[bytes] = []
        self._number = 0
        self._pending: dict[int, str] = {}
        self._forgotten: set[int] = set()
        hello = self._ask("initialize", {"protocol": [wire.PROTOCOL], "client": "oneowner"})
        self.introduction = self._decoded(wire.introduction_decoder, hello, "initialize")

    def stop(self) -> str:
        """End the adapter and everything that it started; what can be said about how it ended."""
        if not self._opened:
            return ""
        self._opened = False
        if self._log is not None:
            os.close(self._log)
            self._log = None
        return self.line.end()

    def finish(self) -> None:
        """End a run as it should end.  Raises AdapterFault for an adapter that has more to say, or does not take its leave."""
        if self._opened:
            self._ask("shutdown", {})
            self.stop()

    def reset(self, topology: dict[str, Any], given: dict[str, Any] | None = None) -> dict[str, str]:
        if not self._opened:
            self.start()
        self._hold_log()
        self._forgotten |= set(self._pending)
        self._pending.clear()
        self._late.clear()
        too_much = {name: most for name, most in self.introduction.limits.items() if topology.get(name, 0) > most}
        if too_much:
            asked = ", ".join(f"{name}={topology[name]} (its limit is {most})" for name, most in too_much.items())
            raise Unsupported("reset", f"{self.name} cannot have {asked}")
        found = self._ask("reset", {"topology": topology} if given is None else {"topology": topology, "given": given})
        handles: dict[str, str] = self._decoded(wire.handles_decoder, found, "reset")
        return handles

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        (_, actor), *rest = arguments.items()
        self._number += 1
        number = self._number
        self._begin_log()
        data = wire.request(number, "call", {"actor": actor, "op": operation, "args": dict(rest)})
        may_wait = self.waiting is None or operation in self.waiting
        settles = self.introduction.capabilities.settle
        settled = 0
        if settles and (may_wait or self._pending):
            settled = self._number = number + 1
            data += wire.request(settled, "settle", {})
        self._send(data)
        quick = self.budgets.must_return
        if not settled:
            quick = self.budgets.patience if settles else self.budgets.must_not_return if may_wait else quick
        now = time.monotonic()
        until, last = now + quick, now + self.budgets.must_return
        found: dict[str, Any] | None = None
        unsupported: Unsupported | None = None
        while found is None or settled:
            response = self._receive(until)
            if response is None:
                if not settles and may_wait:
                    break
                if settled or not settles:
                    self._hung(f"to {operation}" if found is None else "to settle")
                settled = self._number = self._number + 1
                self._send(wire.request(settled, "settle", {}))
                until = last
            elif response.id == number and found is None:
                try:
                    found = self._outcome(response, operation)
                except Unsupported as error:
                    # what was sent behind it is still to be answered
                    unsupported, found = error, {}
            elif settled and response.id == settled:
                self._result(response, "settle")
                settled = 0
                if found is None:
                    break
            else:
                self._take_late(response)
        if unsupported is not None:
            raise unsupported
        if found is None:
            self._pending[number] = actor
            return {"suspended": None}
        return found

    def settle(self) -> list[dict[str, Any]]:
        if self._pending and not self.introduction.capabilities.settle:
            until = time.monotonic() + self.budgets.must_not_return
            while (response := self._receive(until)) is not None:
                self._take_late(response)
        late, self._late = self._late, []
        return late

    def _take_late(self, response: wire.Response) -> None:
        if response.id in self._forgotten:
            self._forgotten.discard(response.id)
            return
        actor = self._pending.pop(response.id, None) if response.id is not None else None
        if actor is None:
            self._babbles(f"answers id {response.id}, which no call waits for", "answer every request once, under its own id")
        self._late.append({self.waiter: actor, **self._outcome(response, "a suspended call")})

    def _outcome(self, response: wire.Response, operation: str) -> dict[str, Any]:
        if response.error is not msgspec.UNSET:
            code, message = response.error.code, response.error.message
            if code in (wire.UNSUPPORTED, wire.METHOD_NOT_FOUND):
                raise Unsupported(operation, message)
            if code == wire.INDETERMINATE:
                return {"indeterminate": None}
            # what else is on the line cannot be told apart from what comes next: the next reset begins anew
            self.stop()
            raise AdapterFault(f"the adapter failed in {operation}: error {code} {quoted(message)}")
        decoded: wire.CallResult = self._decoded(wire.call_decoder, response.result, operation)
        try:
            return decoded.plain()
        except ValueError as error:
            self._babbles(f"answers {operation} with neither or both of them", str(error))

    def _decoded(self, decoder: msgspec.json.Decoder[Any], raw: Any, what: str) -> Any:
        try:
            return decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            self._babbles(f"answers {what} with {_quoted(bytes(raw))}", f"{error}; `oneowner schema` prints what is expected")

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._number += 1
        number = self._number
        self._send(wire.request(number, method, params))
        until = time.monotonic() + self.budgets.must_return
        while (response := self._receive(until)) is not None:
            if response.id == number:
                return self._result(response, method)
            self._take_late(response)
        return self._hung(f"to {method}")

    def _result(self, response: wire.Response, method: str) -> Any:
        if response.error is not msgspec.UNSET:
            raise AdapterFault(f"the adapter refuses {method}: error {response.error.code} {quoted(response.error.message)}")
        return response.result

    def _send(self, data: bytes) -> None:
        self._record(data)
        until = 0.0
        while data:
            try:
                sent = os.write(self.writing, data)
            except BlockingIOError:
                until = until or time.monotonic() + self.budgets.must_return
                if not self._write.poll(_milliseconds(until)):
                    self._hung("by reading what is sent to it")
                continue
            except OSError:
                self._dead()
            if sent == len(data):
                return
            data = data[sent:]

    def _receive(self, until: float) -> wire.Response | None:
        """The next response, or None if none comes until then."""
        while not self._lines:
            # an answer is often there at once, and looking is cheaper than being put to sleep and woken
            if not any(self._read.poll(0) for _ in range(LOOKS)) and not self._read.poll(_milliseconds(until)):
                return None
            try:
                data = os.read(self.reading, 1 << 16)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if data[-1:] == b"\n" and not self._buffer and data.count(b"\n") == 1:
                self._lines.append(data[:-1])
                break
            if not data:
                if self._buffer:
                    self._babbles(f"ends in the middle of a line: {_quoted(self._buffer)}", "end every line with a newline")
                self._dead()
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            self._lines = lines[::-1]
            if len(self._buffer) > wire.MAX_LINE or any(len(line) > wire.MAX_LINE for line in lines):
                self._babbles(f"sends a line of more than {wire.MAX_LINE} bytes", "is a newline missing?")
        line = self._lines.pop()
        self._record(line + b"\n")
        try:
            return wire.parse(line)
        except ValueError as error:
            self._babbles(f"sends {_quoted(line)} ({error})", "only responses may go to stdout; print everything else to stderr")

    def _record(self, data: bytes) -> None:
        if self._held is not None:
            self._held += data
        elif self._log is not None:
            os.write(self._log, data)

    def _hold_log(self) -> None:
        """Hold back what is to be recorded, until `_begin_log`: a reset that nothing follows is no conversation, and should not
        take the place of one."""
        if self.log_path is not None:
            self._held = bytearray(json.dumps({"oneowner": self.heading}).encode() + b"\n" if self.heading else b"")

    def _begin_log(self) -> None:
        """Begin the log anew with what was held back: since a reset, nothing before it matters."""
        if self._held is None or self.log_path is None:
            return
        if self._log is None:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            self._log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.ftruncate(self._log, 0)
        os.lseek(self._log, 0, os.SEEK_SET)
        held, self._held = self._held, None
        os.write(self._log, held)

    def _give_up(self) -> str:
        """Stop after a fault, which the log is to hold even where nothing but a reset led to it."""
        self._begin_log()
        return self.stop()

    def _dead(self) -> NoReturn:
        how = self._give_up()
        raise AdapterFault(f"the adapter is gone: {how or 'it closed the connection'}")

    def _hung(self, doing: str) -> NoReturn:
        how = self._give_up()
        raise AdapterFault(f"the adapter hangs: no answer {doing} within {self.budgets.must_return:g} s; {how}".rstrip("; "))

    def _babbles(self, what: str, advice: str) -> NoReturn:
        self._give_up()
        raise AdapterFault(f"the adapter {what}: {advice}")


def _milliseconds(until: float) -> float:
    return max(0.0, (until - time.monotonic()) * 1000)


def _quoted(line: bytes) -> str:
    text = line[: QUOTE + 1].decode("utf-8", "replace")
    return repr(text if len(line) <= QUOTE else text[:QUOTE] + "...")
