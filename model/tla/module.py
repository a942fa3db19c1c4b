"""A scope of a specification as a module of TLA+, and what TLC is to be told about it.

What no call of the scope writes is a definition, not a variable; the rest begins as it is after the opening.  An element of a
sort is a text, and `none` one more: a map has a value there too, which is the default, so that every question has an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from ..concrete import Model, call_text
from ..graph import run, with_fresh_names
from ..language import Action, Component, Declaration, Exploration, Slot, Spec, SpecError, Type
from ..recording import AFTER, READS, Node, Recorder
from .formulas import WIDTH, Formulas, Local, assertion, bulleted, hung, indented, is_certain, listed
from .names import comment, elements
from .operations import Lines, Operations

MOST = 100
"""How many elements a sort has at most: each stands in the module by its name, and TLC tries them all."""

HELPERS = {
    "LineOf": [
        "\\* In which line of a queue an element stands, or none.",
        "LineOf(queue, element) ==",
        "    LET lines == {line \\in DOMAIN queue : \\E n \\in DOMAIN queue[line] : queue[line][n] = element}",
        "    IN  IF lines = {} THEN none ELSE CHOOSE line \\in lines : TRUE",
    ],
    "PlaceOf": [
        "\\* Its place there, 1 at the head; 0 if it stands in none.",
        "PlaceOf(queue, element) ==",
        "    LET line == LineOf(queue, element)",
        "    IN  IF line = none THEN 0 ELSE CHOOSE n \\in DOMAIN queue[line] : queue[line][n] = element",
    ],
    "HeadOf": [
        "\\* The oldest of a line, or none.",
        "HeadOf(queue, line) == IF queue[line] = <<>> THEN none ELSE Head(queue[line])",
    ],
    "Without": [
        "\\* A queue from which some elements are taken out.",
        "Without(queue, gone) == [line \\in DOMAIN queue |-> SelectSeq(queue[line], LAMBDA element : element \\notin gone)]",
    ],
    "FirstOf": [
        "\\* The first in a sequence that passes a test, or none.",
        "FirstOf(order, Test(_)) ==",
        "    LET passing == {n \\in DOMAIN order : Test(order[n])}",
        "    IN  IF passing = {} THEN none ELSE order[CHOOSE n \\in passing : \\A other \\in passing : n <= other]",
    ],
}
NEEDS = {"PlaceOf": ["LineOf"]}


class Module:
    """Prints a scope of a spec.  Raises SpecError for what cannot be printed, with the line where the text is at fault."""

    def __init__(self, spec: Spec, name: str, exploration: Exploration) -> None:
        self.spec, self.title, self.exploration = spec, name, exploration
        self.name = module_name(name)
        self.model = Model(spec, exploration.sizes, exploration.arguments)
        for kind in spec.sorts:
            size = len(self.model.domain(kind))
            if size > MOST:
                raise SpecError(f"TLA+ is printed for small scopes: at most {MOST} {kind.plural}, not {size}")
        self.formulas = Formulas(self.model)
        self.recorder = Recorder(spec)
        without = spec.left_out(exploration)
        self.actions = {n: action for n, action in spec.actions.items() if n not in without}
        self.trees = {n: self.recorder.operation(action) for n, action in self.actions.items()}
        self.opening = with_fresh_names(self.model, spec.opening(exploration))
        self.start = run(self.model, self.opening)
        written = {name for tree in self.trees.values() for name in tree.written}
        holds = [c for c in spec.components if c.kind in ("map", "queue")]
        if not holds:
            raise SpecError(f"{spec.name} has no map and no queue: there is no state that TLC could count")
        self.variables = [c for c in holds if c.name in written] or holds[:1]
        new = self.formulas.names.new
        self.fresh = {kind: (new(f"fresh_{kind.__name__}"), new(test.name)) for kind, test in spec.unused.items()}
        self.operations = {n: new(n) for n in self.actions}
        self.invariants = {n: new(n) for n in spec.invariants}
        self._asserted: dict[str, tuple[str, list[str]]] = {}

    # the whole

    @cached_property
    def text(self) -> str:
        """The module."""
        statements = [line for found in self.spec.invariants.values() for line in ["", *self._invariant(found)]]
        names = [c.name for c in self.variables]
        printer = Operations(self.formulas, names, self._asserted)
        operations: Lines = []
        for name, action in self.actions.items():
            operations += self._steps(action)
            operations += ["", *printer.definition(self.operations[name], action, self.trees[name])]
        begin = self._begin()
        rest = [*self._fresh(), *operations, "", *self._next(), *statements]
        body = [*self._constants(), *begin, *self._helpers([*begin, *rest]), *rest]
        types = [line for kind in self.spec.types if self._spoken_of(kind) for line in self.formulas.definition(kind)]
        edge = "-" * max(4, (110 - len(self.name)) // 2)
        head = [f"{edge} MODULE {self.name} {edge}", *comment(self._said()), "EXTENDS Integers, Sequences, FiniteSets, TLC", ""]
        tail = ["=" * 120]
        return "\n".join(line.rstrip() for line in [*head, 'none == "none"', *types, *body, *tail]) + "\n"

    @cached_property
    def configuration(self) -> str:
        """What TLC checks, as its configuration says it."""
        parts = [f"\\* {MARK}", "SPECIFICATION Spec", "CHECK_DEADLOCK FALSE"]
        parts += ["INVARIANTS", *indented(list(self.invariants.values()))] if self.invariants else []
        return "\n".join(parts) + "\n"

    def _said(self) -> str:
        sizes = ", ".join(f"{name}={size}" for name, size in self.model.scope.items())
        return f"{MARK}: {self.spec.name}, the scope {self.title!r}: {sizes}."

    def _spoken_of(self, kind: Type) -> bool:
        return kind in self.formulas.used.values()

    # what is defined

    def _constants(self) -> Lines:
        """What does not change: parameters, rigid maps, what no call of the scope writes, and blank outputs."""
        found, formulas = [""], self.formulas
        for component, cells in zip(self.spec.components, self.start, strict=True):
            name = formulas.component_names[component.name]
            if component.kind == "parameter":
                found.append(f"{name} == {cells[0]}")
            elif component.kind == "output":
                if component.name in formulas.blanks_used:
                    found += hung(f"{formulas.blank(component.name)} == ", formulas.table(component, cells))
            elif component not in self.variables:
                found += hung(f"{name} == ", formulas.table(component, cells))
        return found

    def _begin(self) -> Lines:
        names = [self.formulas.component_names[c.name] for c in self.variables]
        said = [call_text(self.spec.actions[name], given) for name, given in self.opening]
        words = f"As it is after {', '.join(said)}." if said else ""
        cells = dict(zip((c.name for c in self.spec.components), self.start, strict=True))
        init = [
            hung(f"{name} = ", self.formulas.table(component, cells[component.name]))
            for name, component in zip(names, self.variables, strict=True)
        ]
        declared = [line for c, name in zip(self.variables, names, strict=True) for line in [f"    {name},  \\* {_kind(c)}"]]
        declared[-1] = declared[-1].replace(",  \\*", "   \\*", 1)
        return [
            "",
            "VARIABLES",
            *declared,
            "",
            *listed("vars == <<", names, ">>"),
            "",
            *comment(words),
            "Init ==",
            *indented(bulleted("/\\", init)),
        ]

    def _helpers(self, rest: Iterable[str]) -> Lines:
        whole = "\n".join(rest)
        wanted = {name for name in HELPERS if re.search(rf"\b{name}\(", whole)}
        wanted |= {other for name in wanted for other in NEEDS.get(name, ())}
        return [line for name, lines in HELPERS.items() if name in wanted for line in ["", *lines]]

    def _fresh(self) -> Lines:
        found: Lines = []
        for kind in {slot.type: None for action in self.actions.values() for slot in action.slots if slot.fresh}:
            test = self.spec.unused[kind]
            fresh, unused = self.fresh[kind]
            (variable,), free = self.recorder.statement(test)
            local = self.formulas.local = Local(self.formulas.names)
            with local.binding([variable]):
                found += ["", *comment(test.text), *_defined(f"{unused}({local.bound[variable]}) ==", self.formulas.lines(free))]
            names = elements(kind, self.model.domain(kind))[len(kind.constants) :]
            order = f"{fresh} == FirstOf(<<{', '.join(names)}>>, {unused})"
            found += ["", f"\\* The least {kind.__name__} that is not in use, or none.", order]
        return found

    def _call(self, action: Action) -> tuple[str, str, list[Slot]]:
        """A call of an operation: the ranges of what is chosen, the call, and the names that it is given out."""
        local = self.formulas.local = Local(self.formulas.names)
        local.arguments.update({slot.name: self.fresh[slot.type][0] for slot in action.slots if slot.fresh})
        names = {slot.name: local.argument(slot.name) for slot in action.slots}
        chosen = [f"{names[s.name]} \\in {self.formulas.choices(s)}" for s in action.slots if not s.fresh]
        called = self.operations[action.name] + (f"({', '.join(names.values())})" if names else "")
        return ", ".join(chosen), called, [s for s in action.slots if s.fresh and s.type.endless]

    def _next(self) -> Lines:
        calls = []
        for action in self.actions.values():
            chosen, called, endless = self._call(action)
            parts = [f"{self.fresh[s.type][0]} # none" for s in endless]
            whole, head = " /\\ ".join([*parts, called]), f"\\E {chosen} :"
            short = len(head) + len(whole) < WIDTH
            calls.append([whole] if not chosen else [f"{head} {whole}"] if short else [head, *indented([whole])])
        return ["Next ==", *indented(bulleted("\\/", calls or [["UNCHANGED vars"]])), "", "Spec == Init /\\ [][Next]_vars"]

    # statements

    def _invariant(self, declaration: Declaration) -> Lines:
        over, holds = self.recorder.statement(declaration)
        self.formulas.local = Local(self.formulas.names)
        lines = self.formulas.lines(self._for_all(over, holds))
        return [*comment(declaration.text), *_defined(f"{self.invariants[declaration.name]} ==", lines)]

    @staticmethod
    def _for_all(over: Sequence[Node], holds: Node) -> Node:
        for variable in reversed(over):
            holds = Node("forall", (variable, holds), bool)
        return holds

    def _steps(self, action: Action) -> Lines:
        """The definition of what is asserted of every call of an operation that takes effect: the step properties."""
        said, outputs = [], {c.name for c in self.spec.components if c.kind == "output"}
        for declaration in self.spec.step_properties.values():
            over, holds = self.recorder.step(declaration, action, self.trees[action.name].written)
            if not is_certain(holds):
                said.append((f"{declaration.name}: {declaration.text}", self._for_all(over, holds)))
        if not said:
            return []
        reads = {n.args[1] for _, node in said for n in node.within() if n.op in READS and n.args[0] == AFTER}
        told = [c.name for c in self.spec.components if c.name in reads & outputs]
        name = self.formulas.names.new(f"{action.name}_keeps")
        self._asserted[action.name] = name, told
        local = self.formulas.local = Local(self.formulas.names)
        given = [local.argument(slot.name) for slot in action.slots]
        for output in told:
            local.outputs[output] = local.names.new(output)
        items = [assertion(self.formulas.lines(node, WIDTH - 14), text) for text, node in said]
        parameters = ", ".join([*given, *local.outputs.values()])
        head = f"{name}({parameters}) ==" if parameters else f"{name} =="
        return ["", f"\\* What a step of {self.operations[action.name]} has to keep.", head, *indented(bulleted("/\\", items))]


MODULES = "Integers Naturals Reals Sequences FiniteSets Bags TLC TLCExt Toolbox Randomization Json"
"""The modules that come with TLC."""

MARK = "Generated by oneowner"
"""By which a file is known that may be written again."""


def module_name(name: str) -> str:
    """The name of the module, and of its files, for a scope."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return plain if re.match(r"[A-Za-z]", plain) and plain not in MODULES.split() else f"scope_{plain}"


def _kind(component: Component) -> str:
    keys = ", ".join(kind.__name__ for kind in component.keys)
    return f"{'a queue of' if component.kind == 'queue' else component.value.__name__ + ' by'} " + (
        f"{component.value.__name__} by {keys}" if component.kind == "queue" else keys
    )


def _defined(head: str, lines: Sequence[str]) -> Lines:
    """A definition, on one line if it is short."""
    flat = f"{head} {lines[0]}"
    return [flat] if len(lines) == 1 and len(flat) <= 118 else [head, *indented(lines)]
