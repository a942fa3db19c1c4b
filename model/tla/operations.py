"""Operations in TLA+: the guards as conjuncts, each write a new value of its component, and what is left unchanged.

A component that is written twice, or read once it was written, has a name of its own for what it holds in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..language import EFFECTIVE, Action, is_sort
from ..recording import NOW, Block, Branch, Check, Leaf, Let, Node, Write, negated
from .formulas import WIDTH, Formulas, Local, assertion, bulleted, closed, conjoined, hung, indented, is_split, listed
from .names import comment

Lines = list[str]

MANY = 4
"""How many components an operation leaves as they are before they have a name together."""


class _Held:
    """What a component holds at a place, or what was read there.  It has a name if it is asked for one."""

    def __init__(self, local: Local, stem: str, lines: Lines, *, base: str = "") -> None:
        self.local, self.stem, self.lines, self.base = local, stem, lines, base
        self.updates: Lines = []
        self.name = ""

    def ask(self) -> str:
        """Its name."""
        self.name = self.name or self.local.names.new(self.stem)
        return self.name

    @property
    def text(self) -> Lines:
        """Its value, in lines."""
        if not self.updates:
            return self.lines
        flat = f"[{self.base} EXCEPT {', '.join(self.updates)}]"
        if len(flat) <= WIDTH:
            return [flat]
        return hung(f"[{self.base} EXCEPT ", [*(f"{update}," for update in self.updates[:-1]), f"{self.updates[-1]}]"])


class Operations:
    """Prints operations; `variables` are the components that may change in the scope, `asserted` names of an operation the
    definition that judges its steps, and the outputs that it is told."""

    def __init__(
        self, formulas: Formulas, variables: Sequence[str], asserted: Mapping[str, tuple[str, Sequence[str]]]
    ) -> None:
        self.formulas, self.variables, self.asserted = formulas, variables, asserted
        self._current: dict[str, _Held] = {}
        self._judge: tuple[str, Sequence[str]] | None = None
        self._arguments: list[str] = []
        self._left, self._written = "", set[str]()

    def definition(self, name: str, action: Action, tree: Block) -> Lines:
        """An operation as a definition."""
        local = self.formulas.local = Local(self.formulas.names)
        self._arguments = [local.argument(slot.name) for slot in action.slots]
        self._current, self._judge = {}, self.asserted.get(action.name)
        parameters = f"({', '.join(self._arguments)})" if self._arguments else ""
        kept = [self.formulas.component_names[each] for each in self.variables if each not in tree.written]
        self._left = self.formulas.names.new(f"{action.name}_leaves") if MANY < len(kept) < len(self.variables) else ""
        left = [*listed(f"{self._left} == <<", kept, ">>"), ""] if self._left else []
        self._written = tree.written
        items = self._items(tree, frozenset())
        return [*left, *comment(action.text), f"{name}{parameters} ==", *indented(bulleted("/\\", items))]

    def _items(self, block: Block, facts: frozenset[Node]) -> list[Lines]:
        """The conjuncts that a block comes to."""
        formulas, local = self.formulas, self.formulas.local
        held: list[_Held] = []
        items: list[Lines] = []
        before = dict(self._current), dict(local.now)
        for statement in block.statements:
            if isinstance(statement, Let):
                if _is_read(statement.local, block):
                    read = _Held(local, "found", formulas.lines(statement.value))
                    held.append(read)
                    local.read[statement.local] = read.ask
            elif isinstance(statement, Check):
                if statement.condition not in facts:
                    items.append(assertion(formulas.lines(statement.condition), statement.text))
                    facts = facts | _lasting(statement.condition)
            else:
                self._write(statement, held)
        items += self._end(block, facts, held)
        self._current, local.now = before
        named = [each for each in held if each.name]
        if not named:
            return items
        defined = [line for each in named for line in hung(f"{each.name} == ", each.text)]
        return [[*hung("LET ", defined), *hung("IN  ", conjoined(items))]]

    def _end(self, block: Block, facts: frozenset[Node], held: list[_Held]) -> list[Lines]:
        end = block.end
        if isinstance(end, Leaf):
            return self._leaf(end, held)
        condition, denied = end.condition, negated(end.condition)
        for refused, rest, guard in ((end.no, end.yes, condition), (end.yes, end.no, denied)):
            error = _refused(refused)
            if error:
                return [self._guard(guard, error), *self._items(rest, facts | _lasting(guard))]
        sides = [conjoined(self._items(side, facts | _lasting(said))) for side, said in _sides(end)]
        asked = self.formulas.lines(condition, WIDTH - 3)
        return [[*hung("IF ", asked), *hung("THEN ", sides[0]), *hung("ELSE ", sides[1])]]

    def _guard(self, guard: Node, error: str) -> Lines:
        lines = self.formulas.lines(guard)
        if is_split(guard):
            lines = closed("(", lines, ") = TRUE")
        return [*lines[:-1], f"{lines[-1]}  \\* else {error}"]

    def _leaf(self, leaf: Leaf, held: list[_Held]) -> list[Lines]:
        if leaf.exit not in EFFECTIVE:
            return [["FALSE"]]
        names, items, here = self.formulas.component_names, [], set(map(id, held))
        kept = [name for name in self.variables if name not in self._current]
        judged = self._judged()
        for name in self.variables:
            value = self._current.get(name)
            if value is not None:
                new = value.text if id(value) in here and not value.name else [value.ask()]
                items.append(hung(f"{names[name]}' = ", new))
        if len(kept) == len(self.variables):
            items.append(["UNCHANGED vars"])
        elif kept:
            said = [names[name] for name in kept if not self._left or name in self._written]
            whole = listed("<<", [self._left, *said] if self._left else said, ">>") if said else [self._left]
            items.append(hung("UNCHANGED ", whole))
        return [*items, *judged]

    def _judged(self) -> list[Lines]:
        """What is asserted of the step: only here it is known what its outputs are."""
        if self._judge is None:
            return []
        name, outputs = self._judge
        told = [self._current[o].ask() if o in self._current else self.formulas.blank(o) for o in outputs]
        given = [*self._arguments, *told]
        return [listed(f"{name}(", given, ")") if given else [name]]

    # writes

    def _write(self, write: Write, held: list[_Held]) -> None:
        formulas, name = self.formulas, write.component
        last = self._current.get(name)
        if write.kind in ("set", "push"):
            keys = ", ".join(map(formulas.flat, write.keys))
            value = formulas.flat(write.value)
            update = f"![{keys}] = {f'Append(@, {value})' if write.kind == 'push' else value}"
            if last is not None and last.updates and not last.name and any(last is each for each in held):
                # nothing has read it yet; what this update speaks of may be defined after it
                last.updates.append(update)
                held.remove(last)
                held.append(last)
                return
            new = self._new(name, [], held)
            new.updates.append(update)
            return
        if write.kind == "remove":
            self._new(name, [f"Without({self._base(name)}, {{{formulas.flat(write.value)}}})"], held)
            return
        with formulas.local.binding(write.over):
            lines = self._dropped(write) if write.kind == "drop" else self._changed(write)
        self._new(name, lines, held)

    def _dropped(self, write: Write) -> Lines:
        condition = self.formulas.lines(write.condition)
        head = f"Without({self._base(write.component)}, {{{self.formulas.over(write.over)} :"
        flat = f"{head} {condition[0]}}})"
        return [flat] if len(condition) == 1 and len(flat) <= WIDTH else [head, *indented(closed("", condition, "})"))]

    def _changed(self, write: Write) -> Lines:
        formulas, variables = self.formulas, [self.formulas.local.bound[v] for v in write.over]
        condition = formulas.lines(write.condition)
        elements = [name for name, v in zip(variables, write.over, strict=True) if is_sort(v.type)]
        if elements:
            some = f"{elements[0]} # none" if len(elements) == 1 else f"none \\notin {{{', '.join(elements)}}}"
            if len(condition) == 1:
                inner = f"({condition[0]})" if write.condition.op in ("or", "forall", "exists") else condition[0]
                condition = [f"{some} /\\ {inner}"]
            else:
                condition = bulleted("/\\", [[some], condition])
        over = formulas.over(write.over, none=True)
        then = f"THEN {formulas.flat(write.value)} ELSE {self._base(write.component)}[{', '.join(variables)}]"
        flat = f"[{over} |-> IF {condition[0]} {then}]"
        if len(condition) == 1 and len(flat) <= WIDTH:
            return [flat]
        return [f"[{over} |->", *indented([*hung("IF ", condition), f"{then}]"])]

    def _base(self, name: str) -> str:
        """What a component holds until it is written."""
        return self.formulas.holds(NOW, name)

    def _new(self, name: str, lines: Lines, held: list[_Held]) -> _Held:
        local = self.formulas.local
        base = self._base(name) if not lines else ""
        new = _Held(local, name, lines, base=base)
        held.append(new)
        self._current[name] = new
        local.now[name] = new.ask
        return new


def _is_read(local: Node, block: Block) -> bool:
    """Whether what was read is asked for again; not in an answer, which is no part of a state."""
    for each in block.within():
        asked: list[Node] = [each.end.condition] if isinstance(each.end, Branch) else []
        for statement in each.statements:
            if isinstance(statement, Let):
                asked.append(statement.value)
            elif isinstance(statement, Check):
                asked.append(statement.condition)
            else:
                asked += [*statement.keys, statement.condition, statement.value]
        if any(local in node.within() for node in asked):
            return True
    return False


def _sides(end: Branch) -> Iterable[tuple[Block, Node]]:
    return (end.yes, end.condition), (end.no, negated(end.condition))


def _refused(block: Block) -> str:
    """With which error a block refuses a call, or nothing."""
    end = block.end
    if isinstance(end, Leaf) and end.exit not in EFFECTIVE and not any(isinstance(s, Check) for s in block.statements):
        return end.exit
    return ""


def _lasting(condition: Node) -> frozenset[Node]:
    """What goes on to be so, whatever is written."""
    return frozenset() if condition.is_now else frozenset((condition,))
