"""Openings: sequences of calls from which fuzzing may start, to be deep in the system at once.

Calls are in the model's names.  Fresh names are the least free ones, so the n-th receiver made is receiver n.
"""

from __future__ import annotations

from ...model.language import Members, Step
from ..names import EVENT_PORTS, FILE, MANAGEMENT_MEMORY, MAPPED, PROGRAM_MEMORY, SYSTEM_INDEX

ONE, TWO = 2, 3
"""The two guests."""


def _port(owner: int, number: int) -> list[Step]:
    """Receiver and port `number`, the one serving the other."""
    return [
        ("create_receiver", {"caller": owner}),
        ("create_port", {"caller": owner, "receiver": number}),
    ]


def _channel(client: int, server: int, first: int) -> list[Step]:
    """A channel from port `first` of `client` to port `first` + 1 of `server`."""
    return [
        *_port(client, first),
        *_port(server, first + 1),
        ("connect", {"caller": client, "port": first, "partition": server, "service": 1}),
        ("take_signal", {"caller": server}),
        ("accept", {"caller": server, "signal": 1, "port": first + 1}),
    ]


def _send(owner: int, port: int, region: int) -> list[Step]:
    return [("allocate", {"caller": owner}), ("send", {"caller": owner, "port": port, "region": region, "short": 1})]


_guests: list[Step] = [
    ("create_partition", {"caller": SYSTEM_INDEX}),
    ("create_partition", {"caller": SYSTEM_INDEX}),
]
_channel_stands = [*_guests, *_channel(ONE, TWO, 1)]
_inbox_full = [*_channel_stands, *_send(ONE, 1, 1), *_send(ONE, 1, 2)]

_one_guest: list[Step] = [("create_partition", {"caller": SYSTEM_INDEX})]
_process: list[Step] = [("create_process", {"caller": SYSTEM_INDEX})]


def _listening(fd: int, mode: int, service: int = 1, backlog: int = 1) -> list[Step]:
    """A socket that listens, made by the first process."""
    return [
        ("socket", {"process": 1, "mode": mode}),
        ("bind", {"process": 1, "fd": fd, "service": service}),
        ("listen", {"process": 1, "fd": fd, "backlog": backlog}),
    ]


def _to_service(guest: int, port: int, service: int = 1) -> list[Step]:
    return [("connect", {"caller": guest, "port": port, "partition": SYSTEM_INDEX, "service": service})]


def _accepting(process: int, fd: int) -> list[Step]:
    return [("accept_socket", {"process": process, "fd": fd, "wait": True})]


def _served(mode: int) -> list[Step]:
    """A guest's port 1 is connected to the socket at descriptor 2, which gives messages in `mode`; descriptor 1 listens."""
    return [*_one_guest, *_process, *_port(ONE, 1), *_listening(1, mode), *_to_service(ONE, 1), *_accepting(1, 1)]


def _two_served(mode: int) -> list[Step]:
    """Port 1 of the one guest and port 2 of the other are connected to the sockets at descriptors 2 and 3; 1 listens."""
    asked = [[*_to_service(ONE, 1), *_accepting(1, 1)], [*_to_service(TWO, 2), *_accepting(1, 1)]]
    return [*_two_clients, *_listening(1, mode), *asked[0], *asked[1]]


def _read(fd: int) -> list[Step]:
    return [("read_socket", {"process": 1, "fd": fd, "buffer": 0, "wait": True})]


_two_processes = [*_process, *_process]
_two_clients = [*_guests, *_two_processes, *_port(ONE, 1), *_port(TWO, 2)]
_file_served, _mapped_served = _served(FILE), _served(MAPPED)
_file_read = [*_file_served, *_send(ONE, 1, 1), *_read(2)]
_file_open = [*_file_read, ("open", {"process": 1, "file": 1})]
_mapped_read = [*_mapped_served, *_send(ONE, 1, 1), *_read(2)]
_request_waits = [*_one_guest, *_process, *_port(ONE, 1), *_listening(1, FILE), *_to_service(ONE, 1)]
_accept_waits = [*_one_guest, *_two_processes, *_port(ONE, 1), *_listening(1, FILE), *_accepting(2, 1)]
_select_waits = [
    *_file_open,
    *_process,
    ("select", {"process": 2, "reading": Members([1, 2]), "writing": Members(), "wait": True}),
]
_to_guest = [
    *_one_guest,
    *_two_processes,
    *_port(ONE, 1),
    ("socket", {"process": 1, "mode": FILE}),
    ("connect_socket", {"process": 1, "fd": 1, "partition": ONE, "service": 1}),
]
_full = [
    *_file_served,
    ("create_file", {"process": 1}),
    ("send_file", {"process": 1, "fd": 2, "file": 0, "short": 1}),
    ("send_file", {"process": 1, "fd": 2, "file": 0, "short": 1}),
]


