"""Exhaustive breadth-first search of a spec in a small scope: every reachable state, in the concrete reading."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from .concrete import OK, Model, Vector
from .spec import Action, Call, Declaration, Step


@dataclass(frozen=True)
class Violation:
    """A statement that does not hold: of the state that `step` led to, or of that step; with the binding that shows it.

    `trace` is a shortest way from the initial state, its last step the bad one.
    """

    statement: Declaration
    binding: dict[str, int]
    trace: list[Step]


@dataclass
class Graph:
    """What a search has found.  `depth_of` counts steps from the initial state; `clauses` gives the least depth at which each
    clause was reached; `complete` says that nothing was left out, by a limit or by the scope (`cut`: calls left out because an
    endless sort had no name left)."""

    model: Model
    parents: dict[Vector, tuple[Vector, Action, dict[str, int]] | None] = field(default_factory=dict)
    depth_of: dict[Vector, int] = field(default_factory=dict)
    edges: list[tuple[Vector, Vector, str]] = field(default_factory=list)
    transitions: int = 0
    depth: int = 0
    clauses: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    finished: bool = False
    cut: int = 0
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        return self.finished and not self.cut

    def trace(self, vector: Vector) -> list[Step]:
        """A shortest way to a state."""
        steps: list[Step] = []
        while (origin := self.parents[vector]) is not None:
            vector, action, arguments = origin
            steps.append((action.name, arguments))
        return steps[::-1]


def explore(
    model: Model,
    *,
    without: Collection[str] = (),
    keep_edges: bool = False,
    max_states: int | None = None,
    max_depth: int | None = None,
    seconds: float | None = None,
    statements: frozenset[str] | None = None,
    stop_at_violation: bool = True,
    progress: Callable[[Graph], None] | None = None,
) -> Graph:
    """Search from the initial state, with all operations but those in `without`.

    `statements` names those to check (default: all): a step property on every transition, an invariant on every state.
    A bad state is not searched beyond.  The search ends early at a violation (`stop_at_violation`), at `max_states`,
    before depth `max_depth` + 1, or after `seconds`.
    """
    graph = Graph(model)
    started = time.monotonic()
    invariants = [s for s in model.spec.invariants.values() if statements is None or s.name in statements]
    properties = [s for s in model.spec.step_properties.values() if statements is None or s.name in statements]
    actions = [a for a in model.spec.actions.values() if a.name not in without]

    def judge(vector: Vector, last: list[Step]) -> bool:
        system = model.system(vector)
        bad = False
        for statement in invariants:
            binding = model.broken(statement, system)
            if binding is not None:
                graph.violations.append(Violation(statement, binding, last))
                bad = True
        return bad

    initial = model.initial()
    graph.parents[initial], graph.depth_of[initial] = None, 0
    level = [] if judge(initial, []) else [initial]

    def out_of_budget() -> bool:
        if stop_at_violation and graph.violations:
            return True
        if max_states is not None and len(graph.parents) >= max_states:
            return True
        if max_depth is not None and graph.depth >= max_depth:
            return True
        return seconds is not None and time.monotonic() - started > seconds

    def visit(vector: Vector, following: list[Vector]) -> None:
        before = model.system(vector)
        for action in actions:
            for arguments in model.calls(action, vector):
                if arguments is None:
                    graph.cut += 1
                    continue
                outcome = model.call(action, vector, arguments)
                clause = f"{action.name}/{outcome.exit}"
                if clause not in graph.clauses:
                    graph.clauses[clause] = graph.depth
                if outcome.exit != OK:
                    continue
                graph.transitions += 1
                after = outcome.state
                if keep_edges:
                    graph.edges.append((vector, after, action.name))
                step = (before, model.system(after), Call(action.name, arguments))
                for statement in properties:
                    binding = model.broken(statement, *step)
                    if binding is not None:
                        trace = [*graph.trace(vector), (action.name, arguments)]
                        graph.violations.append(Violation(statement, binding, trace))
                if after in graph.parents:
                    continue
                graph.parents[after] = vector, action, arguments
                graph.depth_of[after] = graph.depth + 1
                if not judge(after, [*graph.trace(vector), (action.name, arguments)] if invariants else []):
                    following.append(after)

    while level and not out_of_budget():
        following: list[Vector] = []
        for vector in level:
            visit(vector, following)
            if out_of_budget():
                break
        else:
            graph.finished = not following
        if progress:
            progress(graph)
        level = following
        graph.depth += bool(following)
    graph.finished = graph.finished or not (level or graph.violations)
    graph.seconds = time.monotonic() - started
    return graph
