"""A search printed as C: the calls of a scope as loops that ask each guard as soon as what it speaks of is chosen.

What is the same for every search stands in `state.h`, and in `search.h` for threads or `device.h` for a GPU, as the text is
built; here is printed what differs: the places of cells, the calls, the statements, and with symmetry the canonical form (see
`Naming`).  Asking guards early loses which of them refuses a call, so exits that were not reached yet are looked for apart, in
the order of the text.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..batch import random_numbers
from ..concrete import Model, Vector
from ..language import EFFECTIVE, Action, Declaration, Slot, SpecError, Type
from ..recording import LOOPS, READS, TRUE, Block, Branch, Leaf, Node
from .cells import MOST_IN_SUBSET, word_of
from .naming import Naming
from .packed import PackedPrinter
from .packing import Packing

HERE = Path(__file__).parent
MOST_OPERATIONS = 255
WORTH_REMEMBERING = 25
"""How many operations it takes at least to judge a step, by word that is read, to remember the verdict."""

FRESH_BITS = 8
"""Above the number of a call (32 bits) stand the fresh names that it is given, so many bits each, by sort."""

MOST_FRESH = 4
"""Of how many sorts an operation is given fresh names at most."""


@dataclass(frozen=True)
class _Guard:
    """A condition under which a call goes on, with the clause that it comes to if not."""

    condition: Node
    holds: bool
    exit: str


class SearchPrinter(PackedPrinter):
    """Prints the search of a model from a state on, with some operations and statements.

    `free` gives the names that may be renamed; `invariants` and `steps` are the statements, by the number under which they are
    told when broken.  A search in what is built may leave more names alone, and judge nothing.
    """

    def __init__(
        self,
        model: Model,
        start: Vector,
        actions: Sequence[Action],
        invariants: Sequence[Declaration],
        steps: Sequence[Declaration],
        *,
        free: dict[Type, list[int]] | None = None,
    ) -> None:
        super().__init__(model)
        self.free = free or {}
        self.packing = Packing(model, start, [self.trees[a.name] for a in actions], list(self.free))
        self.fresh_kinds = list(dict.fromkeys(s.type for a in actions for s in a.slots if s.fresh))
        if len(actions) > MOST_OPERATIONS:
            raise SpecError(f"a compiled search has room for {MOST_OPERATIONS} operations, not {len(actions)}")
        if action := next((a for a in actions if len(fresh_sorts(a)) > MOST_FRESH), None):
            raise SpecError(f"a compiled search has room for fresh names of {MOST_FRESH} sorts, not for those of {action.name}")
        for kind in self.spec.sorts:
            if model.scope[kind.plural] > MOST_IN_SUBSET:
                raise SpecError(f"a compiled search has room for {MOST_IN_SUBSET} {kind.plural}, not {model.scope[kind.plural]}")
        self.rests = list(self.spec.rests.values())
        self.actions, self.invariants, self.steps = list(actions), list(invariants), list(steps)
        self.clauses = [f"{a.name}/{exit}" for a in actions for exit in self.trees[a.name].exits]
        self.numbers = {clause: number for number, clause in enumerate(self.clauses)}
        self.first: dict[str, int] = {}
        self.most = 0
        for action in actions:
            self.first[action.name] = self.most
            self.most += math.prod(len(model.choices(s)) for s in action.slots if not s.fresh)
        self.most_calls = self.most_calls_with({})
        self.naming = Naming(self) if self.free else None
        self._shared: dict[str, str] = {}

    def most_calls_with(self, fixed: Mapping[Type, Collection[int]]) -> int:
        """How many calls a state has at most, where fresh names may be those in `fixed` beside the least others."""
        return max(1, self.most * math.prod(1 + len(fixed.get(kind, ())) for kind in self.fresh_kinds))

    def own(self, fixed: Mapping[Type, Collection[int]]) -> list[int]:
        """By sort of which fresh names are given out, those of `fixed` that may be one beside the least other, by bit."""
        return [sum(1 << e for e in fixed.get(kind, ()) if e > len(kind.constants)) for kind in self.fresh_kinds]

    def printed(self) -> str:
        """The whole text."""
        self.out, self.checks = [], []
        self.out += ["#include <stdint.h>"]
        self._sizes()
        self._macro("OO_WORDS", self.packing.words)
        self._macro("OO_WHOLE", self.packing.whole)
        self._macro("OO_CLAUSES", len(self.clauses))
        self._macro("OO_INVARIANTS", len(self.invariants))
        self._macro("OO_STEPS", len(self.steps))
        naming = self.naming
        if naming:
            naming.sizes()
        state, threads, device = ((HERE / f"{name}.h").read_text(encoding="utf-8") for name in ("state", "search", "device"))
        self.out += [state, "#ifdef OO_DEVICE", device, "#else", threads, "#endif"]
        self._tables()
        self._fresh_names()
        for statement in self.invariants:
            self.out.append("OO_FN")
            self._statement(statement)
        self._judged()
        self._rests()
        if naming:
            naming.functions()
        for number, action in enumerate(self.actions):
            self._expansion(number, action)
        self._calls()
        return "\n".join(self.out) + "\n"

    # statements

    def _fresh_names(self) -> None:
        for kind in self.fresh_kinds:
            (over,), holds = self.recorder.statement(self.spec.unused[kind])
            begin = f"OO_FN uint64_t oo_fresh_{kind.__name__.lower()}(const struct oo_state *before, uint64_t apart)"
            text = f"The names of a {kind.__name__} that a call is given, by bit: the least, and those of `apart`."
            self._begin(text, begin)
            self._unused_arguments(["before"])
            self._line("uint64_t found = 0, own = 0;")
            first = f"for (int {self._variable(over)} = {len(kind.constants) + 1}; "
            self._open(f"{first}{self._variable(over)} <= {self._size(kind)}; {self._variable(over)}++) {{")
            self._open(f"if ((apart >> {self._variable(over)} & 1) || !found) {{")
            self._open(f"if ({self._expression(holds)}) {{")
            self._line(f"if (apart >> {self._variable(over)} & 1)")
            self._line(f"    own |= 1ull << {self._variable(over)};")
            self._line("else")
            self._line(f"    found = 1ull << {self._variable(over)};")
            for _ in range(3):
                self._close()
            if not kind.endless:
                self._line("if (!found && !own)")
                self._line("    found = 1;")
            self._line("return found | own;")
            self._end()

    def _judged(self) -> None:
        """Of a state, by which operation it came, whether it keeps what that may have broken."""
        reads = [_components(self.recorder.statement(s)[1]) for s in self.invariants]
        self._begin("", "OO_FN int oo_judged(const struct oo_work *work, const struct oo_state *before, uint64_t mark, int by)")
        self._unused_arguments(["work", "before", "mark"])
        self._line("int good = 1;")
        ways: dict[tuple[int, ...], list[int]] = {}
        for number, action in enumerate(self.actions):
            written = self.trees[action.name].written
            ways.setdefault(tuple(n for n, read in enumerate(reads) if read & written), []).append(number)
        self._open("switch (by) {")
        for asked, numbers in ways.items():
            for number in numbers:
                self._line(f"case {number}:")
            self._judge(asked)
        self._line("default:")
        self._judge(range(len(self.invariants)))
        self._close()
        self._line("return good;")
        self._end()

    def _judge(self, asked: Collection[int]) -> None:
        for number in asked:
            self._line(f"    if (!oo_holds_{self.invariants[number].name}(before)) {{")
            self._line(f"        oo_lowest(&work->broken_states[{number}], mark);")
            self._line("        good = 0;")
            self._line("    }")
        self._line("    break;")

    def _rests(self) -> None:
        """Of a state, whether it keeps a statement of what rest is."""
        for statement in self.rests:
            self.out.append("OO_FN")
            self._statement(statement)
        self._begin("", "OO_FN int oo_rests(const struct oo_state *before, int statement)")
        self._unused_arguments(["before"])
        self._open("switch (statement) {")
        for number, statement in enumerate(self.rests):
            self._line(f"case {number}:")
            self._line(f"    return oo_holds_{statement.name}(before);")
        self._close()
        self._line("return 0;")
        self._end()

    def _step_checks(self, action: Action) -> list[str]:
        """What is to be asked after a call of an operation; functions are printed, and those that are the same are one."""
        asked = []
        written = self.trees[action.name].written
        for number, declaration in enumerate(self.steps):
            over, holds = self.recorder.step(declaration, action, written)
            if holds is TRUE:
                continue
            given = sorted({n for n in holds.within() if n.op in ("arg", "some")}, key=lambda n: str(n.args[0]))
            parameters = "".join(f", {'uint64_t' if n.op == 'some' else 'int'} {self._argument(n.args[0])}" for n in given)
            out, self.out, names = self.out, [], self._names
            self._names = 0
            self._begin("", f"(const struct oo_state *before, const struct oo_state *after{parameters})")
            self._unused_arguments(["before", "after"])
            self._for_all(over, holds)
            body, self.out, self._names = self.out[2:], out, names
            text = "\n".join(body)
            if text not in self._shared:
                name = f"oo_step_{len(self._shared)}"
                self.out += [f"OO_FN __attribute__((noinline)) int {name}{body[0]}", *body[1:]]
                self._shared[text] = self._remembered(name, over, holds, given, parameters)
            arguments = "".join(f", {self._argument(n.args[0])}" for n in given)
            asked.append(f"if (!{self._shared[text]}before, now{arguments}))")
            asked.append(f"    oo_lowest(&run->work->broken_steps[{number}], run->mark);")
        return asked

    def _remembered(self, name: str, over: Sequence[Node], holds: Node, given: Sequence[Node], parameters: str) -> str:
        """How the judging of a step begins to be called: by way of what was judged lately, if that is sooner asked.

        A step that agrees with another in all that a statement reads has the same verdict.
        """
        masks: dict[tuple[str, int], int] = {}
        for tag, component in {(n.args[0], n.args[1]) for n in holds.within() if n.op in READS}:
            for field in self.packing.moving:
                if field.component.name == component:
                    for word, bit in map(field.at, range(field.count)):
                        masks[tag, word] = masks.get((tag, word), 0) | ((1 << field.width) - 1) << bit
        times = math.prod(len(self.model.domain(variable.type)) for variable in over)
        if times * self._cost(holds, {}) < WORTH_REMEMBERING * len(masks):
            return f"{name}("
        states = "const struct oo_state *before, const struct oo_state *after"
        self._begin("", f"OO_FN inline int {name}_lately(struct oo_run *run, {states}{parameters})")
        numbers = [f"{number}ull" for number in random_numbers(20266 + len(self._shared), 2 + len(masks)).tolist()]
        read = [f"(({tag}->w[{word}] & {mask}ull) ^ {numbers[n]})" for n, ((tag, word), mask) in enumerate(sorted(masks.items()))]
        read += [numbers[-2]] * (len(read) % 2)
        arguments = "".join(f", {self._argument(n.args[0])}" for n in given)
        self.out += ["#ifdef OO_DEVICE", f"    return {name}(before, after{arguments});", "#else"]
        self._line(f"uint64_t key = {numbers[-1]};")
        for one, other in zip(read[::2], read[1::2], strict=True):
            self._line(f"key += oo_folded({one}, {other});")
        for each in given:
            self._line(f"key = oo_mixed(key ^ (uint64_t){self._argument(each.args[0])});")
        self._line("key = oo_mixed(key) | 1;")
        self._line("uint64_t *known = &run->work->known[key >> (64 - OO_KNOWN_BITS)];")
        self._line(f"if (*known != key && !{name}(before, after{arguments}))")
        self._line("    return 0;")
        self._line("*known = key;")
        self._line("return 1;")
        self.out.append("#endif")
        self._end()
        return f"{name}_lately(run, "

    def _cost(self, node: Node, known: dict[Node, int]) -> int:
        """About how many operations it takes to evaluate an expression."""
        if node not in known:
            cost = 1 + sum(self._cost(each, known) for each in node.args if isinstance(each, Node))
            known[node] = cost * len(self.model.domain(node.args[0].type)) if node.op in LOOPS else cost
        return known[node]

    # calls

    def _expansion(self, number: int, action: Action) -> None:
        tree = self.trees[action.name]
        checks = self._step_checks(action)
        guards, body = _guards(tree)
        self._number, self._action, self._checks_of_step = number, action, checks
        self._taken(action, body)
        self._expanded(action, guards)
        self._looked_for(action, guards)

    def _taken(self, action: Action, body: Block) -> None:
        """A call that no guard at the beginning refuses."""
        head = f"OO_FN inline void take_{action.name}(struct oo_run *run, const struct oo_state *before, uint64_t call"
        self._begin(action.text, f"{head}{self.parameters(action)})")
        self._unused_arguments(["before", "call", *(self._argument(s.name) for s in action.slots)])
        self._line("struct oo_state after, *now = &after;")
        self._block(body, False)
        self._end()

    def _leaf(self, leaf: Leaf, copied: bool) -> None:
        self._line(f"oo_reach(run, {self.numbers[f'{self._action.name}/{leaf.exit}']});")
        if leaf.exit in EFFECTIVE:
            if not copied:
                self._line("*now = *before;")
            if self._checks_of_step:
                self._open("if (OO_JUDGES(run)) {")
                for line in self._checks_of_step:
                    self._line(line)
                self._close()
            self._outputs()
            self._line(f"oo_came(run, before, now, {self._number}, call);")
        self._line("return;")

    def _outputs(self) -> None:
        written = self.trees[self._action.name].written
        outputs = [f for f in self.packing.moving if f.component.kind == "output" and f.component.name in written]
        if not outputs:
            return
        if self.spec.late is not None:
            self._line("oo_outputs(run, before, now);")
        for word in range(self.packing.words, self.packing.whole):
            self._line(f"now->w[{word}] = 0;")

    def _check(self, condition: str, text: str) -> None:
        self._open(f"if (!{condition}) {{ /* {text} */")
        self._line(f"oo_lowest(&run->work->broken_steps[{len(self.steps)}], run->mark);")
        self._line("return;")
        self._close()

    def _expanded(self, action: Action, guards: Sequence[_Guard]) -> None:
        self._begin(
            "", f"OO_FN void expand_{action.name}(struct oo_run *run, const struct oo_state *before{self._fresh_given()})"
        )
        self._unused_arguments(self._fresh_arguments())
        taken = ", ".join(self._argument(s.name) for s in action.slots)

        def call() -> None:
            number = [f"{self.first[action.name]}u", *self._strides(action)]
            names = [
                f"(uint64_t)f_{kind.__name__.lower()} << {32 + FRESH_BITS * at}" for at, kind in enumerate(fresh_sorts(action))
            ]
            word = " | ".join([f"(uint64_t)({' + '.join(number)})", *names])
            self._line(f"take_{action.name}(run, before, {word}{', ' if taken else ''}{taken});")

        self._looped_over(action, [(g.condition, g.holds) for g in guards], call)
        self._end()

    def _looked_for(self, action: Action, guards: Sequence[_Guard]) -> None:
        """Whether a call is refused by one of the guards, for those whose exit was not reached yet."""
        head = "(struct oo_run *run, const struct oo_state *before"
        for exit in dict.fromkeys(g.exit for g in guards):
            at = self.numbers[f"{action.name}/{exit}"]
            for number, guard in enumerate(guards):
                if guard.exit != exit:
                    continue
                self._begin("", f"OO_FN __attribute__((cold, noinline)) void look_{at}_{number}{head}{self._fresh_given()})")
                self._unused_arguments(["before", *self._fresh_arguments()])
                way = [(g.condition, g.holds) for g in guards[:number]] + [(guard.condition, not guard.holds)]

                def found() -> None:
                    self._line(f"oo_reach(run, {at});")
                    self._line("return;")

                self._looped_over(action, way, found, every=False)
                self._end()

    def _fresh_given(self) -> str:
        return "".join(f", uint64_t fresh_{k.__name__.lower()}" for k in self.fresh_kinds)

    def _fresh_arguments(self) -> list[str]:
        return [f"fresh_{k.__name__.lower()}" for k in self.fresh_kinds]

    def _strides(self, action: Action) -> Iterator[str]:
        slots = [s for s in action.slots if not s.fresh]
        stride = 1
        for slot in reversed(slots):
            yield f"{stride}u * (unsigned){self._index(slot)}"
            stride *= len(self.model.choices(slot))

    def _index(self, slot: Slot) -> str:
        return f"i_{slot.name}"

    def _looped_over(self, action: Action, way: list[tuple[Node, bool]], inner: Any, *, every: bool = True) -> None:
        """Loops over the arguments of a call, each condition of a way asked as soon as it can be, with `inner` printed inside.

        Next comes the argument after which the most can be asked.  Without `every`, an argument of which nothing on the way
        speaks is given one value only.
        """
        opened = 0
        remaining = [s for s in action.slots if not s.fresh]
        bound: set[str] = set()
        for kind in fresh_sorts(action):
            name = kind.__name__.lower()
            self._open(f"for (int f_{name} = 0; f_{name} <= {self._size(kind)}; f_{name}++) {{")
            self._line(f"if (!(fresh_{name} >> f_{name} & 1))")
            self._line("    continue;")
            opened += 1
        for slot in action.slots:
            if slot.fresh:
                self._line(f"const int {self._argument(slot.name)} = f_{slot.type.__name__.lower()};")
                self._line(f"(void){self._argument(slot.name)};")
                bound.add(slot.name)
        left = list(way)
        while True:
            ready = [g for g in left if _speaks_of(g[0]) <= bound]
            left = [g for g in left if g not in ready]
            for condition, holds in ready:
                text = self._expression(condition)
                self._open(f"if ({text if holds else f'!{text}'}) {{")
                opened += 1
            if not remaining:
                break

            def gain(slot: Slot) -> int:
                return sum(_speaks_of(g[0]) <= bound | {slot.name} for g in left)

            best = max(remaining, key=gain)
            remaining.remove(best)
            bound.add(best.name)
            asked = every or any(best.name in _speaks_of(g[0]) for g in left)
            self._open(self._choice(best, asked))
            self._line(f"const {'uint64_t' if best.subset else 'int'} {self._argument(best.name)} = {self._chosen(best)};")
            self._line(f"(void){self._argument(best.name)};")
            opened += 1
        inner()
        for _ in range(opened):
            self._close()

    def _values(self, slot: Slot) -> list[int]:
        return [word_of(value, slot.subset) for value in self.model.choices(slot)]

    def _choice(self, slot: Slot, every: bool) -> str:
        count, index = len(self._values(slot)), self._index(slot)
        return f"for (int {index} = 0; {index} < {count if every else min(1, count)}; {index}++) {{"

    def _chosen(self, slot: Slot) -> str:
        values = self._values(slot)
        if values == list(range(values[0], values[0] + len(values))) if values else True:
            return f"{values[0] if values else 0} + {self._index(slot)}"
        kind = "uint64_t" if slot.subset else "int"
        table = self._new("c")
        self._line(f"static const {kind} {table}[] = {{{', '.join(map(str, values))}}};")
        return f"{table}[{self._index(slot)}]"

    def _calls(self) -> None:
        self._begin("", "OO_FN void oo_calls(struct oo_run *run, const struct oo_state *before)")
        for number, kind in enumerate(self.fresh_kinds):
            name = kind.__name__.lower()
            self._line(f"const uint64_t fresh_{name} = oo_fresh_{name}(before, OO_OWN(run, {number}));")
        given = "".join(f", fresh_{kind.__name__.lower()}" for kind in self.fresh_kinds)
        for action in self.actions:
            out_of = " || ".join(f"!fresh_{k.__name__.lower()}" for k in fresh_sorts(action))
            if out_of:
                self._open(f"if ({out_of})")
                self._line("oo_cut(run);")
                self.indent -= 1
            self._line(f"expand_{action.name}(run, before{given});")
            guards, _ = _guards(self.trees[action.name])
            for exit in dict.fromkeys(g.exit for g in guards):
                at = self.numbers[f"{action.name}/{exit}"]
                self._open(f"if (!run->work->reached[{at}]) {{")
                for number, guard in enumerate(guards):
                    if guard.exit == exit:
                        self._line(f"look_{at}_{number}(run, before{given});")
                self._close()
        self._end()


def fresh_sorts(action: Action) -> list[Type]:
    """The sorts of which an operation is given fresh names."""
    return list(dict.fromkeys(s.type for s in action.slots if s.fresh))


def _guards(tree: Block) -> tuple[list[_Guard], Block]:
    """The guards with which a tree begins, and what comes after them."""
    guards: list[_Guard] = []

    def refusal(block: Block) -> str:
        end = block.end
        return end.exit if not block.statements and isinstance(end, Leaf) and end.exit not in EFFECTIVE else ""

    while not tree.statements and isinstance(tree.end, Branch):
        end = tree.end
        if exit := refusal(end.no):
            guards.append(_Guard(end.condition, True, exit))
            tree = end.yes
        elif exit := refusal(end.yes):
            guards.append(_Guard(end.condition, False, exit))
            tree = end.no
        else:
            break
    return guards, tree


def _speaks_of(condition: Node) -> set[str]:
    """The parameters of the call of which a condition speaks."""
    return {n.args[0] for n in condition.free if n.op in ("arg", "some")}


def _components(node: Node) -> set[str]:
    """The components that are read in an expression."""
    return {n.args[1] for n in node.within() if n.op in READS}
