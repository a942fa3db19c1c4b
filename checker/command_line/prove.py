"""The command that proves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...model.language import Spec, load
from .console import (
    ANY_SIZE,
    HOLDS,
    INTERNAL,
    INTERRUPTED,
    NOTHING,
    UNKNOWN,
    VIOLATION,
    Output,
    common,
    jobs_option,
    say,
    traces_option,
)

if TYPE_CHECKING:
    from ..prove import Report


@click.command()
@common
@click.option("--operation", "operations", multiple=True, help="Only this operation (may be repeated).")
@click.option("--invariant", "statements", multiple=True, help="Only this statement (may be repeated).")
@click.option("--matrix", is_flag=True, help="Also print every obligation: statements down, operations across.")
@click.option("--alone", is_flag=True, help="Do not try in small scopes, by the concrete reading, what is proved.")
@jobs_option
@traces_option
def prove(
    spec_name: str,
    format: str,
    operations: tuple[str, ...],
    statements: tuple[str, ...],
    matrix: bool,
    alone: bool,
    jobs: int,
    traces: Path,
) -> int:
    """Prove every invariant, for systems of any size and runs of any length."""
    spec, out = load(spec_name), Output(format)
    report = prove_and_tell(spec, operations, statements, jobs, alone=alone)
    show_proof(out, spec, report, traces, matrix=matrix)
    out.result(proof_json(spec, report))
    return proof_code(report)


def prove_and_tell(
    spec: Spec, operations: tuple[str, ...], statements: tuple[str, ...], jobs: int, *, alone: bool = False
) -> Report:
    """Prove, and tell of each operation when it is done."""
    from ..prove import PROVED
    from ..prove import prove as run

    def progress(name: str, part: Report) -> None:
        say(f"{name}: {part.count(PROVED)} of {len(part.obligations)} proved, {part.seconds:.1f} s")

    return run(spec, chosen_operations=operations, chosen_statements=statements, jobs=jobs, alone=alone, progress=progress)


def proof_code(report: Report) -> int:
    """The exit code of a proof."""
    if report.disagreements:
        return INTERNAL
    if report.count("refuted") or report.vacuous:
        return VIOLATION
    if report.interrupted:
        return INTERRUPTED
    if not report.obligations:
        return NOTHING
    return UNKNOWN if report.count("unknown") else HOLDS


def show_proof(out: Output, spec: Spec, report: Report, traces: Path, *, matrix: bool = False) -> None:
    """Print a proof, with what was refuted, unknown or vacuous."""
    from ..pages import is_lemma
    from ..reports import disagreement, proof_matrix, proof_summary, refutation

    for line in proof_summary(report):
        out.line(line)
    if matrix:
        out.line()
        for line in proof_matrix(spec, report, lambda name: is_lemma(spec, name)):
            out.line(line)
    doubted = {(d.operation, d.exit, d.statement) for d in report.disagreements}
    for o in report.obligations:
        if o.status == "refuted":
            out.line()
            for line in refutation(spec, o, traces):
                out.line(line)
        elif o.status == "unknown" and (o.operation, o.exit, o.statement) not in doubted:
            out.line(f"\nUNKNOWN {o.operation}/{o.exit} against {o.statement}: {o.reason}")
            out.line(
                "  Tried: the solver without any bound, then with thirty times the budget and what counts of none say; and all"
            )
            out.line(
                "  scopes of up to three elements a sort, in which nothing breaks it. What may help: a lemma that says what the"
            )
            out.line("  operation relies on; a statement of one thing instead of two; an operation with fewer writes.")
    for found in report.disagreements:
        out.line()
        for line in disagreement(spec, found):
            out.line(line)
    for clause in report.vacuous:
        out.line(f"\nVACUOUS {clause}: no state that satisfies the invariants was found from which it can happen")
    out.line()
    if report.interrupted:
        out.line(f"interrupted: this is what was found of the {len(report.paths)} operations that were done by then")
    out.line(f"scope: {ANY_SIZE}")
    if report.tried:
        broken = len(report.disagreements)
        so = f"{broken} obligation{'s are' if broken > 1 else ' is'} broken" if broken else "none breaks what is proved"
        out.line(f"held against the concrete reading: {report.tried} calls in scopes of up to three elements a sort, {so}")
    out.line(
        f"{len(report.obligations)} obligations over {sum(report.paths.values())} paths: {report.count('proved')} proved, "
        f"{report.count('refuted')} refuted, {report.count('unknown')} unknown; "
        f"{report.exits - len(report.vacuous)} of {report.exits} exits shown possible; {report.seconds:.1f} s"
    )


def proof_json(spec: Spec, report: Report) -> dict[str, Any]:
    """A proof as JSON has it."""
    return {
        "scope": ANY_SIZE,
        "obligations": len(report.obligations),
        "proved": report.count("proved"),
        "refuted": report.count("refuted"),
        "unknown": report.count("unknown"),
        "vacuous": report.vacuous,
        "exits": report.exits,
        "tried": report.tried,
        "disagreements": [
            {"operation": d.operation, "exit": d.exit, "statement": d.statement, "scope": d.scope, "text": d.text}
            for d in report.disagreements
        ],
        "interrupted": report.interrupted,
        "paths": report.paths,
        "seconds": round(report.seconds, 3),
        "matrix": [
            {"operation": o.operation, "exit": o.exit, "statement": o.statement, "status": o.status, "seconds": o.seconds}
            for o in report.obligations
        ],
    }
