"""The core, tested in one file as somebody does it who has Hypothesis and an afternoon: a state machine with a model of its own.

It shares nothing with the specification, the engine or the checker, so that it is a baseline: how many calls `oneowner fuzz`
needs until it finds a bug is measured against it (`first_detection.py`).  It has a bundle a sort of handles and a rule an
operation; `by_hand_joined.py` adds what one adds on seeing how seldom that comes to a channel.

What keeps it from drawing refusals alone: two guests with a port each are there from the start, and a thing is mostly used by who
has it.  Handles stay in their bundles when what they stand for is gone, so that dead ones are tried too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

PAGE, PAGES, DATUM = 4096, 2, 8
TOPOLOGY = {
    "partitions": 4,
    "regions": 4,
    "receivers": 8,
    "senders": 2,
    "ports": 6,
    "signals": 3,
    "queue_depth": 2,
    "page_size": PAGE,
    "pages_per_region": PAGES,
    "datum_size": DATUM,
    "short_limit": 64,
}
"""As small as full queues and exhausted tables want it."""

PLACES = (0, PAGE - DATUM // 2, PAGE * PAGES - DATUM)
"""Where memory is read and written: at the start of a region, across its pages, and at its end; none overlaps another."""

ZEROES = "00" * DATUM
NOTHING = "nothing"
"""A handle that is never given out."""


@dataclass
class Region:
    """A message region, and what stands in it by place."""

    owner: str
    queued: bool = False
    content: dict[int, str] = field(default_factory=dict)


@dataclass
class Receiver:
    """An event receive port; it serves a `sender`, a `port` or nothing."""

    owner: str
    pending: bool = False
    sender: str | None = None
    port: str | None = None


@dataclass
class Sender:
    """An event send port."""

    owner: str
    target: str | None = None


@dataclass
class Port:
    """A message port."""

    owner: str
    receiver: str
    status: str = "IDLE"
    peer: str | None = None
    inbox: list[tuple[str | None, str | None]] = field(default_factory=list)


@dataclass
class Request:
    """A control signal by which `port` asks for a channel; what its handle is, who takes it learns."""

    source: str
    target: str
    port: str
    service: int


partitions: Bundle[str] = Bundle("partitions")
regions: Bundle[str] = Bundle("regions")
receivers: Bundle[str] = Bundle("receivers")
senders: Bundle[str] = Bundle("senders")
ports: Bundle[str] = Bundle("ports")
signals: Bundle[str] = Bundle("signals")

CALLER = st.one_of(st.none(), st.none(), st.none(), partitions)
"""Who calls: None is who has the thing that the call is about."""

SHORT = st.sampled_from([None, "a", "b" * 64, "c" * 65])


class ByHand(RuleBasedStateMachine):
    """A subclass says with `implementation` what is tested: something with `reset(topology)` and `call(operation, arguments)`."""

    implementation: Any

    def __init__(self) -> None:
        super().__init__()
        self.active: dict[str, bool] = {}
        self.regions: dict[str, Region] = {}
        self.receivers: dict[str, Receiver] = {}
        self.senders: dict[str, Sender] = {}
        self.ports: dict[str, Port] = {}
        self.waiting: dict[str, list[Request]] = {}
        self.taken: dict[str, Request] = {}
        self.given: set[str] = {NOTHING}
        self.moved: list[tuple[str, str]] = []
        self.system: str = self.implementation.reset(dict(TOPOLOGY))["SYSTEM"]
        self.active[self.system] = True
        self.waiting[self.system] = []
        self.given.add(self.system)
        for _ in range(2):
            guest = self.create_guest(self.system)
            self.create_port(guest, self.create_receiver(guest))

    # how a call is made and judged

    def ask(self, operation: str, caller: str, refusals: Iterable[tuple[object, str]] = (), **arguments: Any) -> tuple[bool, Any]:
        """Make a call.  If any of the refusals applies it must be refused with one that does, else it must succeed; whether it
        did, and what it answered."""
        applying = {error for applies, error in refusals if applies}
        if not self.active.get(caller):
            applying.add("ESRCH")
        answer = self.implementation.call(operation, {"caller": caller, **arguments})
        if applying:
            assert answer.get("error") in applying, f"{operation}: {answer}, not one of {sorted(applying)}"
            return False, None
        assert "ok" in answer, f"{operation}: {answer}, not a success"
        return True, answer["ok"]

    def new(self, handle: str) -> str:
        """A handle that was given out, as none was before."""
        assert isinstance(handle, str)
        assert handle not in self.given, f"{handle} is given out again"
        self.given.add(handle)
        return handle

    def who(self, caller: str | None, thing: Region | Receiver | Sender | Port | None) -> str:
        """The caller that was drawn, or who has the thing; of one that is gone that is the system."""
        return caller or (thing.owner if thing else self.system)

    # what happens in the model

    def raise_event(self, receiver: str) -> None:
        self.receivers[receiver].pending = True

    def requests(self) -> list[Request]:
        """The control signals that wait, or were taken and not answered."""
        return [*(request for queue in self.waiting.values() for request in queue), *self.taken.values()]

    def withdraw(self, request: Request) -> None:
        for queue in self.waiting.values():
            queue[:] = [other for other in queue if other is not request]
        self.taken = {handle: other for handle, other in self.taken.items() if other is not request}

    def turn_down(self, request: Request) -> None:
        self.withdraw(request)
        self.ports[request.port].status = "REFUSED"
        self.raise_event(self.ports[request.port].receiver)

    def free_region(self, region: str) -> None:
        self.moved.append((region, self.regions.pop(region).owner))

    def end_port(self, handle: str) -> None:
        port = self.ports.pop(handle)
        for request in [r for r in self.requests() if r.port == handle]:
            self.withdraw(request)
        for region, _ in port.inbox:
            if region is not None:
                self.free_region(region)
        self.receivers[port.receiver].port = None
        if port.peer is not None:
            peer = self.ports[port.peer]
            peer.status, peer.peer = "PEER_CLOSED", None
            self.raise_event(peer.receiver)

    def end_sender(self, handle: str) -> None:
        target = self.senders.pop(handle).target
        if target is not None:
            self.receivers[target].sender = None

    def end_receiver(self, handle: str) -> None:
        sender = self.receivers.pop(handle).sender
        if sender is not None:
            self.senders[sender].target = None

    # partitions

    @initialize(target=partitions)
    def first_partitions(self) -> Any:
        return multiple(NOTHING, *self.active)

    def create_guest(self, caller: str) -> Any:
        refusals = [(caller != self.system, "EPERM"), (len(self.active) >= TOPOLOGY["partitions"], "ENOMEM")]
        done, handle = self.ask("create_partition", caller, refusals)
        if not done:
            return multiple()
        self.active[self.new(handle)] = True
        self.waiting[handle] = []
        return handle

    @rule(target=partitions, caller=CALLER)
    def create_partition(self, caller: str | None) -> Any:
        return self.create_guest(caller or self.system)

    @rule(caller=partitions, partition=partitions)
    def terminate(self, caller: str, partition: str) -> None:
        refusals = [
            (caller not in (partition, self.system), "EPERM"),
            (not self.active.get(partition), "ESRCH"),
            (partition == self.system, "EPERM"),
        ]
        if not self.ask("terminate", caller, refusals, partition=partition)[0]:
            return
        self.active[partition] = False
        for port in [handle for handle, port in self.ports.items() if port.owner == partition]:
            self.end_port(port)
        for request in [request for request in self.requests() if request.target == partition]:
            self.turn_down(request)
        for region in [handle for handle, region in self.regions.items() if region.owner == partition]:
            self.free_region(region)
        for sender in [handle for handle, sender in self.senders.items() if sender.owner == partition]:
            self.end_sender(sender)
        for receiver in [handle for handle, receiver in self.receivers.items() if receiver.owner == partition]:
            self.end_receiver(receiver)

    # memory

    @rule(target=regions, caller=partitions)
    def allocate(self, caller: str) -> Any:
        done, handle = self.ask("allocate", caller, [(len(self.regions) >= TOPOLOGY["regions"], "ENOMEM")])
        if not done:
            return multiple()
        self.regions[self.new(handle)] = Region(caller)
        self.moved.append((handle, caller))
        return handle

    @rule(caller=CALLER, region=regions)
    def free(self, caller: str | None, region: str) -> None:
        freed = self.regions.get(region)
        by = self.who(caller, freed)
        refusals = [(freed is None or freed.owner != by, "EFAULT"), (freed and freed.queued and freed.owner == by, "EBUSY")]
        if self.ask("free", by, refusals, region=region)[0]:
            self.free_region(region)

    @rule(caller=CALLER, region=regions, place=st.sampled_from(PLACES))
    def read_memory(self, caller: str | None, region: str, place: int) -> None:
        self.read(self.who(caller, self.regions.get(region)), region, place)

    def read(self, by: str, region: str, place: int) -> None:
        known = self.regions.get(region)
        done, data = self.ask("read_memory", by, [(known is None or known.owner != by, "EFAULT")], region=region, place=place)
        if done:
            assert known is not None
            wanted = known.content.get(place, ZEROES)
            assert data == wanted, f"read_memory: {data}, not {wanted}"

    @rule(caller=CALLER, region=regions, place=st.sampled_from(PLACES), data=st.binary(min_size=DATUM, max_size=DATUM))
    def write_memory(self, caller: str | None, region: str, place: int, data: bytes) -> None:
        known = self.regions.get(region)
        by = self.who(caller, known)
        refusals = [(known is None or known.owner != by, "EFAULT")]
        if self.ask("write_memory", by, refusals, region=region, place=place, data=data.hex())[0]:
            assert known is not None
            known.content[place] = data.hex()

    @precondition(lambda self: self.moved)
    @invariant()
    def memory_is_its_owners(self) -> None:
        """A region that changed hands is read by who has it, and no more by who had it.  What is charged cannot be asked for in
        the core."""
        moved, self.moved = self.moved, []
        for region, had in moved:
            now = self.regions[region].owner if region in self.regions else had
            for partition in dict.fromkeys((had, now)):
                if self.active[partition]:
                    for place in PLACES:
                        self.read(partition, region, place)

    # events

    @initialize(target=receivers)
    def first_receivers(self) -> Any:
        return multiple(NOTHING, *self.receivers)

    @rule(target=receivers, caller=partitions)
    def create_receiver(self, caller: str) -> Any:
        done, handle = self.ask("create_receiver", caller, [(len(self.receivers) >= TOPOLOGY["receivers"], "ENOMEM")])
        if not done:
            return multiple()
        self.receivers[self.new(handle)] = Receiver(caller)
        return handle

    @rule(target=senders, caller=partitions)
    def create_sender(self, caller: str) -> Any:
        done, handle = self.ask("create_sender", caller, [(len(self.senders) >= TOPOLOGY["senders"], "ENOMEM")])
        if not done:
            return multiple()
        self.senders[self.new(handle)] = Sender(caller)
        return handle

    @rule(caller=CALLER, receiver=receivers)
    def destroy_receiver(self, caller: str | None, receiver: str) -> None:
        known = self.receivers.get(receiver)
        by = self.who(caller, known)
        own = known is not None and known.owner == by
        refusals = [(not own, "EBADF"), (own and known and known.port, "EBUSY")]
        if self.ask("destroy_receiver", by, refusals, receiver=receiver)[0]:
            self.end_receiver(receiver)

    @rule(caller=CALLER, sender=senders)
    def destroy_sender(self, caller: str | None, sender: str) -> None:
        known = self.senders.get(sender)
        by = self.who(caller, known)
        if self.ask("destroy_sender", by, [(known is None or known.owner != by, "EBADF")], sender=sender)[0]:
            self.end_sender(sender)

    @rule(caller=CALLER, sender=senders, receiver=receivers)
    def connect_event(self, caller: str | None, sender: str, receiver: str) -> None:
        source, target = self.senders.get(sender), self.receivers.get(receiver)
        by = self.who(caller, source)
        sends, receives = source is not None and source.owner == by, target is not None and target.owner == by
        refusals = [
            (not sends or not receives, "EBADF"),
            (sends and source and source.target, "EISCONN"),
            (receives and target and (target.sender or target.port), "EISCONN"),
        ]
        if self.ask("connect_event", by, refusals, sender=sender, receiver=receiver)[0]:
            assert source is not None
            assert target is not None
            source.target, target.sender = receiver, sender

    @rule(caller=CALLER, sender=senders)
    def send_event(self, caller: str | None, sender: str) -> None:
        known = self.senders.get(sender)
        by = self.who(caller, known)
        own = known is not None and known.owner == by
        refusals = [(not own, "EBADF"), (own and known and known.target is None, "ENOTCONN")]
        if self.ask("send_event", by, refusals, sender=sender)[0]:
            assert known is not None
            assert known.target is not None
            self.raise_event(known.target)

    @rule(caller=CALLER, receiver=receivers)
    def read_event(self, caller: str | None, receiver: str) -> None:
        known = self.receivers.get(receiver)
        by = self.who(caller, known)
        done, pending = self.ask("read_event", by, [(known is None or known.owner != by, "EBADF")], receiver=receiver)
        if done:
            assert known is not None
            assert pending is known.pending, f"read_event: {pending}, not {known.pending}"
            known.pending = False

    # control signals

    @rule(target=signals, caller=partitions)
    def take_signal(self, caller: str) -> Any:
        queue = self.waiting.get(caller, [])
        done, told = self.ask("take_signal", caller, [(not queue, "EAGAIN")])
        if not done:
            return multiple()
        request = queue.pop(0)
        wanted = {"kind": "CHANNEL", "source": request.source, "service": request.service, "shared": None}
        assert {name: value for name, value in told.items() if name != "signal"} == wanted, f"take_signal: {told}, not {wanted}"
        self.taken[self.new(told["signal"])] = request
        return told["signal"]

    @rule(caller=CALLER, signal=signals)
    def refuse(self, caller: str | None, signal: str) -> None:
        request = self.taken.get(signal)
        by = caller or (request.target if request else self.system)
        if self.ask("refuse", by, [(request is None or request.target != by, "EBADF")], signal=signal)[0]:
            assert request is not None
            self.turn_down(request)

    # message channels

    @initialize(target=ports)
    def first_ports(self) -> Any:
        return multiple(NOTHING, *self.ports)

    @rule(target=ports, caller=CALLER, receiver=receivers)
    def create_port(self, caller: str | None, receiver: str) -> Any:
        known = self.receivers.get(receiver)
        by = self.who(caller, known)
        own = known is not None and known.owner == by
        refusals = [
            (not own, "EBADF"),
            (own and known and (known.sender or known.port), "EISCONN"),
            (len(self.ports) >= TOPOLOGY["ports"], "ENOMEM"),
        ]
        done, handle = self.ask("create_port", by, refusals, receiver=receiver)
        if not done:
            return multiple()
        assert known is not None
        self.ports[self.new(handle)] = Port(by, receiver)
        known.port = handle
        return handle

    @rule(caller=CALLER, port=ports, partition=partitions, service=st.sampled_from([1, 2]))
    def connect(self, caller: str | None, port: str, partition: str, service: int) -> None:
        client = self.ports.get(port)
        by = self.who(caller, client)
        own = client is not None and client.owner == by
        status = client.status if client is not None and own else ""
        refusals = [
            (not own, "EBADF"),
            (status == "CONNECTING", "EALREADY"),
            (status in ("CONNECTED", "PEER_CLOSED"), "EISCONN"),
            (partition == by, "EINVAL"),
            # whom the system serves it serves at its sockets, of which the core has none
            (partition == self.system or not self.active.get(partition), "ECONNREFUSED"),
            (len(self.requests()) >= TOPOLOGY["signals"], "ENOMEM"),
        ]
        if self.ask("connect", by, refusals, port=port, partition=partition, service=service)[0]:
            assert client is not None
            client.status = "CONNECTING"
            self.waiting[partition].append(Request(by, partition, port, service))

    @rule(caller=CALLER, port=ports)
    def cancel(self, caller: str | None, port: str) -> None:
        client = self.ports.get(port)
        by = self.who(caller, client)
        own = client is not None and client.owner == by
        refusals = [(not own, "EBADF"), (own and client and client.status != "CONNECTING", "EINVAL")]
        if self.ask("cancel", by, refusals, port=port)[0]:
            assert client is not None
            client.status = "IDLE"
            for request in [request for request in self.requests() if request.port == port]:
                self.withdraw(request)

    @rule(caller=CALLER, signal=signals, port=ports)
    def accept(self, caller: str | None, signal: str, port: str) -> None:
        request, server = self.taken.get(signal), self.ports.get(port)
        by = self.who(caller, server)
        own = server is not None and server.owner == by
        refusals = [
            (request is None or request.target != by or not own, "EBADF"),
            (own and server and server.status not in ("IDLE", "REFUSED"), "EISCONN"),
        ]
        if self.ask("accept", by, refusals, signal=signal, port=port)[0]:
            assert request is not None
            assert server is not None
            client = self.ports[request.port]
            self.withdraw(request)
            client.status = server.status = "CONNECTED"
            client.peer, server.peer = port, request.port
            self.raise_event(client.receiver)
            self.raise_event(server.receiver)

    @rule(caller=CALLER, port=ports, region=st.none() | regions, short=SHORT)
    def send(self, caller: str | None, port: str, region: str | None, short: str | None) -> None:
        source, sent = self.ports.get(port), self.regions.get(region or "")
        by = self.who(caller, source)
        own = source is not None and source.owner == by
        status = source.status if source is not None and own else ""
        peer = self.ports[source.peer] if source is not None and own and source.peer is not None else None
        has = sent is not None and sent.owner == by
        refusals = [
            (not own, "EBADF"),
            (status in ("IDLE", "CONNECTING", "REFUSED"), "ENOTCONN"),
            (status == "PEER_CLOSED", "EPIPE"),
            (region is not None and not has, "EFAULT"),
            (has and sent and sent.queued, "EBUSY"),
            (short is not None and len(short) > TOPOLOGY["short_limit"], "EMSGSIZE"),
            (peer is not None and len(peer.inbox) >= TOPOLOGY["queue_depth"], "EAGAIN"),
        ]
        if self.ask("send", by, refusals, port=port, region=region, short=short)[0]:
            assert peer is not None
            if not peer.inbox:
                self.raise_event(peer.receiver)
            peer.inbox.append((region, short))
            if region is not None:
                assert sent is not None
                sent.owner, sent.queued = peer.owner, True
                self.moved.append((region, by))

    @rule(caller=CALLER, port=ports)
    def receive(self, caller: str | None, port: str) -> None:
        here = self.ports.get(port)
        by = self.who(caller, here)
        own = here is not None and here.owner == by
        status = here.status if here is not None and own else ""
        empty = here is not None and not here.inbox
        refusals = [
            (not own, "EBADF"),
            (status in ("IDLE", "CONNECTING", "REFUSED"), "ENOTCONN"),
            (status == "PEER_CLOSED" and empty, "EPIPE"),
            (status == "CONNECTED" and empty, "EAGAIN"),
        ]
        done, message = self.ask("receive", by, refusals, port=port)
        if done:
            assert here is not None
            region, short = here.inbox.pop(0)
            assert message == {"region": region, "short": short}, f"receive: {message}, not {region} and {short}"
            if region is not None:
                self.regions[region].queued = False

    @rule(caller=CALLER, port=ports)
    def close_port(self, caller: str | None, port: str) -> None:
        known = self.ports.get(port)
        by = self.who(caller, known)
        if self.ask("close_port", by, [(known is None or known.owner != by, "EBADF")], port=port)[0]:
            self.end_port(port)
