"""Events: one-way, one-to-one connections from send ports to receive ports, within and between partitions (seed 0063)."""

from __future__ import annotations

from ..words import *
from .common import *
from .resources import room_for_one


class Events(State):
    receiver_owner: Map[Receiver, Partition]
    pending: Map[Receiver, bool]
    served_sender: Map[Receiver, Sender]
    served_port: Map[Receiver, Port]
    serves_signals: Map[Receiver, bool]
    """What a receiver serves: a sender, a message port, or its partition's control signal port; one of them at most."""
    sender_owner: Map[Sender, Partition]
    target: Map[Sender, Receiver]
    sender_request: Map[Sender, Signal]
    """The control signal by which a sender asks another partition for a connection."""


@unused
def receiver_unused(system: System, receiver: Receiver) -> bool:
    return system.receiver_owner[receiver] == none


@unused
def sender_unused(system: System, sender: Sender) -> bool:
    return system.sender_owner[sender] == none


def unserving(system: System, receiver: Receiver) -> bool:
    """A receiver that serves nothing yet."""
    return (
        (system.served_sender[receiver] == none)
        & (system.served_port[receiver] == none)
        & negation(system.serves_signals[receiver])
    )


@action(seed="EVT-1 EVT-5 RES-3")
def create_receiver(system: System, caller: Partition, receiver: Fresh[Receiver]) -> Receiver:
    """Make an event receive port, charged to the caller's event ports."""
    standing(system, caller)
    require(room_for_one(system, caller, EVENT_PORTS), ENOMEM)
    require(receiver != none, ENOMEM)

    system.receiver_owner[receiver] = caller
    return receiver


@action(seed="EVT-1 RES-3")
def create_sender(system: System, caller: Partition, sender: Fresh[Sender]) -> Sender:
    """Make an event send port, charged to the caller's event ports."""
    standing(system, caller)
    require(room_for_one(system, caller, EVENT_PORTS), ENOMEM)
    require(sender != none, ENOMEM)

    system.sender_owner[sender] = caller
    return sender


@action(seed="EVT-1 EVT-2")
def destroy_receiver(system: System, caller: Partition, receiver: Receiver) -> None:
    """Destroy a receive port; its connection ends.  Not while it serves a message port or the control signal port."""
    standing(system, caller)
    require(system.receiver_owner[receiver] == caller, EBADF)
    require((system.served_port[receiver] == none) & negation(system.serves_signals[receiver]), EBUSY)

    sender = system.served_sender[receiver]
    if sender != none:
        system.target[sender] = none
    system.served_sender[receiver] = none
    system.pending[receiver] = False
    system.receiver_owner[receiver] = none


@action(seed="EVT-1 EVT-2 SIG-3")
def destroy_sender(system: System, caller: Partition, sender: Sender) -> None:
    """Destroy a send port; its connection ends, or its request for one is cancelled and refunded.

    What the receiver has pending stays pending: the event was sent.
    """
    standing(system, caller)
    require(system.sender_owner[sender] == caller, EBADF)

    receiver, signal = system.target[sender], system.sender_request[sender]
    if receiver != none:
        system.served_sender[receiver] = none
    if signal != none:
        withdraw(system, signal)
        refund(system, signal)
    system.target[sender] = none
    system.sender_owner[sender] = none


@action(seed="EVT-1 EVT-2")
def connect_event(system: System, caller: Partition, sender: Sender, receiver: Receiver) -> None:
    """Connect a send port to a receive port of the same partition, at once."""
    standing(system, caller)
    require(system.sender_owner[sender] == caller, EBADF)
    require(system.receiver_owner[receiver] == caller, EBADF)
    require(system.target[sender] == none, EISCONN)
    require(system.sender_request[sender] == none, EALREADY)
    require(unserving(system, receiver), EISCONN)

    system.target[sender] = receiver
    system.served_sender[receiver] = sender


