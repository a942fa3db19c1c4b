"""A recorded operation in lines, as `oneowner show operations --tree NAME` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..language import is_enumeration
from .nodes import BEFORE, Block, Branch, Check, Leaf, Let, Node, Write

INFIX = {"eq": "==", "lt": "<", "le": "<=", "add": "+", "sub": "-", "and": "&", "or": "|"}


def shown(node: Node) -> str:
    """An expression, as a specification would write it; what is read of a state that was written is marked with '."""
    op, args = node.op, node.args
    if op == "const":
        return _constant(node)
    if op in ("arg", "some", "param"):
        return str(args[0])
    if op in ("var", "local"):
        return f"{node.type.__name__.lower()}{args[0]}" if op == "var" else f"read{args[0]}"
    if op == "not":
        return f"not {shown(args[0])}"
    if op == "in":
        return f"{shown(args[0])}[{shown(args[1])}]"
    if op in ("cell", "of", "rank", "head"):
        mark = "" if args[0] == BEFORE else "'"
        keys = ", ".join(map(shown, args[2:]))
        whole = f"{args[1]}{mark}"
        return {"cell": f"{whole}[{keys}]", "head": f"{whole}[{keys}].head"}.get(op, f"{whole}.{op}({keys})")
    if op in ("forall", "exists", "count", "collect"):
        return f"{op}({shown(args[0])}: {shown(args[1])})"
    return f"({shown(args[0])} {INFIX[op]} {shown(args[1])})"


def _constant(node: Node) -> str:
    kind, value = node.type, node.args[0]
    if kind is bool:
        return str(bool(value))
    if is_enumeration(kind):
        return str(kind(value).name)
    if kind is int:
        return str(value)
    names = {int(constant): constant.name for constant in kind.constants}
    return "none" if not value else names.get(value, str(value))


def tree(block: Block, depth: int = 0) -> Iterator[str]:
    """A block, a statement or a decision a line."""
    edge = "    " * depth
    for statement in block.statements:
        yield edge + _statement(statement)
    end = block.end
    if isinstance(end, Leaf):
        answer = f" ({', '.join(map(shown, end.answer))})" if end.answer else ""
        yield f"{edge}{end.exit}{answer}"
        return
    refused, rest = _refusal(end)
    if refused:
        yield f"{edge}require {refused}"
        yield from tree(rest, depth)
        return
    yield f"{edge}if {shown(end.condition)}:"
    yield from tree(end.yes, depth + 1)
    yield f"{edge}else:"
    yield from tree(end.no, depth + 1)


def _refusal(branch: Branch) -> tuple[str, Any]:
    """A part of a guard, with its error, and what goes on where it holds."""
    for side, other, condition in ((branch.no, branch.yes, shown(branch.condition)), (branch.yes, branch.no, None)):
        if branch.guard and not side.statements and isinstance(side.end, Leaf) and not side.end.answer:
            text = condition if condition is not None else f"not {shown(branch.condition)}"
            if isinstance(other.end, Branch) or other.statements or isinstance(other.end, Leaf):
                return f"{text} else {side.end.exit}", other
    return "", None


def _statement(statement: Let | Check | Write) -> str:
    if isinstance(statement, Let):
        return f"{shown(statement.local)} = {shown(statement.value)}"
    if isinstance(statement, Check):
        return f"assert {shown(statement.condition)}  # {statement.text}"
    keys = ", ".join(map(shown, statement.keys))
    over = ", ".join(map(shown, statement.over))
    match statement.kind:
        case "set":
            return f"{statement.component}[{keys}] = {shown(statement.value)}"
        case "where":
            return f"{statement.component}[{over}] = {shown(statement.value)} where {shown(statement.condition)}"
        case "push":
            return f"{statement.component}[{keys}].push({shown(statement.value)})"
        case "remove":
            return f"{statement.component}.remove({shown(statement.value)})"
    return f"{statement.component}.drop({over} where {shown(statement.condition)})"
