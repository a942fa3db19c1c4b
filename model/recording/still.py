"""Recorders of a part of a specification: of some of its operations alone, and of the answers to suspended calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from ..language import OK, Action, Component, EachWaiter, Late, Refusal, Spec, Type, answer_fields, is_sort, is_subset
from .nodes import AFTER, BEFORE, Block, Check, Leaf, Let, Node, Write, const, eq, negated
from .recorder import Recorder
from .values import System, Value


class Still(Recorder):
    """A recorder that takes some components to be at their defaults always, and notes in `moved` what is written otherwise."""

    def __init__(self, spec: Spec, still: Collection[str]) -> None:
        super().__init__(spec)
        self.still, self.moved = still, set[str]()

    def read(self, op: str, tag: str, component: Component, key: tuple[Node, ...], kind: Type) -> Value:
        nowhere = op != "rank" and any(k.op == "const" and not k.args[0] and is_sort(k.type) for k in key)
        still = nowhere or component.name in self.still
        return Value(self, const(kind, 0)) if still else super().read(op, tag, component, key, kind)

    def write(self, statement: Write) -> None:
        if statement.component not in self.still:
            super().write(statement)
        elif statement.kind == "push" or (
            statement.kind in ("set", "where") and statement.value is not const(statement.value.type, 0)
        ):
            self.moved.add(statement.component)

    def quantify(self, universal: bool, sort: Any, body: Callable[..., Any]) -> Any:
        found = super().quantify(universal, sort, body)
        return Value(self, const(bool, universal)) if self._always(found, universal) else found

    def count(self, counter: Any, system: Any, arguments: tuple[Any, ...]) -> Any:
        found = super().count(counter, system, arguments)
        return Value(self, const(int, 0)) if self._always(found, False) else found

    @staticmethod
    def _always(found: Value, truth: bool) -> bool:
        return found.node.op in ("forall", "exists", "count") and found.node.args[1] is const(bool, truth)


class Survey(Still):
    """Records every refusal whose condition may apply, up to the first effect: in its trees a `Check` has the error for text, and
    what comes after it does not take it to hold."""

    def require(self, condition: Any, error: str) -> None:
        assert self._events is not None
        node = condition.node if isinstance(condition, Value) else const(bool, bool(condition))
        holds = node if node.type is bool else negated(eq(node, const(node.type, 0)))
        self._events.append(Check(holds, error, self.place()))

    def check(self, condition: Node, text: str) -> None:
        """What would make no sense comes after what is asked here."""

    def write(self, statement: Write) -> None:
        raise Refusal(OK)


class OfLate(Still):
    """Records what a step answers to one suspended call: an answer whose first part is the number of the late clause, from 1,
    or 0 where nothing is answered."""

    def __init__(self, spec: Spec, still: Collection[str]) -> None:
        super().__init__(spec, still)
        self.clauses: list[tuple[str, str]] = []

    def of(self, late: EachWaiter) -> Block:
        """The tree of late answers, of a waiter."""

        def answered(system: Any, **waiter: Any) -> Any:
            return late.function(System(self, BEFORE), System(self, AFTER), *waiter.values())

        return self.operation(Action("late", answered, (late.slot,)))

    def _answered(self, action: Action, answer: Any) -> tuple[Node, ...]:
        if answer is None:
            return (const(int, 0),)
        assert isinstance(answer, Late)
        clause = answer.operation, answer.exit
        if clause not in self.clauses:
            self.clauses.append(clause)
        parts: tuple[Node, ...] = ()
        if answer.exit == OK:
            fields = answer_fields(self.spec.actions[answer.operation].answer)
            values = answer.answer if fields and fields[0][0] else (answer.answer,) if fields else ()
            parts = tuple(self._part(kind, value) for (_, kind), value in zip(fields, values, strict=True))
        return (const(int, self.clauses.index(clause) + 1), *parts)

    def _part(self, kind: Type, value: Any) -> Node:
        found: Node = value.node if is_subset(kind) else self.lift(kind, value)
        return found


def without_unread(block: Block) -> Block:
    """A tree without what is read at a place and asked for nowhere, as it may come to be where a part is recorded alone."""
    while True:
        asked = {node for each in block.within() for whole in _asked(each) for node in whole.within() if node.op == "local"}
        unread = [(each, s) for each in block.within() for s in each.statements if isinstance(s, Let) and s.local not in asked]
        if not unread:
            return block
        for each, statement in unread:
            each.statements.remove(statement)


def _asked(block: Block) -> Iterator[Node]:
    for statement in block.statements:
        if isinstance(statement, Write):
            yield from (*statement.keys, statement.condition, statement.value)
        else:
            yield statement.value if isinstance(statement, Let) else statement.condition
    if isinstance(block.end, Leaf):
        yield from block.end.answer
    else:
        yield block.end.condition
