"""Real bugs of the last ten years, planted, in one file where a name finds each: another wing of the museum, beside `bugs`.

Those of `bugs` are what the checkers were made with; these were chosen without asking what finds them.  `BUGS` maps a name to
what makes the variant; `py:oneowner.reference_impl.newer_bugs:NAME` reaches it behind the interface.  Where each bug comes from
stands in the museum's catalogue, and calls that show it in its test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .control_os import ControlOS, Interface
from .descriptors import SUSPENDED, File, OpenFile, Process, Socket, Suspended
from .kernel import Kernel, Ready, Selection
from .machine import Machine
from .memory import AddressSpace
from .objects import (
    MANAGEMENT_MEMORY,
    Message,
    Partition,
    Port,
    Receiver,
    Refused,
    Region,
    SharedRegion,
    Signal,
    need,
)
from .variants import Variant, behind, with_kernel


class LimitMissedByReceivers(ControlOS):
    """A receiver is refused only where the table is full: the limit of its owner is not looked at."""

    def need_room_for_receiver(self, owner: Partition) -> None:
        need(len(self.receivers) < self.topology["receivers"], "ENOMEM")


class QuotaMissedByRequests(ControlOS):
    """Requests for resources are not held against the limit of management memory; signals are."""

    def request_resource(self, caller: Partition, kind: str, amount: int) -> str:
        limits = dict(caller.limit)
        caller.limit.pop(MANAGEMENT_MEMORY, None)
        try:
            return super().request_resource(caller, kind, amount)
        finally:
            caller.limit = limits


class GivenAwayOverQuota(ControlOS):
    """What a process gives away is not held against the limit of who gets it."""

    def check_message(self, peer: Port, sent: Region | None, short: str | None) -> None:
        super().check_message(peer, None if sent is not None and sent.claimed else sent, short)


class LongShortFromProcess(ControlOS):
    """The length of a short message is looked at in a send, and not where a process writes it to a socket."""

    def check_message(self, peer: Port, sent: Region | None, short: str | None) -> None:
        written = peer.peer is not None and peer.peer.kernel
        super().check_message(peer, sent, None if written else short)


class FreedWhileMapped(ControlOS):
    """The system control OS may free a region that a file stands for, or that is mapped in a process."""

    def free(self, caller: Partition, region: str) -> None:
        freed = self.own_region(caller, region)
        need(not freed.queued, "EBUSY")
        self.release_region(freed)


class RefusalAnsweredAsSuccess(ControlOS):
    """A request to attach for which there is no memory is answered as if it had been made."""

    def request_attach(self, caller: Partition, partition: str, shared: str) -> None:
        try:
            super().request_attach(caller, partition, shared)
        except Refused as refused:
            if refused.error != "ENOMEM":
                raise


class TakenRequestDiesSilently(ControlOS):
    """A partition ends that has taken a request and not answered it: who asked is told nothing."""

    def end(self, partition: Partition) -> None:
        for signal in list(partition.taken.values()):
            self.withdraw(signal)
        super().end(partition)


class RequestOutlivesConnect(ControlOS):
    """A socket is closed that waits to be connected, and its request stays to be taken."""

    def destroy_port(self, port: Port) -> None:
        if port.kernel:
            port.request = None
        super().destroy_port(port)


class OverflowOvertaken(ControlOS):
    """A full queue of which one message was taken: the next to come overtakes those that are left."""

    def __init__(self, topology: dict[str, int]) -> None:
        super().__init__(topology)
        self.flushing: set[Port] = set()

    def take_message(self, port: Port) -> Message:
        self.flushing.discard(port)
        if not self.has_queue_room(port):
            self.flushing.add(port)
        return super().take_message(port)

    def queue_message(self, port: Port, message: Message) -> None:
        super().queue_message(port, message)
        if port in self.flushing:
            port.inbox.rotate(1)
        self.flushing.discard(port)


class SecondEndNotTold(ControlOS):
    """A partition that closed a channel passes for gone: when it ends, the peers of its other channels are not told."""

    def __init__(self, topology: dict[str, int]) -> None:
        super().__init__(topology)
        self.gone: set[Partition] = set()

    def close_port(self, caller: Partition, port: str) -> None:
        connected = self.own_port(caller, port).peer is not None
        super().close_port(caller, port)
        if connected:
            self.gone.add(caller)

    def tell_peer(self, port: Port) -> None:
        if port.owner.active or port.owner not in self.gone:
            super().tell_peer(port)


class EmptyMessageLeaksRoom(ControlOS):
    """A message that carries nothing takes a place in the queue, and gives none back when it is received."""

    def __init__(self, topology: dict[str, int]) -> None:
        super().__init__(topology)
        self.leaked: dict[Port, int] = {}

    def take_message(self, port: Port) -> Message:
        message = super().take_message(port)
        if message.region is None and message.short is None:
            self.leaked[port] = self.leaked.get(port, 0) + 1
        return message

    def has_queue_room(self, port: Port) -> bool:
        return len(port.inbox) + self.leaked.get(port, 0) < self.topology["queue_depth"]


class CreditUnderflows(ControlOS):
    """Messages sent and taken are counted modulo twice the depth of the queue, and the difference is not: it is negative where
    only the one has wrapped, so that a full queue has room."""

    def __init__(self, topology: dict[str, int]) -> None:
        super().__init__(topology)
        self.sent: dict[Port, int] = {}
        self.taken: dict[Port, int] = {}

    def count(self, counts: dict[Port, int], port: Port) -> None:
        counts[port] = (counts.get(port, 0) + 1) % (2 * self.topology["queue_depth"])

    def queue_message(self, port: Port, message: Message) -> None:
        super().queue_message(port, message)
        self.count(self.sent, port)

    def take_message(self, port: Port) -> Message:
        self.count(self.taken, port)
        return super().take_message(port)

    def has_queue_room(self, port: Port) -> bool:
        return self.sent.get(port, 0) - self.taken.get(port, 0) < self.topology["queue_depth"]


class RefusedDesignationDropsFormer(ControlOS):
    """Designating a receiver that serves something else is refused, and the one designated before is forgotten."""

    def designate_receiver(self, caller: Partition, receiver: str) -> None:
        try:
            super().designate_receiver(caller, receiver)
        except Refused as refused:
            if refused.error == "EISCONN" and caller.signal_receiver is not None:
                caller.signal_receiver.serves = None
                caller.signal_receiver = None
            raise


class LastPageNotScrubbed(ControlOS):
    """The pages of freed memory are counted wrongly, and the last one is not scrubbed."""

    def scrub_region(self, region: Region | SharedRegion) -> None:
        for frame in region.frames[:-1]:
            self.memory.scrub(frame)


class AnswerNotCleared(ControlOS):
    """The answer to a receive is written over the last one: where a message has no short one, that of an earlier is in it."""

    def __init__(self, topology: dict[str, int]) -> None:
        super().__init__(topology)
        self.left: str | None = None

    def receive(self, caller: Partition, port: str) -> dict[str, Any]:
        received = super().receive(caller, port)
        if received["short"] is not None:
            self.left = received["short"]
        return received | {"short": self.left}


class DetachLeavesAttachment(ControlOS):
    """Who detaches loses the mapping, and counts as attached."""

    def detach(self, caller: Partition, shared: str) -> None:
        super().detach(caller, shared)
        self.shareds[shared].attached.add(caller)


class WriteWithoutEffect(ControlOS):
    """A write to shared memory of another's answers that it is done, and is not."""

    def write_shared(self, caller: Partition, shared: str, place: int, data: str) -> None:
        if self.attached_shared(caller, shared, "EFAULT").owner is caller:
            super().write_shared(caller, shared, place, data)


