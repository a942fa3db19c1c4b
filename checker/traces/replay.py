"""A stored trace run again, by the specification or by an implementation beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...model.concrete import SENSELESS, Model, call_text, differences, value_name
from ...model.language import OK, Spec, SpecError
from ..logs import Log, recorded
from ..session import Recorded, again
from .store import Stored, model_steps, recorded_calls


@dataclass(frozen=True)
class Replayed:
    """A replay step by step, whether it still shows what it was stored for, and that in a sentence."""

    lines: list[str]
    shown: bool
    verdict: str


def replay_model(spec: Spec, stored: Stored) -> Replayed:
    """Run a trace of the specification, every statement checked at every step."""
    model = Model(spec, stored.scope)
    vector, lines = model.initial(), []
    for number, (name, arguments) in enumerate(model_steps(stored, spec), 1):
        action = spec.actions[name]
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
    return Replayed(lines, False, f"every statement holds along these {len(lines) and number} calls")


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
        return Replayed(lines, True, f"{where} breaks {mismatch.clause}: {mismatch.text}")
    return Replayed(lines, False, f"{where} answers these {len(session.recorded)} calls as the specification permits")
