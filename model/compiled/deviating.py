"""Operations in C that can be made to deviate: what a mutant of the specification would do, with all of them in one library."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..concrete import Model, Outcome, Vector
from ..language import Action, Scope, Spec, SpecError
from ..recording import Block, Branch, Leaf, Place, Write, refuses
from .building import Building
from .model import CallsPrinter, CompiledModel
from .printer import ILL_DEFINED

SWITCHES = ("oo_left_out", "oo_late", "oo_only")


@dataclass(frozen=True)
class Deviation:
    """What an operation may be made to do otherwise.  Without an `exit`: leave out what is written to a component at a place in
    its text, or of what it calls.  With one: where the guard at that place refuses with it, write to the component, or to all if
    that is "", as if it did not.  `switches` are what the library is told."""

    operation: str
    component: str
    place: Place
    exit: str
    switches: tuple[int, int, int]


class _DeviatingPrinter(CallsPrinter):
    """Prints each write, and each guard that refuses, so that it can be told to deviate."""

    more = (f"int {', '.join(SWITCHES)};",)

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.writes: dict[tuple[str, str, Place], int] = {}
        self.guards: dict[tuple[str, Place, str], int] = {}
        self.numbers = {component.name: number for number, component in enumerate(self.spec.components, 1)}
        for name, tree in self.trees.items():
            for block in tree.within():
                for write in (s for s in block.statements if isinstance(s, Write)):
                    self.writes.setdefault((name, write.component, write.place), len(self.writes) + 1)
                if isinstance(block.end, Branch) and (refused := _refused(block.end)):
                    self.guards.setdefault((name, block.end.place, refused), len(self.guards) + 1)

    def deviations(self) -> Iterator[Deviation]:
        """Effects that are left out, then those that are made although a call is refused: all together, and one by one."""
        for (name, component, place), number in self.writes.items():
            yield Deviation(name, component, place, "", (number, 0, 0))
        for (name, place, exit), number in self.guards.items():
            if written := [c for c in self.numbers if c in self.trees[name].written]:
                for component in ("", *written):
                    yield Deviation(name, component, place, exit, (0, number, self.numbers.get(component, 0)))

    def _block(self, block: Block, copied: bool) -> None:
        if block is self.trees[self._action.name]:
            self._line(f"int late = {ILL_DEFINED};")
        super()._block(block, copied)

    def _refusal(self, at: Branch, leaf: Leaf) -> None:
        """The call goes on as if it were not refused, and is refused at its end, where it is made to deviate."""
        number = self.guards[self._action.name, at.place, leaf.exit]
        self._line(f"if (oo_late != {number})")
        self.indent += 1
        super()._refusal(at, leaf)
        self.indent -= 1
        self._line(f"late = OO_{leaf.exit.upper()};")

    def _return(self, exit: str) -> None:
        self._line(f"return late < 0 ? OO_{exit.upper()} : late;")

    def _write(self, write: Write) -> None:
        effect = self.writes[self._action.name, write.component, write.place]
        self._open(f"if (oo_left_out != {effect} && (!oo_only || oo_only == {self.numbers[write.component]})) {{")
        known = dict(self._known)
        super()._write(write)
        self._known = known
        self._close()

    def _begin_call(self) -> None:
        self._line("if (oo_late)")
        self._line("    *now = *before;")


class DeviatingModel(CompiledModel):
    """A model of whose `deviations` one at a time may be switched on."""

    printer = _DeviatingPrinter

    def __init__(self, spec: Spec, scope: Scope | None = None, *, building: Building | None = None) -> None:
        super().__init__(spec, scope, building=building)
        self._switches = [ctypes.c_int.in_dll(self.library, name) for name in SWITCHES]
        self._deviating: Deviation | None = None
        self.deviations = tuple(_DeviatingPrinter(self).deviations())

    def step(self, action: Action, vector: Vector, arguments: Mapping[str, Any]) -> Outcome:
        """As in `Model`."""
        outcome = super().step(action, vector, arguments)
        if self._deviating is None or not self._deviating.exit or outcome.effective:
            return outcome
        return self._come_to(action, vector, outcome.exit)

    @contextmanager
    def deviating(self, deviation: Deviation) -> Iterator[None]:
        """Within it, operations deviate, so that a refused call may change the state.  What they then write at none, or above
        what a number may be, raises SpecError."""
        self._switch(deviation.switches)
        self._deviating = deviation
        try:
            yield
        finally:
            self._switch((0, 0, 0))
            # nor is what a call came to there what it comes to
            self._deviating, self._asked = None, ()

    def _switch(self, switches: tuple[int, ...]) -> None:
        for switch, value in zip(self._switches, switches, strict=True):
            switch.value = value

    def _check_whole(self, action: Action) -> None:
        if self._deviating is not None:
            raise SpecError(f"{action.name} is not defined where {self._deviating.operation} deviates")


def _refused(at: Branch) -> str:
    """The exit with which a branch refuses, on one of its sides; "" if on none."""
    return next((side.end.exit for side in (at.yes, at.no) if refuses(side) and isinstance(side.end, Leaf)), "")
