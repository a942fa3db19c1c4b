"""Real bugs of real systems, planted, in one file where a name finds each: variants of the control OS beside it, none in it.

`BUGS` maps a name to the class; `py:oneowner.reference_impl.bugs:NAME` reaches the variant behind the interface.  Where each bug
comes from stands in the museum's catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .control_os import ControlOS, Interface
from .descriptors import File, Process, Socket, Suspended
from .kernel import Kernel, Ready
from .machine import Machine
from .objects import (
    MANAGEMENT_MEMORY,
    PROGRAM_MEMORY,
    Message,
    Partition,
    Port,
    Receiver,
    Refused,
    Region,
    SharedRegion,
    Signal,
)
from .variants import Variant, behind, with_kernel


class FailedSendLosesRegion(ControlOS):
    """A refused send frees the region."""

    def check_message(self, peer: Port, sent: Region | None, short: str | None) -> None:
        try:
            super().check_message(peer, sent, short)
        except Refused:
            if sent is not None and not sent.claimed:
                self.release_region(sent)
            raise


class OldFrameAfterMove(ControlOS):
    """The content moves to new frames, the receiver is mapped to the old ones."""

    def transfer(self, region: Region, receiver: Partition) -> None:
        old = list(region.frames)
        super().transfer(region, receiver)
        fresh = self.memory.take(len(old))
        if fresh is not None:
            for source, target in zip(old, fresh, strict=True):
                self.memory.store(target, 0, self.memory.load(source, 0, self.memory.page_size))
                self.memory.scrub(source)
            region.frames = fresh
            self.memory.give_back(old)


class UnmapFailureIgnored(ControlOS):
    """The unmapping fails at a page, and the receiver is mapped all the same."""

    def unmap_region(self, partition: Partition, region: Region) -> None:
        partition.space.unmap(region.address, len(region.frames) - 1)


class ReceiverDiesInSend(ControlOS):
    """The receiver terminates mid-send: its port is gone, and the region stays with nobody."""

    def tell_peer(self, port: Port) -> None:
        if port.owner.active:
            super().tell_peer(port)

    def deliver(self, peer: Port, message: Message) -> None:
        if not peer.owner.active and message.region is not None:
            self.unmap_region(peer.owner, message.region)
            return
        super().deliver(peer, message)


class SelfSend(ControlOS):
    """A channel to oneself is allowed."""

    def other_side(self, caller: Partition, handle: str) -> Partition:
        if handle == caller.handle:
            return caller
        return super().other_side(caller, handle)


class QueuedTwice(ControlOS):
    """The same region may be queued twice."""

    def send(self, caller: Partition, port: str, region: str | None, short: str | None) -> None:
        queued = [r for r in self.regions.values() if r.queued and f"{r.address:#x}" == region]
        for sent in queued:
            sent.queued = False
        try:
            super().send(caller, port, region, short)
        finally:
            for sent in queued:
                sent.queued = True


class BothEndsRollBack(ControlOS):
    """After an error both the sender and the receiver give the region's charge back."""

    def check_message(self, peer: Port, sent: Region | None, short: str | None) -> None:
        try:
            super().check_message(peer, sent, short)
        except Refused:
            if sent is not None and not sent.claimed:
                self.refund(peer.owner, PROGRAM_MEMORY)
                self.release_region(sent)
            raise


class LateInvalidation(ControlOS):
    """The old mapping is invalidated when the new owner first makes a call, not before the new one is made."""

    def __init__(self, topology: dict[str, int]) -> None:
        super().__init__(topology)
        self.stale: list[tuple[Partition, Region]] = []

    def unmap_region(self, partition: Partition, region: Region) -> None:
        self.stale.append((partition, region))

    def receive(self, caller: Partition, port: str) -> dict[str, Any]:
        for partition, region in self.stale:
            super().unmap_region(partition, region)
        self.stale.clear()
        return super().receive(caller, port)


class FreeBeforeUnmap(ControlOS):
    """Memory is free before access to it ends."""

    def release_region(self, region: Region) -> None:
        self.scrub_region(region)
        self.memory.give_back(region.frames)
        self.refund(region.owner, PROGRAM_MEMORY)
        del self.regions[region.address]


