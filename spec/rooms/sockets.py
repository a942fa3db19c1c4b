"""Sockets of the system control OS: message channels with the semantics of UNIX sockets (seed 0081-0108).

One table of descriptors serves all processes of the system control program (seed 0091 b): an entry belongs to the process that
made it, and any process may use it.  Behind a socket that is connected, or waits to be, stands a message port with a receiver
of its own, which only the kernel uses.  A suspended accept has its descriptor, port and receiver set aside from the start (as
Linux does with the descriptor), so that the request that completes it cannot fail for want of them.
"""

from __future__ import annotations

from collections.abc import Callable

from ..words import *
from .channels import deliver, dequeue, enqueue, hand_over
from .common import *
from .resources import room_for_one


class Sockets(State):
    descriptor: Map[Fd, Descriptor]
    fd_maker: Map[Fd, Process]
    mode: Map[Fd, Mode]
    service: Map[Fd, Service]
    bound_at: Map[Service, Fd]
    forbidden: Map[tuple[Service, Partition], bool]
    """Who is not permitted at a service, whoever serves it; everyone else is."""
    backlog: Queue[Fd, Signal]
    backlog_bound: Map[Fd, int]
    socket_port: Map[Fd, Port]
    port_fd: Map[Port, Fd]


class Delivered(NamedTuple):
    """What read() gives: the file or the address of the message's region, its short message, or the end of the channel."""

    file: File
    address: Region
    short: Short
    end: bool


class Ready(NamedTuple):
    """What select() gives: the descriptors that can be read or accepted on, and those that can be written to."""

    reading: Subset[Fd]
    writing: Subset[Fd]


@unused
def fd_unused(system: System, fd: Fd) -> bool:
    return system.descriptor[fd] == FREE_FD


def is_socket(system: System, fd: Fd) -> bool:
    """Whether `fd` is a socket that was given out."""
    use = system.descriptor[fd]
    return (use != FREE_FD) & (use != OPEN_FILE) & (use != SET_ASIDE)


def _new_descriptor(system: System, fd: Fd, process: Process, use: Descriptor, mode: Mode) -> None:
    system.descriptor[fd] = use
    system.fd_maker[fd] = process
    system.mode[fd] = mode


def _new_port(system: System, fd: Fd, port: Port, receiver: Receiver) -> None:
    """A message port for the kernel, behind socket `fd`, with a receiver that serves it."""
    system.receiver_owner[receiver] = SYSTEM
    system.served_port[receiver] = port
    system.port_owner[port] = SYSTEM
    system.port_status[port] = IDLE
    system.port_receiver[port] = receiver
    system.port_fd[port] = fd
    system.socket_port[fd] = port


@action(seed="SOCK-1 LAYER-7", step="S201 S301")
def socket(system: System, process: Process, mode: Mode, fd: Fresh[Fd]) -> Fd:
    """socket(): make a socket at the lowest free descriptor.  `mode` says how it gives messages, and stays."""
    running(system, process)
    require(fd != none, EMFILE)

    _new_descriptor(system, fd, process, CREATED, mode)
    return fd


@action(seed="SOCK-3", step="S202 S302")
def bind(system: System, process: Process, fd: Fd, service: Service) -> None:
    """bind(): tie a socket to the service at which requests are to be awaited.  Where another is bound, nothing of it changes."""
    running(system, process)
    require(is_socket(system, fd), EBADF)
    require(system.descriptor[fd] == CREATED, EINVAL)
    require(system.bound_at[service] == none, EADDRINUSE)

    system.descriptor[fd] = BOUND
    system.service[fd] = service
    system.bound_at[service] = fd


@action(seed="SOCK-4", step="S203 S303")
def listen(system: System, process: Process, fd: Fd, backlog: int) -> None:
    """listen(): let requests come to the socket's service; at most `backlog` of them wait.  Again: the bound is replaced, by
    no less than what waits."""
    running(system, process)
    require(is_socket(system, fd), EBADF)
    require((system.descriptor[fd] == BOUND) | (system.descriptor[fd] == LISTENING), EINVAL)
    require(system.backlog[fd].length <= backlog, EBUSY)

    system.descriptor[fd] = LISTENING
    system.backlog_bound[fd] = backlog


