"""Shared memory: regions that several partitions are attached to, by control signal (seed 0056 c).

They are a sort of their own: no message carries one, so that the mapping of message regions stays exclusive.
"""

from __future__ import annotations

from ..words import *
from .common import *
from .resources import room_for_one


class SharedMemory(State):
    shared_owner: Map[Shared, Partition]
    attached: Map[tuple[Partition, Shared], bool]
    shared_content: Map[tuple[Shared, Place], Data]
    signal_shared: Map[Signal, Shared]
    """The shared region that a control signal asks to be attached to."""


@unused
def shared_unused(system: System, shared: Shared) -> bool:
    return system.shared_owner[shared] == none


@action(seed="SHM-1 RES-3")
def create_shared(system: System, caller: Partition, shared: Fresh[Shared]) -> Shared:
    """Make a shared region, zeroed and charged to the caller's program memory; the caller is attached to it."""
    standing(system, caller)
    require(room_for_one(system, caller, PROGRAM_MEMORY), ENOMEM)
    require(shared != none, ENOMEM)

    system.shared_owner[shared] = caller
    system.attached[caller, shared] = True
    return shared


@action(seed="SHM-1 SIG-1 SIG-3")
def request_attach(system: System, caller: Partition, partition: Partition, shared: Shared, signal: Fresh[Signal]) -> None:
    """Ask the owner of a shared region, by a control signal, to be attached to it.

    A region that is not that partition's and a partition that is not there are refused alike, so that nothing is learnt.
    """
    standing(system, caller)
    require(partition != caller, EINVAL)
    require((system.status[partition] == ACTIVE) & (system.shared_owner[shared] == partition), ECONNREFUSED)
    require(negation(system.attached[caller, shared]), EALREADY)
    require(room_for_one(system, caller, MANAGEMENT_MEMORY), ENOMEM)
    require(signal != none, ENOMEM)

    post(system, signal, SHARED, caller, partition, none)
    system.signal_shared[signal] = shared


@action(seed="SHM-1 SIG-3")
def accept_attach(system: System, caller: Partition, signal: Signal) -> None:
    """Grant a request to attach that was taken from the queue."""
    standing(system, caller)
    require(taken(system, caller, signal), EBADF)
    require(system.signal_kind[signal] == SHARED, EINVAL)

    system.attached[system.signal_source[signal], system.signal_shared[signal]] = True
    withdraw(system, signal)
    refund(system, signal)


@action(seed="SHM-1")
def detach(system: System, caller: Partition, shared: Shared) -> None:
    """Give up a shared region of another's."""
    standing(system, caller)
    require(system.attached[caller, shared], EBADF)
    require(system.shared_owner[shared] != caller, EBUSY)

    system.attached[caller, shared] = False


@action(seed="SHM-1")
def destroy_shared(system: System, caller: Partition, shared: Shared) -> None:
    """Destroy a shared region that nobody else is attached to: scrubbed, and what asks for it is refused."""
    standing(system, caller)
    require(system.shared_owner[shared] == caller, EBADF)
    require(negation(exists(Partition, lambda other: (other != caller) & system.attached[other, shared])), EBUSY)

    before = system.before
    refuse_all(system, lambda signal: before.signal_shared[signal] == shared)
    system.shared_content.where(lambda other, place: other == shared, none)
    system.attached[caller, shared] = False
    system.shared_owner[shared] = none


@action(seed="SHM-1")
def read_shared(system: System, caller: Partition, shared: Shared, place: Option[Place]) -> Data:
    """Read a shared region that the caller is attached to."""
    standing(system, caller)
    require(system.attached[caller, shared], EFAULT)
    require(place != none, EFAULT)
    return system.shared_content[shared, place]


@action(seed="SHM-1")
def write_shared(system: System, caller: Partition, shared: Shared, place: Option[Place], data: Data) -> None:
    """Write a shared region that the caller is attached to."""
    standing(system, caller)
    require(system.attached[caller, shared], EFAULT)
    require(place != none, EFAULT)

    system.shared_content[shared, place] = data


@invariant(seed="SHM-1")
def attached_to_what_is_there(system: System, partition: Partition, shared: Shared) -> bool:
    """Only an active partition is attached, to a region whose owner is active and attached too."""
    owner = system.shared_owner[shared]
    there = (owner != none) & (system.status[partition] == ACTIVE)
    owned = (owner == none) | ((system.status[owner] == ACTIVE) & system.attached[owner, shared])
    return implies(system.attached[partition, shared], there) & owned


@invariant(seed="SHM-1 REG-3")
def free_shared_is_scrubbed(system: System, shared: Shared, place: Place) -> bool:
    """A shared region that nobody owns holds no one's data."""
    return implies(system.shared_owner[shared] == none, system.shared_content[shared, place] == none)


@step_property(seed="SHM-1 LAYER-3")
def attached_by_consent(before: System, after: System, call: Call, partition: Partition, shared: Shared) -> bool:
    """A partition becomes attached by making the region, or because the owner accepts what it asked for."""
    newly = after.attached[partition, shared] & negation(before.attached[partition, shared])
    made = (call.operation == "create_shared") & (call.caller == partition) & (before.shared_owner[shared] == none)
    asked = (before.signal_source[call.signal] == partition) & (before.signal_shared[call.signal] == shared)
    granted = (call.operation == "accept_attach") & asked & (before.shared_owner[shared] == call.caller)
    return implies(newly, made | granted)


@step_property(seed="SHM-1 LAYER-3")
def shared_content_flow(before: System, after: System, call: Call, shared: Shared, place: Place) -> bool:
    """What is in a shared region was written there by someone attached to it."""
    same = after.shared_content[shared, place] == before.shared_content[shared, place]
    written = (
        (call.operation == "write_shared")
        & (call.shared == shared)
        & (call.place == place)
        & before.attached[call.caller, shared]
        & (after.shared_content[shared, place] == call.data)
    )
    scrubbed = (after.shared_content[shared, place] == none) & (after.shared_owner[shared] == none)
    return same | written | scrubbed


@rest
def no_shared_region_is_left(system: System, shared: Shared) -> bool:
    """There are no shared regions."""
    return system.shared_owner[shared] == none
