"""Direct mapping: message regions in the address space of a process, read and written without a file (seed 0093-0106)."""

from __future__ import annotations

from ..words import *
from .common import *


class Mapping(State):
    process_mapped: Map[tuple[Process, Region], bool]
    """The page tables of processes, a structure of their own as those of partitions are.  A region has one address, wherever it
    is mapped."""
    region_process: Map[Region, Process]
    """The process that a region was given to."""


@action(seed="MAP-2", step="S-B S309b S310b")
def read_mapped(system: System, process: Process, address: Region, place: Option[Place]) -> Data:
    """Read a region mapped into the process."""
    running(system, process)
    require(system.process_mapped[process, address], EFAULT)
    require(place != none, EFAULT)
    return system.content[address, place]


@action(seed="MAP-2", step="S-B S309b S310b")
def write_mapped(system: System, process: Process, address: Region, place: Option[Place], data: Data) -> None:
    """Write a region mapped into the process."""
    running(system, process)
    require(system.process_mapped[process, address], EFAULT)
    require(place != none, EFAULT)

    system.content[address, place] = data


@action(seed="MAP-4", step="S-D")
def release(system: System, process: Process, address: Region) -> None:
    """Discard a mapped region: unmapped, scrubbed and freed."""
    running(system, process)
    require(system.process_mapped[process, address], EINVAL)

    free_regions(system, lambda region: region == address)


@invariant(seed="MAP-1 MAP-3 MAP-5 REG-3")
def process_mapping_within(system: System, process: Process, region: Region) -> bool:
    """A process maps a region only while SYSTEM owns it and maps it too, and has it to itself; it has no file, and waits in no
    queue."""
    systems = (system.owner[region] == SYSTEM) & system.mapped[SYSTEM, region]
    alone = (system.region_process[region] == process) & (system.region_file[region] == none)
    free = (system.carried_by[region] == none) & (system.life[process] != NO_PROCESS)
    return implies(system.process_mapped[process, region], systems & alone & free)


@step_property(seed="MAP-2 LAYER-3")
def process_integrity(before: System, after: System, call: Call, process: Process, region: Region, place: Place) -> bool:
    """What a process has mapped changes only by its own act; by that of SYSTEM, whose the region is; or by the end of the
    mapping, and nothing is mapped into a process but by its own read."""
    kept = before.process_mapped[process, region] & after.process_mapped[process, region]
    same = after.content[region, place] == before.content[region, place]
    newly = after.process_mapped[process, region] & negation(before.process_mapped[process, region])
    read = ((call.operation == "read_socket") & (call.process == process)) | (after.given_address[process] == region)
    own = (call.process == process) | (call.caller == SYSTEM)
    return implies(kept, same | own) & implies(newly, read)


@invariant(seed="MAP-1")
def given_is_mapped(system: System, region: Region) -> bool:
    """A region that was given to a process is mapped in it."""
    process = system.region_process[region]
    return (process == none) | system.process_mapped[process, region]