@action(seed="SOCK-4")
def permit(system: System, process: Process, service: Service, partition: Partition) -> None:
    """Let `partition` connect to `service` again."""
    running(system, process)
    require(system.status[partition] == ACTIVE, ESRCH)

    system.forbidden[service, partition] = False


@action(seed="SOCK-4")
def forbid(system: System, process: Process, service: Service, partition: Partition) -> None:
    """Let `partition` connect to `service` no more.  What it has waiting in the backlog would be refused at accept, and is
    refused at once, so that it does not wait for nothing; channels that stand are left."""
    running(system, process)
    require(system.status[partition] == ACTIVE, ESRCH)

    before = system.before
    system.forbidden[service, partition] = True
    listener = system.bound_at[service]
    refuse_all(
        system,
        lambda signal: (listener != none) & (before.backlog.of(signal) == listener) & (before.signal_source[signal] == partition),
    )


@action(seed="SOCK-5 SOCK-6 CHAN-2 CHAN-5 SIG-3", step="S204 S304 S306")
def accept_socket(
    system: System, process: Process, fd: Fd, wait: bool, new: Fresh[Fd], port: Fresh[Port], receiver: Fresh[Receiver]
) -> Fd:
    """accept(): take the request that has waited longest, and answer with a connected socket at the lowest free descriptor
    (seed 0091 a-c); with none there, the process is suspended until one comes (d, e)."""
    running(system, process)
    require(is_socket(system, fd), EBADF)
    require(system.descriptor[fd] == LISTENING, EINVAL)
    signal = system.backlog[fd].head
    require((system.descriptor[fd] != LISTENING) | (signal != none) | wait, EAGAIN)
    require(new != none, EMFILE)
    require(room_for_one(system, SYSTEM, EVENT_PORTS), ENOMEM)
    require((port != none) & (receiver != none), ENOMEM)

    _new_port(system, new, port, receiver)
    if signal != none:
        client = system.signal_port[signal]
        _new_descriptor(system, new, process, CONNECTED_SOCKET, system.mode[fd])
        withdraw(system, signal)
        refund(system, signal)
        join(system, client, port)
        return new
    _new_descriptor(system, new, process, SET_ASIDE, system.mode[fd])
    system.set_aside[process] = new
    system.waiters[fd].push(process)
    system.life[process] = IN_ACCEPT
    suspend()
    return new


@action(seed="SOCK-2 SOCK-7 CHAN-1 CHAN-2 SIG-3")
def connect_socket(
    system: System,
    process: Process,
    fd: Fd,
    partition: Partition,
    service: Service,
    signal: Fresh[Signal],
    port: Fresh[Port],
    receiver: Fresh[Receiver],
) -> None:
    """connect(): ask a guest that serves for a channel; the process is suspended until the guest accepts or refuses.

    It cannot be asked not to block: there is no answer that it could have at once.
    """
    running(system, process)
    require(is_socket(system, fd), EBADF)
    require(system.descriptor[fd] != CONNECTED_SOCKET, EISCONN)
    require(system.descriptor[fd] != CONNECTING_SOCKET, EALREADY)
    require(system.descriptor[fd] == CREATED, EINVAL)
    require(partition != SYSTEM, EINVAL)
    require(system.status[partition] == ACTIVE, ECONNREFUSED)
    require(room_for_one(system, SYSTEM, EVENT_PORTS), ENOMEM)
    require(room_for_one(system, SYSTEM, MANAGEMENT_MEMORY), ENOMEM)
    require((port != none) & (receiver != none) & (signal != none), ENOMEM)

    post(system, signal, CHANNEL, SYSTEM, partition, service)
    _new_port(system, fd, port, receiver)
    system.port_status[port] = CONNECTING
    system.signal_port[signal] = port
    system.port_request[port] = signal
    system.descriptor[fd] = CONNECTING_SOCKET
    system.waiters[fd].push(process)
    system.life[process] = IN_CONNECT
    suspend()


