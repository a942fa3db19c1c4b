"""Causes: why a call comes out as it does, each condition inside a guard and each branch of an effect apart.

A clause, `free/EBUSY`, says what a call comes to; a cause, `free/EBUSY#region_file`, by which of the conditions that lead to it.
Of a guard that can fail in several ways each is a cause, and so is each way in which a guard with an alternative holds, each side
of an `if`, and that the bulk updates of a component find something.  A refused call has one cause, the first in the order of the
text; one that takes effect has as many as it came by.  (Coverage of this kind is known as that of conditions, and in aviation as
MC/DC: RTCA DO-178C.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

from ..language import EFFECTIVE, Spec, once
from .nodes import FALSE, READS, TRUE, Block, Branch, Leaf, Node, Write, both, conjuncts, const, disjuncts, either, negated
from .recorder import trees
from .text import shown

MOST_WAYS = 12
"""In how many ways a condition may hold for each to be told apart."""


@dataclass(frozen=True)
class Cause:
    """A reason for which a call comes to an exit: `condition` is what held of the state before it, and of its arguments."""

    operation: str
    exit: str
    name: str
    condition: Node

    @property
    def clause(self) -> str:
        """The clause that it is a cause of."""
        return f"{self.operation}/{self.exit}"

    def __str__(self) -> str:
        return f"{self.clause}#{self.name}"


@dataclass(frozen=True)
class Way:
    """One way in which a side of a branch is taken, and the numbers of its causes among its operation's, one an exit."""

    condition: Node
    numbers: tuple[int, ...]


class Causes:
    """The causes of an operation, in the order of its text, and where in its tree each stands.

    A condition on what the operation itself has written before is not told apart, nor is what comes after it.
    """

    def __init__(self, operation: str, tree: Block) -> None:
        # what a number is given by must live as long as the number
        self.tree = tree
        self._sides: dict[tuple[int, bool], list[Way]] = {}
        self._bulks: dict[int, int] = {}
        self._found: dict[tuple[str, Node], tuple[int, list[Node]]] = {}
        self._place(tree, TRUE)
        for exit, component, places in _bulks(tree):
            for path, write in places:
                number = self._noted(exit, Node("changes", (component,), bool), both(path, some(write)))
                self._bulks[id(write)] = number
        names = _named(list(self._found))
        self.all = [
            Cause(operation, exit, name, reduce(either, held))
            for ((exit, _), (_, held)), name in zip(self._found.items(), names, strict=True)
        ]

        self.of_exit: dict[str, int] = {}
        for number, cause in enumerate(self.all):
            self.of_exit[cause.exit] = self.of_exit.get(cause.exit, 0) | 1 << number

        self.last = {cause.exit: number for number, cause in enumerate(self.all)}
        """By exit the number of its last cause: an exit with a higher one comes later in the text."""
        self._named: dict[int, tuple[str, ...]] = {}

    def named(self, bits: int) -> tuple[str, ...]:
        """The names of some causes, by bit; each text is made once."""
        found = self._named.get(bits)
        if found is None:
            found = self._named[bits] = tuple(str(cause) for n, cause in enumerate(self.all) if bits >> n & 1)
        return found

    def _noted(self, exit: str, way: Node, condition: Node) -> int:
        number, held = self._found.setdefault((exit, way), (len(self._found), []))
        held.append(condition)
        return number

    def _place(self, block: Block, path: Node) -> None:
        if not isinstance(block.end, Branch) or is_late(block.end.condition):
            return
        sides = _sides(block.end)
        for taken, _, _ in sides:
            before = path
            for way, exits in self._of_side(block.end, taken):
                numbers = tuple(self._noted(exit, way, both(before, way)) for exit in exits)
                self._sides.setdefault((id(block.end), taken), []).append(Way(way, numbers))
                before = both(before, negated(way))
        for _, side, condition in sides:
            self._place(side, both(path, condition))

    @staticmethod
    def _of_side(branch: Branch, taken: bool) -> list[tuple[Node, list[str]]]:
        """The ways in which a side is taken, each with the exits that it is a cause of."""
        (_, side, condition), (_, other, _) = _sides(branch) if taken else reversed(_sides(branch))
        found = ways(condition)
        if refuses(side):
            return [(way, side.exits) for way in found]
        if len(found) == 1 and refuses(other):
            # a guard that can hold in one way only is passed by every call that goes on
            return []
        told, facts = [], dict[Node, bool]()
        for part in disjuncts(condition) if len(found) > 1 else [condition]:
            for way in ways(part):
                if way in found:
                    exits = dict.fromkeys(_exits(side, facts | _facts(part) | _facts(way)))
                    told.append((way, [exit for exit in exits if exit in EFFECTIVE]))
            if len(conjuncts(part)) == 1:
                facts |= _facts(negated(part))
        return told if any(exits for _, exits in told) else []

    def of(self, branch: Branch, taken: bool) -> Sequence[Way]:
        """The ways in which a side of a branch is taken; none where it is no cause."""
        return self._sides.get((id(branch), taken), ())

    def of_bulk(self, write: Write) -> int | None:
        """The number of the cause that a bulk update finds something."""
        return self._bulks.get(id(write))


