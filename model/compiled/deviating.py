"""Operations in C that can be made to deviate: what a mutant of the specification would do, with all of them in one library."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ..concrete import Model, Outcome, Vector
from ..language import EFFECTIVE, Action, Scope, Spec, SpecError
from ..recording import Block, Branch, Leaf, Node, Place, Write, both, either, negated, refuses
from .building import Building
from .cells import word_of
from .model import CallsPrinter, CompiledModel
from .printer import ILL_DEFINED

SWITCHES = ("oo_deviation", "oo_refused", "oo_only")
DEVIATES = "deviates"
"""An expression: whether a deviation, by number, is switched on."""

WITHOUT, REFUSED, FIRST, WIDER, NARROWER, FRONT = KINDS = ("without", "refused", "first", "wider", "narrower", "front")


@dataclass(frozen=True)
class Deviation:
    """What an operation may be made to do otherwise, at a place in its text, or in that of what it calls:

    without   leave out what it writes to a component there
    refused   where a guard refuses with an exit, write to the component, or to all if it is "", as if it did not
    first     change only the first cell that a bulk update finds
    wider     take a condition inside that of a bulk update or of an `if` for true
    narrower  take one for false
    front     put in front of a queue, not behind it

    `switches` are what the library is told.
    """

    kind: str
    operation: str
    component: str
    place: Place
    exit: str
    switches: tuple[int, int, int]


class _DeviatingPrinter(CallsPrinter):
    """Prints operations so that they can be told to deviate."""

    more = (f"int {', '.join(SWITCHES)};",)

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.numbers: dict[Any, int] = {}
        self.places = {component.name: number for number, component in enumerate(self.spec.components, 1)}
        self.deviations: list[Deviation] = []
        found = [(name, block) for name, tree in self.trees.items() for block in tree.within()]
        writes = [(name, write) for name, block in found for write in block.statements if isinstance(write, Write)]
        ends = [(name, block.end) for name, block in found if isinstance(block.end, Branch)]
        for name, write in writes:
            self._number(WITHOUT, name, write)
        for name, end in ends:
            if exit := _refused(end):
                self._number(REFUSED, name, end, exit=exit)
        for name, write in writes:
            if write.kind == "push":
                self._number(FRONT, name, write)
            elif write.over:
                self._number(FIRST, name, write)
        asked: list[tuple[str, Branch | Write]] = [*writes, *ends]
        for name, each in asked:
            for kind, part in _parts(each):
                self._number(kind, name, each, part)

    def _number(self, kind: str, name: str, at: Branch | Write, *which: Any, exit: str = "") -> None:
        component = at.component if isinstance(at, Write) else ""
        key = kind, name, component, at.place, exit, *which
        if key in self.numbers:
            return
        number = self.numbers[key] = len(self.numbers) + 1
        if kind != REFUSED:
            self.deviations.append(Deviation(kind, name, component, at.place, "", (number, 0, 0)))
        elif written := [c for c in self.places if c in self.trees[name].written]:
            for component in ("", *written):
                switches = 0, number, self.places.get(component, 0)
                self.deviations.append(Deviation(kind, name, component, at.place, exit, switches))

    def _of(self, kind: str, at: Branch | Write, *which: Any, exit: str = "") -> int:
        component = at.component if isinstance(at, Write) else ""
        return self.numbers[(kind, self._action.name, component, at.place, exit, *which)]

    def _asked(self, at: Branch | Write) -> Node:
        known = {(kind, part): self._of(kind, at, part) for kind, part in _parts(at)}
        return _loosened(super()._asked(at), known) if known else super()._asked(at)

    def _expression(self, node: Node) -> str:
        return f"(oo_deviation == {node.args[0]})" if node.op == DEVIATES else super()._expression(node)

    def _block(self, block: Block, copied: bool) -> None:
        if block is self.trees[self._action.name]:
            self._line(f"int refused = {ILL_DEFINED};")
        super()._block(block, copied)

    def _refusal(self, at: Branch, leaf: Leaf, copied: bool) -> None:
        """The call goes on as if it were not refused, and is refused at its end, where it is made to deviate."""
        self._line(f"if (oo_refused != {self._of(REFUSED, at, exit=leaf.exit)})")
        self.indent += 1
        super()._refusal(at, leaf, copied)
        self.indent -= 1
        self._line(f"refused = OO_{leaf.exit.upper()};")

    def _return(self, exit: str) -> None:
        self._line(f"return refused < 0 ? OO_{exit.upper()} : refused;")

    def _write(self, write: Write) -> None:
        left_out, place = self._of(WITHOUT, write), self.places[write.component]
        self._open(f"if (oo_deviation != {left_out} && (!oo_only || oo_only == {place})) {{")
        known = dict(self._known)
        if write.over:
            self._had = self._new("had")
            self._line(f"int {self._had} = 0;")
        super()._write(write)
        if write.kind == "push":
            self._push_in_front(write)
        self._known = known
        self._close()

    def _note(self, at: Branch | Write, yes: bool = True) -> None:
        super()._note(at, yes)
        if isinstance(at, Write):
            self._line(f"if (oo_deviation == {self._of(FIRST, at)} && {self._had}++)")
            self._line("    continue;")

    def _push_in_front(self, write: Write) -> None:
        component = self.components[write.component]
        (key,), element, each = map(self._expression, write.keys), self._expression(write.value), self._new("e")
        line, rank = (f"now->{component.name}_{part}" for part in ("line", "rank"))
        self._line(f"if (oo_deviation == {self._of(FRONT, write)})")
        self._line(f"    for (int {each} = 1; {each} <= {self._size(component.value)}; {each}++)")
        self._line(f"        {rank}[{each}] = {each} == {element} ? 0 : {rank}[{each}] + ({line}[{each}] == {key});")

    def _begin_call(self) -> None:
        self._line("if (oo_refused)")
        self._line("    *now = *before;")

    def _by_number(self) -> None:
        super()._by_number()
        given = "int operation, const struct oo_state *before, const uint64_t *a, const int32_t *switches, int count"
        head = f"void oo_differing({given}, uint8_t *differs)"
        self._begin("Of so many deviations, each three switches, whether a call comes to another exit or state with it.", head)
        self._line("struct oo_state right, now;")
        self._line(f"uint64_t answer[16], came[{self.words}];")
        self._line("int exit = oo_call(operation, before, &right, answer, came, a);")
        self._line(f"const struct oo_state *after = exit < {len(EFFECTIVE)} ? &right : before;")
        self._open("for (int n = 0; n < count; n++) {")
        for number, switch in enumerate(SWITCHES):
            self._line(f"{switch} = switches[{len(SWITCHES)} * n + {number}];")
        self._line("int other = oo_call(operation, before, &now, answer, came, a);")
        self._line(f"int written = exit < {len(EFFECTIVE)} || oo_refused;")
        self._line("differs[n] = exit >= 0 && other >= 0 && (other != exit || (written && memcmp(&now, after, sizeof now)));")
        self._close()
        self._line(f"{' = '.join(SWITCHES)} = 0;")
        self._end()


def _parts(at: Branch | Write) -> Iterator[tuple[str, Node]]:
    """The conditions inside that of a bulk update, or of a branch that is no guard, and what each may be taken for."""
    if (isinstance(at, Write) and not at.over) or (isinstance(at, Branch) and _refused(at)):
        return
    for kind, part in _inside(at.condition, WIDER):
        yield kind, part
        # a bulk update that finds nothing is left out
        if part is at.condition and isinstance(at, Branch):
            yield NARROWER, part


def _inside(node: Node, kind: str) -> Iterator[tuple[str, Node]]:
    if node.op in ("and", "or"):
        for part in node.args:
            yield from _inside(part, WIDER if node.op == "and" else NARROWER)
    elif node.op != "const":
        yield kind, node


def _loosened(node: Node, known: Mapping[tuple[str, Node], int]) -> Node:
    """A condition of which each inside may be switched."""
    if node.op in ("and", "or"):
        return reduce(both if node.op == "and" else either, (_loosened(part, known) for part in node.args))
    found = node
    if (wider := known.get((WIDER, node))) is not None:
        found = either(Node(DEVIATES, (wider,), bool), found)
    if (narrower := known.get((NARROWER, node))) is not None:
        found = both(negated(Node(DEVIATES, (narrower,), bool)), found)
    return found


class DeviatingModel(CompiledModel):
    """A model of whose `deviations` one at a time may be switched on."""

    printer = _DeviatingPrinter

    def __init__(self, spec: Spec, scope: Scope | None = None, *, building: Building | None = None) -> None:
        super().__init__(spec, scope, building=building)
        self._switches = [ctypes.c_int.in_dll(self.library, name) for name in SWITCHES]
        self.library.oo_differing.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 3, ctypes.c_int, ctypes.c_void_p]
        self._deviating: Deviation | None = None
        self.deviations = tuple(_DeviatingPrinter(self).deviations)

    def step(self, action: Action, vector: Vector, arguments: Mapping[str, Any]) -> Outcome:
        """As in `Model`."""
        outcome = super().step(action, vector, arguments)
        if self._deviating is None or not self._deviating.exit or outcome.effective:
            return outcome
        return self._come_to(action, vector, outcome.exit)

    def differing(
        self, action: Action, vector: Vector, arguments: Mapping[str, Any], deviations: Sequence[Deviation]
    ) -> list[Deviation]:
        """The deviations, of some, with which a call comes to another exit or state."""
        words, found = self._given_words, (ctypes.c_uint8 * len(deviations))()
        for number, slot in enumerate(action.slots):
            words[number] = word_of(arguments[slot.name], slot.subset)
        switches = array("i", [switch for deviation in deviations for switch in deviation.switches])
        before, at = self.bytes_of(vector), switches.buffer_info()[0]
        self.library.oo_differing(self._numbers[action.name], before, self._at[3], at, len(deviations), found)
        return [deviation for deviation, differs in zip(deviations, found, strict=True) if differs]

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