@action(seed="FILE-1 FILE-2 FILE-3 MAP-1 MAP-5 SOCK-7 SOCK-10 REG-5", step="S-A S308a S309a S308b")
def read_socket(system: System, process: Process, fd: Fd, buffer: Buffer, wait: bool, file: Fresh[File]) -> Delivered:
    """read(): take the message that has waited longest: its region as a new virtual file (seed 0098), or mapped into the process
    (seed 0100), and its short message.  With none there the process is suspended until one comes, or the end of the channel.

    A buffer that is bad or could not hold the longest short message is refused first, so the message stays (Linux loses it).
    """
    running(system, process)
    require(is_socket(system, fd), EBADF)
    require(system.descriptor[fd] == CONNECTED_SOCKET, ENOTCONN)
    require(buffer != BAD, EFAULT)
    require(buffer != SMALL, EMSGSIZE)
    port = system.socket_port[fd]
    empty, ended = system.inbox[port].empty, system.port_status[port] == PEER_CLOSED
    require((system.descriptor[fd] != CONNECTED_SOCKET) | negation(empty) | ended | wait, EAGAIN)

    if not empty:
        region, short = dequeue(system, port)
        if region == none:
            return Delivered(none, none, short, False)
        deliver(system, fd, process, region, file)
        if system.mode[fd] == FILE:
            return Delivered(file, none, short, False)
        return Delivered(none, region, short, False)
    if not ended:
        system.waiters[fd].push(process)
        system.life[process] = IN_READ
        suspend()
    return Delivered(none, none, none, True)


def _may_write(system: System, process: Process, fd: Fd, mode: Mode) -> None:
    running(system, process)
    require(is_socket(system, fd), EBADF)
    require(system.descriptor[fd] == CONNECTED_SOCKET, ENOTCONN)
    require(system.mode[fd] == mode, EINVAL)
    require(system.port_status[system.socket_port[fd]] != PEER_CLOSED, EPIPE)


def _has_room(system: System, fd: Fd, region: Region, short: Short) -> None:
    require(negation(system.too_long[short]), EMSGSIZE)
    peer = system.peer[system.socket_port[fd]]
    require(system.inbox[peer].length < system.queue_depth, EAGAIN)
    require((region == none) | room_for_one(system, system.port_owner[peer], PROGRAM_MEMORY), ENOMEM)


@action(seed="FILE-5 REG-4 CHAN-5 SOCK-7", step="S-C S311a")
def send_file(
    system: System, process: Process, fd: Fd, file: Option[File], short: Option[Short], message: Fresh[Message]
) -> None:
    """write() on a socket with a virtual file: its region is the guest's, and the file is deleted, whoever has it open (seed
    0103, 0104): their later input and output is ESTALE."""
    _may_write(system, process, fd, FILE)
    region = system.file_region[file]
    require((file == none) | ((region != none) & negation(system.unlinked[file])), ENOENT)
    _has_room(system, fd, region, short)

    before = system.before
    peer = system.peer[system.socket_port[fd]]
    if file != none:
        hand_over(system, SYSTEM, system.port_owner[peer], region)
        system.fd_file.where(lambda other: before.fd_file[other] == file, none)
        system.region_file[region] = none
        system.file_region[file] = none
    enqueue(system, peer, region, short, message)


@action(seed="MAP-3 REG-4 CHAN-5 SOCK-7", step="S-C S311b")
def send_mapped(
    system: System, process: Process, fd: Fd, address: Option[Region], short: Option[Short], message: Fresh[Message]
) -> None:
    """write() on a socket with the address of a mapped region: it is the guest's, and mapped in no process (seed 0105)."""
    _may_write(system, process, fd, MAPPED)
    require((address == none) | system.process_mapped[process, address], EINVAL)
    _has_room(system, fd, address, short)

    peer = system.peer[system.socket_port[fd]]
    if address != none:
        hand_over(system, SYSTEM, system.port_owner[peer], address)
        system.process_mapped.where(lambda other, region: region == address, False)
        system.region_process[address] = none
    enqueue(system, peer, address, short, message)


@action(seed="SOCK-2 SOCK-10")
def getpeername(system: System, process: Process, fd: Fd) -> Partition:
    """getpeername(): the partition at the other end of a connected socket."""
    running(system, process)
    require(is_socket(system, fd), EBADF)
    peer = system.peer[system.socket_port[fd]]
    require(peer != none, ENOTCONN)
    return system.port_owner[peer]


def readable(system: System, fd: Fd) -> bool:
    """A read or an accept on `fd` would find something: a message, the end of the channel, or a request."""
    port = system.socket_port[fd]
    something = exists(Message, lambda message: (port != none) & (system.inbox.of(message) == port))
    request = exists(Signal, lambda signal: system.backlog.of(signal) == fd)
    return something | (system.port_status[port] == PEER_CLOSED) | request