class DoubleClose(ControlOS):
    """A repeated close gives back a second time."""

    def __init__(self, topology: dict[str, int]) -> None:
        super().__init__(topology)
        self.closed: dict[str, Port] = {}

    def destroy_port(self, port: Port) -> None:
        self.closed[port.handle] = port
        super().destroy_port(port)

    def close_port(self, caller: Partition, port: str) -> None:
        again = self.closed.get(port)
        if again is not None and again.owner is caller:
            self.refund(caller, MANAGEMENT_MEMORY)
        super().close_port(caller, port)


class PublishThenFail(ControlOS):
    """A port is shown as connecting, then the request fails and leaves it so."""

    def connect(self, caller: Partition, port: str, partition: str, service: int) -> None:
        client = self.own_port(caller, port)
        was, client.status = client.status, "CONNECTING"
        if was not in ("IDLE", "REFUSED"):
            client.status = was
            raise Refused("EALREADY" if was == "CONNECTING" else "EISCONN")
        self.request_channel(client, self.other_side(caller, partition), service)


class DeadPeer(ControlOS):
    """Closing the second end touches a peer that is gone."""

    def tell_peer(self, port: Port) -> None:
        peer = port.peer
        if peer is not None:
            self.ports[peer.handle].status = "PEER_CLOSED"
            self.raise_event(peer.receiver)


class EventBeforeAttachLost(ControlOS):
    """A signal that arrived before a receiver was designated is never told of."""

    def designate_receiver(self, caller: Partition, receiver: str) -> None:
        designated = self.own_receiver(caller, receiver)
        was = designated.pending
        super().designate_receiver(caller, receiver)
        designated.pending = was


class PendingCounted(ControlOS):
    """An event on a pending receiver counts up."""

    def __init__(self, topology: dict[str, int]) -> None:
        super().__init__(topology)
        self.counts: dict[str, int] = {}

    def raise_event(self, receiver: Receiver | None) -> None:
        super().raise_event(receiver)
        if receiver is not None:
            self.counts[receiver.handle] = self.counts.get(receiver.handle, 0) + 1

    def read_event(self, caller: Partition, receiver: str) -> bool:
        was_pending = super().read_event(caller, receiver)
        if was_pending:
            self.counts[receiver] -= 1
            self.receivers[receiver].pending = self.counts[receiver] > 0
        return was_pending


class ClearAfterDrain(ControlOS):
    """The pending event is cleared when the port is drained, and with it one that came since."""

    def receive(self, caller: Partition, port: str) -> dict[str, Any]:
        received = super().receive(caller, port)
        if not self.ports[port].inbox:
            self.ports[port].receiver.pending = False
        return received


class DeadSendersCharge(ControlOS):
    """A dead sender's signals are charged to the system control OS."""

    def end(self, partition: Partition) -> None:
        orphans = [s for s in self.signals.values() if s.source is partition]
        super().end(partition)
        for _ in orphans:
            self.charge(self.system, MANAGEMENT_MEMORY)


class RefusalKeepsCharge(ControlOS):
    """Refusing a request does not refund it."""

    def answer_no(self, signal: Signal) -> None:
        super().answer_no(signal)
        self.charge(signal.source, MANAGEMENT_MEMORY)


class RefundWrongPartition(ControlOS):
    """The refund goes to the receiver of the signal."""

    def refund_signal(self, signal: Signal) -> None:
        self.refund(signal.target, MANAGEMENT_MEMORY)


class AcceptLeaksCharge(ControlOS):
    """An accept that fails has taken its signal out of the table, and never lowers the count of those that are charged."""

    def accept(self, caller: Partition, signal: str, port: str) -> None:
        try:
            super().accept(caller, signal, port)
        except Refused as refused:
            if refused.error == "EISCONN":
                self.charge(caller.taken[signal].source, MANAGEMENT_MEMORY)
            raise


class NoScrub(ControlOS):
    """A freed region is given out with its old content."""

    def scrub_region(self, region: Region | SharedRegion) -> None:
        pass


class IdInheritsPermission(ControlOS):
    """A new partition inherits the permissions of a dead one: a service that it was forbidden."""

    def __init__(self, topology: dict[str, int]) -> None:
        self.inherited: set[int] = set()
        super().__init__(topology)

    def end(self, partition: Partition) -> None:
        self.inherited = {service for service, guest in self.kernel.forbidden if guest is partition}
        super().end(partition)

    def create_partition(self, caller: Partition) -> str:
        handle = super().create_partition(caller)
        self.kernel.forbidden |= {(service, self.partitions[handle]) for service in self.inherited}
        return handle


