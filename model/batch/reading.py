"""The batch reading: one call of an operation, or one statement, for many states at once.

What the state answers is a column, one value a state, and what is computed of it is a column too.  Where the text decides
(`if`, `not`, `and`), the states are parted by what they answer: the run goes on with one part, and the function is run again
for the other; of a `require` the states that are refused are put aside.  So each run writes for states that all take the same
path, and a cell that is the same in all of them is a plain number, of which Python computes at once.
"""

from __future__ import annotations

import itertools
import operator
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
    Component,
    Counter,
    Declaration,
    Members,
    Refusal,
    Sort,
    SpecError,
    Type,
    reading,
    vocabulary,
)
from .layout import MOST, Block, Cells, Fingerprints, Index, Layout, nonzero

Values = Any
"""A numpy array: of truth values, of names (unsigned, 8 bits) or of whole numbers (signed, 32 bits)."""


class _NoneLeft(Exception):
    """No state is left that follows this run."""


def _operator(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Column:
        return Column(self.run, apply(self.now(), other.now() if type(other) is Column else other))

    return method


class Column:
    """One value for each state that a run is still about."""

    __slots__ = ("cuts", "run", "values")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, run: _Run, values: Values) -> None:
        self.run, self.values, self.cuts = run, values, len(run.cuts)

    def now(self) -> Values:
        """Its values for the states that are left by now."""
        cuts = self.run.cuts
        if self.cuts != len(cuts):
            for kept in cuts[self.cuts :]:
                self.values = self.values[kept]
            self.cuts = len(cuts)
        return self.values

    def __bool__(self) -> bool:
        return self.run.decide(self.now())

    def __and__(self, other: Any) -> Any:
        if type(other) is bool:
            return self if other else False
        return Column(self.run, self.now() & _now(other))

    def __or__(self, other: Any) -> Any:
        if type(other) is bool:
            return True if other else self
        return Column(self.run, self.now() | _now(other))

    __rand__, __ror__ = __and__, __or__
    __eq__, __ne__ = _operator(operator.eq), _operator(operator.ne)
    __lt__, __le__ = _operator(operator.lt), _operator(operator.le)
    __gt__, __ge__ = _operator(operator.gt), _operator(operator.ge)
    __add__ = __radd__ = _operator(operator.add)
    __sub__, __rsub__ = _operator(operator.sub), _operator(lambda own, other: other - own)

    def negated(self) -> Column:
        values = self.now()
        if values.dtype != np.bool_:
            raise SpecError("negation of a number and not of a truth value")
        return Column(self.run, ~values)

    def __invert__(self) -> Column:
        raise SpecError("~ on a truth value of Python's gives a number: write negation(...)")

    def __index__(self) -> int:
        raise SpecError("a cell of the state was used as an index of Python's: look it up in a map of the state")


def _now(value: Any) -> Any:
    return value.now() if type(value) is Column else value


class _Run:
    """One way of an operation, or of a statement, for some states of a block: `index` says which are left."""

    def __init__(self, batch: Batch, size: int, index: Index | None) -> None:
        self.batch, self.index = batch, index
        self.size = size if index is None else len(index)
        self.cuts: list[Index] = []
        self.others: list[Index] = []
        self.refused: list[tuple[str, Index]] = []
        self.undefined: list[tuple[str, Index]] = []
        self.wrote = False
        self.suspended = False
        self.stating = False

    def rows(self, chosen: Index) -> Index:
        return chosen if self.index is None else self.index[chosen]

    def cut(self, values: Values) -> Index:
        """Go on with the states for which `values` holds; give the others, as rows of the block."""
        left = self.rows(np.flatnonzero(~values))
        kept = np.flatnonzero(values)
        self.index = self.rows(kept)
        self.size = len(kept)
        self.cuts.append(kept)
        return left

    def everything(self) -> Index:
        return np.arange(self.size) if self.index is None else self.index

    def decide(self, values: Values) -> bool:
        if self.stating:
            raise SpecError("a statement decides: use &, |, negation and implies, which mean the same in every reading")
        if values.dtype != np.bool_:
            values = values != 0
        if not values.any():
            return False
        if not values.all():
            self.others.append(self.cut(values))
        return True

    def must(self, condition: Any, text: Callable[[], str]) -> None:
        """Put the states aside in which the spec's own text makes no sense."""
        if condition is True:
            return
        if condition is False:
            self.undefined.append((text(), self.everything()))
            raise _NoneLeft
        values = condition.now()
        if not values.all():
            self.undefined.append((text(), self.cut(values)))
            if not self.size:
                raise _NoneLeft


