"""Where the protocol's lines go and come from: a process that this checker starts, or a socket."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...model.language import SpecError
from ..errors import AdapterError, printable
from .keeper import STUBBORN

if TYPE_CHECKING:
    import psutil


MARK = "ONEOWNER_ADAPTER"
KEEPER = str(Path(__file__).with_name("keeper.py"))
STARTING = 10.0
"""Seconds that an adapter's process may take to begin."""

LEAVE = 0.5
"""Seconds in which an adapter may end by itself when its input has ended."""

LAST_PORT = 65535
"""The greatest number of a port."""


class Line(Protocol):
    """Where lines go and come from."""

    def open(self) -> tuple[int, int]:
        """Begin: the descriptors to read from and to write to.  Raises AdapterError."""

    def end(self) -> str:
        """End it, with all that belongs to it; what can be said about how it ended, or ""."""


class Process:
    """exec: an adapter that this checker starts, under a keeper.  `command` is split as a shell would, without being one; `pid`
    is the adapter's own."""

    def __init__(self, command: str) -> None:
        self.arguments = shlex.split(command)
        if not self.arguments:
            raise AdapterError("exec: needs a command, such as exec:./adapter")

    def open(self) -> tuple[int, int]:
        self.mark = uuid.uuid4().hex
        control, self.control = os.pipe()
        self.status, status = os.pipe()
        self.told = b""
        self.keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", KEEPER, str(control), str(status), *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, MARK: self.mark},
            pass_fds=(control, status),
            start_new_session=True,
            bufsize=0,
        )
        os.close(control)
        os.close(status)
        assert self.keeper.stdin is not None
        assert self.keeper.stdout is not None
        how, _, number = self._told_by(time.monotonic() + STARTING, b"\n").partition(" ")
        if how != "pid":
            self.end()
            why = os.strerror(int(number)) if how == "failed" else "its keeper does not answer"
            raise AdapterError(f"exec:{shlex.join(self.arguments)}: cannot be started: {why}")
        self.pid = int(number)
        return self.keeper.stdout.fileno(), self.keeper.stdin.fileno()

    def end(self) -> str:
        keeper = self.keeper
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        keeper.stdin.close()
        self._told_by(time.monotonic() + LEAVE, b"ended ")
        code = next((int(line[6:]) for line in self.told.split(b"\n") if line.startswith(b"ended ")), None)
        os.close(self.control)
        self._told_by(time.monotonic() + 2 * STUBBORN, None)
        os.close(self.status)
        try:
            kept = keeper.wait(STUBBORN) == 0
        except subprocess.TimeoutExpired:
            keeper.kill()
            kept = keeper.wait() == 0
        if not kept or sys.platform != "linux":
            _kill_marked(self.mark)
        keeper.stdout.close()
        last = printable(self.told.partition(b"words\n")[2].decode("utf-8", "replace").strip())
        said = f"; its last words on stderr:\n{last}" if last else ""
        if code is None:
            return f"it was still running and was killed{said}"
        return (f"it was ended by signal {-code} ({_signal(-code)})" if code < 0 else f"it exited with {code}") + said

    def _told_by(self, until: float, end: bytes | None) -> str:
        """Read what the keeper tells until there is an `end` in it, or it has told all; the first line."""
        while end is None or end not in self.told:
            if not select.select([self.status], [], [], max(0.0, until - time.monotonic()))[0]:
                break
            more = os.read(self.status, 65536)
            if not more:
                break
            self.told += more
        return self.told.partition(b"\n")[0].decode()


def _kill_marked(mark: str) -> None:
    """Kill what carries a mark in its environment, as the children of an adapter do: its keeper is gone, or cannot see them."""
    import psutil

    until = time.monotonic() + STUBBORN
    while (left := _marked(mark)) and time.monotonic() < until:
        for other in left:
            with contextlib.suppress(psutil.Error, OSError):
                other.kill()
        time.sleep(0.005)


def _marked(mark: str) -> list[psutil.Process]:
    """The processes that live and carry a mark, this one not among them."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(process)
    return found


def _signal(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return "unknown"


class Socket:
    """tcp: or unix: an adapter that somebody else runs, and that serves one connection after another."""

    def __init__(self, family: socket.AddressFamily, address: Any, name: str) -> None:
        self.family, self.address, self.name = family, address, name

    def open(self) -> tuple[int, int]:
        self.socket = socket.socket(self.family, socket.SOCK_STREAM)
        self.socket.settimeout(5)
        try:
            self.socket.connect(self.address)
        except OSError as error:
            self.socket.close()
            raise AdapterError(f"{self.name}: cannot connect: {error.strerror or error}; start the adapter first") from None
        self.socket.setblocking(False)
        if self.family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.socket.fileno(), self.socket.fileno()

    def end(self) -> str:
        self.socket.close()
        return ""


def open_line(where: str) -> Line:
    """The line of a connection string.  Raises AdapterError for one that says nothing, SpecError for a port that there is not."""
    scheme, _, rest = where.partition(":")
    if scheme == "exec":
        return Process(rest)
    if scheme == "unix" and rest:
        return Socket(socket.AF_UNIX, rest, where)
    host, _, port = rest.rpartition(":")
    if scheme == "tcp" and host and port.isdecimal():
        if not 0 < int(port[:6]) <= LAST_PORT:
            raise SpecError(f"{where}: there is no port {port[:20]}; ports are numbers from 1 to {LAST_PORT}")
        return Socket(socket.AF_INET, (host, int(port)), where)
    raise AdapterError(f"{where!r} is no connection string; write py:MODULE[:FACTORY], exec:COMMAND, tcp:HOST:PORT or unix:PATH")
