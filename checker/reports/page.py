"""A conformance run as one HTML page that needs nothing else.

The pictures of a failure show what the specification makes of its calls; of the implementation only its answers are known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...model.language import (
    Spec,
)
from .. import TRACES
from ..conform import FAIL, FLAKY, STATUSES, Report, Verdict, code_of
from ..suite import digest
from .diagram import diagram
from .memory import Memory
from .template import filled
from .told import Told
from .words import reason, replay, rooms


def html(spec: Spec, report: Report, traces: Path = TRACES) -> str:
    """A run as one page that needs nothing else."""
    by_room = rooms(spec, report)
    code, why = code_of(report)
    return filled(
        "report.html.j2",
        spec=spec,
        report=report,
        digest=digest(spec),
        why=why,
        holds=code == 0,
        statuses=STATUSES,
        rooms=by_room,
        counts={room: [sum(v.status == status for v in verdicts) for status in STATUSES] for room, verdicts in by_room.items()},
        reasons={v.clause: reason(report, v) for v in report.verdicts.values()},
        failures=[_drawn(spec, report, traces, verdict) for verdict in report.having(FAIL, FLAKY)],
    )


def _drawn(spec: Spec, report: Report, traces: Path, verdict: Verdict) -> dict[str, Any]:
    """What the page shows of a failure."""
    assert verdict.failure is not None
    told = Told.of(spec, verdict.failure, strict=report.strict)
    memory = Memory(told.model)
    maps = []
    if told.calls and memory.there:
        before, after = told.calls[-1].before, told.calls[-1].after
        maps = [("before the failing call", memory.boxes(before, after)), ("expected after it", memory.boxes(after, before))]
    return {
        "verdict": verdict,
        "known": verdict.clause in report.expected,
        "action": spec.actions[verdict.clause.partition("/")[0]],
        "text": verdict.failure.text,
        "calls": told.calls,
        "diagram": diagram(told) if told.calls else None,
        "maps": maps,
        "replay": replay(report, traces, verdict.clause),
    }
