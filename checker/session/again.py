"""Recorded calls made again, and the fewest of them that still show a failure."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from typing import Any

from ...model.language import (
    Slot,
    Spec,
    Type,
)
from ..adapters import Implementation
from ..errors import Unsupported
from .handles import NEVER, Origin, Recorded
from .session import Session
from .wrong import Mismatch, Unknown

FEW = 24
"""Up to how many calls a failure is also shrunk by pairs."""

SOME = 64
"""Up to how many runs of calls of one length are all tried without; of more some, to see whether any can be done without."""

SHRINKING = 60.0
"""Seconds for shrinking a failure: an adapter that hangs takes long to show it again."""


def again(
    spec: Spec,
    implementation: Implementation,
    scope: Mapping[str, int],
    calls: Iterable[Recorded],
    *,
    strict: bool = False,
) -> tuple[Session, Mismatch | None]:
    """Make recorded calls again, from reset, without probes.  Stops at the first mismatch.

    A handle whose origin did not show one this time is one that was never given out.
    """
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


def minimise(
    spec: Spec,
    implementation: Implementation,
    scope: Mapping[str, int],
    calls: list[Recorded],
    wanted: Mismatch,
    *,
    strict: bool = False,
    seconds: float = SHRINKING,
) -> list[Recorded]:
    """The fewest of `calls` found in so many `seconds` that still show what is `wanted`: runs of them, then single ones, are
    tried without, last first; when few are left, pairs too, for a call that only undoes another.  Of pairs only those are tried
    whose handles no other call uses: without them it would not do what it is there for.  Of many runs of one length some are
    tried first, and the others only if one of those is not needed: of what takes hundreds of calls to show mostly all are."""
    until = time.monotonic() + seconds

    def shorter(tried: list[Recorded]) -> list[Recorded] | None:
        if time.monotonic() > until:
            return None
        session, mismatch = again(spec, implementation, scope, tried, strict=strict)
        return session.recorded if mismatch is not None and same(mismatch, wanted) else None

    kept, size = calls, max(1, len(calls) // 2)
    while True:
        before = len(kept)
        kept = _sampled(kept, size, shorter)
        end = len(kept) if len(kept) < before or len(kept) // size <= SOME else 0
        while end > 0:
            start = max(0, end - size)
            kept = shorter(without(kept, range(start, end))) or kept
            end = min(start, len(kept))
        if size > 1 or len(kept) < before:
            size = max(1, size // 2)
            continue
        pairs = itertools.combinations(range(len(kept) - 1), 2) if len(kept) <= FEW else ()
        tried = (without(kept, pair) for pair in pairs if not _used_elsewhere(kept, pair))
        found = next(filter(None, map(shorter, tried)), None)
        if found is None:
            return kept
        kept = found


def _sampled(calls: list[Recorded], size: int, shorter: Callable[[list[Recorded]], list[Recorded] | None]) -> list[Recorded]:
    """`calls` without a run of some length that is not needed, of a few that lie evenly in between; else all."""
    if len(calls) // size <= SOME:
        return calls
    step = len(calls) // SOME
    ends = range(len(calls), size, -step)
    return next(filter(None, (shorter(without(calls, range(end - size, end))) for end in ends)), calls)


def _used_elsewhere(calls: list[Recorded], some: Collection[int]) -> bool:
    """Whether a call uses a handle that one of `some`, the numbers of others, has given."""
    others = (call for number, call in enumerate(calls) if number not in some)
    return any(isinstance(a, Origin) and a.call in some for call in others for a in call.arguments.values())


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
