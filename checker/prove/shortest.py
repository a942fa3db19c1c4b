"""The shortest way to a violation from the initial state, found by exploring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...model.language import (
    Exploration,
    Spec,
    SpecError,
    Step,
)
from ...model.search import Limits, explored_of
from .obligations import Obligation

TRACE_SECONDS = 20.0


def with_traces(spec: Spec, obligations: list[Obligation]) -> list[Obligation]:
    """Obligations, those that are refuted with a shortest trace where a scope has one."""
    found: dict[str, tuple[list[Step], dict[str, int]] | None] = {}
    traced = []
    for o in obligations:
        if o.counterexample is not None:
            if o.statement not in found:
                found[o.statement] = shortest_trace(spec, o.statement, o.operation, o.counterexample.scope)
            if way := found[o.statement]:
                traced.append(replace(o, counterexample=replace(o.counterexample, trace=way[0], trace_scope=way[1])))
                continue
        traced.append(o)
    return traced


def shortest_trace(spec: Spec, statement: str, operation: str, scope: dict[str, int]) -> tuple[list[Step], dict[str, int]] | None:
    """The shortest sequence of calls from the initial state that breaks `statement`, in those explorations of the spec that
    call `operation`, the large ones if it needs more of something, or in `scope`."""

    def calling(explorations: Mapping[str, Exploration]) -> list[Exploration]:
        return [e for e in explorations.values() if operation not in spec.left_out(e)]

    found = _shortest(spec, statement, calling(spec.explorations) or [Exploration(scope)])
    fewest_first = sorted(calling(spec.large), key=lambda e: -len(spec.left_out(e)))
    return found or _shortest(spec, statement, fewest_first, symmetry=True)


def _shortest(
    spec: Spec, statement: str, tries: Sequence[Exploration], *, symmetry: bool = False
) -> tuple[list[Step], dict[str, int]] | None:
    shortest: tuple[list[Step], dict[str, int]] | None = None
    for exploration in tries:
        opening = spec.opening(exploration)
        deepest = len(shortest[0]) - 1 - len(opening) if shortest else None
        if deepest is not None and deepest < 0:
            continue
        limits = Limits(seconds=TRACE_SECONDS, depth=deepest)
        try:
            search = explored_of(spec, exploration, limits, statements=[statement], symmetry=symmetry).search
        except SpecError:
            # the bug leaves something behind by which free names are told apart
            search = explored_of(spec, exploration, limits, statements=[statement]).search
        traces = [v.trace for v in search.violations if v.statement.name == statement]
        if traces:
            shortest = min(traces, key=len), search.model.scope
    return shortest
