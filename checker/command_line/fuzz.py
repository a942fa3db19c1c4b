"""The command that fuzzes."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...model.language import Spec, load, parse_scope
from ..adapters import afresh, finished, reach, stopped
from .console import (
    DEFAULT_IMPLEMENTATION,
    HOLDS,
    INTERRUPTED,
    NOTHING,
    UNKNOWN,
    VIOLATION,
    Number,
    Output,
    common,
    declared_in,
    declared_option,
    say,
    traces_option,
)
from .smoke import unsupported

if TYPE_CHECKING:
    from ..fuzz import FuzzReport
    from ..session import Declared


@click.command()
@common
@click.argument("implementation", default=DEFAULT_IMPLEMENTATION)
@click.option("--time", "seconds", type=Number(0.1), default=30.0, help="Seconds to fuzz (default 30).")
@click.option("--steps", type=click.IntRange(1), default=100, help="Calls a run, probes not counted (default 100).")
@click.option("--seed", type=click.IntRange(0), help="Draw the same runs again.")
@click.option("--scope", metavar="NAME=N,...", help="Other sizes than the spec's own scope has.")
@click.option("--strict", is_flag=True, help="Take only the first error that applies, not any that applies.")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Processes, each with its own implementation (default 1).")
@declared_option
@traces_option
def fuzz(
    spec_name: str,
    format: str,
    implementation: str,
    seconds: float,
    steps: int,
    seed: int | None,
    scope: str | None,
    strict: bool,
    jobs: int,
    deviations: Path | None,
    traces: Path,
) -> int:
    """Hold IMPLEMENTATION against the specification with calls drawn at random."""
    spec, out = load(spec_name), Output(format)
    sizes = spec.scope({**spec.fuzz_scope, **(parse_scope(scope) if scope else {})})
    for names, none in _impossible(spec, sizes):
        say(f"without {none} {', '.join(names)} cannot succeed: give {none} a size with --scope")
    listed = declared_in(spec, deviations)
    report = fuzz_and_tell(spec, implementation, seconds, steps, seed, sizes, strict, traces, jobs=jobs, declared=listed)
    missing = show_fuzz(out, spec, implementation, report, traces)
    out.result(fuzz_json(implementation, report, missing))
    return fuzz_code(report, missing)


def fuzz_and_tell(
    spec: Spec,
    implementation: str,
    seconds: float,
    steps: int,
    seed: int | None,
    scope: Mapping[str, int] | None,
    strict: bool,
    traces: Path,
    wanted: Collection[str] = (),
    jobs: int = 1,
    declared: Collection[Declared] = (),
) -> FuzzReport:
    """Fuzz, in several processes where we start the implementation and they can load the spec, and tell of progress."""
    from ..fuzz import fuzz as run
    from ..fuzz import fuzz_beside

    told = [time.monotonic()]

    def progress(report: FuzzReport) -> None:
        if time.monotonic() - told[0] >= 5:
            told[0] = time.monotonic()
            say(f"{report.calls} calls in {report.runs} runs, {len(report.clauses)} clauses")

    fresh = afresh(spec, implementation)
    if jobs > 1 and fresh is None:
        raise click.UsageError(f"--jobs: only what begins with py: or exec: is started by each process, not {implementation}")
    reached = reach(spec, implementation)
    sizes = spec.scope(scope or spec.fuzz_scope)
    database = None if seed is not None else traces / "examples"
    try:
        without = unsupported(spec, reached, sizes)
        options: dict[str, Any] = {"scope": sizes, "without": without, "wanted": wanted, "progress": progress}
        options |= {"seconds": seconds, "steps": steps, "seed": seed, "strict": strict, "database": database}
        options["declared"] = tuple(declared)
        if jobs == 1:
            found = run(spec, reached, fresh=fresh, **options)
        finished(reached)
    finally:
        stopped(reached)
    return found if jobs == 1 else fuzz_beside(spec, implementation, jobs=jobs, **options)


def _impossible(spec: Spec, sizes: dict[str, int]) -> list[tuple[list[str], str]]:
    """The operations that need something of which a scope has none, by what that is."""
    found: dict[str, list[str]] = {}
    for name, action in spec.actions.items():
        needed = {s.type.plural for s in action.slots if s.type in spec.unused and not s.optional and not s.subset}
        for missing in sorted(plural for plural in needed if not sizes[plural]):
            found.setdefault(missing, []).append(name)
    return [(names, missing) for missing, names in found.items()]


def fuzz_code(report: FuzzReport, missing: list[str]) -> int:
    """The exit code of a run of fuzzing; `missing` are the clauses that it did not come to."""
    if report.failures:
        return VIOLATION
    if report.interrupted:
        return INTERRUPTED
    if not report.calls:
        return NOTHING
    return UNKNOWN if missing else HOLDS


def show_fuzz(out: Output, spec: Spec, implementation: str, report: FuzzReport, traces: Path) -> list[str]:
    """Print a run of fuzzing; give the clauses that it did not come to."""
    from ...model.symbolic import clauses
    from ..reports import causes_told, fuzz_failure

    known = [c for c in clauses(spec) if c.partition("/")[0] not in report.without]
    if report.slower:
        say(report.slower)
    missing = [] if report.failures or report.interrupted else [c for c in known if not report.clauses[c] and not report.known[c]]
    for failure in report.failures:
        for line in fuzz_failure(spec, implementation, failure, traces):
            out.line(line)
    for clause in known:
        if report.clauses[clause] and not report.failures:
            out.line(f"{report.clauses[clause]:7}  {clause}")
    if missing:
        out.line(f"never exercised in this time: {', '.join(missing)} (give it more with --time)")
    for clause, times in sorted(report.known.items()):
        out.line(f"known to fail: {clause}, {times} time{'s' if times > 1 else ''}")
    out.line(
        f"{implementation}: {report.calls} calls in {report.runs} runs, {len(report.clauses)} of {len(known)} clauses, "
        f"{causes_told(spec, report.causes, set(spec.actions) - report.without)}, "
        f"{len(report.failures)} failures, seed {report.seed}, {report.seconds:.1f} s{', interrupted' * report.interrupted}"
    )
    return missing


def fuzz_json(implementation: str, report: FuzzReport, missing: list[str]) -> dict[str, Any]:
    """A run of fuzzing as JSON has it."""
    return {
        "implementation": implementation,
        "calls": report.calls,
        "runs": report.runs,
        "seed": report.seed,
        "clauses": dict(report.clauses),
        "unexercised": missing,
        "causes": dict(report.causes),
        "known_failing": dict(report.known),
        "failures": [
            {
                "clause": f.clause,
                "text": f.text,
                "reasons": [asdict(reason) for reason in f.reasons],
                "calls": len(f.calls),
                "operations": [c.operation for c in f.calls],
                "afresh": f.afresh,
            }
            for f in report.failures
        ],
        "seconds": round(report.seconds, 3),
    }
