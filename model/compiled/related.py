"""How what a call is given may stand to the state and to each other, whether its operation asks for it or not.

An implementation may go wrong there alone: for the owner and not for others, for the second of a kind and not for the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from ..language import Action, Spec, is_enumeration, is_sort
from ..recording import BEFORE, Block, Branch, Node, Write, both, const, eq, negated

VARIABLE = 0
"""The number of what a condition ranges over, which is none of the recording's."""


def asked(action: Action, tree: Block, spec: Spec) -> list[Node]:
    """The conditions of the state before it that an operation asks, part by part; in their place what else may be so; and what
    there is among the members of sets that it is given."""
    parts = [part for condition in _conditions(tree) for part in _parts(condition)]
    own = [p for p in parts if not p.is_now and not any(n.op == "local" for n in p.within())]
    return _plain([*own, *(other for part in own for other in _otherwise(part)), *_members(spec, action)])


def touched(spec: Spec, action: Action, tree: Block) -> list[tuple[Node, str]]:
    """What an operation is given, and what it reads that stands one map or more away: each with a component that is kept for it,
    and that the operation does not write."""
    read = {n for condition in _conditions(tree) for n in condition.within()}
    read |= {n for block in tree.within() for s in block.statements if isinstance(s, Write) for v in s.keys for n in v.within()}
    whole = _given(action)
    for node in whole:
        whole += [n for n in _away(spec, node) if n in read and n not in whole and is_sort(n.type)]
    maps = [c for c in spec.components if c.kind == "map" and c.name not in tree.written]
    return [(node, component.name) for node in whole for component in maps if node.type in component.keys]


def _conditions(tree: Block) -> list[Node]:
    return [block.end.condition for block in tree.within() if isinstance(block.end, Branch)]


def _given(action: Action) -> list[Node]:
    return [_argument(s.name, s.type, s.optional) for s in action.slots if not (s.fresh or s.subset) and is_sort(s.type)]


def _otherwise(node: Node) -> Iterator[Node]:
    """Where something is asked to be this, the others that it may be."""
    plain = node.args[0] if node.op == "not" else node
    if plain.op == "eq":
        one, other = plain.args
        if is_enumeration(one.type) and other.op == "const":
            yield from (eq(one, const(one.type, value)) for value in one.type)
        elif is_sort(one.type):
            for each in (one, other):
                if each.op != "const" and all(of.op != "var" for of in each.free):
                    yield eq(each, const(each.type, 0))


def _members(spec: Spec, action: Action) -> Iterator[Node]:
    """What is so of a member of a set that is given."""
    for slot in (s for s in action.slots if s.subset):
        member = Node("var", (VARIABLE,), slot.type)
        for each in _alone(list(_away(spec, member))):
            yield Node("exists", (member, both(Node("in", (Node("some", (slot.name,), slot.type), member), bool), each)), bool)


def related(spec: Spec, action: Action, tree: Block) -> list[Node]:
    """These, and further conditions of what a call is given and of what stands one map away from that: whether two are the same,
    what they are, and whether something else refers to them."""
    given = _given(action)
    away = [each for node in given for each in _away(spec, node)]
    return _plain([*asked(action, tree, spec), *_same([*given, *away]), *_alone(away), *_referred(spec, given)])


def _plain(nodes: Iterable[Node]) -> list[Node]:
    """Each once, and not its negation."""
    plain = (node.args[0] if node.op == "not" else node for node in nodes)
    return list(dict.fromkeys(node for node in plain if node.op != "const"))


def _parts(node: Node) -> Iterator[Node]:
    if node.op in ("and", "or", "not"):
        for part in node.args:
            yield from _parts(part)
    else:
        yield node


def _argument(name: str, kind: type, optional: bool) -> Node:
    return Node("arg", (name, "optional") if optional else (name,), kind)


def _away(spec: Spec, node: Node) -> Iterator[Node]:
    """What stands one map away from an element, where one key is enough."""
    for component in spec.components:
        if component.kind in ("map", "rigid") and component.keys == (node.type,) and component.value is not int:
            yield Node("cell", (BEFORE, component.name, node), component.value)
        elif component.kind == "queue" and component.value is node.type:
            yield Node("of", (BEFORE, component.name, node), component.keys[0])


def _same(nodes: list[Node]) -> Iterator[Node]:
    for one, other in combinations(nodes, 2):
        if one.type is other.type and is_sort(one.type):
            yield eq(one, other)


def _alone(away: list[Node]) -> Iterator[Node]:
    """What each is: set or not, which of few, something or none."""
    for node in away:
        if node.type is bool:
            yield node
        elif is_enumeration(node.type):
            yield from (eq(node, const(node.type, value)) for value in node.type)
        elif is_sort(node.type):
            yield eq(node, const(node.type, 0))


def _referred(spec: Spec, given: list[Node]) -> Iterator[Node]:
    """Whether anything refers to what is given, and whether something else refers to what it refers to."""
    for component in spec.components:
        if component.kind != "map" or len(component.keys) != 1 or not is_sort(component.keys[0]):
            continue
        (key,), value = component.keys, component.value
        variable = Node("var", (VARIABLE,), key)
        cell = Node("cell", (BEFORE, component.name, variable), value)
        for node in given:
            if value is node.type:
                yield Node("exists", (variable, both(negated(eq(node, const(value, 0))), eq(cell, node))), bool)
            if key is node.type and is_sort(value):
                own = Node("cell", (BEFORE, component.name, node), value)
                other = both(negated(eq(variable, node)), eq(cell, own))
                yield Node("exists", (variable, both(negated(eq(own, const(value, 0))), other)), bool)
