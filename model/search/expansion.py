"""What follows some states: all calls of all operations, in the batch reading, with every statement judged.

This is the part of a search that several processes can do at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..batch import FACTORS, Batch, Block, Cells, Fingerprints, Index, Part, Remembered, Verdicts, argument_kind, fingerprints
from ..concrete import Model
from ..language import EFFECTIVE, Action, Declaration, SpecError, Type
from .causes import Reached
from .seen import Seen
from .symmetry import Symmetry

WELL_DEFINED = "well_defined"
"""The statement that is broken where a spec's own text makes no sense: a line is popped that is empty, say."""

JUDGED_AT_ONCE = 50_000
"""How many steps of an operation are gathered before they are judged, where there is memory for as many."""


def told_apart(kind: Type) -> SpecError:
    """What is to be said of a sort whose free names something tells apart."""
    return SpecError(
        f"a {kind.__name__} that is free to be given out still stands in some component, so names cannot be taken "
        "for equal: clear it when it becomes free, or explore without symmetry"
    )


class WorkerGone(Exception):
    """A process that expanded states has died."""


@dataclass
class Broken:
    """A statement that does not hold: of the state with fingerprint `at`, or of a step from it; at which depth that state is."""

    statement: str
    at: int
    depth: int
    step: bool


@dataclass
class Edges:
    """Transitions that change the state: fingerprints of the states before and after, and the number of the call (see
    `Expander.numbered`)."""

    before: Fingerprints
    after: Fingerprints
    call: Any


@dataclass
class Expansion:
    """What an expansion has found.  `data`, `found`, `parents`: states that may be new, all different, with their fingerprints
    and those of the states before; the rest as in a `search.Search`."""

    data: Cells
    found: Fingerprints
    parents: Fingerprints
    transitions: int = 0
    cut: int = 0
    clauses: dict[str, int] = field(default_factory=dict)
    causes: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)
    edges: list[Edges] = field(default_factory=list)
    kept: Cells | None = None


@dataclass
class _Steps:
    """Effective calls of one operation that wait to be judged."""

    before: list[Cells] = field(default_factory=list)
    after: list[Cells] = field(default_factory=list)
    at: list[Fingerprints] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    arguments: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0


