"""Traces on disk: ITF JSON files, written when something fails, read to be replayed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...model.concrete import Model, argument_names, run, to_itf, value_of
from ...model.language import Members, Spec, SpecError, Step
from ..errors import quoted
from ..session import NEVER, Failure, Origin, Recorded, again


@dataclass(frozen=True)
class Stored:
    """A trace read back.  `kind` is "model" (`steps`, to be run by the spec) or "implementation" (`calls`, by both)."""

    kind: str
    spec: str
    scope: dict[str, int]
    statement: str
    implementation: str
    steps: list[Mapping[str, Any]]
    loop: int | None = None
    binding: Mapping[str, Any] = field(default_factory=dict)
    """Of what never comes about: after how many calls the cycle begins, and for which element."""


def file_name(*parts: str) -> str:
    """A file name out of words."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", "-".join(parts)).strip("-") + ".itf.json"


def save_model_trace(
    path: Path,
    spec: Spec,
    scope: Mapping[str, int],
    trace: list[Step],
    statement: str,
    cycle: list[Step] | None = None,
    binding: Mapping[str, object] = {},
) -> str:
    """Write a trace of the specification, with the cycle that goes on for ever after it; why it cannot be written, in words, or
    nothing."""
    model = Model(spec, scope)
    loop = None if cycle is None else len(trace)
    trace = [*trace, *(cycle or ())]
    outcomes = run(model, trace)
    calls = [
        {"operation": name, "arguments": argument_names(spec.actions[name], arguments), "exit": outcome.exit}
        for (name, arguments), outcome in zip(trace, outcomes, strict=True)
    ]
    meta = {"kind": "model", "spec": spec.where, "scope": dict(scope), "statement": statement}
    vectors = [model.initial(), *(o.state for o in outcomes)]
    if loop is None:
        return _write(path, to_itf(model, vectors, calls, meta))
    return _write(path, {**to_itf(model, vectors, calls, {**meta, "binding": dict(binding)}), "loop": loop})


def save_failure(path: Path, spec: Spec, where: str, failure: Failure, implementation: Any) -> str:
    """Write a failure of an implementation: the calls with their handles by origin, and the model's states; why it cannot be
    written, in words, or nothing."""
    session, _ = again(spec, implementation, failure.scope, failure.calls)
    calls = [
        {
            "operation": c.operation,
            "arguments": {n: _origin_out(a) for n, a in c.arguments.items()},
            "exit": c.exit,
            "answer": c.answer,
            **({"probe": True} if c.probe else {}),
        }
        for c in session.recorded
    ]
    meta = {
        "kind": "implementation",
        "spec": spec.where,
        "scope": failure.scope,
        "statement": failure.clause,
        "implementation": where,
    }
    vectors = [*session.vectors, session.vectors[-1]][: len(calls) + 1]
    return _write(path, to_itf(session.model, vectors, calls, meta))


def _origin_out(argument: Any) -> Any:
    if isinstance(argument, Members):
        return sorted(argument)
    return {"call": argument.call, "field": argument.field} if isinstance(argument, Origin) else argument


def _write(path: Path, content: Any) -> str:
    """Write a trace; why it cannot be, in words, or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    return ""


def how_again(path: Path, unwritten: str, where: str = "") -> str:
    """How a stored trace, of the implementation at `where`, is seen again, or why it is not there."""
    return f"  NOT stored: {unwritten}" if unwritten else f"  Again: {replay_command(path, where)}"


def replay_command(path: Path, where: str = "") -> str:
    """The command that runs a stored trace again; that a file may choose what is run is to be said."""
    return f"oneowner replay {path}{' --trust' if where.startswith('exec:') else ''}"


def read(path: Path) -> Stored:
    """Read a trace.  Raises SpecError, saying what is wrong with the file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{path}: not JSON: {error}") from None
    try:
        meta = content["#meta"]
        kind, scope = meta["kind"], {str(name): int(size) for name, size in meta["scope"].items()}
        if kind not in ("model", "implementation"):
            raise KeyError("kind")
        steps = [state["call"] for state in content["states"][1:]]
        for step in steps:
            if not (isinstance(step["operation"], str) and isinstance(step["arguments"], dict)):
                raise KeyError("call")
        loop = int(content["loop"]) if "loop" in content else None
        where, statement = str(meta.get("implementation", "")), str(meta["statement"])
        return Stored(kind, str(meta["spec"]), scope, statement, where, steps, loop, dict(meta.get("binding", {})))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise SpecError(f"{path}: no trace of this tool: {type(error).__name__} at {error}") from None


def model_steps(stored: Stored, spec: Spec) -> list[Step]:
    """The calls of a model's trace.  Raises SpecError for what the spec does not have."""
    steps: list[Step] = []
    model = Model(spec, stored.scope)
    vector = model.initial()
    for step in stored.steps:
        action = _action(spec, step["operation"])
        values = {}
        for slot in action.slots:
            if slot.fresh and slot.type.endless:
                values[slot.name] = model.fresh(vector, slot.type)
            elif slot.name not in step["arguments"]:
                raise SpecError(f"{action.name}: the trace gives no {slot.name}")
            else:
                value = values[slot.name] = value_of(slot.type, step["arguments"][slot.name])
                inside = value if slot.subset else [value] if value else []
                if any(element not in model.domain(slot.type) for element in inside):
                    raise SpecError(f"{action.name}: {step['arguments'][slot.name]} is out of the trace's scope")
        steps.append((action.name, values))
        # what the last call comes to is for others to see; it may make no sense
        if len(steps) < len(stored.steps):
            vector = model.step(action, vector, values).state
    return steps


def recorded_calls(stored: Stored, spec: Spec) -> list[Recorded]:
    """The calls of an implementation's trace.  Raises SpecError for what the spec does not have."""
    calls = []
    for step in stored.steps:
        action = _action(spec, step["operation"])
        arguments: dict[str, Any] = {}
        for slot in action.slots:
            if slot.fresh:
                continue
            if slot.name not in step["arguments"]:
                raise SpecError(f"{action.name}: the trace gives no {slot.name}")
            given = step["arguments"][slot.name]
            if slot.subset:
                given = Members(map(int, given))
            elif isinstance(given, dict):
                given = Origin(int(given.get("call", -1)), str(given.get("field", "")))
            elif slot.type in spec.unused and slot.type.handles and given not in (None, NEVER):
                raise SpecError(f"{action.name}({slot.name}): {quoted(given)} is no origin of a handle")
            arguments[slot.name] = given
        calls.append(Recorded(action.name, arguments, probe=step.get("probe") is True))
    return calls


def _action(spec: Spec, name: str) -> Any:
    if name not in spec.actions:
        raise SpecError(f"the trace calls {name!r}, which {spec.name} does not have")
    return spec.actions[name]
