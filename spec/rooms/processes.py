"""Processes of the system control program, and the calls in which they are suspended (seed 0087, 0091 d-e, 0098 c-d, 0108).

A suspended call is part of the state.  The call of someone else that makes it possible completes it, in the same step, and
what it then answers is an output of that step.  Who waits in accept or read is served first come, first served; every select
that watches what has become ready is woken.
"""

from __future__ import annotations

from typing import Any

from ..words import *
from .common import *
from .sockets import Delivered, Ready, close_descriptors, readable, writable


class Processes(State):
    life: Map[Process, Life]
    waiters: Queue[Fd, Process]
    """Who is suspended in accept, connect or read on a descriptor, first come first."""
    watching: Map[tuple[Process, Fd], bool]
    watching_room: Map[tuple[Process, Fd], bool]
    """What a suspended select watches, to read and to write."""
    set_aside: Map[Process, Fd]
    """The descriptor with which a suspended accept will answer."""
    woken: Output[Process, Woken]
    given_fd: Output[Process, Fd]
    given_file: Output[Process, File]
    given_address: Output[Process, Region]
    given_short: Output[Process, Short]
    ready_to_read: Output[tuple[Process, Fd], bool]
    ready_to_write: Output[tuple[Process, Fd], bool]


@unused
def process_unused(system: System, process: Process) -> bool:
    return system.life[process] == NO_PROCESS