class Expander:
    """Expands blocks of states of a model: with the operations given, judging the statements given.

    `fixed` gives elements that symmetry leaves alone; `keep_edges` has the states and the transitions kept too,
    `count_causes` has it told which causes calls come to.
    """

    def __init__(
        self,
        model: Model,
        actions: Sequence[Action],
        statements: Iterable[str],
        *,
        symmetry: bool = False,
        fixed: Mapping[Type, Collection[int]] | None = None,
        keep_edges: bool = False,
        count_causes: bool = False,
    ) -> None:
        self.model, self.actions = model, actions
        self.batch = Batch(model)
        self.causes = Reached(self.batch, actions) if count_causes else None
        self.layout = self.batch.layout
        self.symmetry = Symmetry(self.layout, fixed) if symmetry else None
        self.fixed = dict(fixed or {})
        self.keep_edges = keep_edges
        self.numbered = [(action, arguments) for action in actions for arguments in self.batch.calls(action)]
        self._numbers: dict[str, int] = {}
        for number, (action, _) in enumerate(self.numbered):
            self._numbers.setdefault(action.name, number)
        wanted = set(statements)
        spec = model.spec
        self.states = Verdicts(self.batch, [s for s in spec.invariants.values() if s.name in wanted])
        self.steps = Verdicts(self.batch, [s for s in spec.step_properties.values() if s.name in wanted])
        fresh = {slot.type for action in actions for slot in action.slots if slot.fresh}
        self._given_out = [kind for kind in self.symmetry.free if kind in fresh] if self.symmetry else []
        self.judged_at_once = JUDGED_AT_ONCE
        self._waiting: dict[str, _Steps] = {}
        self._late = Remembered()
        self._late_reads: tuple[set[int], set[int]] = (set(), set())

    def fingerprints(self, data: Cells) -> tuple[Cells, Fingerprints]:
        """States as the search names them: canonical ones with symmetry; with their fingerprints."""
        if self.symmetry:
            return self.symmetry.canonical(data)
        return data, Block(self.layout, data).fingerprints

    def expand(self, data: Cells, depth: int, seen: Seen) -> Expansion:
        """Judge states that are at `depth` and call everything in each; those that break an invariant are not gone beyond.

        `seen` is only looked at, to leave out what is known.
        """
        found = self.nothing()
        block = self._sound(Block(self.layout, data), depth, found)
        alive = np.zeros(block.size, np.bool_)
        self._blank(block)
        fresh: dict[Any, Any] = {}
        new: list[_New] = []
        for action in self.actions if block.size else ():
            first = self._numbers.get(action.name, 0)
            for arguments, having in self.fresh(action, block, fresh):
                some = block if having is None else Block(self.layout, block.data[:, having])
                for part, numbers in self.batch.every(action, some, arguments) if some.size else ():
                    if not part.exit:
                        at = int(part.block.fingerprints[part.rows[0]])
                        found.broken.append(Broken(WELL_DEFINED, at, depth, True))
                        continue
                    found.clauses.setdefault(f"{action.name}/{part.exit}", depth)
                    if self.causes is not None:
                        found.causes += self.causes.by(part)
                    if part.exit not in EFFECTIVE:
                        continue
                    states = part.rows if part.block is some else part.rows % some.size
                    states = states if having is None else having[states]
                    found.transitions += len(part.rows)
                    after = fingerprints(part, part.parts())
                    self._wait(action, part, depth)
                    moved = np.flatnonzero(after != part.block.fingerprints[part.rows])
                    alive[states[moved]] = True
                    new.append(_New(part, moved, after, numbers, first))
            found.cut += self._cut(action, block, fresh)
            self._judge(found, self.judged_at_once)
        found.dead = [int(f) for f in block.fingerprints[~alive]]
        if self.keep_edges:
            found.kept = block.data
        self._gather(found, new, seen)
        return found

    def _sound(self, block: Block, depth: int, found: Expansion) -> Block:
        """The states of a block that keep the invariants; what does not is noted."""
        if not block.size:
            return block
        good = np.ones(block.size, np.bool_)
        for statement, rows in self.states.broken([block]):
            found.broken.append(Broken(statement.name, int(block.fingerprints[rows[0]]), depth, False))
            good[self._all_like(statement, block, rows)] = False
        return block if good.all() else Block(self.layout, block.data[:, good])

    def _all_like(self, statement: Declaration, block: Block, rows: Index) -> Index:
        """The rows that agree with some of `rows` in what a statement reads."""
        key = self.states._key(statement.name, [block], None)
        return np.flatnonzero(np.isin(key, key[rows]))

    def fresh(self, action: Action, block: Block, known: dict[Any, Any]) -> list[tuple[dict[str, Any], Index | None]]:
        """The fresh arguments of an operation, by state, with the states that are called with them (None: all).

        They are the least names that are free; but where one of those in `fixed` is free, it is given out as well as another, as
        it stands for whichever is asked about.  States in which an endless sort has run out are left out.  In `known` is kept
        what is known of the block.
        """
        slots = [slot for slot in action.slots if slot.fresh]
        choices: list[tuple[dict[Type, Any], Any]] = [({}, np.ones(block.size, np.bool_))]
        for kind in dict.fromkeys(slot.type for slot in slots):
            if kind not in known:
                known[kind] = self._names(kind, block)
            choices = [({**names, kind: name}, rows & having) for names, rows in choices for name, having in known[kind]]
        return [
            ({slot.name: names[slot.type][rows] for slot in slots}, None if rows.all() else np.flatnonzero(rows))
            for names, rows in choices
        ]

    def _names(self, kind: Type, block: Block) -> list[tuple[Any, Any]]:
        """The names of a sort that are given out, by state, each with the states in which it is."""
        own = [element for element in self.fixed.get(kind, ()) if element > len(kind.constants)]
        unused = [self.batch.unused(block, kind, element) for element in own]
        least = self.batch.fresh(block, kind, own)
        others = (least != 0) | ~np.any(unused, axis=0) if own else np.ones(block.size, np.bool_)
        if kind.endless:
            others = others & (least != 0)
        return [(least, others), *((np.full(block.size, e, np.uint8), free) for e, free in zip(own, unused, strict=True))]

    def _cut(self, action: Action, block: Block, known: Mapping[Any, Any]) -> int:
        """In how many states an operation is not called, because an endless sort has run out."""
        having = np.ones(block.size, np.bool_)
        for slot in action.slots:
            if slot.fresh:
                having &= np.any([rows for _, rows in known[slot.type]], axis=0)
        return int((~having).sum())

    def _blank(self, block: Block) -> None:
        """With symmetry, see that nothing tells free names apart, so that the least of them is as good as any.

        Raises SpecError where something does.
        """
        if self.symmetry is None or not block.size or not self._given_out:
            return
        places = self.symmetry.places(block.data)
        for kind, element in ((k, e) for k in self._given_out for e in self.symmetry.free[k]):
            stands = places[kind][element] != 0
            if stands.any() and (self.batch.unused(block, kind, element) & stands).any():
                raise told_apart(kind)

    def _wait(self, action: Action, part: Part, depth: int) -> None:
        late = self.model.spec.late and any(column >= self.layout.width for column in part.writes)
        if not self.steps.statements and not late:
            return
        steps = self._waiting.setdefault(action.name, _Steps())
        everything = np.arange(len(part.rows))
        steps.before.append(part.block.data[:, part.rows])
        steps.after.append(part.after(everything, outputs=True))
        steps.at.append(part.block.fingerprints[part.rows])
        steps.depth.append(depth)
        steps.arguments.append(dict(part.arguments))
        steps.count += len(part.rows)

    def nothing(self) -> Expansion:
        """An expansion that has found nothing yet."""
        return Expansion(np.empty((self.layout.width, 0), np.uint8), np.empty(0, np.uint64), np.empty(0, np.uint64))

    def finish(self, found: Expansion) -> Expansion:
        """Judge what waits to be judged, and add it to what was found."""
        self._judge(found, 0)
        return found

    def _judge(self, found: Expansion, at_least: int) -> None:
        for name, steps in self._waiting.items():
            if steps.count > at_least:
                self._waiting[name] = _Steps()
                self._judge_steps(self.model.spec.actions[name], steps, found)

    def _judge_steps(self, action: Action, steps: _Steps, found: Expansion) -> None:
        sizes = [part.shape[1] for part in steps.before]
        before = Block(self.layout, np.concatenate(steps.before, axis=1))
        after = Block(self.layout, np.concatenate(steps.after, axis=1))
        at, depth = np.concatenate(steps.at), np.repeat(steps.depth, sizes)
        call: dict[str, Any] = {"operation": action.name}
        mark = np.zeros(before.size, np.uint64)
        for slot, factor in zip(action.slots, FACTORS[2:], strict=False):
            values = [given[slot.name] for given in steps.arguments]
            if slot.subset:
                call[slot.name], numbers = self._subsets(slot.type, values, sizes)
            else:
                arrays = [v if isinstance(v, np.ndarray) else np.full(n, v) for v, n in zip(values, sizes, strict=True)]
                numbers = np.concatenate(arrays)
                only = len(numbers) and (numbers == numbers[0]).all()
                call[slot.name] = numbers[0].item() if only else numbers.astype(argument_kind(slot.type))
            mark += (numbers.astype(np.uint64) + np.uint64(1)) * factor
        mark ^= np.uint64(hash_of(action.name))
        for statement, rows in self.steps.broken([before, after], call, mark):
            first = rows[np.argmin(depth[rows])]
            found.broken.append(Broken(statement.name, int(at[first]), int(depth[first]), True))
        if self.model.spec.late:
            self._late_clauses(before, after, depth, found)

    def _subsets(self, kind: Any, values: Sequence[Any], sizes: Sequence[int]) -> tuple[Any, Any]:
        elements = [0, *self.model.domain(kind)]
        inside = np.array([[element in some for element in elements] for some in values], np.bool_).reshape(len(values), -1)
        numbers = np.array([sum(1 << element for element in some) for some in values], np.uint64)
        return np.repeat(inside, sizes, axis=0), np.repeat(numbers, sizes)

    def _late_clauses(self, before: Block, after: Block, depth: Any, found: Expansion) -> None:
        """The answers to suspended calls that steps bring, each way of bringing one looked at once."""
        late = self.model.spec.late
        outputs = [p for p in after.parts if self.model.components[p].kind == "output"]
        if late is None or not outputs:
            return
        some = np.zeros(after.size, np.bool_)
        for position in outputs:
            some |= after.parts[position] != 0
        rows = np.flatnonzero(some)
        while len(rows):
            key = np.zeros(before.size, np.uint64)
            for block, reads, factor in zip((before, after), self._late_reads, FACTORS, strict=False):
                for position in sorted(reads & set(block.parts)):
                    key += block.parts[position] * (factor + np.uint64(2 * position))
            key[key == 0] = 1
            unknown = rows[self._late.missing(key[rows])]
            news = False
            for row in unknown.tolist():
                systems = [self.model.system(self.layout.vector(b.data[:, row].tolist())) for b in (before, after)]
                for each in late(systems[0], systems[1], self.model.scope):
                    if int(depth[row]) < found.clauses.get(each.clause, 1 << 30):
                        found.clauses[each.clause] = int(depth[row])
                for reads, system in zip(self._late_reads, systems, strict=True):
                    news = news or not reads.issuperset(system._asked())
                    reads.update(system._asked())
            if not news:
                self._late.remember(key[unknown])
                return
            self._late = Remembered()

    def _gather(self, found: Expansion, new: list[_New], seen: Seen) -> None:
        """Of all states that were come to, those that may be new, once each."""
        if not new:
            return
        keys = np.concatenate([n.after[n.rows] for n in new])
        if self.symmetry or self.keep_edges:
            _, chosen, which = np.unique(keys, return_index=True, return_inverse=True)
        else:
            unknown = np.flatnonzero(~seen.among(keys))
            _, first = np.unique(keys[unknown], return_index=True)
            chosen, which = unknown[first], None
        data, parents = _take(new, chosen)
        names = keys[chosen]
        if self.symmetry:
            data, names = self.symmetry.canonical(data)
        if self.keep_edges:
            before = np.concatenate([n.part.block.fingerprints[n.part.rows[n.rows]] for n in new])
            calls = np.concatenate([n.first + n.numbers[n.rows] for n in new]).astype(np.int32)
            found.edges.append(Edges(before, names[which], calls))
        if self.symmetry or self.keep_edges:
            unknown = np.flatnonzero(~seen.among(names))
            _, first = np.unique(names[unknown], return_index=True)
            once = unknown[first]
            data, names, parents = data[:, once], names[once], parents[once]
        found.data, found.found, found.parents = data, names, parents


