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


class Message(Sort, endless=True, handles=False):
    """One entry of a message port's queue.  It has no handle: an implementation never shows one."""


class Signal(Sort):
    """A control signal, from its arrival until it is accepted, refused or cancelled (seed 0056)."""


class Service(Sort):
    """The port number that a connection request asks for (seed 0089)."""


class Short(Sort):
    """A short message, handed over by value with or without a region (seed 0098)."""


class Processor(Sort):
    """A logical processor (seed 0054)."""


class Physical(Sort):
    """A physical processor, which is given (seed 0054)."""


class Request(Sort):
    """A guest's request for a resource, from its making until its verdict is taken (seed 0049)."""


class Shared(Sort):
    """A shared memory region: several partitions may be attached to it, and no message carries it (seed 0056 c)."""


class Process(Sort, plural="processes"):
    """A process of the system control program (seed 0087)."""


class Fd(Sort, handles=False):
    """A file descriptor of the system control OS: a number, of which the lowest free one is given out (seed 0088)."""


class File(Sort, endless=True):
    """A virtual file: what a message region looks like to the system control program (seed 0092)."""


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
    SHARED = 2


class Kind(Enumeration):
    """Kinds of resource that are charged to partitions (seed 0051 a to h).

    PROGRAM_MEMORY, MANAGEMENT_MEMORY and EVENT_PORTS (c, d, e) are taken and given back without asking anyone (seed 0055); the
    others are granted on request.
    """

    PROCESSOR_TIME = 0
    ADDRESS_SPACE = 1
    PROGRAM_MEMORY = 2
    MANAGEMENT_MEMORY = 3
    EVENT_PORTS = 4
    DEVICES = 5
    CACHE = 6
    BUS = 7


class Verdict(Enumeration):
    """What became of a request for a resource."""

    NO_REQUEST = 0
    WAITING = 1
    GRANTED = 2
    REJECTED = 3


class Mode(Enumeration):
    """How messages that come to a socket are reached: as virtual files (seed 0082) or mapped into the process (seed 0083)."""

    FILE = 0
    MAPPED = 1


class Buffer(Enumeration):
    """The buffer that a read is given: good, too small for the longest short message, or not the process's memory."""

    GOOD = 0
    SMALL = 1
    BAD = 2


class Descriptor(Enumeration):
    """Life of a file descriptor: free, an open virtual file, or a socket in one of its states.

    SET_ASIDE is a descriptor that a suspended accept will answer with: taken, and not given out yet.
    """

    FREE_FD = 0
    OPEN_FILE = 1
    CREATED = 2
    BOUND = 3
    LISTENING = 4
    CONNECTING_SOCKET = 5
    CONNECTED_SOCKET = 6
    SET_ASIDE = 7


class Life(Enumeration):
    """Life of a process of the system control program: running, or suspended in a system call."""

    NO_PROCESS = 0
    RUNNING = 1
    IN_ACCEPT = 2
    IN_CONNECT = 3
    IN_READ = 4
    IN_SELECT = 5


class Woken(Enumeration):
    """What a step does to a suspended call: nothing, completes it, ends it with the end of the channel, or fails it."""

    NOT_WOKEN = 0
    COMPLETED = 1
    ENDED = 2
    CANCELED = 3
    TURNED_DOWN = 4


ABSENT, ACTIVE, TERMINATED = Status
FREE, IDLE, CONNECTING, CONNECTED, PEER_CLOSED, REFUSED = PortStatus
EVENT, CHANNEL, SHARED = SignalKind
PROCESSOR_TIME, ADDRESS_SPACE, PROGRAM_MEMORY, MANAGEMENT_MEMORY, EVENT_PORTS, DEVICES, CACHE, BUS = Kind
NO_REQUEST, WAITING, GRANTED, REJECTED = Verdict
FILE, MAPPED = Mode
GOOD, SMALL, BAD = Buffer
FREE_FD, OPEN_FILE, CREATED, BOUND, LISTENING, CONNECTING_SOCKET, CONNECTED_SOCKET, SET_ASIDE = Descriptor
NO_PROCESS, RUNNING, IN_ACCEPT, IN_CONNECT, IN_READ, IN_SELECT = Life
NOT_WOKEN, COMPLETED, ENDED, CANCELED, TURNED_DOWN = Woken
