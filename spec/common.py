"""What the rooms share: the caller's standing, events raised, control signals posted and withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import none, require
from .errors import ESRCH
from .names import ACTIVE, EVENT, Partition, Receiver, Service, Signal, SignalKind

if TYPE_CHECKING:
    from .system import System


def standing(system: System, caller: Partition) -> None:
    """The first refusal of every operation: a caller that is absent or terminated is nobody.

    A partition that is created and not yet booted may be called for: that is its boot loader.
    """
    require(system.status[caller] == ACTIVE, ESRCH)


def raise_event(system: System, receiver: Receiver) -> None:
    """Make `receiver` pending; it neither queues nor counts (seed 0063)."""
    system.pending[receiver] = True


def post(system: System, signal: Signal, kind: SignalKind, source: Partition, target: Partition, service: Service) -> None:
    """Queue a control signal at `target`, charged to `source`; wake the target if its queue was empty (seed 0057)."""
    if system.signals[target].empty and system.signal_receiver[target] != none:
        raise_event(system, system.signal_receiver[target])
    system.signals[target].push(signal)
    system.signal_at[signal] = target
    system.signal_kind[signal] = kind
    system.signal_source[signal] = source
    system.signal_service[signal] = service
    system.payer[signal] = source


def withdraw(system: System, signal: Signal) -> None:
    """Let a control signal be gone: out of the queue if it waits there, its request forgotten.  Its charge stays."""
    asking_port, asking_sender = system.signal_port[signal], system.signal_sender[signal]
    if system.signal_kind[signal] == EVENT:
        system.sender_request[asking_sender] = none
    else:
        system.port_request[asking_port] = none
    system.signals.remove(signal)
    system.signal_at[signal] = none
    system.signal_kind[signal] = EVENT
    system.signal_source[signal] = none
    system.signal_service[signal] = none
    system.signal_port[signal] = none
    system.signal_sender[signal] = none


def refund(system: System, signal: Signal) -> None:
    """Give the memory of a control signal back to who paid for it (seed 0057)."""
    system.payer[signal] = none
