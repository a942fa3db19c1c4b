"""Message channels: connection-oriented, both ways, handing regions over by remapping (seed 0060-0078)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..model import (
    Call,
    Fresh,
    Map,
    Option,
    Parameter,
    Queue,
    Rigid,
    State,
    action,
    exists,
    implies,
    invariant,
    lemma,
    negation,
    none,
    require,
    step_property,
    unused,
)
from .common import post, raise_event, refund, standing, withdraw
from .errors import (
    EAGAIN,
    EALREADY,
    EBADF,
    EBUSY,
    ECONNREFUSED,
    EFAULT,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENOMEM,
    ENOTCONN,
    EPIPE,
)
from .events import unserving
from .names import (
    ACTIVE,
    CHANNEL,
    CONNECTED,
    CONNECTING,
    FREE,
    IDLE,
    MANAGEMENT_MEMORY,
    PEER_CLOSED,
    PROGRAM_MEMORY,
    REFUSED,
    Message,
    Partition,
    Port,
    PortStatus,
    Receiver,
    Region,
    Service,
    Short,
    Signal,
)
from .resources import room_for_one

if TYPE_CHECKING:
    from .system import System


class Channels(State):
    port_owner: Map[Port, Partition]
    port_status: Map[Port, PortStatus]
    peer: Map[Port, Port]
    port_receiver: Map[Port, Receiver]
    port_request: Map[Port, Signal]
    """The control signal by which a port asks for its connection."""
    inbox: Queue[Port, Message]
    message_region: Map[Message, Region]
    message_short: Map[Message, Short]
    queue_depth: Parameter
    """How many messages a port holds at most."""
    too_long: Rigid[Short, bool]
    """Which short messages are over the 64 bytes that one may have."""


class Received(NamedTuple):
    """A message: the region that it carries, or none, and its short message, or none."""

    region: Region
    short: Short


@unused
def port_unused(system: System, port: Port) -> bool:
    return system.port_owner[port] == none


@unused
def message_unused(system: System, message: Message) -> bool:
    return system.inbox.of(message) == none


@action(seed="CHAN-1 CHAN-4", step="S101")
def create_port(system: System, caller: Partition, receiver: Receiver, port: Fresh[Port]) -> Port:
    """Make a message port, served by `receiver`."""
    standing(system, caller)
    require(system.receiver_owner[receiver] == caller, EBADF)
    require(unserving(system, receiver), EISCONN)
    require(port != none, ENOMEM)

    system.port_owner[port] = caller
    system.port_status[port] = IDLE
    system.port_receiver[port] = receiver
    system.served_port[receiver] = port
    return port


def may_connect(system: System, port: Port) -> bool:
    """A port that has no connection, and waits for none; after a refusal it may be used again."""
    return (system.port_status[port] == IDLE) | (system.port_status[port] == REFUSED)


@action(seed="CHAN-2 SIG-1 SIG-2 SIG-3", step="S101 S102")
def connect(system: System, caller: Partition, port: Port, partition: Partition, service: Service, signal: Fresh[Signal]) -> None:
    """Ask another partition for a channel to `port`, by a control signal charged to the caller."""
    standing(system, caller)
    require(system.port_owner[port] == caller, EBADF)
    require(system.port_status[port] != CONNECTING, EALREADY)
    require(may_connect(system, port), EISCONN)
    require(partition != caller, EINVAL)
    require(system.status[partition] == ACTIVE, ECONNREFUSED)
    require(room_for_one(system, caller, MANAGEMENT_MEMORY), ENOMEM)
    require(signal != none, ENOMEM)

    post(system, signal, CHANNEL, caller, partition, service)
    system.signal_port[signal] = port
    system.port_request[port] = signal
    system.port_status[port] = CONNECTING


@action(seed="CHAN-2 SIG-3")
def cancel(system: System, caller: Partition, port: Port) -> None:
    """Take back a request that was not answered yet, whether it waits in the queue or was taken; refunded."""
    standing(system, caller)
    require(system.port_owner[port] == caller, EBADF)
    require(system.port_status[port] == CONNECTING, EINVAL)

    signal = system.port_request[port]
    withdraw(system, signal)
    refund(system, signal)
    system.port_status[port] = IDLE


@action(seed="CHAN-1 CHAN-2 CHAN-5 SIG-3", step="S103 S104")
def accept(system: System, caller: Partition, signal: Signal, port: Port) -> None:
    """Grant a request for a channel that was taken from the queue: `port` and the client's become each other's peers,
    and both sides get an event."""
    standing(system, caller)
    require((system.signal_at[signal] == caller) & (system.signals.of(signal) == none), EBADF)
    require(system.signal_kind[signal] == CHANNEL, EINVAL)
    require(system.port_owner[port] == caller, EBADF)
    require(may_connect(system, port), EISCONN)

    client = system.signal_port[signal]
    withdraw(system, signal)
    refund(system, signal)
    system.port_status[client] = CONNECTED
    system.port_status[port] = CONNECTED
    system.peer[client] = port
    system.peer[port] = client
    raise_event(system, system.port_receiver[client])
    raise_event(system, system.port_receiver[port])


@action(seed="REG-4 CHAN-5 REG-5", step="S107")
def send(
    system: System,
    caller: Partition,
    port: Port,
    region: Option[Region],
    short: Option[Short],
    message: Fresh[Message],
) -> None:
    """Hand `region` over to the peer of `port`: unmapped here, mapped there, in one step; with it a short message."""
    standing(system, caller)
    require(system.port_owner[port] == caller, EBADF)
    require((system.port_status[port] == CONNECTED) | (system.port_status[port] == PEER_CLOSED), ENOTCONN)
    require(system.port_status[port] == CONNECTED, EPIPE)
    require((region == none) | (system.owner[region] == caller), EFAULT)
    require(system.carried_by[region] == none, EBUSY)
    require(negation(system.too_long[short]), EMSGSIZE)
    peer = system.peer[port]
    require(system.inbox[peer].length < system.queue_depth, EAGAIN)
    receiver = system.port_owner[peer]
    require((region == none) | room_for_one(system, receiver, PROGRAM_MEMORY), ENOMEM)

    if region != none:
        system.mapped[caller, region] = False
        system.mapped[receiver, region] = True
        system.owner[region] = receiver
        system.carried_by[region] = message
    if system.inbox[peer].empty:
        raise_event(system, system.port_receiver[peer])
    system.inbox[peer].push(message)
    system.message_region[message] = region
    system.message_short[message] = short


@action(seed="REG-5", step="S108")
def receive(system: System, caller: Partition, port: Port) -> Received:
    """Take the oldest message out of a port's queue.  Its region has been the caller's since it was sent."""
    standing(system, caller)
    require(system.port_owner[port] == caller, EBADF)
    require((system.port_status[port] == CONNECTED) | (system.port_status[port] == PEER_CLOSED), ENOTCONN)
    require((system.port_status[port] == CONNECTED) | negation(system.inbox[port].empty), EPIPE)
    require(negation(system.inbox[port].empty), EAGAIN)

    message = system.inbox[port].pop()
    region, short = system.message_region[message], system.message_short[message]
    if region != none:
        system.carried_by[region] = none
    system.message_region[message] = none
    system.message_short[message] = none
    return Received(region, short)


@action(seed="CHAN-6 SIG-3", step="S110 S111 S112")
def close_port(system: System, caller: Partition, port: Port) -> None:
    """Destroy a message port.  Unread messages are freed and scrubbed, a request is cancelled, and the peer is told; its
    port lasts until its own close, and what waits there stays to be received."""
    standing(system, caller)
    require(system.port_owner[port] == caller, EBADF)

    before = system.before
    peer, signal = system.peer[port], system.port_request[port]
    if peer != none:
        system.port_status[peer] = PEER_CLOSED
        system.peer[peer] = none
        raise_event(system, system.port_receiver[peer])
    if signal != none:
        withdraw(system, signal)
        refund(system, signal)
    system.content.where(lambda region, place: before.inbox.of(before.carried_by[region]) == port, none)
    system.mapped.where(lambda partition, region: before.inbox.of(before.carried_by[region]) == port, False)
    system.owner.where(lambda region: before.inbox.of(before.carried_by[region]) == port, none)
    system.carried_by.where(lambda region: before.inbox.of(before.carried_by[region]) == port, none)
    system.message_region.where(lambda message: before.inbox.of(message) == port, none)
    system.message_short.where(lambda message: before.inbox.of(message) == port, none)
    system.inbox.drop(lambda message: before.inbox.of(message) == port)

    system.served_port[system.port_receiver[port]] = none
    system.port_receiver[port] = none
    system.peer[port] = none
    system.port_status[port] = FREE
    system.port_owner[port] = none


@invariant(seed="CHAN-1 CHAN-2")
def peers_symmetric(system: System, port: Port) -> bool:
    """Connected ports are each other's peers, in two different partitions."""
    peer = system.peer[port]
    joined = (
        (peer != none)
        & (system.peer[peer] == port)
        & (system.port_status[peer] == CONNECTED)
        & (system.port_owner[peer] != system.port_owner[port])
        & (system.port_owner[peer] != none)
    )
    alone = (peer == none) & (system.port_status[port] != CONNECTED)
    return ((system.port_status[port] == CONNECTED) & joined) | alone


