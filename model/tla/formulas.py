"""Expressions in TLA+, on one line where they fit, in lists of conjuncts and disjuncts where they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..concrete import Model
from ..language import Component, Slot, SpecError, Type, is_sort
from ..recording import AFTER, NOW, Node, const, eq, negated
from .names import Names, elements, text, value

WIDTH = 110
COMPARED = {"eq": "=", "lt": "<", "le": "<="}
DENIED = {"eq": "#", "lt": ">=", "le": ">"}
QUANTIFIERS = {"forall": "\\A", "exists": "\\E"}
ADDED = {"add": "+", "sub": "-"}


class Local:
    """What is bound in one definition.  `now` gives what a component holds that was written, `read` what was read, `outputs` by
    which name the outputs of a call are passed."""

    def __init__(self, names: Names) -> None:
        self.names = Names(names.taken)
        self.outputs: dict[str, str] = {}
        self.read: dict[Node, Callable[[], str]] = {}
        self.bound: dict[Node, str] = {}
        self.arguments: dict[str, str] = {}
        self.now: dict[str, Callable[[], str]] = {}
        self._stems: dict[str, list[str]] = {}

    def argument(self, name: str) -> str:
        """The name of a parameter."""
        if name not in self.arguments:
            self.arguments[name] = self.names.new(name)
        return self.arguments[name]

    @contextmanager
    def binding(self, variables: Sequence[Node]) -> Iterator[None]:
        """Names for variables, as long as they are bound; then others of their type may have them."""
        for node in variables:
            stem = getattr(node.type, "__name__", "value").lower()
            known = self._stems.setdefault(stem, [])
            free = [name for name in known if name not in self.bound.values()]
            if not free:
                free = [self.names.new(stem)]
                known += free
            self.bound[node] = free[0]
        yield
        for node in variables:
            del self.bound[node]


class Formulas:
    """Prints the expressions of a spec in a scope.  Takes note of which types and blank outputs they speak of."""

    def __init__(self, model: Model) -> None:
        self.model, self.spec, self.names = model, model.spec, Names()
        self.components: dict[str, Component] = {c.name: c for c in self.spec.components}
        self.component_names = {name: self.names.new(name) for name in self.components}
        self.blanks = {c.name: self.names.new(f"blank_{c.name}") for c in self.spec.components if c.kind == "output"}
        self.sets = {kind: self.names.new(kind.__name__) for kind in self.spec.types}
        self.with_none = {kind: self.names.new(f"{kind.__name__}OrNone") for kind in self.spec.sorts}
        self.used: dict[str, Type] = {}
        self.blanks_used: dict[str, None] = {}
        self.local = Local(self.names)

    # sets

    def range(self, kind: Type, *, none: bool = False) -> str:
        """The set of the values of a type, with none among them if that is said and it has one."""
        if kind is bool:
            return "BOOLEAN"
        if kind is int:
            return f"0..{self.model.scope['numbers']}"
        name = (self.with_none if none and is_sort(kind) else self.sets)[kind]
        self.used[name] = kind
        return name

    def definition(self, kind: Type) -> list[str]:
        """The sets of a type that were spoken of."""
        whole, more = self.sets[kind], self.with_none.get(kind)
        found = [f"{whole} == {{{', '.join(elements(kind, self.model.domain(kind)))}}}"]
        return [*found, f"{more} == {whole} \\cup {{none}}"] if more in self.used else found

    def over(self, variables: Sequence[Node], *, none: bool = False) -> str:
        """Variables that are bound, with their ranges."""
        return ", ".join(f"{self.local.bound[v]} \\in {self.range(v.type, none=none)}" for v in variables)

    # what is read

    def holds(self, tag: str, name: str) -> str:
        """What a component holds in a state."""
        known = self.component_names[name]
        if tag == NOW and name in self.local.now:
            return self.local.now[name]()
        if self.components[name].kind == "output":
            return self.local.outputs[name] if tag == AFTER and name in self.local.outputs else self.blank(name)
        return f"{known}'" if tag == AFTER else known

    def blank(self, name: str) -> str:
        """What an output holds before a call."""
        self.blanks_used[name] = None
        return self.blanks[name]

    # on one line

    def flat(self, node: Node) -> str:
        """An expression on one line, not in brackets."""
        op, args = node.op, node.args
        match op:
            case "const":
                return value(node.type, args[0])
            case "arg" | "some":
                return self.local.argument(args[0])
            case "var":
                return self.local.bound[node]
            case "local":
                return self.local.read[node]()
            case "param":
                return self.component_names[args[0]]
            case "cell":
                return f"{self.holds(args[0], args[1])}[{', '.join(map(self.flat, args[2:]))}]"
            case "of" | "rank" | "head":
                name = {"of": "LineOf", "rank": "PlaceOf", "head": "HeadOf"}[op]
                return f"{name}({self.holds(args[0], args[1])}, {self.flat(args[2])})"
            case "in":
                return f"{self.flat(args[1])} \\in {self.flat(args[0])}"
            case "not":
                return self._denied(args[0])
            case "and" | "or":
                return self._joined(node)
            case "forall" | "exists" | "collect" | "count":
                return self._over(node)
        if op in COMPARED or op in ADDED:
            return f"{self.atom(args[0])} {(COMPARED | ADDED)[op]} {self.atom(args[1])}"
        raise SpecError(f"{op}: cannot be printed as TLA+")

    def _over(self, node: Node) -> str:
        line = _line_counted(node) if node.op == "count" else None
        if line is not None:
            read, key = line
            return f"Len({self.holds(read.args[0], read.args[1])}[{self.flat(key)}])"
        variables, body = _nest(node)
        with self.local.binding(variables):
            said = f"{self.over(variables)} : {self.flat(body)}"
        match node.op:
            case "forall" | "exists":
                return f"{QUANTIFIERS[node.op]} {said}"
            case "count":
                return f"Cardinality({{{said}}})"
        return f"{{{said}}}"

    def atom(self, node: Node) -> str:
        """An expression in brackets, where it needs them."""
        flat = self.flat(node)
        return f"({flat})" if node.op in (*COMPARED, *ADDED, "not", "and", "or", "forall", "exists", "in") else flat

    def _part(self, node: Node) -> str:
        flat = self.flat(node)
        return f"({flat})" if node.op in ("and", "or", "forall", "exists") else flat

    def _denied(self, node: Node) -> str:
        if node.op in COMPARED:
            return f"{self.atom(node.args[0])} {DENIED[node.op]} {self.atom(node.args[1])}"
        if node.op == "in":
            return f"{self.flat(node.args[1])} \\notin {self.flat(node.args[0])}"
        return f"~{self.atom(node)}"

    def _joined(self, node: Node) -> str:
        parts = flattened(node)
        if node.op == "or" and parts[0].op == "not":
            rest = parts[1:]
            after = self._part(rest[0]) if len(rest) == 1 else "(" + " \\/ ".join(map(self._part, rest)) + ")"
            return f"{self._part(parts[0].args[0])} => {after}"
        return (" /\\ " if node.op == "and" else " \\/ ").join(map(self._part, parts))

    # on several lines

    def lines(self, node: Node, width: int = WIDTH) -> list[str]:
        """An expression, on one line if that is not wider."""
        flat = self.flat(node)
        if len(flat) <= width:
            return [flat]
        op = node.op
        if op in ("forall", "exists"):
            variables, body = _nest(node)
            with self.local.binding(variables):
                return [f"{QUANTIFIERS[op]} {self.over(variables)} :", *indented(self.lines(body, width - 4))]
        if op in ("and", "or"):
            parts = flattened(node)
            if op == "or" and parts[0].op == "not":
                said = self.lines(parts[0].args[0], width - 5)
                rest = [self.lines(part, width - 7) for part in parts[1:]]
                then = rest[0] if len(rest) == 1 else bulleted("\\/", rest)
                head = [self._part(parts[0].args[0])] if len(said) == 1 else closed("(", said, ")")
                return [*closed("", head, " =>"), *indented(then)]
            return bulleted("/\\" if op == "and" else "\\/", [self.lines(part, width - 3) for part in parts])
        if op == "not" and node.args[0].op not in COMPARED:
            inner = self.lines(node.args[0], width - 3)
            return closed("~(", inner, ")")
        denied = op == "not"
        if (node.args[0] if denied else node).op in (*COMPARED, *ADDED):
            of = node.args[0] if denied else node
            mark = (DENIED if denied else COMPARED | ADDED)[of.op]
            left, right = (self._enclosed(each, width - 4) for each in of.args)
            return [*left[:-1], f"{left[-1]} {mark}", *indented(right)]
        return [flat]

    def _enclosed(self, node: Node, width: int) -> list[str]:
        flat = self.atom(node)
        return [flat] if len(flat) <= width or flat[0] != "(" else closed("(", self.lines(node, width - 2), ")")

    # values of a whole component

    def table(self, component: Component, cells: Sequence[Any]) -> list[str]:
        """A map or a queue as a function, from its cells in a state."""
        kinds, names = component.keys, Names(self.names.taken)
        variables = [names.new(kind.__name__.lower()) for kind in kinds]
        over = ", ".join(f"{n} \\in {self.range(k, none=True)}" for n, k in zip(variables, kinds, strict=True))
        said: dict[tuple[int, ...], str]
        if component.kind == "queue":
            held = [[value(component.value, element) for element in line] for line in cells]
            said = {(key,): f"<<{', '.join(line)}>>" for key, line in enumerate(held)}
            default = "<<>>"
        else:
            said = {key: value(component.value, cells[self.model.index(component, key)]) for key in self.model.keys(component)}
            default = value(component.value, 0)
        keys: dict[str, list[str]] = {}
        for key, what in said.items():
            if what != default:
                shown = [value(kind, part) for kind, part in zip(kinds, key, strict=True)]
                keys.setdefault(what, []).append(shown[0] if len(shown) == 1 else f"<<{', '.join(shown)}>>")
        asked = variables[0] if len(variables) == 1 else f"<<{', '.join(variables)}>>"
        tests = [(f"{asked} {_among(each)}", what) for what, each in keys.items()]
        if not tests:
            return [f"[{over} |-> {default}]"]
        if component.value is bool:
            return [f"[{over} |-> {tests[0][0]}]"]
        if len(tests) == 1:
            return [f"[{over} |-> IF {tests[0][0]} THEN {tests[0][1]} ELSE {default}]"]
        cases = [f"{'CASE' if not n else '  []'} {test} -> {what}" for n, (test, what) in enumerate(tests)]
        return [f"[{over} |->", *indented([*cases, f"  [] OTHER -> {default}]"])]

    def choices(self, slot: Slot) -> str:
        """The values that are tried for a parameter of an operation."""
        kind = slot.type
        if slot.subset:
            tried = [[value(kind, element) for element in sorted(some)] for some in self.model.choices(slot)]
            if slot.name not in self.model.tried:
                return f"{{some \\in SUBSET {self.range(kind)} : Cardinality(some) <= {max(map(len, tried))}}}"
            return f"{{{', '.join('{' + ', '.join(some) + '}' for some in tried)}}}"
        if slot.name in self.model.tried:
            return f"{{{', '.join(value(kind, each) for each in self.model.choices(slot))}}}"
        return self.range(kind, none=slot.optional)


def assertion(condition: Sequence[str], said: str) -> list[str]:
    """What must hold, or TLC stops and says what is wrong."""
    flat = f"Assert({condition[0]}, {text(said)})"
    if len(condition) == 1 and len(flat) <= WIDTH:
        return [flat]
    return ["Assert(", *indented([*condition[:-1], f"{condition[-1]},", f"{text(said)})"])]


def flattened(node: Node) -> list[Node]:
    """The parts of a conjunction or of a disjunction."""
    return [part for each in node.args for part in (flattened(each) if each.op == node.op else [each])]


def indented(lines: Sequence[str], by: int = 4) -> list[str]:
    """Lines set in."""
    return [" " * by + line for line in lines]


def hung(head: str, lines: Sequence[str]) -> list[str]:
    """Lines with something before the first, the others set in as far."""
    return [(head if not n else " " * len(head)) + line for n, line in enumerate(lines)]


def closed(head: str, lines: Sequence[str], tail: str) -> list[str]:
    """Lines with something before the first and after the last."""
    whole = hung(head, lines)
    return [*whole[:-1], whole[-1] + tail]


def conjoined(items: Sequence[Sequence[str]]) -> list[str]:
    """A list of conjuncts, or the one there is."""
    return list(items[0]) if len(items) == 1 else bulleted("/\\", items)


def listed(head: str, names: Sequence[str], tail: str) -> list[str]:
    """Names in as many lines as they need."""
    lines = [head]
    for name in names:
        if len(lines[-1]) + len(name) > WIDTH:
            lines.append(" " * len(head))
        lines[-1] += f"{name}, "
    return [*(line.rstrip() for line in lines[:-1]), lines[-1].removesuffix(", ") + tail]


def bulleted(mark: str, items: Sequence[Sequence[str]]) -> list[str]:
    """A list of conjuncts or disjuncts."""
    return [line for item in items for line in hung(f"{mark} ", item)]


def is_split(node: Node) -> bool:
    """Whether TLC would make a successor for each way in which a guard holds."""
    if node.op in ("and", "forall"):
        return any(is_split(each) for each in node.args)
    return node.op in ("or", "exists")


def is_certain(node: Node, given: frozenset[Node] = frozenset()) -> bool:
    """Whether what is said follows from what is given by its form alone: it says that what is so is so, say."""
    op, args = node.op, node.args
    if node in given or (op == "const" and args[0]) or (op == "le" and args[0] is args[1]):
        return True
    if op == "forall":
        return is_certain(args[1], given)
    if op == "and":
        return all(is_certain(part, given) for part in args)
    if op == "not" and args[0].op == "and":
        return _clash(given | set(flattened(args[0])))
    if op == "or":
        parts = flattened(node)
        denied = [part.args[0] for part in parts if part.op == "not"]
        given = given | {each for part in denied for each in (flattened(part) if part.op == "and" else [part])}
        return _clash(given) or any(is_certain(part, given) for part in parts)
    return False


def _clash(given: frozenset[Node]) -> bool:
    return any(negated(each) in given for each in given)


def _among(keys: list[str]) -> str:
    return f"= {keys[0]}" if len(keys) == 1 else f"\\in {{{', '.join(keys)}}}"


def _nest(node: Node) -> tuple[list[Node], Node]:
    """The variables of quantifiers that follow each other, and what is said of them."""
    variables, body = [node.args[0]], node.args[1]
    while body.op == node.op and node.op in QUANTIFIERS:
        variables, body = [*variables, body.args[0]], body.args[1]
    return variables, body


def _line_counted(node: Node) -> tuple[Node, Node] | None:
    """Of a count of what stands in a line: the read that asks it, and the line."""
    variable, body = node.args
    if body.op == "and" and body.args[0].op == "eq":
        read, key = body.args[0].args
        stands = negated(eq(key, const(key.type, 0)))
        if read.op == "of" and read.args[2] is variable and variable not in key.free and body.args[1] is stands:
            return read, key
    return None


