"""A recorded condition asked of a state, in whatever reading that state is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..language import exists, forall, is_enumeration, negation, subset
from .nodes import Counted, Node, counted

QUANTIFIERS = {"forall": forall, "exists": exists, "collect": subset}


def asked(node: Node, system: Any, arguments: Mapping[str, Any]) -> Any:
    """What an expression on the state before a call comes to, in the reading that is current."""
    return _Asking(system, arguments).value(node)


class _Asking:
    def __init__(self, system: Any, arguments: Mapping[str, Any]) -> None:
        self.system, self.arguments = system, arguments
        self.variables: dict[Node, Any] = {}

    def value(self, node: Node) -> Any:
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

        return quantify(variable.type, held)

    def _count(self, count: Counted) -> Any:
        arguments = tuple(map(self.value, count.arguments))
        if count.counter is not None:
            return count.counter(self.system, *arguments)
        return getattr(self.system, count.queue)[arguments[0]].length
