"""A conformance run as JUnit has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from ...model.language import (
    Spec,
)
from .. import TRACES
from ..conform import FAIL, FLAKY, PERMITTED, UNKNOWN, UNSUPPORTED, UNTESTED, Report, Verdict
from .told import told_lines
from .words import clean, reason, rooms


def junit(spec: Spec, report: Report, traces: Path = TRACES) -> str:
    """A run as JUnit has it: a suite a room, a test case a clause."""
    found = []
    for room, verdicts in rooms(spec, report).items():
        cases = [_case(spec, report, traces, room, v) for v in verdicts]
        suite = Xml.Element("testsuite", {"name": clean(room), **_counted(cases), "skipped": _how_many(cases, "skipped")})
        suite.extend(cases)
        found.append(suite)
    cases = [case for suite in found for case in suite]
    name = clean(f"{spec.name}: {report.name}")
    top = Xml.Element("testsuites", {"name": name, **_counted(cases), "time": f"{report.seconds:.3f}"})
    top.extend(found)
    Xml.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(top, encoding="unicode") + "\n"


def _counted(cases: Sequence[Xml.Element]) -> dict[str, str]:
    return {"tests": str(len(cases)), "failures": _how_many(cases, "failure"), "errors": "0"}


def _how_many(cases: Iterable[Xml.Element], tag: str) -> str:
    return str(sum(case.find(tag) is not None for case in cases))


def _case(spec: Spec, report: Report, traces: Path, room: str, verdict: Verdict) -> Xml.Element:
    case = Xml.Element("testcase", name=clean(verdict.clause), classname=clean(f"{spec.name}.{room}"))
    why = clean(reason(report, verdict))
    if verdict in report.broken:
        kind = "flaky" if verdict.status == FLAKY else "failure"
        broken = Xml.SubElement(case, "failure", type=kind, message=why)
        broken.text = clean("\n".join(told_lines(spec, report, verdict, traces)))
    elif verdict in report.unexpectedly_right:
        # it fails the run, so it fails here
        Xml.SubElement(case, "failure", type="unexpectedly right", message=f"{why}; take it off the list")
    elif verdict.status in (FAIL, FLAKY):
        Xml.SubElement(case, "skipped", message=why)
    elif verdict.status in (UNSUPPORTED, UNTESTED, UNKNOWN):
        Xml.SubElement(case, "skipped", message=f"{verdict.status}: {why}")
    elif verdict.status == PERMITTED:
        Xml.SubElement(case, "system-out").text = f"permitted: {why}"
    return case