class OwnEventLost(ControlOS):
    """A partition is not told of an event that it sends itself."""

    def send_event(self, caller: Partition, sender: str) -> None:
        target = self.own_sender(caller, sender).target
        was_pending = target is not None and target.pending
        super().send_event(caller, sender)
        if target is not None and target.owner is caller:
            target.pending = was_pending


class DesignatedReceiverOutlives(ControlOS):
    """At the end of a partition the receiver that told of its signals stays in the table."""

    def drop_event_ports(self, partition: Partition) -> None:
        designated = partition.signal_receiver
        super().drop_event_ports(partition)
        if designated is not None:
            self.receivers[designated.handle] = designated


class AsideKeptUnlessUsed(ControlOS):
    """Memory that is set aside for a partition is free at its end only if the partition had other memory."""

    def end(self, partition: Partition) -> None:
        used = any(region.owner is partition for region in self.regions.values())
        kept = {} if used else {address: region for address, region in self.aside.items() if region.owner is partition}
        for address in kept:
            del self.aside[address]
        super().end(partition)
        self.aside |= kept


class DoubleFreeAtEnd(ControlOS):
    """What waits at a port of a partition that ends is freed twice, so that two get the same memory next."""

    def discard_messages(self, port: Port) -> None:
        waiting = [message.region.frames for message in port.inbox if message.region is not None]
        super().discard_messages(port)
        if not port.owner.active:
            for frames in waiting:
                self.memory.give_back(frames)


