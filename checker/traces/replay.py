"""A stored trace run again, by the specification or by an implementation beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...model.concrete import SENSELESS, Model, Vector, call_text, differences, run, value_name, value_of
from ...model.language import OK, Call, Spec, SpecError, reading
from ..logs import Log, recorded
from ..session import Reason, Recorded, again, reasons
from .store import Stored, model_steps, recorded_calls


@dataclass(frozen=True)
class Replayed:
    """A replay step by step, whether it still shows what it was stored for, and that in a sentence; of an implementation also
    which of the calls made the answer due that was not given."""

    lines: list[str]
    shown: bool
    verdict: str
    reasons: tuple[Reason, ...] = ()


def replay_model(spec: Spec, stored: Stored) -> Replayed:
    """Run a trace of the specification, every statement checked at every step."""
    model = Model(spec, stored.scope)
    vector, lines = model.initial(), []
    for number, (name, arguments) in enumerate(model_steps(stored, spec), 1):
        action = spec.actions[name]
        if stored.loop == number - 1:
            lines.append("     then for ever:")
        try:
            outcome = model.step(action, vector, arguments)
        except SpecError as error:
            lines.append(f"{number:3}  {call_text(action, arguments)}  -> {SENSELESS}: {error}")
            return Replayed(lines, True, f"violation: well_defined, after {number} calls")
        lines.append(f"{number:3}  {call_text(action, arguments)}{'' if outcome.exit == OK else '  -> ' + outcome.exit}")
        lines += [f"       {line}" for line in differences(model, vector, outcome.state)]
        found = model.violations(vector, action, arguments, outcome.shown) if outcome.effective else iter(())
        for statement, binding in found:
            at = ", ".join(f"{s.name}={value_name(s.type, binding[s.name])}" for s in statement.slots)
            lines.append(f"     ! {statement.name} does not hold{' for ' + at if at else ''}: {statement.text}")
            return Replayed(lines, True, f"violation: {statement.name}, after {number} calls")
        vector = outcome.state
    if stored.loop is not None:
        return _goes_round(spec, model, stored, lines)
    return Replayed(lines, False, f"every statement holds along these {len(lines) and number} calls")


def _goes_round(spec: Spec, model: Model, stored: Stored, lines: list[str]) -> Replayed:
    """Whether a trace that goes on for ever shows that what waits never comes about, though all that is counted on is done."""
    if stored.statement not in spec.leads_to:
        raise SpecError(f"the trace is one of {stored.statement!r}, which {spec.name} does not say of what is to come about")
    statement, loop = spec.leads_to[stored.statement], stored.loop or 0
    slot = statement.slots[0]
    element = value_of(slot.type, stored.binding.get(slot.name))
    steps = model_steps(stored, spec)
    vectors = [model.initial(), *(outcome.state for outcome in run(model, steps))]

    def values(vector: Vector, name: str = "", arguments: Mapping[str, Any] = {}) -> list[bool]:
        with reading(model):
            return [bool(v) for v in statement.function(model.system(vector), Call(name, arguments), element)]

    def is_fair(name: str) -> bool:
        if any(step == name and values(v, step, a)[2] for v, (step, a) in list(zip(vectors, steps, strict=False))[loop:]):
            return True
        return any(not _possible(spec, model, v, name, values) for v in vectors[loop:])

    waits = next(
        (n for n, v in enumerate(vectors[: loop + 1]) if all(not values(w)[1] for w in vectors[n:]) and values(v)[0]), None
    )
    if waits is None or not all(is_fair(name) for name in statement.by):
        return Replayed(lines, False, f"{statement.name} comes about, or is not waited for, along these {len(steps)} calls")
    round_trip = f"the {len(steps) - loop} calls after call {loop} go on for ever" if steps[loop:] else "nothing more happens"
    return Replayed(lines, True, f"violation: {statement.name}: waited for since call {waits}; {round_trip}")


def _possible(spec: Spec, model: Model, vector: Vector, name: str, values: Callable[..., list[bool]]) -> bool:
    """Whether a call of an operation that is counted on changes something now."""
    action = spec.actions[name]
    for arguments in model.calls(action, vector):
        if arguments is not None and values(vector, name, arguments)[2]:
            outcome = model.step(action, vector, arguments)
            if outcome.effective and outcome.state != vector:
                return True
    return False


def replay_implementation(spec: Spec, stored: Stored, where: str, implementation: Any) -> Replayed:
    """Run a trace of an implementation beside the model."""
    return _beside(spec, stored.scope, recorded_calls(stored, spec), where, implementation)


def replay_log(spec: Spec, log: Log, where: str, implementation: Any) -> Replayed:
    """Make the calls of a conversation again, beside the model."""
    spec, scope, calls = recorded(spec, log)
    return _beside(spec, scope, calls, where, implementation)


def _beside(spec: Spec, scope: dict[str, int], calls: list[Recorded], where: str, implementation: Any) -> Replayed:
    session, mismatch = again(spec, implementation, scope, calls)
    lines = []
    before = session.vectors[0]
    for number, (call, vector) in enumerate(zip(session.recorded, session.vectors[1:], strict=True), 1):
        lines.append(f"{number:3}  {call.operation}: {call.exit} is permitted, {call.answer} was answered")
        lines += [f"       {line}" for line in differences(session.model, before, vector)]
        before = vector
    if mismatch is not None:
        why = tuple(reasons(session, mismatch))
        return Replayed(lines, True, f"{where} breaks {mismatch.clause}: {mismatch.text}", why)
    return Replayed(lines, False, f"{where} answers these {len(session.recorded)} calls as the specification permits")
