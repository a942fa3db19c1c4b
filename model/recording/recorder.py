"""The recording: a spec function is run on values that remember what is asked of them, and leaves a tree.

An operation is run once a path, as in the symbolic reading: each decision takes one side, and the function is run again for
the other.  What the tree of a call reads and writes, in which order and under which conditions, is all there is to it, so that
it can be printed in any language, or asked for its causes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from ..language import (
    EFFECTIVE,
    OK,
    SUSPENDED,
    Action,
    Call,
    Component,
    Counter,
    Declaration,
    Refusal,
    Slot,
    Spec,
    SpecError,
    Type,
    answer_fields,
    check_range,
    inside,
    is_sort,
    is_subset,
    member_type,
    once,
    reading,
)
from .nodes import (
    AFTER,
    BEFORE,
    NOW,
    TRUE,
    Block,
    Branch,
    Check,
    Counted,
    Leaf,
    Let,
    Node,
    Place,
    Write,
    conjuncts,
    const,
    counted,
    eq,
    negated,
)
from .values import Some, System, Value

MAX_PATHS = 4096
ENGINE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


@dataclass
class _Decision:
    condition: Node
    guard: bool
    place: Place


class Recorder:
    """Records the operations and statements of a spec.  Raises SpecError, with the line, for what cannot be recorded."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.components = {c.name: c for c in spec.components}
        self.before = System(self, BEFORE)
        self._events: list[Any] | None = None
        self._touched: Collection[str] | None = None
        self._begin([])

    def _begin(self, prefix: list[bool]) -> None:
        self._prefix, self._decisions = prefix, list[bool]()
        self._known: dict[Node, bool] = {}
        self._written: set[str] = set()
        self._numbers, self._depth, self._exit = 0, 0, OK

    # what is recorded

    def operation(self, action: Action) -> Block:
        """The tree of an operation."""
        self._runs = 0
        return self._explored(action, [])

    def statement(self, declaration: Declaration) -> tuple[tuple[Node, ...], Node]:
        """A statement of one state: the variables that it is for all of, and what holds of them."""
        return self._stated(lambda *values: declaration.function(self.before, *values), declaration)

    def step(self, declaration: Declaration, action: Action, written: Collection[str]) -> tuple[tuple[Node, ...], Node]:
        """A step property for the calls of an operation, which writes some components: its variables, and what holds of them."""
        self._touched = written
        call = Call(action.name, {slot.name: self.argument(slot) for slot in action.slots})
        try:
            return self._stated(
                lambda *values: declaration.function(self.before, System(self, AFTER), call, *values), declaration
            )
        finally:
            self._touched = None

    def _stated(self, body: Callable[..., Any], declaration: Declaration) -> tuple[tuple[Node, ...], Node]:
        self._begin([])
        self._events, self._depth = None, 1
        over = tuple(self.variable(slot.type) for slot in declaration.slots)
        with reading(self), inside(declaration.name, declaration.function):
            return over, self.lift(bool, body(*(Value(self, variable) for variable in over)))

    def _explored(self, action: Action, prefix: list[bool]) -> Block:
        self._runs += 1
        if self._runs > MAX_PATHS:
            raise SpecError(f"{action.name} has over {MAX_PATHS} paths; join conditions with & and |, or split it")
        self._begin(prefix)
        self._events = []
        answer: tuple[Node, ...] = ()
        try:
            with reading(self), inside(action.name, action.function):
                given = action.function(System(self, NOW), **{slot.name: self.argument(slot) for slot in action.slots})
                answer = self._answered(action, given)
        except Refusal as refusal:
            self._exit = refusal.error
            if self._written:
                raise SpecError(
                    f"{action.name} refuses with {refusal.error} after an effect on {', '.join(sorted(self._written))}: "
                    "put every require before the first write"
                ) from None
        events, decisions = self._events, self._decisions
        block = Block(end=Leaf(self._exit, answer if self._exit in EFFECTIVE else ()))
        at = len(decisions)
        for event in reversed(events):
            if isinstance(event, _Decision):
                at -= 1
                if at < len(prefix):
                    break
                other = self._explored(action, [*decisions[:at], False])
                block = Block(end=Branch(event.condition, block, other, event.guard, event.place))
            else:
                block.statements.insert(0, event)
        return block

    def _answered(self, action: Action, answer: Any) -> tuple[Node, ...]:
        fields = answer_fields(action.answer)
        if answer is None and (self._exit == SUSPENDED or not fields):
            return ()
        if not fields or (fields[0][0] and not isinstance(answer, action.answer)):
            raise SpecError(f"answers {answer!r}, where its text says {action.answer}")
        parts = answer if fields[0][0] else (answer,)
        found = []
        for (_, kind), part in zip(fields, parts, strict=True):
            if is_subset(kind):
                if not isinstance(part, Some) or part.node.type is not member_type(kind):
                    raise SpecError(f"answers {part!r} where a set of {member_type(kind).__name__} is said")
                found.append(part.node)
            else:
                found.append(self.lift(kind, part))
        return tuple(found)

    def argument(self, slot: Slot) -> Any:
        """A parameter of an operation."""
        if slot.subset:
            return Some(self, Node("some", (slot.name,), slot.type))
        marks = ("optional",) if slot.optional or slot.fresh else ()
        return Value(self, Node("arg", (slot.name, *marks), slot.type))

    # what values ask

    def lift(self, kind: Type, value: Any) -> Node:
        """The expression of a value of type `kind` as a spec writes it.  Raises SpecError for one of another."""
        if isinstance(value, Value):
            if value.node.type is not kind:
                raise SpecError(f"a {value.node.type.__name__} where a {kind.__name__} is wanted")
            return value.node
        if not isinstance(value, int):
            raise SpecError(f"{value!r} where a {kind.__name__} is wanted")
        return const(kind, value)

    def variable(self, kind: Type) -> Node:
        self._numbers += 1
        return Node("var", (self._numbers,), kind)

    def inside(self, body: Callable[..., Any], over: tuple[Node, ...]) -> Node:
        """What a body says of variables; it cannot decide."""
        self._depth += 1
        try:
            return self.lift(bool, body(*(Value(self, variable) for variable in over)))
        finally:
            self._depth -= 1

    def tag(self, tag: str, component: Component) -> str:
        """Of which state a component is read: what is not written yet, or not at all, is as it was before."""
        if component.kind == "rigid" or (tag == NOW and component.name not in self._written):
            return BEFORE
        if tag == AFTER and self._touched is not None and component.name not in self._touched:
            return BEFORE
        return tag

    def read(self, op: str, tag: str, component: Component, key: tuple[Node, ...], kind: Type) -> Value:
        which = self.tag(tag, component)
        if component.kind == "output" and which == BEFORE:
            return Value(self, const(kind, 0))
        return Value(self, self.settled(Node(op, (which, component.name, *key), kind)))

    def settled(self, node: Node) -> Node:
        """What is read now, because a later write may change it."""
        if not node.is_now or self._depth or self._events is None:
            return node
        self._numbers += 1
        local = Node("local", (self._numbers,), node.type)
        self._events.append(Let(local, node, self.place()))
        return local

    def not_none(self, node: Node, text: str) -> None:
        if is_sort(node.type):
            self.check(negated(eq(node, const(node.type, 0))), text)

    def check(self, condition: Node, text: str) -> None:
        if condition is not TRUE and self._known.get(condition) is not True and self._events is not None:
            self._events.append(Check(condition, text, self.place()))

    def write(self, statement: Write) -> None:
        assert self._events is not None
        self._written.add(statement.component)
        self._events.append(statement)

    def place(self) -> Place:
        """The line of the spec that is being run."""
        frame = sys._getframe(1)
        while frame is not None:
            path = frame.f_code.co_filename
            if not path.startswith(ENGINE):
                return Place(path, frame.f_lineno)
            frame = frame.f_back  # type: ignore[assignment]
        return Place()

    def decide(self, node: Node, *, guard: bool = False) -> bool:
        """Which side is taken of a decision, on the path that is being followed."""
        if node.op == "const":
            return bool(node.args[0])
        if node.op == "not":
            return not self.decide(node.args[0], guard=guard)
        if self._depth or self._events is None:
            raise SpecError(
                "a statement, or a condition that ranges over elements, branches on the state: write & for and, | for or, "
                "negation(x) for not x"
            )
        if node in self._known:
            return self._known[node]
        number = len(self._decisions)
        side = self._prefix[number] if number < len(self._prefix) else True
        self._decisions.append(side)
        self._events.append(_Decision(node, guard, self.place()))
        self._known[node] = side
        return side

    # what a spec asks

    def require(self, condition: Any, error: str) -> None:
        if not isinstance(condition, Value):
            if not condition:
                raise Refusal(error)
            return
        node = condition.node
        for part in conjuncts(node if node.type is bool else negated(eq(node, const(node.type, 0)))):
            if not self.decide(part, guard=True):
                raise Refusal(error)

    def quantify(self, universal: bool, sort: Any, body: Callable[..., Any]) -> Any:
        check_range(sort)
        variable = self.variable(sort)
        held = self.inside(body, (variable,))
        return Value(self, self.settled(Node("forall" if universal else "exists", (variable, held), bool)))

    def count(self, counter: Counter, system: Any, arguments: tuple[Any, ...]) -> Any:
        variable = self.variable(counter.slots[-1].type)
        held = self.inside(lambda element: counter.function(system, *arguments, element), (variable,))
        found = Node("count", (variable, held), int)
        given = tuple(self.lift(slot.type, each) for slot, each in zip(counter.slots, arguments, strict=False))
        counted[found] = Counted(given, counter)
        return Value(self, self.settled(found))

    def suspend(self) -> None:
        self._exit = SUSPENDED

    def collect(self, sort: Any, body: Callable[..., Any]) -> Some:
        check_range(sort)
        variable = self.variable(sort)
        held = self.inside(body, (variable,))
        return Some(self, self.settled(Node("collect", (variable, held), sort)))


