"""A state as spec functions see it while they are recorded: every answer is an expression, every write a statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..language import Component, NoValue, SpecError, none
from .nodes import FALSE, NOW, Counted, Node, Place, Write, both, const, counted, either, eq, negated, order


class Recording(Protocol):
    """Who takes note of what values are asked, and of what is written."""

    components: dict[str, Component]
    before: Any

    def lift(self, kind: Any, value: Any) -> Node:
        """The expression of a value of a type."""

    def variable(self, kind: Any) -> Node:
        """A new variable."""

    def inside(self, body: Callable[..., Any], over: tuple[Node, ...]) -> Node:
        """What a body says of variables."""

    def tag(self, tag: str, component: Component) -> str:
        """Of which state a component is read."""

    def read(self, op: str, tag: str, component: Component, key: tuple[Node, ...], kind: Any) -> Value:
        """What is read of a component."""

    def settled(self, node: Node) -> Node:
        """What is read now, because a later write may change it."""

    def not_none(self, node: Node, text: str) -> None:
        """What is not none, or the specification makes no sense."""

    def check(self, condition: Node, text: str) -> None:
        """What holds, or the specification makes no sense."""

    def write(self, statement: Write) -> None:
        """A write."""

    def place(self) -> Place:
        """The line of the specification that is being run."""

    def decide(self, node: Node) -> bool:
        """Which side is taken of a decision."""


class Value:
    """A value of the state."""

    __slots__ = ("node", "recorder")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, recorder: Recording, node: Node) -> None:
        self.recorder, self.node = recorder, node

    def _with(self, node: Node) -> Value:
        return Value(self.recorder, node)

    def _of(self, kind: Any, other: Any) -> Node:
        return self.recorder.lift(kind, other)

    def __eq__(self, other: object) -> Any:
        return self._with(eq(self.node, self._of(self.node.type, other)))

    def __ne__(self, other: object) -> Any:
        return self._with(negated(eq(self.node, self._of(self.node.type, other))))

    def __lt__(self, other: Any) -> Any:
        return self._with(order("lt", self._of(int, self), self._of(int, other)))

    def __le__(self, other: Any) -> Any:
        return self._with(order("le", self._of(int, self), self._of(int, other)))

    def __gt__(self, other: Any) -> Any:
        return self._with(order("lt", self._of(int, other), self._of(int, self)))

    def __ge__(self, other: Any) -> Any:
        return self._with(order("le", self._of(int, other), self._of(int, self)))

    def __add__(self, other: Any) -> Any:
        return self._with(Node("add", (self._of(int, self), self._of(int, other)), int))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._with(Node("sub", (self._of(int, self), self._of(int, other)), int))

    def __rsub__(self, other: Any) -> Any:
        return self._with(Node("sub", (self._of(int, other), self._of(int, self)), int))

    def __and__(self, other: Any) -> Any:
        return self._with(both(self._of(bool, self), self._of(bool, other)))

    def __rand__(self, other: Any) -> Any:
        return self._with(both(self._of(bool, other), self._of(bool, self)))

    def __or__(self, other: Any) -> Any:
        return self._with(either(self._of(bool, self), self._of(bool, other)))

    def __ror__(self, other: Any) -> Any:
        return self._with(either(self._of(bool, other), self._of(bool, self)))

    def negated(self) -> Any:
        return self._with(negated(self._of(bool, self)))

    def __bool__(self) -> bool:
        node = self.node
        return self.recorder.decide(node if node.type is bool else negated(eq(node, const(node.type, 0))))

    def _refuse(self, *_: Any) -> Any:
        raise SpecError("a cell of the state is wanted as a number of Python's or a text: ask it with ==, <, &, |, + and -")

    __index__ = __int__ = __iter__ = __len__ = __str__ = __format__ = _refuse


class Some(NoValue):
    """A subset, which is asked for one element at a time."""

    __slots__ = ("node", "recorder")
    called = "a subset"

    def __init__(self, recorder: Recording, node: Node) -> None:
        self.recorder, self.node = recorder, node

    def __getitem__(self, element: Any) -> Value:
        return Value(self.recorder, Node("in", (self.node, self.recorder.lift(self.node.type, element)), bool))


class System(NoValue):
    """A state: the one before an operation or after it, or the one that it writes."""

    def __init__(self, recorder: Recording, tag: str) -> None:
        self.__dict__.update(_recorder=recorder, _tag=tag)

    def __getattr__(self, name: str) -> Any:
        recorder: Recording = self.__dict__["_recorder"]
        if name == "before":
            if self._tag != NOW:
                raise SpecError("system.before in a statement: a step property is given the state before as a parameter")
            return recorder.before
        component = recorder.components.get(name)
        if component is None:
            raise SpecError(f"the state has no {name!r}; it has {', '.join(recorder.components)}")
        if component.kind == "parameter":
            return Value(recorder, Node("param", (name,), int))
        return (_Queue if component.kind == "queue" else _Map)(recorder, self._tag, component)

    def __setattr__(self, name: str, value: Any) -> None:
        raise SpecError(f"system.{name} = ...: a component is written cell by cell, or with where()")


class _Component(NoValue):
    def __init__(self, recorder: Recording, tag: str, component: Component) -> None:
        self.recorder, self.tag, self.component = recorder, tag, component

    def _read(self, op: str, key: tuple[Node, ...], kind: Any) -> Value:
        return self.recorder.read(op, self.tag, self.component, key, kind)

    def _write(self, kind: str, **rest: Any) -> None:
        if self.tag != NOW:
            raise SpecError(f"{self.component.name} is written outside an operation")
        self.recorder.write(Write(kind, self.component.name, self.recorder.place(), **rest))


class _Map(_Component):
    def _key(self, key: Any) -> tuple[Node, ...]:
        parts = key if isinstance(key, tuple) else (key,)
        kinds = self.component.keys
        if len(parts) != len(kinds):
            raise SpecError(f"{self.component.name} has {len(kinds)} keys, not {len(parts)}")
        return tuple(self.recorder.lift(kind, part) for kind, part in zip(kinds, parts, strict=True))

    def __getitem__(self, key: Any) -> Value:
        return self._read("cell", self._key(key), self.component.value)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._writable()
        at = self._key(key)
        for part in at:
            self.recorder.not_none(part, f"{self.component.name} is written at none")
        self._write("set", keys=at, value=self._value(value))

    def where(self, condition: Callable[..., Any], value: Any) -> None:
        self._writable()
        lifted = self._value(value)
        over = tuple(self.recorder.variable(kind) for kind in self.component.keys)
        held = self.recorder.inside(condition, over)
        if held is not FALSE:
            self._write("where", over=over, condition=held, value=lifted)

    def _value(self, value: Any) -> Node:
        lifted = self.recorder.settled(self.recorder.lift(self.component.value, value))
        if self.component.value is int:
            text = f"{self.component.name} is written below 0"
            self.recorder.check(order("le", const(int, 0), lifted), text)
        return lifted

    def _writable(self) -> None:
        if self.component.kind not in ("map", "output"):
            raise SpecError(f"{self.component.name} is rigid: it never changes; declare it as a Map to write it")


class _Queue(_Component):
    def __getitem__(self, key: Any) -> _Line:
        return _Line(self, self.recorder.lift(self.component.keys[0], key))

    def element(self, element: Any) -> Node:
        return self.recorder.lift(self.component.value, element)

    def of(self, element: Any) -> Value:
        return self._read("of", (self.element(element),), self.component.keys[0])

    def ahead(self, first: Any, second: Any) -> Any:
        here, there = self.of(first), self.of(second)
        ranks = [self._read("rank", (self.element(each),), int) for each in (first, second)]
        return (here == there) & (here != none) & (ranks[0] < ranks[1])

    def remove(self, element: Any) -> None:
        self._write("remove", value=self.recorder.settled(self.element(element)))

    def drop(self, condition: Callable[[Any], Any]) -> None:
        over = (self.recorder.variable(self.component.value),)
        held = self.recorder.inside(condition, over)
        if held is not FALSE:
            self._write("drop", over=over, condition=held)

    def read(self, op: str, key: Node, kind: Any) -> Value:
        return self._read(op, (key,), kind)

    def push(self, line: Node, element: Node) -> None:
        name = self.component.name
        self.recorder.not_none(line, f"{name} is pushed to at none")
        self.recorder.not_none(element, f"none is pushed to {name}")
        stands = negated(eq(self.of(Value(self.recorder, element)).node, const(self.component.keys[0], 0)))
        self.recorder.check(negated(stands), f"what stands in {name} is pushed again")
        self._write("push", keys=(line,), value=element)

    def take(self, element: Node) -> None:
        self._write("remove", value=element)


class _Line(NoValue):
    def __init__(self, queue: _Queue, key: Node) -> None:
        self.queue, self.key, self.recorder = queue, key, queue.recorder

    @property
    def empty(self) -> Any:
        return self.head == none

    @property
    def head(self) -> Value:
        return self.queue.read("head", self.key, self.queue.component.value)

    @property
    def length(self) -> Value:
        element = self.recorder.variable(self.queue.component.value)
        queue = self.queue
        line = Node("of", (self.recorder.tag(queue.tag, queue.component), queue.component.name, element), self.key.type)
        inside = both(eq(line, self.key), negated(eq(self.key, const(self.key.type, 0))))
        found = Node("count", (element, inside), int)
        counted[found] = Counted((self.key,), queue=queue.component.name)
        return Value(self.recorder, self.recorder.settled(found))

    def push(self, element: Any) -> None:
        self.queue.push(self.recorder.settled(self.key), self.recorder.settled(self.queue.element(element)))

    def pop(self) -> Value:
        head = self.recorder.settled(self.head.node)
        self.recorder.not_none(head, f"an empty line of {self.queue.component.name} is popped")
        self.queue.take(head)
        return Value(self.recorder, head)
