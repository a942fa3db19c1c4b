"""The commands for those who have an implementation of their own."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...model.language import ALL, Spec, SpecError, load, parse_scope
from ..adapters import Implementation, connect, finished, reach, stopped
from ..errors import AdapterError, Unsupported
from .console import DEFAULT_SPEC, HOLDS, NOTHING, UNKNOWN, VIOLATION, Output, common, jobs_option, say, traces_option
from .new import new

if TYPE_CHECKING:
    from ..conform import Report

CONVERSATION = "conversation.jsonl"
REPORTS = ("junit", "html", "sarif", "statement")


def configured(name: str) -> dict[str, Any]:
    """The options of a command as oneowner.toml, or [tool.oneowner] of pyproject.toml, gives them.  Raises SpecError."""
    for path, keys in ((Path("oneowner.toml"), ()), (Path("pyproject.toml"), ("tool", "oneowner"))):
        if not path.exists():
            continue
        try:
            found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise SpecError(f"{path}: {error}") from None
        for key in keys:
            found = found.get(key, {})
        table = found.get(name, {})
        if not isinstance(table, dict):
            raise SpecError(f"{path}: [{'.'.join((*keys, name))}] must be a table of options")
        if table:
            return table
    return {}


class Configured(click.Command):
    """A command whose options have defaults in the project's configuration: the same names without dashes, lists where an option
    may be repeated."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        given = configured(self.name or "")
        names = {flag.lstrip("-"): str(p.name) for p in self.params if isinstance(p, click.Option) for flag in p.opts}
        for key in given:
            if key not in names:
                known = ", ".join(sorted(names))
                raise SpecError(f"the configuration of {self.name} has no option {key!r}; there are {known}")
        shown = {names[k]: [str(v) for v in value] if isinstance(value, list) else value for k, value in given.items()}
        return super().make_context(info_name, args, parent, default_map=shown, **extra)


