"""States, calls and traces for people and for other tools: names of values, what a step changed, ITF JSON.

ITF is the trace format of the TLA+ tools (Apalache ADR-015): one JSON object with `vars` and `states`; a map is
{"#map": [[key, value], ...]}, a tuple {"#tup": [...]}.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..language import Action, Members, SpecError, Step, Type, answer_fields, is_enumeration, is_sort, member_type
from .model import Model, Outcome
from .state import Vector


def value_name(kind: Type, value: Any) -> Any:
    """A value as text (as itself where it is a number or a truth value): SYSTEM, region2, none, CONNECTED; a subset as a
    list."""
    if isinstance(value, Members):
        return [value_name(kind, element) for element in sorted(value)]
    if is_sort(kind):
        if not value:
            return "none"
        constants = {int(c): c.name for c in kind.constants}
        return constants.get(int(value), f"{kind.__name__.lower()}{int(value)}")
    if is_enumeration(kind):
        return kind(value).name
    return bool(value) if kind is bool else int(value)


def value_of(kind: Type, name: Any) -> Any:
    """The value that `value_name` shows as `name`.  Raises SpecError where there is none."""
    if isinstance(name, list):
        return Members(value_of(kind, element) for element in name)
    if is_sort(kind):
        if name == "none":
            return 0
        named = {c.name: int(c) for c in kind.constants}
        if name in named:
            return named[name]
        prefix = kind.__name__.lower()
        if isinstance(name, str) and name.startswith(prefix) and name[len(prefix) :].isdecimal():
            return int(name[len(prefix) :])
    elif is_enumeration(kind) and isinstance(name, str) and name in kind.__members__:
        return int(kind[name])
    elif kind in (bool, int) and isinstance(name, int) and name >= 0:
        return name
    raise SpecError(f"{name!r} is no {kind.__name__}")


def argument_names(action: Action, arguments: Mapping[str, int]) -> dict[str, Any]:
    """Arguments by name, as text, without fresh names that no one sees."""
    return {s.name: value_name(s.type, arguments[s.name]) for s in action.slots if not (s.fresh and s.type.endless)}


def call_text(action: Action, arguments: Mapping[str, int]) -> str:
    """A call on one line."""
    shown = ", ".join(f"{name}={value}" for name, value in argument_names(action, arguments).items())
    return f"{action.name}({shown})"


def answer_names(action: Action, answer: Any) -> Any:
    """An answer with its values as text: one value, or a mapping by field."""
    fields = answer_fields(action.answer)
    if not fields:
        return None
    if fields[0][0] == "":
        return value_name(fields[0][1], answer)
    return {name: value_name(member_type(kind), value) for (name, kind), value in zip(fields, answer, strict=True)}


def cells(model: Model, vector: Vector) -> Iterator[tuple[str, Any, Any]]:
    """The state cell by cell: its text, its value as text, its default as text.  A queue's line is one cell."""
    for component, part in zip(model.components, vector, strict=True):
        if component.kind == "parameter":
            yield component.name, part[0], part[0]
            continue
        for key in model.keys(component):
            shown = ", ".join(str(value_name(k, v)) for k, v in zip(component.keys, key, strict=True))
            at = f"{component.name}[{shown}]"
            if component.kind == "queue":
                line = [value_name(component.value, e) for e in part[key[0]]]
                yield at, f"<{', '.join(map(str, line))}>", "<>"
            else:
                value = part[model.index(component, key)]
                yield at, value_name(component.value, value), value_name(component.value, 0)


def differences(model: Model, before: Vector, after: Vector) -> list[str]:
    """What changed from one state to another, a line a cell."""
    pairs = zip(cells(model, before), cells(model, after), strict=True)
    return [f"{at}: {old} -> {new}" for (at, old, _), (_, new, _) in pairs if old != new]


def nondefaults(model: Model, vector: Vector) -> list[str]:
    """What of a state is not at its default, a line a cell."""
    return [f"{at} = {value}" for at, value, default in cells(model, vector) if value != default]


SENSELESS = "makes no sense"
"""In place of an exit: the spec's own text makes no sense in that call (a line is popped that is empty, say)."""


def run(model: Model, steps: Sequence[Step]) -> list[Outcome]:
    """What a sequence of calls comes to, from the initial state; the last may make no sense.  Raises SpecError for an unknown
    operation, and where another call makes no sense."""
    vector, found = model.initial(), []
    for number, (name, arguments) in enumerate(steps, 1):
        if name not in model.spec.actions:
            raise SpecError(f"no operation is called {name!r}; there are {', '.join(model.spec.actions)}")
        try:
            outcome = model.step(model.spec.actions[name], vector, arguments)
        except SpecError as error:
            if number < len(steps):
                raise
            outcome = Outcome(SENSELESS, vector, str(error), vector)
        vector = outcome.state
        found.append(outcome)
    return found


def itf_state(model: Model, vector: Vector) -> dict[str, Any]:
    """A state as ITF variables."""
    found: dict[str, Any] = {}
    for component, part in zip(model.components, vector, strict=True):
        if component.kind == "parameter":
            found[component.name] = part[0]
            continue
        rows = []
        for key in model.keys(component):
            names = [value_name(k, v) for k, v in zip(component.keys, key, strict=True)]
            if component.kind == "queue":
                shown: Any = [value_name(component.value, e) for e in part[key[0]]]
            else:
                shown = value_name(component.value, part[model.index(component, key)])
            rows.append([names[0] if len(names) == 1 else {"#tup": names}, shown])
        found[component.name] = {"#map": rows}
    return found


def to_itf(model: Model, vectors: Sequence[Vector], calls: Sequence[Mapping[str, Any]], meta: Mapping[str, Any]) -> Any:
    """A trace as an ITF object: `vectors` are the states, one more than `calls`, which stand in the variable `call`."""
    first: dict[str, Any] = {"operation": "initially", "arguments": {}, "exit": "ok"}
    return {
        "#meta": {"format": "ITF", "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html", **meta},
        "vars": ["call", *model.positions],
        "states": [
            {"#meta": {"index": index}, "call": call, **itf_state(model, vector)}
            for index, (vector, call) in enumerate(zip(vectors, itertools.chain([first], calls), strict=True))
        ],
    }
