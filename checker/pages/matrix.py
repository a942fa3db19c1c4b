"""Which requirement is carried by what: generated from the rows that operations, statements and flows name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any

from ...model.language import Invariant, Spec, SpecError
from ...model.symbolic import exits


@dataclass
class Row:
    """A requirement, and what carries it."""

    id: str
    para: list[str]
    carried_as: str
    text: str
    operations: list[str] = field(default_factory=list)
    invariants: list[str] = field(default_factory=list)
    flows: list[str] = field(default_factory=list)
    clauses: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.operations or self.invariants or self.flows)


def matrix(spec: Spec) -> list[Row]:
    """Every requirement of a spec's own file.  Raises SpecError for a row that is named and not there."""
    if spec.requirements is None:
        raise SpecError(f"{spec.name} names no file of requirements")
    given: list[dict[str, Any]] = tomllib.loads(spec.requirements.read_text(encoding="utf-8"))["requirement"]
    rows = {r["id"]: Row(r["id"], r["para"], r["as"], r["text"]) for r in given}

    def row(id: str, where: str) -> Row:
        if id not in rows:
            raise SpecError(f"{where} names the requirement {id!r}, which {spec.requirements} does not have")
        return rows[id]

    by_operation = exits(spec)
    for action in spec.actions.values():
        for id in action.seed:
            row(id, action.name).operations.append(action.name)
            rows[id].clauses += [f"{action.name}/{exit}" for exit in by_operation[action.name]]
    for statement in (*spec.invariants.values(), *spec.step_properties.values()):
        for id in statement.seed:
            row(id, statement.name).invariants.append(statement.name)
    for flow in spec.flows:
        for id in flow.seed:
            row(id, flow.name).flows.append(flow.name)
    return list(rows.values())


def steps(spec: Spec) -> dict[str, list[str]]:
    """By step of the seed's figures, the operations, statements and flows that name it."""
    found: dict[str, list[str]] = {}
    for declaration in (*spec.actions.values(), *spec.invariants.values(), *spec.step_properties.values()):
        for step in declaration.steps:
            found.setdefault(step, []).append(declaration.name)
    for flow in spec.flows:
        for stage in flow.stages:
            for step in stage.step.split():
                found.setdefault(step, []).append(f"{flow.name}:{stage.operation}")
    return {step: found[step] for step in sorted(found)}


def is_lemma(spec: Spec, name: str) -> bool:
    """Whether a statement only helps the induction."""
    declaration = spec.invariants.get(name)
    return isinstance(declaration, Invariant) and bool(declaration.purpose)
