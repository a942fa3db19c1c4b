"""A part of a printed specification: what some of its operations can bring about, as static functions of one source file.

An element of a sort that has handles is known by its handle; the last element of such a sort never lives, and stands for every
handle that is dead or was never given out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence

from ..concrete import Model
from ..language import (
    EFFECTIVE,
    Action,
    Component,
    Declaration,
    EachWaiter,
    Slot,
    Spec,
    SpecError,
    Type,
    answer_fields,
    is_enumeration,
    is_sort,
)
from ..recording import (
    READS,
    TRUE,
    Block,
    Check,
    Leaf,
    Node,
    OfLate,
    Recorder,
    Still,
    Survey,
    conjuncts,
    disjuncts,
    shown,
    tree,
    without_unread,
)
from .cells import check_room
from .printer import Printer


class Part(Printer):
    """Prints some of a spec's operations, in a scope of so many elements as there are handles for."""

    def __init__(self, spec: Spec, scope: Mapping[str, int], names: Collection[str], *, lines: bool = False) -> None:
        self.given = spec.scope(scope)
        self._reads: dict[str, set[str]] = {}
        self.actions = {name: action for name, action in spec.actions.items() if name in names}
        shown = {slot.type for action in self.actions.values() for slot in action.slots}
        shown |= {kind for action in self.actions.values() for _, kind in answer_fields(action.answer)}
        self.handled = [kind for kind in spec.unused if kind.handles and kind in shown]
        model = Model(spec, self.given | {kind.plural: self.given[kind.plural] + 1 for kind in self.handled})
        check_room(model)
        super().__init__(model, lines=lines)
        self._record()
        self.most_arguments = max([1, *(len(self.asked(a)) for a in self.actions.values())])
        self.most_parts = max([1, *(len(answer_fields(a.answer)) for a in self.actions.values())])

    def _record(self) -> None:
        """Record all, again as long as something turns out to be written that was taken not to be."""
        still = {c.name for c in self.spec.components if c.kind not in ("rigid", "parameter")}
        begin = Action("begin", self.spec.initial, ())
        while True:
            recorder = Still(self.spec, still)
            self.begin = without_unread(recorder.operation(begin))
            self.trees = {name: without_unread(recorder.operation(action)) for name, action in self.actions.items()}
            if not recorder.moved:
                break
            still -= recorder.moved
        self.recorder, self.still = recorder, still
        self.surveys = {name: Survey(self.spec, still).operation(action) for name, action in self.actions.items()}
        self.late, self.late_clauses = Block(), list[tuple[str, str]]()
        self.waiter: Slot | None = None
        if self.spec.late is not None:
            if not isinstance(self.spec.late, EachWaiter):
                raise SpecError(
                    f"{self.spec.name}: its late answers are told by a function that cannot be recorded: say them of one waiter, "
                    "with @each_waiter"
                )
            of_late = OfLate(self.spec, still)
            self.late = of_late.of(self.spec.late)
            self.late_clauses, self.waiter = of_late.clauses, self.spec.late.slot

    # what there is

    @staticmethod
    def _size(kind: Type) -> str:
        return f"OO_LAST_{kind.plural.upper()}"

    @staticmethod
    def asked(action: Action) -> list[Slot]:
        """The parameters that a call gives."""
        return [slot for slot in action.slots if not slot.fresh]

    def fields(self) -> Iterator[tuple[Component, str, list[str]]]:
        """The arrays of a state."""
        return (each for each in super().fields() if each[0].name not in self.still)

    def sorts(self) -> list[Type]:
        """The sorts that the state and the calls have to do with."""
        kinds = {kind for component, _, _ in self.fields() for kind in (*component.keys, component.value)}
        kinds |= {slot.type for action in self.actions.values() for slot in action.slots}
        return [kind for kind in self.spec.sorts if kind in kinds]

    def digest(self) -> str:
        """A fingerprint of what the whole specification says, whichever operations and sizes are printed."""
        recorder, lines = Recorder(self.spec), list[str]()
        for name, action in self.spec.actions.items():
            lines += [name, *tree(recorder.operation(action))]
        for statement in self.spec.invariants.values():
            lines += [statement.name, shown(recorder.statement(statement)[1])]
        for step in self.spec.step_properties.values():
            for action in self.spec.actions.values():
                lines += [step.name, action.name, shown(recorder.step(step, action, [c.name for c in self.spec.components])[1])]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def invariants_of(self, written: Collection[str]) -> list[str]:
        """The invariants that a write of some components can break."""
        return [name for name, read in self._reads.items() if read & set(written)]

    def exits(self) -> list[str]:
        """All exits, in the order of their numbers; those of late answers too, and those that never come first."""
        blocks = (block for survey in self.surveys.values() for block in survey.within())
        permitted = [s.text for block in blocks for s in block.statements if isinstance(s, Check)]
        return list(dict.fromkeys([*super().exits(), *permitted, *(exit for _, exit in self.late_clauses)]))

    def constants(self) -> list[tuple[Type, str, int]]:
        """What is there from the beginning, and has a handle: its sort, its name, its element."""
        return [(kind, constant.name, int(constant)) for kind in self.handled for constant in kind.constants]

    # the text

    def _begin(self, comment: str, head: str) -> None:
        super()._begin(comment, head if head.startswith(("static", "void", "enum")) else f"static {head}")

    def _rigid_maps(self) -> None:
        for position, component in enumerate(self.spec.components):
            if component.kind != "rigid":
                continue
            cells, sizes = self.model.blank()[position], "".join(f"[{d}]" for d in self._dimensions(component.keys))
            macro, kinds = f"OO_R_{component.name.upper()}", [k for k in component.keys if is_sort(k)]
            other = " || ".join(f"OO_N_{k.plural.upper()} != {self.given[k.plural]}" for k in kinds)
            of_what = ", ".join(f"{self.given[k.plural]} {k.plural}" for k in kinds)
            self.out += [f"#ifndef {macro}"]
            if other:
                self.out += [f"#if {other}", f'#error "{component.name} is known of {of_what}: define {macro} too"', "#endif"]
            self.out += [f"#define {macro} {self._table(component, cells)}", "#endif"]
            self.out += [f"static const uint8_t oo_rigid_{component.name}{sizes} = {macro};"]

    def _fresh(self, kind: Type) -> None:
        test = self.spec.unused[kind]
        fresh = any(slot.fresh and slot.type is kind for action in self.actions.values() for slot in action.slots)
        if not fresh and not any(kind in self._given_up(block.written) for block in self.trees.values()):
            return
        (variable,), free = self.recorder.statement(test)
        name, lower = self._variable(variable), kind.__name__.lower()
        self._begin(
            test.text or f"Whether a {kind.__name__} is not in use.",
            f"int oo_unused_{lower}(const struct oo_state *before, int {name})",
        )
        self._unused_arguments(["before", name])
        self._line(f"return {self._expression(free)};")
        self._end()
        if fresh:
            self._begin(
                f"The least {kind.__name__} that is not in use, or 0.", f"int oo_fresh_{lower}(const struct oo_state *before)"
            )
            self._open(f"for (int each = {len(kind.constants) + 1}; each <= OO_N_{kind.plural.upper()}; each++) {{")
            self._line(f"if (oo_unused_{lower}(before, each))")
            self._line("    return each;")
            self._close()
            self._line("return 0;")
            self._end()

    def _initial(self) -> None:
        self._begin(
            "The initial state, of one in which all is at its default.", "int oo_initial(struct oo_state *now, uint64_t *answer)"
        )
        self._line("const struct oo_state *before = now;")
        self._unused_arguments(["before", "now", "answer"])
        self._block(self.begin, True)
        self._end()

    def _operation(self, action: Action, block: Block) -> None:
        states = "const struct oo_state *before, struct oo_state *now, uint64_t *answer"
        self._begin(action.text, f"int oo_do_{action.name}({states}{self.parameters(action)})")
        self._unused_arguments(["before", "now", "answer", *(self._argument(s.name) for s in action.slots)])
        # what writes nothing leaves no state after
        self._block(block, not block.written)
        self._end()

    def refusals(self, name: str) -> list[str]:
        """What an operation may be refused with."""
        return [exit for exit in self.trees[name].exits if exit not in EFFECTIVE]

    def _permitted(self, action: Action) -> None:
        if len(self.refusals(action.name)) < 2:
            return
        self._begin(
            f"Whether the condition of a refusal of {action.name} applies, be it the first or not.",
            f"int oo_permitted_{action.name}(const struct oo_state *before, int exit{self.parameters(action)})",
        )
        self._unused_arguments(["before", "exit", *(self._argument(s.name) for s in action.slots)])
        self._permit(self.surveys[action.name])
        self._end()

    def _permit(self, block: Block) -> None:
        for check in (s for s in block.statements if isinstance(s, Check)):
            self._line(f"if (exit == OO_{check.text.upper()} && !{self._expression(check.condition)})")
            self._line("    return 1;")
        end = block.end
        if isinstance(end, Leaf) or not any(each.statements for side in (end.yes, end.no) for each in side.within()):
            self._line("return 0;")
            return
        condition, known = self._expression(end.condition), dict(self._known)
        self._open(f"if ({condition}) {{")
        self._permit(end.yes)
        self._close()
        self._known = known
        self._permit(end.no)

    def _late(self) -> None:
        assert self.waiter is not None
        states = "const struct oo_state *before, const struct oo_state *after, uint64_t *answer"
        self._begin(
            "Which late clause a step comes to for one waiter, from 1, or 0, with its answer behind it.",
            f"int oo_late_of({states}, int {self._argument(self.waiter.name)})",
        )
        self._unused_arguments(["before", "after", "answer"])
        self._block(self.late, True)
        self._end()

    def _statement(self, declaration: Declaration) -> None:
        over, holds = self.recorder.statement(declaration)
        read = {n.args[1] for n in holds.within() if n.op in READS}
        if holds is TRUE or not any(read & block.written for block in self.trees.values()):
            return
        self._reads[declaration.name] = read
        self._begin(declaration.text, f"int oo_holds_{declaration.name}(const struct oo_state *before)")
        self._unused_arguments(["before"])
        self._for_all(over, holds)

    def _for_all(self, over: Sequence[Node], holds: Node) -> None:
        # part by part, each for all of the variables that it speaks of; where a sort has no elements, nothing is said
        for part in conjuncts(holds):
            known, depth = dict(self._known), self.indent
            spoken = [variable for variable in over if variable in part.free]
            some = [self._size(v.type) for v in over if v not in spoken and is_sort(v.type) and v.type not in self.handled]
            # what is true of few variables is asked before the others range
            ways = sorted(dict.fromkeys(disjuncts(part)), key=lambda way: len(way.free & set(spoken)))
            bound = set[Node]()
            for way in ways:
                for variable in spoken:
                    if variable in way.free - bound:
                        self._open(self._loop(variable))
                        bound.add(variable)
                last = way is ways[-1]
                test = " && ".join([*(some if last else []), f"!{self._expression(way)}"])
                if last:
                    self._line(f"if ({test})")
                    self._line("    return 0;")
                elif bound:
                    self._line(f"if ({self._expression(way)})")
                    self._line("    continue;")
                else:
                    self._open(f"if ({test}) {{")
            while self.indent > depth:
                self._close()
            self._known = known
        self._line("return 1;")
        self._end()

    def _expression(self, node: Node) -> str:
        # a line's length asks of its elements without `read`
        if node.op == "of" and node.args[1] in self.still:
            return "0"
        if node.op == "const" and is_enumeration(node.type):
            return f"OO_{node.type.__name__.upper()}_{node.type(node.args[0]).name}"
        return super()._expression(node)

    def _given_up(self, written: Collection[str]) -> list[Type]:
        """The sorts of which an element may go out of use, with its handle, when some components are written."""
        tests = {kind: self.recorder.statement(self.spec.unused[kind])[1] for kind in self.handled}
        return [kind for kind, free in tests.items() if any(n.op in READS and n.args[1] in written for n in free.within())]
