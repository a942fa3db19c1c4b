"""What the control OS keeps: partitions, regions, ports, signals.  Plain records; the rooms beside this one move them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from .memory import AddressSpace

PROCESSOR_TIME, ADDRESS_SPACE = "PROCESSOR_TIME", "ADDRESS_SPACE"
PROGRAM_MEMORY, MANAGEMENT_MEMORY, EVENT_PORTS = "PROGRAM_MEMORY", "MANAGEMENT_MEMORY", "EVENT_PORTS"
DEVICES, CACHE, BUS = "DEVICES", "CACHE", "BUS"

KINDS = (PROCESSOR_TIME, ADDRESS_SPACE, PROGRAM_MEMORY, MANAGEMENT_MEMORY, EVENT_PORTS, DEVICES, CACHE, BUS)
"""The eight kinds of resource (seed 0051)."""

GRANTED = (PROCESSOR_TIME, ADDRESS_SPACE, DEVICES, CACHE, BUS)
"""The kinds that a partition has to ask for; the others it takes directly, under its limits."""

DATUM_SIZE = 8


class Refused(Exception):
    """A call is refused with an error; nothing has changed."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def need(condition: object, error: str) -> None:
    """Refuse the call with `error` unless the condition holds."""
    if not condition:
        raise Refused(error)


@dataclass(eq=False)
class Partition:
    """`used` counts what is charged to it, `reserve` what of the granted kinds is kept for it beside that."""

    handle: str
    space: AddressSpace
    active: bool = True
    booted: bool = False
    used: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    limit: dict[str, int] = field(default_factory=dict)
    reserve: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GRANTED, 0))
    queue: deque[Signal] = field(default_factory=deque)
    taken: dict[str, Signal] = field(default_factory=dict)
    signal_receiver: Receiver | None = None


@dataclass(eq=False)
class Processor:
    handle: str
    partition: Partition
    running: bool = False
    carriers: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Request:
    """A request for a granted resource; `granted` is None while no verdict is there, and for a rejected one."""

    handle: str
    source: Partition
    kind: str
    amount: int
    waiting: bool = True
    granted: int | None = None


@dataclass(eq=False)
class Region:
    """Physical memory, known by the logical address at which its owner has it mapped: the same at every owner.

    It is `claimed` while the kernel of the system control OS has it: as a file, or mapped in a process.
    """

    address: int
    frames: list[int]
    owner: Partition
    queued: bool = False
    claimed: bool = False


@dataclass(eq=False)
class SharedRegion:
    handle: str
    address: int
    frames: list[int]
    owner: Partition
    attached: set[Partition] = field(default_factory=set)


@dataclass(eq=False)
class Receiver:
    """An event receive port; `serves` is the sender, the message port or the partition whose signals it tells of."""

    handle: str
    owner: Partition
    pending: bool = False
    serves: Sender | Port | Partition | None = None


@dataclass(eq=False)
class Sender:
    handle: str
    owner: Partition
    target: Receiver | None = None
    request: Signal | None = None


@dataclass(eq=False)
class Port:
    """A message port; one that is the `kernel`'s is behind a socket, and no hypercall reaches it."""

    handle: str
    owner: Partition
    receiver: Receiver
    kernel: bool = False
    status: str = "IDLE"
    peer: Port | None = None
    request: Signal | None = None
    inbox: deque[Message] = field(default_factory=deque)


@dataclass(eq=False)
class Message:
    region: Region | None
    short: str | None


@dataclass(eq=False)
class Signal:
    """A control signal: `asks` is the port or sender that wants a connection, or the shared region to attach to.

    `waits_in` is the queue that it stands in: that of the target, or the backlog of a listening socket.
    """

    handle: str
    source: Partition
    target: Partition
    asks: Port | Sender | SharedRegion
    service: int | None = None
    waits_in: deque[Signal] = field(default_factory=deque)


class Upcalls(Protocol):
    """What the control OS tells the kernel of the system control OS, and the one thing that it asks of it."""

    def admits(self, source: Partition, service: int) -> bool:
        """Whether a request of `source` for a service would be taken in."""

    def requested(self, signal: Signal) -> None:
        """A request for a service that was admitted has come."""

    def delivered(self, port: Port, message: Message) -> None:
        """A message has come for a port of the kernel."""

    def drained(self, port: Port) -> None:
        """The peer of a port of the kernel has taken a message out of its queue."""

    def hung_up(self, port: Port) -> None:
        """The peer of a port of the kernel has closed."""

    def accepted(self, port: Port) -> None:
        """The request of a port of the kernel was accepted."""

    def refused(self, port: Port) -> None:
        """The request of a port of the kernel was refused."""

    def ended(self, partition: Partition) -> None:
        """A partition has terminated."""
