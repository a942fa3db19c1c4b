"""The batch reading: one call of an operation, or one statement, for many states at once.

What the state answers is a column, one value a state, and what is computed of it is a column too.  Where the text decides
(`if`, `not`, `and`), the states are parted by what they answer: the run goes on with one part, and the function is run again
for the other; of a `require` the states that are refused are put aside.  So each run writes for states that all take the same
path, and a cell that is the same in all of them is a plain number, of which Python computes at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..concrete import Model
from ..language import (
    OK,
    SUSPENDED,
    Action,
    Call,
    Counter,
    Declaration,
    Members,
    Refusal,
    SpecError,
    Type,
    check_range,
    inside,
    reading,
)
from ..recording import Asking, Node
from .columns import Column, NoneLeft, Run, Values, count_of, now_of
from .layout import Block, Index
from .part import Part, settled
from .state import Chosen, Collected, Same, View
from .tables import Tables, argument_kind, numpy_type


@dataclass(frozen=True)
class _Calls:
    """Some calls of an operation: the arguments that they have in common, and of the others an array each, one value a call;
    `numbers` are theirs among all calls of the operation."""

    common: Mapping[str, Any]
    each: Mapping[str, Values]
    numbers: Index


class Batch:
    """A model's operations and statements, for blocks of its states."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.tables = Tables(model)
        self.layout = self.tables.layout
        self._calls: dict[str, list[dict[str, Any]]] = {}
        self._grouped: dict[str, list[_Calls]] = {}
        self._run: Run | None = None

    def require(self, condition: Any, error: str) -> None:
        run = self._run
        assert run is not None
        if type(condition) is not Column:
            if condition:
                return
            if run.wrote:
                raise SpecError(f"refused with {error} after an effect: put every require before the first write")
            run.refused.append((error, run.everything()))
            raise Refusal(error)
        values = condition.now()
        if values.dtype != np.bool_:
            values = values != 0
        if values.all():
            return
        if run.wrote:
            raise SpecError(f"refused with {error} after an effect: put every require before the first write")
        run.refused.append((error, run.cut(values)))
        if not run.size:
            raise Refusal(error)

    def quantify(self, universal: bool, sort: Any, body: Callable[..., Any]) -> Any:
        check_range(sort)
        found: Any = universal
        for element in self.model.domain(sort):
            held = body(element)
            if type(held) is not Column:
                if bool(held) is not universal:
                    return not universal
            else:
                found = held & found if universal else held | found
        return found

    def count(self, counter: Counter, system: Any, arguments: tuple[Any, ...]) -> Any:
        total: Any = 0
        for element in self.model.domain(counter.slots[-1].type):
            total = count_of(counter.function(system, *arguments, element)) + total
        return total

    def suspend(self) -> None:
        assert self._run is not None
        self._run.suspended = True

    def collect(self, sort: Any, body: Callable[..., Any]) -> Collected:
        check_range(sort)
        assert self._run is not None
        return Collected(self._run, {element: body(element) for element in self.model.domain(sort)})

    def calls(self, action: Action) -> Sequence[dict[str, Any]]:
        """Every call of an operation but for its fresh names."""
        known = self._calls.get(action.name)
        if known is None:
            slots = [s for s in action.slots if not s.fresh]
            values = itertools.product(*(self.model.choices(s) for s in slots))
            known = self._calls[action.name] = [dict(zip((s.name for s in slots), v, strict=True)) for v in values]
        return known

    def _groups(self, action: Action) -> list[_Calls]:
        """The calls of an operation, those together that can be made as one: that are given the same subsets."""
        known = self._grouped.get(action.name)
        if known is not None:
            return known
        subsets = [s.name for s in action.slots if s.subset]
        others = [s for s in action.slots if not s.subset and not s.fresh]
        found: dict[tuple[Any, ...], list[tuple[int, dict[str, Any]]]] = {}
        for number, arguments in enumerate(self.calls(action)):
            found.setdefault(tuple(arguments[name] for name in subsets), []).append((number, arguments))
        groups = self._grouped[action.name] = []
        for common, calls in found.items():
            each = {s.name: np.array([arguments[s.name] for _, arguments in calls], argument_kind(s.type)) for s in others}
            numbers = np.array([number for number, _ in calls], np.intp)
            groups.append(_Calls(dict(zip(subsets, common, strict=True)), each, numbers))
        return groups

    def every(self, action: Action, block: Block, fresh: Mapping[str, Any]) -> Iterator[tuple[Part, Index]]:
        """What all calls of an operation come to for the states of a block, given fresh names by state: with each part the number
        of the call, for each of its rows.

        Calls in few states are made as one, in a block that has each state once a call: so what a run of a function costs, be it
        for one state or for hundreds, is paid once and not a call.  A row stands for the state with that row modulo the block's
        size.
        """
        calls = self.calls(action)
        if len(calls) * block.size > TOGETHER:
            for number, arguments in enumerate(calls):
                for part in self.parts(action, block, {**arguments, **fresh}):
                    yield part, np.broadcast_to(np.intp(number), part.rows.shape)
            return
        for group in self._groups(action):
            each = {name: np.repeat(values, block.size) for name, values in group.each.items()}
            given = {name: np.tile(values, len(group.numbers)) for name, values in fresh.items()}
            for part in self.parts(action, block.times(len(group.numbers)), {**group.common, **each, **given}):
                yield part, group.numbers[part.rows // block.size]

    def fresh(self, block: Block, kind: Type, but: Collection[int] = ()) -> Any:
        """By state the least name of a sort that is not in use, or none; those in `but` are not given out."""
        least: Any = np.zeros(block.size, np.uint8)
        first = len(kind.constants) + 1
        for element in reversed(range(first, self.model.scope[kind.plural] + 1)):
            if element in but:
                continue
            least = np.where(self.unused(block, kind, element), np.uint8(element), least)
        return least

    def unused(self, block: Block, kind: Type, element: int) -> Values:
        """The states in which an element of a sort is free to be given out."""
        run = Run(self.tables, block.size, None)
        run.stating = True
        with reading(self), inside(self.model.spec.unused[kind].name, self.model.spec.unused[kind].function):
            free = self.model.spec.unused[kind].function(View(run, block, None), element)
        return np.broadcast_to(np.asarray(now_of(free), np.bool_), (block.size,))

    def parts(self, action: Action, block: Block, arguments: Mapping[str, Any]) -> Iterator[Part]:
        """What a call comes to for the states of a block: refusals too.  Arguments are values, or arrays of one a state."""
        fixed = {n: v for n, v in arguments.items() if not isinstance(v, np.ndarray)}
        varying = {n: v for n, v in arguments.items() if isinstance(v, np.ndarray)}
        for name, values in list(varying.items()):
            if block.size and (values == values[0]).all():
                fixed[name] = values[0].item()
                del varying[name]
        waiting: list[Index | None] = [None]
        while waiting:
            index = waiting.pop()
            run = self._run = Run(self.tables, block.size, index)
            if not run.size:
                continue
            writes: dict[int, Any] = {}
            view = View(run, block, writes)
            given: dict[str, Any] = {n: Same(run, v) if isinstance(v, Members) else v for n, v in fixed.items()}
            given |= {n: Column(run, v if index is None else v[index]) for n, v in varying.items()}
            answer, done = None, False
            try:
                with reading(self), inside(action.name, action.function):
                    answer = action.function(view, **{slot.name: given.get(slot.name) for slot in action.slots})
                done = True
            except (Refusal, NoneLeft):
                pass
            waiting += run.others

            def part(rows: Index, exit: str, **more: Any) -> Part:
                here = {n: v[rows] for n, v in varying.items()}
                return Part(block, action.name, {**arguments, **fixed, **here}, rows, exit, more.pop("writes", {}), **more)

            for exit, rows in run.refused:
                yield part(rows, exit)
            for text, rows in run.undefined:
                yield part(rows, "", text=text)
            if done:
                final = {column: settled(value) for column, value in writes.items()}
                exit = SUSPENDED if run.suspended else OK
                yield part(run.everything(), exit, writes=final, answer=answer)

    def bindings(self, statement: Declaration) -> list[tuple[int, ...]]:
        """Every binding of a statement's parameters."""
        return list(itertools.product(*(self.model.domain(s.type) for s in statement.slots)))

    def judge(self, statement: Declaration, rows: Index, *blocks: Block, **call: Any) -> tuple[Values, list[set[int]]]:
        """Whether a statement holds in `rows` of blocks: an invariant of one; a step property of two, the states before and
        after, and a `call` (its operation and its arguments, values or arrays of one a row of the blocks).

        With it, by block, the components that it asked for.
        """
        bindings = self.bindings(statement)
        table = np.array(bindings, np.int32).reshape(len(bindings), len(statement.slots))
        holds = np.ones(len(rows), np.bool_)
        asked: list[set[int]] = [set() for _ in blocks]
        if not bindings:
            return holds, asked
        step = max(1, AT_ONCE // len(bindings))
        for begin in range(0, len(rows), step):
            some = rows[begin : begin + step]
            held = self._held(statement, np.repeat(some, len(bindings)), np.tile(table, (len(some), 1)), blocks, call, asked)
            holds[begin : begin + step] = held.reshape(len(some), len(bindings)).all(axis=1)
        return holds, asked

    def _held(
        self,
        statement: Declaration,
        index: Index,
        table: Any,
        blocks: Sequence[Block],
        call: Mapping[str, Any],
        asked: Sequence[set[int]],
    ) -> Any:
        run = Run(self.tables, len(index), index)
        run.stating = True
        bound = []
        for at, slot in enumerate(statement.slots):
            values = table[:, at]
            bound.append(int(values[0]) if (values == values[0]).all() else Column(run, values.astype(numpy_type(slot.type))))
        views: list[Any] = [View(run, block, None) for block in blocks]
        given = {n: self._given(run, v, index) for n, v in call.items() if n != "operation"}
        calls = [Call(call["operation"], given)] if call else []
        with reading(self), inside(statement.name, statement.function):
            held = statement.function(*views, *calls, *bound)
        for components, view in zip(asked, views, strict=True):
            components.update(view._asked)
        return np.broadcast_to(np.asarray(now_of(held), np.bool_), (len(index),))

    def held(self, conditions: Sequence[Node], part: Part) -> list[Values]:
        """Whether recorded conditions hold of what a call came to something for: of each, by row."""
        run = Run(self.tables, part.block.size, part.rows)
        run.stating = True
        given = {n: self._given(run, v, np.arange(len(part.rows))) for n, v in part.arguments.items()}
        given = {n: Same(run, v) if isinstance(v, Members) else v for n, v in given.items()}
        asking = Asking(View(run, part.block, None), given)
        with reading(self):
            found = [now_of(asking.value(condition)) for condition in conditions]
        return [np.broadcast_to(np.asarray(each, np.bool_), part.rows.shape) for each in found]

    def values(
        self, declaration: Declaration, block: Block, rows: Index | None, call: Mapping[str, Any], element: int
    ) -> tuple[Values, ...]:
        """What a declaration's function answers, a tuple of truth values, in `rows` of a block (default: all), for a call: its
        operation, and its arguments, values or arrays of one a row."""
        run = Run(self.tables, block.size, rows)
        run.stating = True
        given = {n: Column(run, v) if isinstance(v, np.ndarray) else v for n, v in call.items() if n != "operation"}
        with reading(self), inside(declaration.name, declaration.function):
            answer = declaration.function(View(run, block, None), Call(call.get("operation", ""), given), element)
        return tuple(np.broadcast_to(np.asarray(now_of(part), np.bool_), (run.size,)) for part in answer)

    @staticmethod
    def _given(run: Run, value: Any, index: Index) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        return Column(run, value[index]) if value.ndim == 1 else Chosen(run, value[index])


TOGETHER = 1 << 14
"""How many states, times the calls of an operation, all calls are made as one for."""

AT_ONCE = 1 << 18
"""How many states, times the bindings of a statement, are judged at once."""
