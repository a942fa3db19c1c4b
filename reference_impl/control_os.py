"""The control OS: hypercalls over real page tables, counters and queues (seed 0043-0078).

Written from the description of what every operation does, not from its specification, and sharing nothing with it: the two
are compared by the conformance checker.  A hypercall checks everything first and then acts, so that a refused one has
changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .memory import AddressSpace, Fault, PhysicalMemory
from .objects import (
    EVENT_PORTS,
    KINDS,
    MANAGEMENT_MEMORY,
    PROGRAM_MEMORY,
    Message,
    Partition,
    Port,
    Receiver,
    Refused,
    Region,
    Sender,
    Signal,
)

FIRST_ADDRESS = 0x4000_0000
DATUM_SIZE = 8


class ControlOS:
    """One machine.  `topology` says how much of everything it has (see the conformance interface).

    Hypercalls are the methods named as operations; each takes the calling partition first and returns plain data or raises
    Refused.  Handles are strings that say nothing but what they were minted for.
    """

    def __init__(self, topology: dict[str, int]) -> None:
        self.topology = topology
        pages = topology["regions"] * topology["pages_per_region"]
        self.memory = PhysicalMemory(pages, topology["page_size"])
        self.region_pages = topology["pages_per_region"]
        self.next_address = FIRST_ADDRESS
        self.minted = 0
        self.partitions: dict[str, Partition] = {}
        self.regions: dict[int, Region] = {}
        self.receivers: dict[str, Receiver] = {}
        self.senders: dict[str, Sender] = {}
        self.ports: dict[str, Port] = {}
        self.signals: dict[str, Signal] = {}
        self.boot_order: list[Partition] = []
        self.system = self.new_partition()
        self.system.booted = True

    # -- what hypercalls are made of --

    def mint(self, kind: str) -> str:
        self.minted += 1
        return f"{kind}-{self.minted:04x}"

    def new_partition(self) -> Partition:
        partition = Partition(self.mint("partition"), AddressSpace(self.memory))
        self.partitions[partition.handle] = partition
        return partition

    def has_room(self, partition: Partition, kind: str) -> bool:
        return kind not in partition.limit or partition.used[kind] < partition.limit[kind]

    def charge(self, partition: Partition, kind: str) -> None:
        partition.used[kind] += 1

    def refund(self, partition: Partition, kind: str) -> None:
        partition.used[kind] -= 1

    def need(self, condition: object, error: str) -> None:
        if not condition:
            raise Refused(error)

    def need_system(self, caller: Partition) -> None:
        self.need(caller is self.system, "EPERM")

    def active(self, handle: str) -> Partition:
        partition = self.partitions.get(handle)
        if partition is None or not partition.active:
            raise Refused("ESRCH")
        return partition

    def own_port(self, caller: Partition, handle: str) -> Port:
        port = self.ports.get(handle)
        if port is None or port.owner is not caller:
            raise Refused("EBADF")
        return port

    def own_receiver(self, caller: Partition, handle: str) -> Receiver:
        receiver = self.receivers.get(handle)
        if receiver is None or receiver.owner is not caller:
            raise Refused("EBADF")
        return receiver

    def own_sender(self, caller: Partition, handle: str) -> Sender:
        sender = self.senders.get(handle)
        if sender is None or sender.owner is not caller:
            raise Refused("EBADF")
        return sender

    def taken_signal(self, caller: Partition, handle: str) -> Signal:
        signal = caller.taken.get(handle)
        if signal is None:
            raise Refused("EBADF")
        return signal

    def own_region(self, caller: Partition, handle: str) -> Region:
        try:
            region = self.regions.get(int(handle, 16))
        except ValueError:
            region = None
        if region is None or region.owner is not caller:
            raise Refused("EFAULT")
        return region

    def raise_event(self, receiver: Receiver | None) -> None:
        if receiver is not None:
            receiver.pending = True

    def map_region(self, partition: Partition, region: Region) -> None:
        partition.space.map(region.address, region.frames)

    def unmap_region(self, partition: Partition, region: Region) -> None:
        partition.space.unmap(region.address, len(region.frames))

    def scrub_region(self, region: Region) -> None:
        for frame in region.frames:
            self.memory.scrub(frame)

    def release_region(self, region: Region) -> None:
        """Unmap, scrub and free a region, and give its owner the charge back."""
        self.unmap_region(region.owner, region)
        self.scrub_region(region)
        self.memory.give_back(region.frames)
        self.refund(region.owner, PROGRAM_MEMORY)
        del self.regions[region.address]

    def transfer(self, region: Region, receiver: Partition) -> None:
        """Hand a region over by changing page tables alone: the cost is by the page, no byte is copied."""
        self.unmap_region(region.owner, region)
        self.map_region(receiver, region)
        self.refund(region.owner, PROGRAM_MEMORY)
        self.charge(receiver, PROGRAM_MEMORY)
        region.owner = receiver

    def post(self, source: Partition, target: Partition, asks: Port | Sender, service: int | None) -> Signal:
        """Queue a control signal, paid for by who sends it."""
        signal = Signal(self.mint("signal"), source, target, asks, service)
        self.signals[signal.handle] = signal
        self.charge(source, MANAGEMENT_MEMORY)
        if not target.queue:
            self.raise_event(target.signal_receiver)
        target.queue.append(signal)
        asks.request = signal
        return signal

    def need_room_for_signal(self, caller: Partition) -> None:
        self.need(self.has_room(caller, MANAGEMENT_MEMORY), "ENOMEM")
        self.need(len(self.signals) < self.topology["signals"], "ENOMEM")

    def withdraw(self, signal: Signal) -> None:
        """Let a signal be gone, wherever it waits, and refund it."""
        signal.target.taken.pop(signal.handle, None)
        if signal in signal.target.queue:
            signal.target.queue.remove(signal)
        signal.asks.request = None
        self.refund_signal(signal)
        del self.signals[signal.handle]

    def refund_signal(self, signal: Signal) -> None:
        self.refund(signal.source, MANAGEMENT_MEMORY)

    def disconnect_sender(self, sender: Sender) -> None:
        if sender.target is not None:
            sender.target.serves = None
            sender.target = None

    def discard_messages(self, port: Port) -> None:
        for message in port.inbox:
            if message.region is not None:
                self.release_region(message.region)
        port.inbox.clear()

    def tell_peer(self, port: Port) -> None:
        """The other end of a channel learns that this one closes."""
        if port.peer is not None:
            port.peer.status, port.peer.peer = "PEER_CLOSED", None
            self.raise_event(port.peer.receiver)
            port.peer = None

    # -- partitions and resources --

    def create_partition(self, caller: Partition) -> str:
        self.need_system(caller)
        self.need(len(self.partitions) < self.topology["partitions"], "ENOMEM")
        partition = self.new_partition()
        self.boot_order.append(partition)
        return partition.handle

    def boot(self, caller: Partition, partition: str) -> None:
        self.need_system(caller)
        guest = self.active(partition)
        self.need(not guest.booted, "EALREADY")
        self.need(self.boot_order[0] is guest, "EBUSY")
        self.boot_order.pop(0)
        guest.booted = True

    def set_limit(self, caller: Partition, partition: str, kind: str, amount: int) -> None:
        self.need_system(caller)
        guest = self.active(partition)
        self.need(guest.used[kind] <= amount, "EBUSY")
        guest.limit[kind] = amount

    def query_usage(self, caller: Partition, partition: str, kind: str) -> int:
        self.need(caller.handle == partition or caller is self.system, "EPERM")
        return self.active(partition).used[kind]

    def terminate(self, caller: Partition, partition: str) -> None:
        self.need(caller.handle == partition or caller is self.system, "EPERM")
        ending = self.active(partition)
        self.need(ending is not self.system, "EPERM")
        self.end(ending)

    def end(self, partition: Partition) -> None:
        """The end of a partition, whatever it holds."""
        partition.active = partition.booted = False
        for port in [p for p in self.ports.values() if p.owner is partition]:
            self.destroy_port(port)
        for signal in [s for s in self.signals.values() if s.source is partition]:
            self.withdraw(signal)
        for signal in [s for s in self.signals.values() if s.target is partition]:
            self.answer_no(signal)
        for region in [r for r in self.regions.values() if r.owner is partition]:
            self.release_region(region)
        for sender in [s for s in self.senders.values() if s.owner is partition]:
            self.disconnect_sender(sender)
            del self.senders[sender.handle]
            self.refund(partition, EVENT_PORTS)
        for receiver in [r for r in self.receivers.values() if r.owner is partition]:
            self.drop_receiver(receiver)
        partition.signal_receiver = None
        partition.limit.clear()
        if partition in self.boot_order:
            self.boot_order.remove(partition)

    # -- message regions --

    def allocate(self, caller: Partition) -> str:
        self.need(self.has_room(caller, PROGRAM_MEMORY), "ENOMEM")
        frames = self.memory.take(self.region_pages)
        if frames is None:
            raise Refused("ENOMEM")
        region = Region(self.next_address, frames, caller)
        # a page between any two regions stays unmapped, so that running over the end of one is a fault
        self.next_address += (self.region_pages + 1) * self.memory.page_size
        self.regions[region.address] = region
        self.charge(caller, PROGRAM_MEMORY)
        self.map_region(caller, region)
        return f"{region.address:#x}"

    def free(self, caller: Partition, region: str) -> None:
        freed = self.own_region(caller, region)
        self.need(not freed.queued, "EBUSY")
        self.release_region(freed)

    def read_memory(self, caller: Partition, region: str, place: int) -> str:
        try:
            return caller.space.read(int(region, 16) + place, DATUM_SIZE).hex()
        except (Fault, ValueError):
            raise Refused("EFAULT") from None

    def write_memory(self, caller: Partition, region: str, place: int, data: str) -> None:
        try:
            caller.space.write(int(region, 16) + place, bytes.fromhex(data))
        except (Fault, ValueError):
            raise Refused("EFAULT") from None

    # -- events --

    def create_receiver(self, caller: Partition) -> str:
        self.need(self.has_room(caller, EVENT_PORTS), "ENOMEM")
        self.need(len(self.receivers) < self.topology["receivers"], "ENOMEM")
        receiver = Receiver(self.mint("receiver"), caller)
        self.receivers[receiver.handle] = receiver
        self.charge(caller, EVENT_PORTS)
        return receiver.handle

    def create_sender(self, caller: Partition) -> str:
        self.need(self.has_room(caller, EVENT_PORTS), "ENOMEM")
        self.need(len(self.senders) < self.topology["senders"], "ENOMEM")
        sender = Sender(self.mint("sender"), caller)
        self.senders[sender.handle] = sender
        self.charge(caller, EVENT_PORTS)
        return sender.handle

    def destroy_receiver(self, caller: Partition, receiver: str) -> None:
        destroyed = self.own_receiver(caller, receiver)
        self.need(destroyed.serves is None or isinstance(destroyed.serves, Sender), "EBUSY")
        self.drop_receiver(destroyed)

    def drop_receiver(self, receiver: Receiver) -> None:
        if isinstance(receiver.serves, Sender):
            self.disconnect_sender(receiver.serves)
        del self.receivers[receiver.handle]
        self.refund(receiver.owner, EVENT_PORTS)

    def destroy_sender(self, caller: Partition, sender: str) -> None:
        destroyed = self.own_sender(caller, sender)
        self.disconnect_sender(destroyed)
        if destroyed.request is not None:
            self.withdraw(destroyed.request)
        del self.senders[destroyed.handle]
        self.refund(caller, EVENT_PORTS)

    def connect_event(self, caller: Partition, sender: str, receiver: str) -> None:
        source, target = self.own_sender(caller, sender), self.own_receiver(caller, receiver)
        self.need(source.target is None, "EISCONN")
        self.need(source.request is None, "EALREADY")
        self.need(target.serves is None, "EISCONN")
        source.target, target.serves = target, source

    def request_event(self, caller: Partition, sender: str, partition: str) -> None:
        source = self.own_sender(caller, sender)
        self.need(source.target is None, "EISCONN")
        self.need(source.request is None, "EALREADY")
        self.post(caller, self.other_side(caller, partition), source, None)

    def other_side(self, caller: Partition, handle: str) -> Partition:
        """Whom a control signal goes to, with room to send it."""
        self.need(handle != caller.handle, "EINVAL")
        target = self.partitions.get(handle)
        if target is None or not target.active:
            raise Refused("ECONNREFUSED")
        self.need_room_for_signal(caller)
        return target

    def accept_event(self, caller: Partition, signal: str, receiver: str) -> None:
        request = self.taken_signal(caller, signal)
        sender = request.asks
        if not isinstance(sender, Sender):
            raise Refused("EINVAL")
        target = self.own_receiver(caller, receiver)
        self.need(target.serves is None, "EISCONN")
        self.withdraw(request)
        sender.target, target.serves = target, sender

    def send_event(self, caller: Partition, sender: str) -> None:
        source = self.own_sender(caller, sender)
        self.need(source.target is not None, "ENOTCONN")
        self.raise_event(source.target)

    def read_event(self, caller: Partition, receiver: str) -> bool:
        read = self.own_receiver(caller, receiver)
        was_pending, read.pending = read.pending, False
        return was_pending

    # -- control signals --

    def take_signal(self, caller: Partition) -> dict[str, Any]:
        self.need(caller.queue, "EAGAIN")
        signal = caller.queue.popleft()
        caller.taken[signal.handle] = signal
        kind = "CHANNEL" if isinstance(signal.asks, Port) else "EVENT"
        return {"signal": signal.handle, "kind": kind, "source": signal.source.handle, "service": signal.service}

    def refuse(self, caller: Partition, signal: str) -> None:
        self.answer_no(self.taken_signal(caller, signal))

    def answer_no(self, signal: Signal) -> None:
        asks = signal.asks
        self.withdraw(signal)
        if isinstance(asks, Port):
            asks.status = "REFUSED"
            self.raise_event(asks.receiver)

    def designate_receiver(self, caller: Partition, receiver: str) -> None:
        designated = self.own_receiver(caller, receiver)
        self.need(designated.serves is None, "EISCONN")
        if caller.signal_receiver is not None:
            caller.signal_receiver.serves = None
        caller.signal_receiver, designated.serves = designated, caller
        if caller.queue:
            self.raise_event(designated)

    # -- message channels --

    def create_port(self, caller: Partition, receiver: str) -> str:
        told = self.own_receiver(caller, receiver)
        self.need(told.serves is None, "EISCONN")
        self.need(len(self.ports) < self.topology["ports"], "ENOMEM")
        port = Port(self.mint("port"), caller, told)
        self.ports[port.handle] = port
        told.serves = port
        return port.handle

    def connect(self, caller: Partition, port: str, partition: str, service: int) -> None:
        client = self.own_port(caller, port)
        self.need(client.status != "CONNECTING", "EALREADY")
        self.need(client.status in ("IDLE", "REFUSED"), "EISCONN")
        self.post(caller, self.other_side(caller, partition), client, service)
        client.status = "CONNECTING"

    def cancel(self, caller: Partition, port: str) -> None:
        client = self.own_port(caller, port)
        if client.request is None:
            raise Refused("EINVAL")
        self.withdraw(client.request)
        client.status = "IDLE"

    def accept(self, caller: Partition, signal: str, port: str) -> None:
        request = self.taken_signal(caller, signal)
        client = request.asks
        if not isinstance(client, Port):
            raise Refused("EINVAL")
        server = self.own_port(caller, port)
        self.need(server.status in ("IDLE", "REFUSED"), "EISCONN")
        self.withdraw(request)
        self.join(client, server)

    def join(self, client: Port, server: Port) -> None:
        client.peer, server.peer = server, client
        client.status = server.status = "CONNECTED"
        self.raise_event(client.receiver)
        self.raise_event(server.receiver)

    def send(self, caller: Partition, port: str, region: str | None, short: str | None) -> None:
        source = self.own_port(caller, port)
        self.need(source.status in ("CONNECTED", "PEER_CLOSED"), "ENOTCONN")
        peer = source.peer
        if peer is None:
            raise Refused("EPIPE")
        sent = None if region is None else self.own_region(caller, region)
        self.check_message(peer, sent, short)
        if sent is not None:
            self.transfer(sent, peer.owner)
            sent.queued = True
        self.deliver(peer, Message(sent, short))

    def check_message(self, peer: Port, sent: Region | None, short: str | None) -> None:
        self.need(sent is None or not sent.queued, "EBUSY")
        self.need(short is None or len(short.encode()) <= self.topology["short_limit"], "EMSGSIZE")
        self.need(len(peer.inbox) < self.topology["queue_depth"], "EAGAIN")
        self.need(sent is None or self.has_room(peer.owner, PROGRAM_MEMORY), "ENOMEM")

    def deliver(self, peer: Port, message: Message) -> None:
        if not peer.inbox:
            self.raise_event(peer.receiver)
        peer.inbox.append(message)

    def receive(self, caller: Partition, port: str) -> dict[str, Any]:
        here = self.own_port(caller, port)
        self.need(here.status in ("CONNECTED", "PEER_CLOSED"), "ENOTCONN")
        self.need(here.inbox, "EPIPE" if here.status == "PEER_CLOSED" else "EAGAIN")
        message = here.inbox.popleft()
        if message.region is None:
            return {"region": None, "short": message.short}
        message.region.queued = False
        return {"region": f"{message.region.address:#x}", "short": message.short}

    def close_port(self, caller: Partition, port: str) -> None:
        self.destroy_port(self.own_port(caller, port))

    def destroy_port(self, port: Port) -> None:
        self.tell_peer(port)
        if port.request is not None:
            self.withdraw(port.request)
        self.discard_messages(port)
        port.receiver.serves = None
        del self.ports[port.handle]


OPERATIONS: tuple[str, ...] = (
    "create_partition",
    "boot",
    "set_limit",
    "query_usage",
    "terminate",
    "allocate",
    "free",
    "read_memory",
    "write_memory",
    "create_receiver",
    "create_sender",
    "destroy_receiver",
    "destroy_sender",
    "connect_event",
    "request_event",
    "accept_event",
    "send_event",
    "read_event",
    "take_signal",
    "refuse",
    "designate_receiver",
    "create_port",
    "connect",
    "cancel",
    "accept",
    "send",
    "receive",
    "close_port",
)


class Interface:
    """The control OS behind the conformance interface: `reset` and `call`, plain data in and out.

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
        """One hypercall: {"ok": answer} or {"error": name}.

        Raises ValueError for what is no hypercall: an unknown name, arguments that do not fit, no reset before.
        """
        if self._os is None:
            raise ValueError("reset first")
        if operation not in OPERATIONS:
            raise ValueError(f"no hypercall is called {operation!r}")
        given = dict(arguments)
        caller = self._os.partitions.get(given.pop("caller", ""))
        if caller is None or not caller.active:
            return {"error": "ESRCH"}
        if given.get("kind", PROGRAM_MEMORY) not in KINDS:
            raise ValueError(f"no kind of resource is called {given['kind']!r}")
        try:
            return {"ok": getattr(self._os, operation)(caller, **given)}
        except Refused as refused:
            return {"error": refused.error}