_memory_is_to_be_shared: list[Step] = [
    *_guests,
    ("create_shared", {"caller": ONE}),
    ("request_attach", {"caller": TWO, "partition": ONE, "shared": 1}),
    ("take_signal", {"caller": ONE}),
]
_event_is_asked_for: list[Step] = [
    *_guests,
    ("create_receiver", {"caller": ONE}),
    ("create_sender", {"caller": TWO}),
    ("request_event", {"caller": TWO, "sender": 1, "partition": ONE}),
    ("take_signal", {"caller": ONE}),
]


def _request(port: int) -> list[Step]:
    return [("connect", {"caller": ONE, "port": port, "partition": TWO, "service": 1})]


def _limit(partition: int, kind: int, amount: int) -> Step:
    return ("set_limit", {"caller": SYSTEM_INDEX, "partition": partition, "kind": kind, "amount": amount})


_at_limits = [
    *_mapped_read,
    *_port(ONE, 3),
    ("allocate", {"caller": ONE}),
    ("create_sender", {"caller": ONE}),
    ("create_receiver", {"caller": ONE}),
    ("create_shared", {"caller": SYSTEM_INDEX}),
    ("socket", {"process": 1, "mode": FILE}),
    *(_limit(ONE, kind, amount) for kind, amount in ((PROGRAM_MEMORY, 1), (MANAGEMENT_MEMORY, 0), (EVENT_PORTS, 4))),
    *(_limit(SYSTEM_INDEX, kind, amount) for kind, amount in ((PROGRAM_MEMORY, 2), (MANAGEMENT_MEMORY, 0), (EVENT_PORTS, 1))),
]

