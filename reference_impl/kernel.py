"""The kernel of the system control OS: sockets over message channels, with waiting and select (seed 0079-0123).

A system call is a method marked as such; it takes the calling process first and returns plain data, or SUSPENDED
when the answer comes late, or raises Refused.  The control OS tells of arrivals by the upcalls at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .calls import system_call
from .descriptors import OpenFile, Process, Socket, Suspended
from .files import Files
from .machine import Machine
from .objects import Message, Partition, Port, Refused, Signal, need

MODES = ("FILE", "MAPPED")
BUFFERS = ("GOOD", "SMALL", "BAD")

Ready = dict[str, list[int]]


@dataclass(eq=False)
class Selection:
    """A process suspended in select, and what it watches."""

    process: Process
    reading: dict[int, Socket]
    writing: dict[int, Socket]


class Kernel(Files):
    """Socket layer, select, and the end of descriptors and processes."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.services: dict[int, Socket] = {}
        self.forbidden: set[tuple[int, Partition]] = set()
        self.behind: dict[Port, Socket] = {}
        self.selecting: list[Selection] = []
        self.to_be_looked_at = False

    # -- services --

    @system_call
    def socket(self, process: Process, mode: str) -> int:
        fd = self.free_descriptor()
        self.table[fd] = Socket(process, mode)
        return fd

    @system_call
    def bind(self, process: Process, fd: int, service: int) -> None:
        bound = self.socket_at(fd)
        need(bound.status == "CREATED", "EINVAL")
        need(service not in self.services, "EADDRINUSE")
        bound.status, bound.service = "BOUND", service
        self.services[service] = bound

    @system_call
    def listen(self, process: Process, fd: int, backlog: int) -> None:
        listener = self.socket_at(fd)
        need(listener.status in ("BOUND", "LISTENING"), "EINVAL")
        need(self.waiting_at(listener) <= backlog, "EBUSY")
        listener.status, listener.bound = "LISTENING", backlog

    def waiting_at(self, listener: Socket) -> int:
        return len(listener.backlog)

    @system_call
    def permit(self, process: Process, service: int, partition: str) -> None:
        self.forbidden.discard((service, self.machine.active(partition)))

    @system_call
    def forbid(self, process: Process, service: int, partition: str) -> None:
        guest = self.machine.active(partition)
        self.forbidden.add((service, guest))
        listener = self.listener_at(service)
        if listener is not None and not self.is_permitted(guest, service):
            for signal in [s for s in listener.backlog if s.source is guest]:
                self.refuse_waiting(listener, signal)

    def refuse_waiting(self, listener: Socket, signal: Signal) -> None:
        self.machine.answer_no(signal)

    def is_permitted(self, guest: Partition, service: int) -> bool:
        """Permissions are of the service, whoever binds it; who is not forbidden is permitted (seed 0096)."""
        return (service, guest) not in self.forbidden

    def listener_at(self, service: int) -> Socket | None:
        listener = self.services.get(service)
        return listener if listener is not None and listener.status == "LISTENING" else None

    # -- connections --

    @system_call
    def accept_socket(self, process: Process, fd: int, wait: bool) -> int | Suspended:
        listener = self.socket_at(fd)
        need(listener.status == "LISTENING", "EINVAL")
        need(listener.backlog or wait, "EAGAIN")
        made = self.free_descriptor()
        self.need_room_for_port()
        accepted = Socket(process, listener.mode, "SET_ASIDE")
        self.table[made] = accepted
        self.give_port(accepted)
        if listener.backlog:
            self.connect_to(accepted, listener.backlog[0])
            return made
        # what the answer needs is set aside now, so that a late accept cannot fail
        listener.acceptors.append((process, made))
        return self.suspend(process)

    def connect_to(self, accepted: Socket, signal: Signal) -> None:
        """Let a waiting request have its channel: both ends stand at once."""
        client, server = signal.asks, accepted.port
        assert isinstance(client, Port)
        assert server is not None
        self.machine.withdraw(signal)
        accepted.status = "CONNECTED"
        self.machine.join(client, server)

    @system_call
    def connect_socket(self, process: Process, fd: int, partition: str, service: int) -> Suspended:
        client = self.socket_at(fd)
        need(client.status != "CONNECTED", "EISCONN")
        need(client.status != "CONNECTING", "EALREADY")
        need(client.status == "CREATED", "EINVAL")
        target = self.machine.other_side(self.machine.system, partition)
        self.need_room_for_port()
        self.machine.need_room_for_signal(self.machine.system)
        port = self.give_port(client)
        self.machine.request_channel(port, target, service)
        client.status, client.connector = "CONNECTING", process
        return self.suspend(process)

    def need_room_for_port(self) -> None:
        self.machine.need_room_for_receiver(self.machine.system)
        self.machine.need_room_for_port()

    def give_port(self, socket: Socket) -> Port:
        port = self.machine.new_port(self.machine.new_receiver(self.machine.system), kernel=True)
        socket.port = port
        self.behind[port] = socket
        return port

    def drop_port(self, socket: Socket) -> None:
        if socket.port is not None:
            port, socket.port = socket.port, None
            del self.behind[port]
            self.machine.destroy_port(port)
            self.machine.drop_receiver(port.receiver)

    # -- messages --

    def connected_at(self, fd: int) -> tuple[Socket, Port]:
        socket = self.socket_at(fd)
        if socket.status != "CONNECTED" or socket.port is None:
            raise Refused("ENOTCONN")
        return socket, socket.port

    @system_call
    def read_socket(self, process: Process, fd: int, buffer: str, wait: bool) -> dict[str, Any] | Suspended:
        socket, port = self.connected_at(fd)
        self.check_buffer(port, buffer)
        if port.inbox:
            return self.take_in(process, socket, self.machine.take_message(port))
        if port.status == "PEER_CLOSED":
            return self.end_of_file()
        need(wait, "EAGAIN")
        socket.readers.append(process)
        return self.suspend(process)

    def check_buffer(self, port: Port, buffer: str) -> None:
        """Refuse a buffer that the message cannot be copied to; the message stays."""
        need(buffer != "BAD", "EFAULT")
        need(buffer != "SMALL", "EMSGSIZE")

    def take_in(self, process: Process, socket: Socket, message: Message) -> dict[str, Any]:
        """A message as its reader gets it: its region a new file, or mapped into the process (seed 0098, 0100)."""
        file = address = None
        if message.region is not None and socket.mode == "FILE":
            file = self.new_file(message.region).handle
        elif message.region is not None:
            address = self.map_into(process, message.region)
        return {"file": file, "address": address, "short": message.short, "end": False}

    def end_of_file(self) -> dict[str, Any]:
        return {"file": None, "address": None, "short": None, "end": True}

    @system_call
    def getpeername(self, process: Process, fd: int) -> str:
        """Which partition is at the other end of a channel that stands."""
        port = self.socket_at(fd).port
        if port is None or port.peer is None:
            raise Refused("ENOTCONN")
        return port.peer.owner.handle

    @system_call
    def send_file(self, process: Process, fd: int, file: str | None, short: str | None) -> None:
        peer = self.peer_of(fd, "FILE")
        sent = None if file is None else self.named(file)
        region = None if sent is None else sent.region
        self.machine.check_message(peer, region, short)
        if sent is not None and region is not None:
            self.revoke(sent, region)
        self.machine.move(peer, region, short)

    @system_call
    def send_mapped(self, process: Process, fd: int, address: str | None, short: str | None) -> None:
        peer = self.peer_of(fd, "MAPPED")
        need(address is None or address in process.regions, "EINVAL")
        region = None if address is None else process.regions[address]
        self.machine.check_message(peer, region, short)
        if address is not None:
            self.take_from(process, address)
        self.machine.move(peer, region, short)

    def take_from(self, process: Process, address: str) -> None:
        """The mapping in the process goes when its region is sent (seed 0105)."""
        self.unmap_from(process, address)

    def peer_of(self, fd: int, mode: str) -> Port:
        socket, port = self.connected_at(fd)
        need(socket.mode == mode, "EINVAL")
        if port.peer is None:
            raise Refused("EPIPE")
        return port.peer

    # -- select --

    @system_call
    def select(self, process: Process, reading: list[int], writing: list[int], wait: bool) -> Ready | Suspended:
        read = {fd: self.socket_at(fd) for fd in sorted(reading)}
        write = {fd: self.socket_at(fd) for fd in sorted(writing)}
        need(all(s.status in ("LISTENING", "CONNECTED") for s in read.values()), "EINVAL")
        need(all(s.status == "CONNECTED" for s in write.values()), "EINVAL")
        need(read or write, "EINVAL")
        ready = self.look(read, write)
        if ready["reading"] or ready["writing"]:
            return ready
        need(wait, "EAGAIN")
        self.selecting.append(Selection(process, read, write))
        return self.suspend(process)

    def look(self, reading: dict[int, Socket], writing: dict[int, Socket]) -> Ready:
        """What of the watched is ready now; nothing is taken."""
        return {
            "reading": [fd for fd, socket in reading.items() if self.is_readable(socket)],
            "writing": [fd for fd, socket in writing.items() if self.is_writable(socket)],
        }

    def is_readable(self, socket: Socket) -> bool:
        port = socket.port
        return bool(socket.backlog) or (port is not None and (bool(port.inbox) or port.status == "PEER_CLOSED"))

    def is_writable(self, socket: Socket) -> bool:
        """Whether a write would be answered at once, with room for it or with EPIPE."""
        port = socket.port
        return port is not None and (port.peer is None or self.machine.has_queue_room(port.peer))

    def may_be_ready(self) -> None:
        """Something may have become ready: once the call is done, every process in select looks again, and is told all that the
        call did, the end of several channels, say."""
        self.to_be_looked_at = True

    def call_is_done(self) -> None:
        if self.to_be_looked_at:
            self.to_be_looked_at = False
            self.wake_selects()

    def wake_selects(self) -> None:
        """Every process in select looks again, and those that find something are woken."""
        for selection, ready in self.ready_selects():
            self.wake(selection, ready)

    def ready_selects(self) -> Iterator[tuple[Selection, Ready]]:
        """Those in select who find something, one after the other, and what."""
        for selection in list(self.selecting):
            ready = self.look(selection.reading, selection.writing)
            if ready["reading"] or ready["writing"]:
                yield selection, ready

    def wake(self, selection: Selection, ready: Ready) -> None:
        self.selecting.remove(selection)
        self.resume(selection.process, ready)

    # -- ends --

    @system_call
    def close(self, process: Process, fd: int) -> None:
        entry = self.table.get(fd)
        if isinstance(entry, OpenFile):
            del self.table[fd]
            self.close_file(entry)
        else:
            self.close_socket(fd, self.socket_at(fd))

    def close_socket(self, fd: int, socket: Socket) -> None:
        del self.table[fd]
        self.cancel_acceptors(socket)
        self.cancel_waiters(socket)
        self.cancel_selects(socket)
        for signal in list(socket.backlog):
            self.machine.answer_no(signal)
        if socket.service is not None and self.services.get(socket.service) is socket:
            del self.services[socket.service]
        self.drop_port(socket)

    def cancel_acceptors(self, socket: Socket) -> None:
        """Processes suspended in accept get ECANCELED, and what was set aside for them is free again."""
        while socket.acceptors:
            process, fd = socket.acceptors.popleft()
            aside = self.table.pop(fd)
            assert isinstance(aside, Socket)
            self.drop_port(aside)
            self.resume_refused(process, "ECANCELED")

    def cancel_waiters(self, socket: Socket) -> None:
        while socket.readers:
            self.resume_refused(socket.readers.popleft(), "ECANCELED")
        if socket.connector is not None:
            process, socket.connector = socket.connector, None
            self.resume_refused(process, "ECANCELED")

    def cancel_selects(self, socket: Socket) -> None:
        for selection in list(self.selecting):
            if socket in [*selection.reading.values(), *selection.writing.values()]:
                self.selecting.remove(selection)
                self.resume_refused(selection.process, "ECANCELED")

    @system_call
    def exit(self, process: Process) -> None:
        """As closing and releasing everything that the process has."""
        for fd in sorted(fd for fd, entry in self.table.items() if entry.maker is process):
            self.close(process, fd)
        self.release_all(process)
        del self.processes[process.handle]

    # -- upcalls of the control OS --

    def admits(self, source: Partition, service: int) -> bool:
        """Whether a request would be taken in: by a listener that is there, for one permitted, with a place to wait."""
        listener = self.listener_at(service)
        if listener is None or not self.is_permitted(source, service):
            return False
        return bool(listener.acceptors) or self.waiting_at(listener) < listener.bound

    def requested(self, signal: Signal) -> None:
        assert signal.service is not None
        listener = self.listener_at(signal.service)
        assert listener is not None
        self.machine.enqueue(signal, listener.backlog)
        if listener.acceptors:
            process, fd = listener.acceptors.popleft()
            aside = self.table[fd]
            assert isinstance(aside, Socket)
            self.connect_to(aside, signal)
            self.resume(process, fd)
        else:
            self.may_be_ready()

    def delivered(self, port: Port, message: Message) -> None:
        socket = self.behind[port]
        if not socket.readers:
            self.machine.queue_message(port, message)
            self.may_be_ready()
            return
        process = socket.readers.popleft()
        if message.region is not None:
            message.region.queued = False
        self.resume(process, self.take_in(process, socket, message))

    def drained(self, port: Port) -> None:
        self.may_be_ready()

    def hung_up(self, port: Port) -> None:
        socket = self.behind[port]
        while socket.readers:
            self.resume(socket.readers.popleft(), self.end_of_file())
        self.may_be_ready()

    def accepted(self, port: Port) -> None:
        socket = self.behind[port]
        process, socket.connector, socket.status = socket.connector, None, "CONNECTED"
        if process is not None:
            self.resume(process, None)

    def refused(self, port: Port) -> None:
        socket = self.behind[port]
        process, socket.connector, socket.status = socket.connector, None, "CREATED"
        self.drop_port(socket)
        if process is not None:
            self.resume_refused(process, "ECONNREFUSED")

    def ended(self, partition: Partition) -> None:
        self.forbidden = {(service, guest) for service, guest in self.forbidden if guest is not partition}
