"""Recorded calls made again, all or some of them."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Mapping
from typing import Any

from ...model.language import (
    Slot,
    Spec,
    Type,
)
from ..adapters import Implementation, stopped
from ..errors import Unsupported
from .handles import NEVER, Origin, Recorded
from .session import Session
from .wrong import Mismatch, Unknown


def again(
    spec: Spec,
    implementation: Implementation,
    scope: Mapping[str, int],
    calls: Iterable[Recorded],
    *,
    strict: bool = False,
    anew: bool = False,
) -> tuple[Session, Mismatch | None]:
    """Make recorded calls again, from reset, without probes; `anew`, in a process started for them.  Stops at the first mismatch.

    A handle whose origin did not show one this time is one that was never given out.
    """
    if anew:
        stopped(implementation)
    session = Session(spec, implementation, scope, strict=strict, probing=False)
    shown: dict[Type, dict[Origin, str]] = {kind: {} for kind in session.handle_sorts}
    try:
        for call in calls:
            slots = {s.name: s for s in session.actions[call.operation].slots}
            given = {n: _resolved(session, shown, slots[n], a) for n, a in call.arguments.items()}
            session.compare(call.operation, given, probe=call.probe)
    except Mismatch as mismatch:
        return session, mismatch
    except (Unsupported, Unknown):
        pass
    return session, None


def _resolved(session: Session, shown: dict[Type, dict[Origin, str]], slot: Slot, argument: Origin | int | str | None) -> Any:
    """What an argument is now; `shown` are the handles by where they came from, as far as they were asked for."""
    if not isinstance(argument, Origin):
        return argument
    known, origins = shown[slot.type], session.names[slot.type].origin
    for handle, origin in itertools.islice(origins.items(), len(known), None):
        known[origin] = handle
    return known.get(argument, NEVER)


def same(one: Mismatch, other: Mismatch) -> bool:
    """Whether two mismatches are one failure: the same clause, shown by a probe of the same clause or by none."""
    return (one.clause, one.probe) == (other.clause, other.probe)


def without(calls: list[Recorded], out: Container[int]) -> list[Recorded]:
    """`calls` without those whose numbers are `out`; what came from them becomes a handle that was never given out."""
    number: dict[int, int] = {-1: -1}
    kept: list[Recorded] = []
    for at, call in enumerate(calls):
        if at not in out:
            number[at] = len(kept)
            kept.append(call)

    def moved(argument: Any) -> Any:
        if not isinstance(argument, Origin) or number.get(argument.call) == argument.call:
            return argument
        return Origin(number[argument.call], argument.field) if argument.call in number else NEVER

    return [Recorded(c.operation, {n: moved(a) for n, a in c.arguments.items()}, probe=c.probe) for c in kept]
