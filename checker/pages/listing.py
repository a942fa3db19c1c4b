"""The specification in lists: requirements, operations, theorems, steps of the seed's figures."""

from __future__ import annotations

from typing import Any

from ...model.language import Slot, Spec, SpecError, Type, answer_fields, is_subset, member_type
from ...model.recording import causes, shown, tree, trees
from ...model.symbolic import exits
from .matrix import matrix, steps


def show_matrix(spec: Spec) -> tuple[list[str], Any]:
    """Requirement -> operations, invariants, flows, number of clauses."""
    rows = matrix(spec)
    lines = []
    for row in rows:
        parts = [
            f"operations: {', '.join(row.operations)}" if row.operations else "",
            f"invariants: {', '.join(row.invariants)}" if row.invariants else "",
            f"flows: {', '.join(row.flows)}" if row.flows else "",
            f"{len(row.clauses)} clauses" if row.clauses else "",
        ]
        carried = "; ".join(filter(None, parts)) or ("(no behaviour)" if row.carried_as == "context" else "-")
        lines.append(f"{row.id:8} {carried}")
    value = [
        {
            "id": r.id,
            "as": r.carried_as,
            "operations": r.operations,
            "invariants": r.invariants,
            "flows": r.flows,
            "clauses": r.clauses,
        }
        for r in rows
    ]
    return lines, value


def parameter(slot: Slot) -> str:
    """What a parameter takes, as text: a type, with ? where none will do, in braces where it is any set of them."""
    name: str = slot.type.__name__
    return f"{{{name}}}" if slot.subset else name + "?" * slot.optional


def part(kind: Type) -> str:
    """What a part of an answer is, as text."""
    name: str = member_type(kind).__name__
    return f"{{{name}}}" if is_subset(kind) else name


def show_operations(spec: Spec) -> tuple[list[str], Any]:
    """Every operation: parameters, answer, outcomes in order, source."""
    lines: list[str] = []
    value: list[dict[str, Any]] = []
    by_operation = exits(spec)
    for action in spec.actions.values():
        shown = ", ".join(f"{s.name}: {parameter(s)}" for s in action.slots if not s.fresh)
        answer = ", ".join(f"{name or 'answer'}: {part(kind)}" for name, kind in answer_fields(action.answer))
        lines += [
            f"{action.name}({shown}){' -> ' + answer if answer else ''}",
            f"    {action.text}",
            f"    {', '.join(by_operation[action.name])}   [{' '.join((*action.seed, *action.steps))}]",
        ]
        value.append(
            {
                "operation": action.name,
                "room": spec.room(action.name),
                "parameters": {s.name: parameter(s) for s in action.slots if not s.fresh},
                "answer": {name or "answer": part(kind) for name, kind in answer_fields(action.answer)},
                "outcomes": by_operation[action.name],
                "seed": list(action.seed),
                "text": action.text,
            }
        )
    return lines, value


def show_invariants(spec: Spec) -> tuple[list[str], Any]:
    """Every statement: theorems of states, theorems of steps, lemmas with their purpose."""
    lines: list[str] = []
    value: list[dict[str, Any]] = []
    theorems = [(i, "state") for i in spec.invariants.values() if not i.purpose]
    of_steps = [(s, "step") for s in spec.step_properties.values()]
    for declaration, kind in [*theorems, *of_steps]:
        lines += [f"{declaration.name}  (every {kind})  [{' '.join(declaration.seed)}]", f"    {declaration.text}"]
        value.append({"name": declaration.name, "of": kind, "seed": list(declaration.seed), "text": declaration.text})
    for lemma in spec.invariants.values():
        if lemma.purpose:
            lines.append(f"{lemma.name}  (lemma)  {lemma.purpose}")
            value.append({"name": lemma.name, "of": "lemma", "purpose": lemma.purpose})
    return lines, value


def show_steps(spec: Spec) -> tuple[list[str], Any]:
    """The steps of the seed's figures, and what names them."""
    found = steps(spec)
    return [f"{step:6} {', '.join(names)}" for step, names in found.items()], found


def show_tree(spec: Spec, name: str) -> tuple[list[str], Any]:
    """An operation as it is recorded, in lines.  Raises SpecError for one that there is not."""
    if name not in spec.actions:
        raise SpecError(f"no operation is called {name!r}; there are {', '.join(spec.actions)}")
    action = spec.actions[name]
    block = trees(spec)[name]
    found = [{"exit": each.exit, "cause": str(each), "when": shown(each.condition)} for each in causes(spec)[name].all]
    value = {"operation": name, "exits": block.exits, "writes": sorted(block.written), "causes": found}
    return [f"{name}({', '.join(slot.name for slot in action.slots)})", *(f"    {line}" for line in tree(block))], value