OPENINGS: dict[str, list[Step]] = {
    "a guest and SYSTEM are at their limits": _at_limits,
    "a file was read, and its sender is full": [*_file_read, _limit(ONE, PROGRAM_MEMORY, 0)],
    "a region is mapped, and its sender is full": [*_mapped_read, _limit(ONE, PROGRAM_MEMORY, 0)],
    "guests": _guests,
    "one guest": _one_guest,
    "two ports": [*_one_guest, *_port(ONE, 1), *_port(SYSTEM_INDEX, 2)],
    "one guest and a process": [*_one_guest, *_process, *_port(ONE, 1)],
    "a socket listens": [*_one_guest, *_two_processes, *_port(ONE, 1), *_listening(1, FILE)],
    "a request waits": _request_waits,
    "a process waits in accept": _accept_waits,
    "a process that waited in accept was answered": [*_accept_waits, *_to_service(ONE, 1)],
    "a socket is connected, for files": _file_served,
    "a socket is connected, for mapping": _mapped_served,
    "a file was read": _file_read,
    "a file is open": _file_open,
    "a file is open, and another process waits in select": _select_waits,
    "two files are open": [
        *_file_open,
        ("create_file", {"process": 1}),
        ("open", {"process": 1, "file": 2}),
        *_process,
        ("select", {"process": 2, "reading": Members([2]), "writing": Members(), "wait": True}),
    ],
    "two guests with a port each, and two processes": _two_clients,
    "two guests are connected to sockets, for files": _two_served(FILE),
    "two guests are connected to sockets, for mapping": _two_served(MAPPED),
    "two guests are connected to sockets, and nobody listens": [*_two_served(FILE), ("close", {"process": 1, "fd": 1})],
    "a region is mapped": _mapped_read,
    "a region is mapped, and its sender is gone": [*_mapped_read, ("close_port", {"caller": ONE, "port": 1})],
    "a region is mapped, and its sender's inbox is full": [
        *_mapped_served,
        *(step for region in (1, 2, 3) for step in (*_send(ONE, 1, region), *_read(2))),
        ("send_mapped", {"process": 1, "fd": 2, "address": 1, "short": 1}),
        ("send_mapped", {"process": 1, "fd": 2, "address": 2, "short": 1}),
    ],
    "every descriptor is taken, and a request waits": [
        *_file_read,
        *_port(ONE, 3),
        *_to_service(ONE, 3),
        *(("socket", {"process": 1, "mode": FILE}) for _ in range(4)),
    ],
    "a process waits in read": [*_mapped_served, *_read(2)],
    "a process waits in read for a file": [*_file_served, *_process, *_read(2)],
    "a socket waits for a guest": _to_guest,
    "a guest is asked": [*_to_guest, ("take_signal", {"caller": ONE})],
    "a guest has answered": [
        *_to_guest,
        ("take_signal", {"caller": ONE}),
        ("accept", {"caller": ONE, "signal": 1, "port": 1}),
    ],
    "a guest's inbox is full": _full,
    "a process waits to write": [
        *_full,
        *_process,
        ("select", {"process": 2, "reading": Members(), "writing": Members([2]), "wait": True}),
    ],
    "memory is set aside": [
        *_one_guest,
        ("set_region_aside", {"caller": SYSTEM_INDEX, "partition": ONE}),
        ("set_region_aside", {"caller": SYSTEM_INDEX, "partition": ONE}),
        ("take_region", {"caller": ONE, "region": 2}),
        _limit(ONE, PROGRAM_MEMORY, 1),
    ],
    "memory is to be shared": _memory_is_to_be_shared,
    "memory is shared": [*_memory_is_to_be_shared, ("accept_attach", {"caller": ONE, "signal": 1})],
    "an event connection is asked for": _event_is_asked_for,
    "an event connection stands": [
        *_event_is_asked_for,
        ("accept_event", {"caller": ONE, "signal": 1, "receiver": 1}),
        ("create_sender", {"caller": TWO}),
        ("request_event", {"caller": TWO, "sender": 2, "partition": ONE}),
        ("take_signal", {"caller": ONE}),
    ],
    "every signal is taken": [
        *_guests,
        *_process,
        ("socket", {"process": 1, "mode": FILE}),
        *(step for port in (1, 2, 3) for step in (*_port(ONE, port), *_request(port))),
        *_port(ONE, 4),
        ("create_sender", {"caller": ONE}),
        ("create_shared", {"caller": TWO}),
    ],
    "resources are asked for": [
        *_one_guest,
        ("reserve_resource", {"caller": SYSTEM_INDEX, "partition": ONE, "kind": 5, "amount": 1}),
        ("request_resource", {"caller": ONE, "kind": 5, "amount": 2}),
        ("set_limit", {"caller": SYSTEM_INDEX, "partition": ONE, "kind": 5, "amount": 1}),
    ],
    "resources are all given": [
        *_guests,
        ("reserve_resource", {"caller": SYSTEM_INDEX, "partition": ONE, "kind": 0, "amount": 3}),
        ("request_resource", {"caller": TWO, "kind": 0, "amount": 1}),
    ],
    "processors run": [
        *_one_guest,
        ("assign_processor", {"caller": SYSTEM_INDEX, "partition": ONE}),
        ("map_processor", {"caller": SYSTEM_INDEX, "processor": 1, "physical": 1}),
        ("start_processor", {"caller": ONE, "processor": 1}),
    ],
    "a channel stands": _channel_stands,
    "two channels stand": [*_channel_stands, *_channel(SYSTEM_INDEX, ONE, 3)],
    "a message waits": [*_channel_stands, *_send(ONE, 1, 1)],
    "an inbox is full": _inbox_full,
    "an inbox is full, and there is more to send": [*_inbox_full, ("allocate", {"caller": ONE})],
    "a peer is gone, a message is left": [*_inbox_full, ("close_port", {"caller": ONE, "port": 1})],
    "a limited partition has ended": [
        *_guests,
        ("set_limit", {"caller": SYSTEM_INDEX, "partition": ONE, "kind": 2, "amount": 1}),
        ("terminate", {"caller": SYSTEM_INDEX, "partition": ONE}),
    ],
    "every port is taken": [
        *_channel_stands,
        *_port(TWO, 3),
        *_port(TWO, 4),
        *_port(ONE, 5),
        *_port(ONE, 6),
        ("create_receiver", {"caller": ONE}),
    ],
    "a receiver has no headroom": [
        *_channel_stands,
        ("allocate", {"caller": ONE}),
        ("set_limit", {"caller": SYSTEM_INDEX, "partition": TWO, "kind": 2, "amount": 0}),
    ],
    "a message was received, and its event read": [
        *_channel_stands,
        *_send(ONE, 1, 1),
        ("receive", {"caller": TWO, "port": 2}),
        ("read_event", {"caller": TWO, "receiver": 2}),
        ("read_event", {"caller": TWO, "receiver": 2}),
    ],
    "a port was closed": [*_one_guest, *_port(ONE, 1), ("close_port", {"caller": ONE, "port": 1})],
    "a request came before there was a receiver for it": [
        *_guests,
        *_port(ONE, 1),
        ("connect", {"caller": ONE, "port": 1, "partition": TWO, "service": 1}),
        ("create_receiver", {"caller": TWO}),
        ("designate_receiver", {"caller": TWO, "receiver": 2}),
        ("read_event", {"caller": TWO, "receiver": 2}),
    ],
    "a guest has ended with a request and a processor": [
        *_guests,
        *_port(ONE, 1),
        ("connect", {"caller": ONE, "port": 1, "partition": TWO, "service": 1}),
        ("assign_processor", {"caller": SYSTEM_INDEX, "partition": ONE}),
        ("start_processor", {"caller": ONE, "processor": 1}),
        ("terminate", {"caller": SYSTEM_INDEX, "partition": ONE}),
        ("assign_processor", {"caller": SYSTEM_INDEX, "partition": TWO}),
        ("assign_processor", {"caller": SYSTEM_INDEX, "partition": TWO}),
    ],
    "a server has ended": [*_channel_stands, ("terminate", {"caller": SYSTEM_INDEX, "partition": TWO})],
    "a request was taken, and the ports are connected": [
        *_channel_stands,
        *_port(ONE, 3),
        ("connect", {"caller": ONE, "port": 3, "partition": TWO, "service": 1}),
        ("take_signal", {"caller": TWO}),
    ],
    "a partition was limited and forbidden and has ended, and another came": [
        *_one_guest,
        *_process,
        *_listening(1, FILE),
        ("forbid", {"process": 1, "service": 1, "partition": ONE}),
        _limit(ONE, PROGRAM_MEMORY, 0),
        ("terminate", {"caller": SYSTEM_INDEX, "partition": ONE}),
        ("create_partition", {"caller": SYSTEM_INDEX}),
        *_port(TWO, 1),
        ("allocate", {"caller": TWO}),
        *_to_service(TWO, 1),
    ],
    "a guest is forbidden": [
        *_one_guest,
        *_process,
        *_port(ONE, 1),
        *_listening(1, FILE),
        ("forbid", {"process": 1, "service": 1, "partition": ONE}),
    ],
    "a guest is forbidden, and a process waits in accept": [
        *_accept_waits,
        ("forbid", {"process": 1, "service": 1, "partition": ONE}),
    ],
    "a request in the backlog was refused, and made again": [
        *_request_waits,
        ("forbid", {"process": 1, "service": 1, "partition": ONE}),
        ("permit", {"process": 1, "service": 1, "partition": ONE}),
        *_to_service(ONE, 1),
    ],
    "a message waits at a socket, beside a new one": [
        *_file_served,
        *_send(ONE, 1, 1),
        ("socket", {"process": 1, "mode": FILE}),
    ],
    "a message was selected and read": [
        *_file_served,
        *_send(ONE, 1, 1),
        ("select", {"process": 1, "reading": Members([1, 2]), "writing": Members(), "wait": True}),
        *_read(2),
    ],
    "an accept was cancelled": [*_accept_waits, ("close", {"process": 1, "fd": 1})],
    "a read was cancelled": [*_mapped_served, *_process, *_read(2), ("close", {"process": 2, "fd": 2})],
    "every port is taken, and a request waits": [
        *_request_waits,
        *(step for port in (2, 3, 4, 5, 6) for step in _port(ONE, port)),
        ("socket", {"process": 1, "mode": FILE}),
        ("create_receiver", {"caller": ONE}),
    ],
    "a select was cancelled": [*_select_waits, ("close", {"process": 1, "fd": 1})],
    "an open file was sent": [*_file_open, ("send_file", {"process": 1, "fd": 2, "file": 1, "short": 1})],
    "a mapped region was sent": [*_mapped_read, ("send_mapped", {"process": 1, "fd": 2, "address": 1, "short": 1})],
    "a process has ended with a region mapped": [*_mapped_read, ("exit", {"process": 1})],
}
