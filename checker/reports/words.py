"""What reports have in common: verdicts by room, reasons in words, text that any format can hold."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from ...model.language import (
    Spec,
)
from ..conform import FAIL, FLAKY, UNKNOWN, UNSUPPORTED, UNTESTED, Report, Verdict
from ..suite import known_causes
from ..traces import file_name, replay_command

REASONS = {
    UNTESTED: "no call came to it",
    UNSUPPORTED: "the operation is not supported",
    UNKNOWN: "it was left open what happened",
}
"""Why a clause has no verdict, where the run does not say."""


def clean(text: str) -> str:
    """`text` without the characters that neither XML nor HTML can hold."""
    return re.sub("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]", "", text)


def rooms(spec: Spec, report: Report) -> dict[str, list[Verdict]]:
    """The verdicts by room."""
    found: dict[str, list[Verdict]] = {}
    for verdict in report.verdicts.values():
        found.setdefault(spec.room(verdict.clause.partition("/")[0]), []).append(verdict)
    return found


def reason(report: Report, verdict: Verdict) -> str:
    """Why a verdict is not a plain pass, in words."""
    text = verdict.reason or REASONS.get(verdict.status, "")
    if (known := report.deviation(verdict.clause)) is not None:
        text += f" ({known.reason} {known.link}".rstrip() + ")" if known.reason or known.link else ""
        return f"known to fail: {text}" if verdict.status in (FAIL, FLAKY) else f"listed as known to fail, but {verdict.status}"
    return text


def replay(report: Report, traces: Path, clause: str) -> str:
    """The command that shows a failure again."""
    return replay_command(traces / file_name("fuzz", clause), report.where)


def causes_told(spec: Spec, had: Collection[str], operations: Collection[str]) -> str:
    """How many causes calls of some operations came to, in words."""
    known = known_causes(spec, operations)
    return f"{len(set(known) & set(had))} of {len(known)} causes"