class _View:
    """A state's components as spec functions see them, in a run; `writes` is what was written, None for one to read only."""

    def __init__(self, run: _Run, block: Block, writes: dict[int, Any] | None) -> None:
        self.__dict__.update(_run=run, _block=block, _writes=writes, _fetched={}, _asked=set())

    def __getattr__(self, name: str) -> Any:
        run = self._run
        batch = run.batch
        if name == "before":
            if run.stating:
                raise SpecError("system.before in a statement: a step property is given the state before as a parameter")
            wrapped: Any = _View(run, self._block, None)
        elif name in batch.positions:
            position = batch.positions[name]
            component = batch.components[position]
            if component.kind == "parameter":
                return batch.model.scope[name]
            self._asked.add(position)
            kind = {"queue": _Queue, "rigid": _Rigid}.get(component.kind, _Map)
            wrapped = kind(self, position, component)
        else:
            raise SpecError(f"the state has no {name!r}; it has {', '.join(batch.positions)}")
        self.__dict__[name] = wrapped
        return wrapped

    def __setattr__(self, name: str, value: Any) -> None:
        raise SpecError(f"system.{name} = ...: a component is written cell by cell, or with where()")

    def cell(self, column: int) -> Any:
        """What a column holds: a plain value, or a Column."""
        writes = self._writes
        if writes is not None and column in writes:
            return writes[column]
        found = self._fetched.get(column)
        if found is None:
            found = self._fetched[column] = self._fetch(column)
        return found

    def _fetch(self, column: int) -> Any:
        run, block = self._run, self._block
        kind, constant = run.batch.layout.cells[column].kind, block.constants[column]
        if constant is None:
            values = block.data[column] if run.index is None else block.data[column][run.index]
            first = values[0]
            if (values == first).all():
                constant = int(first)
        if constant is not None:
            return bool(constant) if kind is bool else constant
        if kind is bool:
            return Column(run, values.view(np.bool_))
        return Column(run, values.astype(np.int32) if kind is int else values)

    def write(self, column: int, value: Any) -> None:
        writes = self._writes
        if writes is None:
            raise SpecError("a write to a state that can only be read: write to the operation's first parameter")
        self._run.wrote = True
        writes[column] = value


def _never(condition: Any) -> bool:
    """Whether a condition holds in no state."""
    return not condition.now().any() if type(condition) is Column else not condition


def _either(run: _Run, condition: Any, value: Any, other: Any, kind: Type) -> Any:
    """`value` where `condition` holds, else `other`."""
    if type(condition) is not Column:
        return value if condition else other
    chosen = np.where(condition.now(), _plain(value, kind), _plain(other, kind))
    return Column(run, chosen)


def _plain(value: Any, kind: Type) -> Any:
    """A value as numpy has those of its type."""
    if type(value) is Column:
        return value.now()
    return _kind(kind)(value)


def _kind(kind: Type) -> Any:
    """Numpy's type for values of a type."""
    return np.bool_ if kind is bool else np.int32 if kind is int else np.uint8


def argument_kind(kind: Type) -> Any:
    """Numpy's type for arguments of a type: whole numbers may be larger than what the state has room for."""
    return np.int64 if kind is int else _kind(kind)


