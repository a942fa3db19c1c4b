"""The core of the system as the peers' models in `bench/peers` have it, as a specification: to be held against them.

The same operations, guards and invariants, and without symmetry the same states.  The peers connect two ports in one order, by
their numbers; so does `ordered`, for runs without symmetry.  Names have no order of their own, so with symmetry a connection is
found twice.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from oneowner.model import (
    Enumeration,
    Map,
    Parameter,
    Queue,
    Rigid,
    Sort,
    Spec,
    State,
    action,
    implies,
    invariant,
    lemma,
    negation,
    none,
    require,
)
from oneowner.model.language import planted


class Partition(Sort):
    """An operating system's share of the machine."""


class Region(Sort):
    """Memory that is handed over whole."""


class Port(Sort):
    """One end of a channel."""


class Status(Enumeration):
    """Life of a port."""

    CLOSED = 0
    CONNECTED = 1
    DISCONNECTED = 2


CLOSED, CONNECTED, DISCONNECTED = Status
NOT_YET = "NOT_YET"


class Core(State):
    owner: Map[Region, Partition]
    mapped: Map[tuple[Partition, Region], bool]
    status: Map[Port, Status]
    port_owner: Map[Port, Partition]
    peer: Map[Port, Port]
    pending: Map[Port, bool]
    queue: Queue[Port, Region]
    depth: Parameter
    apart: Rigid[tuple[Port, Port], bool]
    """Which ports are not to be connected in this order."""


@action()
def alloc(core: Core, region: Region, partition: Partition) -> None:
    require(core.owner[region] == none, NOT_YET)
    core.owner[region] = partition
    core.mapped[partition, region] = True


@action()
def free(core: Core, region: Region) -> None:
    require((core.owner[region] != none) & (core.queue.of(region) == none), NOT_YET)
    core.mapped[core.owner[region], region] = False
    core.owner[region] = none


@action()
def connect(core: Core, first: Port, second: Port, partition: Partition, other: Partition) -> None:
    require(first != second, NOT_YET)
    require(negation(core.apart[first, second]), NOT_YET)
    require(partition != other, NOT_YET)
    require(core.status[first] == CLOSED, NOT_YET)
    require(core.status[second] == CLOSED, NOT_YET)
    for port, peer, owner in ((first, second, partition), (second, first, other)):
        core.status[port] = CONNECTED
        core.port_owner[port] = owner
        core.peer[port] = peer
        core.pending[port] = True


@action()
def send(core: Core, port: Port, region: Region) -> None:
    require(core.status[port] == CONNECTED, NOT_YET)
    require(core.owner[region] == core.port_owner[port], NOT_YET)
    require(core.queue.of(region) == none, NOT_YET)
    peer = core.peer[port]
    require(core.queue[peer].length < core.depth, NOT_YET)
    receiver = core.port_owner[peer]
    core.mapped[core.port_owner[port], region] = False
    core.mapped[receiver, region] = True
    core.owner[region] = receiver
    if core.queue[peer].empty:
        core.pending[peer] = True
    core.queue[peer].push(region)


@action()
def receive(core: Core, port: Port) -> Region:
    require(negation(core.queue[port].empty), NOT_YET)
    return core.queue[port].pop()


@action()
def ack_event(core: Core, port: Port) -> None:
    require(core.pending[port], NOT_YET)
    core.pending[port] = False


@action()
def close(core: Core, port: Port) -> None:
    require(core.status[port] != CLOSED, NOT_YET)
    before = core.before
    core.mapped.where(lambda partition, region: before.queue.of(region) == port, False)
    core.owner.where(lambda region: before.queue.of(region) == port, none)
    core.queue.drop(lambda region: before.queue.of(region) == port)
    core.status.where(lambda other: before.peer[other] == port, DISCONNECTED)
    core.peer.where(lambda other: (before.peer[other] == port) | (other == port), none)
    core.status[port] = CLOSED
    core.port_owner[port] = none
    core.pending[port] = False


@invariant()
def exclusive_mapping(core: Core, region: Region, partition: Partition) -> bool:
    """An owned region is mapped exactly by its owner."""
    return (core.owner[region] == none) | (core.mapped[partition, region] == (core.owner[region] == partition))


@invariant()
def free_is_unmapped(core: Core, region: Region, partition: Partition) -> bool:
    """Free memory is mapped nowhere."""
    return implies(core.owner[region] == none, negation(core.mapped[partition, region]))


@invariant()
def queue_bound(core: Core, port: Port) -> bool:
    """No queue is longer than its bound."""
    return core.queue[port].length <= core.depth


@invariant()
def queued_at_its_owner(core: Core, region: Region) -> bool:
    """A queued region is the port's owner's; that it stands in one place only is in the nature of a `Queue`."""
    place = core.queue.of(region)
    return (place == none) | (core.owner[region] == core.port_owner[place])


@invariant()
def peers_are_symmetric(core: Core, port: Port) -> bool:
    """Connected ports are each other's peers."""
    peer = core.peer[port]
    joined = (peer != none) & (peer != port) & (core.status[peer] == CONNECTED) & (core.peer[peer] == port)
    return implies(core.status[port] == CONNECTED, joined)


@lemma("so that a queued region has an owner: that of the port")
def open_ports_are_owned(core: Core, port: Port) -> bool:
    return (core.status[port] == CLOSED) == (core.port_owner[port] == none)


@lemma("so that closing a port leaves nothing queued there")
def queued_at_open_ports(core: Core, region: Region) -> bool:
    place = core.queue.of(region)
    return (place == none) | (core.status[place] != CLOSED)


@lemma("so that a port that is left has no peer that is the peer of another")
def only_connected_ports_have_peers(core: Core, port: Port) -> bool:
    return (core.status[port] == CONNECTED) | (core.peer[port] == none)


CORE = Spec("core", Core, (sys.modules[__name__],), lambda core: None)
FORGETS_TO_UNMAP = CORE.replace(
    send=planted(CORE.actions["send"].function, "core.mapped[core.port_owner[port], region] = False", "pass")
)
OFF_BY_ONE = CORE.replace(send=planted(CORE.actions["send"].function, "< core.depth", "<= core.depth"))


def ordered(spec: Spec) -> Spec:
    """The specification with ports connected in one order only."""
    return replace(spec, rigid={"apart": lambda scope, first, second: first > second})


CORE_ORDERED, FORGETS_TO_UNMAP_ORDERED, OFF_BY_ONE_ORDERED = map(ordered, (CORE, FORGETS_TO_UNMAP, OFF_BY_ONE))
BUGS = {0: "CORE", 1: "FORGETS_TO_UNMAP", 2: "OFF_BY_ONE"}
THEOREMS = ("exclusive_mapping", "free_is_unmapped", "queue_bound", "queued_at_its_owner", "peers_are_symmetric")
"""What the peers check too; the lemmas are for the proof."""


def scope(partitions: int, regions: int, ports: int, depth: int) -> dict[str, int]:
    return {"partitions": partitions, "regions": regions, "ports": ports, "depth": depth}
