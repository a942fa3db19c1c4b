"""How few calls a failure needs: what was left of it, held against the shortest way that the explored graphs know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...model.concrete import Model
from ...model.graph import explore
from ...model.language import Spec, Step
from ..adapters import Implementation
from ..errors import Unsupported
from ..session import Failure, Mismatch, Session, Unknown, smallest_failure


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
    spec: Spec, implementation: Implementation, way: Way, failure: Failure, *, strict: bool = False
) -> Failure | None:
    """The same failure in fewer calls, if the graph's way to its clause shows it."""
    session = Session(spec, implementation, way.scope, strict=strict, probing=bool(failure.probe))
    try:
        for name, arguments in way.steps:
            session.compare_values(name, arguments)
    except Mismatch as mismatch:
        if mismatch.clause == failure.clause and len(session.recorded) < len(failure.calls):
            return smallest_failure(spec, implementation, dict(way.scope), session.recorded, mismatch, strict=strict)
    except (Unsupported, Unknown):
        pass
    return None
