"""Shared memory: attached to on request, kept apart from message regions, whose mapping is exclusive (seed 0056)."""

from __future__ import annotations

from .calls import hypercall
from .machine import Machine
from .memory import Fault
from .objects import DATUM_SIZE, PROGRAM_MEMORY, Partition, Refused, SharedRegion, need


class SharedMemory(Machine):
    """The hypercalls on shared regions."""

    @hypercall
    def create_shared(self, caller: Partition) -> str:
        need(self.has_room(caller, PROGRAM_MEMORY), "ENOMEM")
        need(len(self.shareds) < self.topology["shareds"], "ENOMEM")
        frames = self.memory.take(self.region_pages)
        if frames is None:
            raise Refused("ENOMEM")
        shared = SharedRegion(self.mint("shared"), self.next_shared_address, frames, caller)
        self.next_shared_address += self.region_size + self.memory.page_size
        self.shareds[shared.handle] = shared
        self.charge(caller, PROGRAM_MEMORY)
        self.attach(caller, shared)
        return shared.handle

    @hypercall
    def request_attach(self, caller: Partition, partition: str, shared: str) -> None:
        owner = self.other_side(caller, partition)
        wanted = self.shareds.get(shared)
        # one and the same answer, so that nothing is learnt of what another partition has
        if wanted is None or wanted.owner is not owner:
            raise Refused("ECONNREFUSED")
        need(caller not in wanted.attached, "EALREADY")
        self.need_room_for_signal(caller)
        self.announce(self.post(caller, owner, wanted))

    @hypercall
    def accept_attach(self, caller: Partition, signal: str) -> None:
        request = self.taken_signal(caller, signal)
        shared = request.asks
        if not isinstance(shared, SharedRegion):
            raise Refused("EINVAL")
        self.withdraw(request)
        self.attach(request.source, shared)

    def attach(self, partition: Partition, shared: SharedRegion) -> None:
        partition.space.map(shared.address, shared.frames)
        shared.attached.add(partition)

    @hypercall
    def detach(self, caller: Partition, shared: str) -> None:
        attached = self.attached_shared(caller, shared, "EBADF")
        need(attached.owner is not caller, "EBUSY")
        self.take_off(caller, attached)

    def take_off(self, partition: Partition, shared: SharedRegion) -> None:
        partition.space.unmap(shared.address, len(shared.frames))
        shared.attached.remove(partition)

    @hypercall
    def destroy_shared(self, caller: Partition, shared: str) -> None:
        destroyed = self.shareds.get(shared)
        if destroyed is None or destroyed.owner is not caller:
            raise Refused("EBADF")
        need(destroyed.attached == {caller}, "EBUSY")
        self.drop_shared(destroyed)

    def drop_shared(self, shared: SharedRegion) -> None:
        for signal in [s for s in self.signals.values() if s.asks is shared]:
            self.answer_no(signal)
        for partition in list(shared.attached):
            self.take_off(partition, shared)
        self.scrub_region(shared)
        self.memory.give_back(shared.frames)
        self.refund(shared.owner, PROGRAM_MEMORY)
        del self.shareds[shared.handle]

    @hypercall
    def read_shared(self, caller: Partition, shared: str, place: int) -> str:
        attached = self.attached_shared(caller, shared, "EFAULT")
        try:
            return caller.space.read(attached.address + self.within(place), DATUM_SIZE).hex()
        except Fault:
            raise Refused("EFAULT") from None

    @hypercall
    def write_shared(self, caller: Partition, shared: str, place: int, data: str) -> None:
        attached = self.attached_shared(caller, shared, "EFAULT")
        try:
            caller.space.write(attached.address + self.within(place), bytes.fromhex(data))
        except Fault:
            raise Refused("EFAULT") from None

    def attached_shared(self, caller: Partition, handle: str, error: str) -> SharedRegion:
        shared = self.shareds.get(handle)
        if shared is None or caller not in shared.attached:
            raise Refused(error)
        return shared

    def leave_shared(self, partition: Partition) -> None:
        """At the end of a partition its shared regions are gone, and it is attached to no other."""
        for shared in list(self.shareds.values()):
            if shared.owner is partition:
                self.drop_shared(shared)
            elif partition in shared.attached:
                self.take_off(partition, shared)
