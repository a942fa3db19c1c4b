"""Exploration of small scopes: every reachable state, every statement checked, every clause to be reached by some scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING

from ..model.concrete import Model
from ..model.graph import Graph, explore
from ..model.reading import EFFECTIVE
from ..model.spec import Exploration, Spec, Step, late_clause, load
from ..model.symbolic import Symbolic
from ..model.trace import call_text, differences, run, value_name

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True)
class Found:
    """A violation: the statement, in words, with the binding and the shortest trace that show it."""

    statement: str
    text: str
    binding: dict[str, object]
    trace: list[Step]


@dataclass(frozen=True)
class ExploreReport:
    """What one scope came to.  `clauses` gives the least number of calls before each clause; `complete` says that every
    reachable state of the scope was seen; `limits` says in words what keeps the scope small beside its sizes."""

    name: str
    scope: dict[str, int]
    without: tuple[str, ...]
    limits: str
    states: int
    transitions: int
    depth: int
    complete: bool
    clauses: dict[str, int]
    violations: list[Found] = field(default_factory=list)
    seconds: float = 0.0


def clauses(spec: Spec) -> list[str]:
    """Every clause of a spec, operation/exit: by operation its refusals in the order in which they are looked at, then what takes
    effect; the late answers of an operation that may be suspended are clauses of it too."""
    known = _clauses.get(id(spec))
    if known is None or known[0] is not spec:
        known = _clauses[id(spec)] = spec, _read_clauses(spec)
    return list(known[1])


_clauses: dict[int, tuple[Spec, list[str]]] = {}


def _read_clauses(spec: Spec) -> list[str]:
    symbolic = Symbolic(spec)
    found: list[str] = []
    for action in spec.actions.values():
        asked: dict[str, int] = {}
        for path in symbolic.paths(action):
            # a refusal that is looked at later has answered more questions before
            asked[path.exit] = min(len(path.decisions), asked.get(path.exit, len(path.decisions)))
        in_order = sorted(
            asked, key=lambda exit: (exit in EFFECTIVE, EFFECTIVE.index(exit) if exit in EFFECTIVE else asked[exit])
        )
        found += [f"{action.name}/{exit}" for exit in in_order]
        found += [late_clause(action.name, exit) for exit in spec.late_exits.get(action.name, ())]
    return found


def exits(spec: Spec) -> dict[str, list[str]]:
    """By operation, the exits of its clauses, in the order of `clauses`."""
    found: dict[str, list[str]] = {}
    for clause in clauses(spec):
        operation, _, exit = clause.partition("/")
        found.setdefault(operation, []).append(exit)
    return found


def explore_scope(
    spec: Spec,
    name: str,
    exploration: Exploration,
    *,
    max_states: int | None = None,
    seconds: float | None = None,
    progress: Callable[[Graph], None] | None = None,
) -> ExploreReport:
    """Explore one scope."""
    graph = explore(
        Model(spec, exploration.sizes, exploration.arguments),
        without=spec.left_out(exploration),
        opening=spec.openings[exploration.opening] if exploration.opening else (),
        max_states=max_states,
        seconds=seconds,
        progress=progress,
    )
    return report_of(name, exploration, graph)


def report_of(name: str, exploration: Exploration, graph: Graph) -> ExploreReport:
    """A search as a report."""
    found = [
        Found(
            v.statement.name,
            v.statement.text,
            {s.name: value_name(s.type, v.binding[s.name]) for s in v.statement.slots},
            v.trace,
        )
        for v in graph.violations
    ]
    return ExploreReport(
        name,
        graph.model.scope,
        graph.model.spec.left_out(exploration),
        _limits(exploration),
        len(graph.parents),
        graph.transitions,
        graph.depth,
        graph.complete,
        graph.clauses,
        found,
        graph.seconds,
    )


def _limits(exploration: Exploration) -> str:
    parts = [
        f"after: {exploration.opening}" if exploration.opening else "",
        f"only {', '.join(exploration.only)}" if exploration.only else "",
        f"without {', '.join(exploration.without)}" if exploration.without else "",
        ", ".join(f"{name} in {[int(v) for v in values]}" for name, values in exploration.arguments.items()),
    ]
    return "".join(f"; {part}" for part in parts if part)


def _work(where: str, name: str) -> ExploreReport:
    spec = load(where)
    return explore_scope(spec, name, spec.explorations[name])


def explore_all(spec: Spec, *, jobs: int = 1, progress: Callable[[ExploreReport], None] | None = None) -> list[ExploreReport]:
    """Explore every scope of a spec's own, several at once where it can be loaded by name."""
    found: dict[str, ExploreReport] = {}

    def took(report: ExploreReport) -> None:
        found[report.name] = report
        if progress:
            progress(report)

    if jobs > 1 and spec.where and len(spec.explorations) > 1:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            for done in as_completed([pool.submit(_work, spec.where, name) for name in spec.explorations]):
                took(done.result())
    else:
        for name, exploration in spec.explorations.items():
            took(explore_scope(spec, name, exploration))
    return [found[name] for name in spec.explorations]


def unreached(spec: Spec, reports: list[ExploreReport]) -> list[str]:
    """The clauses that none of the reports reached."""
    seen = {clause for report in reports for clause in report.clauses}
    return [clause for clause in clauses(spec) if clause not in seen]


def as_networkx(graph: Graph) -> networkx.MultiDiGraph:
    """A search, made with `keep_edges`, as a graph: a node a state, numbered in the order of discovery, with its `depth`; an
    edge a transition, with its `operation`."""
    import networkx

    number = {vector: index for index, vector in enumerate(graph.parents)}
    made = networkx.MultiDiGraph()
    made.add_nodes_from((index, {"depth": graph.depth_of[vector]}) for vector, index in number.items())
    made.add_edges_from((number[a], number[b], {"operation": name}) for a, b, name in graph.edges)
    return made


def story(spec: Spec, scope: Mapping[str, int], trace: list[Step]) -> list[str]:
    """A trace for people: each call, and under it what it changed."""
    model = Model(spec, scope)
    lines, before = [], model.initial()
    for number, ((name, arguments), outcome) in enumerate(zip(trace, run(model, trace), strict=True), 1):
        exit = "" if outcome.exit == "ok" else f"  -> {outcome.exit}"
        lines.append(f"{number:3}  {call_text(spec.actions[name], arguments)}{exit}")
        lines += [f"       {line}" for line in differences(model, before, outcome.state)]
        before = outcome.state
    return lines
