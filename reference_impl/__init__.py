"""A real control OS in small: page tables over one memory mapping, quotas by counters, queues, event bits; and in one of its
partitions a system control OS with sockets, virtual files, processes and select, which runs a system control program.

`implementation()` makes one behind the conformance interface; the connection string is `py:oneowner.reference_impl`.
"""

from .calls import HYPERCALLS, SYSTEM_CALLS
from .control_os import ControlOS, Interface
from .memory import AddressSpace, Fault, PhysicalMemory
from .objects import Partition, Refused, Region
from .policy import Policy, ResourceRequest
from .program import SystemControlProgram


def implementation() -> Interface:
    """A fresh, unset machine behind the conformance interface."""
    return Interface(ControlOS)


__all__ = [
    "HYPERCALLS",
    "SYSTEM_CALLS",
    "AddressSpace",
    "ControlOS",
    "Fault",
    "Interface",
    "Partition",
    "PhysicalMemory",
    "Policy",
    "Refused",
    "Region",
    "ResourceRequest",
    "SystemControlProgram",
    "implementation",
]
