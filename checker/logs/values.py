"""What stands in a log, as the specification has it: values of data, calls with their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...model.language import (
    Action,
    Members,
    Slot,
    Spec,
    SpecError,
    Type,
    is_enumeration,
    is_sort,
    member_type,
)
from ..errors import quoted
from .reading import Line, Log


@dataclass
class Wire:
    """The values of data sorts as a log has them, as elements of the model."""

    spec: Spec
    scope: dict[str, int]
    elements: dict[Type, dict[Any, int]] = field(default_factory=dict)

    def value(self, slot: Slot, given: Any) -> Any:
        """An argument of the wire's as `Session` takes it: handles as they are.  Raises SpecError for what is out of scope."""
        if slot.subset:
            if not isinstance(given, list):
                raise SpecError(f"{slot.name} is {quoted(given)}, and must be a list")
            return Members(self._element(member_type(slot.type) if not is_sort(slot.type) else slot.type, g, slot) for g in given)
        if is_sort(slot.type) and slot.type in self.spec.unused and slot.type.handles:
            if given is not None and not isinstance(given, str):
                raise SpecError(f"{slot.name} is {quoted(given)}, and must be a handle, which is a string")
            return given
        return self._element(slot.type, given, slot)

    def _element(self, kind: Type, given: Any, slot: Slot) -> Any:
        if is_enumeration(kind):
            named = {member.name: member for member in kind}
            if given not in named:
                raise SpecError(f"{slot.name} is {quoted(given)}, and must be one of {', '.join(named)}")
            return int(named[given])
        if kind is bool or kind is int:
            if type(given) is not kind:
                what = "a boolean" if kind is bool else "a whole number"
                raise SpecError(f"{slot.name} is {quoted(given)}, and must be {what}")
            return given
        if given is None:
            return 0
        table = self.elements.get(kind)
        if table is None:
            encode = self.spec.encodings[kind]
            numbers = range(1, self.scope[kind.plural] + 1)
            known = {number: encode(self.scope, number) for number in [*numbers, 0]}
            table = self.elements[kind] = {value: n for n, value in known.items() if not isinstance(value, list)}
        ordinary = self.spec.open_data.get(kind)
        if ordinary is not None and not isinstance(given, list | dict) and not ordinary(given):
            return self.scope[kind.plural]
        if isinstance(given, list | dict) or given not in table:
            shown = ", ".join(repr(value) if len(repr(value)) < 24 else repr(value)[:20] + "..." for value in list(table)[:8])
            raise SpecError(f"{slot.name} is {quoted(given)}, which this scope ({shown}) does not have: give a larger --scope")
        return table[given]


def action_of(spec: Spec, log: Log, line: Line) -> Action:
    """The operation that a line calls.  Raises SpecError for one that there is not."""
    name = line.message["params"]["op"]
    if name not in spec.actions:
        raise SpecError(f"{log.path}, line {line.number}: {spec.name} has no operation {name!r}")
    return spec.actions[name]


def given_to(action: Action, params: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, that of its actor first."""
    return {action.slots[0].name: params["actor"], **params["args"]}


def argument_at(log: Log, line: Line, wire: Wire, slot: Slot, given: Mapping[str, Any]) -> Any:
    """An argument of a line's call as a session takes it.  Raises SpecError, naming the line."""
    if slot.name not in given:
        raise SpecError(f"{log.path}, line {line.number}: the call gives no {slot.name}")
    try:
        return wire.value(slot, given[slot.name])
    except SpecError as error:
        raise SpecError(f"{log.path}, line {line.number}: {error}") from None
