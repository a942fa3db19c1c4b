"""Message channels: connection-oriented, both ways, handing regions over by remapping (seed 0060-0078)."""

from __future__ import annotations

from ..words import *
from .common import *
from .events import unserving
from .resources import room_for_one


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


@action(seed="CHAN-2 SIG-1 SIG-2 SIG-3 SOCK-2 SOCK-4 SOCK-6", step="S101 S102 S305")
def connect(system: System, caller: Partition, port: Port, partition: Partition, service: Service, signal: Fresh[Signal]) -> None:
    """Ask another partition for a channel to `port`, by a control signal charged to the caller.

    A request to SYSTEM goes to the socket that listens at `service`: to a process that waits in accept there, or into its
    backlog.  Nobody there, nobody listening, not permitted and no place left are refused alike, so that nothing is learnt.
    """
    standing(system, caller)
    require(holds_port(system, caller, port), EBADF)
    require(system.port_status[port] != CONNECTING, EALREADY)
    require(may_connect(system, port), EISCONN)
    require(partition != caller, EINVAL)
    require(system.status[partition] == ACTIVE, ECONNREFUSED)
    listener = system.bound_at[service]
    open_here = (system.descriptor[listener] == LISTENING) & negation(system.forbidden[service, caller])
    place = system.backlog[listener].length < system.backlog_bound[listener]
    require((partition != SYSTEM) | (open_here & (place | (system.waiters[listener].head != none))), ECONNREFUSED)
    require(room_for_one(system, caller, MANAGEMENT_MEMORY), ENOMEM)
    require(signal != none, ENOMEM)

    if partition == SYSTEM:
        _arrive(system, listener, port, service, signal)
        return
    post(system, signal, CHANNEL, caller, partition, service)
    system.signal_port[signal] = port
    system.port_request[port] = signal
    system.port_status[port] = CONNECTING


def _arrive(system: System, listener: Fd, port: Port, service: Service, signal: Signal) -> None:
    """A request comes to a socket that listens: the process that has waited longest in accept has its channel at once, else the
    request waits in the backlog, and whoever watches the socket is told (seed 0091 d, e)."""
    process = system.waiters[listener].head
    if process != none:
        ready = system.set_aside[process]
        join(system, port, system.socket_port[ready])
        system.descriptor[ready] = CONNECTED_SOCKET
        system.set_aside[process] = none
        system.waiters.remove(process)
        system.life[process] = RUNNING
        system.woken[process] = COMPLETED
        system.given_fd[process] = ready
        return
    wake_readers_of(system, listener)
    system.backlog[listener].push(signal)
    write_signal(system, signal, CHANNEL, system.port_owner[port], SYSTEM, service)
    system.signal_port[signal] = port
    system.port_request[port] = signal
    system.port_status[port] = CONNECTING


@action(seed="CHAN-2 SIG-3")
def cancel(system: System, caller: Partition, port: Port) -> None:
    """Take back a request that was not answered yet, whether it waits in the queue or was taken; refunded."""
    standing(system, caller)
    require(holds_port(system, caller, port), EBADF)
    require(system.port_status[port] == CONNECTING, EINVAL)

    signal = system.port_request[port]
    withdraw(system, signal)
    refund(system, signal)
    system.port_status[port] = IDLE


@action(seed="CHAN-1 CHAN-2 CHAN-5 SIG-3", step="S103 S104")
def accept(system: System, caller: Partition, signal: Signal, port: Port) -> None:
    """Grant a request for a channel that was taken from the queue: `port` and the client's become each other's peers,
    and both sides get an event.  If a socket of SYSTEM's asked, the process that waits for it is answered."""
    standing(system, caller)
    require(taken(system, caller, signal), EBADF)
    require(system.signal_kind[signal] == CHANNEL, EINVAL)
    require(holds_port(system, caller, port), EBADF)
    require(may_connect(system, port), EISCONN)

    before = system.before
    client = system.signal_port[signal]
    withdraw(system, signal)
    refund(system, signal)
    join(system, client, port)
    socket = system.port_fd[client]
    if socket != none:
        system.descriptor[socket] = CONNECTED_SOCKET
        wake_all(system, lambda process: before.waiters.of(process) == socket, COMPLETED)