class _Map:
    def __init__(self, view: _View, position: int, component: Component) -> None:
        self.view, self.position, self.component = view, position, component
        batch = view._run.batch
        self.columns: list[int] = batch.layout.columns[position]
        self.shape = batch.shapes[position]
        self.domains = batch.domains[position]
        self.blank = vocabulary.default(component.value)

    def __getitem__(self, key: Any) -> Any:
        parts = key if type(key) is tuple else (key,)
        for part in parts:
            if type(part) is Column:
                return self._look_up(parts, 0, 0)
        column = self._column(parts)
        return self.view.cell(column) if column else self.blank

    def _look_up(self, parts: tuple[Any, ...], at: int, flat: int) -> Any:
        if at == len(parts):
            column = self.columns[flat]
            return self.view.cell(column) if column else self.blank
        part, size = parts[at], self.shape[at]
        if type(part) is not Column:
            return self._look_up(parts, at + 1, flat * size + part)
        run, kind = self.view._run, self.component.value
        choice = part.now()
        found: Any = self.blank
        for element in self.domains[at]:
            value = self._look_up(parts, at + 1, flat * size + element)
            if type(value) is Column or type(found) is Column or value != found:
                found = _either(run, Column(run, choice == element), value, found, kind)
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        run = self.view._run
        parts = key if type(key) is tuple else (key,)
        for part, domain in zip(parts, self.domains, strict=True):
            inside = (0 in domain or part != 0) if type(part) is Column else part in domain
            run.must(inside, lambda: f"{self.component.name}[{key}] = {value}: a map is never written at none")
        value = self._number(value)
        choices = [domain if type(part) is Column else (part,) for part, domain in zip(parts, self.domains, strict=True)]
        for at in itertools.product(*choices):
            here: Any = True
            for part, element in zip(parts, at, strict=True):
                if type(part) is Column:
                    here = (part == element) & here
            if _never(here):
                continue
            column = self._column(at)
            self.view.write(column, _either(run, here, value, self.view.cell(column), self.component.value))

    def _column(self, key: tuple[Any, ...]) -> int:
        flat = 0
        for part, size in zip(key, self.shape, strict=True):
            flat = flat * size + int(part)
        return self.columns[flat]

    def _number(self, value: Any) -> Any:
        if self.component.value is not int:
            return value
        run, name = self.view._run, self.component.name
        run.must(value >= 0, lambda: f"{name}: numbers count from 0")
        if (value.now().max() if type(value) is Column else value) > MOST:
            raise SpecError(f"{name}: exploration has room for numbers up to {MOST}")
        return value

    def where(self, condition: Callable[..., bool], value: Any) -> None:
        value = self._number(value)
        run, kind = self.view._run, self.component.value
        holds = [(key, condition(*key)) for key in itertools.product(*self.domains)]
        run.wrote = True
        for key, held in holds:
            if not _never(held):
                column = self._column(key)
                self.view.write(column, _either(run, held, value, self.view.cell(column), kind))


class _Rigid:
    """A map that never changes: its cells are the same in every state."""

    def __init__(self, view: _View, position: int, component: Component) -> None:
        batch = view._run.batch
        self.run, self.name, self.shape = view._run, component.name, batch.shapes[position]
        self.cells, self.array = batch.rigid[position]

    def __getitem__(self, key: Any) -> Any:
        flat: Any = 0
        for part, size in zip(key if type(key) is tuple else (key,), self.shape, strict=True):
            flat = flat * size + (part.now().astype(np.intp) if type(part) is Column else part)
        return self.cells[flat] if type(flat) is int else Column(self.run, self.array[flat])

    def __setitem__(self, key: Any, value: Any) -> None:
        raise SpecError(f"{self.name}[{key}] = {value}: a rigid map never changes; declare it as a Map to write it")


class _Queue:
    def __init__(self, view: _View, position: int, component: Component) -> None:
        self.view, self.name = view, component.name
        batch = view._run.batch
        self.places, self.ranks = batch.layout.places[position], batch.layout.ranks[position]
        self.elements = range(1, len(self.places))

    def __getitem__(self, key: Any) -> _Line:
        return _Line(self, key)

    def place(self, element: int) -> Any:
        return self.view.cell(self.places[element])

    def rank(self, element: int) -> Any:
        return self.view.cell(self.ranks[element])

    def _pick(self, element: Any, of: Callable[[int], Any], kind: Type) -> Any:
        if type(element) is not Column:
            return of(element) if element else 0
        run, choice = self.view._run, element.now()
        found: Any = 0
        for each in self.elements:
            value = of(each)
            if type(value) is Column or type(found) is Column or value != found:
                found = _either(run, Column(run, choice == each), value, found, kind)
        return found

    def of(self, element: Any) -> Any:
        return self._pick(element, self.place, Sort)

    def ahead(self, first: Any, second: Any) -> Any:
        line, other = self.of(first), self.of(second)
        in_order = self._pick(first, self.rank, int) < self._pick(second, self.rank, int)
        return (line == other) & (line != 0) & in_order

    def remove(self, element: Any) -> None:
        self.drop(lambda other: other == element)

    def drop(self, condition: Callable[[int], bool]) -> None:
        run, view = self.view._run, self.view
        places = {e: self.place(e) for e in self.elements}
        places = {e: p for e, p in places.items() if type(p) is Column or p}
        if not places:
            return
        gone: dict[int, Any] = {}
        for element, place in places.items():
            held = condition(element) & (place != 0)
            if not _never(held):
                gone[element] = held
        ranks = {e: self.rank(e) for e in places}
        run.wrote = run.wrote or bool(gone)
        for element, place in places.items():
            before: Any = 0
            for other, held in gone.items():
                if other != element:
                    before = _count(held & (places[other] == place) & (ranks[other] < ranks[element])) + before
            leaves = gone.get(element, False)
            if type(before) is Column or before:
                view.write(self.ranks[element], _either(run, leaves, 0, ranks[element] - before, int))
            elif leaves is not False:
                view.write(self.ranks[element], _either(run, leaves, 0, ranks[element], int))
            if leaves is not False:
                view.write(self.places[element], _either(run, leaves, 0, place, Sort))