def writable(system: System, fd: Fd) -> bool:
    """A write on `fd` would not find the queue full: there is room, or the peer has closed.

    That the peer has closed makes a socket writable too, as in UNIX: who waits to write would wait for ever.
    """
    port = system.socket_port[fd]
    room = system.inbox[system.peer[port]].length < system.queue_depth
    return ((system.port_status[port] == CONNECTED) & room) | (system.port_status[port] == PEER_CLOSED)


@action(seed="SOCK-9")
def select(system: System, process: Process, reading: Subset[Fd], writing: Subset[Fd], wait: bool) -> Ready:
    """select(): which of several sockets can be read (or accepted on) and which can be written to.  It takes nothing.  With none
    ready, the process is suspended until one is."""
    running(system, process)
    require(forall(Fd, lambda fd: is_socket(system, fd) | negation(reading[fd] | writing[fd])), EBADF)
    some = exists(Fd, lambda fd: reading[fd] | writing[fd])

    def sensible(fd: Fd) -> bool:
        connected = system.descriptor[fd] == CONNECTED_SOCKET
        read = connected | (system.descriptor[fd] == LISTENING)
        return implies(reading[fd], read) & implies(writing[fd], connected)

    require(some & forall(Fd, sensible), EINVAL)
    ready = exists(Fd, lambda fd: (reading[fd] & readable(system, fd)) | (writing[fd] & writable(system, fd)))
    require(ready | wait, EAGAIN)

    if not ready:
        system.watching.where(lambda other, fd: (other == process) & reading[fd], True)
        system.watching_room.where(lambda other, fd: (other == process) & writing[fd], True)
        system.life[process] = IN_SELECT
        suspend()
    before = system.before
    return Ready(
        subset(Fd, lambda fd: reading[fd] & readable(before, fd)),
        subset(Fd, lambda fd: writing[fd] & writable(before, fd)),
    )


def close_descriptors(system: System, closed: Callable[[Fd], bool]) -> None:
    """Close every descriptor that satisfies `closed`: names are free again, what waits is refused, channels end, open files are
    closed, and whoever is suspended on one is answered."""
    before = system.before

    def gone(fd: Fd) -> bool:
        """A descriptor set aside goes with the listener that its maker waits at."""
        return closed(fd) | ((before.descriptor[fd] == SET_ASIDE) & closed(before.waiters.of(before.fd_maker[fd])))

    def watched(process: Process) -> bool:
        return exists(Fd, lambda fd: closed(fd) & (before.watching[process, fd] | before.watching_room[process, fd]))

    def waiting(process: Process) -> bool:
        return closed(before.waiters.of(process)) | watched(process)

    def last(region: Region) -> bool:
        """A region behind a file that was unlinked, and that nobody has open any more."""
        file = before.region_file[region]
        still = exists(Fd, lambda fd: (before.fd_file[fd] == file) & negation(closed(fd)))
        return before.unlinked[file] & negation(still)

    refuse_all(system, lambda signal: closed(before.backlog.of(signal)))
    destroy_ports(system, lambda port: gone(before.port_fd[port]))
    free_regions(system, last)
    wake_all(system, waiting, CANCELED)
    system.set_aside.where(lambda process: closed(before.waiters.of(process)), none)
    system.bound_at.where(lambda service: closed(before.bound_at[service]), none)
    system.service.where(closed, none)
    system.backlog_bound.where(closed, 0)
    system.fd_file.where(closed, none)
    system.fd_maker.where(gone, none)
    system.mode.where(gone, FILE)
    system.descriptor.where(gone, FREE_FD)


@action(seed="SOCK-8 CHAN-6 FILE-4 SIG-3", step="S-E")
def close(system: System, process: Process, fd: Fd) -> None:
    """close(): on a socket the message port is deleted and the channel ends (seed 0107), on a listening one what waits is refused
    and the service is free again; on an open file it is closed.

    Who is suspended on the descriptor is answered with ECANCELED (Linux may deliver to a closed descriptor).
    """
    running(system, process)
    require((system.descriptor[fd] != FREE_FD) & (system.descriptor[fd] != SET_ASIDE), EBADF)

    close_descriptors(system, lambda other: other == fd)


@invariant(seed="SOCK-3 SOCK-4")
def service_unique(system: System, first: Fd, second: Fd) -> bool:
    """A service has one socket."""
    shared = (system.service[first] != none) & (system.service[first] == system.service[second])
    return implies(shared, first == second)


