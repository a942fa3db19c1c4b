"""Two implementations held against each other, told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...model.language import Spec
from ..adapters import finished, reach, stopped
from .console import CONVERSATION, HOLDS, INTERRUPTED, VIOLATION, Output, say


def tell_against(
    out: Output,
    spec: Spec,
    where: tuple[str, str],
    profiles: Sequence[str],
    seconds: float,
    seed: int | None,
    budgets: tuple[float, float],
    traces: Path,
) -> int:
    """Hold two implementations against each other and print what they do differently.  Gives the exit code."""
    from ..conform import against
    from ..reports import Told
    from ..suite import of

    one = reach(spec, where[0], *budgets, traces / CONVERSATION)
    try:
        other = reach(spec, where[1], *budgets, traces / f"other-{CONVERSATION}")
        try:
            found = against(spec, (one, other), of(spec), profiles=profiles, seconds=seconds, seed=seed, progress=say)
            finished(one)
            finished(other)
        finally:
            stopped(other)
    finally:
        stopped(one)
    told = []
    for each in found.differences:
        calls = [f"{call.who}: {call.text}" for call in Told.of(spec, each.failure, strict=True).calls]
        told.append({"clause": each.failure.clause, "calls": calls, "first": each.says[0], "second": each.says[1]})
        out.line(f"DIFFERENT {each.failure.clause}, in {len(calls)} calls:")
        for number, text in enumerate(calls, 1):
            out.line(f"{number:5}. {text}")
        for name, says in zip(where, each.says, strict=True):
            out.line(f"  {name}: {says}")
        out.line()
    for name, lacks in zip(where, found.lacks, strict=True):
        if lacks:
            out.line(f"{name} alone does not support: {', '.join(n for n in spec.actions if n in lacks)}")
    told_of = f"{len(told)} difference{'' if len(told) == 1 else 's'} between {where[0]} and {where[1]}"
    out.line(f"{told_of} ({found.calls} calls, {found.seconds:.1f} s{', interrupted' * found.interrupted})")
    lacking = {"first": sorted(found.lacks[0]), "second": sorted(found.lacks[1])}
    out.result({"differences": told, "lacks": lacking, "calls": found.calls, "seconds": round(found.seconds, 3)})
    if found.interrupted:
        return INTERRUPTED
    return VIOLATION if told or any(found.lacks) else HOLDS
