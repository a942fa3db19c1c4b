"""A Python module changed in one place at a time: its mutants, by a walk over its syntax tree.

Not made, because they change nothing by construction: an assertion left out (one that never fails has no effect), a swap of two
assignments that touch nothing in common, the `return` at a function's end left out where `return None` in its place is made
already, and what is said in annotations, docstrings, `__all__` and the text of f-strings.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
DENIED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    **COMPARISONS,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
BLOCKS = ("body", "orelse", "finalbody")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SIMPLE_EFFECTS = (ast.Assign, ast.AugAssign, ast.Delete)


@dataclass(frozen=True)
class Place:
    """Where a node hangs: a field of its parent, and at which index where that is a list."""

    parent: ast.AST
    name: str
    index: int | None = None

    def get(self) -> Any:
        found = getattr(self.parent, self.name)
        return found if self.index is None else found[self.index]

    def put(self, value: Any) -> None:
        if self.index is None:
            setattr(self.parent, self.name, value)
        else:
            getattr(self.parent, self.name)[self.index] = value


Edit = list[tuple[Place, Any]]


@dataclass
class Mutant:
    """One change of a module.  `before` and `after` are the lines that it changes, as `ast.unparse` writes them.  Where the
    change makes a difference one of `lines` of the source is executed; None is for one that does when the module is imported, and
    where it is not known."""

    file: str
    function: str
    operator: str
    number: int
    line: int
    before: str
    after: str
    lines: range | None

    @property
    def id(self) -> str:
        return f"{self.file}:{self.function}:{self.operator}:{self.number}"

    @property
    def diff(self) -> str:
        removed = [f"- {line}" for line in self.before.splitlines()]
        return "\n".join(removed + [f"+ {line}" for line in self.after.splitlines()])


@dataclass
class TreeMutant(Mutant):
    """A change of a syntax tree."""

    edit: Edit = field(repr=False)

    def apply(self) -> None:
        """Change the tree of which this was made."""
        exchange(self.edit)


def exchange(edit: Edit) -> Edit:
    """Make an edit; what undoes it."""
    undo = [(place, place.get()) for place, _ in edit]
    for place, value in edit:
        place.put(value)
    return undo


def mutants(file: str, tree: ast.Module) -> list[TreeMutant]:
    """The mutants of a module, in the order of its source.  To make one, `apply` it to the tree and compile that."""
    return list(_Walk(file).module(tree))


class _Walk:
    def __init__(self, file: str) -> None:
        self.file = file
        self.numbers: Counter[tuple[str, str]] = Counter()

    def module(self, tree: ast.Module) -> Iterator[TreeMutant]:
        yield from self.block(tree, "body", "", False)

    def block(self, parent: ast.AST, name: str, scope: str, called: bool) -> Iterator[TreeMutant]:
        """The mutants of the statements of a block.  `called` says whether it stands in a function."""
        statements: list[ast.stmt] = getattr(parent, name)
        last_of_function = isinstance(parent, ast.FunctionDef) and name == "body"
        for index, statement in enumerate(statements):
            if _is_silent(statement):
                continue
            place = Place(parent, name, index)
            made: set[str] = set()
            whole = _lines(statement, whole=True)
            ends = last_of_function and index == len(statements) - 1 and isinstance(statement, ast.Return)
            if not isinstance(statement, DEFINITIONS + (ast.Assert, ast.Pass)) and not ends and not _only_declares(statement):
                removed = _head(statement)
                yield self.mutant(scope, "delete", statement, (removed, ""), [(place, ast.Pass())], whole if called else None)
            if isinstance(statement, (ast.Break, ast.Continue)):
                other_way = ast.Continue() if isinstance(statement, ast.Break) else ast.Break()
                text = ast.unparse(statement), ast.unparse(other_way)
                yield self.mutant(scope, "break-continue", statement, text, [(place, other_way)], whole if called else None)
            for operator, edit in _edits(statement):
                before = _head(statement)
                undo = exchange(edit)
                after = _head(statement)
                exchange(undo)
                if after not in made | {before}:
                    made.add(after)
                    yield self.mutant(
                        scope, operator, statement, _differing(before, after), edit, _lines(statement) if called else None
                    )
            following = statements[index + 1] if index + 1 < len(statements) else None
            if following is not None and _is_effect(statement) and _is_effect(following) and not _commute(statement, following):
                both = range(whole.start, _lines(following, whole=True).stop)
                swapped: Edit = [(place, following), (Place(parent, name, index + 1), statement)]
                one, other = ast.unparse(statement), ast.unparse(following)
                text = f"{one}\n{other}", f"{other}\n{one}"
                yield self.mutant(scope, "swap", statement, text, swapped, both if called else None)
            inner = scope
            if isinstance(statement, DEFINITIONS):
                inner = f"{scope}.{statement.name}" if scope else statement.name
            in_function = called or isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
            for owner in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                for block in BLOCKS:
                    if getattr(owner, block, None):
                        yield from self.block(owner, block, inner, in_function)

    def mutant(
        self, scope: str, operator: str, at: ast.stmt, text: tuple[str, str], edit: Edit, lines: range | None
    ) -> TreeMutant:
        key = scope or "<module>", operator
        self.numbers[key] += 1
        return TreeMutant(self.file, *key, self.numbers[key], at.lineno, *text, lines, edit)


def operands(tree: ast.Module) -> Iterator[tuple[int, str, str, Edit]]:
    """The operands of `&` and `|`, each with what leaves it out: the line, its statement before and after, the edit."""
    for statement in (node for node in ast.walk(tree) if isinstance(node, ast.stmt) and not isinstance(node, DEFINITIONS)):
        for place in _places(statement):
            node = place.get()
            if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
                before = _head(statement)
                for other in (node.right, node.left):
                    edit: Edit = [(place, other)]
                    undo = exchange(edit)
                    after = _head(statement)
                    exchange(undo)
                    yield statement.lineno, before, after, edit


def _is_silent(statement: ast.stmt) -> bool:
    """Whether a statement is an import, a docstring or the list of what a door exports."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    exports = isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"
    return exports or isinstance(statement, (ast.Import, ast.ImportFrom))


