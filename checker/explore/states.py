"""State diagrams of a spec's rooms: the states that its things go through, and the operations that lead from one to another,
found in the spec's own explorations."""

from __future__ import annotations

from collections.abc import Mapping

from ...model.concrete import Model, Vector
from ...model.language import Spec, load, reading
from ...model.search import StateGraph, explored_of, workers

Changes = dict[str, dict[tuple[str, str], set[str]]]
"""By room, from which state to which, by which operations."""


def changes(spec: Spec, *, jobs: int = 1) -> Changes:
    """Every change of state of every room's things, in all explorations of the spec."""
    if jobs > 1 and spec.where:
        with workers(jobs) as pool:
            parts = list(pool.map(_work, [spec.where] * len(spec.explorations), spec.explorations))
    else:
        parts = [_changes_in(spec, name) for name in spec.explorations]
    found: Changes = {room: {} for room in spec.phases}
    for part in parts:
        for room, steps in part.items():
            for step, operations in steps.items():
                found[room].setdefault(step, set()).update(operations)
    return found


def _work(where: str, name: str) -> Changes:
    return _changes_in(load(where), name)


def _changes_in(spec: Spec, name: str) -> Changes:
    exploration = spec.explorations[name]
    return changes_in(StateGraph(explored_of(spec, exploration, statements=(), keep_edges=True)))


def changes_in(graph: StateGraph) -> Changes:
    """Every change of state of every room's things in one graph, from which symmetry was not taken out."""
    expander = graph.explorer.expander
    spec, model = expander.model.spec, expander.model
    seen = [_phases(model, spec, expander.layout.vector(row)) for row in graph.block.data.T.tolist()]
    found: Changes = {room: {} for room in spec.phases}
    for source, target, call in zip(graph.source.tolist(), graph.target.tolist(), graph.call.tolist(), strict=True):
        for room in spec.phases:
            for old, new in zip(seen[source][room], seen[target][room], strict=True):
                if old != new:
                    found[room].setdefault((old, new), set()).add(expander.numbered[call][0].name)
    return found


def _phases(model: Model, spec: Spec, vector: Vector) -> Mapping[str, tuple[str, ...]]:
    system = model.system(vector)
    with reading(model):
        return {room: tuple(p.of(system, e) for e in model.domain(p.sort)) for room, p in spec.phases.items()}


def diagram(spec: Spec, room: str, found: Changes) -> list[str]:
    """A room's diagram in Mermaid, the state in which its things begin first."""
    model = Model(spec)
    phases = spec.phases[room]
    system = model.system(model.blank())
    with reading(model):
        first = phases.of(system, model.domain(phases.sort).stop - 1)
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for (old, new), operations in sorted(found[room].items(), key=lambda item: (item[0][0] != first, item[0])):
        lines.append(f"    {old} --> {new}: {', '.join(sorted(operations))}")
    return lines
