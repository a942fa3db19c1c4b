"""The printed specification built with the machine's `cc` and called through ctypes: a fourth reading of the same text."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..concrete import Outcome, Vector
from ..language import EFFECTIVE, Action, Spec, SpecError, answer_fields
from .cells import STATED, answering, bytes_of, held, part_of, value_of, word_of
from .printer import Printer, printed

FLAGS = ("-std=c11", "-O1", "-shared", "-fPIC")


class Library:
    """A spec in a scope, compiled into `folder`.  Raises SpecError where there is no compiler, or it does not take the text."""

    def __init__(
        self, spec: Spec, scope: dict[str, int] | None, folder: Path, flags: Sequence[str] = FLAGS, *, steps: bool = True
    ) -> None:
        self.printer: Printer = printed(spec, scope)
        self.model, self.spec = self.printer.model, spec
        source, built = folder / f"{spec.name}.c", folder / f"{spec.name}.so"
        source.write_text(self.printer.text(steps=steps), encoding="utf-8")
        compiler = shutil.which("cc")
        if compiler is None:
            raise SpecError("there is no C compiler (cc) on this machine")
        made = subprocess.run([compiler, *flags, "-o", str(built), str(source)], capture_output=True, text=True, check=False)
        if made.returncode:
            raise SpecError(f"{compiler} does not take what was printed: {made.stderr[:2000]}")
        self.warnings = made.stderr
        self.library = ctypes.CDLL(str(built))
        self.exits = self.printer.exits()
        self._places = held(self.model)
        self.size = len(self.packed(self.model.initial()))
        self._after = ctypes.create_string_buffer(self.size)
        self._blank = self.model.blank()
        self._outputs = {n for n, c in enumerate(self.model.components) if c.kind == "output"}
        self._answering = answering(self.printer.trees)
        self._answer = (ctypes.c_uint64 * 8)()

    def packed(self, vector: Vector) -> bytes:
        """A state as the struct has it."""
        stated = [(part, c) for part, c in zip(vector, self.model.components, strict=True) if c.kind in STATED]
        return b"".join(bytes_of(self.model, component, part) for part, component in stated)

    def unpacked(self, data: bytes) -> Vector:
        """A state of its struct."""
        found: list[Any] = list(self.model.blank())
        for position, component in enumerate(self.model.components):
            if component.name in self._places:
                at, size = self._places[component.name]
                found[position] = part_of(self.model, component, data[at : at + size])
        return tuple(found)

    def step(self, action: Action, vector: Vector, arguments: Mapping[str, Any]) -> Outcome:
        """Call an operation, as `Model.step`.  Raises SpecError where the spec itself is at fault."""
        given = [_given(arguments[slot.name], slot.subset) for slot in action.slots]
        call = getattr(self.library, f"oo_{action.name}")
        exit = call(self.packed(vector), self._after, self._answer, *given)
        if exit < 0:
            raise SpecError(f"{action.name}: {self.printer.checks[self._answer[0]]}")
        name = self.exits[exit]
        if name not in EFFECTIVE:
            return Outcome(name, vector, None, vector)
        shown = self.unpacked(self._after.raw)
        state = tuple(self._blank[n] if n in self._outputs else part for n, part in enumerate(shown))
        return Outcome(name, state, self._told(action, name), shown)

    def _told(self, action: Action, exit: str) -> Any:
        fields = answer_fields(action.answer)
        if (action.name, exit) not in self._answering:
            return None
        parts = [value_of(kind, self._answer[number]) for number, (_, kind) in enumerate(fields)]
        return action.answer(*parts) if fields[0][0] else parts[0]

    def holds(self, name: str, vector: Vector) -> bool:
        """Whether an invariant holds in a state."""
        return bool(getattr(self.library, f"oo_holds_{name}")(self.packed(vector)))

    def broken_step(self, action: Action, before: Vector, after: Vector, arguments: Mapping[str, Any]) -> str:
        """The first step property that a call breaks, or nothing."""
        given = [_given(arguments[slot.name], slot.subset) for slot in action.slots]
        number = getattr(self.library, f"oo_step_of_{action.name}")(self.packed(before), self.packed(after), *given)
        return list(self.spec.step_properties)[number - 1] if number else ""

    def fresh(self, kind: Any, vector: Vector) -> int:
        """The least name of a sort that is not in use, or 0."""
        return int(getattr(self.library, f"oo_fresh_{kind.__name__.lower()}")(self.packed(vector)))


def _given(value: Any, subset: bool) -> Any:
    return ctypes.c_uint64(word_of(value, True)) if subset else int(value)
