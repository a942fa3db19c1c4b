"""The end of a partition, across all rooms, in one step; and what nobody but the parties to a step can see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import Call, action, forall, implies, invariant, negation, none, require, step_property
from .common import standing
from .errors import EPERM, ESRCH
from .names import (
    ABSENT,
    ACTIVE,
    EVENT,
    FREE,
    PEER_CLOSED,
    REFUSED,
    SYSTEM,
    TERMINATED,
    Kind,
    Partition,
    Place,
    Port,
    Receiver,
    Region,
    Sender,
    Signal,
)

if TYPE_CHECKING:
    from .system import System


@action(seed="PART-4 SIG-3 CHAN-6 REG-6")
def terminate(system: System, caller: Partition, partition: Partition) -> None:
    """End a partition, at its own request or by SYSTEM: it is barred, what it sent is cancelled and what it received is
    refused, its channels are closed, its regions scrubbed and freed, its event connections dropped, its limits lifted."""
    standing(system, caller)
    require((caller == partition) | (caller == SYSTEM), EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    require(partition != SYSTEM, EPERM)

    before = system.before
    _close_ports(system, before, partition)
    _drop_signals(system, before, partition)
    _free_regions(system, before, partition)
    _drop_events(system, before, partition)
    system.limited.where(lambda p, kind: p == partition, False)
    system.limit.where(lambda p, kind: p == partition, 0)
    system.boot_order.remove(partition)
    system.booted[partition] = False
    system.status[partition] = TERMINATED


def _close_ports(system: System, before: System, partition: Partition) -> None:
    def mine(port: Port) -> bool:
        return before.port_owner[port] == partition

    def left_alone(port: Port) -> bool:
        return before.port_owner[before.peer[port]] == partition

    def refused(port: Port) -> bool:
        return before.signal_at[before.port_request[port]] == partition

    system.port_status.where(left_alone, PEER_CLOSED)
    system.port_status.where(refused, REFUSED)
    system.pending.where(lambda receiver: left_alone(before.served_port[receiver]) | refused(before.served_port[receiver]), True)
    system.peer.where(lambda port: mine(port) | left_alone(port), none)
    system.port_request.where(lambda port: mine(port) | refused(port), none)
    system.port_receiver.where(mine, none)
    system.port_status.where(mine, FREE)
    system.port_owner.where(mine, none)
    system.message_region.where(lambda message: mine(before.inbox.of(message)), none)
    system.message_short.where(lambda message: mine(before.inbox.of(message)), none)
    system.inbox.drop(lambda message: mine(before.inbox.of(message)))


def _drop_signals(system: System, before: System, partition: Partition) -> None:
    def gone(signal: Signal) -> bool:
        return (before.signal_at[signal] == partition) | (before.signal_source[signal] == partition)

    system.sender_request.where(lambda sender: gone(before.sender_request[sender]), none)
    system.payer.where(gone, none)
    system.signals.drop(gone)
    system.signal_at.where(gone, none)
    system.signal_kind.where(gone, EVENT)
    system.signal_source.where(gone, none)
    system.signal_service.where(gone, none)
    system.signal_port.where(gone, none)
    system.signal_sender.where(gone, none)


def _free_regions(system: System, before: System, partition: Partition) -> None:
    system.content.where(lambda region, place: before.owner[region] == partition, none)
    system.mapped.where(lambda p, region: before.owner[region] == partition, False)
    system.carried_by.where(lambda region: before.owner[region] == partition, none)
    system.owner.where(lambda region: before.owner[region] == partition, none)


def _drop_events(system: System, before: System, partition: Partition) -> None:
    def my_receiver(receiver: Receiver) -> bool:
        return before.receiver_owner[receiver] == partition

    def my_sender(sender: Sender) -> bool:
        return before.sender_owner[sender] == partition

    system.target.where(lambda sender: my_sender(sender) | my_receiver(before.target[sender]), none)
    system.served_sender.where(lambda r: my_receiver(r) | my_sender(before.served_sender[r]), none)
    system.served_port.where(my_receiver, none)
    system.serves_signals.where(my_receiver, False)
    system.signal_receiver[partition] = none
    system.pending.where(my_receiver, False)
    system.receiver_owner.where(my_receiver, none)
    system.sender_owner.where(my_sender, none)


def has_nothing(system: System, partition: Partition) -> bool:
    """The partition owns, maps, queues, runs and is permitted nothing, and is charged for nothing."""
    memory = forall(Region, lambda region: (system.owner[region] != partition) & negation(system.mapped[partition, region]))
    ports = forall(Port, lambda port: system.port_owner[port] != partition)
    receivers = forall(Receiver, lambda receiver: system.receiver_owner[receiver] != partition)
    senders = forall(Sender, lambda sender: system.sender_owner[sender] != partition)
    signals = forall(Signal, lambda signal: (system.signal_at[signal] != partition) & (system.payer[signal] != partition))
    limits = forall(Kind, lambda kind: negation(system.limited[partition, kind]))
    idle = (system.booted[partition] == False) & (system.boot_order.of(partition) == none)  # noqa: E712
    return memory & ports & receivers & senders & signals & limits & idle


@invariant(seed="PART-4 SIG-3")
def terminated_is_empty(system: System, partition: Partition) -> bool:
    """A terminated partition owns, maps, queues and runs nothing, and is charged for nothing."""
    return implies(system.status[partition] == TERMINATED, has_nothing(system, partition))


@invariant(seed="PART-2")
def absent_is_empty(system: System, partition: Partition) -> bool:
    """A partition that is not there yet has nothing waiting for it: a new one holds no resource and has no limit."""
    return implies(system.status[partition] == ABSENT, has_nothing(system, partition))


def actor(call: Call) -> Any:
    """On whose behalf a step is taken: its caller's, but a termination is the act of who ends."""
    return call.partition if call.operation == "terminate" else call.caller


@step_property(seed="LAYER-3 REG-3")
def memory_integrity(before: System, after: System, call: Call, partition: Partition, region: Region, place: Place) -> bool:
    """What a partition can read changes only by its own act, or by a region sent to it over a channel of its own."""
    same = (after.mapped[partition, region] == before.mapped[partition, region]) & (
        negation(before.mapped[partition, region]) | (after.content[region, place] == before.content[region, place])
    )
    sent = (
        (call.operation == "send")
        & (call.region == region)
        & (before.port_owner[before.peer[call.port]] == partition)
        & (before.port_owner[call.port] == call.caller)
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
    made = (before.port_owner[port] == none) & (after.port_owner[port] == call.caller)
    own = before.port_owner[port] == actor(call)
    peer = before.port_owner[before.peer[port]] == actor(call)
    asked = before.signal_at[before.port_request[port]] == actor(call)
    return same | made | own | peer | asked


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
    return same | own | connected | channel | asked | before.serves_signals[receiver]
