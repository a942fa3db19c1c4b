"""How few calls a failure needs: what was left of it, held against the shortest ways that the explored graphs know."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...model.concrete import Model, Outcome, Vector
from ...model.graph import explore, run, with_fresh_names
from ...model.language import Exploration, Spec, SpecError, Step
from ..adapters import Implementation
from ..errors import Unsupported
from ..session import Failure, Mismatch, Session, Unknown, same, smallest_failure

LOOKING = 6.0
"""Seconds for a shorter way to a failure in the graphs."""


@dataclass(frozen=True)
class Way:
    """The fewest calls that come to a clause in the scopes explored, the last of them the one that does."""

    exploration: str
    scope: Mapping[str, int]
    steps: list[Step]


def way_to(spec: Spec, clause: str) -> Way | None:
    """A shortest way to a clause in a spec's own scopes, or None where none of them reaches it."""
    operation = clause.partition("/")[0]
    found: Way | None = None
    for name, exploration in spec.explorations.items():
        if operation in spec.left_out(exploration):
            continue
        opening = spec.opening(exploration)
        if found and len(opening) + 1 >= len(found.steps):
            continue
        graph = explore(
            Model(spec, exploration.sizes, exploration.arguments),
            without=spec.left_out(exploration),
            opening=opening,
            max_depth=len(found.steps) - 1 - len(opening) if found else None,
            statements=frozenset(),
        )
        if clause in graph.witnesses:
            vector, call = graph.witnesses[clause]
            steps = [*graph.trace(vector), call]
            if found is None or len(steps) < len(found.steps):
                found = Way(name, graph.model.scope, steps)
    return found


def by_the_graph(
    spec: Spec, implementation: Implementation, failure: Failure, *, strict: bool = False, seconds: float = LOOKING
) -> Failure | None:
    """The same failure in fewer calls, where a way in the graphs shows it and is found in so many `seconds`.

    What an implementation remembers wrongly is no part of a graph's states: a shortest way to a clause goes round it.  So for
    each call in a graph, a refused one too, the shortest way that has it in it is tried.  Shorter ways are tried first, those of
    all scopes; the first that shows the failure is shrunk, since the calls after which a search begins may not be needed.
    """
    until, wanted = time.monotonic() + seconds, Mismatch(failure.clause, failure.text, failure.probe)
    scopes = []
    for exploration in spec.explorations.values():
        # what is wrong with an exploration is for who explores: here there is a failure to be told
        with contextlib.suppress(SpecError):
            if failure.clause.partition("/")[0] not in spec.left_out(exploration):
                scopes.append(_Ways(spec, exploration, failure.clause, until))
    for length in range(1, len(failure.calls) - bool(failure.probe)):
        for ways, steps in ((each, steps) for each in scopes for steps in each.of_length(length)):
            if time.monotonic() > until:
                return None
            session, seen = _made(spec, implementation, ways.model.scope, steps, strict, bool(failure.probe))
            if seen is not None and same(seen, wanted):
                found = smallest_failure(spec, implementation, session.scope, session.recorded, seen, strict=strict)
                shorter = len(found.calls) < len(failure.calls)
                return found if shorter and same(Mismatch(found.clause, "", found.probe), wanted) else None
    return None


def _made(
    spec: Spec, implementation: Implementation, scope: Mapping[str, int], steps: list[Step], strict: bool, probing: bool
) -> tuple[Session, Mismatch | None]:
    """Make the calls of a way, up to the first that is answered wrongly."""
    session = Session(spec, implementation, scope, strict=strict, probing=probing)
    try:
        for name, arguments in steps:
            session.compare_values(name, arguments)
    except Mismatch as mismatch:
        return session, mismatch
    except (Unsupported, Unknown):
        pass
    return session, None


