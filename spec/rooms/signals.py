"""Control signals: requests that wait at a partition, paid for by who sent them (seed 0056, 0057)."""

from __future__ import annotations

from ..words import *
from .common import *
from .events import unserving


class Signals(State):
    signals: Queue[Partition, Signal]
    signal_at: Map[Signal, Partition]
    """Where a signal was sent to; it is there in the queue, or taken and waiting for its answer."""
    signal_kind: Map[Signal, SignalKind]
    signal_source: Map[Signal, Partition]
    signal_service: Map[Signal, Service]
    signal_port: Map[Signal, Port]
    signal_sender: Map[Signal, Sender]
    """The message port or the event sender that asks."""
    payer: Map[Signal, Partition]
    signal_receiver: Map[Partition, Receiver]
    """The receiver designated for arrivals."""


class Taken(NamedTuple):
    """A control signal as its target sees it."""

    signal: Signal
    kind: SignalKind
    source: Partition
    service: Service
    shared: Shared


@unused
def signal_unused(system: System, signal: Signal) -> bool:
    return system.signal_at[signal] == none


@action(seed="SIG-1 SIG-2 SIG-4", step="S102")
def take_signal(system: System, caller: Partition) -> Taken:
    """Take the oldest signal out of the caller's queue.  It waits for its answer, and stays charged to its sender."""
    standing(system, caller)
    require(not system.signals[caller].empty, EAGAIN)

    signal = system.signals[caller].pop()
    kind, source = system.signal_kind[signal], system.signal_source[signal]
    return Taken(signal, kind, source, system.signal_service[signal], system.signal_shared[signal])


@action(seed="CHAN-3 EVT-6 SHM-1 SIG-3")
def refuse(system: System, caller: Partition, signal: Signal) -> None:
    """Answer a taken signal with no.  A client's port is told by its status and an event, and a process of SYSTEM that waits for
    its connection is answered, so that nobody waits for nothing; a sender may ask again."""
    standing(system, caller)
    require(taken(system, caller, signal), EBADF)

    refuse_all(system, lambda other: other == signal)


@action(seed="SIG-5")
def designate_receiver(system: System, caller: Partition, receiver: Receiver) -> None:
    """Name the receiver that tells of signals arriving at the empty queue; the one before is released.  With signals
    waiting it becomes pending at once."""
    standing(system, caller)
    require(system.receiver_owner[receiver] == caller, EBADF)
    require(unserving(system, receiver), EISCONN)

    former = system.signal_receiver[caller]
    if former != none:
        system.serves_signals[former] = False
    system.serves_signals[receiver] = True
    system.signal_receiver[caller] = receiver
    if not system.signals[caller].empty:
        raise_event(system, receiver)


@invariant(seed="SIG-3 RES-3")
def charge_exact(system: System, signal: Signal) -> bool:
    """A signal is charged from its arrival until it is answered, withdrawn, or either side ends; to its sender, and to
    no one else."""
    return system.payer[signal] == system.signal_source[signal]


@invariant(seed="SIG-3")
def signals_join_the_living(system: System, signal: Signal) -> bool:
    """A signal that waits is between two different partitions, both active; one that does not wait has no sender."""
    target, source = system.signal_at[signal], system.signal_source[signal]
    live = (system.status[target] == ACTIVE) & (system.status[source] == ACTIVE) & (target != source)
    gone = (target == none) & (source == none)
    return live | gone


@invariant(seed="SIG-2")
def signal_queued_where_sent(system: System, signal: Signal) -> bool:
    """A queued signal stands in the queue of the partition that it was sent to, and not in a backlog too; one in a backlog was
    sent to SYSTEM."""
    place, listener = system.signals.of(signal), system.backlog.of(signal)
    queued = (place == system.signal_at[signal]) & (listener == none)
    waiting = (place == none) & (system.signal_at[signal] == SYSTEM)
    return queued | waiting | ((place == none) & (listener == none))


@step_property(seed="SIG-2")
def signals_in_order(before: System, after: System, call: Call, first: Signal, second: Signal) -> bool:
    """Signals keep their order, and the oldest is taken first."""
    together = before.signals.ahead(first, second)
    stays = after.signals.of(second) == before.signals.of(second)
    in_order = after.signals.ahead(first, second) | (after.signals.of(first) == none)
    taken = (call.operation == "take_signal") & negation(stays)
    return implies(together & stays, in_order) & negation(together & taken)


@step_property(seed="SIG-2 SIG-4")
def a_taken_signal_leaves(before: System, after: System, call: Call) -> bool:
    """Taking a signal takes it out of the queue; it stays at its target, to be answered."""

    def left(signal: Signal) -> bool:
        was, now = before.signals.of(signal) == call.caller, after.signals.of(signal) == none
        return was & now & (after.signal_at[signal] == call.caller)

    return implies(call.operation == "take_signal", exists(Signal, left))


@step_property(seed="SIG-5")
def no_lost_signal(before: System, after: System, call: Call, partition: Partition) -> bool:
    """A signal that arrives at an empty queue, and a queue that is not empty when a receiver is designated, make the
    designated receiver pending."""
    receiver = after.signal_receiver[partition]
    arrived = before.signals[partition].empty | (before.signal_receiver[partition] != receiver)
    woken = arrived & negation(after.signals[partition].empty) & (receiver != none)
    return implies(woken, after.pending[receiver])


@rest
def no_signal_waits(system: System, signal: Signal) -> bool:
    """No control signal waits, and nobody pays for one."""
    return (system.signal_at[signal] == none) & (system.payer[signal] == none)


@leads_to(by="take_signal refuse", seed="SIG-3 CHAN-2")
def signals_are_answered(system: System, call: Call, signal: Signal) -> tuple[bool, bool, bool]:
    """A control signal that is not in a backlog ends accepted, refused or cancelled, if its target goes on taking and answering
    signals."""
    waits = (system.signal_at[signal] != none) & (system.backlog.of(signal) == none)
    mine = (call.signal == signal) | (call.signal == none)
    return waits, system.signal_at[signal] == none, mine & (call.caller == system.signal_at[signal])