@invariant(seed="CHAN-4")
def every_port_has_a_receiver(system: System, port: Port) -> bool:
    """Every message port has an event receive port of its owner's, which serves it alone."""
    receiver = system.port_receiver[port]
    has = (receiver != none) & (system.receiver_owner[receiver] == system.port_owner[port])
    return ((system.port_owner[port] != none) & has) | ((system.port_owner[port] == none) & (receiver == none))


@invariant(seed="CHAN-1")
def queue_bound(system: System, port: Port) -> bool:
    """No port holds more messages than the queue depth."""
    return system.inbox[port].length <= system.queue_depth


@invariant(seed="REG-2 REG-4", step="S107")
def queued_once(system: System, region: Region, message: Message) -> bool:
    """A queued region is in one place of one queue, and belongs to that queue's owner."""
    carried = system.message_region[message] == region
    place = system.inbox.of(message)
    rightly = (system.carried_by[region] == message) & (place != none) & (system.owner[region] == system.port_owner[place])
    return implies(carried, rightly)


@lemma("so that which message carries a region can be looked up from either side")
def carried_links(system: System, region: Region, message: Message) -> bool:
    return (system.carried_by[region] == message) == (system.message_region[message] == region)


@lemma("so that messages wait only where they can be received")
def messages_wait_at_open_ports(system: System, message: Message) -> bool:
    place = system.inbox.of(message)
    open_port = (system.port_status[place] == CONNECTED) | (system.port_status[place] == PEER_CLOSED)
    blank = (system.message_region[message] == none) & (system.message_short[message] == none)
    return ((place != none) & open_port) | ((place == none) & blank)


