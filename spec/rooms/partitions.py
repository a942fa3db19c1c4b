"""Partitions: created and booted by the system control OS, in the order that it programmed (seed 0049-0053)."""

from __future__ import annotations

from ..words import *
from .common import *


class Partitions(State):
    status: Map[Partition, Status]
    booted: Map[Partition, bool]
    boot_order: Queue[Partition, Partition]
    """Who is still to be booted, in the programmed order; kept under SYSTEM."""


@unused
def absent(system: System, partition: Partition) -> bool:
    return system.status[partition] == ABSENT


@action(seed="LAYER-1 LAYER-2 LAYER-4 LAYER-5 PART-2 PART-3")
def create_partition(system: System, caller: Partition, partition: Fresh[Partition]) -> Partition:
    """Make a partition: active, with no resource and no limit.  The order of creation is the programmed boot order."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(partition != none, ENOMEM)

    system.status[partition] = ACTIVE
    system.boot_order[SYSTEM].push(partition)
    return partition


@action(seed="LAYER-5 LAYER-6")
def boot(system: System, caller: Partition, partition: Partition) -> None:
    """Boot the OS of `partition`, whose turn it must be."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    require(not system.booted[partition], EALREADY)
    require(system.boot_order[SYSTEM].head == partition, EBUSY)

    system.boot_order[SYSTEM].pop()
    system.booted[partition] = True


@step_property(seed="LAYER-6")
def boot_order(before: System, after: System, call: Call, early: Partition, late: Partition) -> bool:
    """No guest is booted before those programmed ahead of it."""
    newly = after.booted[late] & (before.booted[late] == False)  # noqa: E712
    return implies(before.boot_order.ahead(early, late) & newly, after.booted[early])


@step_property(seed="PART-1 PART-3")
def partitions_are_never_reused(before: System, after: System, call: Call, partition: Partition) -> bool:
    """A partition goes from absent to active to terminated and never back, so its identifier names it for good."""
    same = after.status[partition] == before.status[partition]
    made = (before.status[partition] == ABSENT) & (after.status[partition] == ACTIVE)
    ended = (before.status[partition] == ACTIVE) & (after.status[partition] == TERMINATED)
    return same | made | ended


@step_property(seed="LAYER-1 LAYER-4 LAYER-7")
def layer_respected(before: System, after: System, call: Call, partition: Partition, kind: Kind) -> bool:
    """Only SYSTEM creates, boots and limits partitions; a partition may end itself."""
    same = (
        (after.status[partition] == before.status[partition])
        & (after.booted[partition] == before.booted[partition])
        & (after.limited[partition, kind] == before.limited[partition, kind])
        & (after.limit[partition, kind] == before.limit[partition, kind])
    )
    own_end = (call.operation == "terminate") & (call.caller == partition)
    return same | (call.caller == SYSTEM) | own_end


@invariant(seed="LAYER-6 PART-3")
def only_active_is_booted(system: System, partition: Partition) -> bool:
    """An OS is booted in an active partition only."""
    return implies(system.booted[partition], system.status[partition] == ACTIVE)


@leads_to(by="boot", seed="LAYER-6")
def everyone_is_booted(system: System, call: Call, partition: Partition) -> tuple[bool, bool, bool]:
    """Who stands in the boot order is booted, or ends, if SYSTEM goes on booting."""
    waits = system.boot_order.of(partition) == SYSTEM
    return waits, system.booted[partition] | (system.status[partition] == TERMINATED), call.caller == SYSTEM
