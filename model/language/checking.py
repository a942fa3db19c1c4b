"""What a reading cannot see is refused where it stands, when the specification is made.

A reading answers what a spec function asks of the state, and follows what is decided: `if`, `not`, `and`, `or`, `==`, `<`, `+`,
calls.  It does not see `is`, `match`, `try`, a look-up in a dictionary, a change of what is no part of the state: there a symbol
would be taken for a value, and the readings would come apart.  So the text of each spec function and of all that it calls
is walked, and only what every reading means alike is let pass.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
from collections.abc import Callable, Iterator
from enum import Enum
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .declarations import Counter
from .reading import ENGINE, SpecError, place_of

PLAIN = (
    *(ast.Module, ast.FunctionDef, ast.Lambda, ast.arguments, ast.arg, ast.Return, ast.Expr, ast.Pass, ast.Load, ast.Store),
    *(ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr, ast.If, ast.IfExp, ast.For, ast.Break, ast.Continue),
    *(ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Invert),
    *(
        ast.BinOp,
        ast.Add,
        ast.Sub,
        ast.BitAnd,
        ast.BitOr,
        ast.Mult,
        ast.Compare,
        ast.Eq,
        ast.NotEq,
        ast.Lt,
        ast.LtE,
        ast.Gt,
        ast.GtE,
    ),
    *(ast.Call, ast.keyword, ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.Starred, ast.Slice),
)
"""What a spec function may be written with; what an operator makes of a value of the state is for the reading to say."""

INSTEAD: dict[type[ast.AST], str] = {
    ast.Is: "`is` asks whether two things are the same object, which no reading can tell of values: write ==",
    ast.IsNot: "`is not` asks whether two things are the same object, which no reading can tell of values: write !=",
    ast.In: "`in` looks something up: write == for each, or with | between them; of a subset, some[element]",
    ast.NotIn: "`not in` looks something up: write != for each; of a subset, not some[element]",
    ast.Match: "`match` compares behind the reading's back: write if, with ==",
    ast.Try: "`try` would catch what the engine itself has to say: ask before, with if or require",
    ast.Raise: "`raise`: an operation refuses with require(condition, error)",
    ast.Assert: "`assert`: an operation refuses with require(condition, error); what always holds is an @invariant",
    ast.JoinedStr: "a text made of values: no reading can follow what it says; compare the values",
    ast.Dict: "a dictionary looks its keys up by their hash, which a value of the state has not: write if, with ==",
    ast.DictComp: "a dictionary looks its keys up by their hash, which a value of the state has not: write if, with ==",
    ast.Set: "a set looks its elements up by their hash, which a value of the state has not: write == for each",
    ast.SetComp: "a set looks its elements up by their hash, which a value of the state has not: write == for each",
    ast.While: "`while` may go on for as long as the state says: write one bulk update with where()",
    ast.With: "`with` runs what is no part of the state",
    ast.Global: "`global`: what a step remembers is a component of the state",
    ast.Nonlocal: "`nonlocal`: what a step remembers is a component of the state",
    ast.Yield: "a generator is no operation and no statement: nobody would run it to its end",
    ast.YieldFrom: "a generator is no operation and no statement: nobody would run it to its end",
    ast.Await: "`await`: an operation happens in one step; a call that has to wait is suspended with suspend()",
    ast.AsyncFunctionDef: "`async`: an operation happens in one step; a call that has to wait is suspended with suspend()",
    ast.Import: "an import inside a spec function: import above",
    ast.ImportFrom: "an import inside a spec function: import above",
    ast.ClassDef: "a class inside a spec function: declare it above",
    ast.Delete: "`del`: what is gone is none, or False",
}

BUILTINS = frozenset({"bool", "range", "zip", "enumerate", "tuple", "list", "all", "any", "reversed"})
"""Functions of Python's that do nothing with a value but hand it on, or decide as `and` and `or` do."""


def check_function(function: Callable[..., Any]) -> None:
    """Walk a spec function and all that it calls.  Raises SpecError, with file and line, where no reading sees what is done."""
    _check(function, set())


_passed: set[CodeType] = set()


def _located(text: str) -> SpecError:
    found = SpecError(text)
    found.located = True
    return found


def _check(function: Any, on_the_way: set[CodeType]) -> None:
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType):
        return
    code = function.__code__
    if code in _passed or code in on_the_way or code.co_filename.startswith(ENGINE):
        return
    on_the_way.add(code)
    for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        if isinstance(value, list | dict | set | bytearray):
            at = place_of(code.co_filename, code.co_firstlineno)
            raise _located(f"a default that can change is remembered from step to step ({function.__name__}, {at})")
    for node in _texts(code):
        _Walk(function, on_the_way).visit(node)
    _passed.add(code)