@action(seed="EVT-6 SIG-1 SIG-2 SIG-3")
def request_event(system: System, caller: Partition, sender: Sender, partition: Partition, signal: Fresh[Signal]) -> None:
    """Ask another partition, by a control signal, for a receive port to connect `sender` to."""
    standing(system, caller)
    require(system.sender_owner[sender] == caller, EBADF)
    require(system.target[sender] == none, EISCONN)
    require(system.sender_request[sender] == none, EALREADY)
    require(partition != caller, EINVAL)
    require(system.status[partition] == ACTIVE, ECONNREFUSED)
    require(room_for_one(system, caller, MANAGEMENT_MEMORY), ENOMEM)
    require(signal != none, ENOMEM)

    post(system, signal, EVENT, caller, partition, none)
    system.signal_sender[signal] = sender
    system.sender_request[sender] = signal


@action(seed="EVT-6 EVT-2 SIG-3")
def accept_event(system: System, caller: Partition, signal: Signal, receiver: Receiver) -> None:
    """Grant a request for an event connection that was taken from the queue: connect it to `receiver`."""
    standing(system, caller)
    require(taken(system, caller, signal), EBADF)
    require(system.signal_kind[signal] == EVENT, EINVAL)
    require(system.receiver_owner[receiver] == caller, EBADF)
    require(unserving(system, receiver), EISCONN)

    sender = system.signal_sender[signal]
    withdraw(system, signal)
    refund(system, signal)
    system.target[sender] = receiver
    system.served_sender[receiver] = sender


@action(seed="EVT-3 EVT-4")
def send_event(system: System, caller: Partition, sender: Sender) -> None:
    """Send an event: the receiver becomes pending, or stays so."""
    standing(system, caller)
    require(system.sender_owner[sender] == caller, EBADF)
    require(system.target[sender] != none, ENOTCONN)

    raise_event(system, system.target[sender])


@action(seed="EVT-5 EVT-3", step="S104 S111")
def read_event(system: System, caller: Partition, receiver: Receiver) -> bool:
    """Whether an event is pending; reading clears it, in one step."""
    standing(system, caller)
    require(system.receiver_owner[receiver] == caller, EBADF)

    was_pending = system.pending[receiver]
    system.pending[receiver] = False
    return was_pending


@invariant(seed="EVT-2 CHAN-4")
def receiver_single_source(system: System, receiver: Receiver, sender: Sender, port: Port) -> bool:
    """A receiver serves one source at most: a sender, a message port or the control signal port."""
    to_sender = system.target[sender] == receiver
    to_port = system.port_receiver[port] == receiver
    to_signals = system.signal_receiver[system.receiver_owner[receiver]] == receiver
    return negation(to_sender & to_port) & negation(to_sender & to_signals) & negation(to_port & to_signals)


@invariant(seed="EVT-2")
def sender_one_to_one(system: System, first: Sender, second: Sender) -> bool:
    """No two senders are connected to one receiver."""
    shared = (system.target[first] != none) & (system.target[first] == system.target[second])
    return implies(shared, first == second)


@step_property(seed="EVT-3 EVT-4")
def events_arrive(before: System, after: System, call: Call) -> bool:
    """A sent event makes its receiver pending, whether or not it was already."""
    return implies(call.operation == "send_event", after.pending[before.target[call.sender]])


@step_property(seed="EVT-3 EVT-5 CHAN-5 SIG-5")
def pending_stays_until_read(before: System, after: System, call: Call, receiver: Receiver) -> bool:
    """A pending event is cleared by its owner's read alone, or with the receiver itself."""
    cleared = before.pending[receiver] & negation(after.pending[receiver])
    read = (call.operation == "read_event") & (call.receiver == receiver)
    return implies(cleared, read | (after.receiver_owner[receiver] == none))


@rest
def no_event_port_is_left(system: System, receiver: Receiver, sender: Sender) -> bool:
    """There are no event ports but those that serve a control signal port, which stay as long as their partition."""
    given_back = (system.receiver_owner[receiver] == none) | system.serves_signals[receiver]
    return given_back & (system.sender_owner[sender] == none)


@leads_to(by="read_event", seed="EVT-2")
def events_are_read(system: System, call: Call, receiver: Receiver) -> tuple[bool, bool, bool]:
    """A pending event is read, or ends with its receiver, if its owner goes on reading."""
    return system.pending[receiver], negation(system.pending[receiver]), call.receiver == receiver