def _count(held: Any) -> Any:
    return Column(held.run, held.now().astype(np.int32)) if type(held) is Column else int(held)


class _Chosen:
    """A subset that was given to a call, another for each state: `inside` has a row a state, by element whether it is in."""

    def __init__(self, run: _Run, inside: Values) -> None:
        self.run, self.inside = run, inside

    def __getitem__(self, element: Any) -> Column:
        if type(element) is Column:
            return Column(self.run, self.inside[np.arange(len(self.inside)), element.now()])
        return Column(self.run, self.inside[:, element])


class _Same:
    """A subset that was given to a call, the same for every state."""

    def __init__(self, run: _Run, members: Members) -> None:
        self.run, self.members = run, members

    def __getitem__(self, element: Any) -> Any:
        if type(element) is Column:
            return Column(self.run, np.isin(element.now(), [*self.members]))
        return element in self.members


class _Line:
    def __init__(self, queue: _Queue, key: Any) -> None:
        self.queue, self.key = queue, key

    def _inside(self, element: int) -> Any:
        """Whether `element` stands in this line."""
        place = self.queue.place(element)
        if type(place) is not Column and not place:
            return False
        return (place == self.key) & (self.key != 0)

    @property
    def length(self) -> Any:
        total: Any = 0
        for element in self.queue.elements:
            inside = self._inside(element)
            if inside is not False:
                total = _count(inside) + total
        return total

    @property
    def empty(self) -> Any:
        some: Any = False
        for element in self.queue.elements:
            some = self._inside(element) | some
        return some.negated() if type(some) is Column else not some

    @property
    def head(self) -> Any:
        queue, run = self.queue, self.queue.view._run
        found: Any = vocabulary.none
        for element in queue.elements:
            inside = self._inside(element)
            if inside is not False:
                found = _either(run, inside & (queue.rank(element) == 1), element, found, Sort)
        return found

    def push(self, element: Any) -> None:
        queue, run, view = self.queue, self.queue.view._run, self.queue.view
        outside = (self.key != 0) & (element != 0) & (queue.of(element) == 0)
        run.must(outside, lambda: f"{queue.name}: push needs an element that stands in no line")
        last = self.length + 1
        for each in queue.elements if type(element) is Column else (element,):
            here = element == each
            if _never(here):
                continue
            view.write(queue.places[each], _either(run, here, self.key, queue.place(each), Sort))
            view.write(queue.ranks[each], _either(run, here, last, queue.rank(each), int))

    def pop(self) -> Any:
        queue = self.queue
        first = self.head
        queue.view._run.must(first != 0, lambda: f"{queue.name}: pop of a line that is empty; require that it is not")
        queue.drop(lambda other: other == first)
        return first


