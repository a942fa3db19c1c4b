"""The seed's end-to-end flows, as calls in order: figure 6 (S101-S112), in the model's names."""

from __future__ import annotations

from ..model.spec import Flow
from .names import SYSTEM_INDEX

CLIENT, SERVER = 2, 3
"""Guest OS (A) and guest OS (B)."""

FLOW_1 = Flow(
    name="FLOW-1",
    title="guest to guest (figure 6)",
    seed=("FLOW-1", "REG-7"),
    actors={CLIENT: "guest OS A (client)", SERVER: "guest OS B (server)", SYSTEM_INDEX: "system control OS"},
    steps=(
        ("", "create_partition", {"caller": SYSTEM_INDEX}),
        ("", "create_partition", {"caller": SYSTEM_INDEX}),
        ("", "boot", {"caller": SYSTEM_INDEX, "partition": CLIENT}),
        ("", "boot", {"caller": SYSTEM_INDEX, "partition": SERVER}),
        ("", "create_receiver", {"caller": CLIENT}),
        ("", "create_port", {"caller": CLIENT, "receiver": 1}),
        ("", "create_receiver", {"caller": SERVER}),
        ("", "create_port", {"caller": SERVER, "receiver": 2}),
        ("S101", "connect", {"caller": CLIENT, "port": 1, "partition": SERVER, "service": 1}),
        ("S102", "take_signal", {"caller": SERVER}),
        ("S103", "accept", {"caller": SERVER, "signal": 1, "port": 2}),
        ("S104", "read_event", {"caller": CLIENT, "receiver": 1}),
        ("S104", "read_event", {"caller": SERVER, "receiver": 2}),
        ("S105 S106", "allocate", {"caller": CLIENT}),
        ("S106", "write_memory", {"caller": CLIENT, "region": 1, "place": 1, "data": 1}),
        ("S107", "send", {"caller": CLIENT, "port": 1, "region": 1, "short": 0}),
        ("S108", "read_event", {"caller": SERVER, "receiver": 2}),
        ("S108", "receive", {"caller": SERVER, "port": 2}),
        ("S108", "read_memory", {"caller": SERVER, "region": 1, "place": 1}),
        ("S109", "free", {"caller": SERVER, "region": 1}),
        ("S110", "close_port", {"caller": SERVER, "port": 2}),
        ("S111", "read_event", {"caller": CLIENT, "receiver": 1}),
        ("S112", "close_port", {"caller": CLIENT, "port": 1}),
    ),
)
