"""Exhaustive breadth-first search of a spec in a small scope, in the concrete reading: the plain one, which keeps everything.

`search` is the one for speed; this one is what it is held against, and what sequences of calls are drawn from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..concrete import Model, Outcome, Vector
from ..language import Action, Call, Declaration, SpecError, Step, identity_of, is_sort


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
    """What a search has found, after the calls of `opening`.

    `depth_of` counts steps from the state where it began; `clauses` gives the least depth at which each clause was reached, and
    `witnesses` a state at that depth and the call that reached it there; `complete` says that nothing was left out, by a
    limit or by the scope (`cut`: calls left out because an endless sort had no name left).
    """

    model: Model
    opening: list[Step] = field(default_factory=list)
    parents: dict[Vector, tuple[Vector, Action, dict[str, int]] | None] = field(default_factory=dict)
    depth_of: dict[Vector, int] = field(default_factory=dict)
    edges: list[tuple[Vector, Vector, str]] = field(default_factory=list)
    transitions: int = 0
    depth: int = 0
    clauses: dict[str, int] = field(default_factory=dict)
    witnesses: dict[str, tuple[Vector, Step]] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    finished: bool = False
    cut: int = 0

    @property
    def complete(self) -> bool:
        return self.finished and not self.cut

    def trace(self, vector: Vector) -> list[Step]:
        """A shortest way to a state."""
        steps: list[Step] = []
        while (origin := self.parents[vector]) is not None:
            vector, action, arguments = origin
            steps.append((action.name, arguments))
        return [*self.opening, *steps[::-1]]


def with_fresh_names(model: Model, steps: Sequence[Step]) -> list[Step]:
    """A sequence of calls with the fresh names that it gives out: the least ones.  Raises SpecError for one out of scope, or
    that is no call."""
    model.spec.check_calls(steps)
    vector, whole = model.initial(), []
    for name, given in steps:
        action = model.spec.actions[name]
        for slot in (s for s in action.slots if s.name in given and is_sort(s.type)):
            value = given[slot.name]
            if any(e and e not in model.domain(slot.type) for e in (value if slot.subset else [value])):
                raise SpecError(f"an opening calls {name} with {slot.name}={value}, which this scope does not have")
        arguments = given | {s.name: model.fresh(vector, s.type) for s in action.slots if s.fresh}
        whole.append((name, arguments))
        vector = model.step(action, vector, arguments).state
    return whole


def run(model: Model, steps: Sequence[Step]) -> Vector:
    """The state after a sequence of calls that must all take effect.  Raises SpecError for one that is refused."""
    vector = model.initial()
    for name, arguments in steps:
        outcome = model.step(model.spec.actions[name], vector, arguments)
        if not outcome.effective:
            raise SpecError(f"an opening calls {name}, which is refused with {outcome.exit}")
        vector = outcome.state
    return vector


class Judge:
    """Judges statements of a model's states and steps, each once for what it reads.

    A statement that asks certain components only gives the same verdict for all states that agree in those.  Which it asks is
    seen while it is judged; should it ever ask another, what was remembered of it is forgotten.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._numbers: list[dict[Any, int]] = [{} for _ in model.components]
        self._numbered: dict[int, tuple[Vector, tuple[int, ...]]] = {}
        self._reads: dict[str, list[int]] = {}
        self._verdicts: dict[str, dict[Any, dict[str, int] | None]] = {}

    def of_state(self, statement: Declaration, vector: Vector) -> dict[str, int] | None:
        """The binding under which a state breaks an invariant, or None."""
        return self._verdict(statement, (vector,), None)

    def of_step(self, statement: Declaration, before: Vector, after: Vector, call: Call) -> dict[str, int] | None:
        """The binding under which a step breaks a step property, or None."""
        return self._verdict(statement, (before, after), call)

    def _number(self, vector: Vector) -> tuple[int, ...]:
        """The state with each component's value as a number, which is quicker to compare."""
        known = self._numbered.get(id(vector))
        if known is None or known[0] is not vector:
            found = tuple(ids.setdefault(part, len(ids)) for ids, part in zip(self._numbers, vector, strict=True))
            if len(self._numbered) > KEPT:
                self._numbered.clear()
            known = self._numbered[id(vector)] = vector, found
        return known[1]

    def _verdict(self, statement: Declaration, vectors: tuple[Vector, ...], call: Call | None) -> dict[str, int] | None:
        reads = self._reads.setdefault(statement.name, [])
        verdicts = self._verdicts.setdefault(statement.name, {})
        numbered = [self._number(vector) for vector in vectors]
        key = tuple([n[position] for n in numbered for position in reads]), call and identity_of(call)
        if key in verdicts:
            return verdicts[key]
        systems = [self.model.system(vector) for vector in vectors]
        binding = self.model.broken(statement, *systems, *([call] if call else []))
        new = {position for system in systems for position in system._asked()} - set(reads)
        if new:
            reads += sorted(new)
            verdicts.clear()
            key = tuple([n[position] for n in numbered for position in reads]), call and identity_of(call)
        verdicts[key] = binding
        return binding


