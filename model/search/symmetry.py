"""Symmetry: the names of a sort are names only, so states that differ by a renaming count once.

A state's canonical form is a renaming of it that is the same for all renamings of it.  It is found as graphs are put into
canonical form (McKay's scheme): every name has a colour, refined in rounds by the cells in which it stands and the colours of the
names beside it.  Names of one colour that stand in the same cells are twins, and which of them comes first makes no
difference.  While names of one colour are left that are no twins, each of them in turn is given a colour of its own and the
refinement goes on; of all forms that come of it the one with the least fingerprint is taken.  Nowhere are all renamings
tried.

Whatever colours say, a form is a renaming of the state, so no state is lost; two colours that are the same by chance can only
make one state count twice.

Renamed are the names of a sort that nothing tells apart but the state: not constants, not those that an exploration names as
arguments, nor those of a sort on which a rigid map depends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..batch import Block, Cells, Fingerprints, Index, Layout, random_numbers
from ..language import Type, is_sort

Colours = dict[Type, Any]
"""By sort, an array of colours: a row a name (row 0 for none), a column a state."""

Colour = np.uint32
"""Arithmetic on 32 bits is done for several colours at a time; should two be the same by chance, no more than time is lost."""

BLANK = Colour(2**32 - 1)
"""The colour of a name that stands in no cell: such names come last."""

FIRST_ROUNDS, MORE_ROUNDS = 2, 1
AT_ONCE = 1 << 15
"""How many states are put into canonical form at once."""

_NUMBERS = random_numbers(20262, (1 << 10) + 21).astype(Colour) | Colour(1)
_A, _B, _APART, _VALUE, _GIVEN_VALUE = _NUMBERS[:5]
_KEY, _GIVEN_KEY, _NAMES = _NUMBERS[5:13], _NUMBERS[13:21], _NUMBERS[21:]


def _mixed(numbers: Any) -> Any:
    numbers = numbers * _A
    numbers ^= numbers >> Colour(16)
    numbers *= _B
    numbers ^= numbers >> Colour(15)
    return numbers


def _each(table: Any, rows: Any) -> Any:
    """What a table has in each column in the row given for it; of rows there may be several."""
    count = table.shape[1]
    return table.ravel()[rows * np.intp(count) + np.arange(count)]


def _sorted(colours: Any) -> tuple[Any, Any]:
    """The rows in the order of their colours, column by column, and the colours in that order.

    Rows are few and columns many, so two rows are exchanged where they stand wrong, in all columns at once, till none does.
    """
    rows = [(colour.astype(np.uint64) << np.uint64(8)) + np.uint64(at) for at, colour in enumerate(colours)]
    for turn in range(len(rows)):
        for at in range(turn % 2, len(rows) - 1, 2):
            rows[at : at + 2] = np.minimum(rows[at], rows[at + 1]), np.maximum(rows[at], rows[at + 1])
    found = np.array(rows)
    return (found & np.uint64(255)).astype(np.intp), (found >> np.uint64(8)).astype(Colour)


def _named(name: int, at: int) -> Any:
    return _NAMES[name : name + 1] * _KEY[at]


@dataclass(frozen=True)
class _Column:
    """A column as refinement sees it: where a sort is among its keys, its sort if it holds names, and a random number."""

    column: int
    keys: tuple[tuple[int, Type, int], ...]
    other: int
    value: Type | None
    seed: Any


class Symmetry:
    """The canonical forms of a layout's states.  `fixed` gives, by sort, more elements that keep their names."""

    def __init__(self, layout: Layout, fixed: Mapping[Type, Collection[int]] | None = None) -> None:
        self.layout = layout
        model = layout.model
        self.sorts = [kind for kind in model.spec.sorts if model.scope[kind.plural]]
        self.sizes = {kind: model.scope[kind.plural] for kind in self.sorts}
        keeps = {kind: set(range(1, len(kind.constants) + 1)) for kind in self.sorts}
        self._keep_arguments(keeps)
        self._keep_rigid(keeps)
        self._keep_lesser(keeps)
        for kind, elements in (fixed or {}).items():
            keeps[kind] |= set(elements)
        self.free = {k: [e for e in range(1, self.sizes[k] + 1) if e not in keeps[k]] for k in self.sorts}
        self.free = {k: free for k, free in self.free.items() if len(free) > 1}
        self._columns = [self._column(c) for c in range(1, layout.width)]

    def _keep_arguments(self, keeps: dict[Type, set[int]]) -> None:
        tried = self.layout.model.tried
        for action in self.layout.model.spec.actions.values():
            for slot in action.slots:
                if slot.name in tried and is_sort(slot.type) and slot.type in keeps:
                    values: Any = tried[slot.name]
                    named = {e for value in values for e in (value if slot.subset else [value]) if e}
                    if slot.subset or named != set(self.layout.model.domain(slot.type)):
                        keeps[slot.type] |= named

    def _keep_rigid(self, keeps: dict[Type, set[int]]) -> None:
        model = self.layout.model
        for component in model.components:
            if component.kind == "rigid":
                cells = model.blank()[model.positions[component.name]]
                values = {cells[model.index(component, key)] for key in model.keys(component)}
                for kind in (*component.keys, component.value) if len(values) > 1 or is_sort(component.value) else ():
                    if kind in keeps:
                        keeps[kind] |= set(range(1, self.sizes[kind] + 1))

    def _keep_lesser(self, keeps: dict[Type, set[int]]) -> None:
        """Of a sort whose least free name is given out, keep all that are less than one that is kept: which of the two is given
        out first would depend on how the others are called."""
        for action in self.layout.model.spec.actions.values():
            for slot in action.slots:
                if slot.fresh and slot.type in keeps:
                    keeps[slot.type] |= set(range(1, max(keeps[slot.type], default=0) + 1))

    def _column(self, column: int) -> _Column:
        cell = self.layout.cells[column]
        component = self.layout.model.components[cell.component]
        kinds = (component.value,) if component.kind == "queue" else component.keys
        keys, other = [], 0
        for at, (kind, element) in enumerate(zip(kinds, cell.key, strict=True)):
            if is_sort(kind):
                keys.append((at, kind, element))
            else:
                other = other * 64 + element + 1
        seed = _mixed(np.array([4 * cell.component + 2 * cell.rank + 1], Colour) * _GIVEN_VALUE + Colour(other % 2**32))
        return _Column(column, tuple(keys), other, cell.kind if is_sort(cell.kind) else None, seed)

    def canonical(self, data: Cells) -> tuple[Cells, Fingerprints]:
        """The canonical forms of states, and their fingerprints."""
        if not self.free or not data.shape[1]:
            return data, Block(self.layout, data).fingerprints
        pieces = [self._canonical(data[:, begin : begin + AT_ONCE]) for begin in range(0, data.shape[1], AT_ONCE)]
        return np.concatenate([p for p, _ in pieces], axis=1), np.concatenate([f for _, f in pieces])

    def _canonical(self, data: Cells) -> tuple[Cells, Fingerprints]:
        count = data.shape[1]
        used = self._used(data)
        colours = self._refine(data, used, self._plain(count), FIRST_ROUNDS)
        places = self._places(data, used)
        origin = np.arange(count)
        forms, least = np.empty(data.shape, np.uint8), np.full(count, 2**64 - 1, np.uint64)
        while len(origin):
            orders, conflict = self._orders(colours, places)
            settled = np.flatnonzero(conflict < 0)
            form = self._renamed(data[:, settled], used, {k: order[:, settled] for k, order in orders.items()})
            marks, at = Block(self.layout, form).fingerprints, origin[settled]
            np.minimum.at(least, at, marks)
            best = np.flatnonzero(marks == least[at])
            for to, cells in zip(forms, form, strict=True):
                to[at[best]] = cells[best]
            rows, data, colours, places = self._apart(data, used, colours, places, orders, conflict)
            origin = origin[rows]
        return forms, least

    def _plain(self, count: int) -> Colours:
        """The colours before any cell was looked at."""
        colours: Colours = {}
        for number, kind in enumerate(self.sorts):
            own = _mixed(_NAMES[: self.sizes[kind] + 1] + Colour(number))
            own[self.free.get(kind, [])] = BLANK
            colours[kind] = np.repeat(own[:, None], count, axis=1)
        return colours

    def _used(self, data: Cells) -> list[_Column]:
        """The columns that are not blank in all states."""
        some: Any = data.any(axis=1)
        return [c for c in self._columns if some[c.column]]

    def _refine(self, data: Cells, used: Sequence[_Column], colours: Colours, rounds: int) -> Colours:
        count = data.shape[1]
        every = np.arange(count)
        cells = [(c, data[c.column]) for c in used if c.keys or c.value]
        found = {c.column: values * np.intp(count) + every for c, values in cells if c.value}
        for _ in range(rounds):
            sums = {kind: np.zeros((self.sizes[kind] + 1, count), Colour) for kind in self.free}
            for c, values in cells:
                what = values.astype(Colour) if c.value is None else colours[c.value].ravel()[found[c.column]]
                mark = what * _VALUE + c.seed
                for at, kind, element in c.keys:
                    mark += colours[kind][element] * _KEY[at]
                mark = _mixed(mark) * (values != 0)
                for at, kind, element in c.keys:
                    if kind in sums:
                        sums[kind][element] += mark * _GIVEN_KEY[at]
                if c.value in sums:
                    given = mark * _GIVEN_VALUE
                    for element in self.free[c.value]:
                        sums[c.value][element] += given * (values == element)
            colours = dict(colours)
            for kind, free in self.free.items():
                old, new = colours[kind].copy(), sums[kind][free]
                old[free] = np.where(new == 0, old[free], _mixed(old[free] * _KEY[0] + new) & ~Colour(1))
                colours[kind] = old
        return colours

    def places(self, data: Cells) -> Colours:
        """By name, a number for the cells in which it stands, with the names beside it as they are: twins have the same."""
        return self._places(data, self._used(data))

    def _places(self, data: Cells, used: Sequence[_Column]) -> Colours:
        sums = {kind: np.zeros((self.sizes[kind] + 1, data.shape[1]), Colour) for kind in self.free}
        for c in used:
            values = data[c.column]
            for at, kind, element in c.keys:
                if kind in sums:
                    mark = values.astype(Colour) * _VALUE + c.seed
                    for other, _, name in c.keys:
                        if other != at:
                            mark += _named(name, other)
                    sums[kind][element] += _mixed(mark) * _GIVEN_KEY[at] * (values != 0)
            if c.value in sums:
                mark = c.seed
                for other, _, name in c.keys:
                    mark = mark + _named(name, other)
                mark = _mixed(mark) * _GIVEN_VALUE
                for element in self.free[c.value]:
                    sums[c.value][element] += mark * (values == element)
        return sums

    def _orders(self, colours: Colours, places: Colours) -> tuple[Colours, Any]:
        """By sort, its free names in order of colour; and by state the number of the first sort that has names of one colour that
        are no twins, or -1."""
        orders, conflict = {}, np.full(next(iter(places.values())).shape[1], -1)
        for number, (kind, free) in enumerate(self.free.items()):
            order, own = _sorted(colours[kind][free])
            where = _each(places[kind][free], order)
            apart = ((own[1:] == own[:-1]) & (where[1:] != where[:-1])).any(axis=0)
            conflict[apart & (conflict < 0)] = number
            orders[kind] = order
        return orders, conflict

    def _apart(
        self, data: Cells, used: Sequence[_Column], colours: Colours, places: Colours, orders: Colours, conflict: Any
    ) -> tuple[Index, Cells, Colours, Colours]:
        """The states that are not settled, once for each of the names that are given a colour of their own, refined anew."""
        rows: list[Index] = []
        chosen: list[Index] = []
        numbers: list[Index] = []
        for number, (kind, free) in enumerate(self.free.items()):
            some = np.flatnonzero(conflict == number)
            if not len(some):
                continue
            own, where = colours[kind][free][:, some], places[kind][free][:, some]
            order = orders[kind][:, some]
            sorted_own, sorted_where = _each(own, order), _each(where, order)
            apart = (sorted_own[1:] == sorted_own[:-1]) & (sorted_where[1:] != sorted_where[:-1])
            colour = sorted_own[apart.argmax(axis=0), np.arange(len(some))]
            one_each = own == colour
            for at in range(1, len(free)):
                twin = (one_each[:at] & (where[:at] == where[at])).any(axis=0)
                one_each[at] &= ~twin
            states, these = np.nonzero(one_each.T)
            rows.append(some[states])
            chosen.append(np.array(free)[these])
            numbers.append(np.full(len(states), number))
        if not rows:
            nothing = np.empty(0, np.intp)
            return nothing, data[:, nothing], {}, {k: p[:, nothing] for k, p in places.items()}
        again, names, sorts = np.concatenate(rows), np.concatenate(chosen), np.concatenate(numbers)
        data, colours = data[:, again], {k: c[:, again] for k, c in colours.items()}
        for number, kind in enumerate(self.free):
            mine = np.flatnonzero(sorts == number)
            colours[kind][names[mine], mine] = _mixed(colours[kind][names[mine], mine] + _APART) & ~Colour(1)
        return again, data, self._refine(data, used, colours, MORE_ROUNDS), {k: p[:, again] for k, p in places.items()}

    def _renamed(self, data: Cells, used: Sequence[_Column], orders: Colours) -> Cells:
        """States with their free names in the order given."""
        count = data.shape[1]
        every = np.arange(count)
        names: Colours = {}
        for kind, order in orders.items():
            free = np.array(self.free[kind])
            renamed = np.repeat(np.arange(self.sizes[kind] + 1, dtype=np.uint8)[:, None], count, axis=1)
            renamed.ravel()[free[order] * count + every] = free[:, None].astype(np.uint8)
            names[kind] = renamed
        out = np.zeros(data.shape, np.uint8)
        for c in used:
            values = data[c.column]
            if c.value in names:
                values = _each(names[c.value], values)
            to = self._to(c, names)
            if isinstance(to, int):
                out[to] = values
            else:
                out.ravel()[to * count + every] = values
        return out

    def _to(self, c: _Column, names: Colours) -> Any:
        """The column, for each state, to which a column's cell goes."""
        if not any(kind in names for _, kind, _ in c.keys):
            return c.column
        layout = self.layout
        cell = layout.cells[c.column]
        component = layout.model.components[cell.component]
        if component.kind == "queue":
            table = layout.ranks[cell.component] if cell.rank else layout.places[cell.component]
            return np.array(table)[names[component.value][cell.key[0]]]
        flat: Any = 0
        for kind, element, size in zip(component.keys, cell.key, layout.model.shape(component), strict=True):
            flat = flat * size + (names[kind][element].astype(np.intp) if kind in names else element)
        return np.array(layout.columns[cell.component])[flat]