class ClosedSocketKeepsMessages(ControlOS):
    """A socket is closed without draining what waits in it: those regions are nobody's to free."""

    def discard_messages(self, port: Port) -> None:
        if port.kernel:
            port.inbox.clear()
        super().discard_messages(port)


class SharedOutlivesOwner(ControlOS):
    """Shared memory is freed at the end of its owner, and stays mapped at the others."""

    def drop_shared(self, shared: SharedRegion) -> None:
        others = shared.attached - {shared.owner}
        super().drop_shared(shared)
        if others:
            self.shareds[shared.handle] = shared
        for partition in others:
            self.attach(partition, shared)


class SharedWithSystemNotCounted(ControlOS):
    """Shared memory is destroyed though the system control OS is attached to it: only guests are thought to be."""

    def destroy_shared(self, caller: Partition, shared: str) -> None:
        destroyed = self.shareds.get(shared)
        if destroyed is not None and destroyed.attached == {caller, self.system} != {self.system}:
            self.take_off(self.system, destroyed)
        super().destroy_shared(caller, shared)


class GuestDeathWakesNobody(ControlOS):
    """The processes that wait on a channel are told when its other side closes, and not when the guest there ends."""

    def tell_peer(self, port: Port) -> None:
        peer = port.peer
        if peer is None or port.owner.active or not peer.kernel:
            super().tell_peer(port)
            return
        peer.status, peer.peer, port.peer = "PEER_CLOSED", None, None
        self.raise_event(peer.receiver)


class DestroyedReceiverStaysTarget(ControlOS):
    """A receiver is destroyed, and the sender that it served goes on sending to it."""

    def drop_receiver(self, receiver: Receiver) -> None:
        receiver.serves = None
        super().drop_receiver(receiver)


class CancelledStaysTaken(ControlOS):
    """A request that was taken stays so when it is cancelled, and can be accepted."""

    def cancel(self, caller: Partition, port: str) -> None:
        request = self.own_port(caller, port).request
        was_taken = request is not None and request.handle in request.target.taken
        super().cancel(caller, port)
        if request is not None and was_taken:
            request.target.taken[request.handle] = request
            self.signals[request.handle] = request


class LimitLiftedAtBoot(ControlOS):
    """The limits that were set before a guest is booted are not there after it."""

    def boot(self, caller: Partition, partition: str) -> None:
        super().boot(caller, partition)
        self.partitions[partition].limit.clear()


class BacklogOfOneMore(Kernel):
    """A backlog is full only with one request more than it may hold."""

    def admits(self, source: Partition, service: int) -> bool:
        listener = self.listener_at(service)
        if listener is None or not self.is_permitted(source, service):
            return False
        return bool(listener.acceptors) or self.waiting_at(listener) <= listener.bound