@action(seed="LAYER-5 SOCK-2")
def create_process(system: System, caller: Partition, process: Fresh[Process]) -> Process:
    """Start a process of the system control program."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(process != none, ENOMEM)

    system.life[process] = RUNNING
    return process


@action(seed="SOCK-8 FILE-6 MAP-4")
def exit(system: System, process: Process) -> None:
    """End the calling process: all descriptors that it made are closed, and what is mapped in it is released."""
    running(system, process)

    before = system.before
    close_descriptors(system, lambda fd: before.fd_maker[fd] == process)
    free_regions(system, lambda region: before.region_process[region] == process)
    system.life[process] = NO_PROCESS


@each_waiter
def late(before: System, after: System, process: Process) -> Late | None:
    """The answer to its suspended call that a step brings to a process."""
    how, life = after.woken[process], before.life[process]
    if how == NOT_WOKEN:
        return None
    operation, answer = _answered(after, process, life, how)
    if how == CANCELED:
        return Late(Process, process, operation, ECANCELED)
    if how == TURNED_DOWN:
        return Late(Process, process, operation, ECONNREFUSED)
    return Late(Process, process, operation, "ok", answer)


def _answered(after: System, process: Process, life: Life, how: Woken) -> tuple[str, Any]:
    """Which call it is that a process was suspended in, and what it is answered if it succeeds."""
    if life == IN_ACCEPT:
        return "accept_socket", after.given_fd[process]
    if life == IN_CONNECT:
        return "connect_socket", None
    if life == IN_READ:
        file = after.given_file[process]
        address = none if file != none else after.given_address[process]
        return "read_socket", Delivered(file, address, after.given_short[process], how == ENDED)
    read = subset(Fd, lambda fd: after.ready_to_read[process, fd])
    write = subset(Fd, lambda fd: after.ready_to_write[process, fd])
    return "select", Ready(read, write)


LATE_EXITS = {
    "accept_socket": ("ok", ECANCELED),
    "connect_socket": ("ok", ECONNREFUSED, ECANCELED),
    "read_socket": ("ok", ECANCELED),
    "select": ("ok", ECANCELED),
}
"""What the answers to suspended calls may be."""


@invariant(seed="SOCK-6 FILE-3 SOCK-9")
def no_missed_resume(system: System, process: Process, fd: Fd, message: Message, signal: Signal) -> bool:
    """No process stays suspended while what it waits for is there: a request, a message, the end of the channel, an answer;
    for select, anything of what it watches."""
    waits = system.waiters.of(process)
    port = system.socket_port[waits]
    request = (waits != none) & (system.backlog.of(signal) == waits)
    something = (port != none) & (system.inbox.of(message) == port)
    ended = system.port_status[port] == PEER_CLOSED
    connected = (system.life[process] == IN_CONNECT) & (system.descriptor[waits] == CONNECTED_SOCKET)
    to_read = system.watching[process, fd] & readable(system, fd)
    to_write = system.watching_room[process, fd] & writable(system, fd)
    single = negation(request) & negation(something) & negation(ended) & negation(connected)
    return single & negation(to_read) & negation(to_write)


@step_property(seed="SOCK-6 FILE-3 SOCK-9")
def suspended_until_answered(before: System, after: System, call: Call, process: Process) -> bool:
    """A suspended process stays suspended in the same call until it is answered, and only one that was suspended is."""
    life = before.life[process]
    was = (life != NO_PROCESS) & (life != RUNNING)
    same = (
        (after.life[process] == life)
        & (after.waiters.of(process) == before.waiters.of(process))
        & (after.set_aside[process] == before.set_aside[process])
    )
    resumed = (after.life[process] == RUNNING) & was
    return ((after.woken[process] == NOT_WOKEN) & (same | negation(was))) | ((after.woken[process] != NOT_WOKEN) & resumed)


@step_property(seed="SOCK-9")
def watches_stay(before: System, after: System, call: Call, process: Process, fd: Fd) -> bool:
    """What a suspended select watches does not change, and it is answered with what it watches, which is ready now."""
    was = before.life[process] == IN_SELECT
    same = (after.watching[process, fd] == before.watching[process, fd]) & (
        after.watching_room[process, fd] == before.watching_room[process, fd]
    )
    stays = implies(was & (after.woken[process] == NOT_WOKEN), same)
    read = implies(after.ready_to_read[process, fd], before.watching[process, fd] & readable(after, fd))
    write = implies(after.ready_to_write[process, fd], before.watching_room[process, fd] & writable(after, fd))
    return stays & read & write


@step_property(seed="SOCK-9")
def select_is_answered_with_something(before: System, after: System, call: Call, process: Process, fd: Fd) -> bool:
    """Whatever a select watches and is ready after a step is in its answer."""
    selecting = (before.life[process] == IN_SELECT) & (after.woken[process] == COMPLETED)
    read = implies(before.watching[process, fd] & readable(after, fd), after.ready_to_read[process, fd])
    write = implies(before.watching_room[process, fd] & writable(after, fd), after.ready_to_write[process, fd])
    return implies(selecting, read & write)


@step_property(seed="SOCK-6 FILE-3")
def first_come_first_served(before: System, after: System, call: Call, early: Process, late: Process) -> bool:
    """Of two processes suspended on one descriptor the one that came first is not passed over."""
    together = before.waiters.ahead(early, late)
    stays = after.waiters.ahead(early, late) | (after.waiters.of(early) == none)
    return implies(together & (after.waiters.of(late) != none), stays) & implies(
        together & (after.waiters.of(late) == none), after.waiters.of(early) == none
    )


@step_property(seed="SOCK-6 FILE-3")
def woken_for_a_reason(before: System, after: System, call: Call, process: Process) -> bool:
    """A suspended call completes with what it waited for, sees the end of a channel only in read, fails for a refusal only in
    connect, and is cancelled only with a descriptor that it waits on."""
    how, life = after.woken[process], before.life[process]
    fd = before.waiters.of(process)
    accepted = implies(life == IN_ACCEPT, after.given_fd[process] != none)
    connected = implies(life == IN_CONNECT, after.descriptor[fd] == CONNECTED_SOCKET)
    reader = implies(life == IN_READ, (call.operation == "send") & (after.given_short[process] == call.short))
    ended = (life == IN_READ) & (after.port_status[after.socket_port[fd]] == PEER_CLOSED)
    closing = (call.operation == "close") | (call.operation == "exit")
    return (
        implies(how == COMPLETED, accepted & connected & reader)
        & implies(how == ENDED, ended)
        & implies(how == TURNED_DOWN, life == IN_CONNECT)
        & implies(how == CANCELED, closing)
    )


@rest
def no_process_is_left(system: System, process: Process) -> bool:
    """The system control program has no processes."""
    return system.life[process] == NO_PROCESS


@leads_to(by="take_signal refuse", seed="SOCK-6 SOCK-7")
def connects_are_resumed(system: System, call: Call, process: Process) -> tuple[bool, bool, bool]:
    """A process that is suspended in connect is resumed, if the guest that it asks answers what comes to it."""
    signal = system.port_request[system.socket_port[system.waiters.of(process)]]
    mine = ((call.signal == signal) | (call.signal == none)) & (call.caller == system.signal_at[signal])
    return system.life[process] == IN_CONNECT, system.life[process] != IN_CONNECT, mine
