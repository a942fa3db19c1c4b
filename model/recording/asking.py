"""A recorded condition asked of a state, in whatever reading that state is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..language import exists, forall, is_enumeration, negation, subset
from .nodes import Counted, Node, counted

PLAIN = ("const", "arg", "some", "var")
QUANTIFIERS = {"forall": forall, "exists": exists, "collect": subset}


def asked(node: Node, system: Any, arguments: Mapping[str, Any]) -> Any:
    """What an expression on the state before a call comes to, in the reading that is current."""
    return Asking(system, arguments).value(node)


class Asking:
    """One state, or as many as a reading takes for one, of which several expressions are asked; what they have in common is found
    once."""

    def __init__(self, system: Any, arguments: Mapping[str, Any]) -> None:
        self.system, self.arguments = system, arguments
        self.variables: dict[Node, Any] = {}
        self._known: dict[Node, Any] = {}
        self._within = 0

    def value(self, node: Node) -> Any:
        """What an expression comes to."""
        if self._within or node.op in PLAIN:
            return self._found(node)
        if node not in self._known:
            self._known[node] = self._found(node)
        return self._known[node]

    def _found(self, node: Node) -> Any:
        op, args = node.op, node.args
        match op:
            case "const":
                kind, number = node.type, args[0]
                return bool(number) if kind is bool else kind(number) if is_enumeration(kind) else number
            case "arg" | "some":
                return self.arguments[args[0]]
            case "var":
                return self.variables[node]
            case "param":
                return getattr(self.system, args[0])
            case "cell":
                keys = tuple(map(self.value, args[2:]))
                return getattr(self.system, args[1])[keys[0] if len(keys) == 1 else keys]
            case "of":
                return getattr(self.system, args[1]).of(self.value(args[2]))
            case "head":
                return getattr(self.system, args[1])[self.value(args[2])].head
            case "not":
                return negation(self.value(args[0]))
            case "and":
                return self.value(args[0]) & self.value(args[1])
            case "or":
                return self.value(args[0]) | self.value(args[1])
            case "eq":
                return self.value(args[0]) == self.value(args[1])
            case "lt" | "le" if args[0].op == "rank":
                # a queue says itself which of two is ahead, and that they stand in one line is asked beside it
                return getattr(self.system, args[0].args[1]).ahead(self.value(args[0].args[2]), self.value(args[1].args[2]))
            case "lt":
                return self.value(args[0]) < self.value(args[1])
            case "le":
                return self.value(args[0]) <= self.value(args[1])
            case "add":
                return self.value(args[0]) + self.value(args[1])
            case "sub":
                return self.value(args[0]) - self.value(args[1])
            case "in":
                return self.value(args[0])[self.value(args[1])]
            case "count":
                return self._count(counted[node])
        quantify = QUANTIFIERS[op]
        variable, body = args

        def held(element: Any) -> Any:
            self.variables[variable] = element
            return self.value(body)

        self._within += 1
        try:
            return quantify(variable.type, held)
        finally:
            self._within -= 1

    def _count(self, count: Counted) -> Any:
        arguments = tuple(map(self.value, count.arguments))
        if count.counter is not None:
            return count.counter(self.system, *arguments)
        return getattr(self.system, count.queue)[arguments[0]].length
