"""The machine: what hypercalls are made of.  Every method here is one mechanism that checks nothing but what its name says."""

from __future__ import annotations

from collections import deque

from .memory import AddressSpace, PhysicalMemory
from .objects import (
    DATUM_SIZE,
    EVENT_PORTS,
    GRANTED,
    MANAGEMENT_MEMORY,
    PROGRAM_MEMORY,
    Message,
    Partition,
    Port,
    Processor,
    Receiver,
    Refused,
    Region,
    Request,
    Sender,
    SharedRegion,
    Signal,
    Upcalls,
    need,
)

FIRST_ADDRESS = 0x4000_0000
FIRST_SHARED_ADDRESS = 0x40_0000_0000
DEFAULTS = {"processors": 16, "physicals": 4, "shareds": 4, "requests": 16, "processes": 8, "fds": 16, "capacity": 8}


class Machine:
    """One machine.  `topology` says how much of everything it has (see the conformance interface)."""

    kernel: Upcalls

    def __init__(self, topology: dict[str, int]) -> None:
        self.topology = DEFAULTS | topology
        self.region_pages = topology["pages_per_region"]
        self.region_size = self.region_pages * topology["page_size"]
        frames = (self.topology["regions"] + self.topology["shareds"]) * self.region_pages
        self.memory = PhysicalMemory(frames, topology["page_size"])
        self.next_address = FIRST_ADDRESS
        self.next_shared_address = FIRST_SHARED_ADDRESS
        self.minted = 0
        self.partitions: dict[str, Partition] = {}
        self.processors: dict[str, Processor] = {}
        self.requests: dict[str, Request] = {}
        self.regions: dict[int, Region] = {}
        self.aside: dict[int, Region] = {}
        self.shareds: dict[str, SharedRegion] = {}
        self.receivers: dict[str, Receiver] = {}
        self.senders: dict[str, Sender] = {}
        self.ports: dict[str, Port] = {}
        self.signals: dict[str, Signal] = {}
        self.pool = dict.fromkeys(GRANTED, self.topology["capacity"])
        self.boot_order: list[Partition] = []
        self.system = self.new_partition()
        self.system.booted = True

    def mint(self, kind: str) -> str:
        """A handle that was never given out; it says nothing but what it was minted for."""
        self.minted += 1
        return f"{kind}-{self.minted:04x}"

    def within(self, place: int) -> int:
        """A place in a region, where a datum fits.  Beyond it another region of the same owner may be mapped."""
        need(0 <= place <= self.region_size - DATUM_SIZE, "EFAULT")
        return place

    def new_partition(self) -> Partition:
        partition = Partition(self.mint("partition"), AddressSpace(self.memory))
        self.partitions[partition.handle] = partition
        return partition

    # -- charges --

    def has_room(self, partition: Partition, kind: str) -> bool:
        return kind not in partition.limit or partition.used[kind] < partition.limit[kind]

    def charge(self, partition: Partition, kind: str) -> None:
        partition.used[kind] += 1

    def refund(self, partition: Partition, kind: str) -> None:
        partition.used[kind] -= 1

    # -- whose is a handle --

    def need_system(self, caller: Partition) -> None:
        need(caller is self.system, "EPERM")

    def active(self, handle: str, error: str = "ESRCH") -> Partition:
        partition = self.partitions.get(handle)
        if partition is None or not partition.active:
            raise Refused(error)
        return partition

    def other_side(self, caller: Partition, handle: str) -> Partition:
        """Whom a control signal goes to: never the caller itself."""
        need(handle != caller.handle, "EINVAL")
        return self.active(handle, "ECONNREFUSED")

    def own_port(self, caller: Partition, handle: str) -> Port:
        port = self.ports.get(handle)
        if port is None or port.owner is not caller or port.kernel:
            raise Refused("EBADF")
        return port

    def own_receiver(self, caller: Partition, handle: str) -> Receiver:
        receiver = self.receivers.get(handle)
        if receiver is None or receiver.owner is not caller or (isinstance(receiver.serves, Port) and receiver.serves.kernel):
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

    # -- message regions --

    def new_region(self, owner: Partition) -> Region:
        """A region from free memory, zeroed, mapped at its owner and charged to it.  Refused where there is no room."""
        need(self.has_room(owner, PROGRAM_MEMORY), "ENOMEM")
        region = self.region_of_memory(owner)
        self.hand_out(region)
        return region

    def region_of_memory(self, owner: Partition) -> Region:
        """Free memory for a region of `owner`'s, mapped nowhere yet.  Refused where there is none."""
        need(len(self.regions) + len(self.aside) < self.topology["regions"], "ENOMEM")
        frames = self.memory.take(self.region_pages)
        if frames is None:
            raise Refused("ENOMEM")
        region = Region(self.next_address, frames, owner)
        # a page between any two regions stays unmapped, so that running over the end of one is a fault
        self.next_address += self.region_size + self.memory.page_size
        return region

    def hand_out(self, region: Region) -> None:
        """Map a region at its owner, and charge it."""
        self.regions[region.address] = region
        self.charge(region.owner, PROGRAM_MEMORY)
        self.map_region(region.owner, region)

    def map_region(self, partition: Partition, region: Region) -> None:
        partition.space.map(region.address, region.frames)

    def unmap_region(self, partition: Partition, region: Region) -> None:
        partition.space.unmap(region.address, len(region.frames))

    def scrub_region(self, region: Region | SharedRegion) -> None:
        for frame in region.frames:
            self.memory.scrub(frame)

    def release_region(self, region: Region) -> None:
        """Unmap, scrub and free a region, and give its owner the charge back."""
        self.unmap_region(region.owner, region)
        self.scrub_region(region)
        self.memory.give_back(region.frames)
        self.refund(region.owner, PROGRAM_MEMORY)
        del self.regions[region.address]

    def need_idle(self, region: Region) -> None:
        """Refuse for a region that waits in a queue, or that the kernel has as a file or mapped in a process."""
        need(not region.queued and not region.claimed, "EBUSY")

    def transfer(self, region: Region, receiver: Partition) -> None:
        """Hand a region over by changing page tables alone: the cost is by the page, no byte is copied."""
        self.unmap_region(region.owner, region)
        self.map_region(receiver, region)
        self.refund(region.owner, PROGRAM_MEMORY)
        self.charge(receiver, PROGRAM_MEMORY)
        region.owner = receiver

    # -- events --

    def raise_event(self, receiver: Receiver | None) -> None:
        if receiver is not None:
            receiver.pending = True

    def need_room_for_receiver(self, owner: Partition) -> None:
        need(self.has_room(owner, EVENT_PORTS), "ENOMEM")
        need(len(self.receivers) < self.topology["receivers"], "ENOMEM")

    def new_receiver(self, owner: Partition) -> Receiver:
        receiver = Receiver(self.mint("receiver"), owner)
        self.receivers[receiver.handle] = receiver
        self.charge(owner, EVENT_PORTS)
        return receiver

    def drop_receiver(self, receiver: Receiver) -> None:
        if isinstance(receiver.serves, Sender):
            self.disconnect_sender(receiver.serves)
        del self.receivers[receiver.handle]
        self.refund(receiver.owner, EVENT_PORTS)

    def disconnect_sender(self, sender: Sender) -> None:
        if sender.target is not None:
            sender.target.serves = None
            sender.target = None

    # -- control signals --

    def need_room_for_signal(self, caller: Partition) -> None:
        need(self.has_room(caller, MANAGEMENT_MEMORY), "ENOMEM")
        need(len(self.signals) < self.topology["signals"], "ENOMEM")

    def post(
        self, source: Partition, target: Partition, asks: Port | Sender | SharedRegion, service: int | None = None
    ) -> Signal:
        """Make a control signal, paid for by who sends it until it is gone (seed 0057)."""
        signal = Signal(self.mint("signal"), source, target, asks, service)
        self.signals[signal.handle] = signal
        self.charge(source, MANAGEMENT_MEMORY)
        if not isinstance(asks, SharedRegion):
            asks.request = signal
        return signal

    def enqueue(self, signal: Signal, queue: deque[Signal]) -> None:
        signal.waits_in = queue
        queue.append(signal)

    def announce(self, signal: Signal) -> None:
        """Queue a signal at its target, and tell it if it found the queue empty."""
        if not signal.target.queue:
            self.raise_event(signal.target.signal_receiver)
        self.enqueue(signal, signal.target.queue)

    def withdraw(self, signal: Signal) -> None:
        """Let a signal be gone, wherever it waits, and refund it."""
        signal.target.taken.pop(signal.handle, None)
        if signal in signal.waits_in:
            signal.waits_in.remove(signal)
        if not isinstance(signal.asks, SharedRegion):
            signal.asks.request = None
        self.refund_signal(signal)
        del self.signals[signal.handle]

    def refund_signal(self, signal: Signal) -> None:
        self.refund(signal.source, MANAGEMENT_MEMORY)

    def answer_no(self, signal: Signal) -> None:
        """Refuse what a signal asks; a port learns of it, so that nobody waits for nothing."""
        asks = signal.asks
        self.withdraw(signal)
        if isinstance(asks, Port) and asks.kernel:
            self.kernel.refused(asks)
        elif isinstance(asks, Port):
            asks.status = "REFUSED"
            self.raise_event(asks.receiver)

    # -- message channels --

    def need_room_for_port(self) -> None:
        need(len(self.ports) < self.topology["ports"], "ENOMEM")

    def new_port(self, receiver: Receiver, kernel: bool = False) -> Port:
        port = Port(self.mint("port"), receiver.owner, receiver, kernel)
        self.ports[port.handle] = port
        receiver.serves = port
        return port

    def request_channel(self, client: Port, target: Partition, service: int) -> None:
        """Ask `target` for a channel; what asks the system control OS goes to the socket of the service (seed 0091)."""
        to_kernel = target is self.system
        need(not to_kernel or self.kernel.admits(client.owner, service), "ECONNREFUSED")
        self.need_room_for_signal(client.owner)
        signal = self.post(client.owner, target, client, service)
        client.status = "CONNECTING"
        if to_kernel:
            self.kernel.requested(signal)
        else:
            self.announce(signal)

    def join(self, client: Port, server: Port) -> None:
        client.peer, server.peer = server, client
        client.status = server.status = "CONNECTED"
        self.raise_event(client.receiver)
        self.raise_event(server.receiver)

    def check_message(self, peer: Port, sent: Region | None, short: str | None) -> None:
        need(short is None or len(short.encode()) <= self.topology["short_limit"], "EMSGSIZE")
        need(self.has_queue_room(peer), "EAGAIN")
        need(sent is None or self.has_room(peer.owner, PROGRAM_MEMORY), "ENOMEM")

    def has_queue_room(self, port: Port) -> bool:
        return len(port.inbox) < self.topology["queue_depth"]

    def move(self, peer: Port, sent: Region | None, short: str | None) -> None:
        """The effect of a send: the region changes hands, the message arrives."""
        if sent is not None:
            self.transfer(sent, peer.owner)
            sent.queued = True
        self.deliver(peer, Message(sent, short))

    def deliver(self, peer: Port, message: Message) -> None:
        if peer.kernel:
            self.kernel.delivered(peer, message)
        else:
            self.queue_message(peer, message)

    def queue_message(self, port: Port, message: Message) -> None:
        if not port.inbox:
            self.raise_event(port.receiver)
        port.inbox.append(message)

    def take_message(self, port: Port) -> Message:
        message = port.inbox.popleft()
        if message.region is not None:
            message.region.queued = False
        return message

    def destroy_port(self, port: Port) -> None:
        self.tell_peer(port)
        if port.request is not None:
            self.withdraw(port.request)
        self.discard_messages(port)
        port.receiver.serves = None
        del self.ports[port.handle]

    def tell_peer(self, port: Port) -> None:
        """The other end of a channel learns that this one closes."""
        peer = port.peer
        if peer is None:
            return
        peer.status, peer.peer, port.peer = "PEER_CLOSED", None, None
        self.raise_event(peer.receiver)
        if peer.kernel:
            self.kernel.hung_up(peer)

    def discard_messages(self, port: Port) -> None:
        for message in port.inbox:
            if message.region is not None:
                self.release_region(message.region)
        port.inbox.clear()
