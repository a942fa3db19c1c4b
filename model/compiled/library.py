"""The printed specification built with the machine's `cc` and called through ctypes: a fourth reading of the same text."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..concrete import Outcome, Vector
from ..language import EFFECTIVE, Action, Members, Spec, SpecError, answer_fields, is_subset
from ..recording import Leaf
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
        self.size = len(self.packed(self.model.initial()))
        self._after = ctypes.create_string_buffer(self.size)
        self._blank = self.model.blank()
        self._outputs = {n for n, c in enumerate(self.model.components) if c.kind == "output"}
        ends = [(name, block.end) for name, tree in self.printer.trees.items() for block in tree.within()]
        self._answering = {(name, end.exit) for name, end in ends if isinstance(end, Leaf) and end.answer}
        self._answer = (ctypes.c_uint64 * 8)()

    def packed(self, vector: Vector) -> bytes:
        """A state as the struct has it."""
        parts = []
        for position, component in enumerate(self.model.components):
            if component.kind in ("map", "output"):
                parts.append(bytes(vector[position]))
            elif component.kind == "queue":
                size = self.model.scope[component.value.plural] + 1
                line, rank = bytearray(size), bytearray(size)
                for key, elements in enumerate(vector[position]):
                    for at, element in enumerate(elements):
                        line[element], rank[element] = key, at
                parts += [bytes(line), bytes(rank)]
        return b"".join(parts)

    def unpacked(self, data: bytes) -> Vector:
        """A state of its struct."""
        found: list[Any] = list(self.model.blank())
        at = 0
        for position, component in enumerate(self.model.components):
            if component.kind in ("map", "output"):
                size = len(found[position])
                cells = data[at : at + size]
                found[position] = tuple(map(bool, cells)) if component.value is bool else tuple(cells)
                at += size
            elif component.kind == "queue":
                size = self.model.scope[component.value.plural] + 1
                line, rank = data[at : at + size], data[at + size : at + 2 * size]
                lines: list[list[tuple[int, int]]] = [[] for _ in found[position]]
                for element in range(1, size):
                    if line[element]:
                        lines[line[element]].append((rank[element], element))
                found[position] = tuple(tuple(e for _, e in sorted(each)) for each in lines)
                at += 2 * size
        return tuple(found)

    def step(self, action: Action, vector: Vector, arguments: Mapping[str, Any]) -> Outcome:
        """Call an operation, as `Model.step`.  Raises SpecError where the spec itself is at fault."""
        given = [_word(arguments[slot.name], slot.subset) for slot in action.slots]
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
        parts = [_value(kind, self._answer[number]) for number, (_, kind) in enumerate(fields)]
        return action.answer(*parts) if fields[0][0] else parts[0]

    def holds(self, name: str, vector: Vector) -> bool:
        """Whether an invariant holds in a state."""
        return bool(getattr(self.library, f"oo_holds_{name}")(self.packed(vector)))

    def broken_step(self, action: Action, before: Vector, after: Vector, arguments: Mapping[str, Any]) -> str:
        """The first step property that a call breaks, or nothing."""
        given = [_word(arguments[slot.name], slot.subset) for slot in action.slots]
        number = getattr(self.library, f"oo_step_of_{action.name}")(self.packed(before), self.packed(after), *given)
        return list(self.spec.step_properties)[number - 1] if number else ""

    def fresh(self, kind: Any, vector: Vector) -> int:
        """The least name of a sort that is not in use, or 0."""
        return int(getattr(self.library, f"oo_fresh_{kind.__name__.lower()}")(self.packed(vector)))


def _word(value: Any, subset: bool) -> Any:
    return ctypes.c_uint64(sum(1 << element for element in value)) if subset else int(value)


def _value(kind: Any, word: int) -> Any:
    if is_subset(kind):
        return Members(n for n in range(64) if word >> n & 1)
    return bool(word) if kind is bool else int(word)
