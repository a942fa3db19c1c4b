"""The command that makes a failure shorter."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ...model.language import SpecError, load
from ..adapters import reach, stopped
from .console import HOLDS, VIOLATION, Output, budgets_option, common, traces_option, trust_option, trusted


@click.command()
@common
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--implementation", help="Another implementation than the file names.")
@trust_option
@budgets_option
@traces_option
def shrink(
    spec_name: str,
    format: str,
    file: Path,
    implementation: str | None,
    trust: bool,
    must_return: float,
    must_not_return: float,
    traces: Path,
) -> int:
    """Find the fewest calls of FILE, a trace or a conversation, that still show a failure."""
    from ..logs import is_log, recorded
    from ..logs import read as read_log
    from ..reports import failure_lines
    from ..session import again, smallest_failure
    from ..traces import by_the_graph, read, recorded_calls, way_to

    spec, out = load(spec_name), Output(format)
    if is_log(file):
        log = read_log(file)
        spec, scope, calls = recorded(spec, log)
        where = implementation or str(log.heading.get("connection", ""))
    else:
        stored = read(file)
        if stored.kind != "implementation":
            raise SpecError(
                f"{file}: a trace of the specification is the shortest there is; shrink takes one of an implementation"
            )
        scope, calls, where = stored.scope, recorded_calls(stored, spec), implementation or stored.implementation
    if not where:
        raise SpecError(f"{file}: it does not say what it is a log of: give --implementation")
    made = reach(spec, implementation or trusted(file, where, trust), must_return, must_not_return)
    try:
        session, mismatch = again(spec, made, scope, calls)
        if mismatch is None:
            out.line(f"{where} answers these {len(calls)} calls as the specification permits: nothing to shrink")
            out.result({"shown": False, "calls": len(calls)})
            return HOLDS
        failure = smallest_failure(spec, made, scope, session.recorded, mismatch)
        way = way_to(spec, failure.clause)
        failure = by_the_graph(spec, made, failure) or failure
        for line in failure_lines(spec, where, made, failure, traces):
            out.line(line)
        if way is not None:
            out.line(
                f"{len(failure.calls)} calls; the shortest way to {failure.clause} in the scopes explored has {len(way.steps)} "
                f"({way.exploration})"
            )
        told = {"shown": True, "clause": failure.clause, "text": failure.text, "calls": len(failure.calls), "of": len(calls)}
        why = [asdict(reason) for reason in failure.reasons]
        out.result(told | {"least": len(way.steps) if way else None, "reasons": why})
    finally:
        stopped(made)
    return VIOLATION
