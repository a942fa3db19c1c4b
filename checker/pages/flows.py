"""Scenarios told: each call of a flow with who makes it, what it comes to and what it changes, as a table and as a sequence
diagram in Mermaid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...model.concrete import Model, answer_names, argument_names, differences
from ...model.graph import with_fresh_names
from ...model.language import Flow, Late, Spec, SpecError

MACHINE = "control OS"


@dataclass(frozen=True)
class Told:
    """One call of a scenario: the seed's steps, who calls, the call and its outcome as text, what it changed, and the late
    answers that it brought, each with whose call it ends."""

    step: str
    who: str
    call: str
    exit: str
    came_to: str
    changed: list[str]
    late: list[tuple[str, str]] = field(default_factory=list)


def flow(spec: Spec, name: str) -> Flow:
    """The flow called `name`.  Raises SpecError where there is none."""
    for found in spec.flows:
        if found.name == name:
            return found
    raise SpecError(f"no flow is called {name!r}; there are {', '.join(f.name for f in spec.flows)}")


def tell(spec: Spec, told: Flow) -> Iterator[Told]:
    """Run a flow on the specification.  Raises SpecError where a call does not come to what the flow says."""
    model = Model(spec, spec.fuzz_scope)
    vector = model.initial()
    calls = with_fresh_names(model, [(s.operation, dict(s.arguments)) for s in told.stages])
    for stage, (name, arguments) in zip(told.stages, calls, strict=True):
        action = spec.actions[name]
        outcome = model.step(action, vector, arguments)
        if outcome.exit != stage.exit:
            raise SpecError(f"{told.name}: {name} comes to {outcome.exit}, not to {stage.exit} as the flow says")
        who = next((n for (slot, value), n in told.actors.items() if arguments.get(slot) == value), "?")
        asked = {s.name for s in action.slots if not s.fresh and s.name not in {slot for slot, _ in told.actors}}
        shown = ", ".join(f"{n}={v}" for n, v in argument_names(action, arguments).items() if n in asked)
        answer = answer_names(action, outcome.answer) if outcome.exit == "ok" else None
        late = []
        if spec.late and outcome.shown is not outcome.state:
            late = [_late(spec, told, x) for x in spec.late(model.system(vector), model.system(outcome.shown), model.scope)]
        changed = differences(model, vector, outcome.state)
        came_to = outcome.exit if answer is None else _text(answer)
        yield Told(stage.step, who, f"{name}({shown})", outcome.exit, came_to, changed, late)
        vector = outcome.state


def _late(spec: Spec, told: Flow, late: Late) -> tuple[str, str]:
    who = told.actors.get((spec.waiter, late.waiter), "?")
    answer = answer_names(spec.actions[late.operation], late.answer) if late.exit == "ok" else late.exit
    return who, f"{late.operation}: {_text(answer)}"


def _text(answer: object) -> str:
    if isinstance(answer, dict):
        return ", ".join(f"{name}={_text(value)}" for name, value in answer.items())
    if isinstance(answer, list):
        return "{" + ", ".join(map(str, answer)) + "}"
    return "ok" if answer is None else str(answer)


def table(spec: Spec, told: Flow) -> list[str]:
    """A flow as a Markdown table: a row a call, and one a late answer."""
    lines = ["| step | who | call | comes to | what changes |", "| --- | --- | --- | --- | --- |"]
    for row in tell(spec, told):
        changed = "<br>".join(row.changed).replace("|", "\\|")
        lines.append(f"| {row.step} | {row.who} | `{row.call}` | {row.came_to} | {changed} |")
        lines += [f"| | {who} | | late: {answer} | |" for who, answer in row.late]
    return lines


def sequence(spec: Spec, told: Flow) -> list[str]:
    """A flow as a sequence diagram in Mermaid: calls to the control OS, and what it answers, late answers too."""
    ids = {name: f"p{number}" for number, name in enumerate(dict.fromkeys(told.actors.values()))}
    lines = ["sequenceDiagram", *(f"    participant {key} as {name}" for name, key in ids.items())]
    lines.append(f"    participant os as {MACHINE}")
    for row in tell(spec, told):
        who = ids[row.who]
        step = f"{row.step}: " if row.step else ""
        lines.append(f"    {who}->>os: {step}{row.call}")
        if row.exit == "suspended":
            lines.append(f"    Note over {who}: suspended")
        elif row.came_to != "ok":
            lines.append(f"    os-->>{who}: {row.came_to}")
        lines += [f"    os-->>{ids[other]}: late, {answer}" for other, answer in row.late]
    return lines
