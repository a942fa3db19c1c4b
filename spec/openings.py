"""Openings: sequences of calls from which fuzzing may start, to be deep in the system at once.

Calls are in the model's names.  Fresh names are the least free ones, so the n-th receiver made is receiver n.
"""

from __future__ import annotations

from ..model.spec import Step
from .names import SYSTEM_INDEX

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

OPENINGS: dict[str, list[Step]] = {
    "guests": _guests,
    "a channel stands": _channel_stands,
    "two channels stand": [*_channel_stands, *_channel(SYSTEM_INDEX, ONE, 3)],
    "a message waits": [*_channel_stands, *_send(ONE, 1, 1)],
    "an inbox is full": _inbox_full,
    "a peer is gone, a message is left": [*_inbox_full, ("close_port", {"caller": ONE, "port": 1})],
    "a limited partition has ended": [
        *_guests,
        ("set_limit", {"caller": SYSTEM_INDEX, "partition": ONE, "kind": 0, "amount": 1}),
        ("terminate", {"caller": SYSTEM_INDEX, "partition": ONE}),
    ],
    "every port is taken": [
        *_channel_stands,
        *_port(TWO, 3),
        *_port(TWO, 4),
        ("create_receiver", {"caller": ONE}),
    ],
    "a receiver has no headroom": [
        *_channel_stands,
        ("allocate", {"caller": ONE}),
        ("set_limit", {"caller": SYSTEM_INDEX, "partition": TWO, "kind": 0, "amount": 0}),
    ],
}
