"""The printed specification as an oracle for somebody's own tree: it keeps the state beside an implementation, call by call.

The implementation knows things by handles, which the oracle ties to elements where an answer first shows them.
"""

from __future__ import annotations

from collections.abc import Collection

from ..language import (
    OK,
    Action,
    Slot,
    Type,
    answer_fields,
    is_enumeration,
    is_sort,
)
from ..recording import Block
from .cells import c_name
from .part import Part
from .printer import ILL_DEFINED

BIGGEST = 1 << 24
"""The largest number that a call may have as an argument, so that no sum overflows."""

IN_CALL, IN_ANSWER = ("operation", "arguments"), ("exit", "parts", "late", "lates")
"""What the structs have beside a member an operation."""


def member(name: str, taken: Collection[str]) -> str:
    """The member of a struct that is an operation's."""
    return f"{name}_" if name in taken else c_name(name)


class Oracle(Part):
    """Prints the oracle."""

    def text(self, *, steps: bool = True) -> str:
        """The source; the header is another text."""
        self.out, self.checks, self._reads = ['#include "oneowner.h"', ""], [], {}
        self._rigid_maps()
        for kind in self.spec.unused:
            self._fresh(kind)
        self._handles()
        self._initial()
        for name, action in self.actions.items():
            self._operation(action, self.trees[name])
            self._permitted(action)
        if self.late_clauses:
            self._late()
        self.out += ["", "#if OO_STATEMENTS"]
        for invariant in self.spec.invariants.values():
            self._statement(invariant)
        for action in self.actions.values():
            self._steps(action)
        self.out += ["", "#endif"]
        if self.late_clauses:
            self._check_late()
        for action in self.actions.values():
            self._check_call(action, self.trees[action.name])
        self._dispatch()
        self._texts()
        return "\n".join(self.out) + "\n"

    def _handles(self) -> None:
        if not self.handled:
            return
        self._begin(
            "The element that a handle stands for; the last one, if it is dead or was never given out.",
            "int oo_element(const uint64_t *handles, int count, uint64_t handle)",
        )
        self._line("for (int each = 1; handle && each <= count; each++)")
        self._line("    if (handles[each] == handle)")
        self._line("        return each;")
        self._line("return count + 1;")
        self._end()
        if not any(kind in self.handled for action in self.actions.values() for _, kind in answer_fields(action.answer)):
            return
        self._begin(
            "Whether a handle is that of an element; where it has none yet, this one is, if it is nobody's.",
            "int oo_tied(uint64_t *handles, int count, uint64_t element, uint64_t handle)",
        )
        self._line("if (!element || element > (uint64_t)count)")
        self._line("    return element == handle;")
        self._line("if (handles[element])")
        self._line("    return handles[element] == handle;")
        self._line("if (!handle || oo_element(handles, count, handle) <= count)")
        self._line("    return 0;")
        self._line("handles[element] = handle;")
        self._line("return 1;")
        self._end()

    # the check of a call

    def _check_call(self, action: Action, block: Block) -> None:
        written = block.written
        oracle = "struct oo_oracle *oracle, const struct oo_call *call, const struct oo_answer *answer"
        self._begin(f"A call of {action.name} and its answer.", f"enum oo_verdict oo_check_{action.name}({oracle})")
        self.out[-2] = f"static {self.out[-2]}"
        self._line("const struct oo_state *before = &oracle->states[oracle->current];")
        if written:
            self._line("struct oo_state *after = &oracle->states[!oracle->current];")
        self._line("(void)call;")
        for slot in action.slots:
            self._take(action, slot)
        given = "".join(f", {self._argument(slot.name)}" for slot in action.slots)
        after = "after" if written else "0"
        self._line(f"int exit = oo_do_{action.name}(before, {after}, oracle->parts{given});")
        self._line("oracle->expected = exit;")
        self._ill_defined(action)
        permitted = f"oo_permitted_{action.name}(before, answer->exit{given})"
        several = len(self.refusals(action.name)) > 1
        self._line("if (answer->exit != exit)")
        lenient = f"exit > OO_SUSPENDED && !oracle->strict && {permitted} ? OO_AGREES : " if several else ""
        self._line(f"    return {lenient}OO_WRONG_EXIT;")
        self._line("if (exit > OO_SUSPENDED)")
        self._line(f"    return {'answer->lates ? OO_LATE_UNEXPECTED : ' if self.late_clauses else ''}OO_AGREES;")
        fields = answer_fields(action.answer)
        if fields and OK in block.exits:
            wrong = [f"!{self._same(kind, f'oracle->parts[{n}]', f'answer->parts[{n}]')}" for n, (_, kind) in enumerate(fields)]
            self._line(f"if (exit == OO_OK && ({' || '.join(wrong)}))")
            self._line("    return OO_WRONG_ANSWER;")
        self._came_late(written)
        after = "after" if written else "before"
        self.out.append("#if OO_STATEMENTS")
        for name in self.invariants_of(written):
            self._line(f"if (!oo_holds_{name}({after}))")
            self._line(f"    return OO_INVARIANT_{name.upper()};")
        self._line(f"int broken = oo_step_of_{action.name}(before, {after}{given});")
        self._line("if (broken)")
        self._line(f"    return (enum oo_verdict)({len(self.verdicts()) - len(self.spec.step_properties) - 1} + broken);")
        self.out.append("#endif")
        if written:
            self._adopt(written)
        self._line("return OO_AGREES;")
        self._end()

    def _take(self, action: Action, slot: Slot) -> None:
        """An argument as the operation takes it; what no call can have is refused."""
        kind, name, lower = slot.type, self._argument(slot.name), getattr(slot.type, "__name__", "").lower()
        said = f"call->{member(action.name, IN_CALL)}.{c_name(slot.name)}"
        if slot.fresh:
            self._line(f"int {name} = oo_fresh_{lower}(before);")
            return
        if slot.subset:
            self._line(f"uint64_t {name} = {said};")
            self._refuse(f"{name} & ~(((UINT64_C(1) << OO_N_{kind.plural.upper()}) - 1) << 1)")
            return
        if kind in self.handled:
            handles = f"oo_element(oracle->handles.{c_name(lower)}, OO_N_{kind.plural.upper()}, {said})"
            self._line(f"int {name} = {f'{said} ? {handles} : 0' if slot.optional else handles};")
            return
        most = "1" if kind is bool else str(BIGGEST) if kind is int else f"{len(kind) - 1}" if is_enumeration(kind) else ""
        most = most or f"OO_N_{kind.plural.upper()}"
        self._refuse(f"{said} > {most}" + (f" || !{said}" if is_sort(kind) and not slot.optional else ""))
        self._line(f"int {name} = (int){said};")

    def _refuse(self, condition: str) -> None:
        self._line(f"if ({condition})")
        self._line("    return OO_BAD_CALL;")

    def _ill_defined(self, action: Action) -> None:
        self._open(f"if (exit == {ILL_DEFINED}) {{")
        self._line("oracle->undefined = (int)oracle->parts[0];")
        scarce = " || ".join(f"!{self._argument(s.name)}" for s in action.slots if s.fresh and s.type.endless)
        self._line(f"return {f'{scarce} ? OO_NO_ROOM : ' if scarce else ''}OO_UNDEFINED;")
        self._close()

    def _same(self, kind: Type, expected: str, got: str) -> str:
        if kind in self.handled:
            handles = f"oracle->handles.{c_name(kind.__name__.lower())}, OO_N_{kind.plural.upper()}"
            return f"oo_tied({handles}, {expected}, {got})"
        return f"({expected} == {got})"

    def _came_late(self, written: Collection[str]) -> None:
        if not self.late_clauses:
            return
        if not any(self.components[name].kind == "output" for name in written):
            self._line("if (answer->lates)")
            self._line("    return OO_LATE_UNEXPECTED;")
            return
        self._line("enum oo_verdict late = oo_check_late(oracle, before, after, answer);")
        self._line("if (late != OO_AGREES)")
        self._line("    return late;")

    def _adopt(self, written: Collection[str]) -> None:
        """Let the state after be the state, without outputs; handles of what is not in use any more are nobody's."""
        for name in sorted(n for n in written if self.components[n].kind == "output"):
            self._line(f"for (unsigned n = 0; n < sizeof after->{c_name(name)}; n++)")
            self._line(f"    ((uint8_t *)after->{c_name(name)})[n] = 0;")
        self._line("oracle->current = !oracle->current;")
        for kind in self._given_up(written):
            lower = kind.__name__.lower()
            self._line(f"for (int each = {len(kind.constants) + 1}; each <= OO_N_{kind.plural.upper()}; each++)")
            self._line(f"    if (oracle->handles.{c_name(lower)}[each] && oo_unused_{lower}(after, each))")
            self._line(f"        oracle->handles.{c_name(lower)}[each] = 0;")

    def _check_late(self) -> None:
        """The late answers of a step against those that it must bring."""
        assert self.waiter is not None
        kind = self.waiter.type
        lower, count = kind.__name__.lower(), f"OO_N_{kind.plural.upper()}"
        states = "struct oo_oracle *oracle, const struct oo_state *before, const struct oo_state *after"
        self._begin(
            "The answers to suspended calls that a step brought, against those that it must bring.",
            f"enum oo_verdict oo_check_late({states}, const struct oo_answer *answer)",
        )
        self.out[-2] = f"static {self.out[-2]}"
        self._line("int brought = 0;")
        self._open(f"for (int waiter = 1; waiter <= {count}; waiter++) {{")
        self._line("uint64_t parts[OO_MOST_PARTS] = {0};")
        self._line("int clause = oo_late_of(before, after, parts, waiter) == OO_OK ? (int)parts[0] : 0;")
        self._line("if (!clause)")
        self._line("    continue;")
        self._line("brought++;")
        handle = f"oracle->handles.{c_name(lower)}[waiter]" if kind in self.handled else "waiter"
        self._line(f"oracle->waiter = {handle};")
        self._line("const struct oo_late *late = 0;")
        self._line("for (int n = 0; n < answer->lates; n++)")
        self._line("    if (answer->late[n].waiter == oracle->waiter)")
        self._line("        late = &answer->late[n];")
        self._line("if (!late)")
        self._line("    return OO_LATE_MISSING;")
        self._open("switch (clause) {")
        for number, (operation, exit) in enumerate(self.late_clauses, 1):
            self._line(f"case {number}: /* {operation}: {exit} */")
            self._line(f"    if (late->exit != OO_{exit.upper()})")
            self._line("        return OO_LATE_WRONG_EXIT;")
            kinds = [part for _, part in answer_fields(self.spec.actions[operation].answer)] if exit == OK else []
            for n, part in enumerate(kinds):
                self._line(f"    if (!{self._same(part, f'parts[{n + 1}]', f'late->parts[{n}]')})")
                self._line("        return OO_LATE_WRONG_ANSWER;")
            self._line("    break;")
        self._close()
        self._close()
        self._line("return answer->lates == brought ? OO_AGREES : OO_LATE_UNEXPECTED;")
        self._end()

    def _dispatch(self) -> None:
        constants = self.constants()
        given = "".join(f", uint64_t {c_name(name)}" for _, name, _ in constants)
        self._begin("Begin anew, in the initial state.", f"void oo_begin(struct oo_oracle *oracle{given})")
        self._line("*oracle = (struct oo_oracle){0};")
        self._line("oo_initial(&oracle->states[0], oracle->parts);")
        for component in self.spec.components:
            if component.kind == "rigid":
                self._line(f"(void)oo_rigid_{component.name};")
        for kind, name, element in constants:
            self._line(f"oracle->handles.{c_name(kind.__name__.lower())}[{element}] = {c_name(name)};")
        self._end()
        oracle = "struct oo_oracle *oracle, const struct oo_call *call, const struct oo_answer *answer"
        self._begin("Hold a call and its answer against the specification.", f"enum oo_verdict oo_check({oracle})")
        self._open("switch (call->operation) {")
        for name in self.actions:
            self._line(f"case OO_CALL_{name.upper()}:")
            self._line(f"    return oo_check_{name}(oracle, call, answer);")
        self._close()
        self._line("return OO_BAD_CALL;")
        self._end()

    def verdicts(self) -> dict[str, str]:
        """What a check may come to, in the order of the numbers, with a name for people."""
        late = {
            "OO_LATE_MISSING": "a suspended call is not answered",
            "OO_LATE_UNEXPECTED": "a suspended call is answered too early",
            "OO_LATE_WRONG_EXIT": "another outcome of a suspended call",
            "OO_LATE_WRONG_ANSWER": "another answer to a suspended call",
        }
        return {
            "OO_AGREES": "agrees",
            "OO_WRONG_EXIT": "another outcome",
            "OO_WRONG_ANSWER": "another answer",
            **(late if self.late_clauses else {}),
            "OO_BAD_CALL": "no such operation, or no such argument",
            "OO_NO_ROOM": "the oracle is built too small",
            "OO_UNDEFINED": "the specification does not say",
            **{f"OO_INVARIANT_{name.upper()}": f"the invariant {name}" for name in self.spec.invariants},
            **{f"OO_STEP_{name.upper()}": f"the property of a step {name}" for name in self.spec.step_properties},
        }

    def _texts(self) -> None:
        for name, texts in (
            ("oo_operation_name", list(self.actions)),
            ("oo_exit_name", self.exits()),
            ("oo_verdict_name", list(self.verdicts().values())),
            ("oo_undefined_text", self.checks or [""]),
        ):
            self.out += ["", f"const char *const {name}[] = {{", *(f'    "{text}",' for text in texts), "};"]