@action(seed="REG-4 CHAN-5 REG-5", step="S107")
def send(
    system: System,
    caller: Partition,
    port: Port,
    region: Option[Region],
    short: Option[Short],
    message: Fresh[Message],
    file: Fresh[File],
) -> None:
    """Hand `region` over to the peer of `port`: unmapped here, mapped there, in one step; with it a short message.

    At a socket of SYSTEM's the process that has waited longest in read has the message at once (seed 0098 d).
    """
    standing(system, caller)
    require(holds_port(system, caller, port), EBADF)
    require((system.port_status[port] == CONNECTED) | (system.port_status[port] == PEER_CLOSED), ENOTCONN)
    require(system.port_status[port] != PEER_CLOSED, EPIPE)
    require((region == none) | (system.owner[region] == caller), EFAULT)
    require(unheld(system, region), EBUSY)
    require(negation(system.too_long[short]), EMSGSIZE)
    peer = system.peer[port]
    require(system.inbox[peer].length < system.queue_depth, EAGAIN)
    receiver = system.port_owner[peer]
    require((region == none) | room_for_one(system, receiver, PROGRAM_MEMORY), ENOMEM)

    if region != none:
        hand_over(system, caller, receiver, region)
    socket = system.port_fd[peer]
    process = system.waiters[socket].head
    if process == none:
        enqueue(system, peer, region, short, message)
        wake_readers_of(system, socket)
    else:
        raise_event(system, system.port_receiver[peer])
        system.waiters.remove(process)
        system.life[process] = RUNNING
        system.woken[process] = COMPLETED
        system.given_short[process] = short
        if region != none:
            deliver(system, socket, process, region, file)
            system.given_file[process] = system.region_file[region]
            system.given_address[process] = region


def hand_over(system: System, sender: Partition, receiver: Partition, region: Region) -> None:
    """Move a region from one partition to another: the remapping that a transfer is (seed 0067)."""
    system.mapped[sender, region] = False
    system.mapped[receiver, region] = True
    system.owner[region] = receiver


def enqueue(system: System, port: Port, region: Region, short: Short, message: Message) -> None:
    """Let a message wait at `port`, whose receiver is told if nothing waited there (seed 0064)."""
    if region != none:
        system.carried_by[region] = message
    if system.inbox[port].empty:
        raise_event(system, system.port_receiver[port])
    system.inbox[port].push(message)
    system.message_region[message] = region
    system.message_short[message] = short


def dequeue(system: System, port: Port) -> Received:
    """The oldest message of a port, which must have one, out of its queue."""
    message = system.inbox[port].pop()
    region, short = system.message_region[message], system.message_short[message]
    if region != none:
        system.carried_by[region] = none
    system.message_region[message] = none
    system.message_short[message] = none
    return Received(region, short)


def deliver(system: System, socket: Fd, process: Process, region: Region, file: File) -> None:
    """Give a received region to the system control program: as a virtual file (seed 0098 a), or mapped into the process that
    reads (seed 0100)."""
    if system.mode[socket] == FILE:
        system.file_region[file] = region
        system.region_file[region] = file
    else:
        system.process_mapped[process, region] = True
        system.region_process[region] = process


@action(seed="REG-5", step="S108")
def receive(system: System, caller: Partition, port: Port) -> Received:
    """Take the oldest message out of a port's queue.  Its region has been the caller's since it was sent.  There is room again
    for the peer, of which a process that waits in select is told."""
    standing(system, caller)
    require(holds_port(system, caller, port), EBADF)
    require((system.port_status[port] == CONNECTED) | (system.port_status[port] == PEER_CLOSED), ENOTCONN)
    empty = system.inbox[port].empty
    require((system.port_status[port] != PEER_CLOSED) | negation(empty), EPIPE)
    require((system.port_status[port] != CONNECTED) | negation(empty), EAGAIN)

    received = dequeue(system, port)
    wake_writers_of(system, system.port_fd[system.peer[port]])
    return received


@action(seed="CHAN-6 SIG-3", step="S110 S111 S112")
def close_port(system: System, caller: Partition, port: Port) -> None:
    """Destroy a message port.  Unread messages are freed and scrubbed, a request is cancelled, and the peer is told; its
    port lasts until its own close, and what waits there stays to be received."""
    standing(system, caller)
    require(holds_port(system, caller, port), EBADF)

    destroy_ports(system, lambda other: other == port)


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
    read = (call.operation == "read_socket") & (before.socket_port[call.fd] == place)
    return (place == none) | waits | received | read | (after.port_owner[place] == none)


@step_property(seed="CHAN-1 REG-5")
def received_once(before: System, after: System, call: Call, first: Message, second: Message) -> bool:
    """Receiving and reading take one message out of the queue, and not two; of a call that is suspended, and of one that finds
    the end of the channel, there was none."""

    def waited(port: Port, message: Message) -> bool:
        return (port != none) & (before.inbox.of(message) == port)

    def one(port: Port) -> bool:
        left = exists(Message, lambda message: waited(port, message) & (after.inbox.of(message) == none))
        both = waited(port, first) & waited(port, second)
        both_left = both & (after.inbox.of(first) == none) & (after.inbox.of(second) == none)
        return left & implies(both_left, first == second)

    received = one(call.port)
    socket = before.socket_port[call.fd]
    read = one(socket) | negation(exists(Message, lambda message: waited(socket, message)))
    return implies(call.operation == "receive", received) & implies(call.operation == "read_socket", read)


