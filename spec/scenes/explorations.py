"""Where the system is explored and fuzzed: small scopes by room, each complete in itself; together they reach every clause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...model.language import Exploration
from ..names import BUS, CACHE, EVENT_PORTS, FILE, GOOD, MANAGEMENT_MEMORY, PROGRAM_MEMORY


def _calls(names: str) -> tuple[str, ...]:
    return tuple(names.split())


_SMALL = {"places": 1, "services": 1, "shorts": 1, "numbers": 1, "capacity": 1}
_SOCKETS = {"partitions": 2, "ports": 2, "receivers": 2, "files": 2, "messages": 3, **_SMALL}

_NOT_ALL_IS_UNDONE = "not every operation that gives back is called"

EXPLORATIONS = {
    "messages": Exploration(
        {"partitions": 2, "receivers": 2, "ports": 2, "senders": 0, "messages": 3, "files": 2},
        only=_calls(
            "terminate allocate free read_memory write_memory read_event take_signal refuse connect cancel accept send "
            "receive close_port"
        ),
        arguments={"service": (1,)},
        opening="two ports",
    ),
    "requests": Exploration(
        {"partitions": 2, "receivers": 1, "regions": 0},
        only=_calls(
            "create_partition terminate create_receiver create_sender destroy_sender request_event accept_event "
            "send_event take_signal refuse designate_receiver accept_attach create_port connect cancel accept close_port"
        ),
    ),
    "events": Exploration(
        {"partitions": 2, "receivers": 2, "ports": 0, "regions": 0},
        only=_calls(
            "create_partition terminate create_receiver create_sender destroy_receiver destroy_sender connect_event "
            "request_event accept_event send_event read_event take_signal refuse designate_receiver"
        ),
    ),
    "limits": Exploration(
        {
            **_SOCKETS,
            "shorts": 2,
            "senders": 1,
            "shareds": 2,
            "regions": 3,
            "files": 4,
            "fds": 4,
            "ports": 3,
            "receivers": 5,
            "messages": 5,
        },
        only=_calls(
            "set_limit query_usage allocate create_receiver create_sender create_shared create_port connect request_event "
            "request_resource request_attach send accept_socket connect_socket send_file send_mapped create_file"
        ),
        arguments={"kind": (PROGRAM_MEMORY, MANAGEMENT_MEMORY, EVENT_PORTS), "amount": (0,), "short": (0,)},
        opening="a guest and SYSTEM are at their limits",
        stays=_NOT_ALL_IS_UNDONE,
    ),
    "no headroom": Exploration(
        {**_SOCKETS, "shorts": 2, "fds": 3},
        only=_calls("send_file open close"),
        opening="a file was read, and its sender is full",
        stays=_NOT_ALL_IS_UNDONE,
    ),
    "partitions": Exploration(
        {"partitions": 3, "regions": 1, "files": 2},
        only=_calls("create_partition boot terminate allocate set_region_aside take_region set_limit query_usage free"),
        arguments={"kind": (PROGRAM_MEMORY,), "amount": (0,)},
        stays=_NOT_ALL_IS_UNDONE,
    ),
    "processors": Exploration(
        {"partitions": 2, "processors": 1, "physicals": 2},
        only=_calls(
            "create_partition terminate assign_processor release_processor map_processor unmap_processor start_processor "
            "stop_processor query_processor"
        ),
    ),
    "resources": Exploration(
        {"partitions": 2, "requests": 1, "capacity": 1, "numbers": 1},
        only=_calls(
            "create_partition terminate set_limit reserve_resource request_resource next_request grant reject "
            "take_verdict release_resource"
        ),
        arguments={"kind": (MANAGEMENT_MEMORY, BUS), "partition": (2,)},
    ),
    "shared memory": Exploration(
        {"partitions": 3, "shareds": 1, "signals": 1},
        only=_calls(
            "create_partition terminate take_signal refuse create_shared request_attach accept_attach detach "
            "destroy_shared read_shared write_shared"
        ),
    ),
    "binding": Exploration(
        {"partitions": 2, "processes": 2, "fds": 2, "regions": 0, **_SMALL},
        only=_calls("create_partition create_process socket bind listen permit forbid close exit"),
        arguments={"mode": (FILE,)},
    ),
    "services": Exploration(
        {**_SOCKETS, "processes": 2, "fds": 2, "regions": 0},
        only=_calls("connect cancel close_port terminate listen permit forbid accept_socket close exit"),
        opening="a socket listens",
        stays=_NOT_ALL_IS_UNDONE,
    ),
    "files": Exploration(
        {**_SOCKETS, "fds": 3},
        only=_calls(
            "receive send free getpeername read_socket send_file send_mapped open read_file write_file unlink close exit "
            "create_file close_port"
        ),
        opening="a socket is connected, for files",
        stays=_NOT_ALL_IS_UNDONE,
    ),
    "mapping": Exploration(
        {**_SOCKETS, "processes": 2, "fds": 2},
        only=_calls(
            "receive send free allocate read_socket send_mapped send_file read_mapped write_mapped read_memory release "
            "close exit create_process close_port terminate"
        ),
        opening="a socket is connected, for mapping",
    ),
    "select": Exploration(
        {**_SOCKETS, "processes": 2, "fds": 2},
        only=_calls("create_process connect send receive read_socket accept_socket send_file select close exit close_port"),
        arguments={"buffer": (GOOD,), "region": (0,), "file": (0,)},
        opening="a socket is connected, for files",
        stays=_NOT_ALL_IS_UNDONE,
    ),
    "sockets as clients": Exploration(
        {**_SOCKETS, "processes": 2, "fds": 2, "regions": 0},
        only=_calls("create_process take_signal accept refuse close_port terminate socket bind connect_socket close exit"),
        arguments={"mode": (FILE,)},
        opening="one guest and a process",
    ),
}

_ONE_OF_ALL = dict.fromkeys(
    [
        "places",
        "data",
        "services",
        "shorts",
        "numbers",
        "capacity",
        "physicals",
        "processors",
        "requests",
        "shareds",
        "senders",
        "files",
        "fds",
        "processes",
        "signals",
        "receivers",
        "ports",
        "messages",
    ],
    1,
)
_GUESTS = {**_ONE_OF_ALL, "partitions": 3, "regions": 0}
_TWO_CHANNELS = {**_GUESTS, "receivers": 4, "ports": 4}
_TWO_SOCKETS = {**_TWO_CHANNELS, "signals": 2, "processes": 2}
_NOBODY_ASKS = "every process may wait at a listening socket when no guest is left to ask, and nobody ends a process but itself"

LARGE = {
    "files": Exploration(
        {**_TWO_SOCKETS, "fds": 4, "regions": 2, "files": 3, "messages": 5},
        only=_calls(
            "create_process allocate free send read_socket send_file open unlink close exit create_file close_port "
            "destroy_receiver terminate read_file write_file"
        ),
        arguments={"short": (0,), "buffer": (GOOD,)},
        opening="two guests are connected to sockets, and nobody listens",
    ),
    "grants": Exploration(
        {**_GUESTS, "requests": 2, "capacity": 2, "numbers": 2},
        only=_calls(
            "create_partition terminate set_limit query_usage reserve_resource request_resource next_request grant reject "
            "take_verdict release_resource"
        ),
        arguments={"kind": (BUS,)},
    ),
    "short messages": Exploration(
        {**_TWO_CHANNELS, "messages": 9, "shorts": 2, "queue_depth": 2},
        only=_calls("send receive read_event close_port destroy_receiver terminate"),
        arguments={"short": (1, 2), "region": (0,)},
        opening="two channels stand",
    ),
    "mapping": Exploration(
        {**_TWO_SOCKETS, "fds": 3, "regions": 2, "messages": 5},
        only=_calls(
            "allocate send receive free read_socket send_mapped read_mapped write_mapped read_memory release close exit "
            "close_port destroy_receiver create_process terminate"
        ),
        arguments={"short": (0,), "buffer": (GOOD,)},
        opening="two guests are connected to sockets, for mapping",
    ),
    "permissions": Exploration(
        {**_TWO_SOCKETS, "fds": 3, "numbers": 2},
        only=_calls(
            "create_process socket bind listen permit forbid accept_socket close exit connect cancel close_port destroy_receiver "
            "terminate getpeername"
        ),
        arguments={"mode": (FILE,)},
        opening="two guests with a port each, and two processes",
        stays=_NOBODY_ASKS,
    ),
    "services": Exploration(
        {**_TWO_SOCKETS, "services": 2, "fds": 4, "numbers": 2},
        only=_calls(
            "create_process socket bind listen accept_socket close exit connect cancel close_port destroy_receiver terminate"
        ),
        arguments={"mode": (FILE,), "backlog": (2,)},
        opening="two guests with a port each, and two processes",
        stays=_NOBODY_ASKS,
    ),
    "channels": Exploration(
        {**_TWO_CHANNELS, "signals": 2},
        only=_calls(
            "connect take_signal refuse accept cancel close_port create_port create_receiver destroy_receiver create_partition "
            "terminate"
        ),
    ),
    "requests": Exploration(
        {**_GUESTS, "receivers": 3, "ports": 3, "signals": 2},
        only=_calls(
            "create_partition terminate create_receiver destroy_receiver create_port connect take_signal refuse accept cancel "
            "close_port read_event designate_receiver"
        ),
    ),
    "two kinds of resource": Exploration(
        {**_GUESTS, "requests": 2},
        only=_calls(
            "create_partition terminate reserve_resource request_resource next_request grant reject take_verdict "
            "release_resource query_usage"
        ),
        arguments={"kind": (CACHE, BUS)},
    ),
    "partitions": Exploration(
        {**_GUESTS, "partitions": 4, "regions": 2, "numbers": 2},
        only=_calls("create_partition boot terminate allocate free set_region_aside take_region set_limit query_usage"),
        arguments={"kind": (PROGRAM_MEMORY,)},
    ),
    "events": Exploration(
        {**_GUESTS, "receivers": 2, "senders": 2, "signals": 2},
        only=_calls(
            "create_partition terminate create_receiver create_sender destroy_receiver destroy_sender connect_event "
            "request_event accept_event send_event read_event take_signal refuse designate_receiver"
        ),
    ),
    "shared memory": Exploration(
        {**_GUESTS, "shareds": 2, "signals": 2, "data": 2},
        only=_calls(
            "create_partition terminate take_signal refuse create_shared request_attach accept_attach detach destroy_shared "
            "read_shared write_shared"
        ),
    ),
    "select": Exploration(
        {**_TWO_SOCKETS, "fds": 3, "messages": 5},
        only=_calls(
            "create_process send receive read_socket select send_file close exit close_port destroy_receiver terminate connect "
            "accept_socket"
        ),
        arguments={"short": (0,), "buffer": (GOOD,)},
        opening="two guests are connected to sockets, for files",
        stays=_NOBODY_ASKS,
    ),
    "messages": Exploration(
        {**_TWO_CHANNELS, "messages": 3, "regions": 2, "queue_depth": 2},
        only=_calls("allocate free send receive read_event close_port destroy_receiver terminate"),
        arguments={"short": (0,), "region": (1, 2)},
        opening="two channels stand",
    ),
    "memory": Exploration(
        {**_GUESTS, "receivers": 2, "ports": 2, "messages": 3, "regions": 2, "places": 2, "data": 2},
        only=_calls(
            "allocate free read_memory write_memory send receive close_port destroy_receiver terminate "
            "set_region_aside take_region"
        ),
        arguments={"short": (0,)},
        opening="a channel stands",
    ),
    "sockets as clients": Exploration(
        {**_TWO_SOCKETS, "fds": 2},
        only=_calls(
            "create_process socket connect_socket take_signal accept refuse close exit close_port destroy_receiver getpeername "
            "terminate"
        ),
        arguments={"mode": (FILE,)},
        opening="two guests with a port each, and two processes",
    ),
    "contents of files": Exploration(
        {**_GUESTS, "processes": 2, "fds": 4, "files": 3, "regions": 2, "places": 2, "data": 2},
        only=_calls("create_process create_file open read_file write_file unlink close exit"),
    ),
    "processors": Exploration(
        {**_GUESTS, "processors": 2, "physicals": 2},
        only=_calls(
            "create_partition boot terminate assign_processor release_processor map_processor unmap_processor start_processor "
            "stop_processor query_processor"
        ),
    ),
}
"""Of everything that matters to a room two: guests, channels, regions, processes, units, kinds.  Those that take longest come
first.  All of it at once is out of anybody's reach: the rooms' states multiply (see docs/exploration.md)."""

LARGE |= {
    f"{name}, where nobody waits": replace(exploration, arguments={**exploration.arguments, "wait": (False,)}, stays="")
    for name, exploration in LARGE.items()
    if exploration.stays
}


def with_the_rest(explorations: Mapping[str, Exploration], rooms: Mapping[str, str]) -> dict[str, Exploration]:
    """Explorations that call every operation (`rooms` gives each one's room): one that none of them names joins the one that
    calls most operations of its room, the first of several.  So a new operation is explored before anyone has written a scene
    for it; if nothing reaches it there, or too much, write one."""
    named = {operation for exploration in explorations.values() for operation in exploration.only}
    found = dict(explorations)
    for operation, room in rooms.items():
        if operation not in named:
            mates = {other for other, its in rooms.items() if its == room}
            name = max(found, key=lambda n: len(mates & set(explorations[n].only)))
            found[name] = replace(found[name], only=(*found[name].only, operation))
    return found


FUZZ_SCOPE = {
    "partitions": 4,
    "processors": 2,
    "physicals": 2,
    "regions": 4,
    "shareds": 2,
    "places": 3,
    "data": 2,
    "receivers": 8,
    "senders": 2,
    "ports": 6,
    "messages": 9,
    "signals": 3,
    "requests": 2,
    "services": 2,
    "shorts": 3,
    "processes": 3,
    "fds": 6,
    "files": 5,
    "numbers": 3,
    "queue_depth": 2,
    "capacity": 3,
}
