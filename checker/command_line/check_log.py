"""The command that judges a log."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from ...model.language import load, parse_scope
from .console import HOLDS, NOTHING, UNKNOWN, VIOLATION, Output, common


@click.command("check-log")
@common
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scope", metavar="NAME=N,...", help="The sizes to judge it in, beside those of its topology.")
@click.option(
    "--most",
    type=click.IntRange(1, 10**9),
    default=1_000_000,
    show_default=True,
    metavar="N",
    help="How many other orders than the first to try, before the log is given up as too wide.",
)
@click.option("--strict", is_flag=True, help="Take only the first error that applies, not any that applies.")
def check_log(spec_name: str, format: str, file: Path, scope: str | None, most: int, strict: bool) -> int:
    """Accept or reject FILE, the calls and answers of an implementation as it logged them while running."""
    from ..logs import judge_all, sections
    from ..session import Unknown

    spec, out = load(spec_name), Output(format)
    logs = sections(file)
    try:
        judged = judge_all(spec, logs, strict=strict, sizes=parse_scope(scope) if scope else None, most=most)
    except Unknown as error:
        out.line(f"{file}: not judged: {error}")
        out.result({"accepted": None, "text": str(error)})
        return UNKNOWN
    if judged.accepted:
        out.line(f"{file}: accepted: some behaviour of {spec.name} explains these {judged.calls} calls")
        out.line(
            f"{judged.judged} answers judged in {len(logs)} part{'s' if len(logs) > 1 else ''}, {len(judged.clauses)} clauses, "
            f"{judged.overlaps} pairs of calls that overlap"
        )
    elif judged.line:
        out.line(f"{file}, line {judged.line}: no behaviour of {spec.name} explains this answer")
        out.line(f"  {judged.clause}: {judged.text}" if judged.clause else f"  {judged.text}")
    else:
        out.line(f"{file}: nothing was judged: of {judged.calls} calls none was answered with what it came to")
    out.result({"accepted": judged.accepted, **dataclasses.asdict(judged)})
    return HOLDS if judged.accepted else VIOLATION if judged.line else NOTHING
