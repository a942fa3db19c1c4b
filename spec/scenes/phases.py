"""The states that the things of each room go through, as people name them; what leads from one to another is found by
exploration (`oneowner show states`)."""

from __future__ import annotations

from typing import Any

from ...model import exists
from ...model.language import Phases
from ..names import (
    SYSTEM_INDEX,
    Descriptor,
    Fd,
    File,
    Life,
    Partition,
    Port,
    PortStatus,
    Process,
    Processor,
    Receiver,
    Region,
    Request,
    Shared,
    Signal,
    Status,
    Verdict,
)


def _partition(system: Any, partition: int) -> str:
    return "BOOTED" if system.booted[partition] else Status(system.status[partition]).name


def _processor(system: Any, processor: int) -> str:
    if not system.processor_of[processor]:
        return "UNASSIGNED"
    return "RUNNING" if system.processor_runs[processor] else "STOPPED"


def _request(system: Any, request: int) -> str:
    return Verdict(system.verdict[request]).name


def _region(system: Any, region: int) -> str:
    if not system.owner[region]:
        return "SET_ASIDE" if system.kept_for[region] else "FREE"
    if system.carried_by[region]:
        return "QUEUED"
    if system.region_file[region]:
        return "FILE"
    return "IN_A_PROCESS" if system.region_process[region] else "OWNED"


def _receiver(system: Any, receiver: int) -> str:
    if not system.receiver_owner[receiver]:
        return "UNUSED"
    return "PENDING" if system.pending[receiver] else "QUIET"


def _signal(system: Any, signal: int) -> str:
    if not system.signal_at[signal]:
        return "NONE"
    if system.signals.of(signal):
        return "QUEUED"
    return "IN_A_BACKLOG" if system.backlog.of(signal) else "TAKEN"


def _port(system: Any, port: int) -> str:
    return PortStatus(system.port_status[port]).name


def _shared(system: Any, shared: int) -> str:
    owner = system.shared_owner[shared]
    if not owner:
        return "FREE"
    return "SHARED" if exists(Partition, lambda other: (other != owner) & system.attached[other, shared]) else "OWNED"


def _descriptor(system: Any, fd: int) -> str:
    return Descriptor(system.descriptor[fd]).name


def _file(system: Any, file: int) -> str:
    if not system.file_region[file]:
        return "NO_FILE"
    return "UNLINKED" if system.unlinked[file] else "LINKED"


def _process(system: Any, process: int) -> str:
    return Life(system.life[process]).name


def _mapping(system: Any, region: int) -> str:
    if system.region_process[region]:
        return "MAPPED_IN_A_PROCESS"
    return "SYSTEMS" if system.owner[region] == SYSTEM_INDEX else "ELSEWHERE"


PHASES = {
    "partitions": Phases("a partition", Partition, _partition),
    "processors": Phases("a logical processor", Processor, _processor),
    "resources": Phases("a request for a resource", Request, _request),
    "regions": Phases("a message region", Region, _region),
    "events": Phases("an event receive port", Receiver, _receiver),
    "signals": Phases("a control signal", Signal, _signal),
    "channels": Phases("a message port, from its owner's side", Port, _port),
    "shared": Phases("a shared region", Shared, _shared),
    "sockets": Phases("a file descriptor", Fd, _descriptor),
    "files": Phases("a virtual file's name", File, _file),
    "mapping": Phases("a message region, as processes see it", Region, _mapping),
    "processes": Phases("a process of the system control program", Process, _process),
}
"""By room, what is followed and what states it has."""