@dataclass(frozen=True)
class _New:
    """What a part came to where that is another state: in its `rows`.  Of all of the part there are the fingerprints after and
    the numbers of the calls, counted from the operation's `first`."""

    part: Part
    rows: Index
    after: Fingerprints
    numbers: Index
    first: int


def _take(new: list[_New], chosen: Index) -> tuple[Cells, Fingerprints]:
    """The states at `chosen` places of the concatenation of all, and the fingerprints of those before."""
    order = np.argsort(chosen, kind="stable")
    ordered = chosen[order]
    ends = np.cumsum([len(n.rows) for n in new])
    pieces = [np.empty((new[0].part.block.data.shape[0], 0), np.uint8)]
    parents = [np.empty(0, np.uint64)]
    begin = 0
    for each, bound, end in zip(new, np.searchsorted(ordered, ends).tolist(), ends.tolist(), strict=True):
        if bound > begin:
            some = each.rows[ordered[begin:bound] - (end - len(each.rows))]
            pieces.append(each.part.after(some))
            parents.append(each.part.block.fingerprints[each.part.rows[some]])
        begin = bound
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return np.concatenate(pieces, axis=1)[:, back], np.concatenate(parents)[back]


def hash_of(text: str) -> int:
    """A number for a name, the same in every process."""
    number = 14695981039346656037
    for byte in text.encode():
        number = (number ^ byte) * 1099511628211 % 2**64
    return number
