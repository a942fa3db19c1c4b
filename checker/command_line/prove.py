"""The command that proves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...model.language import Spec, SpecError, is_interruption, load
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
    from ..prove import Answer, Report

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@common
@click.option("--operation", "operations", multiple=True, help="Only this operation (may be repeated).")
@click.option("--invariant", "statements", multiple=True, help="Only this statement (may be repeated).")
@click.option("--matrix", is_flag=True, help="Also print every obligation: statements down, operations across.")
@click.option("--alone", is_flag=True, help="Do not try in small scopes, by the concrete reading, what is proved.")
@click.option("--second-solver", "second", type=click.Choice(["cvc5"]), help="Ask another solver too (extra: cvc5).")
@click.option("--smt2", type=FOLDER, metavar="DIR", help="Write every query into DIR, as SMT-LIB 2.")
@click.option("--certificates", type=FOLDER, metavar="DIR", help="Write the second solver's proofs into DIR.")
@jobs_option
@traces_option
def prove(
    spec_name: str,
    format: str,
    operations: tuple[str, ...],
    statements: tuple[str, ...],
    matrix: bool,
    alone: bool,
    second: str | None,
    smt2: Path | None,
    certificates: Path | None,
    jobs: int,
    traces: Path,
) -> int:
    """Prove every invariant, for systems of any size and runs of any length."""
    spec, out = load(spec_name), Output(format)
    if certificates is not None and second is None:
        raise SpecError("--certificates are those of the second solver: give --second-solver cvc5 too")
    if second is not None:
        from ..prove import version

        version()
    report = prove_and_tell(spec, operations, statements, jobs, alone=alone)
    show_proof(out, spec, report, traces, matrix=matrix)
    answers: list[Answer] = []
    if (second or smt2) and not report.interrupted:
        try:
            second_and_tell(spec, operations, statements, jobs, smt2, certificates, answers, solve=second is not None)
        except (KeyboardInterrupt, Exception) as error:
            if not is_interruption(error):
                raise
            report.interrupted = True
            out.line("interrupted: this is what was asked by then")
    if second is not None:
        show_second(out, report, answers)
    elif smt2 is not None:
        out.line(f"{sum(a.queries for a in answers)} queries written to {smt2}")
    out.result(proof_json(spec, report) | ({"second": second_json(report, answers)} if second else {}))
    code = proof_code(report)
    return max(code, second_code(report, answers)) if second and code not in (VIOLATION, INTERRUPTED) else code


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
    told = report.causes
    out.line(
        f"{len(told.possible)} causes shown possible, {len(told.impossible)} proved impossible, {len(told.undecided)} not "
        "decided (--format json names them)"
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
        "causes": {
            "possible": len(report.causes.possible),
            "impossible": report.causes.impossible,
            "undecided": report.causes.undecided,
        },
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


def second_and_tell(
    spec: Spec,
    operations: tuple[str, ...],
    statements: tuple[str, ...],
    jobs: int,
    smt2: Path | None,
    certificates: Path | None,
    given: list[Answer],
    *,
    solve: bool,
) -> None:
    """Ask the second solver, or write what it would be asked, and tell of each operation when it is done.  The answers are added
    to those that are `given` as they come."""
    from ..prove import PROVED, second_answers

    def progress(name: str, answers: list[Answer]) -> None:
        given.extend(answers)
        proved = sum(a.status == PROVED for a in answers)
        said = f"cvc5 proves {proved} of {len(answers)}" if solve else f"{sum(a.queries for a in answers)} queries written"
        say(f"{name}: {said}, {sum(a.seconds for a in answers):.1f} s")

    second_answers(
        spec,
        chosen_operations=operations,
        chosen_statements=statements,
        jobs=jobs,
        smt2=smt2,
        certificates=certificates,
        solve=solve,
        progress=progress,
    )


def _beside_the_first(report: Report, answers: list[Answer]) -> list[tuple[Answer, str]]:
    """Each answer, with what the first solver says."""
    said = {(o.operation, o.exit, o.statement): o.status for o in report.obligations}
    return [(a, said.get((a.operation, a.exit, a.statement), "nothing")) for a in answers]


def _differing(report: Report, answers: list[Answer]) -> list[tuple[Answer, str]]:
    """The obligations of which one solver says that they hold and the other that they do not, with what the first says."""
    return [(a, first) for a, first in _beside_the_first(report, answers) if {a.status, first} == {"proved", "refuted"}]


def second_code(report: Report, answers: list[Answer]) -> int:
    """The exit code of what the second solver says."""
    if _differing(report, answers):
        return INTERNAL
    return UNKNOWN if any(a.status == "unknown" for a in answers) else HOLDS


def show_second(out: Output, report: Report, answers: list[Answer]) -> None:
    """Print what the second solver says, where it differs, and what it does not know."""
    from ..prove import version

    differing = _differing(report, answers)
    for answer, first in differing:
        what = f"{answer.operation}/{answer.exit} and {answer.statement}"
        out.line(f"\nDISAGREEMENT of solvers about {what}: z3 says {first}, cvc5 {answer.status}; please report it")
    for answer, first in _beside_the_first(report, answers):
        if answer.status == "unknown":
            what = f"{answer.operation}/{answer.exit} against {answer.statement}"
            out.line(f"\ncvc5 does not know {what}, of which z3 says {first}: {answer.reason}")
    asked = [a for a in answers if a.queries]
    counts = ", ".join(f"{sum(a.status == s for a in asked)} {s}" for s in ("proved", "refuted", "unknown"))
    out.line(
        f"{version()}: {len(asked)} obligations asked in {sum(a.queries for a in asked)} queries: {counts}; "
        f"{len(answers) - len(asked)} more leave alone what the statement reads; "
        f"{len(differing) or 'no'} disagreement{'s' * (len(differing) > 1)} with z3; {sum(a.seconds for a in answers):.1f} s"
    )
    holes = [a.holes for a in asked if a.holes is not None]
    if holes:
        out.line(f"certificates: {sum(holes)} steps in them are taken on trust")


def second_json(report: Report, answers: list[Answer]) -> dict[str, Any]:
    """What the second solver says as JSON has it."""
    from ..prove import version

    return {
        "solver": version(),
        "disagreements": [f"{a.operation}/{a.exit} {a.statement}" for a, _ in _differing(report, answers)],
        "matrix": [
            {
                "operation": a.operation,
                "exit": a.exit,
                "statement": a.statement,
                "status": a.status,
                "queries": a.queries,
                "seconds": round(a.seconds, 4),
                "holes": a.holes,
            }
            for a in answers
        ],
    }