class BacklogOfNoneAdmitsNobody(Kernel):
    """With a backlog of 0 every request is refused, even where a process waits in accept for it."""

    def admits(self, source: Partition, service: int) -> bool:
        listener = self.listener_at(service)
        return listener is not None and listener.bound > 0 and super().admits(source, service)


class SelectSkipsDead(Kernel):
    """A select passes over descriptors that are not there, if it watches another."""

    def select(self, process: Process, reading: list[int], writing: list[int], wait: bool) -> Ready | Suspended:
        there = [fd for fd in reading if fd in self.table]
        return super().select(process, there or reading, writing, wait)


class ListenerIsWritable(Kernel):
    """A select takes a socket that listens for one that can be written to."""

    def select(self, process: Process, reading: list[int], writing: list[int], wait: bool) -> Ready | Suspended:
        listening = [fd for fd in sorted(writing) if self.socket_at(fd).status == "LISTENING"]
        return {"reading": [], "writing": listening} if listening else super().select(process, reading, writing, wait)


class DescriptorsWithoutHoles(Kernel):
    """The next descriptor is as many as there are: where one below was closed it is in use, and what it stands for is lost."""

    def free_descriptor(self) -> int:
        super().free_descriptor()
        return len(self.table)


class ConnectSurvivesClose(Kernel):
    """A socket is closed that waits to be connected, and the process that is suspended in the connect is not told."""

    def cancel_waiters(self, socket: Socket) -> None:
        socket.connector = None
        super().cancel_waiters(socket)


class ReadHangsAtTheEnd(Kernel):
    """A read that finds nothing left after the peer has closed is suspended, for ever."""

    def read_socket(self, process: Process, fd: int, buffer: str, wait: bool) -> dict[str, Any] | Suspended:
        answer = super().read_socket(process, fd, buffer, wait)
        if not isinstance(answer, Suspended) and answer["end"] and wait:
            self.connected_at(fd)[0].readers.append(process)
            return self.suspend(process)
        return answer


class ClosedListenerEndsChannel(Kernel):
    """Who waits in the backlog of a listener that closes is not refused: the port is as if it had had a channel that ended."""

    def close_socket(self, fd: int, socket: Socket) -> None:
        waiting = [signal.asks for signal in socket.backlog]
        super().close_socket(fd, socket)
        for port in waiting:
            if isinstance(port, Port):
                port.status = "PEER_CLOSED"


class EndWakesOneReader(Kernel):
    """The end of a channel is told to the reader that waits longest, and to no other."""

    def hung_up(self, port: Port) -> None:
        readers = self.behind[port].readers
        if readers:
            self.resume(readers.popleft(), self.end_of_file())
        self.may_be_ready()


class WatchedBothWays(Kernel):
    """A suspended select that watches a descriptor to read and to write is told only of what there is to read."""

    def select(self, process: Process, reading: list[int], writing: list[int], wait: bool) -> Ready | Suspended:
        answer = super().select(process, reading, writing, wait)
        if answer is SUSPENDED:
            for fd in reading:
                self.selecting[-1].writing.pop(fd, None)
        return answer


class RoomToldWhenEmpty(Kernel):
    """Who waits to write is told of room when the other side has taken everything, not when it has taken something."""

    def drained(self, port: Port) -> None:
        if port.peer is None or not port.peer.inbox:
            super().drained(port)


class OneSelectWoken(Kernel):
    """Of several processes in select for which there is something, only the first is woken."""

    def wake_selects(self) -> None:
        for selection, ready in self.ready_selects():
            self.wake(selection, ready)
            return


class ReadyStopsAtFirst(Kernel):
    """A select looks no further than the first descriptor that is ready."""

    def look(self, reading: dict[int, Socket], writing: dict[int, Socket]) -> Ready:
        return {way: ready[:1] for way, ready in super().look(reading, writing).items()}


class AnswersWhatWasWatched(Kernel):
    """A select that is woken is answered with all that it watches, ready or not."""

    def wake(self, selection: Selection, ready: Ready) -> None:
        super().wake(selection, {"reading": list(selection.reading), "writing": list(selection.writing)})