@dataclass(frozen=True)
class Part:
    """What a call came to for some states of a block: their `rows`, the `exit`, and what was written, by column, for each of them
    (a number where it is one for all).  `exit` is "" where the spec's own text makes no sense; then `text` says why."""

    block: Block
    operation: str
    arguments: Mapping[str, Any]
    rows: Index
    exit: str
    writes: Mapping[int, Any]
    answer: Any = None
    text: str = ""

    def parts(self) -> dict[int, Fingerprints]:
        """By component that was written, by how much its fingerprint has changed."""
        layout = self.block.layout
        changed: dict[int, Any] = {}
        for column, values in self.writes.items():
            marks = layout.marks[column]
            constant = self.block.constants[column]
            old = marks[constant] if constant is not None else marks[self.block.data[column][self.rows]]
            change = old ^ marks[values]
            part = layout.cells[column].component
            changed[part] = changed[part] ^ change if part in changed else change
        return {part: np.broadcast_to(np.asarray(change, np.uint64), self.rows.shape) for part, change in changed.items()}

    def after(self, chosen: Index, *, outputs: bool = False) -> Cells:
        """The states after, of the `chosen` ones, with outputs or without."""
        layout = self.block.layout
        data: Cells = self.block.data[:, self.rows[chosen]]
        if outputs:
            data = np.concatenate([data, np.zeros((layout.whole - layout.width, len(chosen)), np.uint8)])
        for column, values in self.writes.items():
            if column < len(data):
                data[column] = values if type(values) is int else values[chosen]
        return data

    def argument(self, name: str, at: int) -> Any:
        """An argument of the call for one of its states."""
        given = self.arguments[name]
        return int(given[at]) if isinstance(given, np.ndarray) else given


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
        self.layout = Layout(model)
        self.components = model.components
        self.positions = model.positions
        self.shapes = [tuple(len(model._indices(k)) for k in c.keys) for c in self.components]
        self.domains = [tuple(model.domain(k) for k in c.keys) for c in self.components]
        blank = model.blank()
        self.rigid = {
            position: (blank[position], np.array(blank[position], _kind(component.value)))
            for position, component in enumerate(self.components)
            if component.kind == "rigid"
        }
        self._calls: dict[str, list[dict[str, Any]]] = {}
        self._grouped: dict[str, list[_Calls]] = {}
        self._run: _Run | None = None

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
        if sort is int:
            raise SpecError("forall and exists range over a sort or an enumeration, not over numbers")
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
            total = _count(counter.function(system, *arguments, element)) + total
        return total

    def suspend(self) -> None:
        assert self._run is not None
        self._run.suspended = True

    def collect(self, sort: Any, body: Callable[..., Any]) -> dict[int, Any]:
        return {element: body(element) for element in self.model.domain(sort)}

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
        run = _Run(self, block.size, None)
        run.stating = True
        with reading(self):
            free = self.model.spec.unused[kind].function(_View(run, block, None), element)
        return np.broadcast_to(np.asarray(_now(free), np.bool_), (block.size,))

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
            run = self._run = _Run(self, block.size, index)
            if not run.size:
                continue
            writes: dict[int, Any] = {}
            view = _View(run, block, writes)
            given: dict[str, Any] = {n: _Same(run, v) if isinstance(v, Members) else v for n, v in fixed.items()}
            given |= {n: Column(run, v if index is None else v[index]) for n, v in varying.items()}
            answer, done = None, False
            try:
                with reading(self):
                    answer = action.function(view, **{slot.name: given.get(slot.name) for slot in action.slots})
                done = True
            except (Refusal, _NoneLeft):
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
                final = {column: _final(value) for column, value in writes.items()}
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
        run = _Run(self, len(index), index)
        run.stating = True
        bound = []
        for at, slot in enumerate(statement.slots):
            values = table[:, at]
            bound.append(int(values[0]) if (values == values[0]).all() else Column(run, values.astype(_kind(slot.type))))
        views: list[Any] = [_View(run, block, None) for block in blocks]
        given = {n: self._given(run, v, index) for n, v in call.items() if n != "operation"}
        calls = [Call(call["operation"], given)] if call else []
        with reading(self):
            held = statement.function(*views, *calls, *bound)
        for components, view in zip(asked, views, strict=True):
            components.update(view._asked)
        return np.broadcast_to(np.asarray(_now(held), np.bool_), (len(index),))

    def values(
        self, declaration: Declaration, block: Block, rows: Index | None, call: Mapping[str, Any], element: int
    ) -> tuple[Values, ...]:
        """What a declaration's function answers, a tuple of truth values, in `rows` of a block (default: all), for a call: its
        operation, and its arguments, values or arrays of one a row."""
        run = _Run(self, block.size, rows)
        run.stating = True
        given = {n: Column(run, v) if isinstance(v, np.ndarray) else v for n, v in call.items() if n != "operation"}
        with reading(self):
            answer = declaration.function(_View(run, block, None), Call(call.get("operation", ""), given), element)
        return tuple(np.broadcast_to(np.asarray(_now(part), np.bool_), (run.size,)) for part in answer)

    @staticmethod
    def _given(run: _Run, value: Any, index: Index) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        return Column(run, value[index]) if value.ndim == 1 else _Chosen(run, value[index])


TOGETHER = 1 << 14
"""How many states, times the calls of an operation, all calls are made as one for."""

AT_ONCE = 1 << 18
"""How many states, times the bindings of a statement, are judged at once."""


def _final(value: Any) -> Any:
    """What was written, as it is kept: a number, or unsigned of 8 bits."""
    if type(value) is Column:
        return value.now().astype(np.uint8)
    return int(value)


def fingerprints(part: Part, changed: Mapping[int, Fingerprints]) -> Fingerprints:
    """The fingerprints of the states after a part, given what `parts` of it says."""
    layout = part.block.layout
    found = part.block.fingerprints[part.rows]
    for position, change in changed.items():
        if layout.model.components[position].kind != "output":
            found = found ^ change
    return nonzero(found if changed else found.copy())
