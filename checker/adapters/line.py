"""Where the protocol's lines go and come from: a process that this checker starts, or a socket."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from ...model.language import SpecError
from ..errors import AdapterError

if TYPE_CHECKING:
    import psutil


MARK = "ONEOWNER_ADAPTER"
STUBBORN = 2.0
"""Seconds for which what an adapter left behind is killed, until nothing is found: a signal takes effect a little later than it
is sent, and what is killed may have begun something else."""

LAST_PORT = 65535
"""The greatest number of a port."""


class Line(Protocol):
    """Where lines go and come from."""

    def open(self) -> tuple[int, int]:
        """Begin: the descriptors to read from and to write to.  Raises AdapterError."""

    def end(self) -> str:
        """End it, with all that belongs to it; what can be said about how it ended, or ""."""


class Process:
    """exec: an adapter that this checker starts.  `command` is split as a shell would, without being one."""

    def __init__(self, command: str) -> None:
        self.arguments = shlex.split(command)
        if not self.arguments:
            raise AdapterError("exec: needs a command, such as exec:./adapter")

    def open(self) -> tuple[int, int]:
        self.mark = uuid.uuid4().hex
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self.process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env={**os.environ, MARK: self.mark},
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise AdapterError(f"exec:{shlex.join(self.arguments)}: cannot be started: {error.strerror}") from None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdout.fileno(), self.process.stdin.fileno()

    def end(self) -> str:
        import psutil

        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        code = process.poll()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        until = time.monotonic() + STUBBORN
        while (left := _marked(self.mark)) and time.monotonic() < until:
            for other in left:
                with contextlib.suppress(psutil.Error, OSError):
                    other.kill()
            time.sleep(0.005)
        process.stdout.close()
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, self.errors.tell() - 2000))
        last = self.errors.read().decode("utf-8", "replace").strip()
        self.errors.close()
        said = f"; its last words on stderr:\n{last}" if last else ""
        if code is None:
            return f"it was still running and was killed{said}"
        return (f"it was ended by signal {-code} ({_signal(-code)})" if code < 0 else f"it exited with {code}") + said


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
