"""What the rooms share: who may call, events raised, control signals posted and withdrawn, ports and regions given up, and
suspended calls woken.

What an end does to many cells at once is written as bulk updates whose conditions ask `before`, the state that the operation
found, so that their order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable

from ..words import *

__all__ = [
    "destroy_ports",
    "free_regions",
    "holds_port",
    "join",
    "post",
    "raise_event",
    "refund",
    "refuse_all",
    "running",
    "standing",
    "taken",
    "unheld",
    "wake_all",
    "wake_readers_of",
    "wake_writers_of",
    "withdraw",
    "withdraw_all",
    "write_signal",
]


def standing(system: System, caller: Partition) -> None:
    """The first refusal of every hypercall: a caller that is absent or terminated is nobody.

    A partition that is created and not yet booted may be called for: that is its boot loader.
    """
    require(system.status[caller] == ACTIVE, ESRCH)


def running(system: System, process: Process) -> None:
    """The first refusals of every system call: a process that is not there is nobody, and one that is suspended in a call
    makes no other."""
    require(system.life[process] != NO_PROCESS, ESRCH)
    require(system.life[process] == RUNNING, EBUSY)


def holds_port(system: System, caller: Partition, port: Port) -> bool:
    """Whether `port` is the caller's to use: its own, and not one behind a socket, which only the kernel uses."""
    return (system.port_owner[port] == caller) & (system.port_fd[port] == none)


def taken(system: System, caller: Partition, signal: Signal) -> bool:
    """Whether `signal` was taken out of the caller's queue and waits for its answer."""
    waits = (system.signals.of(signal) == none) & (system.backlog.of(signal) == none)
    return (system.signal_at[signal] == caller) & waits


def unheld(system: System, region: Region) -> bool:
    """Whether nothing holds on to `region`: no queued message, no virtual file, no process."""
    kernel = (system.region_file[region] == none) & (system.region_process[region] == none)
    return (system.carried_by[region] == none) & kernel


def raise_event(system: System, receiver: Receiver) -> None:
    """Make `receiver` pending; it neither queues nor counts (seed 0063)."""
    system.pending[receiver] = True


def post(system: System, signal: Signal, kind: SignalKind, source: Partition, target: Partition, service: Service) -> None:
    """Queue a control signal at `target`, charged to `source`; wake the target if its queue was empty (seed 0057)."""
    if system.signals[target].empty and system.signal_receiver[target] != none:
        raise_event(system, system.signal_receiver[target])
    system.signals[target].push(signal)
    write_signal(system, signal, kind, source, target, service)


def write_signal(
    system: System, signal: Signal, kind: SignalKind, source: Partition, target: Partition, service: Service
) -> None:
    """Fill in a control signal that was just queued, and charge it."""
    system.signal_at[signal] = target
    system.signal_kind[signal] = kind
    system.signal_source[signal] = source
    system.signal_service[signal] = service
    system.payer[signal] = source


def withdraw(system: System, signal: Signal) -> None:
    """Let a control signal be gone: out of the queue if it waits there, its request forgotten.  Its charge stays."""
    asking_port, asking_sender = system.signal_port[signal], system.signal_sender[signal]
    if asking_sender != none:
        system.sender_request[asking_sender] = none
    if asking_port != none:
        system.port_request[asking_port] = none
    system.signals.remove(signal)
    system.backlog.remove(signal)
    system.signal_at[signal] = none
    system.signal_kind[signal] = EVENT
    system.signal_source[signal] = none
    system.signal_service[signal] = none
    system.signal_port[signal] = none
    system.signal_sender[signal] = none
    system.signal_shared[signal] = none


def refund(system: System, signal: Signal) -> None:
    """Give the memory of a control signal back to who paid for it (seed 0057)."""
    system.payer[signal] = none


def join(system: System, client: Port, server: Port) -> None:
    """Make two ports each other's peers, and tell both sides (seed 0074, S104)."""
    system.port_status[client] = CONNECTED
    system.port_status[server] = CONNECTED
    system.peer[client] = server
    system.peer[server] = client
    raise_event(system, system.port_receiver[client])
    raise_event(system, system.port_receiver[server])


def withdraw_all(system: System, gone: Callable[[Signal], bool]) -> None:
    """Let every signal that satisfies `gone` be gone and refunded, wherever it waits."""
    before = system.before
    system.port_request.where(lambda port: gone(before.port_request[port]), none)
    system.sender_request.where(lambda sender: gone(before.sender_request[sender]), none)
    system.payer.where(gone, none)
    system.signals.drop(gone)
    system.backlog.drop(gone)
    system.signal_at.where(gone, none)
    system.signal_kind.where(gone, EVENT)
    system.signal_source.where(gone, none)
    system.signal_service.where(gone, none)
    system.signal_port.where(gone, none)
    system.signal_sender.where(gone, none)
    system.signal_shared.where(gone, none)


