"""The fixed conformance suite: few and short sequences of calls, drawn from the explored graphs, that together reach every
clause, and every pair of clauses that can follow one another in a room.

They are the same on every machine, because exploration is.  For each profile the graphs of the spec's scopes are searched
with the operations of that profile alone.  A clause is reached by a shortest way to it, and refusals that lie on that way
are tried there too, since they change nothing.  A pair is that of two calls, one directly after the other, whose operations
stand in the same room; late answers are clauses of the call that brings them, and in no pair.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from ...model.language import ALL, Spec, Step, load
from ...model.search import workers
from .chart import Chart, Move, chart
from .tours import pairs, tour


@dataclass(frozen=True)
class Sequence:
    """Calls in the model's values, from reset on, in a scope (by the name of an exploration): what they are to come to.

    With `pairs` it was drawn for its pairs of clauses, which all sequences that are drawn for their clauses precede.
    """

    scope: str
    calls: tuple[Step, ...]
    clauses: tuple[str, ...]
    pairs: bool = False

    @cached_property
    def operations(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.calls)


@dataclass(frozen=True)
class Walk:
    """A sequence as it is drawn: the moves that it makes."""

    scope: str
    moves: tuple[Move, ...]

    @property
    def operations(self) -> frozenset[str]:
        return frozenset(move.call[0] for move in self.moves)

    @property
    def clauses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(clause for move in self.moves for clause in move.clauses))

    @property
    def targets(self) -> set[str]:
        """All that it comes to."""
        return {target for move in self.moves for target in move.targets}

    def sequence(self, *, pairs: bool = False) -> Sequence:
        return Sequence(self.scope, tuple(move.call for move in self.moves), self.clauses, pairs)


@dataclass(frozen=True)
class Way:
    """A shortest way to a clause or a cause: the moves that take effect, the last of which comes to it, or else the refusal after
    them."""

    target: str
    moves: tuple[Move, ...]
    refusal: Move | None = None


def generate(spec: Spec, *, jobs: int = 1) -> list[Sequence]:
    """The suite of a spec: profile by profile the clauses that are not in it yet, then profile by profile the pairs."""
    return draw(spec, charts(spec, jobs=jobs))


def charts(spec: Spec, *, jobs: int = 1) -> dict[str, Chart]:
    """The charts of a spec's scopes, by the names of the explorations."""
    if jobs > 1 and spec.where:
        with workers(jobs) as pool:
            made = list(pool.map(_work, [(spec.where, name) for name in spec.explorations]))
    else:
        made = [chart(spec, name) for name in spec.explorations]
    return dict(zip(spec.explorations, made, strict=True))


def _work(job: tuple[str, str]) -> Chart:
    where, name = job
    return chart(load(where), name)


def draw(spec: Spec, charts: Mapping[str, Chart]) -> list[Sequence]:
    """The sequences for these scopes."""
    rooms = {name: spec.room(name) for name in spec.actions}
    profiles = [spec.profile(name) for name in (*spec.profiles, ALL)]
    parts = [{n: c.part(p) for n, c in charts.items() if {m.call[0] for m in c.opening} <= p} for p in profiles]
    for_clauses: list[Walk] = []
    for operations, part in zip(profiles, parts, strict=True):
        reached = {target for walk in within(for_clauses, operations) for target in walk.targets}
        for scope, each in part.items():
            for walk in walks(scope, each, [way for way in ways(each) if way.target not in reached]):
                reached.update(walk.targets)
                for_clauses.append(walk)
    for_pairs: list[Walk] = []
    for operations, part in zip(profiles, parts, strict=True):
        taken = [pairs(walk.moves, rooms) for walk in within([*for_clauses, *for_pairs], operations)]
        for_pairs += [Walk(scope, moves) for scope, moves in tour(part, rooms, set().union(*taken))]
    return [*(walk.sequence() for walk in for_clauses), *(walk.sequence(pairs=True) for walk in for_pairs)]


def ways(chart: Chart) -> list[Way]:
    """A shortest way to every clause, every cause, and every late answer by every operation that brings it, of a scope."""
    found: dict[str, Way] = {}
    for before, moves in zip(chart.shortest(), chart.moves, strict=True):
        for move in moves:
            for target in move.targets:
                if target not in found:
                    found[target] = Way(target, before, move) if move.refused else Way(target, (*before, move))
    return list(found.values())


def walks(scope: str, chart: Chart, found: Iterable[Way]) -> list[Walk]:
    """The longest ways first; a refusal joins a walk that passes by the state where it was found."""
    ordered = sorted(found, key=lambda way: (-len(way.moves), way.target))
    missing = {way.target for way in ordered}
    refusals: dict[int, list[Move]] = {}
    for way in ordered:
        if way.refusal:
            refusals.setdefault(way.refusal.after, []).append(way.refusal)
    made = []
    for way in ordered:
        if way.target not in missing:
            continue
        moves: list[Move] = []
        state = chart.first
        for move in (*way.moves, None):
            for refusal in refusals.get(state, ()):
                if not missing.isdisjoint(refusal.targets):
                    moves.append(refusal)
                    missing.difference_update(refusal.targets)
            if move is not None:
                moves.append(move)
                state = move.after
        made.append(Walk(scope, tuple(moves)))
        missing -= made[-1].targets
    return made


Called = TypeVar("Called", Sequence, Walk)


def within(suite: Iterable[Called], operations: Collection[str]) -> list[Called]:
    """The sequences that call these operations only."""
    return [s for s in suite if s.operations <= set(operations)]
