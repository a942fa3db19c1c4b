"""A conformance run as plain data, and as a badge."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...model.language import (
    Spec,
)
from ..conform import PASS, PERMITTED, Report, Verdict, code_of
from ..suite import digest, known_causes
from .template import filled
from .told import Told, call_lines


def statement(spec: Spec, report: Report) -> dict[str, Any]:
    """A run as plain data: what was tested, with what budget, and every verdict."""
    return {
        "implementation": {
            "connection": report.where,
            "name": report.name,
            "version": report.version,
            "language": report.language,
        },
        "specification": {"name": spec.name, "digest": digest(spec)},
        "profiles": list(report.profiles),
        "strict": report.strict,
        "seed": report.seed,
        "budget": {
            "fuzz_seconds": 0 if report.not_fuzzed else report.budget,
            "not_fuzzed": report.not_fuzzed,
            "sequences": report.sequences,
            "calls": report.calls,
        },
        "causes": {cause: report.causes[cause] for cause in known_causes(spec, report.called(spec))},
        "known_failing": sorted(report.expected),
        "deviations": [asdict(each) for each in report.declared],
        "verdicts": {v.clause: _verdict(spec, report, v) for v in report.verdicts.values()},
    }


def _verdict(spec: Spec, report: Report, verdict: Verdict) -> dict[str, Any]:
    told: dict[str, Any] = {"status": verdict.status, "times": verdict.times, "reason": verdict.reason}
    if verdict.failure is not None:
        told["reasons"] = [asdict(reason) for reason in verdict.failure.reasons]
        told["calls"] = call_lines(Told.of(spec, verdict.failure, strict=report.strict).calls)
    return told


def badge(spec: Spec, report: Report) -> str:
    """A run in a few words, as a picture: "oneowner: core 85 clauses pass".  Never a percentage."""
    profiles = ", ".join(report.profiles)
    passed, all_ = len(report.having(PASS, PERMITTED)), len(report.verdicts)
    code, _ = code_of(report)
    if code == 1:
        said = f"{profiles} fails"
    elif not passed:
        said = f"{profiles} not tested"
    else:
        said = f"{profiles} {passed if passed == all_ else f'{passed} of {all_}'} clauses pass"
    kind = {0: "pass", 1: "fail"}.get(code, "open")
    return filled("badge.svg.j2", label=spec.name, said=said.strip(), kind=kind)
