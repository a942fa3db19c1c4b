"""The command that runs a stored trace or conversation again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...model.language import SpecError, load
from ..adapters import reach
from ..logs import is_log
from ..logs import read as read_log
from .console import (
    DEFAULT_SPEC,
    HOLDS,
    VIOLATION,
    Output,
    trust_option,
    trusted,
)

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--spec", "spec_name", metavar="MODULE:NAME", help="Another specification than the file names.")
@click.option("--implementation", help="Another implementation than the file names.")
@trust_option
@click.option("--format", "format", type=click.Choice(["pretty", "json"]), default="pretty", help="How it is printed.")
def replay(file: Path, spec_name: str | None, implementation: str | None, trust: bool, format: str) -> int:
    """Run a stored trace again, step by step.  Exits with 1 if it still shows what it was stored for."""
    from ..traces import read, replay_implementation, replay_log, replay_model

    out = Output(format)
    if is_log(file):
        log = read_log(file)
        where = implementation or str(log.heading.get("connection", ""))
        if not where:
            raise SpecError(f"{file}: it does not say what it is a log of: give --implementation, or judge it with check-log")
        spec = load(spec_name or str(log.heading.get("spec") or DEFAULT_SPEC))
        result = replay_log(spec, log, where, reach(spec, implementation or trusted(file, where, trust)))
        kind, statement = "conversation", ""
    else:
        stored = read(file)
        kind, statement = stored.kind, stored.statement
        spec = load(spec_name or stored.spec or DEFAULT_SPEC)
        if stored.kind == "model":
            result = replay_model(spec, stored)
        else:
            where = implementation or stored.implementation
            reached = reach(spec, implementation or trusted(file, where, trust))
            result = replay_implementation(spec, stored, where, reached)
    for line in result.lines:
        out.line(line)
    out.line(result.verdict)
    for reason in result.reasons:
        out.line(f"  {reason}")
    told = {"kind": kind, "statement": statement, "shown": result.shown, "verdict": result.verdict}
    out.result(told | {"reasons": [asdict(reason) for reason in result.reasons]})
    return VIOLATION if result.shown else HOLDS
