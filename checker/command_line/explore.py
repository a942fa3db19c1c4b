"""The command that explores."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...model.language import Exploration, Spec, SpecError, load, parse_scope
from .console import HOLDS, INTERRUPTED, NOTHING, UNKNOWN, VIOLATION, Number, Output, common, jobs_option, say, traces_option

if TYPE_CHECKING:
    from ...model.search import Limits, Search
    from ..explore import ExploreReport

GIGABYTE = 10**9


MOST_SHOWN = 10
"""How many violations of a scope are told in full."""


@click.command()
@common
@click.option("--scope", metavar="NAME=N,...", help="One scope to explore, such as partitions=2,regions=1.")
@click.option("--large", is_flag=True, help="The large scopes: two of everything that matters to a room; takes minutes.")
@click.option("--name", "names", multiple=True, help="Only this scope of the specification's own (may be repeated).")
@click.option("--without", metavar="OPERATION,...", default="", help="Operations to leave out of --scope.")
@click.option("--only", metavar="OPERATION,...", default="", help="The only operations to call in --scope.")
@click.option("--after", metavar="OPENING", default="", help="Begin --scope after this opening of the specification.")
@click.option("--symmetry", is_flag=True, help="Count states that differ by a renaming once.")
@click.option("--deadlock", is_flag=True, help="Ask for states in which no call changes anything.")
@click.option("--can-return", is_flag=True, help="Ask whether the system can get back to rest from every state: nothing leaks.")
@click.option("--leads-to", is_flag=True, help="Ask whether what waits comes about at last, if who is to act goes on acting.")
@click.option("--first", is_flag=True, help="Tell in full of the first violation of each scope alone.")
@click.option("--max-states", type=click.IntRange(1), help="Stop a scope after so many states.")
@click.option("--time", "seconds", type=Number(0.1), help="Stop a search after so many seconds.")
@click.option(
    "--memory",
    type=Number(0.001),
    metavar="GB",
    help="Stop when the search, with all its processes, has more memory (default: two thirds of the machine's); with --device "
    "cuda, of the GPU's (default: nine tenths of what is free).",
)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Store a stopped search here; go on with it.")
@click.option(
    "--reading",
    type=click.Choice(["auto", "batch", "compiled"]),
    default="auto",
    help="Search with numpy (batch), or in C that is printed from the specification and built (compiled); auto begins in the "
    "first and goes over to the second where that is sooner done.",
)
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    help="Search in the compiled reading on a GPU (cuda), with the CUDA toolkit's nvcc; the same answers.",
)
@click.option("--graph", type=click.Path(path_type=Path, dir_okay=False), help="Write the graph to a .graphml or .dot file.")
@click.option("--room", help="Write --graph as the things of this room go through it: of a socket, a port, a region.")
@jobs_option
@traces_option
def explore(
    spec_name: str,
    format: str,
    scope: str | None,
    large: bool,
    names: tuple[str, ...],
    without: str,
    only: str,
    after: str,
    symmetry: bool,
    deadlock: bool,
    can_return: bool,
    leads_to: bool,
    first: bool,
    max_states: int | None,
    seconds: float | None,
    memory: float | None,
    keep: Path | None,
    reading: str,
    device: str,
    graph: Path | None,
    room: str | None,
    jobs: int,
    traces: Path,
) -> int:
    """See every reachable state of scopes, with every statement checked, level by level from the beginning."""
    from ...model.search import CPU, KEEPS_NO_TRANSITIONS, Limits
    from ..explore import Asked, explore_scope

    spec, out = load(spec_name), Output(format)
    if scope is None and (without or only or after or keep or graph):
        raise SpecError("--without, --only, --after, --keep and --graph go with --scope")
    if scope is not None and (large or names):
        raise SpecError("--scope is a scope of your own; --large and --name are the specification's")
    if room and not graph:
        raise SpecError("--room goes with --graph")
    if graph and device != CPU:
        raise SpecError(KEEPS_NO_TRANSITIONS)
    limits = Limits(max_states, None, seconds, int(memory * GIGABYTE) if memory else None)
    asked = Asked(deadlock, can_return, leads_to)
    if keep and can_return:
        raise SpecError("--keep does not go with --can-return, which needs all transitions at hand")
    options: dict[str, Any] = {"asked": asked, "limits": limits, "symmetry": symmetry}
    options |= {"reading": reading, "device": device}
    if scope is None:
        chosen = chosen_explorations(spec, large, names)
        reports = explore_all_scopes(spec, jobs, chosen, count_causes=not large, **options)
    else:
        one = exploration_of(spec, scope, without, only, after)
        if graph:
            _draw(spec, one, graph, room, limits)
        progress = _Progress()
        report = explore_scope(
            spec,
            "scope",
            one,
            jobs=jobs,
            keep=keep,
            progress=progress.tell,
            **options,
        )
        reports = [report]
    whole = scope is None and not names and not large
    missing = show_explorations(out, spec, reports, traces, all_scopes=whole, most=1 if first else MOST_SHOWN)
    rows = [_exploration_json(r) for r in reports]
    out.result(rows[0] if scope is not None else {"scopes": rows, **exploration_totals(reports), "unreached": missing})
    return exploration_code(reports, missing if whole else [])


def exploration_of(spec: Spec, scope: str, without: str, only: str, after: str) -> Exploration:
    """A scope of somebody's own, as the options say it."""
    names = [tuple(filter(None, text.split(","))) for text in (without, only)]
    return Exploration(spec.scope(parse_scope(scope)), without=names[0], only=names[1], opening=after)


