"""Lemmas: invariants that only help the induction, each with what it is for.  What users care about stands in the rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import implies, lemma, negation, none
from .names import (
    ACTIVE,
    BOUND,
    CHANNEL,
    CONNECTED,
    CONNECTED_SOCKET,
    CONNECTING,
    CONNECTING_SOCKET,
    EVENT,
    FREE,
    IDLE,
    IN_ACCEPT,
    IN_CONNECT,
    IN_READ,
    IN_SELECT,
    LISTENING,
    NO_PROCESS,
    NO_REQUEST,
    PEER_CLOSED,
    RUNNING,
    SET_ASIDE,
    SHARED,
    SYSTEM,
    WAITING,
    Fd,
    File,
    Kind,
    Message,
    Partition,
    Port,
    Process,
    Receiver,
    Region,
    Request,
    Sender,
    Service,
    Signal,
)
from .rooms import is_granted, unserving

if TYPE_CHECKING:
    from .words import System


@lemma("so that the head of the boot order is always a partition that can be booted")
def boot_order_holds_the_unbooted(system: System, partition: Partition) -> bool:
    waiting = system.boot_order.of(partition) == SYSTEM
    outside = system.boot_order.of(partition) == none
    return (waiting | outside) & (waiting == ((system.status[partition] == ACTIVE) & (system.booted[partition] == False)))  # noqa: E712


@lemma("so that nothing has to be shown of SYSTEM's termination")
def system_is_active(system: System) -> bool:
    return (system.status[SYSTEM] == ACTIVE) & system.booted[SYSTEM]


@lemma("so that a limit that was lifted leaves nothing behind")
def no_limit_is_zero(system: System, partition: Partition, kind: Kind) -> bool:
    return system.limited[partition, kind] | (system.limit[partition, kind] == 0)


@lemma("so that only granted kinds are held and kept")
def counted_kinds_are_not_granted(system: System, partition: Partition, kind: Kind) -> bool:
    nothing = (system.held[partition, kind] == 0) & (system.reserve[partition, kind] == 0)
    return is_granted(kind) | nothing


@lemma("so that a request is waiting exactly while it stands in the queue, and is of an active partition")
def request_shape(system: System, request: Request) -> bool:
    queued = system.requests.of(request) == SYSTEM
    outside = system.requests.of(request) == none
    status, source = system.verdict[request], system.requester[request]
    live = (source != none) & (system.status[source] == ACTIVE) & is_granted(system.request_kind[request])
    blank = (source == none) & (status == NO_REQUEST) & outside
    return (queued | outside) & (queued == (status == WAITING)) & (blank | (live & (status != NO_REQUEST)))


@lemma("so that who serves whom can be looked up from either side")
def sender_links(system: System, receiver: Receiver, sender: Sender) -> bool:
    return (system.target[sender] == receiver) == (system.served_sender[receiver] == sender)


@lemma("so that a receiver that serves one source is seen to serve no other")
def one_link(system: System, receiver: Receiver) -> bool:
    no_sender, no_port = system.served_sender[receiver] == none, system.served_port[receiver] == none
    no_signals = negation(system.serves_signals[receiver])
    return (no_sender & no_port) | (no_sender & no_signals) | (no_port & no_signals)


@lemma("so that a receiver or sender that is given out anew carries nothing over")
def unowned_event_ports_are_blank(system: System, receiver: Receiver, sender: Sender) -> bool:
    idle = unserving(system, receiver) & negation(system.pending[receiver])
    unasked = (system.target[sender] == none) & (system.sender_request[sender] == none)
    return implies(system.receiver_owner[receiver] == none, idle) & implies(system.sender_owner[sender] == none, unasked)


@lemma("so that a sender is granted one connection only")
def a_request_ends_with_a_connection(system: System, sender: Sender) -> bool:
    return (system.target[sender] == none) | (system.sender_request[sender] == none)


@lemma("so that what a signal asks can be looked up from either side")
def request_links(system: System, signal: Signal, port: Port, sender: Sender) -> bool:
    by_port = (system.port_request[port] == signal) == (system.signal_port[signal] == port)
    by_sender = (system.sender_request[sender] == signal) == (system.signal_sender[signal] == sender)
    return by_port & by_sender


@lemma("so that a signal's kind says which of its fields holds")
def signal_shape(system: System, signal: Signal) -> bool:
    port, sender, source = system.signal_port[signal], system.signal_sender[signal], system.signal_source[signal]
    channel = (port != none) & (sender == none) & (system.port_owner[port] == source)
    event = (sender != none) & (port == none) & (system.sender_owner[sender] == source)
    kind = system.signal_kind[signal]
    attach = (port == none) & (sender == none)
    live = implies(kind == CHANNEL, channel) & implies(kind == EVENT, event) & implies(kind == SHARED, attach)
    blank = (kind == EVENT) & (port == none) & (sender == none) & (system.signal_service[signal] == none)
    return ((system.signal_at[signal] != none) & live) | ((system.signal_at[signal] == none) & blank)


@lemma("so that a port waits exactly while its request does")
def connecting_has_a_request(system: System, port: Port) -> bool:
    return (system.port_status[port] == CONNECTING) == (system.port_request[port] != none)


@lemma("so that the designated receiver is one of the partition's own")
def signal_receiver_links(system: System, partition: Partition, receiver: Receiver) -> bool:
    designated = system.signal_receiver[partition] == receiver
    return implies(designated, system.receiver_owner[receiver] == partition) & implies(
        system.receiver_owner[receiver] == partition, designated == system.serves_signals[receiver]
    )


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


@lemma("so that a request to attach is granted only for a region that is still its target's")
def attach_requests_stand(system: System, signal: Signal) -> bool:
    shared = system.signal_shared[signal]
    asks = (system.signal_kind[signal] == SHARED) & (shared != none)
    return (asks & (system.shared_owner[shared] == system.signal_at[signal])) | (
        (system.signal_kind[signal] != SHARED) & (shared == none)
    )


@lemma("so that the socket of a service can be looked up from either side")
def service_links(system: System, service: Service, fd: Fd) -> bool:
    use = system.descriptor[fd]
    bound = (use == BOUND) | (use == LISTENING)
    return ((system.bound_at[service] == fd) == (system.service[fd] == service)) & (bound == (system.service[fd] != none))


@lemma("so that the port behind a socket can be looked up from either side")
def socket_links(system: System, fd: Fd, port: Port) -> bool:
    return (system.socket_port[fd] == port) == (system.port_fd[port] == fd)


@lemma("so that a socket's state says what its port's is")
def socket_states(system: System, fd: Fd) -> bool:
    use, status = system.descriptor[fd], system.port_status[system.socket_port[fd]]
    connected = (use == CONNECTED_SOCKET) == ((status == CONNECTED) | (status == PEER_CLOSED))
    return connected & ((use == CONNECTING_SOCKET) == (status == CONNECTING)) & ((use == SET_ASIDE) == (status == IDLE))


@lemma("so that sockets are connected to guests, and to no socket")
def one_socket_a_channel(system: System, port: Port) -> bool:
    return (system.port_fd[port] == none) | (system.port_fd[system.peer[port]] == none)


@lemma("so that what comes to SYSTEM for a channel waits at a socket, and nowhere else")
def requests_to_system_wait_in_backlogs(system: System, signal: Signal) -> bool:
    asks = (system.signal_at[signal] == SYSTEM) & (system.signal_kind[signal] == CHANNEL)
    return asks == (system.backlog.of(signal) != none)


@lemma("so that the file of a region can be looked up from either side")
def file_links(system: System, file: File, region: Region) -> bool:
    return (system.file_region[file] == region) == (system.region_file[region] == file)


@lemma("so that what a process waits on says in what call it is suspended")
def suspended_where(system: System, process: Process) -> bool:
    life, fd = system.life[process], system.waiters.of(process)
    use = system.descriptor[fd]
    queued = (
        ((life == IN_ACCEPT) & (use == LISTENING))
        | ((life == IN_CONNECT) & (use == CONNECTING_SOCKET))
        | ((life == IN_READ) & (use == CONNECTED_SOCKET))
    )
    free = (life == NO_PROCESS) | (life == RUNNING) | (life == IN_SELECT)
    return ((fd != none) & queued) | ((fd == none) & free)


@lemma("so that only a select watches, and only sockets that can become ready")
def watched_where(system: System, process: Process, fd: Fd) -> bool:
    use = system.descriptor[fd]
    to_read = (system.life[process] == IN_SELECT) & ((use == LISTENING) | (use == CONNECTED_SOCKET))
    to_write = (system.life[process] == IN_SELECT) & (use == CONNECTED_SOCKET)
    return implies(system.watching[process, fd], to_read) & implies(system.watching_room[process, fd], to_write)


@lemma("so that the descriptor set aside for a suspended accept can be looked up from either side")
def set_aside_links(system: System, process: Process, fd: Fd) -> bool:
    aside = (system.descriptor[fd] == SET_ASIDE) & (system.fd_maker[fd] == process)
    accepting = (system.set_aside[process] != none) == (system.life[process] == IN_ACCEPT)
    return ((system.set_aside[process] == fd) == aside) & accepting


@lemma("so that what a process made goes with it")
def makers_live(system: System, fd: Fd) -> bool:
    maker = system.fd_maker[fd]
    return (maker == none) | (system.life[maker] != NO_PROCESS)