def is_late(node: Node) -> bool:
    """Whether a condition asks what the operation itself has written."""
    return node.is_now or any(each.op == "local" for each in node.within())


def _facts(condition: Node) -> dict[Node, bool]:
    """What is known where a condition holds."""
    return {(part.args[0] if part.op == "not" else part): part.op != "not" for part in conjuncts(condition)}


def _exits(block: Block, facts: dict[Node, bool]) -> Iterator[str]:
    """The exits that may be come to where some conditions are known."""
    if isinstance(block.end, Leaf):
        yield block.end.exit
        return
    for taken, side, _ in _sides(block.end):
        if facts.get(block.end.condition, taken) is taken:
            yield from _exits(side, facts)


def _sides(branch: Branch) -> tuple[tuple[bool, Block, Node], tuple[bool, Block, Node]]:
    return (True, branch.yes, branch.condition), (False, branch.no, negated(branch.condition))


def refuses(block: Block) -> bool:
    """Whether nothing is left but to refuse."""
    return not block.statements and isinstance(block.end, Leaf) and block.end.exit not in EFFECTIVE


def _bulks(tree: Block) -> list[tuple[str, str, list[tuple[Node, Write]]]]:
    """The bulk updates of an operation: exit, component, and where they stand.  Of components that are updated under the same
    conditions the first stands for all."""
    places: dict[tuple[str, str], list[tuple[Node, Write]]] = {}
    for block, path in _within(tree, TRUE):
        for write in block.statements:
            if isinstance(write, Write) and write.kind in ("where", "drop") and not is_late(write.condition):
                exit = next(e for e in block.exits if e in EFFECTIVE)
                places.setdefault((exit, write.component), []).append((path, write))
    alike: dict[tuple[str, frozenset[Node]], tuple[str, list[tuple[Node, Write]]]] = {}
    for (exit, component), found in places.items():
        conditions = frozenset(_numbered(some(write), {}) for _, write in found)
        _, known = alike.setdefault((exit, conditions), (component, []))
        known += found
    return [(exit, component, found) for (exit, _), (component, found) in alike.items()]


def _within(block: Block, path: Node) -> Iterator[tuple[Block, Node]]:
    yield block, path
    if isinstance(block.end, Branch) and not is_late(block.end.condition):
        for _, side, condition in _sides(block.end):
            yield from _within(side, both(path, condition))


def some(write: Write) -> Node:
    """That a bulk update finds something."""
    found = write.condition
    for variable in reversed(write.over):
        found = Node("exists", (variable, found), bool)
    return found


def ways(node: Node) -> list[Node]:
    """The ways in which a condition can hold: it holds if one of them does.  The first that does is the one that counts."""
    found = _ways(node)
    return found if len(found) <= MOST_WAYS else [node]


