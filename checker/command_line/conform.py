"""The command that holds an implementation against the specification: a verdict for every clause."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...model.language import Spec, SpecError, load
from ..adapters import Implementation, afresh, finished, reach, stopped
from .console import CONVERSATION, Number, Output, budgets_option, common, declared_in, declared_option, say, traces_option

if TYPE_CHECKING:
    from ..conform import Report
from .against import tell_against
from .configuration import Configured

FUZZING = 20.0
"""Seconds that are fuzzed after the suite, if nothing else is said."""

REPORTS = ("junit", "html", "sarif", "statement")


@click.command(cls=Configured)
@common
@click.argument("connection")
@click.option("--profile", "profiles", multiple=True, help="What to test: core, one+other (default: what the adapter names).")
@click.option(
    "-k", "patterns", multiple=True, metavar="CLAUSE", help="Only clauses of this name, part or glob (may be repeated)."
)
@click.option("--strict", is_flag=True, help="Take only the first error that applies, not any that applies.")
@click.option("--seed", type=click.IntRange(0), help="Draw the same runs again.")
@click.option("--time", "seconds", type=Number(0), help=f"Seconds to fuzz after the suite (default {FUZZING:.0f}; 0 with -k).")
@declared_option
@click.option("--against", "other", metavar="CONNECTION", help="Another implementation: tell only what the two do differently.")
@click.option("--report", "reports", multiple=True, metavar="KIND=FILE,...", help=f"Also write {', '.join(REPORTS)}.")
@budgets_option
@traces_option
def conform(
    spec_name: str,
    format: str,
    connection: str,
    profiles: tuple[str, ...],
    patterns: tuple[str, ...],
    strict: bool,
    seed: int | None,
    seconds: float | None,
    deviations: Path | None,
    other: str | None,
    reports: tuple[str, ...],
    must_return: float,
    must_not_return: float,
    traces: Path,
) -> int:
    """Hold the implementation at CONNECTION against the specification: the fixed suite, then fuzzing; a verdict a clause."""
    from ..conform import Conformance, code_of
    from ..reports import statement
    from ..suite import of

    spec, out = load(spec_name), Output(format)
    if other is not None:
        if patterns or strict or deviations or reports:
            raise click.UsageError("--against is strict and tells what differs: it has no -k, --strict, --deviations or --report")
        seconds = FUZZING if seconds is None else seconds
        return tell_against(out, spec, (connection, other), profiles, seconds, seed, (must_return, must_not_return), traces)
    wanted = parse_reports(reports)
    listed = declared_in(spec, deviations)
    implementation = reach(spec, connection, must_return, must_not_return, traces / CONVERSATION)
    try:
        run = Conformance(
            spec,
            implementation,
            connection,
            of(spec),
            profiles=profiles,
            patterns=patterns,
            strict=strict,
            seed=seed,
            seconds=(0.0 if patterns else FUZZING) if seconds is None else seconds,
            declared=listed,
            progress=say,
            fresh=afresh(spec, connection, must_return, must_not_return),
        )
        report = run.run()
        _show(out, spec, implementation, report, traces)
        finished(implementation)
    finally:
        stopped(implementation)
    if wanted:
        from ..reports import write

        for kind, path in wanted:
            write(spec, report, kind, path, traces)
            say(f"wrote {path}")
    code, why = code_of(report)
    out.line(f"{report.name}: {why} ({report.sequences} sequences, {report.calls} calls, {report.seconds:.1f} s)")
    out.result(statement(spec, report) | {"code": code, "why": why})
    return code


def parse_reports(given: tuple[str, ...]) -> list[tuple[str, Path]]:
    """Read KIND=FILE,...  Raises SpecError."""
    found = []
    for text in (part for each in given for part in each.split(",")):
        kind, equals, path = text.partition("=")
        if kind not in REPORTS or not equals or not path:
            raise SpecError(f"--report {text!r}: write KIND=FILE, with KIND one of {', '.join(REPORTS)}")
        found.append((kind, Path(path)))
    return found


def _show(out: Output, spec: Spec, implementation: Implementation, report: Report, traces: Path) -> None:
    from ..conform import FAIL, FLAKY, PASS, STATUSES
    from ..reports import causes_told, failure_lines, rooms

    out.line(
        f"{report.name} {report.version}".rstrip() + f"  ({report.where}; profile {', '.join(report.profiles) or 'none named'})"
    )
    for verdict in report.having(FAIL, FLAKY):
        out.line()
        known = "  (known to fail)" if verdict.clause in report.expected else ""
        out.line(f"{verdict.status.upper()} {verdict.clause}, again {verdict.shown} times{known}")
        assert verdict.failure is not None
        for line in failure_lines(spec, report.where, implementation, verdict.failure, traces):
            out.line(line)
    out.line()
    out.line(f"{'room':14}" + "".join(f"{status:>12}" for status in STATUSES))
    for room, verdicts in rooms(spec, report).items():
        counts = [sum(v.status == status for v in verdicts) for status in STATUSES]
        out.line(f"{room:14}" + "".join(f"{count or '.':>12}" for count in counts))
    out.line()
    for verdict in report.verdicts.values():
        if verdict.status not in (PASS, FAIL, FLAKY, "unsupported"):
            out.line(f"{verdict.status}: {verdict.clause}{': ' + verdict.reason if verdict.reason else ''}")
    if report.unsupported:
        out.line(f"not supported: {', '.join(report.unsupported)}")
    out.line(causes_told(spec, report.causes, report.called(spec)))
    if report.not_fuzzed:
        out.line(f"not fuzzed: {report.not_fuzzed}; declare what is known to fail (--deviations), and it is")