class IdInheritsLimits(ControlOS):
    """A new partition inherits the limits of a dead one."""

    def __init__(self, topology: dict[str, int]) -> None:
        self.inherited: dict[str, int] = {}
        super().__init__(topology)

    def end(self, partition: Partition) -> None:
        self.inherited = dict(partition.limit)
        super().end(partition)

    def new_partition(self) -> Partition:
        partition = super().new_partition()
        partition.limit = dict(self.inherited)
        return partition


class LostWakeup(ControlOS):
    """The client is never told that its channel stands."""

    def join(self, client: Port, server: Port) -> None:
        was_pending = client.receiver.pending
        super().join(client, server)
        client.receiver.pending = was_pending


class GrantIgnoresReserve(ControlOS):
    """A grant may take what is kept for others."""

    def available(self, source: Partition, kind: str) -> int:
        return self.pool[kind] + sum(partition.reserve[kind] for partition in self.partitions.values())


class ProcessorsOutlive(ControlOS):
    """A partition terminates, and its processors run on."""

    def stop_processors(self, partition: Partition) -> None:
        pass


class StaleProcessMapping(Kernel):
    """A send takes the region out of the partition's page table only: the process keeps its mapping."""

    def take_from(self, process: Process, address: str) -> None:
        process.regions.pop(address).claimed = False


class CheckThenYield(Kernel):
    """Permission is looked at before accept is suspended, and not again when a request comes."""

    def admits(self, source: Partition, service: int) -> bool:
        listener = self.listener_at(service)
        return (listener is not None and bool(listener.acceptors)) or super().admits(source, service)


class StaleSelectWaiter(Kernel):
    """A closed descriptor stays in what select waits for, and nobody is woken."""

    def cancel_selects(self, socket: Socket) -> None:
        pass


class ListenerCloseRacesAccept(Kernel):
    """Closing a listener leaves accept suspended; the next request is accepted on the closed listener."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.closed: dict[int, Socket] = {}

    def cancel_acceptors(self, socket: Socket) -> None:
        if socket.service is not None:
            self.closed[socket.service] = socket

    def listener_at(self, service: int) -> Socket | None:
        closed = self.closed.get(service)
        return closed if closed is not None and closed.acceptors else super().listener_at(service)


class RootSpecialCase(Kernel):
    """The first service that is ever bound skips the permission check."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.first: int | None = None

    def bind(self, process: Process, fd: int, service: int) -> None:
        super().bind(process, fd, service)
        self.first = service if self.first is None else self.first

    def is_permitted(self, guest: Partition, service: int) -> bool:
        return service == self.first or super().is_permitted(guest, service)


class BindClobbers(Kernel):
    """A bind that fails because the service is taken unbinds the holder."""

    def bind(self, process: Process, fd: int, service: int) -> None:
        try:
            super().bind(process, fd, service)
        except Refused as refused:
            if refused.error == "EADDRINUSE":
                del self.services[service]
            raise


class ShortBufferDropsMessage(Kernel):
    """A read with a bad or small buffer answers the error and drops the message."""

    def check_buffer(self, port: Port, buffer: str) -> None:
        try:
            super().check_buffer(port, buffer)
        except Refused:
            _drop_oldest(self.machine, port)
            raise