def chosen_explorations(spec: Spec, large: bool, names: tuple[str, ...]) -> dict[str, Exploration]:
    """Scopes of a specification's own: those that are named, or all.  Raises SpecError for a name that there is not."""
    own = spec.large if large else spec.explorations
    if not own:
        raise SpecError(f"{spec.name} has no {'large ' if large else ''}explorations of its own: give --scope")
    for name in names:
        if name not in own:
            raise SpecError(f"no exploration is called {name!r}; there are {', '.join(own)}")
    return {name: one for name, one in own.items() if name in names or not names}


class _Progress:
    """Tells how far a search is: at every level, and every few seconds."""

    def __init__(self) -> None:
        self.depth, self.at = -1, time.monotonic()

    def tell(self, search: Search) -> None:
        if search.depth == self.depth and time.monotonic() - self.at < 5:
            return
        self.depth, self.at = search.depth, time.monotonic()
        rate = search.states / max(search.seconds, 1e-3)
        say(
            f"depth {search.depth}: {search.states} states, {search.frontier} of them in the frontier, "
            f"{search.transitions} transitions, {rate:.0f} states/s"
        )


def _draw(spec: Spec, exploration: Exploration, path: Path, room: str | None, limits: Limits) -> None:
    from ...model.search import StateGraph, explored_of
    from ..explore import KINDS, all_states, life, write

    if path.suffix not in KINDS:
        raise SpecError(f"{path}: a graph is written as {' or '.join(KINDS)}, by the ending of the name")
    if not path.parent.is_dir():
        raise SpecError(f"{path}: there is no folder {path.parent}")
    explorer = explored_of(spec, exploration, limits, statements=(), keep_edges=True)
    search = explorer.search
    if search.stopped == "interrupted":
        raise KeyboardInterrupt
    graph = StateGraph(explorer)
    write(life(graph, room) if room else all_states(graph), path)
    say(f"wrote {path}" if search.complete else f"wrote {path}, which is not the whole graph")


def explore_all_scopes(
    spec: Spec, jobs: int, explorations: dict[str, Exploration] | None = None, *, count_causes: bool = True, **options: Any
) -> list[ExploreReport]:
    """Explore scopes of a spec's own, and tell of each when it is done."""
    from ..explore import explore_all

    def told(report: ExploreReport) -> None:
        say(f"{report.name}: {report.states} states, depth {report.depth}, {report.seconds:.1f} s")

    return explore_all(spec, explorations, jobs=jobs, progress=told, count_causes=count_causes, **options)


