"""The guards of an operation printed as Python, which tell its exit and causes sooner than running its text.

What is printed asks the tuples of a state directly and writes nothing.  The step itself is always that of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..language import Action, Component, Spec, Type
from ..recording import Branch, Causes, Leaf, Node, Way, Write, causes, is_late, some
from .state import Vector

INFIX = {"and": "and", "or": "or", "eq": "==", "lt": "<", "le": "<=", "add": "+", "sub": "-"}

Answer = tuple[str, int]
"""An exit, "" where it depends on what the operation itself has written; and the causes so far, by bit."""


class Sized(Protocol):
    """What is asked of a model."""

    spec: Spec
    scope: Any
    positions: dict[str, int]

    def shape(self, component: Component) -> tuple[int, ...]:
        """How many cells a component has along each key."""

    def domain(self, kind: Type) -> range:
        """The values of a type."""

    def blank(self) -> Vector:
        """The state in which everything holds its default."""


def exits(model: Sized, action: Action) -> Callable[[Vector, Any], Answer]:
    """A function of a state and the arguments of a call by name."""
    return _Text(model, action).function()


class _Text:
    def __init__(self, model: Sized, action: Action) -> None:
        self.model, self.action = model, action
        self.causes: Causes = causes(model.spec)[action.name]
        self.components = {c.name: c for c in model.spec.components}
        self.used: dict[int, None] = {}
        self.ranges: dict[str, Any] = {}
        self.out: list[str] = []

    def function(self) -> Callable[[Vector, Any], Answer]:
        """Print, and have Python read it."""
        self._block(self.causes.tree, 1)
        head = ["def told(state, given):"]
        head += [f"    s{at} = state[{at}]" for at in self.used]
        head += [f"    a_{s.name} = given[{s.name!r}]" for s in self.action.slots]
        head += ["    came = 0"]
        names: dict[str, Any] = dict(self.ranges)
        exec("\n".join([*head, *self.out]), names)
        return names["told"]  # type: ignore[no-any-return]

    def _line(self, depth: int, text: str) -> None:
        self.out.append("    " * depth + text)

    def _block(self, block: Any, depth: int) -> None:
        for statement in block.statements:
            number = self.causes.of_bulk(statement) if isinstance(statement, Write) else None
            if number is not None:
                self._line(depth, f"if not came >> {number} & 1 and {self._text(some(statement))}:")
                self._line(depth + 1, f"came |= {1 << number}")
        end = block.end
        if isinstance(end, Leaf):
            mask = self.causes.of_exit.get(end.exit, 0)
            self._line(depth, f"return {end.exit!r}, came & {mask}")
            return
        if is_late(end.condition):
            self._line(depth, 'return "", came')
            return
        condition = self._text(end.condition)
        sides = [(condition, True), (f"not {condition}", False)]
        test, first = min(sides, key=lambda side: sum(1 for _ in self._side(end, side[1]).within()))
        self._line(depth, f"if {test}:")
        for taken, at in ((first, depth + 1), (not first, depth)):
            self._ways(self.causes.of(end, taken), at)
            self._block(self._side(end, taken), at)

    @staticmethod
    def _side(branch: Branch, taken: bool) -> Any:
        return branch.yes if taken else branch.no

    def _ways(self, ways: Sequence[Way], depth: int) -> None:
        for number, way in enumerate(ways):
            bits = sum(1 << n for n in way.numbers)
            if len(ways) == 1:
                self._line(depth, f"came |= {bits}")
                return
            last = number == len(ways) - 1
            self._line(depth, "else:" if last else f"{'el' if number else ''}if {self._text(way.condition)}:")
            self._line(depth + 1, f"came |= {bits}")

    def _text(self, node: Node) -> str:
        op, args = node.op, node.args
        match op:
            case "const":
                return str(args[0])
            case "arg" | "some":
                return f"a_{args[0]}"
            case "var":
                return f"v{args[0]}"
            case "param":
                return str(self.model.scope[args[0]])
            case "not":
                return f"(not {self._text(args[0])})"
            case "in":
                return f"({self._text(args[1])} in {self._text(args[0])})"
            case "cell":
                return self._cell(args[1], [self._text(key) for key in args[2:]])
            case "head":
                line = f"{self._part(args[1])}[{self._text(args[2])}]"
                return f"({line}[0] if {line} else 0)"
            case "of":
                lines = self._part(args[1])
                return f"next((k for k, line in enumerate({lines}) if {self._text(args[2])} in line), 0)"
            case "rank":
                lines, element = self._part(args[1]), self._text(args[2])
                return f"next((line.index({element}) for line in {lines} if {element} in line), 0)"
        if op in INFIX:
            return f"({self._text(args[0])} {INFIX[op]} {self._text(args[1])})"
        variable, body = self._text(args[0]), self._text(args[1])
        over = f"for {variable} in {self._range(args[0].type)}"
        match op:
            case "exists":
                return f"any({body} {over})"
            case "forall":
                return f"all({body} {over})"
            case "collect":
                return f"{{{variable} {over} if {body}}}"
        return f"sum(1 {over} if {body})"

    def _range(self, kind: Type) -> str:
        name = f"r_{kind.__name__}"
        self.ranges[name] = self.model.domain(kind)
        return name

    def _part(self, name: str) -> str:
        at = self.model.positions[name]
        self.used[at] = None
        return f"s{at}"

    def _cell(self, name: str, keys: list[str]) -> str:
        component = self.components[name]
        index = ""
        for key, size in zip(keys, self.model.shape(component), strict=True):
            index = f"({index}) * {size} + {key}" if index else key
        if component.kind == "rigid":
            self.ranges[f"rigid_{name}"] = self.model.blank()[self.model.positions[name]]
            return f"rigid_{name}[{index}]"
        return f"{self._part(name)}[{index}]"