def budgets_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two budgets of time."""
    command = click.option(
        "--must-return", type=click.FloatRange(0.01), default=10.0, help="Seconds that an answer may take (default 10)."
    )(command)
    return click.option(
        "--must-not-return",
        type=click.FloatRange(0.001),
        default=0.2,
        help="Seconds after which a call counts as suspended, where the adapter cannot say (default 0.2).",
    )(command)


def unsupported(spec: Spec, implementation: Implementation, scope: dict[str, int]) -> set[str]:
    """The operations that an adapter does not support; of an implementation in this process it is known that it supports all."""
    from ..conform import smoke as run
    from ..session import Mismatch

    if not hasattr(implementation, "introduction"):
        return set()
    try:
        return run(spec, implementation, scope, spec.actions)
    except Mismatch:
        # fuzzing will find it again, and shrink it
        return set()


@click.command(cls=Configured)
@common
@click.argument("connection")
@click.option("--profile", "profiles", multiple=True, help="What to test (default: what the adapter names; may be repeated).")
@click.option(
    "-k", "patterns", multiple=True, metavar="CLAUSE", help="Only clauses of this name, part or glob (may be repeated)."
)
@click.option("--strict", is_flag=True, help="Take only the first error that applies, not any that applies.")
@click.option("--seed", type=click.IntRange(0), help="Draw the same runs again.")
@click.option("--time", "seconds", type=click.FloatRange(0), help="Seconds to fuzz after the suite (default 20; 0 with -k).")
@click.option("--known-failing", type=click.Path(path_type=Path, dir_okay=False), help="Clauses that may fail, one a line.")
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
    known_failing: Path | None,
    reports: tuple[str, ...],
    must_return: float,
    must_not_return: float,
    traces: Path,
) -> int:
    """Hold the implementation at CONNECTION against the specification: the fixed suite, then fuzzing; a verdict a clause."""
    from ..conform import Conformance, code_of, read_known_failing
    from ..reports import statement
    from ..suite import of

    spec, out = load(spec_name), Output(format)
    wanted = parse_reports(reports)
    listed = read_known_failing(known_failing) if known_failing else []
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
            seconds=(0.0 if patterns else 20.0) if seconds is None else seconds,
            known_failing=listed,
            progress=say,
        )
        unknown = [name for name in listed if name not in run.clauses]
        if unknown:
            raise SpecError(f"{known_failing}: no clause is called {unknown[0]!r}; `oneowner show operations` lists them")
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
    from ..reports import failure_lines, rooms

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


@click.command(cls=Configured)
@common
@click.argument("connection")
@budgets_option
@traces_option
def smoke(spec_name: str, format: str, connection: str, must_return: float, must_not_return: float, traces: Path) -> int:
    """Shake hands with the implementation at CONNECTION and make every call once: does it speak the protocol?"""
    from ..conform import limited
    from ..conform import smoke as run
    from ..session import Mismatch

    spec, out = load(spec_name), Output(format)
    implementation = reach(spec, connection, must_return, must_not_return, traces / CONVERSATION)
    try:
        about = getattr(implementation, "introduction", None)
        profiles = list(about.profiles) if about else [ALL]
        for profile in profiles:
            spec.profile(profile)
        unsupported = run(spec, implementation, limited(spec.fuzz_scope, about.limits if about else {}), spec.actions)
        finished(implementation)
    except Mismatch as mismatch:
        out.line(f"{connection}: {mismatch.text}")
        out.result({"connection": connection, "wrong": mismatch.clause, "text": mismatch.text})
        return VIOLATION
    except Unsupported as error:
        raise AdapterError(f"{connection}: {error}") from None
    finally:
        stopped(implementation)
    supported = [name for name in spec.actions if name not in unsupported]
    name = about.name if about else connection
    out.line(f"{name} speaks the protocol; profiles: {', '.join(profiles) or 'none named'}")
    out.line(
        f"{len(supported)} of {len(spec.actions)} operations are supported{': ' + ', '.join(supported) if supported else ''}"
    )
    out.result({"connection": connection, "name": name, "profiles": profiles, "supported": supported})
    return HOLDS


@click.command()
@click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")
def schema(spec_name: str) -> int:
    """Print the JSON Schema of every line that may pass between the checker and an adapter."""
    from ..adapters import schema as made

    click.echo(json.dumps(made(load(spec_name)), indent=1))
    return HOLDS


@click.command()
@click.argument("implementation")
@click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")
@click.option("--listen", metavar="PLACE", help="Serve at unix:PATH or tcp:HOST:PORT (port 0: any), not on stdin and stdout.")
def serve(implementation: str, spec_name: str, listen: str | None) -> int:
    """Put a Python IMPLEMENTATION (py:MODULE) behind the protocol."""
    from ..adapters import serve_here, serve_socket

    spec = load(spec_name)
    actors = {name: action.slots[0].name for name, action in spec.actions.items()}
    connect(implementation)
    if listen:
        serve_socket(
            lambda: connect(implementation),
            listen,
            waiter=spec.waiter,
            actors=actors,
            ready=lambda where: click.echo(f"listening at {where}"),
        )
    else:
        serve_here(lambda: connect(implementation), waiter=spec.waiter, actors=actors)
    return HOLDS


@click.command("check-log")
@common
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scope", metavar="NAME=N,...", help="The sizes to judge it in, beside those of its topology.")
@click.option("--strict", is_flag=True, help="Take only the first error that applies, not any that applies.")
def check_log(spec_name: str, format: str, file: Path, scope: str | None, strict: bool) -> int:
    """Accept or reject FILE, the calls and answers of an implementation as it logged them while running."""
    from ..logs import judge, read
    from ..session import Unknown

    spec, out = load(spec_name), Output(format)
    log = read(file)
    try:
        judged = judge(spec, log, strict=strict, sizes=parse_scope(scope) if scope else None)
    except Unknown as error:
        out.line(str(error))
        out.result({"accepted": None, "text": str(error)})
        return UNKNOWN
    if judged.accepted:
        out.line(f"{file}: accepted: some behaviour of {spec.name} explains these {judged.calls} calls")
    else:
        out.line(f"{file}, line {judged.line}: no behaviour of {spec.name} explains this answer")
        out.line(f"  {judged.clause}: {judged.text}" if judged.clause else f"  {judged.text}")
    out.result({"accepted": judged.accepted, **dataclasses.asdict(judged)})
    return (HOLDS if judged.calls else NOTHING) if judged.accepted else VIOLATION


@click.command()
@common
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--implementation", help="Another implementation than the file names.")
@budgets_option
@traces_option
def shrink(
    spec_name: str, format: str, file: Path, implementation: str | None, must_return: float, must_not_return: float, traces: Path
) -> int:
    """Find the fewest calls of FILE, a trace or a conversation, that still show a failure."""
    from ..fuzz import smallest_failure
    from ..logs import is_log, recorded
    from ..logs import read as read_log
    from ..reports import failure_lines
    from ..session import again
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
    made = reach(spec, where, must_return, must_not_return)
    try:
        session, mismatch = again(spec, made, scope, calls)
        if mismatch is None:
            out.line(f"{where} answers these {len(calls)} calls as the specification permits: nothing to shrink")
            out.result({"shown": False, "calls": len(calls)})
            return HOLDS
        failure = smallest_failure(spec, made, scope, session.recorded, mismatch)
        way = way_to(spec, failure.clause)
        if way is not None:
            failure = by_the_graph(spec, made, way, failure) or failure
        for line in failure_lines(spec, where, made, failure, traces):
            out.line(line)
        if way is not None:
            out.line(
                f"{len(failure.calls)} calls; the shortest way to {failure.clause} in the scopes explored has {len(way.steps)} "
                f"({way.exploration})"
            )
        told = {"shown": True, "clause": failure.clause, "text": failure.text, "calls": len(failure.calls), "of": len(calls)}
        out.result(told | {"least": len(way.steps) if way else None})
    finally:
        stopped(made)
    return VIOLATION


@click.command()
@click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")
@jobs_option
def suite(spec_name: str, jobs: int) -> int:
    """Draw the fixed conformance suite from the explored graphs and print it, a sequence a line."""
    from ..suite import generate, write

    spec = load(spec_name)
    made = generate(spec, jobs=jobs)
    click.echo(write(spec, made), nl=False)
    return HOLDS if made else NOTHING


commands: tuple[click.Command, ...] = (conform, smoke, shrink, check_log, new, schema, serve, suite)