class RefusedSocketCannotRetry(Kernel):
    """A socket whose connection was refused keeps the error: every further connect is refused with it."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.failed: set[Socket] = set()

    def refused(self, port: Port) -> None:
        self.failed.add(self.behind[port])
        super().refused(port)

    def connect_socket(self, process: Process, fd: int, partition: str, service: int) -> Suspended:
        need(self.socket_at(fd) not in self.failed, "ECONNREFUSED")
        return super().connect_socket(process, fd, partition, service)


class ExitLeavesSelects(Kernel):
    """A process exits, and who waits in select on a descriptor that it made is not told, as a close would."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.exiting = False

    def exit(self, process: Process) -> None:
        self.exiting = True
        super().exit(process)
        self.exiting = False

    def cancel_selects(self, socket: Socket) -> None:
        if not self.exiting:
            super().cancel_selects(socket)


class FlushMissesLate(Kernel):
    """Closing a listener refuses the oldest request that waits there, and leaves those behind it waiting."""

    def close_socket(self, fd: int, socket: Socket) -> None:
        while len(socket.backlog) > 1:
            socket.backlog.pop()
        super().close_socket(fd, socket)


class LateReadIsTheMakers(Kernel):
    """A read that is completed late is done on behalf of who made the socket: the region is mapped into that process."""

    def delivered(self, port: Port, message: Message) -> None:
        socket = self.behind[port]
        if not socket.readers:
            super().delivered(port, message)
            return
        process = socket.readers.popleft()
        if message.region is not None:
            message.region.queued = False
        self.resume(process, self.take_in(socket.maker, socket, message))


class ConnectionUnbindsNextListener(Kernel):
    """Closing a connection cleans up after the listener that it came from, by the number of its service: whoever has that now
    loses it."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.accepted_at: dict[Socket, Socket] = {}

    def connect_to(self, accepted: Socket, signal: Signal) -> None:
        assert signal.service is not None
        self.accepted_at[accepted] = self.services[signal.service]
        super().connect_to(accepted, signal)

    def close_socket(self, fd: int, socket: Socket) -> None:
        super().close_socket(fd, socket)
        listener = self.accepted_at.pop(socket, None)
        if listener is not None and listener.service is not None and listener not in self.services.values():
            self.services.pop(listener.service, None)


class UntouchedMappingStays(Kernel):
    """The end of a mapping clears the pages only if the process has used them."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.touched: set[tuple[Process, str]] = set()

    def read_mapped(self, process: Process, address: str, place: int) -> str:
        self.touched.add((process, address))
        return super().read_mapped(process, address, place)

    def write_mapped(self, process: Process, address: str, place: int, data: str) -> None:
        self.touched.add((process, address))
        super().write_mapped(process, address, place, data)

    def clear_pages(self, process: Process, region: Region) -> None:
        if (process, f"{region.address:#x}") in self.touched:
            super().clear_pages(process, region)


class CloseEndsUse(Kernel):
    """The first close of an open file marks its region as unused, though the file is still there."""

    def close_file(self, closed: OpenFile) -> None:
        super().close_file(closed)
        if closed.file.region is not None:
            closed.file.region.claimed = False


class SentRegionKeepsClaim(Kernel):
    """A region that is sent as a file goes on being marked as one: who gets it can neither free it nor send it on."""

    def revoke(self, file: File, region: Region) -> None:
        super().revoke(file, region)
        region.claimed = True


class RefusedSendKeepsFile(Kernel):
    """A refused write of a file keeps a reference to the file, which is never given back."""

    def send_file(self, process: Process, fd: int, file: str | None, short: str | None) -> None:
        try:
            super().send_file(process, fd, file, short)
        except Refused as refused:
            if file in self.names and refused.error in ("EMSGSIZE", "EAGAIN", "ENOMEM"):
                self.named(file).opened += 1
            raise


