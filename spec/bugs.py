"""The same bugs planted in the specification, for the prover to catch: each an operation again, wrong in one place.

`oneowner.spec.bugs:NAME` is the whole specification with that bug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import Fresh, Option, Spec, negation, none, require
from . import channels
from .common import post, raise_event, refund, standing, withdraw
from .errors import EAGAIN, EALREADY, EBADF, EBUSY, ECONNREFUSED, EFAULT, EINVAL, EISCONN, EMSGSIZE, ENOMEM, ENOTCONN, EPIPE
from .events import unserving
from .names import (
    ACTIVE,
    CHANNEL,
    CONNECTED,
    CONNECTING,
    MANAGEMENT_MEMORY,
    PEER_CLOSED,
    PROGRAM_MEMORY,
    REFUSED,
    Message,
    Partition,
    Port,
    Receiver,
    Region,
    Service,
    Short,
    Signal,
)
from .resources import room_for_one
from .system import SPEC

if TYPE_CHECKING:
    from .system import System


def _send_refusals(system: System, caller: Partition, port: Port, region: Region, short: Short, *, queued: bool) -> None:
    standing(system, caller)
    require(system.port_owner[port] == caller, EBADF)
    require((system.port_status[port] == CONNECTED) | (system.port_status[port] == PEER_CLOSED), ENOTCONN)
    require(system.port_status[port] == CONNECTED, EPIPE)
    require((region == none) | (system.owner[region] == caller), EFAULT)
    if not queued:
        require(system.carried_by[region] == none, EBUSY)
    require(negation(system.too_long[short]), EMSGSIZE)
    require(system.inbox[system.peer[port]].length < system.queue_depth, EAGAIN)
    require((region == none) | room_for_one(system, system.port_owner[system.peer[port]], PROGRAM_MEMORY), ENOMEM)


def _enqueue(system: System, peer: Port, region: Region, short: Short, message: Message) -> None:
    if system.inbox[peer].empty:
        raise_event(system, system.port_receiver[peer])
    system.inbox[peer].push(message)
    system.message_region[message] = region
    system.message_short[message] = short


def send_without_unmapping(
    system: System, caller: Partition, port: Port, region: Option[Region], short: Option[Short], message: Fresh[Message]
) -> None:
    """The receiver is mapped although the unmap did not happen."""
    _send_refusals(system, caller, port, region, short, queued=False)
    peer = system.peer[port]
    receiver = system.port_owner[peer]
    if region != none:
        system.mapped[receiver, region] = True
        system.owner[region] = receiver
        system.carried_by[region] = message
    _enqueue(system, peer, region, short, message)


def send_what_is_queued(
    system: System, caller: Partition, port: Port, region: Option[Region], short: Option[Short], message: Fresh[Message]
) -> None:
    """The same region may be queued twice."""
    _send_refusals(system, caller, port, region, short, queued=True)
    peer = system.peer[port]
    receiver = system.port_owner[peer]
    if region != none:
        system.mapped[caller, region] = False
        system.mapped[receiver, region] = True
        system.owner[region] = receiver
        system.carried_by[region] = message
    _enqueue(system, peer, region, short, message)


def free_without_scrubbing(system: System, caller: Partition, region: Region) -> None:
    """A freed region is given out with its old content."""
    standing(system, caller)
    require(system.owner[region] == caller, EFAULT)
    require(system.carried_by[region] == none, EBUSY)
    system.mapped[caller, region] = False
    system.owner[region] = none


def free_before_unmapping(system: System, caller: Partition, region: Region) -> None:
    """Memory is free before access to it ends."""
    standing(system, caller)
    require(system.owner[region] == caller, EFAULT)
    require(system.carried_by[region] == none, EBUSY)
    system.content.where(lambda r, place: r == region, none)
    system.owner[region] = none


def connect_to_oneself(
    system: System, caller: Partition, port: Port, partition: Partition, service: Service, signal: Fresh[Signal]
) -> None:
    """A channel to oneself is allowed."""
    standing(system, caller)
    require(system.port_owner[port] == caller, EBADF)
    require(negation(system.port_request[port] != none), EALREADY)
    require(channels.may_connect(system, port), EISCONN)
    require(system.status[partition] == ACTIVE, ECONNREFUSED)
    require(room_for_one(system, caller, MANAGEMENT_MEMORY), ENOMEM)
    require(signal != none, ENOMEM)
    post(system, signal, CHANNEL, caller, partition, service)
    system.signal_port[signal] = port
    system.port_request[port] = signal
    system.port_status[port] = CONNECTING


def refuse_without_refund(system: System, caller: Partition, signal: Signal) -> None:
    """Refusing a request does not refund it."""
    standing(system, caller)
    require((system.signal_at[signal] == caller) & (system.signals.of(signal) == none), EBADF)
    if system.signal_kind[signal] == CHANNEL:
        port = system.signal_port[signal]
        system.port_status[port] = REFUSED
        raise_event(system, system.port_receiver[port])
    withdraw(system, signal)


def refuse_refunding_the_receiver(system: System, caller: Partition, signal: Signal) -> None:
    """The charge is moved to the receiver instead of being given back."""
    refuse_without_refund(system, caller, signal)
    system.payer[signal] = caller


def designate_without_looking(system: System, caller: Partition, receiver: Receiver) -> None:
    """A signal that arrived before a receiver was designated is never told of."""
    standing(system, caller)
    require(system.receiver_owner[receiver] == caller, EBADF)
    require(unserving(system, receiver), EISCONN)
    former = system.signal_receiver[caller]
    if former != none:
        system.serves_signals[former] = False
    system.serves_signals[receiver] = True
    system.signal_receiver[caller] = receiver


def receive_clearing_the_event(system: System, caller: Partition, port: Port) -> channels.Received:
    """The pending event is cleared when the port is drained, not when it is read."""
    received = channels.receive(system, caller, port)
    system.pending[system.port_receiver[port]] = False
    return received


def accept_on_one_side(system: System, caller: Partition, signal: Signal, port: Port) -> None:
    """The client is never told that its channel stands."""
    standing(system, caller)
    require((system.signal_at[signal] == caller) & (system.signals.of(signal) == none), EBADF)
    require(system.signal_kind[signal] == CHANNEL, EINVAL)
    require(system.port_owner[port] == caller, EBADF)
    require(channels.may_connect(system, port), EISCONN)
    client = system.signal_port[signal]
    withdraw(system, signal)
    refund(system, signal)
    system.port_status[client] = CONNECTED
    system.port_status[port] = CONNECTED
    system.peer[client] = port
    system.peer[port] = client
    raise_event(system, system.port_receiver[port])


def allocate_beyond_the_limit(system: System, caller: Partition, region: Fresh[Region]) -> Region:
    """A limit is not looked at."""
    standing(system, caller)
    require(region != none, ENOMEM)
    system.owner[region] = caller
    system.mapped[caller, region] = True
    return region


unmap_failure_ignored = SPEC.replace(send=send_without_unmapping)
queued_twice = SPEC.replace(send=send_what_is_queued)
no_scrub = SPEC.replace(free=free_without_scrubbing)
free_before_unmap = SPEC.replace(free=free_before_unmapping)
self_send = SPEC.replace(connect=connect_to_oneself)
refusal_keeps_charge = SPEC.replace(refuse=refuse_without_refund)
refund_wrong_partition = SPEC.replace(refuse=refuse_refunding_the_receiver)
event_before_attach_lost = SPEC.replace(designate_receiver=designate_without_looking)
clear_after_drain = SPEC.replace(receive=receive_clearing_the_event)
lost_wakeup = SPEC.replace(accept=accept_on_one_side)
limit_ignored = SPEC.replace(allocate=allocate_beyond_the_limit)

PLANTED: dict[str, tuple[str, Spec]] = {
    "unmap_failure_ignored": ("send", unmap_failure_ignored),
    "queued_twice": ("send", queued_twice),
    "no_scrub": ("free", no_scrub),
    "free_before_unmap": ("free", free_before_unmap),
    "self_send": ("connect", self_send),
    "refusal_keeps_charge": ("refuse", refusal_keeps_charge),
    "refund_wrong_partition": ("refuse", refund_wrong_partition),
    "event_before_attach_lost": ("designate_receiver", event_before_attach_lost),
    "clear_after_drain": ("receive", clear_after_drain),
    "lost_wakeup": ("accept", lost_wakeup),
    "limit_ignored": ("allocate", limit_ignored),
}
"""By name, the operation that a bug is planted in and the specification with it."""
