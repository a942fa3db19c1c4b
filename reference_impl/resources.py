"""Resources that a partition asks for and the system control program grants (seed 0049, 0051, 0055)."""

from __future__ import annotations

from typing import Any

from .calls import hypercall
from .machine import Machine
from .objects import GRANTED, MANAGEMENT_MEMORY, Partition, Refused, Request, need


class Resources(Machine):
    """The hypercalls on granted resources.  A unit is in the pool, kept for a partition, or held (used) by one."""

    @hypercall
    def reserve_resource(self, caller: Partition, partition: str, kind: str, amount: int) -> None:
        self.need_system(caller)
        kept_for = self.active(partition)
        need(kind in GRANTED, "EINVAL")
        need(self.pool[kind] >= amount, "ENOMEM")
        self.pool[kind] -= amount
        kept_for.reserve[kind] += amount

    @hypercall
    def request_resource(self, caller: Partition, kind: str, amount: int) -> str:
        need(kind in GRANTED, "EINVAL")
        need(self.has_room(caller, MANAGEMENT_MEMORY), "ENOMEM")
        need(len(self.requests) < self.topology["requests"], "ENOMEM")
        request = Request(self.mint("request"), caller, kind, amount)
        self.requests[request.handle] = request
        self.charge(caller, MANAGEMENT_MEMORY)
        return request.handle

    @hypercall
    def next_request(self, caller: Partition) -> dict[str, Any]:
        self.need_system(caller)
        oldest = next((r for r in self.requests.values() if r.waiting), None)
        if oldest is None:
            raise Refused("EAGAIN")
        return {"request": oldest.handle, "source": oldest.source.handle, "kind": oldest.kind, "amount": oldest.amount}

    @hypercall
    def grant(self, caller: Partition, request: str, amount: int) -> None:
        self.need_system(caller)
        granted = self.waiting_request(request)
        source, kind = granted.source, granted.kind
        need(amount <= granted.amount, "EINVAL")
        need(kind not in source.limit or source.used[kind] + amount <= source.limit[kind], "EBUSY")
        need(amount <= self.available(source, kind), "ENOMEM")
        own = min(amount, source.reserve[kind])
        source.reserve[kind] -= own
        self.pool[kind] -= amount - own
        source.used[kind] += amount
        granted.waiting, granted.granted = False, amount

    def available(self, source: Partition, kind: str) -> int:
        """What may be granted to a partition: what is kept for it, and what is kept for nobody."""
        return source.reserve[kind] + self.pool[kind]

    @hypercall
    def reject(self, caller: Partition, request: str) -> None:
        self.need_system(caller)
        self.waiting_request(request).waiting = False

    def waiting_request(self, handle: str) -> Request:
        request = self.requests.get(handle)
        if request is None or not request.waiting:
            raise Refused("EBADF")
        return request

    @hypercall
    def take_verdict(self, caller: Partition, request: str) -> dict[str, Any]:
        decided = self.requests.get(request)
        if decided is None or decided.source is not caller:
            raise Refused("EBADF")
        need(not decided.waiting, "EAGAIN")
        self.drop_request(decided)
        return {"granted": decided.granted is not None, "amount": decided.granted or 0}

    def drop_request(self, request: Request) -> None:
        del self.requests[request.handle]
        self.refund(request.source, MANAGEMENT_MEMORY)

    @hypercall
    def release_resource(self, caller: Partition, kind: str, amount: int) -> None:
        need(kind in GRANTED, "EINVAL")
        need(amount <= caller.used[kind], "EINVAL")
        caller.used[kind] -= amount
        self.pool[kind] += amount

    def return_resources(self, partition: Partition) -> None:
        """At the end of a partition its requests vanish, and what it held or was kept for it is free."""
        for request in [r for r in self.requests.values() if r.source is partition]:
            self.drop_request(request)
        for kind in GRANTED:
            self.pool[kind] += partition.used[kind] + partition.reserve[kind]
            partition.used[kind] = partition.reserve[kind] = 0