@invariant(seed="SOCK-1 SOCK-5 SOCK-10")
def descriptor_table(system: System, fd: Fd) -> bool:
    """A descriptor has what its use says and nothing else: a connected socket a port of the kernel's, a listening one a service
    and a backlog, an open file at most a file; each was made by a process, and a free one holds nothing."""
    use, port = system.descriptor[fd], system.socket_port[fd]
    has_port = (use == CONNECTING_SOCKET) | (use == CONNECTED_SOCKET) | (use == SET_ASIDE)
    own = (port != none) & (system.port_fd[port] == fd) & (system.port_owner[port] == SYSTEM)
    made = (system.fd_maker[fd] != none) & (use != FREE_FD)
    blank = (use == FREE_FD) & (system.fd_maker[fd] == none) & (system.mode[fd] == FILE)
    kept = (use == LISTENING) | (system.backlog_bound[fd] == 0)
    opened = (use == OPEN_FILE) | (system.fd_file[fd] == none)
    return ((has_port & own) | (negation(has_port) & (port == none))) & (made | blank) & kept & opened


@invariant(seed="SOCK-4")
def backlog_bound_respected(system: System, fd: Fd) -> bool:
    """No backlog holds more than its bound."""
    return system.backlog[fd].length <= system.backlog_bound[fd]


@invariant(seed="SOCK-4")
def backlog_permitted(system: System, signal: Signal) -> bool:
    """What waits in a backlog asks for a channel to the service of a socket that listens, from a partition permitted there."""
    listener, service = system.backlog.of(signal), system.signal_service[signal]
    asks = (system.signal_kind[signal] == CHANNEL) & (system.signal_at[signal] == SYSTEM)
    here = (system.descriptor[listener] == LISTENING) & (system.service[listener] == service)
    permitted = negation(system.forbidden[service, system.signal_source[signal]])
    return (listener == none) | (asks & here & permitted)


@invariant(seed="SOCK-4")
def permission_is_of_the_living(system: System, service: Service, partition: Partition) -> bool:
    """Only an active partition has permissions to its name, so a new one inherits none of a dead one's."""
    return implies(system.forbidden[service, partition], system.status[partition] == ACTIVE)


@step_property(seed="SOCK-4")
def permission_respected(before: System, after: System, call: Call, port: Port) -> bool:
    """No channel to a service comes about without permission."""
    newly = (before.port_status[port] != CONNECTED) & (after.port_status[port] == CONNECTED)
    asked = (call.operation == "connect") & (call.port == port)
    taken = before.backlog.of(before.port_request[port]) != none
    at_once = negation(before.forbidden[call.service, call.caller])
    waited = negation(before.forbidden[before.signal_service[before.port_request[port]], before.port_owner[port]])
    return implies(newly & asked, at_once) & implies(newly & taken, waited)


@step_property(seed="SOCK-3")
def bind_keeps_the_holder(before: System, after: System, call: Call, service: Service) -> bool:
    """A service changes hands only by the close of its socket: by its closing, or its maker's exit."""
    holder = before.bound_at[service]
    return (holder == none) | (after.bound_at[service] == holder) | (after.descriptor[holder] == FREE_FD)


@step_property(seed="SOCK-5 SOCK-6", step="S204 S306")
def accepted_is_connected(before: System, after: System, call: Call, process: Process) -> bool:
    """The descriptor with which accept answers, at once or late, is a connected socket that was free or set aside before."""
    late, was = after.given_fd[process], before.descriptor[after.given_fd[process]]
    late_rightly = (after.descriptor[late] == CONNECTED_SOCKET) & (was == SET_ASIDE) & (before.set_aside[process] == late)
    was_new, now_new = before.descriptor[call.new], after.descriptor[call.new]
    at_once = (was_new == FREE_FD) & ((now_new == CONNECTED_SOCKET) | (now_new == SET_ASIDE))
    return ((late == none) | late_rightly) & implies(call.operation == "accept_socket", at_once)


@rest
def no_descriptor_is_open(system: System, fd: Fd, service: Service, partition: Partition) -> bool:
    """No descriptor is open, no service is bound, and nobody is barred from one."""
    return (
        (system.descriptor[fd] == FREE_FD) & (system.bound_at[service] == none) & negation(system.forbidden[service, partition])
    )