KEPT = 1_000
"""How many states are kept in numbers."""


def explore(
    model: Model,
    *,
    without: Collection[str] = (),
    opening: Sequence[Step] = (),
    keep_edges: bool = False,
    max_depth: int | None = None,
    statements: frozenset[str] | None = None,
    stop_at_violation: bool = True,
    tried: Callable[[Vector, Step, Outcome], None] | None = None,
) -> Graph:
    """Search from the initial state, or the one after the calls of `opening`, with all operations but those in `without`.

    `statements` names those to check (default: all): a step property on every transition, an invariant on every state.
    A bad state is not searched beyond.  The search ends early at a violation (`stop_at_violation`), or before depth
    `max_depth` + 1.  `tried` is told of every call, with the state and what it came to.
    """
    graph = Graph(model, with_fresh_names(model, opening))
    invariants = [s for s in model.spec.invariants.values() if statements is None or s.name in statements]
    properties = [s for s in model.spec.step_properties.values() if statements is None or s.name in statements]
    actions = [a for a in model.spec.actions.values() if a.name not in without]

    judged = Judge(model)

    def judge(vector: Vector, last: list[Step]) -> bool:
        bad = False
        for statement in invariants:
            binding = judged.of_state(statement, vector)
            if binding is not None:
                graph.violations.append(Violation(statement, binding, last))
                bad = True
        return bad

    initial = run(model, graph.opening)
    graph.parents[initial], graph.depth_of[initial] = None, 0
    level = [] if judge(initial, graph.opening) else [initial]

    def out_of_budget() -> bool:
        if stop_at_violation and graph.violations:
            return True
        return max_depth is not None and graph.depth >= max_depth

    def visit(vector: Vector, following: list[Vector]) -> None:
        before = model.system(vector)
        for action in actions:
            for arguments in model.calls(action, vector):
                if arguments is None:
                    graph.cut += 1
                    continue
                outcome = model.step(action, vector, arguments)
                if tried:
                    tried(vector, (action.name, arguments), outcome)
                clause = f"{action.name}/{outcome.exit}"
                if clause not in graph.clauses:
                    graph.clauses[clause] = graph.depth
                    graph.witnesses[clause] = vector, (action.name, arguments)
                if not outcome.effective:
                    continue
                graph.transitions += 1
                after = outcome.state
                if keep_edges:
                    graph.edges.append((vector, after, action.name))
                if outcome.shown is not after and model.spec.late:
                    for late in model.spec.late(before, model.system(outcome.shown), model.scope):
                        if late.clause not in graph.clauses:
                            graph.clauses[late.clause] = graph.depth
                            graph.witnesses[late.clause] = vector, (action.name, arguments)
                call = Call(action.name, arguments)
                for statement in properties:
                    binding = judged.of_step(statement, vector, outcome.shown, call)
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
        level = following
        graph.depth += bool(following)
    graph.finished = graph.finished or not (level or graph.violations)
    return graph
