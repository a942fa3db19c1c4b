"""Resources: what is charged to a partition is counted from what it holds, and never exceeds its limit (seed 0048-0055)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import Map, State, action, counter, implies, invariant, lemma, negation, require
from .common import standing
from .errors import EBUSY, EPERM, ESRCH
from .names import (
    ACTIVE,
    EVENT_PORTS,
    MANAGEMENT_MEMORY,
    PROGRAM_MEMORY,
    SYSTEM,
    Kind,
    Partition,
    Receiver,
    Region,
    Sender,
    Signal,
)

if TYPE_CHECKING:
    from .system import System


class Resources(State):
    limited: Map[tuple[Partition, Kind], bool]
    limit: Map[tuple[Partition, Kind], int]


@counter
def regions_owned(system: System, partition: Partition, region: Region) -> bool:
    return system.owner[region] == partition


@counter
def signals_paid(system: System, partition: Partition, signal: Signal) -> bool:
    return system.payer[signal] == partition


@counter
def receivers_owned(system: System, partition: Partition, receiver: Receiver) -> bool:
    return system.receiver_owner[receiver] == partition


@counter
def senders_owned(system: System, partition: Partition, sender: Sender) -> bool:
    return system.sender_owner[sender] == partition


def used(system: System, partition: Partition, kind: Kind) -> int:
    """What is charged to `partition`: regions to program memory, signals to management memory, receivers and senders
    to event ports; each counts one."""
    if kind == PROGRAM_MEMORY:
        return regions_owned(system, partition)
    if kind == MANAGEMENT_MEMORY:
        return signals_paid(system, partition)
    return receivers_owned(system, partition) + senders_owned(system, partition)


def room_for_one(system: System, partition: Partition, kind: Kind) -> bool:
    """One more of `kind` keeps `partition` within its limit."""
    free = used(system, partition, kind) < system.limit[partition, kind]
    return negation(system.limited[partition, kind]) | free


@action(seed="RES-3 LAYER-4")
def set_limit(system: System, caller: Partition, partition: Partition, kind: Kind, amount: int) -> None:
    """Cap what `partition` may use of `kind`, at no less than what it uses."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    require(used(system, partition, kind) <= amount, EBUSY)

    system.limited[partition, kind] = True
    system.limit[partition, kind] = amount


@action(seed="RES-1 RES-3")
def query_usage(system: System, caller: Partition, partition: Partition, kind: Kind) -> int:
    """What is charged to `partition` of `kind`; one's own, or anyone's for SYSTEM.

    The seed does not name this call; without it a charge could be seen only by running into a limit.
    """
    standing(system, caller)
    require((caller == partition) | (caller == SYSTEM), EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    return used(system, partition, kind)


@invariant(seed="RES-3")
def limit_respected(system: System, partition: Partition) -> bool:
    """What is used never exceeds a limit."""

    def within(kind: Kind) -> bool:
        return implies(system.limited[partition, kind], used(system, partition, kind) <= system.limit[partition, kind])

    return within(PROGRAM_MEMORY) & within(MANAGEMENT_MEMORY) & within(EVENT_PORTS)


@lemma("so that a limit that was lifted leaves nothing behind")
def no_limit_is_zero(system: System, partition: Partition, kind: Kind) -> bool:
    return system.limited[partition, kind] | (system.limit[partition, kind] == 0)