@step_property(seed="CHAN-3")
def refused_is_not_connected(before: System, after: System, call: Call, port: Port) -> bool:
    """A channel stands only after an accept: by the server, of a request that the client made; at a socket by a system call that
    takes the request out of the backlog, or that waits for it already."""
    newly = (before.port_status[port] != CONNECTED) & (after.port_status[port] == CONNECTED)
    client = before.signal_port[call.signal]
    accepted = (call.operation == "accept") & (client != none) & ((port == call.port) | (port == client))
    peer = after.peer[port]
    socket = (after.port_fd[port] != none) | (after.port_fd[peer] != none)
    requested = (before.backlog.of(before.port_request[port]) == call.fd) | (
        before.backlog.of(before.port_request[peer]) == call.fd
    )
    at_socket = (call.operation == "accept_socket") & requested & (call.fd != none)
    listener = before.bound_at[call.service]
    waited = (before.waiters.of(before.fd_maker[after.port_fd[port]]) == listener) | (
        before.waiters.of(before.fd_maker[after.port_fd[peer]]) == listener
    )
    at_once = (call.operation == "connect") & waited & (listener != none)
    return implies(newly, accepted | (socket & (at_socket | at_once)))


@step_property(seed="CHAN-5 CHAN-6", step="S104 S111")
def no_lost_wakeup(before: System, after: System, call: Call, port: Port) -> bool:
    """A port that is connected, refused or left by its peer, and an empty one that gets a message, has its receiver
    pending."""
    status = after.port_status[port]
    told = (status == CONNECTED) | (status == PEER_CLOSED) | (status == REFUSED)
    changed = (before.port_status[port] != status) & told
    arrived = before.inbox[port].empty & negation(after.inbox[port].empty)
    return implies(changed | arrived, after.pending[after.port_receiver[port]])


@step_property(seed="REG-2 REG-4 FILE-5 MAP-3", step="S107 S311a S311b")
def transfer_is_whole(before: System, after: System, call: Call, process: Process) -> bool:
    """A sent region is the peer's afterwards, mapped there and no longer here; not in any process of SYSTEM's either, when SYSTEM
    sent it, and no file stands for it."""

    def moved(region: Region, port: Port, sender: Partition) -> bool:
        peer = before.port_owner[before.peer[port]]
        there = (after.owner[region] == peer) & after.mapped[peer, region]
        return implies(region != none, there & negation(after.mapped[sender, region]))

    def left(region: Region) -> bool:
        return negation(after.process_mapped[process, region]) & (after.region_file[region] == none)

    filed, socket = before.file_region[call.file], before.socket_port[call.fd]
    sent = implies(call.operation == "send", moved(call.region, call.port, call.caller))
    file = implies(call.operation == "send_file", moved(filed, socket, SYSTEM) & left(filed))
    mapping = implies(call.operation == "send_mapped", moved(call.address, socket, SYSTEM) & left(call.address))
    return sent & file & mapping


@rest
def no_port_is_left(system: System, port: Port, message: Message) -> bool:
    """There are no message ports, and no messages."""
    return (system.port_owner[port] == none) & (system.inbox.of(message) == none)


@leads_to(by="take_signal refuse cancel", seed="CHAN-2 SIG-3")
def requests_for_channels_end(system: System, call: Call, port: Port) -> tuple[bool, bool, bool]:
    """A port does not ask for its channel for ever, if who is asked answers and who asks gives up at last; so a process that is
    suspended in connect is resumed."""
    signal = system.port_request[port]
    cancels, answers = (call.port == port) & (call.port != none), (call.signal == signal) & (signal != none)
    takes = (call.operation == "take_signal") & (call.caller == system.signal_at[signal])
    return system.port_status[port] == CONNECTING, system.port_status[port] != CONNECTING, cancels | answers | takes


@leads_to(by="receive", seed="REG-5 CHAN-1")
def messages_are_received(system: System, call: Call, message: Message) -> tuple[bool, bool, bool]:
    """A message at a guest's port is received, or ends with the port, if the guest goes on receiving."""
    place = system.inbox.of(message)
    return (place != none) & (system.port_fd[place] == none), place == none, call.port == place