class RefusedAcceptKeepsDescriptor(Kernel):
    """An accept for which there is no port keeps the descriptor that it would have answered with."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        # no process has what is leaked, so that none closes it at its exit
        self.nobody = Process("nobody", AddressSpace(machine.memory))

    def accept_socket(self, process: Process, fd: int, wait: bool) -> int | Suspended:
        try:
            return super().accept_socket(process, fd, wait)
        except Refused as refused:
            if refused.error == "ENOMEM":
                self.table[self.free_descriptor()] = Socket(self.nobody, "FILE", "SET_ASIDE")
            raise


class RefusedConnectKeepsPort(Kernel):
    """A connect for which there is no signal keeps the port and the receiver that it had made by then."""

    def connect_socket(self, process: Process, fd: int, partition: str, service: int) -> Suspended:
        try:
            return super().connect_socket(process, fd, partition, service)
        except Refused as refused:
            if refused.error == "ENOMEM":
                self.need_room_for_port()
                self.machine.new_port(self.machine.new_receiver(self.machine.system), kernel=True)
            raise


class RefusedConnectUnbinds(Kernel):
    """A connect on a socket that is bound is refused, and the socket loses its service."""

    def connect_socket(self, process: Process, fd: int, partition: str, service: int) -> Suspended:
        bound = self.socket_at(fd)
        if bound.status in ("BOUND", "LISTENING") and bound.service is not None:
            self.services.pop(bound.service, None)
        return super().connect_socket(process, fd, partition, service)


class WrittenAfterRescind(Kernel):
    """A short message written to a channel whose other side has closed is taken in, and goes nowhere."""

    def send_file(self, process: Process, fd: int, file: str | None, short: str | None) -> None:
        try:
            super().send_file(process, fd, file, short)
        except Refused as refused:
            if refused.error != "EPIPE" or file is not None:
                raise


class PeernameOutlivesPeer(Kernel):
    """Who is at the other end is looked up once, and answered after that channel has ended."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.peers: dict[Socket, str] = {}

    def getpeername(self, process: Process, fd: int) -> str:
        socket = self.socket_at(fd)
        if socket not in self.peers:
            self.peers[socket] = super().getpeername(process, fd)
        return self.peers[socket]


class LastDatumIsPastTheEnd(Kernel):
    """A write that ends exactly where the file does is taken for one past its end."""

    def write_file(self, process: Process, fd: int, place: int | None, data: str) -> None:
        self.region_of(self.file_at(fd))
        if place is not None:
            need(place + len(bytes.fromhex(data)) < self.machine.region_size, "ENOSPC")
        super().write_file(process, fd, place, data)


