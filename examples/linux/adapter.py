"""Linux's own sockets (AF_UNIX, SOCK_SEQPACKET) behind the protocol of docs/protocol.md: an adapter in one file, to learn from.

The answers are Linux's.  Every call of the socket rooms is a system call, made through the C library, and its outcome is passed
on, the name of the errno as it is.

    SYSTEM           a Linux process of its own (`Host`); its table of descriptors, from BASE upwards, is the protocol's, and
                     RLIMIT_NOFILE is its size
    a process        a thread of it: they share the table, and each may sleep in a system call
    a service        an abstract address at which a socket of the host's is bound
    a guest          sockets of this process that do not block: one that listens, for requests to the guest, and one a port
    an event         what an edge-triggered epoll says of a port's socket

Where Linux says the same by other means than an errno, this is how it is told; nothing else is translated:

    recv() = 0                          the end of the channel: `end` of read_socket, EPIPE of receive
    select() = 0, asked not to wait     EAGAIN
    connect() to AF_UNSPEC              cancel: connect(2) says that it dissolves an association
    send() from an unmapped address     send of a region: there is none
    access() to a name that is nobody's send_file of a file: there is none
    a thread that sleeps in a call      EBUSY of whatever else is asked of it
    a thread or a guest that is not     ESRCH of a caller

Linux has nothing like these, so that they are a few lines of bookkeeping: handles, and how many there may be (ENOMEM); who may
create (EPERM); that a receiver serves one port and a port has one peer (EISCONN); who asks a guest, and for which service.  A
socket's mode is not looked at: it is about regions.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import errno
import itertools
import json
import os
import queue
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time
from typing import Any, NamedTuple, NoReturn

CONTROL, BASE = 3, 4
"""In the host: the descriptor by which it is told what to do, and the one that stands for 0."""
NOWHERE = ctypes.c_void_p(1)
"""An address that is in nobody's memory."""
PATIENCE = 5.0
"""Seconds within which the threads of the host must have come to rest."""
BACKLOG = 64
"""How many requests may wait at a guest."""
RUN = os.urandom(8).hex()

libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """An outcome other than success, by name."""


class Unsupported(Exception):
    """Linux has nothing of the kind."""


def system_call(name: str, *arguments: Any) -> int:
    """A system call; Refused with the name of its errno."""
    result: int = getattr(libc, name)(*arguments)
    if result < 0:
        raise Refused(errno.errorcode[ctypes.get_errno()])
    return result


def address(*parts: object) -> bytes:
    """The abstract socket address of a service, a partition or a port."""
    return struct.pack("H", socket.AF_UNIX) + "\0".join(["", RUN, *map(str, parts)]).encode()


def need(condition: bool, name: str) -> None:
    if not condition:
        raise Refused(name)


def new_socket(flags: int = 0) -> int:
    fd = system_call("socket", socket.AF_UNIX, socket.SOCK_SEQPACKET | flags, 0)
    least_room(fd)
    return fd


def least_room(fd: int) -> None:
    """As little room for what is sent as Linux can be asked for."""
    one = ctypes.c_int(1)
    system_call("setsockopt", fd, socket.SOL_SOCKET, socket.SO_SNDBUF, ctypes.byref(one), 4)


