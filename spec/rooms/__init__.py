"""The rooms: what the system must do, one a file, each with its state, operations and theorems."""

from . import (
    channels,
    effects,
    events,
    files,
    mapping,
    partitions,
    processes,
    processors,
    regions,
    resources,
    shared,
    signals,
    sockets,
    termination,
)
from .channels import Channels
from .events import Events, unserving
from .files import Files
from .mapping import Mapping
from .partitions import Partitions
from .processes import LATE_EXITS, Processes, late
from .processors import Processors
from .regions import Regions
from .resources import Resources, is_granted, used
from .shared import SharedMemory
from .signals import Signals
from .sockets import Sockets

ROOMS = (
    partitions,
    processors,
    resources,
    regions,
    events,
    signals,
    channels,
    shared,
    sockets,
    files,
    mapping,
    processes,
    termination,
    effects,
)
"""In the order in which they are shown."""

__all__ = [
    "LATE_EXITS",
    "ROOMS",
    "Channels",
    "Events",
    "Files",
    "Mapping",
    "Partitions",
    "Processes",
    "Processors",
    "Regions",
    "Resources",
    "SharedMemory",
    "Signals",
    "Sockets",
    "is_granted",
    "late",
    "unserving",
    "used",
]