class GrantedOnceForGood(Kernel):
    """That a guest is permitted at a service is remembered, and a later forbid not asked."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.granted: set[tuple[int, Partition]] = set()

    def is_permitted(self, guest: Partition, service: int) -> bool:
        if super().is_permitted(guest, service):
            self.granted.add((service, guest))
        return (service, guest) in self.granted


class ExitLeavesFilesOpen(Kernel):
    """The exit of a process closes its sockets, and not the files that it has open."""

    def exit(self, process: Process) -> None:
        files = {fd: entry for fd, entry in self.table.items() if isinstance(entry, OpenFile) and entry.maker is process}
        for fd in files:
            del self.table[fd]
        super().exit(process)
        self.table |= files


class SecondOpenNotCounted(Kernel):
    """A file that is open twice counts as open once: the first close is taken for the last."""

    def open(self, process: Process, file: str) -> int:
        fd = super().open(process, file)
        self.named(file).opened = 1
        return fd


BUGS: dict[str, Variant] = {
    "limit_missed_by_receivers": LimitMissedByReceivers,
    "quota_missed_by_requests": QuotaMissedByRequests,
    "given_away_over_quota": GivenAwayOverQuota,
    "long_short_from_process": LongShortFromProcess,
    "freed_while_mapped": FreedWhileMapped,
    "refusal_answered_as_success": RefusalAnsweredAsSuccess,
    "taken_request_dies_silently": TakenRequestDiesSilently,
    "request_outlives_connect": RequestOutlivesConnect,
    "overflow_overtaken": OverflowOvertaken,
    "second_end_not_told": SecondEndNotTold,
    "empty_message_leaks_room": EmptyMessageLeaksRoom,
    "credit_underflows": CreditUnderflows,
    "refused_designation_drops_former": RefusedDesignationDropsFormer,
    "last_page_not_scrubbed": LastPageNotScrubbed,
    "answer_not_cleared": AnswerNotCleared,
    "detach_leaves_attachment": DetachLeavesAttachment,
    "write_without_effect": WriteWithoutEffect,
    "own_event_lost": OwnEventLost,
    "designated_receiver_outlives": DesignatedReceiverOutlives,
    "aside_kept_unless_used": AsideKeptUnlessUsed,
    "double_free_at_end": DoubleFreeAtEnd,
    "closed_socket_keeps_messages": ClosedSocketKeepsMessages,
    "shared_outlives_owner": SharedOutlivesOwner,
    "shared_with_system_not_counted": SharedWithSystemNotCounted,
    "guest_death_wakes_nobody": GuestDeathWakesNobody,
    "destroyed_receiver_stays_target": DestroyedReceiverStaysTarget,
    "cancelled_stays_taken": CancelledStaysTaken,
    "limit_lifted_at_boot": LimitLiftedAtBoot,
    "backlog_of_one_more": with_kernel(BacklogOfOneMore),
    "backlog_of_none_admits_nobody": with_kernel(BacklogOfNoneAdmitsNobody),
    "select_skips_dead": with_kernel(SelectSkipsDead),
    "listener_is_writable": with_kernel(ListenerIsWritable),
    "descriptors_without_holes": with_kernel(DescriptorsWithoutHoles),
    "connect_survives_close": with_kernel(ConnectSurvivesClose),
    "read_hangs_at_the_end": with_kernel(ReadHangsAtTheEnd),
    "closed_listener_ends_channel": with_kernel(ClosedListenerEndsChannel),
    "end_wakes_one_reader": with_kernel(EndWakesOneReader),
    "watched_both_ways": with_kernel(WatchedBothWays),
    "room_told_when_empty": with_kernel(RoomToldWhenEmpty),
    "one_select_woken": with_kernel(OneSelectWoken),
    "ready_stops_at_first": with_kernel(ReadyStopsAtFirst),
    "answers_what_was_watched": with_kernel(AnswersWhatWasWatched),
    "refused_socket_cannot_retry": with_kernel(RefusedSocketCannotRetry),
    "exit_leaves_selects": with_kernel(ExitLeavesSelects),
    "flush_misses_late": with_kernel(FlushMissesLate),
    "late_read_is_the_makers": with_kernel(LateReadIsTheMakers),
    "connection_unbinds_next_listener": with_kernel(ConnectionUnbindsNextListener),
    "untouched_mapping_stays": with_kernel(UntouchedMappingStays),
    "close_ends_use": with_kernel(CloseEndsUse),
    "sent_region_keeps_claim": with_kernel(SentRegionKeepsClaim),
    "refused_send_keeps_file": with_kernel(RefusedSendKeepsFile),
    "refused_accept_keeps_descriptor": with_kernel(RefusedAcceptKeepsDescriptor),
    "refused_connect_keeps_port": with_kernel(RefusedConnectKeepsPort),
    "refused_connect_unbinds": with_kernel(RefusedConnectUnbinds),
    "written_after_rescind": with_kernel(WrittenAfterRescind),
    "peername_outlives_peer": with_kernel(PeernameOutlivesPeer),
    "last_datum_is_past_the_end": with_kernel(LastDatumIsPastTheEnd),
    "granted_once_for_good": with_kernel(GrantedOnceForGood),
    "exit_leaves_files_open": with_kernel(ExitLeavesFilesOpen),
    "second_open_not_counted": with_kernel(SecondOpenNotCounted),
}


def __getattr__(name: str) -> Callable[[], Interface]:
    """What makes the variant `name` behind the interface, for connection strings."""
    return behind(BUGS, name)
