"""The recording printed as C11: freestanding, no allocation, sizes as macros, so that one text serves every scope.

A state is a struct of bytes, a cell each: a map has the shape that the concrete reading gives it, with a cell for none, which
holds the default, so that a read needs no test.  A queue has of each element its line and its rank from 0.  Loops are written
out before the expression that needs them: expressions have no effect, so that it does not matter when they are computed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from ..concrete import Model
from ..language import (
    EFFECTIVE,
    Action,
    Component,
    Declaration,
    Spec,
    SpecError,
    Type,
    is_enumeration,
    is_sort,
)
from ..recording import NOW, TRUE, Block, Branch, Check, Leaf, Let, Node, Place, Recorder, Write, refuses, trees
from .cells import MOST, c_name, check_room, initializer

ILL_DEFINED = "OO_ILL_DEFINED"
INFIX = {"eq": "==", "lt": "<", "le": "<=", "add": "+", "sub": "-", "and": "&&", "or": "||"}
HEAD = """\
/* {name}: generated from its specification; a change belongs there.
 *
 * An operation takes the state before and writes the state after, if it takes effect; it returns the exit.  An element of a sort
 * is its number from 1, none is 0; a subset is a word in which bit n is element n.  Nothing here allocates, or calls anything.
 */
#include <stdint.h>
"""


class Printer:
    """Prints a spec; the sizes of `model` are those that the macros have where nobody says otherwise, and its rigid maps are
    printed as they are in its scope."""

    def __init__(self, model: Model, *, lines: bool = False) -> None:
        self.model, self.spec, self.with_places = model, model.spec, lines
        self.recorder = Recorder(self.spec)
        self.components = {c.name: c for c in self.spec.components}
        self.trees = trees(self.spec)
        self.checks: list[str] = []
        self.out: list[str] = []
        self.indent = 0
        self._names = 0
        self._known: dict[Node, str] = {}
        self._at = Place()

    def text(self, *, steps: bool = True) -> str:
        """The whole; without `steps`, all but the statements of a step, which are most of it."""
        self._operations()
        for invariant in self.spec.invariants.values():
            self._statement(invariant)
        for action in self.spec.actions.values() if steps else ():
            self._steps(action)
        return "\n".join(self.out) + "\n"

    def _operations(self) -> None:
        """Begin a text, with all operations and fresh names."""
        self.out, self.checks = [], []
        self._header()
        for name, action in self.spec.actions.items():
            self._operation(action, self.trees[name])
        for kind in self.spec.unused:
            self._fresh(kind)

    def exits(self) -> list[str]:
        """All exits, in the order of their numbers."""
        found = dict.fromkeys(EFFECTIVE)
        for tree in self.trees.values():
            found.update(dict.fromkeys(tree.exits))
        return list(found)

    def _header(self) -> None:
        self.out += HEAD.format(name=self.spec.name).split("\n")
        self._sizes()
        self.out += ["", "enum oo_exit {", f"    {ILL_DEFINED} = -1,"]
        self.out += [f"    OO_{exit.upper()}," for exit in self.exits()]
        self.out += ["};", ""]
        for kind in {k: None for c in self.spec.components for k in (*c.keys, c.value) if is_enumeration(k)}:
            members = ", ".join(f"OO_{kind.__name__.upper()}_{member.name}" for member in kind)
            self.out += [f"enum oo_{kind.__name__.lower()} {{ {members} }};"]
        self.out += ["", "struct oo_state {"]
        for _, field, dimensions in self.fields():
            self.out.append(f"    uint8_t {field}{''.join(f'[{d}]' for d in dimensions)};")
        self.out += ["};", ""]
        self._rigid("const")

    def _sizes(self) -> None:
        """The sizes of the scope, as macros."""
        for kind in self.spec.sorts:
            self._macro(self._size(kind), self.model.scope[kind.plural])
        self._macro("OO_N_NUMBERS", self.model.scope["numbers"])
        for component in self.spec.components:
            if component.kind == "parameter":
                self._macro(f"OO_P_{component.name.upper()}", self.model.scope[component.name])

    def _rigid(self, kept: str) -> None:
        """The rigid maps, declared as is said."""
        for position, component in enumerate(self.spec.components):
            if component.kind == "rigid":
                cells = self.model.blank()[position]
                sizes = "".join(f"[{d}]" for d in self._dimensions(component.keys))
                self.out.append(f"{kept} uint8_t oo_rigid_{component.name}{sizes} = {self._table(component, cells)};")

    def _macro(self, name: str, value: int) -> None:
        self.out += [f"#ifndef {name}", f"#define {name} {value}", "#endif"]

    def _table(self, component: Component, cells: Sequence[Any]) -> str:
        return initializer(self.model.shape(component), [int(value) for value in cells])

    @staticmethod
    def _size(kind: Type) -> str:
        return f"OO_N_{kind.plural.upper()}"

    def _dimensions(self, kinds: Sequence[Type]) -> list[str]:
        return [f"{self._size(k)} + 1" if is_sort(k) else str(len(k)) for k in kinds]

    def fields(self) -> Iterator[tuple[Component, str, list[str]]]:
        """The arrays of a state, in order: of which component, by which name, of which size."""
        for component in self.spec.components:
            if component.kind in ("map", "output"):
                yield component, c_name(component.name), self._dimensions(component.keys)
            elif component.kind == "queue":
                for part in ("line", "rank"):
                    yield component, f"{component.name}_{part}", self._dimensions([component.value])

    # functions

    def _begin(self, comment: str, head: str) -> None:
        self._known, self._at, self.indent = {}, Place(), 1
        words = " ".join(comment.replace("*/", "* /").split())
        self.out += ["", f"/* {words} */", head, "{"]

    def _end(self) -> None:
        self.out.append("}")

    def parameters(self, action: Action) -> str:
        """The parameters of an operation in C."""
        return "".join(f", {'uint64_t' if s.subset else 'int'} {self._argument(s.name)}" for s in action.slots)

    @staticmethod
    def _argument(name: str) -> str:
        return f"a_{name}"

    states_given: tuple[str, ...] = ("const struct oo_state *before", "struct oo_state *now", "uint64_t *answer")

    def _operation(self, action: Action, tree: Block) -> None:
        self._begin(action.text, f"int oo_{action.name}({', '.join(self.states_given)}{self.parameters(action)})")
        names = [each.rpartition(" ")[2].lstrip("*") for each in self.states_given]
        self._unused_arguments([*names, *(self._argument(s.name) for s in action.slots)])
        self._block(tree, False)
        self._end()

    def _unused_arguments(self, names: Sequence[str]) -> None:
        self._line(" ".join(f"(void){name};" for name in names))

    def _fresh(self, kind: Type) -> None:
        test = self.spec.unused[kind]
        (variable,), free = self.recorder.statement(test)
        self._begin(
            f"The least {kind.__name__} that is not in use, or 0.",
            f"int oo_fresh_{kind.__name__.lower()}(const struct oo_state *before)",
        )
        self._unused_arguments(["before"])
        name = self._variable(variable)
        self._open(f"for (int {name} = {len(kind.constants) + 1}; {name} <= {self._size(kind)}; {name}++) {{")
        self._line(f"if ({self._expression(free)})")
        self._line(f"    return {name};")
        self._close()
        self._line("return 0;")
        self._end()

    def _statement(self, declaration: Declaration) -> None:
        over, holds = self.recorder.statement(declaration)
        self._begin(declaration.text, f"int oo_holds_{declaration.name}(const struct oo_state *before)")
        self._unused_arguments(["before"])
        self._for_all(over, holds)

    def _steps(self, action: Action) -> None:
        """Which step property a call breaks.  Those that say nothing of its operation are left out."""
        states = "const struct oo_state *before, const struct oo_state *after"
        arguments = [self._argument(s.name) for s in action.slots]
        written, asked = self.trees[action.name].written, []
        for number, declaration in enumerate(self.spec.step_properties.values(), 1):
            over, holds = self.recorder.step(declaration, action, written)
            if holds is TRUE:
                continue
            name = f"step_{declaration.name}_of_{action.name}"
            asked.append((number, name))
            self._begin(declaration.text, f"static int {name}({states}{self.parameters(action)})")
            self._unused_arguments(["before", "after", *arguments])
            self._for_all(over, holds)
        head = f"int oo_step_of_{action.name}({states}{self.parameters(action)})"
        self._begin(f"The first statement of a step that a call of {action.name} breaks, from 1; 0 if none.", head)
        self._unused_arguments(["before", "after", *arguments])
        for number, name in asked:
            self._line(f"if (!{name}({', '.join(['before', 'after', *arguments])}))")
            self._line(f"    return {number};")
        self._line("return 0;")
        self._end()

    def _for_all(self, over: Sequence[Node], holds: Node) -> None:
        for variable in over:
            self._open(self._loop(variable))
        self._line(f"if (!{self._expression(holds)})")
        self._line("    return 0;")
        for _ in over:
            self._close()
        self._line("return 1;")
        self._end()

    # statements

    def _line(self, text: str) -> None:
        self.out.append("    " * self.indent + text)

    def _open(self, text: str) -> None:
        self._line(text)
        self.indent += 1

    def _close(self, text: str = "}") -> None:
        self.indent -= 1
        self._line(text)

    def _place(self, place: Place) -> None:
        if self.with_places and place.line and place != self._at:
            self.out.append(f'#line {place.line} "{os.path.basename(place.file)}"')
        self._at = place

    def _block(self, block: Block, copied: bool) -> None:
        for statement in block.statements:
            self._place(statement.place)
            if isinstance(statement, Let):
                self._line(
                    f"const {self._type(statement.value)} {self._local(statement.local)} = {self._expression(statement.value)};"
                )
            elif isinstance(statement, Check):
                self._check(self._expression(statement.condition), statement.text)
            else:
                if not copied:
                    self._line("*now = *before;")
                    copied = True
                self._write(statement)
                self._known = {node: name for node, name in self._known.items() if not node.is_now}
        end = block.end
        if isinstance(end, Leaf):
            self._leaf(end, copied)
            return
        self._place(end.place)
        condition = self._expression(self._asked(end))
        known = dict(self._known)
        # the shorter side first, so that the way of a call that takes effect goes straight down
        sides = [(f"{condition}", end.yes, end.no), (f"!{condition}", end.no, end.yes)]
        test, first, second = min(sides, key=lambda side: (sum(1 for _ in side[1].within()), not refuses(side[1])))
        self._open(f"if ({test}) {{")
        self._note(end, first is end.yes)
        if isinstance(first.end, Leaf) and refuses(first):
            self._refusal(end, first.end, copied)
        else:
            self._block(first, copied)
        self._close()
        self._known = known
        self._note(end, second is end.yes)
        self._block(second, copied)

    def _asked(self, at: Branch | Write) -> Node:
        """The condition of a branch or of a bulk update."""
        return at.condition

    def _note(self, at: Branch | Write, yes: bool = True) -> None:
        """Print what is to be noted where a side of a branch begins, or where a bulk update finds a cell."""

    def _refusal(self, at: Branch, leaf: Leaf, copied: bool) -> None:
        """Print what a side of a branch does that has nothing left but to refuse."""
        self._leaf(leaf, copied)

    def _leaf(self, leaf: Leaf, copied: bool) -> None:
        if leaf.exit in EFFECTIVE:
            if not copied:
                self._line("*now = *before;")
            for number, part in enumerate(leaf.answer):
                self._line(f"answer[{number}] = (uint64_t){self._expression(part)};")
        self._return(leaf.exit)

    def _return(self, exit: str) -> None:
        self._line(f"return OO_{exit.upper()};")

    def _check(self, condition: str, text: str) -> None:
        self.checks.append(text)
        self._open(f"if (!{condition}) {{ /* {text} */")
        self._line(f"answer[0] = {len(self.checks) - 1};")
        self._line(f"return {ILL_DEFINED};")
        self._close()

    def _write(self, write: Write) -> None:
        component = self.components[write.component]
        if component.kind == "queue":
            self._write_queue(write, component)
            return
        value = self._expression(write.value)
        if component.value is int and write.value.op != "const":
            self._check(f"({value} <= {MOST})", f"{component.name} is written above {MOST}")
        if write.kind == "set":
            keys = [self._expression(key) for key in write.keys]
            self._set(c_name(component.name), keys, value)
            return
        held = ""
        condition = self._asked(write)
        if any(n.op == "cell" and n.args[:2] == (NOW, component.name) for n in condition.within()):
            held = self._new("held")
            self._line(f"uint8_t {held}{''.join(f'[{d}]' for d in self._dimensions(component.keys))};")
        known = dict(self._known)
        for write_now in (False, True) if held else (True,):
            self._known = dict(known)
            for variable in write.over:
                self._open(self._loop(variable))
            keys = [self._variable(variable) for variable in write.over]
            if held and not write_now:
                self._line(f"{held}{_at(keys)} = (uint8_t){self._expression(condition)};")
            else:
                self._open(f"if ({held + _at(keys) if held else self._expression(condition)}) {{")
                self._note(write)
                self._set(c_name(component.name), keys, value)
                self._close()
            for _ in write.over:
                self._close()
        self._known = known

    def _write_queue(self, write: Write, component: Component) -> None:
        line, rank = f"{component.name}_line", f"{component.name}_rank"
        each, other, size = self._new("e"), self._new("f"), self._size(component.value)
        every = "for (int {0} = 1; {0} <= " + size + "; {0}++)"
        line_of, rank_of = (self._get(NOW, line, [each]), self._get(NOW, rank, [each]))
        if write.kind == "push":
            (key,), element, last = map(self._expression, write.keys), self._expression(write.value), self._new("last")
            self._line(f"uint8_t {last} = 0;")
            self._line(every.format(each))
            self._line(f"    {last} += {line_of} == {key};")
            self._set(line, [element], key)
            self._set(rank, [element], last)
            return
        gone = self._new("gone")
        self._line(f"uint8_t {gone}[{size} + 1] = {{0}};")
        if write.kind == "remove":
            self._line(f"{gone}[{self._expression(write.value)}] = 1;")
        else:
            known = dict(self._known)
            self._open(self._loop(write.over[0]))
            self._open(f"if ({self._expression(self._asked(write))}) {{")
            self._note(write)
            self._line(f"{gone}[{self._variable(write.over[0])}] = 1;")
            self._close()
            self._close()
            self._known = known
        # from the last of a line on, so that ranks are compared as they were
        self._open(every.format(each) + " {")
        self._line(f"if (!{gone}[{each}] || !{line_of})")
        self._line("    continue;")
        self._open(every.format(other))
        other_rank = self._get(NOW, rank, [other])
        self._open(f"if ({self._get(NOW, line, [other])} == {line_of} && {other_rank} > {rank_of})")
        self._set(rank, [other], f"({other_rank} - 1)")
        self.indent -= 2
        self._set(line, [each], "0")
        self._set(rank, [each], "0")
        self._close()

    # expressions

    def _new(self, stem: str) -> str:
        self._names += 1
        return f"{stem}{self._names}"

    @staticmethod
    def _variable(node: Node) -> str:
        return f"v{node.args[0]}"

    @staticmethod
    def _local(node: Node) -> str:
        return f"l{node.args[0]}"

    @staticmethod
    def _type(node: Node) -> str:
        return "uint64_t" if node.op == "collect" else "int"

    def _loop(self, variable: Node, going: str = "") -> str:
        kind, name = variable.type, self._variable(variable)
        if is_sort(kind):
            begin, until = 1, f"<= {self._size(kind)}"
        elif kind is int:
            begin, until = 0, "<= OO_N_NUMBERS"
        else:
            begin, until = 0, f"< {2 if kind is bool else len(kind)}"
        return f"for (int {name} = {begin}; {going}{name} {until}; {name}++) {{"

    def _expression(self, node: Node) -> str:
        op, args = node.op, node.args
        match op:
            case "const":
                return str(args[0])
            case "arg" | "some":
                return self._argument(args[0])
            case "var":
                return self._variable(node)
            case "local":
                return self._local(node)
            case "param":
                return f"OO_P_{args[0].upper()}"
            case "not":
                return f"!{self._expression(args[0])}"
            case "in":
                return f"(int)({self._expression(args[0])} >> {self._expression(args[1])} & 1)"
            case "cell":
                return self._cell(args)
            case "of" | "rank":
                return self._read(args[0], f"{args[1]}_{'line' if op == 'of' else 'rank'}", args[2:])
            case "head":
                return self._head(node)
            case "forall" | "exists" | "count" | "collect":
                return self._looped(node)
        if op not in INFIX:
            raise SpecError(f"{op}: cannot be printed as C")
        return f"({self._expression(args[0])} {INFIX[op]} {self._expression(args[1])})"

    def _cell(self, args: tuple[Any, ...]) -> str:
        tag, name, *keys = args
        if self.components[name].kind == "rigid":
            return f"oo_rigid_{name}{_at([self._expression(key) for key in keys])}"
        return self._read(tag, c_name(name), keys)

    def _read(self, tag: str, field: str, keys: Sequence[Node]) -> str:
        """A cell of a state."""
        return self._get(tag, field, [self._expression(key) for key in keys])

    def _get(self, tag: str, field: str, keys: Sequence[str]) -> str:
        return f"{tag}->{field}{_at(keys)}"

    def _set(self, field: str, keys: Sequence[str], value: str) -> None:
        """Print a write of one cell."""
        self._line(f"now->{field}{_at(keys)} = (uint8_t){value};")

    def _head(self, node: Node) -> str:
        if node not in self._known:
            tag, name, key = node.args
            line, head, each = self._expression(key), self._new("head"), self._new("e")
            self._line(f"int {head} = 0;")
            self._line(f"for (int {each} = 1; {each} <= {self._size(self.components[name].value)}; {each}++)")
            at_line, at_rank = (self._get(tag, f"{name}_{part}", [each]) for part in ("line", "rank"))
            self._line(f"    if ({at_line} == {line} && {line} && !{at_rank})")
            self._line(f"        {head} = {each};")
            self._known[node] = head
        return self._known[node]

    def _looped(self, node: Node) -> str:
        if node not in self._known:
            variable, body = node.args
            found, known = self._new(node.op), dict(self._known)
            begin = {"forall": "int {} = 1;", "exists": "int {} = 0;", "count": "int {} = 0;", "collect": "uint64_t {} = 0;"}
            self._line(begin[node.op].format(found))
            going = {"forall": f"{found} && ", "exists": f"!{found} && "}.get(node.op, "")
            self._open(self._loop(variable, going))
            held = self._expression(body)
            if node.op == "count":
                self._line(f"{found} += {held} ? 1 : 0;")
            elif node.op == "collect":
                self._line(f"{found} |= (uint64_t)({held} ? 1 : 0) << {self._variable(variable)};")
            else:
                self._line(f"{found} = {held} ? 1 : 0;")
            self._close()
            self._known = {**known, node: found}
        return self._known[node]


def _at(keys: Sequence[str]) -> str:
    return "".join(f"[{key}]" for key in keys)


def printed(spec: Spec, scope: dict[str, int] | None = None, *, lines: bool = False) -> Printer:
    """A printer of a spec in a scope.  Raises SpecError for a scope that has no room in bytes."""
    model = Model(spec, scope)
    check_room(model)
    return Printer(model, lines=lines)