def exploration_code(reports: list[ExploreReport], missing: list[str]) -> int:
    """The exit code for what was explored."""
    if any(r.violations for r in reports):
        return VIOLATION
    if interrupted(reports):
        return INTERRUPTED
    if not any(r.states for r in reports):
        return NOTHING
    if missing:
        return VIOLATION
    return HOLDS if all(r.complete and not r.unanswered for r in reports) else UNKNOWN


def interrupted(reports: list[ExploreReport]) -> bool:
    """Whether somebody would not wait for the rest; then it says nothing that a clause was not reached."""
    return any(r.stopped == "interrupted" for r in reports)


def show_explorations(
    out: Output, spec: Spec, reports: list[ExploreReport], traces: Path, *, all_scopes: bool, most: int = MOST_SHOWN
) -> list[str]:
    """Print reports, with their violations (of each scope `most` in full) and the clauses reached; give those that were not."""
    from ..explore import operations_called, unreached
    from ..reports import causes_told, clause_depths, exploration, exploration_violation

    for report in reports:
        for line in exploration(report):
            out.line(line)
        for found in report.violations[:most]:
            for line in exploration_violation(spec, report, found, traces):
                out.line(line)
        if more := [found.statement for found in report.violations[most:]]:
            out.line(f"  broken too: {', '.join(more)}")
    for told in dict.fromkeys(text for report in reports for text in (report.slower, report.outgrown) if text):
        say(told)
    for line in clause_depths(spec, reports):
        out.line(line)
    if interrupted(reports):
        out.line("interrupted: this is how far it was")
        return []
    reached = {clause for report in reports for clause in report.clauses}
    missing = unreached(spec, reports, spec.actions if all_scopes else operations_called(spec, reports))
    if missing:
        where = "no scope reaches" if all_scopes else "not reached in this scope:"
        out.line(f"{where} {', '.join(missing)}")
    elif all_scopes:
        out.line(f"all {len(reached)} clauses are reached")
    causes = {cause for report in reports for cause in report.causes}
    if all_scopes and causes:
        out.line(f"{causes_told(spec, causes, spec.actions)} are reached")
    return missing


def _exploration_json(report: ExploreReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "scope": report.scope,
        "without": list(report.without),
        "states": report.states,
        "transitions": report.transitions,
        "depth": report.depth,
        "complete": report.complete,
        "taken_for_another": report.taken_for_another,
        "symmetry": report.symmetry,
        "stopped": report.stopped,
        "asked": list(report.asked),
        "unanswered": list(report.unanswered),
        "unasked": list(report.unasked),
        "clauses": report.clauses,
        "violations": [
            {
                "statement": v.statement,
                "text": v.text,
                "binding": v.binding,
                "trace": [{"operation": n, "arguments": a} for n, a in v.trace],
                **({} if v.cycle is None else {"cycle": [{"operation": n, "arguments": a} for n, a in v.cycle]}),
            }
            for v in report.violations
        ],
        "seconds": round(report.seconds, 3),
    }


def exploration_totals(reports: list[ExploreReport]) -> dict[str, Any]:
    """Reports in one, as JSON has it."""
    return {
        "scope": {r.name: r.scope for r in reports},
        "states": sum(r.states for r in reports),
        "transitions": sum(r.transitions for r in reports),
        "depth": max((r.depth for r in reports), default=0),
        "complete": all(r.complete for r in reports),
        "clauses": sorted({clause for r in reports for clause in r.clauses}),
        "causes": sorted({cause for r in reports for cause in r.causes}),
        "violations": [v.statement for r in reports for v in r.violations],
        "seconds": round(sum(r.seconds for r in reports), 3),
    }
