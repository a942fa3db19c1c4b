"""The nouns of the seed: what partitions, ports and regions are told apart by, and the states that they go through."""

from __future__ import annotations

from ..model import Enumeration, Sort, constant


class Partition(Sort):
    """A logical partition, in which one OS runs (seed 0044-0053)."""


class Region(Sort):
    """A message region: physical memory that is handed over whole (seed 0065-0067)."""


class Place(Sort):
    """A place within a region, where a datum can be written and read."""


class Data(Sort, plural="data"):
    """What is written at a place.  None is zeroed memory."""


class Receiver(Sort):
    """An event receive port (seed 0063)."""


class Sender(Sort):
    """An event send port (seed 0063)."""


class Port(Sort):
    """A message port: one end of a message channel (seed 0061)."""


class Message(Sort, endless=True):
    """One entry of a message port's queue.  It has no handle: an implementation never shows one."""


class Signal(Sort):
    """A control signal, from its arrival until it is accepted, refused or cancelled (seed 0056)."""


class Service(Sort):
    """The port number that a connection request asks for (seed 0089)."""


class Short(Sort):
    """A short message, handed over by value with or without a region (seed 0094)."""


SYSTEM = constant("SYSTEM", Partition)
"""The partition of the system control OS: partition 1 of the seed (0050)."""


SYSTEM_INDEX = 1
"""SYSTEM in the concrete reading, where calls are written with numbers."""


class Status(Enumeration):
    """Life of a partition (seed 0053)."""

    ABSENT = 0
    ACTIVE = 1
    TERMINATED = 2


class PortStatus(Enumeration):
    """Life of a message port, from its owner's side."""

    FREE = 0
    IDLE = 1
    CONNECTING = 2
    CONNECTED = 3
    PEER_CLOSED = 4
    REFUSED = 5


class SignalKind(Enumeration):
    """What a control signal asks for (seed 0056)."""

    EVENT = 0
    CHANNEL = 1


class Kind(Enumeration):
    """Kinds of resource that are charged to partitions (seed 0051 c, d, e)."""

    PROGRAM_MEMORY = 0
    MANAGEMENT_MEMORY = 1
    EVENT_PORTS = 2


ABSENT, ACTIVE, TERMINATED = Status
FREE, IDLE, CONNECTING, CONNECTED, PEER_CLOSED, REFUSED = PortStatus
EVENT, CHANNEL = SignalKind
PROGRAM_MEMORY, MANAGEMENT_MEMORY, EVENT_PORTS = Kind
