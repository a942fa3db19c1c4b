"""Operations in C that can be made to deviate: what a mutant of the specification would do, with all of them in one library."""

from __future__ import annotations

import ctypes
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ..concrete import Model, Outcome, Vector
from ..language import EFFECTIVE, Action, Component, Scope, Spec, SpecError
from ..recording import Block, Branch, Leaf, Node, Place, Write, both, either, negated, refuses, shown
from .building import Building
from .cells import c_name, word_of
from .model import CallsPrinter, CompiledModel
from .printer import ILL_DEFINED
from .related import asked, related, touched

SWITCHES = ("oo_deviation", "oo_refused", "oo_only", "oo_passed", "oo_when")
NOTHING = -1
"""As what an operation may write: no component at all."""

ALL = -1
"""As which guard is passed: every one that refuses, if the first does so with the exit whose number stands where another passes
(1, which is no number of a refusal)."""

DEVIATES = "deviates"
"""An expression: whether a deviation, by number, is switched on."""

KINDS = WITHOUT, REFUSED, FIRST, WIDER, NARROWER, FRONT, UNDONE, PASSED, FORGETS, INHERITED = (
    "without",
    "refused",
    "first",
    "wider",
    "narrower",
    "front",
    "undone",
    "passed",
    "forgets",
    "inherited",
)