class BacklogLeak(Kernel):
    """A request that is refused, or whose accept fails, is never taken off the count of those that wait."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.leaked: dict[Socket, int] = {}

    def leak(self, listener: Socket) -> None:
        self.leaked[listener] = self.leaked.get(listener, 0) + 1

    def waiting_at(self, listener: Socket) -> int:
        return super().waiting_at(listener) + self.leaked.get(listener, 0)

    def refuse_waiting(self, listener: Socket, signal: Signal) -> None:
        super().refuse_waiting(listener, signal)
        self.leak(listener)

    def accept_socket(self, process: Process, fd: int, wait: bool) -> int | Suspended:
        try:
            return super().accept_socket(process, fd, wait)
        except Refused:
            listener = self.table.get(fd)
            if isinstance(listener, Socket) and listener.backlog:
                self.leak(listener)
            raise


class HighestDescriptor(Kernel):
    """The highest free descriptor is given out first."""

    def free_descriptor(self) -> int:
        for fd in reversed(range(self.machine.topology["fds"])):
            if fd not in self.table:
                return fd
        return super().free_descriptor()


class LostResume(Kernel):
    """A message for a waiting reader is queued, and the reader stays suspended."""

    def delivered(self, port: Port, message: Message) -> None:
        self.machine.queue_message(port, message)
        self.may_be_ready()


class UnlinkFreesAtOnce(Kernel):
    """Unlinking a file frees its region, open or not."""

    def drop_unused(self, file: File) -> None:
        opened, file.opened = file.opened, 0
        super().drop_unused(file)
        file.opened = opened


class SentFileStaysOpen(Kernel):
    """Descriptors that are open on a sent file still reach its region."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.sent: dict[File, Region] = {}

    def revoke(self, file: File, region: Region) -> None:
        super().revoke(file, region)
        self.sent[file] = region

    def region_of(self, file: File) -> Region:
        region = self.sent.get(file)
        if region is None:
            return super().region_of(file)
        self.space.map(region.address, region.frames)
        return region


class SelectTakes(Kernel):
    """A select that finds a message drops it."""

    def look(self, reading: dict[int, Socket], writing: dict[int, Socket]) -> Ready:
        ready = super().look(reading, writing)
        for fd in ready["reading"]:
            port = reading[fd].port
            if port is not None:
                _drop_oldest(self.machine, port)
        return ready


class ExitKeepsRegions(Kernel):
    """The exit of a process leaves the regions mapped in it owned, by nobody who could free them."""

    def release_all(self, process: Process) -> None:
        pass


def _drop_oldest(machine: Machine, port: Port) -> None:
    if port.inbox:
        region = machine.take_message(port).region
        if region is not None:
            machine.release_region(region)


BUGS: dict[str, Variant] = {
    "failed_send_loses_region": FailedSendLosesRegion,
    "old_frame_after_move": OldFrameAfterMove,
    "unmap_failure_ignored": UnmapFailureIgnored,
    "receiver_dies_in_send": ReceiverDiesInSend,
    "self_send": SelfSend,
    "queued_twice": QueuedTwice,
    "both_ends_roll_back": BothEndsRollBack,
    "late_invalidation": LateInvalidation,
    "free_before_unmap": FreeBeforeUnmap,
    "double_close": DoubleClose,
    "publish_then_fail": PublishThenFail,
    "dead_peer": DeadPeer,
    "event_before_attach_lost": EventBeforeAttachLost,
    "pending_counted": PendingCounted,
    "clear_after_drain": ClearAfterDrain,
    "dead_senders_charge": DeadSendersCharge,
    "refusal_keeps_charge": RefusalKeepsCharge,
    "refund_wrong_partition": RefundWrongPartition,
    "accept_leaks_charge": AcceptLeaksCharge,
    "no_scrub": NoScrub,
    "id_inherits_permission": IdInheritsPermission,
    "id_inherits_limits": IdInheritsLimits,
    "lost_wakeup": LostWakeup,
    "grant_ignores_reserve": GrantIgnoresReserve,
    "processors_outlive": ProcessorsOutlive,
    "stale_process_mapping": with_kernel(StaleProcessMapping),
    "check_then_yield": with_kernel(CheckThenYield),
    "stale_select_waiter": with_kernel(StaleSelectWaiter),
    "listener_close_races_accept": with_kernel(ListenerCloseRacesAccept),
    "root_special_case": with_kernel(RootSpecialCase),
    "bind_clobbers": with_kernel(BindClobbers),
    "short_buffer_drops_message": with_kernel(ShortBufferDropsMessage),
    "backlog_leak": with_kernel(BacklogLeak),
    "highest_descriptor": with_kernel(HighestDescriptor),
    "lost_resume": with_kernel(LostResume),
    "unlink_frees_at_once": with_kernel(UnlinkFreesAtOnce),
    "sent_file_stays_open": with_kernel(SentFileStaysOpen),
    "select_takes": with_kernel(SelectTakes),
    "exit_keeps_regions": with_kernel(ExitKeepsRegions),
}


def __getattr__(name: str) -> Callable[[], Interface]:
    """What makes the variant `name` behind the interface, for connection strings."""
    return behind(BUGS, name)
