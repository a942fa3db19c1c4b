"""The end of a partition, across all rooms, in one step; and what nobody but the parties to a step can see of it."""

from __future__ import annotations

from typing import Any

from ..words import *
from .common import *


@action(seed="PART-4 PART-5 SIG-3 CHAN-6 REG-6")
def terminate(system: System, caller: Partition, partition: Partition) -> None:
    """End a partition, at its own request or by SYSTEM: it is barred, its processors stop, what it sent is cancelled and what it
    received is refused, its channels are closed, its regions scrubbed and freed, its event connections dropped, what it holds
    and what is kept for it goes back to the pool, its limits are lifted and its permissions withdrawn."""
    standing(system, caller)
    require((caller == partition) | (caller == SYSTEM), EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    require(partition != SYSTEM, EPERM)

    before = system.before
    destroy_ports(system, lambda port: before.port_owner[port] == partition)
    refuse_all(system, lambda signal: before.signal_at[signal] == partition)
    withdraw_all(system, lambda signal: before.signal_source[signal] == partition)
    free_regions(system, lambda region: before.owner[region] == partition)
    system.kept_for.where(lambda region: before.kept_for[region] == partition, none)
    _drop_events(system, before, partition)
    _drop_shared(system, before, partition)
    _drop_resources(system, before, partition)
    system.processor_runs.where(lambda processor: before.processor_of[processor] == partition, False)
    system.carried_on.where(lambda processor, physical: before.processor_of[processor] == partition, False)
    system.processor_of.where(lambda processor: before.processor_of[processor] == partition, none)
    system.forbidden.where(lambda service, other: other == partition, False)
    system.boot_order.remove(partition)
    system.booted[partition] = False
    system.status[partition] = TERMINATED


def _drop_events(system: System, before: System, partition: Partition) -> None:
    def my_receiver(receiver: Receiver) -> bool:
        return before.receiver_owner[receiver] == partition

    def my_sender(sender: Sender) -> bool:
        return before.sender_owner[sender] == partition

    system.target.where(lambda sender: my_sender(sender) | my_receiver(before.target[sender]), none)
    system.served_sender.where(lambda r: my_receiver(r) | my_sender(before.served_sender[r]), none)
    system.serves_signals.where(my_receiver, False)
    system.signal_receiver[partition] = none
    system.pending.where(my_receiver, False)
    system.receiver_owner.where(my_receiver, none)
    system.sender_owner.where(my_sender, none)


def _drop_shared(system: System, before: System, partition: Partition) -> None:
    def mine(shared: Shared) -> bool:
        return before.shared_owner[shared] == partition

    system.shared_content.where(lambda shared, place: mine(shared), none)
    system.attached.where(lambda other, shared: mine(shared) | (other == partition), False)
    system.shared_owner.where(mine, none)


def _drop_resources(system: System, before: System, partition: Partition) -> None:
    for kind in (PROCESSOR_TIME, ADDRESS_SPACE, DEVICES, CACHE, BUS):
        back = system.held[partition, kind] + system.reserve[partition, kind]
        system.pool[kind] = system.pool[kind] + back
    system.held.where(lambda other, kind: other == partition, 0)
    system.reserve.where(lambda other, kind: other == partition, 0)
    system.limited.where(lambda other, kind: other == partition, False)
    system.limit.where(lambda other, kind: other == partition, 0)

    def mine(request: Request) -> bool:
        return before.requester[request] == partition

    system.requests.drop(mine)
    system.request_kind.where(mine, PROCESSOR_TIME)
    system.request_amount.where(mine, 0)
    system.verdict.where(mine, NO_REQUEST)
    system.requester.where(mine, none)


def has_nothing(system: System, partition: Partition) -> bool:
    """The partition owns, maps, queues, runs and is permitted nothing, and is charged for nothing."""
    memory = forall(Region, lambda region: (system.owner[region] != partition) & negation(system.mapped[partition, region]))
    aside = forall(Region, lambda region: system.kept_for[region] != partition)
    ports = forall(Port, lambda port: system.port_owner[port] != partition)
    receivers = forall(Receiver, lambda receiver: system.receiver_owner[receiver] != partition)
    senders = forall(Sender, lambda sender: system.sender_owner[sender] != partition)
    signals = forall(Signal, lambda signal: (system.signal_at[signal] != partition) & (system.payer[signal] != partition))
    limits = forall(Kind, lambda kind: negation(system.limited[partition, kind]))
    held = forall(Kind, lambda kind: (system.held[partition, kind] == 0) & (system.reserve[partition, kind] == 0))
    requests = forall(Request, lambda request: system.requester[request] != partition)
    processors = forall(Processor, lambda processor: system.processor_of[processor] != partition)
    permissions = forall(Service, lambda service: negation(system.forbidden[service, partition]))
    shared = forall(
        Shared, lambda shared: (system.shared_owner[shared] != partition) & negation(system.attached[partition, shared])
    )
    idle = (system.booted[partition] == False) & (system.boot_order.of(partition) == none)  # noqa: E712
    own = memory & aside & ports & receivers & senders & signals & shared
    return own & limits & held & requests & processors & permissions & idle


@invariant(seed="PART-4 SIG-3")
def terminated_is_empty(system: System, partition: Partition) -> bool:
    """A terminated partition owns, maps, queues and runs nothing, and is charged for nothing."""
    return implies(system.status[partition] == TERMINATED, has_nothing(system, partition))


@invariant(seed="PART-2")
def absent_is_empty(system: System, partition: Partition) -> bool:
    """A partition that is not there yet has nothing waiting for it: a new one holds no resource and has no limit."""
    return implies(system.status[partition] == ABSENT, has_nothing(system, partition))


def actor(call: Call) -> Any:
    """On whose behalf a step is taken: its caller's, for a system call SYSTEM's, but a termination is the act of who ends."""
    if call.operation == "terminate":
        return call.partition
    return call.caller if not gives(call, "process") or call.operation == "create_process" else SYSTEM


@step_property(seed="LAYER-3 REG-3")
def memory_integrity(before: System, after: System, call: Call, partition: Partition, region: Region, place: Place) -> bool:
    """What a partition can read changes only by its own act, or by a region sent to it over a channel of its own."""
    same = (after.mapped[partition, region] == before.mapped[partition, region]) & (
        negation(before.mapped[partition, region]) | (after.content[region, place] == before.content[region, place])
    )
    by_port = (call.operation == "send") & (call.region == region) & (before.port_owner[call.port] == call.caller)
    by_file = (call.operation == "send_file") & (before.file_region[call.file] == region)
    by_mapping = (call.operation == "send_mapped") & (call.address == region)
    port, socket = before.peer[call.port], before.peer[before.socket_port[call.fd]]
    sent = (by_port & (before.port_owner[port] == partition)) | (
        (by_file | by_mapping) & (before.port_owner[socket] == partition)
    )
    return same | (actor(call) == partition) | sent


@step_property(seed="LAYER-3 CHAN-1")
def port_integrity(before: System, after: System, call: Call, port: Port) -> bool:
    """A message port changes only by its owner's act, or by that of its peer's owner or of whom it asked to connect."""
    same = (
        (after.port_status[port] == before.port_status[port])
        & (after.port_owner[port] == before.port_owner[port])
        & (after.peer[port] == before.peer[port])
        & (after.inbox[port].empty == before.inbox[port].empty)
    )
    made = (before.port_owner[port] == none) & (after.port_owner[port] == actor(call))
    own = before.port_owner[port] == actor(call)
    peer = before.port_owner[before.peer[port]] == actor(call)
    asked = before.signal_at[before.port_request[port]] == actor(call)
    return same | made | own | peer | asked | _waited_for(before, call, port)


def _waited_for(before: System, call: Call, port: Port) -> bool:
    """Whether a request at a service comes to the accept that set `port` aside."""
    maker = before.fd_maker[before.port_fd[port]]
    listener = before.bound_at[call.service]
    return (call.operation == "connect") & (listener != none) & (before.waiters.of(maker) == listener)


@step_property(seed="LAYER-3 EVT-1 EVT-2")
def event_integrity(before: System, after: System, call: Call, receiver: Receiver) -> bool:
    """A receiver becomes pending or is cleared only by its owner's act, or by that of who is connected to it, who is at the
    other end of its channel or its request, or who sends a control signal."""
    same = after.pending[receiver] == before.pending[receiver]
    port = before.served_port[receiver]
    own = before.receiver_owner[receiver] == actor(call)
    connected = before.sender_owner[before.served_sender[receiver]] == actor(call)
    channel = before.port_owner[before.peer[port]] == actor(call)
    asked = before.signal_at[before.port_request[port]] == actor(call)
    made = (before.receiver_owner[receiver] == none) & (after.receiver_owner[receiver] == actor(call))
    waited = _waited_for(before, call, port)
    return same | made | own | connected | channel | asked | waited | before.serves_signals[receiver]