@lemma("so that a port given out anew carries nothing over")
def free_port_is_blank(system: System, port: Port) -> bool:
    return (system.port_status[port] == FREE) == (system.port_owner[port] == none)


@lemma("so that which port a receiver serves can be looked up from either side")
def port_links(system: System, receiver: Receiver, port: Port) -> bool:
    return (system.port_receiver[port] == receiver) == (system.served_port[receiver] == port)


@step_property(seed="CHAN-1 REG-5")
def fifo(before: System, after: System, call: Call, first: Message, second: Message) -> bool:
    """Messages leave in the order in which they came."""
    together = before.inbox.ahead(first, second)
    stays = after.inbox.of(second) == before.inbox.of(second)
    in_order = after.inbox.ahead(first, second) | (after.inbox.of(first) == none)
    newer = (before.inbox.of(second) == none) & (after.inbox.of(second) != none)
    beside = (after.inbox.of(first) == after.inbox.of(second)) & (before.inbox.of(first) != none)
    overtaken = together & negation(stays) & (after.inbox.of(first) == before.inbox.of(first))
    return implies(together & stays, in_order) & negation(overtaken) & implies(newer & beside, after.inbox.ahead(first, second))


@step_property(seed="CHAN-1 REG-5")
def no_message_lost(before: System, after: System, call: Call, message: Message) -> bool:
    """A message leaves its queue by being received, or with the port; on its way it is not changed."""
    place = before.inbox.of(message)
    waits = (
        (after.inbox.of(message) == place)
        & (after.message_region[message] == before.message_region[message])
        & (after.message_short[message] == before.message_short[message])
    )
    received = (call.operation == "receive") & (call.port == place)
    return (place == none) | waits | received | (after.port_owner[place] == none)


@step_property(seed="CHAN-1 REG-5")
def received_once(before: System, after: System, call: Call, first: Message, second: Message) -> bool:
    """Receiving takes one message out of the queue, and not two."""

    def left(message: Message) -> bool:
        return (before.inbox.of(message) == call.port) & (after.inbox.of(message) == none)

    one = exists(Message, left)
    return implies(call.operation == "receive", one & implies(left(first) & left(second), first == second))


@step_property(seed="CHAN-3")
def refused_is_not_connected(before: System, after: System, call: Call, port: Port) -> bool:
    """A channel stands only after an accept: by the server, of a request that the client made."""
    newly = (before.port_status[port] != CONNECTED) & (after.port_status[port] == CONNECTED)
    client = before.signal_port[call.signal]
    return implies(newly, (call.operation == "accept") & (client != none) & ((port == call.port) | (port == client)))


@step_property(seed="CHAN-5 CHAN-6", step="S104 S111")
def no_lost_wakeup(before: System, after: System, call: Call, port: Port) -> bool:
    """A port that is connected, refused or left by its peer, and an empty one that gets a message, has its receiver
    pending."""
    status = after.port_status[port]
    told = (status == CONNECTED) | (status == PEER_CLOSED) | (status == REFUSED)
    changed = (before.port_status[port] != status) & told
    arrived = before.inbox[port].empty & negation(after.inbox[port].empty)
    return implies(changed | arrived, after.pending[after.port_receiver[port]])


@step_property(seed="REG-2 REG-4", step="S107")
def transfer_is_whole(before: System, after: System, call: Call) -> bool:
    """A sent region is the peer's afterwards, mapped there and no longer here."""
    peer = before.port_owner[before.peer[call.port]]
    there = (after.owner[call.region] == peer) & after.mapped[peer, call.region]
    here = after.mapped[call.caller, call.region]
    return implies((call.operation == "send") & (call.region != none), there & negation(here))
