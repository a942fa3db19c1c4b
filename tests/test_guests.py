"""Channels between guests: a control OS that is wrong only where the system control OS has no end of the channel is found out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from judges import run_sequence

from oneowner.checker.session import Mismatch
from oneowner.checker.suite import stored_suite
from oneowner.reference_impl import ControlOS, Interface, bugs, newer_bugs
from oneowner.spec import SPEC

IN_CHANNELS = ("connect", "accept", "refuse", "cancel", "send", "receive", "close_port")
SUITE = sorted((s for s in stored_suite(SPEC) if s.cycle is None), key=lambda s: len(s.calls))


class SenderStaysOwner(ControlOS):
    """The receiver gets the region, and the sender keeps it mapped."""

    def unmap_region(self, partition: Any, region: Any) -> None:
        pass


class RefusedSendUnmaps(ControlOS):
    """A send that is refused has unmapped its region already."""

    def check_message(self, peer: Any, sent: Any, short: Any) -> None:
        try:
            super().check_message(peer, sent, short)
        except Exception:
            if sent is not None:
                self.unmap_region(sent.owner, sent)
            raise


BUGS = [
    *(SenderStaysOwner, RefusedSendUnmaps, bugs.FailedSendLosesRegion, bugs.OldFrameAfterMove, bugs.UnmapFailureIgnored),
    *(bugs.QueuedTwice, bugs.BothEndsRollBack, bugs.PublishThenFail, bugs.PendingCounted, bugs.DeadPeer),
    *(bugs.RefusalKeepsCharge, bugs.RefundWrongPartition, newer_bugs.EmptyMessageLeaksRoom),
    *(bugs.ClearAfterDrain, bugs.AcceptLeaksCharge),
]


def among_guests(bug: type[ControlOS]) -> type[ControlOS]:
    """A control OS that has a bug only in calls about a channel of which both ends are guests'."""

    def chosen(name: str, wrong: Callable[..., Any]) -> Callable[..., Any]:
        right = getattr(ControlOS, name)

        def method(self: Any, *given: Any, **named: Any) -> Any:
            return (wrong if self.among_guests else right)(self, *given, **named)

        return method

    def entered(name: str) -> Callable[..., Any]:
        inner = methods.get(name) or getattr(ControlOS, name)

        def method(self: Any, caller: Any, **named: Any) -> Any:
            self.among_guests = self.system not in ends(self, caller, named)
            try:
                return inner(self, caller, **named)
            finally:
                self.among_guests = False

        method.__signature__ = inspect.signature(getattr(ControlOS, name))  # type: ignore[attr-defined]
        return method

    methods = {name: chosen(name, made) for name, made in vars(bug).items() if callable(made) and not name.startswith("__")}
    return type(bug.__name__, (bug,), {"among_guests": False, **methods, **{name: entered(name) for name in IN_CHANNELS}})


def ends(control: Any, caller: Any, named: dict[str, Any]) -> list[Any]:
    """Whose are the ends of the channel that a call is about; the system's where it is about none."""
    if (signal := caller.taken.get(named.get("signal"))) is not None:
        return [signal.source, signal.target]
    port = control.ports.get(named.get("port"))
    other = control.partitions.get(named.get("partition")) if "partition" in named else port and port.peer and port.peer.owner
    return [caller, other or control.system]


def noticed(made: Any) -> str:
    for sequence in SUITE:
        try:
            run_sequence(SPEC, made, sequence)
        except Mismatch as mismatch:
            return mismatch.clause
    return ""


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_the_suite_finds_it_between_guests(bug: type[ControlOS]) -> None:
    assert noticed(Interface(among_guests(bug)))


def test_without_a_bug_what_is_told_apart_is_right() -> None:
    made = Interface(among_guests(type("Right", (ControlOS,), {})))
    for sequence in SUITE[::40]:
        run_sequence(SPEC, made, sequence)


def test_between_guests_alone_is_where_it_is_wrong() -> None:
    with_system = [s for s in SUITE if not any(n == "accept" and a["caller"] != 1 for n, a in s.calls)][::20]
    made = Interface(among_guests(SenderStaysOwner))
    for sequence in with_system:
        if not guests_connect(sequence):
            run_sequence(SPEC, made, sequence)


def guests_connect(sequence: Any) -> bool:
    return any(n == "connect" and 1 not in (a["caller"], a["partition"]) for n, a in sequence.calls)