def send(fd: int, short: str | None, *, from_nowhere: bool = False) -> None:
    data = (short or "").encode()
    start: Any = NOWHERE if from_nowhere else data
    system_call("send", fd, start, max(len(data), from_nowhere), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def receive(fd: int, size: int, flags: int, *, to_nowhere: bool = False) -> str:
    """A message, as far as it fits into so many bytes; "" is also the end of the channel."""
    buffer = ctypes.create_string_buffer(size)
    length = system_call("recv", fd, NOWHERE if to_nowhere else buffer, size, flags)
    return buffer.raw[:length].decode()


# -- the host: a process of its own, whose threads are the processes of the system control program --


class Calls:
    """The system calls of the processes.  A descriptor comes and goes as a number of the protocol's."""

    def __init__(self, short_limit: int) -> None:
        self.size = {"GOOD": short_limit, "SMALL": short_limit - 1, "BAD": short_limit}

    def socket(self, mode: str) -> int:
        return new_socket() - BASE

    def bind(self, fd: int, service: int) -> None:
        name = address("SYSTEM", service)
        system_call("bind", BASE + fd, name, len(name))

    def listen(self, fd: int, backlog: int) -> None:
        system_call("listen", BASE + fd, backlog)

    def accept_socket(self, fd: int, wait: bool) -> int:
        if wait:
            new = system_call("accept", BASE + fd, None, None)
        else:
            flags = system_call("fcntl", BASE + fd, 3)
            system_call("fcntl", BASE + fd, 4, flags | os.O_NONBLOCK)
            try:
                new = system_call("accept", BASE + fd, None, None)
            finally:
                system_call("fcntl", BASE + fd, 4, flags)
        least_room(new)
        return new - BASE

    def connect_socket(self, fd: int, partition: str, service: int) -> None:
        name = address(partition)
        system_call("connect", BASE + fd, name, len(name))

    def read_socket(self, fd: int, buffer: str, wait: bool) -> dict[str, Any]:
        flags = 0 if wait else socket.MSG_DONTWAIT
        short = receive(BASE + fd, self.size[buffer], flags, to_nowhere=buffer == "BAD")
        return {"file": None, "address": None, "short": short or None, "end": not short}

    def send_file(self, fd: int, file: str | None, short: str | None) -> None:
        if file is not None:
            system_call("access", f"/proc/self/{file}".encode(), os.F_OK)
        send(BASE + fd, short)

    def getpeername(self, fd: int) -> str | None:
        name, size = ctypes.create_string_buffer(110), ctypes.c_uint(110)
        system_call("getpeername", BASE + fd, name, ctypes.byref(size))
        parts = name.raw[2 : size.value].split(b"\0")
        return parts[2].decode() if len(parts) > 2 else None

    def select(self, reading: list[int], writing: list[int], wait: bool) -> dict[str, list[int]]:
        try:
            read, write, _ = select.select([BASE + fd for fd in reading], [BASE + fd for fd in writing], [], None if wait else 0)
        except OSError as error:
            raise Refused(errno.errorcode[error.errno or 0]) from None
        if not (read or write):
            raise Refused("EAGAIN")
        return {"reading": [fd - BASE for fd in read], "writing": [fd - BASE for fd in write]}

    def close(self, fd: int) -> None:
        system_call("close", BASE + fd)


def host(control: int, fds: int, calls: Calls) -> NoReturn:
    """The whole life of the host: begin a thread, end one, or let one make a call, until nobody tells it any more."""
    os.dup2(control, CONTROL)
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.closerange(BASE, 1 << 20)
    resource.setrlimit(resource.RLIMIT_NOFILE, (BASE + fds, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    threads: dict[str, tuple[threading.Thread, queue.SimpleQueue[Any]]] = {}

    def live(tasks: queue.SimpleQueue[Any]) -> None:
        tell(threading.get_native_id())
        while (task := tasks.get()) is not None:
            number, operation, arguments = task
            tell([number, outcome(lambda: getattr(calls, operation)(**arguments))])

    def tell(what: Any) -> None:
        os.write(CONTROL, json.dumps(what).encode())

    while told := os.read(CONTROL, 1 << 16):
        process, task = json.loads(told)
        if process not in threads:
            tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
            threads[process] = threading.Thread(target=live, args=(tasks,), daemon=True), tasks
            threads[process][0].start()
            continue
        threads[process][1].put(task)
        if task is None:
            threads.pop(process)[0].join()
            tell(None)
    os._exit(0)


def outcome(call: Any) -> dict[str, Any]:
    """What a call comes to, as a result of the protocol."""
    try:
        return {"ok": call()}
    except Refused as refused:
        return {"error": str(refused)}


class Host:
    """The host, seen from outside.  `under_way` are the calls that have not come back: by number, the process."""

    def __init__(self, fds: int, calls: Calls) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if not self.pid:
            try:
                host(theirs.fileno(), fds, calls)
            finally:
                os._exit(1)
        theirs.close()
        self.threads: dict[str, int] = {}
        self.idle: dict[str, str] = {}
        self.under_way: dict[int, str] = {}

    def begin(self, process: str) -> None:
        self._tell(process, None)
        thread = self.threads[process] = self._told()
        # what a thread does that waits for a task, or for the interpreter: the one sleep that is not the call's
        until = time.monotonic() + PATIENCE
        while (where := self._where(thread)) in ("", "running"):
            rest(until)
        self.idle[process] = where

    def end(self, process: str) -> None:
        self._tell(process, None)
        self._told()
        del self.threads[process]

    def call(self, number: int, process: str, operation: str, arguments: dict[str, Any]) -> None:
        self.under_way[number] = process
        self._tell(process, [number, operation, arguments])

    def settle(self) -> list[tuple[int, dict[str, Any]]]:
        """Wait until every call has come back, or sleeps in the kernel; those that have come back.

        Twice in a row all of them must be seen asleep: one that was awake in between may have woken another.
        """
        back: list[tuple[int, dict[str, Any]]] = []
        until, seen = time.monotonic() + PATIENCE, 0
        while seen < 2:
            while select.select([self.control], [], [], 0)[0]:
                number, result = self._told()
                del self.under_way[number]
                back.append((number, result))
                seen = 0
            if all(self._asleep(process) for process in self.under_way.values()):
                seen += 1
            else:
                seen = 0
                rest(until)
        return back

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.control.close()

    def _asleep(self, process: str) -> bool:
        return self._where(self.threads[process]) not in ("", "running", "-1", self.idle[process])

    def _where(self, thread: int) -> str:
        """The number of the system call in which a thread sleeps, or "running"."""
        with open(f"/proc/{self.pid}/task/{thread}/syscall", encoding="ascii") as file:
            return file.read().partition(" ")[0].strip()

    def _tell(self, process: str, task: Any) -> None:
        self.control.send(json.dumps([process, task]).encode())

    def _told(self) -> Any:
        told = self.control.recv(1 << 16)
        if not told:
            raise RuntimeError("the host is gone")
        return json.loads(told)


def rest(until: float) -> None:
    if time.monotonic() > until:
        raise TimeoutError("the host does not come to rest")
    time.sleep(0.0001)


# -- the guests: sockets of this process, none of which blocks --


class Port(NamedTuple):
    """A message port: a socket, and the receiver that tells of it."""

    owner: str
    receiver: str
    fd: int


class Guests:
    """Partitions, as far as they have message ports; SYSTEM may have some too.  The methods without _ are their operations."""

    def __init__(self, topology: dict[str, int]) -> None:
        self._most = topology
        self._numbers = itertools.count(1)
        self._receivers: dict[str, tuple[str, select.epoll]] = {}
        self._ports: dict[str, Port] = {}
        self.listeners: dict[str, int] = {}
        """Of every partition, the socket to which come the requests that are not to a service of SYSTEM's."""
        self._asked: dict[str, collections.deque[tuple[str, int]]] = {}
        """Of every partition, who has asked it, in the order in which Linux queues it, and for which service."""
        self._taken: dict[str, tuple[str, int]] = {}
        """By signal, the partition that has taken it, and the socket that it was given."""
        self._add("SYSTEM")

    def create_partition(self, caller: str) -> str:
        need(caller == "SYSTEM", "EPERM")
        need(len(self.listeners) < self._most["partitions"], "ENOMEM")
        return self._add(self._handle("p"))

    def create_receiver(self, caller: str) -> str:
        need(len(self._receivers) < self._most["receivers"], "ENOMEM")
        receiver = self._handle("e")
        self._receivers[receiver] = caller, select.epoll()
        return receiver

    def read_event(self, caller: str, receiver: str) -> bool:
        return bool(self._epoll(caller, receiver).poll(0))

    def create_port(self, caller: str, receiver: str) -> str:
        self._epoll(caller, receiver)
        need(receiver not in (p.receiver for p in self._ports.values()), "EISCONN")
        need(len(self._ports) < self._most["ports"], "ENOMEM")
        port, fd = self._handle("h"), new_socket(socket.SOCK_NONBLOCK)
        name = address(caller, port)
        system_call("bind", fd, name, len(name))
        self._ports[port] = Port(caller, receiver, fd)
        return port

    def connect(self, caller: str, port: str, partition: str, service: int) -> None:
        name = address("SYSTEM", service) if partition == "SYSTEM" else address(partition)
        system_call("connect", self._at(caller, port), name, len(name))
        self._watch(port)
        if partition != "SYSTEM":
            self.ask(caller, partition, service)

    def cancel(self, caller: str, port: str) -> None:
        nobody = struct.pack("H14x", socket.AF_UNSPEC)
        system_call("connect", self._at(caller, port), nobody, len(nobody))

    def take_signal(self, caller: str) -> dict[str, Any]:
        fd = system_call("accept", self.listeners[caller], None, None)
        least_room(fd)
        source, service = self._asked[caller].popleft()
        signal = self._handle("s")
        self._taken[signal] = caller, fd
        return {"signal": signal, "kind": "CHANNEL", "source": source, "service": service, "shared": None}

    def accept(self, caller: str, signal: str, port: str) -> None:
        taker, fd = self._taken.get(signal, ("", -1))
        need(taker == caller and self._at(caller, port) >= 0, "EBADF")
        need(not has_peer(self._ports[port].fd), "EISCONN")
        os.dup2(fd, self._ports[port].fd)
        self.refuse(caller, signal)
        self._watch(port)

    def refuse(self, caller: str, signal: str) -> None:
        taker, fd = self._taken.get(signal, ("", -1))
        need(taker == caller, "EBADF")
        os.close(fd)
        del self._taken[signal]

    def send(self, caller: str, port: str, region: str | None, short: str | None) -> None:
        send(self._at(caller, port), short, from_nowhere=region is not None)

    def receive(self, caller: str, port: str) -> dict[str, Any]:
        short = receive(self._at(caller, port), self._most["short_limit"], socket.MSG_DONTWAIT)
        need(short != "", "EPIPE")
        return {"region": None, "short": short}

    def close_port(self, caller: str, port: str) -> None:
        system_call("close", self._at(caller, port))
        del self._ports[port]

    def _handle(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"

    def _add(self, partition: str) -> str:
        fd, name = new_socket(socket.SOCK_NONBLOCK), address(partition)
        system_call("bind", fd, name, len(name))
        system_call("listen", fd, BACKLOG)
        self.listeners[partition], self._asked[partition] = fd, collections.deque()
        return partition

    def ask(self, caller: str, partition: str, service: int) -> None:
        self._asked[partition].append((caller, service))

    def _at(self, caller: str, port: str) -> int:
        """The socket of a port; for one that is not the caller's -1, which is no descriptor to Linux either."""
        found = self._ports.get(port)
        return found.fd if found and found.owner == caller else -1

    def _epoll(self, caller: str, receiver: str) -> select.epoll:
        owner, epoll = self._receivers.get(receiver, ("", None))
        if epoll is None or owner != caller:
            raise Refused("EBADF")
        return epoll

    def _watch(self, port: str) -> None:
        """From now on the receiver tells of the port: before it was connected there was nothing to tell."""
        owner, receiver, fd = self._ports[port]
        self._epoll(owner, receiver).register(fd, select.EPOLLIN | select.EPOLLET)

    def _stop(self) -> None:
        sockets = (*self.listeners.values(), *(p.fd for p in self._ports.values()), *(fd for _, fd in self._taken.values()))
        for fd in sockets:
            os.close(fd)
        for _, epoll in self._receivers.values():
            epoll.close()


def has_peer(fd: int) -> bool:
    with contextlib.suppress(Refused):
        system_call("getpeername", fd, ctypes.create_string_buffer(110), ctypes.byref(ctypes.c_uint(110)))
        return True
    return False


# -- the protocol --

OF_PARTITIONS = {name for name in vars(Guests) if not name.startswith("_")} - {"ask"}
OF_PROCESSES = {name for name in vars(Calls) if not name.startswith("_")}


class Adapter:
    """Requests in, responses out.  What comes of a call of a process is known when the host has settled."""

    def __init__(self) -> None:
        self.host: Host | None = None
        self.guests: Guests | None = None

    def reset(self, topology: dict[str, int]) -> dict[str, str]:
        self.stop()
        self.topology, self.guests = topology, Guests(topology)
        self.processes = itertools.count(1)
        self.asking: dict[int, tuple[str, int]] = {}
        return {"SYSTEM": "SYSTEM"}

    def stop(self) -> None:
        if self.host:
            self.host.stop()
        if self.guests:
            self.guests._stop()
        self.host = self.guests = None

    def call(self, number: int, actor: str, op: str, args: dict[str, Any]) -> dict[str, Any] | None:
        """Make a call; None if a process is at it."""
        guests = self.guests
        assert guests is not None
        if op == "create_process":
            return outcome(lambda: self.create_process(actor))
        if op == "exit" or op in OF_PROCESSES:
            return self.system_call(number, actor, op, args)
        if op not in OF_PARTITIONS:
            raise Unsupported(f"Linux has no {op}")
        if actor not in guests.listeners:
            return {"error": "ESRCH"}
        return outcome(lambda: getattr(guests, op)(actor, **args))

    def create_process(self, caller: str) -> str:
        need(self.guests is not None and caller in self.guests.listeners, "ESRCH")
        need(caller == "SYSTEM", "EPERM")
        if self.host is None:
            self.host = Host(self.topology["fds"], Calls(self.topology["short_limit"]))
        need(len(self.host.threads) < self.topology["processes"], "ENOMEM")
        process = f"c{next(self.processes)}"
        self.host.begin(process)
        return process

    def system_call(self, number: int, process: str, op: str, args: dict[str, Any]) -> dict[str, Any] | None:
        host = self.host
        if host is None or process not in host.threads:
            return {"error": "ESRCH"}
        if process in host.under_way.values():
            return {"error": "EBUSY"}
        if op == "exit":
            host.end(process)
            if not host.threads:
                # a Linux process ends with its last thread, and only then are its descriptors closed
                host.stop()
                self.host = None
            return {"ok": None}
        if op == "connect_socket":
            self.asking[number] = args["partition"], args["service"]
        host.call(number, process, op, args)
        return None

    def settle(self) -> None:
        for number, result in self.host.settle() if self.host else []:
            asked = self.asking.pop(number, None)
            if asked and "ok" in result and self.guests:
                self.guests.ask("SYSTEM", *asked)
            say(number, result=result)

    def answer(self, number: int, method: str, params: dict[str, Any]) -> None:
        result: dict[str, Any] | None = {}
        if method == "initialize":
            result = INTRODUCTION
        elif method == "reset":
            result = self.reset(params["topology"])
        elif method == "call":
            result = self.call(number, params["actor"], params["op"], params["args"])
        elif method != "settle":
            raise Unsupported(f"no {method} here")
        self.settle()
        if result is not None:
            say(number, result=result)


INTRODUCTION = {
    "protocol": 1,
    "name": "Linux AF_UNIX SOCK_SEQPACKET",
    "version": os.uname().release,
    "language": "Python",
    "profiles": ["sockets-short"],
    "capabilities": {"settle": True},
}


def say(number: int, **what: Any) -> None:
    print(json.dumps({"jsonrpc": "2.0", "id": number, **what}), flush=True)


def main() -> None:
    adapter = Adapter()
    try:
        for line in sys.stdin:
            request = json.loads(line)
            if request["method"] == "shutdown":
                adapter.stop()
                say(request["id"], result={})
                break
            try:
                adapter.answer(request["id"], request["method"], request["params"])
            except Unsupported as error:
                say(request["id"], error={"code": -32001, "message": str(error)})
            except (OSError, RuntimeError) as error:
                say(request["id"], error={"code": -32603, "message": f"{type(error).__name__}: {error}"})
    finally:
        adapter.stop()


if __name__ == "__main__":
    main()
