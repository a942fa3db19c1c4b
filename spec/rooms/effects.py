"""What an operation is asked for is done: theorems of steps against an operation that would answer well and do nothing.

Invariants say that nothing wrong is reached; an operation without an effect keeps every one of them.
"""

from __future__ import annotations

from ..words import *


@step_property(seed="REG-4 CHAN-5 FILE-5 MAP-3", step="S107 S311a S311b")
def sent_arrives(before: System, after: System, call: Call) -> bool:
    """What is sent is in the peer's queue afterwards, or with the process that waited for it."""

    def arrives(port: Port) -> bool:
        def new(message: Message) -> bool:
            return (after.inbox.of(message) == before.peer[port]) & (before.inbox.of(message) == none)

        def reader(process: Process) -> bool:
            socket = before.port_fd[before.peer[port]]
            return (socket != none) & (before.waiters.of(process) == socket) & (after.woken[process] == COMPLETED)

        return exists(Message, new) | exists(Process, reader)

    written = (call.operation == "send_file") | (call.operation == "send_mapped")
    return implies(call.operation == "send", arrives(call.port)) & implies(written, arrives(before.socket_port[call.fd]))


@step_property(seed="FILE-1 MAP-1 FILE-2", step="S308a S308b")
def received_is_held(before: System, after: System, call: Call, region: Region) -> bool:
    """A region that comes to the system control program is behind a file, or mapped in the process that read it."""
    read = (call.operation == "read_socket") & (before.inbox.of(before.carried_by[region]) == before.socket_port[call.fd])
    taken = read & (before.carried_by[region] != none) & (after.carried_by[region] == none)
    given = after.given_address[call.process] == region
    held = (after.region_file[region] != none) | (after.region_process[region] == call.process)
    late = (call.operation == "send") & (call.region == region) & (region != none)
    waiting = (after.carried_by[region] != none) | (after.region_file[region] != none) | (after.region_process[region] != none)
    at_socket = before.port_fd[before.peer[call.port]] != none
    return implies(taken, held | given) & implies(late & at_socket, waiting)


@step_property(seed="CHAN-3 CHAN-6 REG-6 SHM-1 SIG-3 PART-5", step="S109 S110 S112")
def given_up_is_gone(before: System, after: System, call: Call) -> bool:
    """A port that is closed, a region that is freed, a signal that is answered, a receiver, sender, processor or shared region
    that is given up is gone; what is detached is no longer attached."""
    does = call.operation
    answered = (does == "refuse") | (does == "accept") | (does == "accept_event") | (does == "accept_attach")
    return (
        implies(does == "close_port", after.port_owner[call.port] == none)
        & implies(does == "free", after.owner[call.region] == none)
        & implies(answered, after.signal_at[call.signal] == none)
        & implies(does == "destroy_receiver", after.receiver_owner[call.receiver] == none)
        & implies(does == "destroy_sender", after.sender_owner[call.sender] == none)
        & implies(does == "release_processor", after.processor_of[call.processor] == none)
        & implies(does == "detach", negation(after.attached[call.caller, call.shared]))
        & implies(does == "destroy_shared", after.shared_owner[call.shared] == none)
    )


@step_property(seed="SOCK-8 FILE-6 MAP-4", step="S-D S-E")
def closed_is_gone(before: System, after: System, call: Call, fd: Fd) -> bool:
    """A descriptor that is closed is free, and so is all that a process made when it exits; what is released is free memory; a
    file that is unlinked cannot be named."""
    does, file = call.operation, call.file
    named = (after.file_region[file] != none) & negation(after.unlinked[file])
    made = (before.fd_maker[fd] == call.process) & (before.fd_maker[fd] != none)
    return (
        implies(does == "close", after.descriptor[call.fd] == FREE_FD)
        & implies(does == "release", after.owner[call.address] == none)
        & implies(does == "unlink", negation(named))
        & implies(does == "exit", (after.life[call.process] == NO_PROCESS) & (negation(made) | (after.descriptor[fd] == FREE_FD)))
    )


@step_property(seed="EVT-5 SOCK-4 PART-5 SHM-1 REG-5 MAP-2 FILE-4")
def written_is_there(before: System, after: System, call: Call) -> bool:
    """What is written is there to be read; what is read of an event is cleared; what is permitted, forbidden, started, stopped or
    carried is so."""
    does, place = call.operation, call.place
    behind = before.file_region[before.fd_file[call.fd]]
    return (
        implies(does == "write_memory", after.content[call.region, place] == call.data)
        & implies(does == "write_mapped", after.content[call.address, place] == call.data)
        & implies(does == "write_file", after.content[behind, place] == call.data)
        & implies(does == "write_shared", after.shared_content[call.shared, place] == call.data)
        & implies(does == "read_event", negation(after.pending[call.receiver]))
        & implies(does == "permit", negation(after.forbidden[call.service, call.partition]))
        & implies(does == "forbid", after.forbidden[call.service, call.partition])
        & implies(does == "start_processor", after.processor_runs[call.processor])
        & implies(does == "stop_processor", negation(after.processor_runs[call.processor]))
        & implies(does == "map_processor", after.carried_on[call.processor, call.physical])
        & implies(does == "unmap_processor", negation(after.carried_on[call.processor, call.physical]))
        & implies(does == "create_process", after.life[call.process] == RUNNING)
    )
