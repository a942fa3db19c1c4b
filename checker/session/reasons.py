"""Why an answer was due: which earlier calls made it so, and by what they wrote.

What a call comes to depends on the cells that it reads.  Each of these was written last by some call; where another answer would
be due if that call's writing were undone, the call is a reason.  Where that other answer is the one that was given, it is the
reason: the implementation answers as if that call had not been made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...model.concrete import Cell, Footprints, Notes, Outcome, value_name
from ...model.language import OK, SUSPENDED, SpecError, Type, answer_fields, is_subset, member_type, reading
from .handles import NEVER, Origin
from .session import Session
from .wrong import LATE, Mismatch

MOST = 3
"""How many reasons are told."""


@dataclass(frozen=True)
class Reason:
    """Since which call, counted from 1, what has held that makes the answer due."""

    call: int
    operation: str
    text: str

    def __str__(self) -> str:
        return f"since call {self.call} ({self.operation}) {self.text}"


def reasons(session: Session, mismatch: Mismatch) -> list[Reason]:
    """Why the answer was due that the last call of a session did not give; those that say most first.  None where calls were
    made of which it is not known whether they happened."""
    if any("indeterminate" in (call.answer or ()) for call in session.recorded) or not session.recorded:
        return []
    return _Reasons(session, mismatch).found()


class _Reasons:
    def __init__(self, session: Session, mismatch: Mismatch) -> None:
        self.session, self.mismatch = session, mismatch
        self.model = Footprints(session.spec, session.model.scope)
        last = session.recorded[-1]
        self.action = session.actions[last.operation]
        self.given = last.answer or {}
        self.at = len(session.recorded) - 1
        self.before = session.vectors[self.at]
        self.values, self.gone = self._values(last.arguments)
        self.late = "/late-" in mismatch.clause or LATE in mismatch.text

    def _values(self, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """The arguments as the model has them, and the names of those that are dead handles."""
        names, values, gone = self.session.names, dict[str, Any](), list[tuple[str, str]]()
        for slot in self.action.slots:
            if slot.fresh:
                values[slot.name] = self.model.fresh(self.before, slot.type, int(slot.type in names))
                continue
            value = values[slot.name] = arguments[slot.name]
            if slot.type in names:
                handles = {origin: handle for handle, origin in names[slot.type].origin.items()}
                handle = NEVER if value == NEVER else handles.get(value, NEVER)
                stranger = self.session.stranger(slot.type)
                values[slot.name] = 0 if value is None else names[slot.type].element.get(handle, stranger)
                if handle in self.session.ended:
                    gone.append((slot.name, handle))
        return values, gone

    def found(self) -> list[Reason]:
        """The reasons, those that say most first."""
        self.model.notes = Notes()
        due = self._due(self.before, self.values)
        notes = self.model.notes
        written: dict[int, list[Cell]] = {}
        for cell in dict.fromkeys([*notes.read, *notes.asked]):
            if (call := self._last_write(cell)) is not None:
                written.setdefault(call, []).append(cell)
        told: list[tuple[int, int, Reason]] = []
        for call, cells in written.items():
            others = {cell: self._due(self._undone(call, [cell]), self.values) for cell in cells}
            telling = [cell for cell, other in others.items() if other != due]
            other = self._due(self._undone(call, telling[:1] or cells), self.values)
            if other != due:
                right = [cell for cell in telling if self._was_given(others[cell])]
                rank = 0 if right or self._was_given(other) else 2 if other is None else 1
                text = " and ".join(map(self._told, (right or telling)[:1] or cells[:2]))
                told.append((rank, -call, Reason(call + 1, self.session.recorded[call].operation, text)))
        told += self._gone(due)
        least = min((rank for rank, _, _ in told), default=0)
        return [reason for rank, _, reason in sorted(told, key=lambda each: each[:2]) if rank == least][:MOST]

    def _gone(self, due: Any) -> list[tuple[int, int, Reason]]:
        """The dead handles without which something else would be due."""
        told = []
        for name, handle in self.gone:
            call, element = self.session.ended[handle]
            if self._due(self.session.vectors[call], {**self.values, name: element}) != due:
                told.append((0, -call, Reason(call + 1, self.session.recorded[call].operation, f"its {name} is gone")))
        return told

    def _due(self, vector: Any, values: Mapping[str, Any]) -> Any:
        """What is due in a state: as much of the outcome as the mismatch is about; None where that makes no sense."""
        try:
            outcome = self.model.step(self.action, vector, values)
            if self.late:
                return outcome.exit, self._late(vector, outcome)
        except SpecError:
            return None
        if not self.mismatch.part or outcome.exit != OK:
            return outcome.exit
        fields = [name for name, _ in answer_fields(self.action.answer)]
        return OK, outcome.answer[fields.index(self.mismatch.part)] if fields[0] else outcome.answer

    def _late(self, vector: Any, outcome: Outcome) -> list[Any]:
        if self.session.spec.late is None or outcome.shown is outcome.state:
            return []
        systems = self.model.system(vector), self.model.system(outcome.shown)
        with reading(self.model):
            return list(self.session.spec.late(*systems, self.model.scope))

    def _was_given(self, due: Any) -> bool:
        """Whether the implementation gave what would be due otherwise."""
        if due is None or self.late:
            return False
        if isinstance(due, str):
            return due in self.given or due == self.given.get("error") or (due == SUSPENDED and "suspended" in self.given)
        fields, (_, value) = dict(answer_fields(self.action.answer)), due
        kind, got = fields[self.mismatch.part if "" not in fields else ""], self.given.get("ok")
        got = got.get(self.mismatch.part) if "" not in fields and isinstance(got, dict) else got
        if not is_subset(kind) and kind in self.session.names:
            value = self.session.names[kind].handle.get(value)
        else:
            value = self.session.encoded(member_type(kind), value)
        return bool(got == value)

    def _last_write(self, cell: Cell) -> int | None:
        """The last call that changed a cell."""
        position, index = cell
        held = [vector[position][index] for vector in self.session.vectors[: self.at + 1]]
        return next((n for n in range(self.at - 1, -1, -1) if held[n] != held[n + 1]), None)

    def _undone(self, call: int, cells: list[Cell]) -> Any:
        """The state, but with what a call has written in some cells undone."""
        earlier = self.session.vectors[call]
        return self.model.put(self.before, {(position, index): earlier[position][index] for position, index in cells})

    def _told(self, cell: Cell) -> str:
        """A cell and what it holds, in words."""
        position, index = cell
        component, value = self.model.components[position], self.before[position][index]
        key = next(key for key in self.model.keys(component) if self.model.index(component, key) == index)
        at = f"{component.name}[{', '.join(map(self._element, component.keys, key))}]"
        if component.kind != "queue":
            return f"{at} is {self._element(component.value, value)}"
        return f"{at} has {', '.join(self._element(component.value, e) for e in value)}" if value else f"{at} is empty"

    def _element(self, kind: Type, value: Any) -> str:
        """A value in words: an argument of the call, a constant, what a call gave, or its name."""
        argument = next((s.name for s in self.action.slots if s.type is kind and value and self.values[s.name] == value), None)
        if kind not in self.session.names or not value or value <= len(kind.constants):
            return str(value_name(kind, value))
        if argument is not None:
            return f"its {argument}"
        names = self.session.names[kind]
        origin = names.origin.get(names.handle.get(value, ""), Origin(-1, ""))
        return f"the {kind.__name__.lower()} of call {origin.call + 1}" if origin.call >= 0 else str(value_name(kind, value))
