"""The seed's end-to-end flows, as calls in order, in the model's names: figures 6, 9 and 12, and sockets as UNIX has them.

Fresh names are the least free ones, so the n-th port made is port n; behind each connected socket stands a port of the
kernel's, which counts too.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...model.language import Flow, Members, Stage
from ..names import DEVICES, FILE, GOOD, MAPPED, SYSTEM_INDEX

GUEST, OTHER = 2, 3
CLIENT, SERVER = GUEST, OTHER
"""Guest OS (A) and guest OS (B); in figure 6 the one asks and the other serves."""
PROCESS, SECOND = 1, 2
"""Processes of the system control program."""
LISTENER, SOCKET, OPENED = 1, 2, 3
"""Descriptors in the order in which they are given out: the socket that listens, the one of accept, an open file."""
SERVICE = 1

_ACTORS = {
    ("caller", SYSTEM_INDEX): "system control OS",
    ("caller", GUEST): "guest OS",
    ("process", PROCESS): "system control program",
}


def _partitions(*guests: int) -> tuple[Stage, ...]:
    made = tuple(Stage("", "create_partition", {"caller": SYSTEM_INDEX}) for _ in guests)
    return made + tuple(Stage("", "boot", {"caller": SYSTEM_INDEX, "partition": guest}) for guest in guests)


def _port(owner: int, number: int, receiver: int | None = None) -> tuple[Stage, ...]:
    return (
        Stage("", "create_receiver", {"caller": owner}),
        Stage("", "create_port", {"caller": owner, "receiver": receiver or number}),
    )


def _process() -> Stage:
    return Stage("", "create_process", {"caller": SYSTEM_INDEX})


def _listen(mode: int) -> tuple[Stage, ...]:
    return (
        Stage("S301", "socket", {"process": PROCESS, "mode": mode}),
        Stage("S302", "bind", {"process": PROCESS, "fd": LISTENER, "service": SERVICE}),
        Stage("S303", "listen", {"process": PROCESS, "fd": LISTENER, "backlog": 1}),
    )


def _accept(step: str, exit: str = "ok") -> Stage:
    return Stage(step, "accept_socket", {"process": PROCESS, "fd": LISTENER, "wait": True}, exit)


def _connect(step: str, guest: int, port: int) -> Stage:
    return Stage(step, "connect", {"caller": guest, "port": port, "partition": SYSTEM_INDEX, "service": SERVICE})


def _read(step: str, fd: int = SOCKET, exit: str = "ok") -> Stage:
    return Stage(step, "read_socket", {"process": PROCESS, "fd": fd, "buffer": GOOD, "wait": True}, exit)


def _prepare_and_send(step: str, guest: int, port: int, region: int) -> tuple[Stage, ...]:
    return (
        Stage(step, "allocate", {"caller": guest}),
        Stage(step, "write_memory", {"caller": guest, "region": region, "place": 1, "data": 1}),
        Stage(step, "send", {"caller": guest, "port": port, "region": region, "short": 1}),
    )


def _receive_and_read(step: str, guest: int, port: int, region: int) -> tuple[Stage, ...]:
    return (
        Stage(step, "receive", {"caller": guest, "port": port}),
        Stage(step, "read_memory", {"caller": guest, "region": region, "place": 1}),
    )


FLOW_1 = Flow(
    name="FLOW-1",
    title="guest to guest (figure 6)",
    seed=("FLOW-1", "REG-7"),
    actors={
        ("caller", CLIENT): "guest OS A (client)",
        ("caller", SERVER): "guest OS B (server)",
        ("caller", SYSTEM_INDEX): "system control OS",
    },
    stages=(
        *_partitions(CLIENT, SERVER),
        *_port(CLIENT, 1),
        *_port(SERVER, 2),
        Stage("S101", "connect", {"caller": CLIENT, "port": 1, "partition": SERVER, "service": SERVICE}),
        Stage("S102", "take_signal", {"caller": SERVER}),
        Stage("S103", "accept", {"caller": SERVER, "signal": 1, "port": 2}),
        Stage("S104", "read_event", {"caller": CLIENT, "receiver": 1}),
        Stage("S104", "read_event", {"caller": SERVER, "receiver": 2}),
        Stage("S105 S106", "allocate", {"caller": CLIENT}),
        Stage("S106", "write_memory", {"caller": CLIENT, "region": 1, "place": 1, "data": 1}),
        Stage("S107", "send", {"caller": CLIENT, "port": 1, "region": 1, "short": 0}),
        Stage("S107", "read_memory", {"caller": CLIENT, "region": 1, "place": 1}, "EFAULT"),
        Stage("S108", "read_event", {"caller": SERVER, "receiver": 2}),
        Stage("S108", "receive", {"caller": SERVER, "port": 2}),
        Stage("S108", "read_memory", {"caller": SERVER, "region": 1, "place": 1}),
        Stage("S109", "free", {"caller": SERVER, "region": 1}),
        Stage("S110", "close_port", {"caller": SERVER, "port": 2}),
        Stage("S111", "read_event", {"caller": CLIENT, "receiver": 1}),
        Stage("S112", "close_port", {"caller": CLIENT, "port": 1}),
    ),
)

FLOW_2 = Flow(
    name="FLOW-2",
    title="guest to system control program and back with a virtual file (figure 9)",
    seed=("FLOW-2", "SOCK-2"),
    actors=_ACTORS,
    stages=(
        *_partitions(GUEST),
        _process(),
        *_port(GUEST, 1),
        *_listen(FILE),
        _accept("S304", "suspended"),
        _connect("S305 S306", GUEST, 1),
        *_prepare_and_send("S307", GUEST, 1, 1),
        _read("S308a S309a"),
        Stage("S310a", "open", {"process": PROCESS, "file": 1}),
        Stage("S310a", "read_file", {"process": PROCESS, "fd": OPENED, "place": 1}),
        Stage("S310a", "write_file", {"process": PROCESS, "fd": OPENED, "place": 1, "data": 2}),
        Stage("S311a", "send_file", {"process": PROCESS, "fd": SOCKET, "file": 1, "short": 1}),
        Stage("S311a", "read_file", {"process": PROCESS, "fd": OPENED, "place": 1}, "ESTALE"),
        *_receive_and_read("S311a", GUEST, 1, 1),
    ),
)

FLOW_3 = Flow(
    name="FLOW-3",
    title="guest to system control program and back with direct mapping (figure 12)",
    seed=("FLOW-3", "SOCK-2"),
    actors=_ACTORS,
    stages=(
        *_partitions(GUEST),
        _process(),
        *_port(GUEST, 1),
        *_listen(MAPPED),
        _accept("S304", "suspended"),
        _connect("S305 S306", GUEST, 1),
        _read("S309b", exit="suspended"),
        *_prepare_and_send("S307 S308b", GUEST, 1, 1),
        Stage("S309b", "read_mapped", {"process": PROCESS, "address": 1, "place": 1}),
        Stage("S309b", "read_memory", {"caller": SYSTEM_INDEX, "region": 1, "place": 1}),
        Stage("S310b", "write_mapped", {"process": PROCESS, "address": 1, "place": 1, "data": 2}),
        Stage("S311b", "send_mapped", {"process": PROCESS, "fd": SOCKET, "address": 1, "short": 1}),
        Stage("S311b", "read_mapped", {"process": PROCESS, "address": 1, "place": 1}, "EFAULT"),
        *_receive_and_read("S311b", GUEST, 1, 1),
    ),
)

FLOW_4 = Flow(
    name="FLOW-4",
    title="a guest asks the system control program for a resource by message, and gets the verdict back (seed 0080)",
    seed=("FLOW-4",),
    actors=_ACTORS,
    stages=(
        *_partitions(GUEST),
        _process(),
        *_port(GUEST, 1),
        *_listen(FILE),
        _connect("", GUEST, 1),
        _accept(""),
        Stage("", "send", {"caller": GUEST, "port": 1, "region": 0, "short": 1}),
        _read(""),
        Stage("", "reserve_resource", {"caller": SYSTEM_INDEX, "partition": GUEST, "kind": DEVICES, "amount": 1}),
        Stage("", "send_file", {"process": PROCESS, "fd": SOCKET, "file": 0, "short": 2}),
        Stage("", "receive", {"caller": GUEST, "port": 1}),
        Stage("", "request_resource", {"caller": GUEST, "kind": DEVICES, "amount": 2}),
        Stage("", "take_verdict", {"caller": GUEST, "request": 1}, "EAGAIN"),
        Stage("", "next_request", {"caller": SYSTEM_INDEX}),
        Stage("", "grant", {"caller": SYSTEM_INDEX, "request": 1, "amount": 1}),
        Stage("", "take_verdict", {"caller": GUEST, "request": 1}),
        Stage("", "query_usage", {"caller": GUEST, "partition": GUEST, "kind": DEVICES}),
    ),
)


def _guests_side(port: int, region: int) -> tuple[Stage, ...]:
    """What a guest does with a channel, whoever is at the other end."""
    return (
        Stage("", "read_event", {"caller": GUEST, "receiver": port}),
        *_prepare_and_send("", GUEST, port, region),
    )


SOCK_2 = Flow(
    name="SOCK-2",
    title="for the guest a channel to the system control program is what one to another guest is (seed 0086)",
    seed=("SOCK-2", "CHAN-1"),
    actors={**_ACTORS, ("caller", OTHER): "another guest OS"},
    stages=(
        *_partitions(GUEST, OTHER),
        _process(),
        *_listen(FILE),
        *_port(GUEST, 1),
        *_port(GUEST, 2),
        *_port(OTHER, 3),
        Stage("", "connect", {"caller": GUEST, "port": 1, "partition": OTHER, "service": SERVICE}),
        Stage("", "take_signal", {"caller": OTHER}),
        Stage("", "accept", {"caller": OTHER, "signal": 1, "port": 3}),
        _connect("", GUEST, 2),
        _accept(""),
        *_guests_side(1, 1),
        *_guests_side(2, 2),
        *_receive_and_read("", OTHER, 3, 1),
        _read(""),
        Stage("", "close_port", {"caller": OTHER, "port": 3}),
        Stage("", "close", {"process": PROCESS, "fd": SOCKET}),
        Stage("", "read_event", {"caller": GUEST, "receiver": 1}),
        Stage("", "read_event", {"caller": GUEST, "receiver": 2}),
        Stage("", "send", {"caller": GUEST, "port": 1, "region": 0, "short": 1}, "EPIPE"),
        Stage("", "send", {"caller": GUEST, "port": 2, "region": 0, "short": 1}, "EPIPE"),
    ),
)

SOCK_7 = Flow(
    name="SOCK-7",
    title="the usual sequence of UNIX, as server and as client: socket, bind, listen, connect, accept, write, read (seed 0085)",
    seed=("SOCK-7", "SOCK-2"),
    actors={**_ACTORS, ("process", SECOND): "another process"},
    stages=(
        *_partitions(GUEST),
        _process(),
        _process(),
        *_port(GUEST, 1),
        *_port(GUEST, 2),
        Stage("S201", "socket", {"process": PROCESS, "mode": FILE}),
        Stage("S202", "bind", {"process": PROCESS, "fd": LISTENER, "service": SERVICE}),
        Stage("S203", "listen", {"process": PROCESS, "fd": LISTENER, "backlog": 1}),
        _connect("", GUEST, 1),
        _accept("S204"),
        Stage("", "create_file", {"process": PROCESS}),
        Stage("S-C", "send_file", {"process": PROCESS, "fd": SOCKET, "file": 1, "short": 1}),
        *_receive_and_read("", GUEST, 1, 1),
        Stage("", "socket", {"process": SECOND, "mode": FILE}),
        Stage("", "connect_socket", {"process": SECOND, "fd": 3, "partition": GUEST, "service": SERVICE}, "suspended"),
        Stage("", "take_signal", {"caller": GUEST}),
        Stage("", "accept", {"caller": GUEST, "signal": 1, "port": 2}),
        Stage("", "send", {"caller": GUEST, "port": 2, "region": 1, "short": 0}),
        Stage("", "select", {"process": PROCESS, "reading": Members([LISTENER, 3]), "writing": Members([SOCKET]), "wait": True}),
        _read("S-A", 3),
        Stage("S-D", "unlink", {"process": PROCESS, "file": 1}),
        Stage("S-E", "close", {"process": PROCESS, "fd": SOCKET}),
        Stage("", "send", {"caller": GUEST, "port": 1, "region": 0, "short": 1}, "EPIPE"),
        Stage("", "exit", {"process": SECOND}),
        Stage("", "receive", {"caller": GUEST, "port": 2}, "EPIPE"),
    ),
)

STEPS = ("S-A", "S-B", "S-C", "S-D", "S-E")
"""What may be done in any order once a channel stands (seed 0097)."""


def in_order(steps: Sequence[str]) -> tuple[Stage, ...]:
    """A channel with two messages waiting, an open file and two more; then `steps` (of STEPS), in that order.

    After S-E the socket is gone: its descriptor is EBADF, and files that were read or made before are still there.
    """
    closed = steps.index("S-E")

    def unless_closed(step: str) -> str:
        return "ok" if steps.index(step) < closed else "EBADF"

    does = {
        "S-A": (_read("S-A", exit=unless_closed("S-A")),),
        "S-B": (
            Stage("S-B", "write_file", {"process": PROCESS, "fd": OPENED, "place": 1, "data": 2}),
            Stage("S-B", "read_file", {"process": PROCESS, "fd": OPENED, "place": 1}),
        ),
        "S-C": (Stage("S-C", "send_file", {"process": PROCESS, "fd": SOCKET, "file": 2, "short": 0}, unless_closed("S-C")),),
        "S-D": (Stage("S-D", "unlink", {"process": PROCESS, "file": 3}),),
        "S-E": (Stage("S-E", "close", {"process": PROCESS, "fd": SOCKET}),),
    }
    return (
        *_partitions(GUEST),
        _process(),
        *_port(GUEST, 1),
        *_listen(FILE),
        _connect("", GUEST, 1),
        _accept(""),
        *(Stage("", "create_file", {"process": PROCESS}) for _ in range(3)),
        Stage("S-B", "open", {"process": PROCESS, "file": 1}),
        *_prepare_and_send("", GUEST, 1, 4),
        *(stage for step in steps for stage in does[step]),
    )


SOCK_11 = Flow(
    name="SOCK-11",
    title="steps S-A to S-E in another order than they are told in: send, discard, write, receive, close (seed 0097)",
    seed=("SOCK-11",),
    actors=_ACTORS,
    stages=in_order(("S-C", "S-D", "S-B", "S-A", "S-E")),
)

FLOWS = (FLOW_1, FLOW_2, FLOW_3, FLOW_4, SOCK_2, SOCK_7, SOCK_11)