def _only_declares(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AnnAssign) and statement.value is None


def _is_effect(statement: ast.stmt) -> bool:
    call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    return call or isinstance(statement, SIMPLE_EFFECTS)


def _commute(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether two statements are assignments of which neither names what the other assigns to, and which do nothing else."""
    touched = []
    for statement in (one, other):
        nodes = list(ast.walk(statement))
        if isinstance(statement, ast.Delete) or any(isinstance(n, (ast.Call, ast.Subscript)) for n in nodes):
            return False
        named = [n for n in nodes if isinstance(n, (ast.Name, ast.Attribute))]
        touched.append(({_name(n) for n in named if isinstance(n.ctx, ast.Store)}, {_name(n) for n in named}))
    (stored, names), (stored_too, names_too) = touched
    return not stored & names_too and not stored_too & names


def _name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _head(statement: ast.stmt) -> str:
    """A statement as text; of one that has blocks, what stands above them."""
    if not hasattr(statement, "body"):
        return ast.unparse(statement)
    short = copy.copy(statement)
    for block in (*BLOCKS, "handlers"):
        if hasattr(short, block):
            setattr(short, block, [])
    return ast.unparse(short)


def _differing(before: str, after: str) -> tuple[str, str]:
    one, other = before.splitlines(), after.splitlines()
    if len(one) != len(other):
        return before, after
    different = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    return "\n".join(a for a, _ in different), "\n".join(b for _, b in different)


def _lines(statement: ast.stmt, *, whole: bool = False) -> range:
    """The lines of a statement; of one that has blocks those above them, if not the `whole` is asked for."""
    end = statement.end_lineno or statement.lineno
    blocks = [getattr(statement, "body", []), getattr(statement, "cases", [])]
    first = [getattr(each[0], "lineno", end) for each in blocks if each]
    if first and not whole and not isinstance(statement, ast.Match):
        end = max(statement.lineno, min(first) - 1)
    return range(statement.lineno, end + 1)


def _places(node: ast.AST) -> Iterator[Place]:
    """Where the expressions of a statement hang, outer ones first; without those of its blocks."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "ctx", "ops", "op"} and not isinstance(node, ast.ClassDef):
            continue
        listed = value if isinstance(value, list) else [value]
        for index, child in enumerate(listed):
            if not isinstance(child, ast.AST) or isinstance(child, (ast.stmt, ast.ExceptHandler, ast.JoinedStr, ast.pattern)):
                continue
            place = Place(node, name, index if isinstance(value, list) else None)
            if isinstance(child, ast.expr):
                yield place
            if not isinstance(child, ast.match_case):
                yield from _places(child)


def _conditions(node: ast.AST) -> Iterator[Place]:
    if isinstance(node, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        yield Place(node, "test")
    if isinstance(node, ast.comprehension):
        for index in range(len(node.ifs)):
            yield Place(node, "ifs", index)
    if isinstance(node, ast.Match):
        for case in node.cases:
            if case.guard is not None:
                yield Place(case, "guard")


def _denied(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return ast.Compare(test.left, [DENIED[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def _edits(statement: ast.stmt) -> Iterator[tuple[str, Edit]]:
    """The changes within a statement, each with its operator; without those within its blocks."""
    for node in (statement, *_inner(statement)):
        for place in _conditions(node):
            yield "negate", [(place, _denied(place.get()))]
    if isinstance(statement, ast.Return) and statement.value is not None and not _is_none(statement.value):
        yield "return-none", [(Place(statement, "value"), ast.Constant(None))]
    if isinstance(statement, ast.AugAssign) and type(statement.op) in ARITHMETIC:
        yield "arithmetic", [(Place(statement, "op"), ARITHMETIC[type(statement.op)]())]
    for place in _places(statement):
        node = place.get()
        if isinstance(node, ast.Compare):
            for index, op in enumerate(node.ops):
                yield "compare", [(Place(node, "ops", index), COMPARISONS[type(op)]())]
        elif isinstance(node, ast.BoolOp):
            for index in range(len(node.values)):
                rest = node.values[:index] + node.values[index + 1 :]
                yield "drop", [(place, rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))]
            yield "and-or", [(Place(node, "op"), ast.Or() if isinstance(node.op, ast.And) else ast.And())]
        elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            yield "arithmetic", [(Place(node, "op"), ARITHMETIC[type(node.op)]())]
        elif isinstance(node, ast.Constant):
            yield from _constants(place, node.value)


def _inner(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes within a statement's own expressions."""
    seen: set[int] = set()
    for place in _places(statement):
        for node in (place.parent, place.get()):
            if node is not statement and id(node) not in seen:
                seen.add(id(node))
                yield node


def _constants(place: Place, value: object) -> Iterator[tuple[str, Edit]]:
    if isinstance(value, bool):
        yield "constant", [(place, ast.Constant(not value))]
    elif isinstance(value, int):
        yield "constant+1", [(place, ast.Constant(value + 1))]
        yield "constant-1", [(place, ast.Constant(value - 1))]
    elif isinstance(value, str):
        yield "string", [(place, ast.Constant(value + "?"))]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