@lru_cache(maxsize=256)
def _file(path: str, size: int) -> dict[int, list[ast.AST]]:
    """The functions in a file, by the line in which their code begins."""
    lines = linecache.getlines(path)
    found: dict[int, list[ast.AST]] = {}
    for node in ast.walk(ast.parse("".join(lines))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found.setdefault(first, []).append(node)
        elif isinstance(node, ast.Lambda):
            found.setdefault(node.lineno, []).append(node)
    return found


def _texts(code: CodeType) -> Iterator[ast.AST]:
    """The text of a function; of a lambda of which that cannot be told, of all that begin in its line.  Raises SpecError where
    there is none."""
    lines = linecache.getlines(code.co_filename)
    kind = ast.Lambda if code.co_name == "<lambda>" else (ast.FunctionDef, ast.AsyncFunctionDef)
    there = _file(code.co_filename, len(lines)).get(code.co_firstlineno, []) if lines else []
    found = [node for node in there if isinstance(node, kind) and getattr(node, "name", code.co_name) == code.co_name]
    if not found:
        raise _located(f"{code.co_name}: its text cannot be read, so it cannot be checked: a spec function stands in a file")
    if len(found) == 1 or code.co_name != "<lambda>":
        yield from found
        return
    within = [p for p in code.co_positions() if p[0] is not None and p[2] is not None and p[2] != p[3]]
    yield from [node for node in found if all(_holds(node, line, column) for line, _, column, _ in within)][-1:] or found


def _holds(node: Any, line: Any, column: Any) -> bool:
    """Whether a place in a file is within the text of a node."""
    return bool((node.lineno, node.col_offset) <= (line, column) <= (node.end_lineno, node.end_col_offset))


class _Walk(ast.NodeVisitor):
    """Looks at the text of one function; `function` has the names that it can see."""

    def __init__(self, function: FunctionType, on_the_way: set[CodeType]) -> None:
        self.function, self.on_the_way = function, on_the_way
        code = function.__code__
        self.code = code
        self.own = {*_names_in(code)}
        self.seen = {**vars(builtins), **function.__globals__}
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self.seen[name] = cell.cell_contents
            except ValueError:
                self.own.add(name)  # filled in later: a function that calls itself

    def wrong(self, node: ast.AST, text: str) -> SpecError:
        line = getattr(node, "lineno", self.code.co_firstlineno)
        return _located(f"{text} ({self.function.__name__}, {place_of(self.code.co_filename, line)})")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in node.body:
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.body)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store) and self._value(node.value) is not self:
            raise self.wrong(node, f"{ast.unparse(node)} = ...: what a step remembers is a component of the state")
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        value = self._value(node.value)
        if value is not self and not isinstance(value, str | tuple | range | type):
            raise self.wrong(node, f"{ast.unparse(node)}: a look-up in what is no part of the state; declare a Rigid map")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for operator, right in zip(node.ops, node.comparators, strict=True):
            spelled_out = isinstance(right, ast.Tuple | ast.List)
            if not isinstance(operator, PLAIN) and not (spelled_out and isinstance(operator, ast.In | ast.NotIn)):
                raise self.wrong(node, INSTEAD[type(operator)])
        for part in (node.left, *node.comparators):
            self.visit(part)

    def visit_Name(self, node: ast.Name) -> None:
        value = self._value(node)
        if value is self or value is None:
            return
        if isinstance(value, list | dict | set | bytearray):
            raise self.wrong(
                node, f"{node.id} is a {type(value).__name__} that can change, and no part of the state: write a tuple"
            )
        if isinstance(value, FunctionType):
            _check(value, self.on_the_way)
        elif isinstance(value, Counter):
            _check(value.function, self.on_the_way)

    def visit_Call(self, node: ast.Call) -> None:
        called = self._value(node.func)
        if isinstance(called, FunctionType):
            _check(called, self.on_the_way)
        elif isinstance(called, Counter):
            _check(called.function, self.on_the_way)
        elif called is not self and not self._harmless(called):
            name = ast.unparse(node.func)
            raise self.wrong(
                node, f"{name}(...) is none of the engine's words and no function of a spec: no reading can follow it"
            )
        self.generic_visit(node)

    def _harmless(self, called: Any) -> bool:
        """Whether what is called only puts values together: an answer, a word of the engine, a function that hands values on."""
        name = str(getattr(called, "__name__", ""))
        if called is not None and called is vars(builtins).get(name):
            return name in BUILTINS
        if isinstance(called, type):
            return issubclass(called, tuple) or called.__module__.startswith(__name__.rpartition(".")[0].rpartition(".")[0])
        return str(getattr(called, "__module__", "")).startswith(__name__.rpartition(".")[0])

    def _value(self, node: ast.expr) -> Any:
        """What a name, or an attribute of a module or class, stands for; the walk itself where only a run can tell."""
        if isinstance(node, ast.Name):
            return self if node.id in self.own else self.seen.get(node.id, self)
        if isinstance(node, ast.Attribute):
            value = self._value(node.value)
            if isinstance(value, ModuleType | type) and not (isinstance(value, type) and issubclass(value, Enum)):
                return getattr(value, node.attr, self)
        return self

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, PLAIN):
            name = type(node).__name__.lower()
            raise self.wrong(node, INSTEAD.get(type(node), f"{name}: no reading can follow that; write it with if, ==, & and |"))
        super().generic_visit(node)


def _names_in(code: CodeType) -> Iterator[str]:
    """The names that a function binds itself, its inner functions' too."""
    yield from code.co_varnames
    yield from code.co_cellvars
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names_in(inner)
