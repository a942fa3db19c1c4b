"""Message regions: memory that belongs to one partition at any instant (seed 0065-0071)."""

from __future__ import annotations

from ..words import *
from .common import *
from .resources import room_for_one


class Regions(State):
    owner: Map[Region, Partition]
    mapped: Map[tuple[Partition, Region], bool]
    """The page tables, a structure of their own: that they agree with `owner` is what has to be proved."""
    content: Map[tuple[Region, Place], Data]
    carried_by: Map[Region, Message]
    """The queued message that carries a region, if any."""
    kept_for: Map[Region, Partition]
    """The partition for which a free region is set aside."""


@unused
def unowned(system: System, region: Region) -> bool:
    return (system.owner[region] == none) & (system.kept_for[region] == none)


@action(seed="REG-1 LAYER-3", step="S105 S106")
def allocate(system: System, caller: Partition, region: Fresh[Region]) -> Region:
    """Take a region of free memory, none that is set aside, and map it at the caller.  It is zeroed, because freeing scrubs."""
    standing(system, caller)
    require(room_for_one(system, caller, PROGRAM_MEMORY), ENOMEM)
    require(region != none, ENOMEM)

    system.owner[region] = caller
    system.mapped[caller, region] = True
    return region


@action(seed="RES-4 LAYER-4")
def set_region_aside(system: System, caller: Partition, partition: Partition, region: Fresh[Region]) -> Region:
    """Set a region of free memory aside for `partition`, which alone can take it, by its address."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    require(region != none, ENOMEM)

    system.kept_for[region] = partition
    return region


@action(seed="RES-4 REG-1")
def take_region(system: System, caller: Partition, region: Region) -> None:
    """Take a region that is set aside for the caller: as `allocate`, and however little memory is left."""
    standing(system, caller)
    require(system.kept_for[region] == caller, EFAULT)
    require(room_for_one(system, caller, PROGRAM_MEMORY), ENOMEM)

    system.kept_for[region] = none
    system.owner[region] = caller
    system.mapped[caller, region] = True


@action(seed="REG-6", step="S109")
def free(system: System, caller: Partition, region: Region) -> None:
    """Give a region back: unmapped and scrubbed."""
    standing(system, caller)
    require(system.owner[region] == caller, EFAULT)
    require(unheld(system, region), EBUSY)

    system.content.where(lambda r, place: r == region, none)
    system.mapped[caller, region] = False
    system.owner[region] = none


@action(seed="REG-3 REG-5 MAP-5", step="S108")
def read_memory(system: System, caller: Partition, region: Region, place: Option[Place]) -> Data:
    """Read through the caller's own mapping."""
    standing(system, caller)
    require(system.mapped[caller, region], EFAULT)
    require(place != none, EFAULT)
    return system.content[region, place]


@action(seed="REG-3 REG-5 MAP-5", step="S106 S108")
def write_memory(system: System, caller: Partition, region: Region, place: Option[Place], data: Data) -> None:
    """Write through the caller's own mapping."""
    standing(system, caller)
    require(system.mapped[caller, region], EFAULT)
    require(place != none, EFAULT)

    system.content[region, place] = data


@invariant(seed="REG-2 LAYER-3", step="S107")
def exclusive_mapping(system: System, partition: Partition, region: Region) -> bool:
    """A region is mapped by at most one partition, and that is its owner."""
    return implies(system.mapped[partition, region], system.owner[region] == partition)


@invariant(seed="REG-2 REG-4", step="S107")
def owner_is_mapped(system: System, region: Region) -> bool:
    """An owned region is mapped by its owner, so no region is lost in a transfer."""
    return (system.owner[region] == none) | system.mapped[system.owner[region], region]


@invariant(seed="REG-6", step="S109")
def free_is_unmapped(system: System, partition: Partition, region: Region) -> bool:
    """Free memory is mapped nowhere."""
    return implies(system.owner[region] == none, system.mapped[partition, region] == False)  # noqa: E712


@invariant(seed="REG-3 REG-6", step="S109")
def free_is_scrubbed(system: System, region: Region, place: Place) -> bool:
    """Free memory holds no one's data."""
    return implies(system.owner[region] == none, system.content[region, place] == none)


@step_property(seed="REG-3", step="S107 S108")
def no_access_after_unmap(before: System, after: System, call: Call) -> bool:
    """Only the owner of a region reads and writes it: not before it was sent there, not after it was sent away.  So it is for a
    process and what is mapped in it, and for a file and the region behind it."""
    access = (call.operation == "read_memory") | (call.operation == "write_memory")
    direct = (call.operation == "read_mapped") | (call.operation == "write_mapped")
    file = (call.operation == "read_file") | (call.operation == "write_file")
    mine = (before.owner[call.address] == SYSTEM) & (before.region_process[call.address] == call.process)
    systems = before.owner[before.file_region[before.fd_file[call.fd]]] == SYSTEM
    return implies(access, before.owner[call.region] == call.caller) & implies(direct, mine) & implies(file, systems)


@invariant(seed="RES-4")
def only_free_memory_is_set_aside(system: System, region: Region) -> bool:
    """What is set aside is free, and is so for an active partition."""
    whose = system.kept_for[region]
    return (whose == none) | ((system.owner[region] == none) & (system.status[whose] == ACTIVE))


@step_property(seed="RES-4")
def set_aside_stays(before: System, after: System, call: Call, region: Region) -> bool:
    """What is set aside for a partition stays so until that partition takes it, or ends: nobody else can have it."""
    whose = before.kept_for[region]
    taken = (call.operation == "take_region") & (call.caller == whose) & (after.owner[region] == whose)
    ended = (call.operation == "terminate") & (call.partition == whose)
    return (whose == none) | (after.kept_for[region] == whose) | taken | ended


@step_property(seed="REG-3 REG-4", step="S107 S108")
def content_flow(before: System, after: System, call: Call, region: Region, place: Place) -> bool:
    """What is in a region was written there by an owner since it was last free: only an owner's write changes it, through its
    mapping, a process's or a file, freeing scrubs it, and sending leaves it whole."""
    same = after.content[region, place] == before.content[region, place]
    by_owner = (call.operation == "write_memory") & (call.region == region) & (call.caller == before.owner[region])
    by_process = (call.operation == "write_mapped") & (call.address == region) & before.process_mapped[call.process, region]
    by_file = (call.operation == "write_file") & (before.file_region[before.fd_file[call.fd]] == region)
    as_told = (call.place == place) & (after.content[region, place] == call.data)
    scrubbed = (after.content[region, place] == none) & (after.owner[region] == none)
    return same | ((by_owner | by_process | by_file) & as_told) | scrubbed


@rest
def all_memory_is_free(system: System, region: Region) -> bool:
    """Nobody owns memory, and none is set aside."""
    return (system.owner[region] == none) & (system.kept_for[region] == none)
