"""The command line.  Results go to stdout, progress to stderr; every claim is printed with its scope."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...model.language import Spec, SpecError, load, parse_scope
from ..adapters import finished, reach, stopped
from ..errors import AdapterError, Unsupported
from ..logs import is_log
from ..logs import read as read_log
from .conform import commands, unsupported
from .console import (
    ADAPTER,
    ANY_SIZE,
    DEFAULT_IMPLEMENTATION,
    DEFAULT_SPEC,
    HOLDS,
    INTERNAL,
    INTERRUPTED,
    NOTHING,
    UNKNOWN,
    USAGE,
    VIOLATION,
    Output,
    common,
    jobs_option,
    say,
    traces_option,
)
from .explore import exploration_code, exploration_totals, explore, explore_all_scopes, show_explorations

if TYPE_CHECKING:
    from ..fuzz import FuzzReport
    from ..prove import Report


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="oneowner")
def cli() -> None:
    """Prove, explore and fuzz message passing by moving memory, against its executable specification."""


@cli.command()
@common
@click.option("--operation", "operations", multiple=True, help="Only this operation (may be repeated).")
@click.option("--invariant", "statements", multiple=True, help="Only this statement (may be repeated).")
@click.option("--matrix", is_flag=True, help="Also print every obligation: statements down, operations across.")
@jobs_option
@traces_option
def prove(
    spec_name: str, format: str, operations: tuple[str, ...], statements: tuple[str, ...], matrix: bool, jobs: int, traces: Path
) -> int:
    """Prove every invariant, for systems of any size and runs of any length."""
    spec, out = load(spec_name), Output(format)
    report = _prove(spec, operations, statements, jobs)
    _show_proof(out, spec, report, traces, matrix=matrix)
    out.result(_proof_json(spec, report))
    return _proof_code(report)


def _prove(spec: Spec, operations: tuple[str, ...], statements: tuple[str, ...], jobs: int) -> Report:
    from ..prove import PROVED
    from ..prove import prove as run

    def progress(name: str, part: Report) -> None:
        say(f"{name}: {part.count(PROVED)} of {len(part.obligations)} proved, {part.seconds:.1f} s")

    return run(spec, chosen_operations=operations, chosen_statements=statements, jobs=jobs, progress=progress)


def _proof_code(report: Report) -> int:
    if not report.obligations:
        return NOTHING
    if report.count("refuted") or report.vacuous:
        return VIOLATION
    return UNKNOWN if report.count("unknown") else HOLDS


def _show_proof(out: Output, spec: Spec, report: Report, traces: Path, *, matrix: bool = False) -> None:
    from ..pages import is_lemma
    from ..reports import proof_matrix, proof_summary, refutation

    for line in proof_summary(report):
        out.line(line)
    if matrix:
        out.line()
        for line in proof_matrix(spec, report, lambda name: is_lemma(spec, name)):
            out.line(line)
    for o in report.obligations:
        if o.status == "refuted":
            out.line()
            for line in refutation(spec, o, traces):
                out.line(line)
        elif o.status == "unknown":
            out.line(f"\nUNKNOWN {o.operation}/{o.exit} against {o.statement}: {o.reason}")
    for clause in report.vacuous:
        out.line(f"\nVACUOUS {clause}: no state that satisfies the invariants was found from which it can happen")
    out.line()
    out.line(f"scope: {ANY_SIZE}")
    out.line(
        f"{len(report.obligations)} obligations over {sum(report.paths.values())} paths: {report.count('proved')} proved, "
        f"{report.count('refuted')} refuted, {report.count('unknown')} unknown; "
        f"{report.exits - len(report.vacuous)} of {report.exits} exits shown possible; {report.seconds:.1f} s"
    )


def _proof_json(spec: Spec, report: Report) -> dict[str, Any]:
    return {
        "scope": ANY_SIZE,
        "obligations": len(report.obligations),
        "proved": report.count("proved"),
        "refuted": report.count("refuted"),
        "unknown": report.count("unknown"),
        "vacuous": report.vacuous,
        "exits": report.exits,
        "paths": report.paths,
        "seconds": round(report.seconds, 3),
        "matrix": [
            {"operation": o.operation, "exit": o.exit, "statement": o.statement, "status": o.status, "seconds": o.seconds}
            for o in report.obligations
        ],
    }


@cli.command()
@common
@click.argument("implementation", default=DEFAULT_IMPLEMENTATION)
@click.option("--time", "seconds", type=click.FloatRange(0.1), default=30.0, help="Seconds to fuzz (default 30).")
@click.option("--steps", type=click.IntRange(1), default=100, help="Calls a run, probes not counted (default 100).")
@click.option("--seed", type=click.IntRange(0), help="Draw the same runs again.")
@click.option("--scope", metavar="NAME=N,...", help="Another scope than the spec's own.")
@click.option("--strict", is_flag=True, help="Take only the first error that applies, not any that applies.")
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
    traces: Path,
) -> int:
    """Hold IMPLEMENTATION against the specification with calls drawn at random."""
    spec, out = load(spec_name), Output(format)
    sizes = parse_scope(scope) if scope else None
    report = _fuzz(spec, implementation, seconds, steps, seed, sizes, strict, traces)
    missing = _show_fuzz(out, spec, implementation, report, traces)
    out.result(_fuzz_json(implementation, report, missing))
    return _fuzz_code(report, missing)


def _fuzz(
    spec: Spec,
    implementation: str,
    seconds: float,
    steps: int,
    seed: int | None,
    scope: dict[str, int] | None,
    strict: bool,
    traces: Path,
    wanted: Collection[str] = (),
) -> FuzzReport:
    from ..fuzz import fuzz as run

    told = [time.monotonic()]

    def progress(report: FuzzReport) -> None:
        if time.monotonic() - told[0] >= 5:
            told[0] = time.monotonic()
            say(f"{report.calls} calls in {report.runs} runs, {len(report.clauses)} clauses")

    reached = reach(spec, implementation)
    sizes = spec.scope(scope or spec.fuzz_scope)
    try:
        found = run(
            spec,
            reached,
            scope=sizes,
            without=unsupported(spec, reached, sizes),
            seconds=seconds,
            steps=steps,
            seed=seed,
            strict=strict,
            database=None if seed is not None else traces / "examples",
            wanted=wanted,
            progress=progress,
        )
        finished(reached)
    finally:
        stopped(reached)
    return found


def _fuzz_code(report: FuzzReport, missing: list[str]) -> int:
    if report.failures:
        return VIOLATION
    if not report.calls:
        return NOTHING
    return UNKNOWN if missing else HOLDS


def _show_fuzz(out: Output, spec: Spec, implementation: str, report: FuzzReport, traces: Path) -> list[str]:
    from ..explore import clauses
    from ..reports import fuzz_failure

    known = [c for c in clauses(spec) if c.partition("/")[0] not in report.without]
    missing = [] if report.failures else [c for c in known if not report.clauses[c]]
    for failure in report.failures:
        for line in fuzz_failure(spec, implementation, failure, traces):
            out.line(line)
    for clause in known:
        if report.clauses[clause] and not report.failures:
            out.line(f"{report.clauses[clause]:7}  {clause}")
    if missing:
        out.line(f"never exercised in this time: {', '.join(missing)} (give it more with --time)")
    out.line(
        f"{implementation}: {report.calls} calls in {report.runs} runs, {len(report.clauses)} of {len(known)} clauses, "
        f"{len(report.failures)} failures, seed {report.seed}, {report.seconds:.1f} s"
    )
    return missing


def _fuzz_json(implementation: str, report: FuzzReport, missing: list[str]) -> dict[str, Any]:
    return {
        "implementation": implementation,
        "calls": report.calls,
        "runs": report.runs,
        "seed": report.seed,
        "clauses": dict(report.clauses),
        "unexercised": missing,
        "failures": [
            {"clause": f.clause, "text": f.text, "calls": len(f.calls), "operations": [c.operation for c in f.calls]}
            for f in report.failures
        ],
        "seconds": round(report.seconds, 3),
    }


@cli.command()
@common
@click.option("--implementation", default=DEFAULT_IMPLEMENTATION, help="What is fuzzed.")
@click.option(
    "--time",
    "seconds",
    type=click.FloatRange(0.1),
    default=20.0,
    help="Seconds to fuzz (default 20), longer while a clause is missing.",
)
@jobs_option
@traces_option
def check(spec_name: str, format: str, implementation: str, seconds: float, jobs: int, traces: Path) -> int:
    """Prove the specification, explore it, and fuzz an implementation: the main job."""
    from ..explore import clauses

    spec, out = load(spec_name), Output(format)
    started = time.monotonic()
    quiet = Output("json")
    say("prove: any size, any depth")
    proof = _prove(spec, (), (), jobs)
    proof_code = _proof_code(proof)
    if proof_code != HOLDS:
        _show_proof(out, spec, proof, traces)
    say("explore: all reachable states of small scopes")
    explored = explore_all_scopes(spec, jobs)
    missing = show_explorations(quiet, spec, explored, traces, all_scopes=True)
    explore_code = exploration_code(explored, missing)
    if explore_code != HOLDS:
        show_explorations(out, spec, explored, traces, all_scopes=True)
    say(f"fuzz: {implementation}")
    fuzzed = _fuzz(spec, implementation, seconds, 100, None, None, False, traces, wanted=clauses(spec))
    unexercised = _show_fuzz(Output("json") if not fuzzed.failures else out, spec, implementation, fuzzed, traces)
    fuzz_code = _fuzz_code(fuzzed, unexercised)
    totals = exploration_totals(explored)
    known = len(totals["clauses"]) + len(missing)
    out.line(
        f"prove    {proof.count('proved')} of {len(proof.obligations)} obligations proved for any size and depth, "
        f"{proof.exits - len(proof.vacuous)} of {proof.exits} exits shown possible  [{_word(proof_code)}]"
    )
    out.line(
        f"explore  {totals['states']} states, {totals['transitions']} transitions: all reachable states of "
        f"{len(explored)} small scopes, {len(totals['clauses'])} of {known} clauses reached  [{_word(explore_code)}]"
    )
    out.line(
        f"fuzz     {fuzzed.calls} calls to {implementation}, {len(fuzzed.clauses)} of {known} clauses exercised, "
        f"{len(fuzzed.failures)} failures  [{_word(fuzz_code)}]"
    )
    if unexercised:
        out.line(f"         never exercised: {', '.join(unexercised)}")
    out.line(f"{time.monotonic() - started:.0f} s")
    codes = [proof_code, explore_code, fuzz_code]
    out.result(
        {
            "prove": _proof_json(spec, proof),
            "explore": totals | {"unreached": missing},
            "fuzz": _fuzz_json(implementation, fuzzed, unexercised),
            "seconds": round(time.monotonic() - started, 3),
        }
    )
    return VIOLATION if VIOLATION in codes else max(codes)


def _word(code: int) -> str:
    return {HOLDS: "holds", VIOLATION: "VIOLATION", UNKNOWN: "unknown", NOTHING: "nothing ran"}[code]


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--spec", "spec_name", metavar="MODULE:NAME", help="Another specification than the file names.")
@click.option("--implementation", help="Another implementation than the file names.")
@click.option("--format", "format", type=click.Choice(["pretty", "json"]), default="pretty", help="How it is printed.")
def replay(file: Path, spec_name: str | None, implementation: str | None, format: str) -> int:
    """Run a stored trace again, step by step.  Exits with 1 if it still shows what it was stored for."""
    from ..traces import read, replay_implementation, replay_log, replay_model

    out = Output(format)
    if is_log(file):
        log = read_log(file)
        where = implementation or str(log.heading.get("connection", ""))
        if not where:
            raise SpecError(f"{file}: it does not say what it is a log of: give --implementation, or judge it with check-log")
        spec = load(spec_name or str(log.heading.get("spec") or DEFAULT_SPEC))
        result = replay_log(spec, log, where, reach(spec, where))
        kind, statement = "conversation", ""
    else:
        stored = read(file)
        kind, statement = stored.kind, stored.statement
        spec = load(spec_name or stored.spec or DEFAULT_SPEC)
        if stored.kind == "model":
            result = replay_model(spec, stored)
        else:
            where = implementation or stored.implementation
            result = replay_implementation(spec, stored, where, reach(spec, where))
    for line in result.lines:
        out.line(line)
    out.line(result.verdict)
    out.result({"kind": kind, "statement": statement, "shown": result.shown, "verdict": result.verdict})
    return VIOLATION if result.shown else HOLDS


@cli.command()
@common
@click.argument("bugs", nargs=-1)
@click.option("--time", "seconds", type=click.FloatRange(0.1), default=180.0, help="Seconds to fuzz a bug at most (default 180).")
@click.option("--seed", type=click.IntRange(0), help="Draw the same runs again.")
@jobs_option
def museum(spec_name: str, format: str, bugs: tuple[str, ...], seconds: float, seed: int | None, jobs: int) -> int:
    """Plant real bugs, or those named, and show that each is caught."""
    from ..museum import catalogue
    from ..museum import museum as run

    spec, out = load(spec_name), Output(format)
    catalogue(spec, bugs)
    out.line(f"{'bug':28} {'source':28} {'checker':8} {'calls':>5} {'seconds':>8}  caught by")
    caught = run(
        spec,
        bugs,
        seconds=seconds,
        seed=seed,
        jobs=jobs,
        progress=lambda c: out.line(
            f"{c.exhibit.name:28} {c.exhibit.source:28} {c.exhibit.checker:8} "
            f"{c.calls or '-':>5} {c.seconds:8.1f}  {c.clause if c.caught else 'GOT AWAY: ' + c.text}"
        ),
    )
    missed = [c for c in caught if not c.caught]
    out.line(f"{len(caught) - len(missed)} of {len(caught)} planted bugs caught")
    out.result(
        [
            {
                "bug": c.exhibit.name,
                "source": c.exhibit.source,
                "checker": c.exhibit.checker,
                "caught": c.caught,
                "clause": c.clause,
                "calls": c.calls,
                "seconds": round(c.seconds, 3),
            }
            for c in caught
        ]
    )
    return VIOLATION if missed else HOLDS


@cli.command()
@common
@click.argument("what", type=click.Choice(["matrix", "operations", "invariants", "steps", "flow", "states", "rooms"]))
@click.argument("name", required=False)
@jobs_option
def show(spec_name: str, format: str, what: str, name: str | None, jobs: int) -> int:
    """Print what the specification says: the requirements' matrix, operations, invariants, steps of the seed's figures; a flow by
    NAME (default: all), with a table and a sequence diagram; the states of a room's things by NAME (default: all), drawn
    from exploration; all rooms as a page.

    Tables are Markdown, diagrams Mermaid.
    """
    from ..pages import rooms as pages
    from ..reports import text as report

    spec, out = load(spec_name), Output(format)
    if what in ("flow", "states"):
        lines, value = (pages.show_flow if what == "flow" else pages.show_states)(spec, name, jobs)
    elif name is not None:
        raise SpecError(f"show {what} takes no name")
    elif what == "rooms":
        lines, value = pages.show_rooms(spec, jobs)
    else:
        lines, value = getattr(report, f"show_{what}")(spec)
    for line in lines:
        out.line(line)
    out.result(value)
    return HOLDS


for command in (explore, *commands):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code.  What goes wrong is one clear line; ONEOWNER_DEBUG=1 adds the traceback."""
    # no matrices are multiplied here, and numpy is there sooner if it starts no threads for that
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = cli.main(arguments, prog_name="oneowner", standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as error:
        error.show()
        code = USAGE
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        code = INTERRUPTED
    except SpecError as error:
        say(f"oneowner: {error}")
        code = USAGE
    except (AdapterError, Unsupported) as error:
        say(f"oneowner: {error}")
        code = ADAPTER
    except BrokenPipeError:
        sys.stderr.close()
        code = HOLDS
    except Exception as error:
        if os.environ.get("ONEOWNER_DEBUG"):
            traceback.print_exc()
        say(f"oneowner: internal error: {type(error).__name__}: {error} (ONEOWNER_DEBUG=1 shows where; please report it)")
        code = INTERNAL
    sys.exit(code or HOLDS)


if __name__ == "__main__":
    main()
