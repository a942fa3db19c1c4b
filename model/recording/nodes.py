"""What a recorded operation is made of: expressions, and blocks of statements that end in a branch or at an exit.

An expression is a `Node`; equal ones are one object, so that what is asked twice is seen to be.  `op` and its `args`:

    const n              a number, an element, a value of an enumeration, a truth value
    arg name             a parameter; one that may be none has `optional` in its args
    some name            a parameter that is a subset; so is `collect`
    var n, local n       what a loop ranges over; what was read at a place (`Let`)
    param name           a parameter of the scope
    cell tag map key...  a cell; `of tag queue element`, `rank tag queue element`, `head tag queue line` likewise
    not, and, or, eq, lt, le, add, sub
    forall, exists, count, collect (var, body)
    in some element      whether an element is in a subset

`tag` says of which state: "before" the operation, "now" while it writes, or "after" it.  A cell at none is the default of its
type; a rank counts from 0 at the oldest, and means nothing of an element that stands in no line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..language import Type, is_sort

BEFORE, NOW, AFTER = "before", "now", "after"
READS = ("cell", "of", "rank", "head")
LOOPS = ("forall", "exists", "count", "collect")


class Node:
    """An expression; `free` are the parameters and loop variables that it depends on, `is_now` says that a write may change
    it."""

    __slots__ = ("args", "free", "is_now", "op", "type")
    _all: dict[Any, Node] = {}

    op: str
    args: tuple[Any, ...]
    type: Type
    free: frozenset[Node]
    is_now: bool

    def __new__(cls, op: str, args: tuple[Any, ...], type: Type) -> Node:
        key = op, args, type
        found = cls._all.get(key)
        if found is None:
            found = cls._all[key] = object.__new__(cls)
            found.op, found.args, found.type = op, args, type
            inner = [a for a in args if isinstance(a, Node)]
            free: frozenset[Node] = frozenset().union(*(a.free for a in inner))
            found.free = free | {found} if op in ("arg", "some", "var") else free - {args[0]} if op in LOOPS else free
            found.is_now = any(a.is_now for a in inner) or (op in READS and args[0] == NOW)
        return found

    def __repr__(self) -> str:
        return f"{self.op}({', '.join(map(str, self.args))})"

    def within(self) -> Iterator[Node]:
        """It and all that it is made of."""
        yield self
        for each in self.args:
            if isinstance(each, Node):
                yield from each.within()


@dataclass(frozen=True)
class Counted:
    """What a `count` is in the text: a counter's, of these arguments, or the length of a queue's line."""

    arguments: tuple[Node, ...]
    counter: Any = None
    queue: str = ""


counted: dict[Node, Counted] = {}
"""What each `count` that was recorded is in the text."""


def const(kind: Type, value: int) -> Node:
    """A value that is known."""
    return Node("const", (int(value),), kind)


TRUE, FALSE = const(bool, True), const(bool, False)


def eq(one: Node, other: Node) -> Node:
    """Whether two values are the same."""
    if one is other:
        return TRUE
    if one.op == other.op == "const":
        return FALSE
    if one.op == "const":
        one, other = other, one
    if one.type is bool and other.op == "const":
        return one if other.args[0] else negated(one)
    if other.op == "const" and not other.args[0] and is_something(one):
        return FALSE
    return Node("eq", (one, other), bool)


def is_something(one: Node) -> bool:
    """Whether an expression is an element that is never none."""
    return is_sort(one.type) and (one.op == "var" or (one.op == "arg" and len(one.args) == 1))


def negated(one: Node) -> Node:
    """Not."""
    if one.op == "const":
        return FALSE if one.args[0] else TRUE
    return one.args[0] if one.op == "not" else Node("not", (one,), bool)


def both(one: Node, other: Node) -> Node:
    """And."""
    if FALSE in (one, other):
        return FALSE
    return other if one in (TRUE, other) else one if other is TRUE else Node("and", (one, other), bool)


def either(one: Node, other: Node) -> Node:
    """Or."""
    if TRUE in (one, other):
        return TRUE
    return other if one in (FALSE, other) else one if other is FALSE else Node("or", (one, other), bool)


def order(op: str, one: Node, other: Node) -> Node:
    """`lt` or `le`."""
    if one.op == other.op == "const":
        return const(bool, one.args[0] < other.args[0] if op == "lt" else one.args[0] <= other.args[0])
    return Node(op, (one, other), bool)


def conjuncts(node: Node) -> list[Node]:
    """What has to hold for a node to hold, part by part."""
    if node.op == "and":
        return [each for part in node.args for each in conjuncts(part)]
    if node.op == "not" and node.args[0].op == "or":
        return [each for part in node.args[0].args for each in conjuncts(negated(part))]
    return [node]


def disjuncts(node: Node) -> list[Node]:
    """The ways in which a node can hold."""
    if node.op == "or":
        return [each for part in node.args for each in disjuncts(part)]
    if node.op == "not" and node.args[0].op == "and":
        return [each for part in node.args[0].args for each in disjuncts(negated(part))]
    return [node]


@dataclass(frozen=True)
class Place:
    """Where in a specification's text something stands."""

    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Let:
    """A value that is read at this place, because a later write may change it."""

    local: Node
    value: Node
    place: Place


@dataclass(frozen=True)
class Check:
    """What must hold for the specification's own text to make sense here; `text` says what is wrong if it does not."""

    condition: Node
    text: str
    place: Place


@dataclass(frozen=True)
class Write:
    """A write: `kind` is "set" (`keys`, `value`), "where" (`over`, `condition`, `value`), "push" (`keys`: the line, `value`: the
    element), "remove" (`value`: the element) or "drop" (`over`, `condition`).  What a condition reads is so before the write."""

    kind: str
    component: str
    place: Place
    keys: tuple[Node, ...] = ()
    over: tuple[Node, ...] = ()
    condition: Node = TRUE
    value: Node = FALSE


@dataclass(frozen=True)
class Leaf:
    """An exit, with the parts of the answer where the call takes effect."""

    exit: str
    answer: tuple[Node, ...] = ()


@dataclass
class Branch:
    """A decision; with `guard` it is one part of a `require`."""

    condition: Node
    yes: Block
    no: Block
    guard: bool
    place: Place


@dataclass
class Block:
    """Statements, then a branch or an exit."""

    statements: list[Let | Check | Write] = field(default_factory=list)
    end: Branch | Leaf = Leaf("ok")

    def within(self) -> Iterator[Block]:
        """It and all that come after it."""
        yield self
        if isinstance(self.end, Branch):
            yield from self.end.yes.within()
            yield from self.end.no.within()

    @property
    def written(self) -> set[str]:
        """The components that are written on some path."""
        return {s.component for block in self.within() for s in block.statements if isinstance(s, Write)}

    @property
    def exits(self) -> list[str]:
        """The exits, as they come in the text."""
        return list(dict.fromkeys(block.end.exit for block in self.within() if isinstance(block.end, Leaf)))