def _ways(node: Node) -> list[Node]:
    if node.op == "or":
        return list(dict.fromkeys(each for part in node.args for each in _ways(part)))
    if node.op == "and":
        joined = (both(*pair) for pair in product(*(_ways(part) for part in node.args)))
        return list(dict.fromkeys(each for each in joined if each is not FALSE))
    if node.op == "exists":
        return [Node("exists", (node.args[0], way), bool) for way in _ways(node.args[1])]
    if node.op == "not":
        inner = node.args[0]
        if inner.op in ("and", "or"):
            parts: list[Node] = [negated(part) for part in inner.args]
            return _ways(both(*parts) if inner.op == "or" else Node("or", tuple(parts), bool))
        if inner.op == "forall":
            return _ways(Node("exists", (inner.args[0], negated(inner.args[1])), bool))
    return [node]


def _numbered(node: Node, numbers: dict[Node, Node]) -> Node:
    """An expression with its variables numbered as they come."""
    if node.op == "var":
        return numbers.setdefault(node, Node("var", (len(numbers) + 1,), node.type))
    args = tuple(_numbered(each, numbers) if isinstance(each, Node) else each for each in node.args)
    return Node(node.op, args, node.type)


@once
def causes(spec: Spec) -> dict[str, Causes]:
    """By operation the causes of a spec."""
    return {name: Causes(name, tree) for name, tree in trees(spec).items()}


def _named(found: Sequence[tuple[str, Node]]) -> list[str]:
    """A name for each, which no other of the same exit has: as short as that allows."""
    names = [""] * len(found)
    for exit in dict.fromkeys(exit for exit, _ in found):
        left = [number for number, each in enumerate(found) if each[0] == exit]
        for text in (_short, _keyed, shown):
            tried = {number: text(found[number][1]) for number in left}
            known = list(tried.values())
            for number, name in tried.items():
                names[number] = name
            left = [number for number in left if known.count(tried[number]) > 1]
    return names


def _short(node: Node) -> str:
    return _text(node, False)


def _keyed(node: Node) -> str:
    return _text(node, True)


def _text(node: Node, keyed: bool) -> str:
    """A condition in a word: what it reads, and what that is to be."""
    if node.op == "changes":
        return f"{node.args[0]}:="
    if node.op == "not":
        inner = node.args[0]
        if inner.op == "eq":
            return _equal(inner, keyed, False)
        if inner.op in ("lt", "le"):
            one, other = (_thing(each, keyed) for each in inner.args)
            return f"{one}{'>=' if inner.op == 'lt' else '>'}{other}"
        return f"not-{_text(inner, keyed)}"
    if node.op in ("and", "or"):
        parts = conjuncts(node) if node.op == "and" else node.args
        return ("," if node.op == "and" else "|").join(dict.fromkeys(_text(each, keyed) for each in parts))
    if node.op == "eq":
        return _equal(node, keyed, True)
    if node.op in ("lt", "le"):
        one, other = (_thing(each, keyed) for each in node.args)
        return f"{one}{'<' if node.op == 'lt' else '<='}{other}"
    if node.op in ("exists", "forall"):
        inner = _text(node.args[1], keyed)
        return inner if node.op == "exists" else f"all-{inner}"
    return _thing(node, keyed)


def _equal(node: Node, keyed: bool, holds: bool) -> str:
    one, other = node.args
    if other is const(other.type, 0) and other.type not in (int, bool):
        text = shown(other)
        if text == "none":
            return _thing(one, keyed) if not holds else f"no-{_thing(one, keyed)}"
    return f"{_thing(one, keyed)}{'=' if holds else '!='}{_thing(other, keyed)}"


def _thing(node: Node, keyed: bool) -> str:
    if node.op in READS:
        keys = ",".join(_thing(key, keyed) for key in node.args[2:])
        return f"{node.args[1]}[{keys}]" if keyed else str(node.args[1])
    if node.op == "count":
        return next((_thing(each, keyed) for each in node.args[1].within() if each.op in READS), shown(node))
    if node.op in ("add", "sub"):
        return _thing(node.args[0], keyed)
    if node.op == "in":
        return str(node.args[0].args[0])
    if node.op in ("not", "and", "or", "eq", "lt", "le", "exists", "forall"):
        return _text(node, keyed)
    return shown(node)


def every(spec: Spec, operations: Iterable[str] | None = None) -> list[Cause]:
    """All causes of a spec, or of some operations."""
    known = causes(spec)
    return [cause for name in (known if operations is None else operations) for cause in known[name].all]