@once
def trees(spec: Spec) -> dict[str, Block]:
    """The trees of a spec's operations."""
    recorder = Recorder(spec)
    return {name: recorder.operation(action) for name, action in spec.actions.items()}


class Tallies:
    """The counters of a spec that count the cells of one map that hold one of their arguments."""

    def __init__(self, spec: Spec) -> None:
        self.recorder = Recorder(spec)
        self._known: dict[int, tuple[Counter, tuple[str, int] | None]] = {}

    def of(self, counter: Counter) -> tuple[str, int] | None:
        """Which map a counter counts in, and which of its arguments; None of one that does otherwise."""
        known = self._known.get(id(counter))
        if known is None:
            # what is known by its id is kept, so that it goes on being that
            known = self._known[id(counter)] = counter, self._found(counter)
        return known[1]

    def _found(self, counter: Counter) -> tuple[str, int] | None:
        try:
            (*given, counted), holds = self.recorder.statement(counter)
        except SpecError:
            return None  # who counts will say so
        for cell, value in ((holds.args, holds.args[::-1]) if holds.op == "eq" else ()):
            # where something else than elements is counted, none has no cell
            if cell.op == "cell" and cell.args[2:] == (counted,) and value in given and is_sort(counted.type):
                name = cell.args[1]
                return (name, given.index(value)) if self.recorder.components[name].kind == "map" else None
        return None


@once
def tallies(spec: Spec) -> Tallies:
    """Those of a spec."""
    return Tallies(spec)
