"""What the control OS keeps: partitions, regions, ports, signals.  Plain records; `control_os` moves them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .memory import AddressSpace

PROGRAM_MEMORY, MANAGEMENT_MEMORY, EVENT_PORTS = "PROGRAM_MEMORY", "MANAGEMENT_MEMORY", "EVENT_PORTS"
KINDS = (PROGRAM_MEMORY, MANAGEMENT_MEMORY, EVENT_PORTS)


class Refused(Exception):
    """A hypercall is refused with an error; nothing has changed."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(eq=False)
class Partition:
    handle: str
    space: AddressSpace
    active: bool = True
    booted: bool = False
    used: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    limit: dict[str, int] = field(default_factory=dict)
    queue: deque[Signal] = field(default_factory=deque)
    taken: dict[str, Signal] = field(default_factory=dict)
    signal_receiver: Receiver | None = None


@dataclass(eq=False)
class Region:
    """Physical memory, known by the logical address at which its owner has it mapped: the same at every owner."""

    address: int
    frames: list[int]
    owner: Partition
    queued: bool = False


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
    handle: str
    owner: Partition
    receiver: Receiver
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
    """A control signal; `asks` is the message port or event sender that wants a connection."""

    handle: str
    source: Partition
    target: Partition
    asks: Port | Sender
    service: int | None = None
