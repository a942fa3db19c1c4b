"""What the kernel of the system control OS keeps: processes, and the descriptor table that they share (seed 0087-0088)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from .calls import system_call
from .machine import Machine
from .memory import AddressSpace
from .objects import Partition, Port, Refused, Region, Signal, need


class Suspended:
    """What a system call returns whose answer comes later."""


SUSPENDED: Final = Suspended()


@dataclass(eq=False)
class Process:
    """A process: its own page table, and the regions mapped in it by address."""

    handle: str
    space: AddressSpace
    suspended: bool = False
    regions: dict[str, Region] = field(default_factory=dict)


@dataclass(eq=False)
class File:
    """A virtual file: the name of a region.  `region` is None once it is freed or sent away."""

    handle: str
    region: Region | None
    linked: bool = True
    opened: int = 0


@dataclass(eq=False)
class OpenFile:
    maker: Process
    file: File


@dataclass(eq=False)
class Socket:
    """A socket; `SET_ASIDE` is the status of one that a suspended accept will answer with.

    `acceptors`, `readers` and `connector` are the processes suspended in it, the oldest first.
    """

    maker: Process
    mode: str
    status: str = "CREATED"
    service: int | None = None
    port: Port | None = None
    bound: int = 0
    backlog: deque[Signal] = field(default_factory=deque)
    acceptors: deque[tuple[Process, int]] = field(default_factory=deque)
    readers: deque[Process] = field(default_factory=deque)
    connector: Process | None = None


class Descriptors:
    """Processes, the descriptor table, and suspension: what every room of the kernel stands on."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.processes: dict[str, Process] = {}
        self.table: dict[int, Socket | OpenFile] = {}
        self.late: list[dict[str, Any]] = []

    @system_call
    def create_process(self, caller: Partition) -> str:
        self.machine.need_system(caller)
        need(len(self.processes) < self.machine.topology["processes"], "ENOMEM")
        process = Process(self.machine.mint("process"), AddressSpace(self.machine.memory))
        self.processes[process.handle] = process
        return process.handle

    def running(self, handle: str) -> Process:
        process = self.processes.get(handle)
        if process is None:
            raise Refused("ESRCH")
        need(not process.suspended, "EBUSY")
        return process

    def suspend(self, process: Process) -> Suspended:
        process.suspended = True
        return SUSPENDED

    def resume(self, process: Process, answer: object) -> None:
        process.suspended = False
        self.late.append({"process": process.handle, "ok": answer})

    def resume_refused(self, process: Process, error: str) -> None:
        process.suspended = False
        self.late.append({"process": process.handle, "error": error})

    def free_descriptor(self) -> int:
        """The lowest free descriptor, as in UNIX.  Refused where there is none."""
        for fd in range(self.machine.topology["fds"]):
            if fd not in self.table:
                return fd
        raise Refused("EMFILE")

    def socket_at(self, fd: int) -> Socket:
        entry = self.table.get(fd)
        if not isinstance(entry, Socket) or entry.status == "SET_ASIDE":
            raise Refused("EBADF")
        return entry

    def file_at(self, fd: int) -> File:
        entry = self.table.get(fd)
        if not isinstance(entry, OpenFile):
            raise Refused("EBADF")
        return entry.file
