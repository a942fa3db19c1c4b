"""What the graph of all states says beyond its states: that the system can get back to rest, and that what waits comes about.

Both are answered on a finished search that kept its states and transitions.  "Can get back" is reachability, read backwards.
"Leads to" is answered by the states from which a fair run never gets there (Emerson and Lei's fixpoint): under weak fairness, a
run that goes through states in which each fair call is again and again impossible, or made.  A run may also stop where
no fair call is possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..batch import Block, Fingerprints, argument_kind
from ..language import Declaration, LeadsTo, Rest, SpecError, Step
from . import linking
from .compiled import CompiledExplorer
from .explorer import Explorer

Mask = Any
"""By state, a truth value."""


@dataclass(frozen=True)
class Stuck:
    """A state, by a shortest way to it, from which the system cannot get to rest: of `statement` no state that keeps it can be
    reached any more, or, if that is None, none that keeps all."""

    statement: Declaration | None
    binding: dict[str, int]
    way: list[Step]


@dataclass(frozen=True)
class Lasso:
    """A fair run on which what is to come about never does: `way` leads to the `cycle`, which goes on for ever (empty: nothing
    happens any more).  `since` is how many calls of the way come before what waits begins to wait."""

    statement: LeadsTo
    binding: dict[str, int]
    way: list[Step]
    since: int
    cycle: list[Step]


class StateGraph:
    """All states of a finished search, numbered, with the transitions that change the state.

    `source` and `target` are state numbers by transition, `call` the number of the call (as `Expander.numbered`).
    """

    def __init__(self, explorer: Explorer) -> None:
        search = explorer.search
        if not explorer.expander.keep_edges:
            raise SpecError("the search has not kept its transitions: make it with keep_edges")
        self.explorer = explorer
        self._compiled = explorer if isinstance(explorer, CompiledExplorer) else None
        self.marks, self.depth = explorer.numbered()
        if self._compiled:
            self.source, self.target, self.call = linking.transitions(self._compiled.library, self.marks, search.edges)
            return
        order = np.argsort(self.marks)
        ordered = self.marks[order]

        def number(some: Fingerprints) -> Any:
            at = np.minimum(np.searchsorted(ordered, some), len(ordered) - 1)
            return np.where(ordered[at] == some, order[at], -1)

        nothing = np.empty(0, np.intp)
        pieces = [(nothing, nothing, np.empty(0, np.int32))]
        for edges in search.edges:
            if not len(edges.before):
                continue
            target = number(edges.after)
            # those of one state lie side by side
            begins = np.flatnonzero(np.concatenate([[True], edges.before[1:] != edges.before[:-1]]))
            source = np.repeat(number(edges.before[begins]), np.diff(np.append(begins, len(edges.before))))
            there = target >= 0
            whole = bool(there.all())
            pieces.append((source, target, edges.call) if whole else (source[there], target[there], edges.call[there]))
        self.source, self.target, self.call = map(np.concatenate, zip(*pieces, strict=True))

    @cached_property
    def block(self) -> Block:
        """The states as the batch reading has them."""
        return self.explorer.block()

    @property
    def size(self) -> int:
        return len(self.marks)

    def back(self, goal: Mask, through: Mask | None = None) -> Mask:
        """The states from which a state of `goal` can be reached, by way of states in `through` (default: all)."""
        reached = goal if through is None else goal & through
        if self._compiled:
            return linking.back(self._compiled.library, self.source, self.target, reached, through)
        source, target = self.source, self.target
        if through is not None:
            inside = through[source] & through[target]
            source, target = source[inside], target[inside]
        while True:
            further = reached.copy()
            further[source[reached[target]]] = True
            if (further == reached).all():
                return reached
            reached = further

    def holds(self, statement: Rest) -> Mask:
        """The states in which a statement of what rest is holds."""
        if self._compiled:
            return self._compiled.resting(statement)
        return self.explorer.expander.batch.judge(statement, np.arange(self.size), self.block)[0]

    def shallowest(self, states: Mask) -> int:
        """Of some states one that is nearest to the beginning."""
        some = np.flatnonzero(states)
        return int(some[np.argmin(self.depth[some])])

    def way(self, state: int) -> tuple[list[Step], Any]:
        return self.explorer.way(int(self.marks[state]))

    def path(self, begin: int, goal: Mask, through: Mask) -> list[int]:
        """The states on a shortest path to `goal` by way of `through`, without `begin`; empty where it begins there."""
        inside = through[self.source] & through[self.target]
        source, target = self.source[inside], self.target[inside]
        origin = np.full(self.size, -1)
        origin[begin] = begin
        level = np.zeros(self.size, np.bool_)
        level[begin] = True
        while not (goal & level).any():
            on = level[source] & (origin[target] < 0)
            if not on.any():
                raise SpecError("no path in the graph; please report it")
            origin[target[on]] = source[on]
            level = np.zeros(self.size, np.bool_)
            level[target[on]] = True
        state, states = int(np.flatnonzero(goal & level)[0]), []
        while state != begin:
            states.append(state)
            state = int(origin[state])
        return states[::-1]


def can_return(graph: StateGraph, rests: Sequence[Rest]) -> Stuck | None:
    """A state from which the system cannot get back to rest, or None where it can from every one."""
    model = graph.explorer.model
    at_rest = np.ones(graph.size, np.bool_)
    for statement in rests:
        at_rest &= graph.holds(statement)
    lost = ~graph.back(at_rest)
    if not lost.any():
        return None
    state = graph.shallowest(lost)
    way, vector = graph.way(state)
    for statement in rests:
        if not graph.back(graph.holds(statement))[state]:
            binding = model.broken(statement, model.system(vector)) or {}
            return Stuck(statement, binding, [*graph.explorer.search.opening, *way])
    return Stuck(None, {}, [*graph.explorer.search.opening, *way])


def leads_to(graph: StateGraph, statement: LeadsTo, element: int) -> Lasso | None:
    """A fair run on which what is to come about for `element` never does, or None."""
    expander = graph.explorer.expander
    waits, ended, _ = expander.batch.values(statement, graph.block, None, {}, element)
    if not (waits & ~ended).any():
        return None
    fair = [helping(graph, statement, name, element) for name in statement.by]
    return _lasso(graph, statement, {statement.slots[0].name: element}, waits, ended, fair)


def helping(graph: StateGraph, statement: LeadsTo, operation: str, element: int) -> Any:
    """The transitions by calls of an operation that are counted on."""
    expander = graph.explorer.expander
    numbers = [n for n, (action, _) in enumerate(expander.numbered) if action.name == operation]
    edges = np.flatnonzero((graph.call >= numbers[0]) & (graph.call <= numbers[-1])) if numbers else np.empty(0, np.intp)
    if not len(edges):
        return edges
    action = expander.numbered[numbers[0]][0]
    given: dict[str, Any] = {"operation": operation}
    for slot in action.slots:
        if not slot.fresh and not slot.subset:
            values = np.array([arguments[slot.name] for _, arguments in expander.numbered[numbers[0] : numbers[-1] + 1]])
            given[slot.name] = values[graph.call[edges] - numbers[0]].astype(argument_kind(slot.type))
    return edges[expander.batch.values(statement, graph.block, graph.source[edges], given, element)[2]]


def _lasso(
    graph: StateGraph, statement: LeadsTo, binding: dict[str, int], waits: Mask, ended: Mask, fair: Sequence[Any]
) -> Lasso | None:
    going = ~ended
    while True:
        kept = going
        for edges in fair:
            kept = kept & graph.back(_met(graph, edges, kept), kept)
        if (kept == going).all():
            break
        going = kept
    begins = waits & ~ended & graph.back(going, ~ended)
    if not begins.any():
        return None
    start = graph.shallowest(begins)
    states = graph.path(start, going, ~ended)
    at = states[-1] if states else start
    cycle = _cycle(graph, at, going, fair)
    explorer = graph.explorer
    way, vector = graph.way(start)
    before = len(explorer.search.opening) + len(way)
    led, vector = _steps(explorer, vector, [int(graph.marks[s]) for s in states])
    inner = cycle[0]
    led_in, vector = _steps(explorer, vector, [int(graph.marks[s]) for s in inner])
    round_trip, _ = _steps(explorer, vector, [int(graph.marks[s]) for s in cycle[1]])
    return Lasso(statement, binding, [*explorer.search.opening, *way, *led, *led_in], before, round_trip)


def _met(graph: StateGraph, edges: Any, inside: Mask) -> Mask:
    """The states in which a fair call is impossible, or can be made and leads to one of `inside`."""
    possible = np.zeros(graph.size, np.bool_)
    possible[graph.source[edges]] = True
    made = np.zeros(graph.size, np.bool_)
    made[graph.source[edges[inside[graph.target[edges]]]]] = True
    return (~possible | made) & inside


def _cycle(graph: StateGraph, begin: int, going: Mask, fair: Sequence[Any]) -> tuple[list[int], list[int]]:
    """From a state, the states that lead to a fair cycle, and those of the cycle, which ends where it began."""
    at, path, seen = begin, [], {begin: 0}
    while True:
        for edges in fair:
            possible = np.zeros(graph.size, np.bool_)
            possible[graph.source[edges]] = True
            wanted = _met(graph, edges, going)
            path += (leg := graph.path(at, wanted, going))
            at = leg[-1] if leg else at
            if possible[at]:
                make = edges[(graph.source[edges] == at) & going[graph.target[edges]]]
                at = int(graph.target[make[0]])
                path.append(at)
        if at in seen:
            return path[: seen[at]], path[seen[at] :]
        seen[at] = len(path)


def _steps(explorer: Explorer, vector: Any, marks: Sequence[int]) -> tuple[list[Step], Any]:
    steps = []
    for mark in marks:
        step, vector = explorer.step_to(vector, mark)
        steps.append(step)
    return steps, vector