def refuse_all(system: System, gone: Callable[[Signal], bool]) -> None:
    """Answer every signal that satisfies `gone` with no.  A client's port is told by its status and an event; a socket that
    asked is what it was before, and the process that waits for it is answered."""
    before = system.before

    def asked(port: Port) -> bool:
        return gone(before.port_request[port])

    def turned_down(fd: Fd) -> bool:
        return asked(before.socket_port[fd])

    system.port_status.where(asked, REFUSED)
    system.pending.where(lambda receiver: asked(before.served_port[receiver]), True)
    destroy_ports(system, lambda port: asked(port) & (before.port_fd[port] != none))
    system.descriptor.where(turned_down, CREATED)
    wake_all(system, lambda process: turned_down(before.waiters.of(process)), TURNED_DOWN)
    withdraw_all(system, gone)


def destroy_ports(system: System, gone: Callable[[Port], bool]) -> None:
    """Destroy every port that satisfies `gone`: its peer is told, its request cancelled, what waits in it freed, the receiver
    behind a socket's goes with it, and who waits at the other end sees the end of the channel."""
    before = system.before

    def left(port: Port) -> bool:
        return gone(before.peer[port])

    def inside(region: Region) -> bool:
        return gone(before.inbox.of(before.carried_by[region]))

    def kernels(receiver: Receiver) -> bool:
        port = before.served_port[receiver]
        return gone(port) & (before.port_fd[port] != none)

    withdraw_all(system, lambda signal: gone(before.signal_port[signal]))
    free_regions(system, inside)
    system.message_region.where(lambda message: gone(before.inbox.of(message)), none)
    system.message_short.where(lambda message: gone(before.inbox.of(message)), none)
    system.inbox.drop(lambda message: gone(before.inbox.of(message)))
    system.pending.where(lambda receiver: left(before.served_port[receiver]), True)
    system.pending.where(kernels, False)
    system.receiver_owner.where(kernels, none)
    system.served_port.where(lambda receiver: gone(before.served_port[receiver]), none)
    system.peer.where(lambda port: gone(port) | left(port), none)
    system.port_status.where(left, PEER_CLOSED)
    system.port_status.where(gone, FREE)
    system.port_receiver.where(gone, none)
    system.port_owner.where(gone, none)
    system.port_fd.where(gone, none)
    system.socket_port.where(lambda fd: gone(before.socket_port[fd]), none)
    _end_of_channel(system, lambda fd: left(before.socket_port[fd]))


def _end_of_channel(system: System, ended: Callable[[Fd], bool]) -> None:
    before = system.before

    def watched(process: Process) -> bool:
        return exists(Fd, lambda fd: ended(fd) & (before.watching[process, fd] | before.watching_room[process, fd]))

    system.ready_to_read.where(lambda process, fd: before.watching[process, fd] & ended(fd), True)
    system.ready_to_write.where(lambda process, fd: before.watching_room[process, fd] & ended(fd), True)
    wake_all(system, watched, COMPLETED)
    wake_all(system, lambda process: ended(before.waiters.of(process)), ENDED)


def free_regions(system: System, gone: Callable[[Region], bool]) -> None:
    """Unmap every region that satisfies `gone` everywhere, scrub it and free it; no file stands for it any more."""
    before = system.before
    system.content.where(lambda region, place: gone(region), none)
    system.mapped.where(lambda partition, region: gone(region), False)
    system.process_mapped.where(lambda process, region: gone(region), False)
    system.owner.where(gone, none)
    system.carried_by.where(gone, none)
    system.region_process.where(gone, none)
    system.region_file.where(gone, none)
    system.unlinked.where(lambda file: gone(before.file_region[file]), False)
    system.file_region.where(lambda file: gone(before.file_region[file]), none)


def wake_all(system: System, which: Callable[[Process], bool], how: Woken) -> None:
    """End the suspension of every process that satisfies `which`; its call comes to `how`."""
    system.life.where(which, RUNNING)
    system.waiters.drop(which)
    system.watching.where(lambda process, fd: which(process), False)
    system.watching_room.where(lambda process, fd: which(process), False)
    system.woken.where(which, how)


def wake_readers_of(system: System, fd: Fd) -> None:
    """There is something to read or accept at `fd`, and nobody took it: every select that watches it completes."""
    before = system.before
    system.ready_to_read.where(lambda process, watched: before.watching[process, watched] & (watched == fd), True)
    wake_all(system, lambda process: before.watching[process, fd], COMPLETED)


def wake_writers_of(system: System, fd: Fd) -> None:
    """There is room at the other end of `fd`: every select that watches for it completes."""
    before = system.before
    system.ready_to_write.where(lambda process, watched: before.watching_room[process, watched] & (watched == fd), True)
    wake_all(system, lambda process: before.watching_room[process, fd], COMPLETED)
