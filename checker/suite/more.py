"""What a call comes to beside its clause: its causes, what it is given where that should make no difference, who brings a late
answer, and what is done to several things at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.concrete import Model, Outcome, Vector
from ...model.graph import with_fresh_names
from ...model.language import Action, Slot, Step, Type, is_enumeration
from ...model.recording import Write, causes, trees

WITH = " with "
SEVERAL = 2
"""From how many cells on, or elements in a line, there are several."""


def replayed(model: Model, calls: Sequence[Step]) -> Iterator[tuple[Action, Vector, dict[str, Any], Outcome]]:
    """Calls made from the initial state on: each with the state before, its arguments, and what it came to."""
    vector = model.initial()
    for name, arguments in with_fresh_names(model, list(calls)):
        action = model.spec.actions[name]
        outcome = model.step(action, vector, arguments)
        yield action, vector, arguments, outcome
        vector = outcome.state


def causes_of(model: Model, calls: Sequence[Step]) -> Iterator[str]:
    """The causes of calls, from the initial state on, as they come."""
    for action, vector, arguments, outcome in replayed(model, calls):
        yield from named(model, action, vector, arguments, outcome.exit)


def named(model: Model, action: Action, vector: Vector, arguments: Mapping[str, Any], exit: str) -> tuple[str, ...]:
    """The causes of a call, by name."""
    return causes(model.spec)[action.name].named(model.came(action, vector, arguments, exit))


def alone(model: Model, calls: Sequence[Step]) -> Iterator[str]:
    """The clauses and causes of calls that are not refused, or for nothing else too."""
    for action, vector, arguments, outcome in replayed(model, calls):
        if len(model.refusals(action, vector, arguments, SEVERAL)) < SEVERAL:
            yield f"{action.name}/{outcome.exit}"
            yield from named(model, action, vector, arguments, outcome.exit)


def given_to(model: Model, action: Action, vector: Vector, arguments: Mapping[str, Any], outcome: Outcome) -> Iterator[str]:
    """With which of few values a call took effect for each of its causes, whether it asks for them then or not; which handles it
    was given that live, though it was refused, for that cause alone; and of which set it was given several, whatever it came
    to."""
    clause = f"{action.name}/{outcome.exit}"
    for slot in action.slots:
        if slot.subset and len(arguments[slot.name]) >= SEVERAL:
            yield f"{clause}#{slot.name},several"
    if outcome.effective:
        few = [slot for slot in action.slots if not slot.subset and (slot.type is bool or is_enumeration(slot.type))]
        for cause in named(model, action, vector, arguments, outcome.exit) if few else ():
            for slot in few:
                yield f"{cause}{WITH}{slot.name}={int(arguments[slot.name])}"
    else:
        unused = model.unused(vector)
        handles = [slot for slot in lent(model, action) if lives(unused, slot, arguments[slot.name])]
        if handles and len(model.refusals(action, vector, arguments, SEVERAL)) < SEVERAL:
            for cause in named(model, action, vector, arguments, outcome.exit):
                yield from (living(cause, slot) for slot in handles)


def lent(model: Model, action: Action) -> list[Slot]:
    """The parameters of an operation that are handles, of which one may be somebody's or nobody's."""
    return [s for s in action.slots if s.type in model.spec.unused and s.type.handles and not (s.fresh or s.subset)]


def lives(unused: Mapping[Type, int], slot: Slot, element: int) -> bool:
    """Whether a handle is of something that is there, where some elements are `unused`, by bit: not a dead one or none."""
    return bool(element) and not unused[slot.type] >> element & 1


def living(cause: str, slot: Slot) -> str:
    """The target of a call that is refused for a cause alone, and a handle that it is given lives: another system, which asks
    only whether there is such a thing, would not refuse it."""
    return f"{cause}{WITH}{slot.name} alive"


def more_of(model: Model, action: Action, before: Vector, outcome: Outcome) -> Iterator[str]:
    """The late answers that an effective call brings, by its operation; of which component it updates several cells at once, and
    which queue it changes while two or more stand in a line."""
    if not outcome.effective:
        return
    spec = model.spec
    if spec.late is not None and outcome.shown is not outcome.state:
        for each in spec.late(model.system(before), model.system(outcome.shown), model.scope):
            yield f"{each.clause} by {action.name}"
    for name, kind in _updates(model)[action.name].items():
        at = model.positions[name]
        old, new = before[at], outcome.state[at]
        if old is new:
            continue
        if kind == "queue":
            if any(len(one) >= SEVERAL and one != other for one, other in zip(old, new, strict=True)):
                yield f"{action.name}/{outcome.exit}#{name},several"
        elif sum(one != other for one, other in zip(old, new, strict=True)) >= SEVERAL:
            yield f"{action.name}/{outcome.exit}#{name}:=,several"


_known: dict[int, tuple[Model, dict[str, dict[str, str]]]] = {}


def _updates(model: Model) -> dict[str, dict[str, str]]:
    """By operation the components that it updates in bulk, and the queues that it changes, with their kinds."""
    known = _known.get(id(model))
    if known is None or known[0] is not model:
        kinds = {c.name: c.kind for c in model.spec.components}
        found: dict[str, dict[str, str]] = {}
        for name, tree in trees(model.spec).items():
            found[name] = {}
            for block in tree.within():
                for write in block.statements:
                    if isinstance(write, Write) and (write.kind == "where" or kinds[write.component] == "queue"):
                        found[name][write.component] = kinds[write.component]
        _known.clear()
        _known[id(model)] = known = model, found
    return known[1]
