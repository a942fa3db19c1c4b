"""Tours: walks through charts that together take every pair of clauses that can follow one another in a room.

A pair is that of the own clauses of two calls, one directly after the other; late answers are left out.  After a refused call
comes what can be called in the same state, after one that takes effect what can be called in the state after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .chart import Chart, Move

Pair = tuple[str, str]
Rooms = Mapping[str, str]
"""By operation, the room in which it stands."""

LONGEST = 80
"""How many calls a walk has at most, its opening with them, where it does not take more to come to anything new."""

LAST = 12
"""How many calls before it is so long a walk may go where it cannot come back from."""


def pairs(walk: Sequence[Move], rooms: Rooms) -> set[Pair]:
    """The pairs that a walk takes."""
    both = ((one, other) for one, other in pairwise(walk) if rooms[one.call[0]] == rooms[other.call[0]])
    return {(one.clause, other.clause) for one, other in both}


def tour(charts: Mapping[str, Chart], rooms: Rooms, taken: Collection[Pair]) -> list[tuple[str, tuple[Move, ...]]]:
    """Walks that take every pair of these charts that is not yet taken, each with the name of its chart.

    Of what each chart has to offer, next comes the walk that takes most new pairs for its length.
    """
    grounds = {name: Ground(chart, rooms) for name, chart in charts.items()}
    for ground in grounds.values():
        ground.take(taken)
    offers: dict[str, tuple[Move, ...]] = {}
    values: dict[str, float] = {}
    made: list[tuple[str, tuple[Move, ...]]] = []
    while True:
        for name, ground in grounds.items():
            if name not in offers and any(ground.left):
                offers[name] = walk = ground.walk()
                values[name] = ground.new(pairs(walk, rooms)) / len(walk)
        if not offers:
            return made
        best = max(offers, key=lambda name: values[name])
        made.append((best, offers[best]))
        found = pairs(offers[best], rooms)
        for name, ground in grounds.items():
            if ground.take(found):
                offers.pop(name, None)


@dataclass(frozen=True)
class Step:
    """A move as a walk looks at it: the number of its own clause, and whether one can come back from it."""

    move: Move
    clause: int
    back: bool


class Ground:
    """A chart to walk through, and what is left to take: by the number of a clause, those that are still to follow it.

    Sets of clauses are numbers, a bit a clause.
    """

    def __init__(self, chart: Chart, rooms: Rooms) -> None:
        self.opening = chart.opening
        clauses = {move.clause for moves in (chart.opening, *chart.moves) for move in moves}
        self.number = {clause: n for n, clause in enumerate(sorted(clauses))}
        parts = _parts(chart)
        self.steps = [
            [Step(move, self.number[move.clause], parts[state] == parts[move.after]) for move in moves]
            for state, moves in enumerate(chart.moves)
        ]
        self.following = [_set(step.clause for step in steps) for steps in self.steps]
        """By state, the clauses that can come next."""
        self.staying = [_set(step.clause for step in steps if step.back) for steps in self.steps]
        """Those of them by calls that one can come back from."""
        where = [rooms[clause.partition("/")[0]] for clause in self.number]
        inside = [_set(n for n, other in enumerate(where) if other == own) for own in where]
        self.left = [0] * len(where)
        for step in (step for steps in self.steps for step in steps):
            self.left[step.clause] |= self.following[step.move.after] & inside[step.clause]

    def take(self, found: Iterable[Pair]) -> bool:
        """Cross out what was found; whether there was anything to cross out."""
        before = sum(self.left)
        _cross_out(self.left, self._numbers(found))
        return sum(self.left) != before

    def new(self, found: Iterable[Pair]) -> int:
        """How many of these pairs are left to take."""
        return sum(self.left[one] >> other & 1 for one, other in self._numbers(found))

    def _numbers(self, found: Iterable[Pair]) -> list[tuple[int, int]]:
        number = self.number
        return [(number[one], number[other]) for one, other in found if one in number and other in number]

    def walk(self) -> tuple[Move, ...]:
        """A walk that takes many of the pairs that are left; they stay left."""
        walk, left, state = list(self.opening), list(self.left), 0
        clauses = [self.number[move.clause] for move in walk]
        _cross_out(left, pairwise(clauses))
        while steps := self._next(state, clauses[-1:], left, len(walk) >= LONGEST - LAST):
            if len(walk) + len(steps) > LONGEST and len(walk) > len(self.opening):
                break
            walk += [step.move for step in steps]
            _cross_out(left, pairwise([*clauses[-1:], *(step.clause for step in steps)]))
            clauses += [step.clause for step in steps]
            state = walk[-1].after
        return tuple(walk)

    def _next(self, state: int, last: Sequence[int], left: Sequence[int], ending: bool) -> tuple[Step, ...]:
        """The fewest steps from a state, after the last clause, that take another pair; first those one can come back from."""
        for back in (False,) if ending else (True, False):
            following = self.staying if back else self.following
            for clause in last:
                if wanted := left[clause] & following[state]:
                    return (self._best(state, clause, wanted, left, back),)
            if way := self._way(state, left, back):
                end = way[-1]
                wanted = left[end.clause] & following[end.move.after]
                return (*way, self._best(end.move.after, end.clause, wanted, left, back))
        return ()

    def _best(self, state: int, last: int, wanted: int, left: Sequence[int], back: bool) -> Step:
        """The step to one of the clauses that are wanted: rather one that takes effect, then the same refusal again, then one
        after which most is left."""

        def worth(step: Step) -> tuple[bool, bool, int, int]:
            more = (left[step.clause] & self.following[step.move.after]).bit_count()
            return not step.move.refused, step.clause == last, more, -step.clause

        return max((s for s in self.steps[state] if wanted >> s.clause & 1 and (s.back or not back)), key=worth)

    def _way(self, state: int, left: Sequence[int], back: bool) -> tuple[Step, ...]:
        """A shortest way to where a pair is left that begins with the way's last call, of those to most of them."""
        following = self.staying if back else self.following
        ways: dict[int, tuple[Step, ...]] = {state: ()}
        level = [state]
        while level:
            best: tuple[Step, ...] = ()
            most, further = 0, []
            for at in level:
                for step in self.steps[at]:
                    if back and not step.back:
                        continue
                    after = step.move.after
                    count = (left[step.clause] & following[after]).bit_count()
                    if count > most:
                        best, most = (*ways[at], step), count
                    if after not in ways:
                        ways[after] = (*ways[at], step)
                        further.append(after)
            if most:
                return best
            level = further
        return ()


def _set(numbers: Iterable[int]) -> int:
    found = 0
    for number in numbers:
        found |= 1 << number
    return found


def _cross_out(left: list[int], found: Iterable[tuple[int, int]]) -> None:
    for one, other in found:
        left[one] &= ~(1 << other)


def _parts(chart: Chart) -> dict[int, int]:
    """By state, a number that it shares with the states from which one can come back to it."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(chart.moves)))
    graph.add_edges_from((state, move.after) for state, moves in enumerate(chart.moves) for move in moves)
    return {state: n for n, part in enumerate(networkx.strongly_connected_components(graph)) for state in part}
