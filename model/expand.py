"""What follows some states: all calls of all operations, in the batch reading, with every statement judged.

This is the part of a search that several processes can do at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .batch import Batch, Part, fingerprints
from .concrete import Model
from .layout import Block, Cells, Fingerprints, Index
from .reading import EFFECTIVE, SpecError
from .seen import Seen
from .spec import Action, Declaration
from .symmetry import Symmetry
from .verdicts import FACTORS, Remembered, Verdicts

JUDGED_AT_ONCE = 50_000
"""How many steps of an operation are gathered before they are judged."""


@dataclass
class Broken:
    """A statement that does not hold: of the state with fingerprint `at`, or of a step from it; at which depth that state is."""

    statement: str
    at: int
    depth: int
    step: bool


@dataclass
class Edges:
    """Transitions: fingerprints of the states before and after, and which operation's they are."""

    before: Fingerprints
    after: Fingerprints
    operation: Any


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
    broken: list[Broken] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)
    edges: list[Edges] = field(default_factory=list)


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
    """Expands blocks of states of a model: with the operations given, judging the statements given."""

    def __init__(
        self,
        model: Model,
        actions: Sequence[Action],
        statements: Iterable[str],
        *,
        symmetry: bool = False,
        keep_edges: bool = False,
    ) -> None:
        self.model, self.actions = model, actions
        self.batch = Batch(model)
        self.layout = self.batch.layout
        self.symmetry = Symmetry(self.layout) if symmetry else None
        self.keep_edges = keep_edges
        wanted = set(statements)
        spec = model.spec
        self.states = Verdicts(self.batch, [s for s in spec.invariants.values() if s.name in wanted])
        self.steps = Verdicts(self.batch, [s for s in spec.step_properties.values() if s.name in wanted])
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
        found = Expansion(np.empty((self.layout.width, 0), np.uint8), np.empty(0, np.uint64), np.empty(0, np.uint64))
        block = self._sound(Block(self.layout, data), depth, found)
        alive = np.zeros(block.size, np.bool_)
        fresh: dict[Any, Any] = {}
        new: list[tuple[Part, Index, Fingerprints]] = []
        for action in self.actions if block.size else ():
            arguments, some = self._fresh(action, block, fresh, found)
            if not some.size:
                continue
            for fixed in self.batch.calls(action):
                for part in self.batch.parts(action, some, fixed | arguments):
                    if not part.exit:
                        raise SpecError(f"{part.text} (in {action.name}, after {depth} calls)")
                    found.clauses.setdefault(f"{action.name}/{part.exit}", depth)
                    if part.exit not in EFFECTIVE:
                        continue
                    found.transitions += len(part.rows)
                    changed = part.parts()
                    after = fingerprints(part, changed)
                    self._wait(action, part, depth)
                    moved = after != some.fingerprints[part.rows]
                    if some is block:
                        alive[part.rows[moved]] = True
                    else:
                        alive |= np.isin(block.fingerprints, some.fingerprints[part.rows[moved]])
                    new.append((part, np.flatnonzero(moved), after))
            self._judge(found, JUDGED_AT_ONCE)
        found.dead = [int(f) for f in block.fingerprints[~alive]]
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

    def _fresh(self, action: Action, block: Block, known: dict[Any, Any], found: Expansion) -> tuple[dict[str, Any], Block]:
        """Fresh arguments by state, and the states that have them: calls are cut off where an endless sort has run out."""
        arguments = {}
        for slot in action.slots:
            if slot.fresh:
                if slot.type not in known:
                    known[slot.type] = self.batch.fresh(block, slot.type)
                arguments[slot.name] = known[slot.type]
        enough = np.ones(block.size, np.bool_)
        for slot in action.slots:
            if slot.fresh and slot.type.endless:
                enough &= arguments[slot.name] != 0
        if enough.all():
            return arguments, block
        found.cut += int((~enough).sum())
        return {name: values[enough] for name, values in arguments.items()}, Block(self.layout, block.data[:, enough])

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

    def finish(self) -> Expansion:
        """Judge what waits to be judged."""
        found = Expansion(np.empty((self.layout.width, 0), np.uint8), np.empty(0, np.uint64), np.empty(0, np.uint64))
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
                kind = np.bool_ if slot.type is bool else np.int16 if slot.type is int else np.uint8
                only = len(numbers) and (numbers == numbers[0]).all()
                call[slot.name] = numbers[0].item() if only else numbers.astype(kind)
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

    def _gather(self, found: Expansion, new: list[tuple[Part, Index, Fingerprints]], seen: Seen) -> None:
        """Of all states that were come to, those that may be new, once each."""
        if self.symmetry or self.keep_edges:
            self._gather_named(found, new, seen)
            return
        keys = np.concatenate([after[rows] for _, rows, after in new]) if new else np.empty(0, np.uint64)
        chosen = np.flatnonzero(~seen.among(keys))
        _, first = np.unique(keys[chosen], return_index=True)
        chosen = np.sort(chosen[first])
        data, parents = _take(new, chosen)
        if len(chosen):
            found.data, found.found, found.parents = data, keys[chosen], parents

    def _gather_named(self, found: Expansion, new: list[tuple[Part, Index, Fingerprints]], seen: Seen) -> None:
        keys = np.concatenate([after[rows] for _, rows, after in new]) if new else np.empty(0, np.uint64)
        if not len(keys):
            return
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        data, parents = _take(new, first)
        names = keys[first]
        if self.symmetry:
            data, names = self.symmetry.canonical(data)
        if self.keep_edges:
            numbers = {action.name: at for at, action in enumerate(self.actions)}
            after = names[which]
            begin = 0
            for part, rows, _ in new:
                origins = part.block.fingerprints[part.rows[rows]]
                reached = after[begin : begin + len(rows)]
                found.edges.append(Edges(origins, reached, np.full(len(rows), numbers[part.operation], np.uint8)))
                begin += len(rows)
        unknown = np.flatnonzero(~seen.among(names))
        _, once = np.unique(names[unknown], return_index=True)
        unknown = np.sort(unknown[once])
        found.data, found.found, found.parents = data[:, unknown], names[unknown], parents[unknown]


def _take(new: list[tuple[Part, Index, Fingerprints]], chosen: Index) -> tuple[Cells, Fingerprints]:
    """The states at `chosen` places of the concatenation of all parts, and the fingerprints of those before."""
    ends = np.cumsum([len(rows) for _, rows, _ in new])
    order = np.argsort(chosen, kind="stable")
    ordered = chosen[order]
    pieces, parents, begin = [], [], 0
    bounds = np.searchsorted(ordered, ends)
    for (part, rows, _), bound, end in zip(new, bounds.tolist(), ends.tolist(), strict=True):
        if bound > begin:
            some = rows[ordered[begin:bound] - (end - len(rows))]
            pieces.append(part.after(some))
            parents.append(part.block.fingerprints[part.rows[some]])
        begin = bound
    if not pieces:
        return np.empty((0, 0), np.uint8), np.empty(0, np.uint64)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return np.concatenate(pieces, axis=1)[:, back], np.concatenate(parents)[back]


def hash_of(text: str) -> int:
    """A number for a name, the same in every process."""
    number = 14695981039346656037
    for byte in text.encode():
        number = (number ^ byte) * 1099511628211 % 2**64
    return number