@dataclass(frozen=True)
class Deviation:
    """What an operation may be made to do otherwise, at a place in its text, or in that of what it calls:

    without   leave out what it writes to a component there
    refused   where a guard refuses with an exit, write to the component, or to all if it is "", as if it did not
    first     change only the first cell that a bulk update finds
    wider     take a condition inside that of a bulk update or of an `if` for true
    narrower  take one for false; at no place, these two wherever it is asked, and `when` is the condition
    front     put in front of a queue, not behind it
    undone    answer that it is done, and change nothing
    passed    take effect where a guard refuses with an exit, and no other does; at no place, whatever else refuses after it

    forgets   let a component that it does not write have nothing for an argument, or for what stands a map away; `when` is what
    inherited give what is made new what the component had for the last of its sort that died; `when` is which argument it is

    Otherwise, where `when` is said, it does so in those calls alone before which that holds.  `switches` are what the library is
    told; it knows nothing of what is inherited.
    """

    kind: str
    operation: str
    component: str
    place: Place
    exit: str
    switches: tuple[int, ...]
    when: str = ""


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
        self._number_everywhere()
        self.forgotten: dict[str, dict[int, tuple[Node, Component]]] = {}
        self.related = {name: related(self.spec, self.spec.actions[name], tree) for name, tree in self.trees.items()}
        for name in self.trees:
            self._number_related(name)
            self._number_forgotten(name)
            for slot in (s for s in self.spec.actions[name].slots if s.fresh):
                for component in (c for c in self.spec.components if c.kind == "map" and slot.type in c.keys):
                    none = (0,) * len(SWITCHES)
                    self.deviations.append(Deviation(INHERITED, name, component.name, Place(), "", none, slot.name))

    def _number_everywhere(self) -> None:
        """What is asked in several places is taken for true, or false, in all of them."""
        asked = Counter((key[0], key[1], _alike(key[-1], {})) for key in self.numbers if key[0] in (WIDER, NARROWER))
        for (kind, name, part), places in asked.items():
            if places > 1:
                number = self.numbers[kind, name, part] = len(self.numbers) + 1
                self.deviations.append(Deviation(kind, name, "", Place(), "", (number, 0, 0, 0, 0), shown(part)))

    def _number_related(self, name: str) -> None:
        """What an operation may do otherwise only where something holds, or only where it does not."""
        guards = [(number, key[3], key[4]) for key, number in self.numbers.items() if key[:2] == (REFUSED, name)]
        own = asked(self.spec.actions[name], self.trees[name], self.spec)
        exits = [exit for exit in self.trees[name].exits if exit not in EFFECTIVE]
        several, numbers = exits if len(exits) > 1 else [], self.exits()
        for number, condition in enumerate(self.related[name], 1):
            for when, text in ((number, shown(condition)), (-number, shown(negated(condition)))):
                if self.trees[name].written:
                    self.deviations.append(Deviation(UNDONE, name, "", Place(), "", (0, 0, NOTHING, 0, when), text))
                for guard, place, exit in guards if condition in own else ():
                    self.deviations.append(Deviation(PASSED, name, "", place, exit, (0, guard, 0, 1, when), text))
                for exit in several if condition in own else ():
                    switches = 0, ALL, 0, numbers.index(exit), when
                    self.deviations.append(Deviation(PASSED, name, "", Place(), exit, switches, text))

    def _number_forgotten(self, name: str) -> None:
        found = touched(self.spec, self.spec.actions[name], self.trees[name])
        self.forgotten[name] = first = {}
        for node, component in found if self.trees[name].written else ():
            number = self.numbers[FORGETS, name, component, node] = len(self.numbers) + 1
            first[number] = node, self.components[component]
            self.deviations.append(Deviation(FORGETS, name, component, Place(), "", (number, 0, 0, 0, 0), shown(node)))

    def _number(self, kind: str, name: str, at: Branch | Write, *which: Any, exit: str = "") -> None:
        component = at.component if isinstance(at, Write) else ""
        key = kind, name, component, at.place, exit, *which
        if key in self.numbers:
            return
        number = self.numbers[key] = len(self.numbers) + 1
        if kind != REFUSED:
            self.deviations.append(Deviation(kind, name, component, at.place, "", (number, 0, 0, 0, 0)))
        elif written := [c for c in self.places if c in self.trees[name].written]:
            for component in ("", *written):
                switches = 0, number, self.places.get(component, 0), 0, 0
                self.deviations.append(Deviation(kind, name, component, at.place, exit, switches))

    def _of(self, kind: str, at: Branch | Write, *which: Any, exit: str = "") -> int:
        component = at.component if isinstance(at, Write) else ""
        return self.numbers[(kind, self._action.name, component, at.place, exit, *which)]

    def _asked(self, at: Branch | Write) -> Node:
        known = {
            (kind, part): (self._of(kind, at, part), self.numbers.get((kind, self._action.name, _alike(part, {})), 0))
            for kind, part in _parts(at)
        }
        return _loosened(super()._asked(at), known) if known else super()._asked(at)

    def _expression(self, node: Node) -> str:
        return f"(oo_deviation == {node.args[0]})" if node.op == DEVIATES else super()._expression(node)

    def _block(self, block: Block, copied: bool) -> None:
        if block is self.trees[self._action.name]:
            self._line(f"int refused = {ILL_DEFINED};")
        super()._block(block, copied)

    def _refusal(self, at: Branch, leaf: Leaf, copied: bool) -> None:
        """The call goes on as if it were not refused, and is refused at its end, where it is made to deviate."""
        self._line(f"if (oo_refused != {ALL} && oo_refused != {self._of(REFUSED, at, exit=leaf.exit)})")
        self.indent += 1
        super()._refusal(at, leaf, copied)
        self.indent -= 1
        self._line(f"refused = refused < 0 ? OO_{leaf.exit.upper()} : refused;")

    def _return(self, exit: str) -> None:
        if exit in EFFECTIVE and (numbers := self.forgotten[self._action.name]):
            given = "".join(f", {self._argument(s.name)}" for s in self._action.slots)
            self._line(f"if (oo_deviation >= {min(numbers)} && oo_deviation <= {max(numbers)})")
            self._line(f"    forget_{self._action.name}(before, now{given});")
        if exit in EFFECTIVE:
            self._open("if (refused >= 0 && oo_passed > 1 && oo_passed != refused) {")
            self._line("*now = *before;")
            self._line("return refused;")
            self._close()
        self._line(f"return refused < 0 || oo_passed ? OO_{exit.upper()} : refused;")

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

    def _forget(self, action: Action) -> None:
        head = f"static void forget_{action.name}(const struct oo_state *before, struct oo_state *now{self.parameters(action)})"
        self._begin("Let a component have nothing for something.", head)
        self._unused_arguments(["before", "now", *(self._argument(s.name) for s in action.slots)])
        self._open("switch (oo_deviation) {")
        for number, (node, component) in self.forgotten[action.name].items():
            self._open(f"case {number}: {{")
            at, whose = component.keys.index(node.type), self._expression(node)
            keys = [self._new("k") for _ in component.keys]
            for place, (key, size) in enumerate(zip(keys, self._dimensions(component.keys), strict=True)):
                loop = f"{key} = {whose}; {key} == {whose}" if place == at else f"{key} = 0; {key} < {size}"
                self._line(f"for (int {loop}; {key}++)")
            self._line("    " + f"now->{c_name(component.name)}{''.join(f'[{key}]' for key in keys)} = 0;")
            self._line("break;")
            self._close()
        self._close()
        self._end()

    def _operation(self, action: Action, tree: Block) -> None:
        self._action = action
        self._forget(action)
        super()._operation(action, tree)
        head = f"static int related_{action.name}(int number, const struct oo_state *before{self.parameters(action)})"
        self._begin("Whether a condition holds under which the operation may deviate.", head)
        self._unused_arguments(["before", *(self._argument(s.name) for s in action.slots)])
        self._open("switch (number) {")
        for number, condition in enumerate(self.related[action.name], 1):
            self._open(f"case {number}: {{")
            self._line(f"return {self._expression(condition)};")
            self._known = {}
            self._close()
        self._close()
        self._line("return 0;")
        self._end()

    def _begin_call(self) -> None:
        self._open("if (oo_when) {")
        self._line("int holds = 0, number = oo_when < 0 ? -oo_when : oo_when;")
        self._by_operation(lambda action, given: f"holds = related_{action.name}(number, before{given}); break;")
        self._open("if (holds != (oo_when > 0)) {")
        self._line(f"int kept[] = {{{', '.join(SWITCHES)}}};")
        self._line(f"{' = '.join(SWITCHES)} = 0;")
        self._line("int exit = oo_call(operation, before, now, answer, came, a);")
        for number, switch in enumerate(SWITCHES):
            self._line(f"{switch} = kept[{number}];")
        self._line(f"if (exit < 0 || exit >= {len(EFFECTIVE)})")
        self._line("    *now = *before;")
        self._line("return exit;")
        self._close()
        self._close()
        self._line("if (oo_refused)")
        self._line("    *now = *before;")

    def _by_number(self) -> None:
        super()._by_number()
        given = "int operation, const struct oo_state *before, const uint64_t *a, const int32_t *switches, int count"
        head = f"void oo_differing({given}, uint8_t *differs)"
        self._begin("Of so many deviations, each with its switches, whether a call comes to another exit or state with it.", head)
        self._line("struct oo_state right, now;")
        self._line(f"uint64_t answer[16], came[{self.words}];")
        self._line("int exit = oo_call(operation, before, &right, answer, came, a);")
        self._line(f"const struct oo_state *after = exit < {len(EFFECTIVE)} ? &right : before;")
        self._open("for (int n = 0; n < count; n++) {")
        for number, switch in enumerate(SWITCHES):
            self._line(f"{switch} = switches[{len(SWITCHES)} * n + {number}];")
        self._line("int other = oo_call(operation, before, &now, answer, came, a);")
        self._line(f"int written = exit < {len(EFFECTIVE)} || oo_refused;")
        # another guard that holds is as good a reason to refuse
        self._line(f"int told = other != exit && (!oo_passed || other < {len(EFFECTIVE)});")
        self._line("int left = other == exit && written && memcmp(&now, after, sizeof now);")
        self._line("differs[n] = exit >= 0 && other >= 0 && (told || left);")
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


