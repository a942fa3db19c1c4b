"""Two implementations held against each other: what they do otherwise, each as the fewest calls that show it.

Both are held against the specification, strictly, and what one of them does otherwise the other is asked too: where both do the
same it is no difference between them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...model.language import Spec
from ..adapters import Implementation
from ..fuzz import fuzz
from ..session import Declared, Failure, again
from ..suite import Sequence as Calls
from .run import Conformance

ROUND = 10.0
"""Seconds for which one of the two is fuzzed before it is the other's turn."""

RIGHT = "as the specification says"


@dataclass(frozen=True)
class Difference:
    """Calls that the two answer differently: the failure of one of them, and what each was seen to do."""

    failure: Failure
    says: tuple[str, str]


@dataclass
class Against:
    """What came of it: the differences, the operations that the first, and the second, alone does not have, and how much was
    tried."""

    differences: list[Difference] = field(default_factory=list)
    lacks: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    calls: int = 0
    seconds: float = 0.0
    interrupted: bool = False


def against(
    spec: Spec,
    pair: tuple[Implementation, Implementation],
    suite: Sequence[Calls],
    *,
    profiles: Sequence[str] = (),
    seconds: float = 0.0,
    seed: int | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Against:
    """Hold two implementations against each other: by the suite, then for so many seconds by fuzzing them in turn."""
    began = time.monotonic()
    found = Against()
    known: tuple[list[Declared], list[Declared]] = ([], [])
    reports = []
    try:
        for side, implementation in enumerate(pair):
            report = Conformance(
                spec, implementation, ("the first", "the second")[side], suite, profiles=profiles, strict=True, progress=progress
            ).run()
            reports.append(report)
            found.calls += report.calls
            if report.interrupted:
                raise KeyboardInterrupt
        one, other = (frozenset(report.called(spec)) for report in reports)
        found.lacks = other - one, one - other
        for side, report in enumerate(reports):
            for failure in (v.failure for v in report.verdicts.values() if v.failure is not None):
                _hold(spec, pair, side, failure, found, known)
        if one & other:
            _fuzz(spec, pair, frozenset(spec.actions) - (one & other), seconds, seed, found, known, progress)
    except KeyboardInterrupt:
        found.interrupted = True
    found.seconds = time.monotonic() - began
    return found


def _fuzz(
    spec: Spec,
    pair: tuple[Implementation, Implementation],
    without: frozenset[str],
    seconds: float,
    seed: int | None,
    found: Against,
    known: tuple[list[Declared], list[Declared]],
    progress: Callable[[str], None],
) -> None:
    until, turn = time.monotonic() + seconds, 0
    while (left := until - time.monotonic()) > 0:
        side = turn % 2
        told: dict[str, Any] = {"seconds": min(left, ROUND, seconds / 2), "seed": None if seed is None else seed + turn}
        report = fuzz(spec, pair[side], without=without, strict=True, declared=known[side], **told)
        found.calls += report.calls
        for failure in report.failures:
            progress(f"fuzz: {failure.clause}: {failure.text}")
            _hold(spec, pair, side, failure, found, known)
        if report.interrupted:
            raise KeyboardInterrupt
        turn += 1


def _hold(
    spec: Spec,
    pair: tuple[Implementation, Implementation],
    side: int,
    failure: Failure,
    found: Against,
    known: tuple[list[Declared], list[Declared]],
) -> None:
    """Ask the other what one fails; take note if it is answered otherwise, and that it is known."""
    session, seen = again(spec, pair[1 - side], failure.scope, failure.calls, strict=True)
    other = seen.text if seen is not None else RIGHT
    known[side].extend(_declared(failure.clause, failure.causes))
    if seen is None and len(session.recorded) < len(failure.calls):
        return  # it has not all of these operations, which is told
    if seen is not None and _alike(seen.text) == _alike(failure.text):
        return
    says = (failure.text, other) if side == 0 else (other, failure.text)
    if not any(tuple(map(_alike, each.says)) == tuple(map(_alike, says)) for each in found.differences):
        found.differences.append(Difference(failure, says))


def _declared(clause: str, causes: Collection[str]) -> list[Declared]:
    return [Declared(clause, cause) for cause in sorted(causes)] or [Declared(clause)]


def _alike(text: str) -> str:
    """What is said of a failure, whatever handles are called."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "_", text)
