"""The control OS: hypercalls over real page tables, counters and queues (seed 0043-0078).

Written from the description of what every operation does, not from its specification, and sharing nothing with it: the two
are compared by the conformance checker.  A hypercall checks everything first and then acts, so that a refused one has
changed nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from .calls import HYPERCALLS, SYSTEM_CALLS, hypercall
from .descriptors import SUSPENDED, Process
from .kernel import BUFFERS, MODES, Kernel
from .machine import Machine
from .memory import Fault
from .objects import (
    DATUM_SIZE,
    EVENT_PORTS,
    KINDS,
    PROGRAM_MEMORY,
    Partition,
    Port,
    Refused,
    Sender,
    SharedRegion,
    need,
)
from .processors import Processors
from .resources import Resources
from .shared import SharedMemory


class ControlOS(Resources, Processors, SharedMemory):
    """Hypercalls are the methods marked as such; each takes the calling partition first and returns plain data or raises
    Refused.  `kernel` makes the kernel of the system control OS, which runs in the partition `system`.
    """

    kernel: Kernel

    def __init__(self, topology: dict[str, int], kernel: Callable[[Machine], Kernel] = Kernel) -> None:
        super().__init__(topology)
        self.kernel = kernel(self)

    # -- partitions and limits --

    @hypercall
    def create_partition(self, caller: Partition) -> str:
        self.need_system(caller)
        need(len(self.partitions) < self.topology["partitions"], "ENOMEM")
        partition = self.new_partition()
        self.boot_order.append(partition)
        return partition.handle

    @hypercall
    def boot(self, caller: Partition, partition: str) -> None:
        self.need_system(caller)
        guest = self.active(partition)
        need(not guest.booted, "EALREADY")
        need(self.boot_order[0] is guest, "EBUSY")
        self.boot_order.pop(0)
        guest.booted = True

    @hypercall
    def set_limit(self, caller: Partition, partition: str, kind: str, amount: int) -> None:
        self.need_system(caller)
        guest = self.active(partition)
        need(guest.used[kind] <= amount, "EBUSY")
        guest.limit[kind] = amount

    @hypercall
    def query_usage(self, caller: Partition, partition: str, kind: str) -> int:
        need(caller.handle == partition or caller is self.system, "EPERM")
        return self.active(partition).used[kind]

    @hypercall
    def terminate(self, caller: Partition, partition: str) -> None:
        need(caller.handle == partition or caller is self.system, "EPERM")
        ending = self.active(partition)
        need(ending is not self.system, "EPERM")
        self.end(ending)

    def end(self, partition: Partition) -> None:
        """The end of a partition, whatever it holds (seed 0053)."""
        partition.active = partition.booted = False
        self.stop_processors(partition)
        for port in [p for p in self.ports.values() if p.owner is partition]:
            self.destroy_port(port)
        for signal in [s for s in self.signals.values() if s.source is partition]:
            self.withdraw(signal)
        for signal in [s for s in self.signals.values() if s.target is partition]:
            self.answer_no(signal)
        for region in [r for r in self.regions.values() if r.owner is partition]:
            self.release_region(region)
        for region in [r for r in self.aside.values() if r.owner is partition]:
            del self.aside[region.address]
            self.memory.give_back(region.frames)
        self.leave_shared(partition)
        self.drop_event_ports(partition)
        self.return_resources(partition)
        partition.limit.clear()
        if partition in self.boot_order:
            self.boot_order.remove(partition)
        self.kernel.ended(partition)

    def drop_event_ports(self, partition: Partition) -> None:
        for sender in [s for s in self.senders.values() if s.owner is partition]:
            self.disconnect_sender(sender)
            del self.senders[sender.handle]
            self.refund(partition, EVENT_PORTS)
        for receiver in [r for r in self.receivers.values() if r.owner is partition]:
            self.drop_receiver(receiver)
        partition.signal_receiver = None

    # -- message regions --

    @hypercall
    def allocate(self, caller: Partition) -> str:
        return f"{self.new_region(caller).address:#x}"

    @hypercall
    def set_region_aside(self, caller: Partition, partition: str) -> str:
        self.need_system(caller)
        region = self.region_of_memory(self.active(partition))
        self.aside[region.address] = region
        return f"{region.address:#x}"

    @hypercall
    def take_region(self, caller: Partition, region: str) -> None:
        try:
            kept = self.aside.get(int(region, 16))
        except ValueError:
            kept = None
        if kept is None or kept.owner is not caller:
            raise Refused("EFAULT")
        need(self.has_room(caller, PROGRAM_MEMORY), "ENOMEM")
        del self.aside[kept.address]
        self.hand_out(kept)

    @hypercall
    def free(self, caller: Partition, region: str) -> None:
        freed = self.own_region(caller, region)
        self.need_idle(freed)
        self.release_region(freed)

    @hypercall
    def read_memory(self, caller: Partition, region: str, place: int) -> str:
        try:
            return caller.space.read(int(region, 16) + self.within(place), DATUM_SIZE).hex()
        except (Fault, ValueError):
            raise Refused("EFAULT") from None

    @hypercall
    def write_memory(self, caller: Partition, region: str, place: int, data: str) -> None:
        try:
            caller.space.write(int(region, 16) + self.within(place), bytes.fromhex(data))
        except (Fault, ValueError):
            raise Refused("EFAULT") from None

    # -- events --

    @hypercall
    def create_receiver(self, caller: Partition) -> str:
        self.need_room_for_receiver(caller)
        return self.new_receiver(caller).handle

    @hypercall
    def create_sender(self, caller: Partition) -> str:
        need(self.has_room(caller, EVENT_PORTS), "ENOMEM")
        need(len(self.senders) < self.topology["senders"], "ENOMEM")
        sender = Sender(self.mint("sender"), caller)
        self.senders[sender.handle] = sender
        self.charge(caller, EVENT_PORTS)
        return sender.handle

    @hypercall
    def destroy_receiver(self, caller: Partition, receiver: str) -> None:
        destroyed = self.own_receiver(caller, receiver)
        need(destroyed.serves is None or isinstance(destroyed.serves, Sender), "EBUSY")
        self.drop_receiver(destroyed)

    @hypercall
    def destroy_sender(self, caller: Partition, sender: str) -> None:
        destroyed = self.own_sender(caller, sender)
        self.disconnect_sender(destroyed)
        if destroyed.request is not None:
            self.withdraw(destroyed.request)
        del self.senders[destroyed.handle]
        self.refund(caller, EVENT_PORTS)

    @hypercall
    def connect_event(self, caller: Partition, sender: str, receiver: str) -> None:
        source, target = self.own_sender(caller, sender), self.own_receiver(caller, receiver)
        need(source.target is None, "EISCONN")
        need(source.request is None, "EALREADY")
        need(target.serves is None, "EISCONN")
        source.target, target.serves = target, source

    @hypercall
    def request_event(self, caller: Partition, sender: str, partition: str) -> None:
        source = self.own_sender(caller, sender)
        need(source.target is None, "EISCONN")
        need(source.request is None, "EALREADY")
        target = self.other_side(caller, partition)
        self.need_room_for_signal(caller)
        self.announce(self.post(caller, target, source))

    @hypercall
    def accept_event(self, caller: Partition, signal: str, receiver: str) -> None:
        request = self.taken_signal(caller, signal)
        sender = request.asks
        if not isinstance(sender, Sender):
            raise Refused("EINVAL")
        target = self.own_receiver(caller, receiver)
        need(target.serves is None, "EISCONN")
        self.withdraw(request)
        sender.target, target.serves = target, sender

    @hypercall
    def send_event(self, caller: Partition, sender: str) -> None:
        source = self.own_sender(caller, sender)
        need(source.target is not None, "ENOTCONN")
        self.raise_event(source.target)

    @hypercall
    def read_event(self, caller: Partition, receiver: str) -> bool:
        read = self.own_receiver(caller, receiver)
        was_pending, read.pending = read.pending, False
        return was_pending

    # -- control signals --

    @hypercall
    def take_signal(self, caller: Partition) -> dict[str, Any]:
        need(caller.queue, "EAGAIN")
        signal = caller.queue.popleft()
        caller.taken[signal.handle] = signal
        kinds = {Port: "CHANNEL", Sender: "EVENT", SharedRegion: "SHARED"}
        return {
            "signal": signal.handle,
            "kind": kinds[type(signal.asks)],
            "source": signal.source.handle,
            "service": signal.service,
            "shared": signal.asks.handle if isinstance(signal.asks, SharedRegion) else None,
        }

    @hypercall
    def refuse(self, caller: Partition, signal: str) -> None:
        self.answer_no(self.taken_signal(caller, signal))

    @hypercall
    def designate_receiver(self, caller: Partition, receiver: str) -> None:
        designated = self.own_receiver(caller, receiver)
        need(designated.serves is None, "EISCONN")
        if caller.signal_receiver is not None:
            caller.signal_receiver.serves = None
        caller.signal_receiver, designated.serves = designated, caller
        if caller.queue:
            self.raise_event(designated)

    # -- message channels --

    @hypercall
    def create_port(self, caller: Partition, receiver: str) -> str:
        told = self.own_receiver(caller, receiver)
        need(told.serves is None, "EISCONN")
        self.need_room_for_port()
        return self.new_port(told).handle

    @hypercall
    def connect(self, caller: Partition, port: str, partition: str, service: int) -> None:
        client = self.own_port(caller, port)
        need(client.status != "CONNECTING", "EALREADY")
        need(client.status in ("IDLE", "REFUSED"), "EISCONN")
        self.request_channel(client, self.other_side(caller, partition), service)

    @hypercall
    def cancel(self, caller: Partition, port: str) -> None:
        client = self.own_port(caller, port)
        if client.request is None:
            raise Refused("EINVAL")
        self.withdraw(client.request)
        client.status = "IDLE"

    @hypercall
    def accept(self, caller: Partition, signal: str, port: str) -> None:
        request = self.taken_signal(caller, signal)
        client = request.asks
        if not isinstance(client, Port):
            raise Refused("EINVAL")
        server = self.own_port(caller, port)
        need(server.status in ("IDLE", "REFUSED"), "EISCONN")
        self.withdraw(request)
        self.join(client, server)
        if client.kernel:
            self.kernel.accepted(client)

    @hypercall
    def send(self, caller: Partition, port: str, region: str | None, short: str | None) -> None:
        source = self.own_port(caller, port)
        need(source.status in ("CONNECTED", "PEER_CLOSED"), "ENOTCONN")
        peer = source.peer
        if peer is None:
            raise Refused("EPIPE")
        sent = None if region is None else self.own_region(caller, region)
        if sent is not None:
            self.need_idle(sent)
        self.check_message(peer, sent, short)
        self.move(peer, sent, short)

    @hypercall
    def receive(self, caller: Partition, port: str) -> dict[str, Any]:
        here = self.own_port(caller, port)
        need(here.status in ("CONNECTED", "PEER_CLOSED"), "ENOTCONN")
        need(here.inbox, "EPIPE" if here.status == "PEER_CLOSED" else "EAGAIN")
        message = self.take_message(here)
        if here.peer is not None and here.peer.kernel:
            self.kernel.drained(here.peer)
        region = None if message.region is None else f"{message.region.address:#x}"
        return {"region": region, "short": message.short}

    @hypercall
    def close_port(self, caller: Partition, port: str) -> None:
        self.destroy_port(self.own_port(caller, port))


WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "kind": ("kind of resource", KINDS),
    "mode": ("mode of a socket", MODES),
    "buffer": ("buffer", BUFFERS),
}


@cache
def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    """What an operation takes beside itself and who calls it."""
    return frozenset(list(inspect.signature(function).parameters)[2:])


class Interface:
    """The machine behind the conformance interface: `reset`, `call` and `settle`, plain data in and out.

    `make` makes the control OS of a topology, so that a variant of it can be put behind the same interface.
    """

    def __init__(self, make: Callable[[dict[str, int]], ControlOS] = ControlOS) -> None:
        self._make = make
        self._os: ControlOS | None = None

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        """Start a machine afresh; answers the handle of the system control OS's partition."""
        self._os = self._make(topology)
        return {"SYSTEM": self._os.system.handle}

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One hypercall or system call: {"ok": answer}, {"error": name} or {"suspended": None}.

        Raises ValueError for what is no call: an unknown name, arguments that do not fit, no reset before.
        """
        if self._os is None:
            raise ValueError("reset first")
        if operation not in HYPERCALLS | SYSTEM_CALLS:
            raise ValueError(f"no hypercall is called {operation!r}")
        for argument, (what, words) in WORDS.items():
            if arguments.get(argument, words[0]) not in words:
                raise ValueError(f"no {what} is called {arguments[argument]!r}")
        room = self._os.kernel if operation in SYSTEM_CALLS else self._os
        given = dict(arguments)
        try:
            caller = self._standing(operation, given)
            fits = _parameters(getattr(type(room), operation))
            if given.keys() != fits:
                raise ValueError(f"{operation} takes {sorted(fits)}, not {sorted(given)}")
            answer = getattr(room, operation)(caller, **given)
            self._os.kernel.call_is_done()
        except Refused as refused:
            return {"error": refused.error}
        return {"suspended": None} if answer is SUSPENDED else {"ok": answer}

    def settle(self) -> list[dict[str, Any]]:
        """The late answers since the last settle: to which process, and {"ok": answer} or {"error": name} beside it."""
        if self._os is None:
            raise ValueError("reset first")
        late, self._os.kernel.late = self._os.kernel.late, []
        return late

    def _standing(self, operation: str, given: dict[str, Any]) -> Partition | Process:
        """Who makes a call: a partition that is there, or a process that is there and waits in no other call."""
        assert self._os is not None
        # a process is made by the partition that it is to run in
        if operation in SYSTEM_CALLS and operation != "create_process":
            return self._os.kernel.running(given.pop("process", ""))
        return self._os.active(given.pop("caller", ""))
