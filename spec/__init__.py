"""The specification of the system that the seed describes; `SPEC` is the whole of it.  Reads from `system` on."""

from .names import CHANNEL, CONNECTED, FREE, PEER_CLOSED, SYSTEM, Fd, Partition, Port, PortStatus, Region, Service, Short
from .system import SPEC, topology

__all__ = [
    "CHANNEL",
    "CONNECTED",
    "FREE",
    "PEER_CLOSED",
    "SPEC",
    "SYSTEM",
    "Fd",
    "Partition",
    "Port",
    "PortStatus",
    "Region",
    "Service",
    "Short",
    "topology",
]