def _alike(node: Node, names: dict[int, int]) -> Node:
    """What is the same for all that differ in the numbers of what they range over."""
    if node.op == "var":
        return Node("var", (names.setdefault(node.args[0], len(names)),), node.type)
    return Node(node.op, tuple(_alike(a, names) if isinstance(a, Node) else a for a in node.args), node.type)


def _loosened(node: Node, known: Mapping[tuple[str, Node], tuple[int, int]]) -> Node:
    """A condition of which each inside may be switched, there or wherever it is asked."""
    if node.op in ("and", "or"):
        return reduce(both if node.op == "and" else either, (_loosened(part, known) for part in node.args))
    found = node
    for number in filter(None, known.get((WIDER, node), ())):
        found = either(Node(DEVIATES, (number,), bool), found)
    for number in filter(None, known.get((NARROWER, node), ())):
        found = both(negated(Node(DEVIATES, (number,), bool)), found)
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
        """Within it, the operation deviates, so that a refused call may change the state.  What it then writes at none, or above
        what a number may be, raises SpecError.  Of other operations nothing is to be asked within it."""
        self._switch(deviation.switches)
        self._deviating = deviation
        written = self._written
        if deviation.kind == FORGETS:
            forgotten = (c for c in self.components if c.name == deviation.component)
            self._written = written | {deviation.operation: [*written[deviation.operation], *forgotten]}
        try:
            yield
        finally:
            self._written = written
            self._switch((0,) * len(SWITCHES))
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