class _Ways:
    """The ways through one exploration to a clause, as far as it has been searched: level by level, until the time is up."""

    def __init__(self, spec: Spec, exploration: Exploration, clause: str, until: float) -> None:
        self.spec, self.clause, self.until = spec, clause, until
        self.model = Model(spec, exploration.sizes, exploration.arguments)
        without = spec.left_out(exploration)
        self.actions = [action for name, action in spec.actions.items() if name not in without]
        self.opening = with_fresh_names(self.model, spec.opening(exploration))
        begin = run(self.model, self.opening)
        self.level, self.depth = [begin], {begin: len(self.opening)}
        self.came_by: dict[Vector, tuple[Vector, Step]] = {}
        self.calls: dict[tuple[Vector, Vector | str], tuple[Vector, Step, Vector]] = {}
        """Calls with the states before and after: one from each state to each other, of those refused one for each clause."""
        self.goals: dict[Vector, list[Step]] = {}
        """By state the calls that come to the clause."""

    def of_length(self, length: int) -> Iterator[list[Step]]:
        """The ways of so many calls: to each call that comes to the clause the shortest, and of each call the shortest that it
        is in."""
        while self.level and self.depth[self.level[0]] < length:
            with contextlib.suppress(SpecError):
                self._deepen()
        left, onward = self._left()
        direct = ((vector, None, vector) for vector in self.goals if self.depth[vector] + 1 == length)
        through = (
            (before, step, after)
            for before, step, after in self.calls.values()
            # one that the shortest way to where it leads has anyway is tried with that
            if self.depth[before] + 1 + left.get(after, length) == length and self.came_by.get(after) != (before, step)
        )
        for before, by, after in itertools.chain(direct, through):
            steps, at = [*self._to(before), *([by] if by else [])], after
            while at in onward:
                step, at = onward[at]
                steps.append(step)
            yield from ([*steps, goal] for goal in self.goals[at])

    def _deepen(self) -> None:
        """Make all calls in the states that were come to last."""
        level, self.level = self.level, []
        for vector in level:
            for action in self.actions:
                if time.monotonic() > self.until:
                    return
                for arguments in self.model.calls(action, vector):
                    if arguments is not None:
                        self._take(vector, (action.name, arguments), self.model.step(action, vector, arguments))

    def _take(self, vector: Vector, step: Step, outcome: Outcome) -> None:
        clause, after = f"{step[0]}/{outcome.exit}", outcome.state
        self.calls.setdefault((vector, after if outcome.effective else clause), (vector, step, after))
        if after not in self.depth:
            self.depth[after], self.came_by[after] = self.depth[vector] + 1, (vector, step)
            self.level.append(after)
        if clause == self.clause or self.clause in self._late(vector, outcome):
            self.goals.setdefault(vector, []).append(step)

    def _late(self, vector: Vector, outcome: Outcome) -> list[str]:
        if "/late-" not in self.clause or self.spec.late is None or outcome.shown is outcome.state:
            return []
        systems = self.model.system(vector), self.model.system(outcome.shown)
        return [late.clause for late in self.spec.late(*systems, self.model.scope)]

    def _to(self, vector: Vector) -> list[Step]:
        steps: list[Step] = []
        while vector in self.came_by:
            vector, step = self.came_by[vector]
            steps.append(step)
        return [*self.opening, *steps[::-1]]

    def _left(self) -> tuple[dict[Vector, int], dict[Vector, tuple[Step, Vector]]]:
        """By state how many calls are left to the clause, and the next of them with where it leads, where it is not the last."""
        into: dict[Vector, list[tuple[Vector, Step]]] = {}
        for before, step, after in self.calls.values():
            if before is not after:
                into.setdefault(after, []).append((before, step))
        left, onward = dict.fromkeys(self.goals, 1), dict[Vector, tuple[Step, Vector]]()
        coming = deque(self.goals)
        while coming:
            after = coming.popleft()
            for before, step in into.get(after, ()):
                if before not in left:
                    left[before], onward[before] = left[after] + 1, (step, after)
                    coming.append(before)
        return left, onward
