"""Message regions: memory that belongs to one partition at any instant (seed 0065-0071)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import Call, Fresh, Map, State, action, implies, invariant, none, require, step_property, unused
from .common import standing
from .errors import EBUSY, EFAULT, ENOMEM
from .names import PROGRAM_MEMORY, Data, Message, Partition, Place, Region
from .resources import room_for_one

if TYPE_CHECKING:
    from .system import System


class Regions(State):
    owner: Map[Region, Partition]
    mapped: Map[tuple[Partition, Region], bool]
    """The page tables, a structure of their own: that they agree with `owner` is what has to be proved."""
    content: Map[tuple[Region, Place], Data]
    carried_by: Map[Region, Message]
    """The queued message that carries a region, if any."""


@unused
def unowned(system: System, region: Region) -> bool:
    return system.owner[region] == none


@action(seed="REG-1 LAYER-3", step="S105 S106")
def allocate(system: System, caller: Partition, region: Fresh[Region]) -> Region:
    """Take a region of free memory and map it at the caller.  It is zeroed, because freeing scrubs."""
    standing(system, caller)
    require(room_for_one(system, caller, PROGRAM_MEMORY), ENOMEM)
    require(region != none, ENOMEM)

    system.owner[region] = caller
    system.mapped[caller, region] = True
    return region


@action(seed="REG-6", step="S109")
def free(system: System, caller: Partition, region: Region) -> None:
    """Give a region back: unmapped and scrubbed."""
    standing(system, caller)
    require(system.owner[region] == caller, EFAULT)
    require(system.carried_by[region] == none, EBUSY)

    system.content.where(lambda r, place: r == region, none)
    system.mapped[caller, region] = False
    system.owner[region] = none


@action(seed="REG-3 REG-5", step="S108")
def read_memory(system: System, caller: Partition, region: Region, place: Place) -> Data:
    """Read through the caller's own mapping."""
    standing(system, caller)
    require(system.mapped[caller, region], EFAULT)
    return system.content[region, place]


@action(seed="REG-3 REG-5", step="S106 S108")
def write_memory(system: System, caller: Partition, region: Region, place: Place, data: Data) -> None:
    """Write through the caller's own mapping."""
    standing(system, caller)
    require(system.mapped[caller, region], EFAULT)

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
    """Only the owner of a region reads and writes it: not before it was sent there, not after it was sent away."""
    access = (call.operation == "read_memory") | (call.operation == "write_memory")
    return implies(access, before.owner[call.region] == call.caller)


@step_property(seed="REG-3 REG-4", step="S107 S108")
def content_flow(before: System, after: System, call: Call, region: Region, place: Place) -> bool:
    """What is in a region was written there by an owner since it was last free: only an owner's write changes it, freeing
    scrubs it, and sending leaves it whole."""
    same = after.content[region, place] == before.content[region, place]
    written = (
        (call.operation == "write_memory")
        & (call.region == region)
        & (call.place == place)
        & (call.caller == before.owner[region])
        & (after.content[region, place] == call.data)
    )
    scrubbed = (after.content[region, place] == none) & (after.owner[region] == none)
    return same | written | scrubbed
