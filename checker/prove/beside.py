"""A proof held against the concrete reading: what is called proved of an operation is tried, in every way that small scopes have.

The states are those that are reachable in a scope, as far as the budget goes, and others that satisfy every invariant without
being reachable, of which a proof by induction speaks too: made from the reachable ones by changing a cell or two.  In each
the operation is called with all arguments there are.  That is done in the batch reading; some of the calls, and whatever the
batch reading finds, are made by the plain one.

The scopes are the tool's own choice, and nothing that the solver says is relied on: what is found is a fault of this tool.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...model.concrete import Model, Outcome, Vector
from ...model.graph import run, with_fresh_names
from ...model.language import EFFECTIVE, Action, Spec, SpecError, is_sort
from ...model.search import Expander, Expansion, Seen
from ...model.symbolic import uniform_scope
from .obligations import DEFINED, PROVED, Disagreement, Obligation

SIZES = (1, 2, 3)
"""How many elements of a sort the scopes have."""

CALLS = 20_000
"""About how many calls of an operation are made in a scope, and of all operations to find its states."""

PLAIN = 4
"""In how many states of a scope, and by how many calls in each, the plain reading tries an operation as well."""

MOST_STATES = 1_000
TRIES = 4
AROUND = 64
"""How many states like it are tried of one from which a call is possible that is far away."""


Witness = Callable[[dict[str, int], Action, str], Vector | None]
"""A state of a scope, if there is one, that satisfies every invariant and in which some call of an operation comes to an exit."""


@dataclass
class Tried:
    """How many calls were made, which exits they came to, and what they broke."""

    calls: int = 0
    exits: set[str] = field(default_factory=set)
    disagreements: list[Disagreement] = field(default_factory=list)


class Beside:
    """A spec in the small scopes in which its proofs are tried."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._scopes: list[_States] | None = None

    def disagreements(
        self, action: Action, obligations: Collection[Obligation], witness: Witness
    ) -> tuple[int, list[Disagreement]]:
        """How many calls of an operation were made, and what of it is called proved though a call shows otherwise.

        Where the calls to an exit are too far away, a `witness` is where they begin: a state of a scope."""
        # of a call that makes no sense nobody can say what its exit would be
        undefined = any(o.statement == DEFINED and o.status != PROVED for o in obligations)
        proved = {(o.exit, o.statement) for o in obligations if o.status == PROVED and (o.statement != DEFINED or not undefined)}
        if self._scopes is None:
            self._scopes = [_States(self.spec, size) for size in SIZES]
        calls = 0
        found: list[Disagreement] = []
        reached: set[str] = set()
        for states in self._scopes if proved else ():
            more = states.tried(action, proved, states.data)
            calls, found, reached = calls + more.calls, found + more.disagreements, reached | more.exits
        for exit in sorted({exit for exit, _ in proved if exit in EFFECTIVE} - reached):
            for states in self._scopes:
                begun = witness(states.model.scope, action, exit)
                if begun is not None:
                    more = states.tried(action, proved, states.around(begun))
                    calls, found = calls + more.calls, found + more.disagreements
                    break
        return calls, list({(d.exit, d.statement): d for d in reversed(found)}.values())


class _States:
    """The states of a scope in which operations are tried."""

    def __init__(self, spec: Spec, size: int) -> None:
        self.model = Model(spec, uniform_scope(spec, size, size))
        self.spec, self.chance = spec, random.Random(size)
        self.actions = list(spec.actions.values())
        self.declared = [*spec.invariants, *spec.step_properties]

    @cached_property
    def data(self) -> Any:
        """States that satisfy every invariant, a column each."""
        try:
            reached = self._reached(self.actions)
        except SpecError:
            # an operation cannot be read, which is said when it is asked about
            reached = self._reached([])
        return self._with_others(reached)

    def _reached(self, actions: Sequence[Action]) -> Any:
        everything = Expander(self.model, actions, self.declared, keep_edges=True)
        found, seen = [], Seen()
        todo = everything.layout.block(list(dict.fromkeys(self._begun()))).data
        seen.add(everything.fingerprints(todo)[1], np.zeros(todo.shape[1], np.uint64))
        expanded, most = 0, min(MOST_STATES, max(8, CALLS // max(1, len(everything.numbered))))
        while todo.shape[1] and expanded < most:
            some, todo = np.split(todo, [most - expanded], axis=1)
            expanded += some.shape[1]
            more = everything.expand(some, 0, seen)
            assert more.kept is not None
            found.append(more.kept)
            new = seen.add(more.found, more.parents)
            todo = np.concatenate([todo, more.data[:, new]], axis=1)
        return np.concatenate([*found, todo[:, :most]], axis=1)

    def _begun(self) -> Iterator[Vector]:
        yield self.model.initial()
        for opening in self.spec.openings.values():
            try:
                yield run(self.model, with_fresh_names(self.model, opening))
            except (SpecError, IndexError):
                continue  # the scope is too small for it

    def around(self, vector: Vector) -> Any:
        """A state with others like it."""
        return self._with_others(Expander(self.model, [], []).layout.block([vector]).data, AROUND)

    def _with_others(self, data: Any, most: int = MOST_STATES) -> Any:
        """States, and those that are made from them by changing a little and satisfy every invariant."""
        judge = Expander(self.model, [], self.spec.invariants, keep_edges=True)
        size = data.shape[1]
        if not size:
            return data
        chosen = [self.chance.randrange(size) for _ in range(min(most, max(TRIES * size, AROUND)))]
        changed = {self._changed(judge.layout.vector(data[:, at].tolist())) for at in chosen}
        kept: Any = judge.expand(np.concatenate([data, judge.layout.block(sorted(changed)).data], axis=1), 0, Seen()).kept
        once = np.unique(kept, axis=1)
        # the plainest first, since the first that is wrong is shown
        return once[:, np.argsort((once != 0).sum(axis=0), kind="stable")]

    def _changed(self, vector: Vector) -> Vector:
        for _ in range(self.chance.choice((1, 1, 2))):
            position = self.chance.choice([n for n, c in enumerate(self.model.components) if c.kind in ("map", "queue")])
            component = self.model.components[position]
            cells: list[Any] = list(vector[position])
            if component.kind == "map":
                key = self.chance.choice(list(self.model.keys(component)))
                values = [*([0] if is_sort(component.value) else []), *self.model.domain(component.value)]
                cells[self.model.index(component, key)] = self.chance.choice(values)
            else:
                element = self.chance.choice(self.model.domain(component.value))
                inside = any(element in line for line in cells)
                cells = [tuple(e for e in line if e != element) for line in cells]
                line = self.chance.choice(self.model.domain(component.keys[0]))
                if not inside or self.chance.random() < 1 / 2:
                    at = self.chance.randint(0, len(cells[line]))
                    cells[line] = (*cells[line][:at], element, *cells[line][at:])
            vector = (*vector[:position], tuple(cells), *vector[position + 1 :])
        return vector

    def tried(self, action: Action, proved: Collection[tuple[str, str]], data: Any) -> Tried:
        """Call an operation in states, with all arguments of it, and see what that breaks of what is called proved."""
        declared = [name for name in self.declared if any(statement == name for _, statement in proved)]
        expander = Expander(self.model, [action], declared)
        each = max(1, len(expander.numbered))
        most = CALLS // each
        if data.shape[1] > most:
            data = data[:, sorted(self.chance.sample(range(data.shape[1]), most))]
        if not data.shape[1]:
            return Tried()
        found = expander.finish(expander.expand(data, 0, Seen()))
        _, marks = expander.fingerprints(data)
        where = {int(mark): at for at, mark in enumerate(marks)}
        suspects = {(where[b.at], b.statement) for b in found.broken if b.step}
        suspects.update(self._broken_after(found, declared, where))
        vectors = {at: expander.layout.vector(data[:, at].tolist()) for at, _ in suspects}
        told = [self._confirmed(action, name, vectors[at], proved) for at, name in sorted(suspects)]
        for at in self.chance.sample(range(data.shape[1]), min(PLAIN, data.shape[1])):
            told += self._plainly(action, expander.layout.vector(data[:, at].tolist()), proved)
        exits = {clause.partition("/")[2] for clause in found.clauses}
        return Tried(each * data.shape[1], exits, [d for d in told if d is not None])

    def _broken_after(self, found: Expansion, declared: list[str], where: Mapping[int, int]) -> Iterator[tuple[int, str]]:
        """The invariants that states break which were come to, each with the number of the state before."""
        if not len(found.found):
            return
        parents = np.array([where[mark] for mark in found.parents.tolist()])
        order = np.argsort(parents, kind="stable")
        before = dict(zip(found.found.tolist(), parents.tolist(), strict=True))
        judge = Expander(self.model, [], [name for name in declared if name in self.spec.invariants])
        for broken in judge.expand(found.data[:, order], 0, Seen()).broken:
            yield before[broken.at], broken.statement

    def _confirmed(
        self, action: Action, statement: str, vector: Vector, proved: Collection[tuple[str, str]]
    ) -> Disagreement | None:
        """The call that the plain reading makes to break a statement in a state."""
        for arguments in self.model.calls(action, vector):
            if arguments is not None and (seen := self._wrong(action, vector, arguments, proved, [statement])):
                return seen
        return None

    def _plainly(self, action: Action, vector: Vector, proved: Collection[tuple[str, str]]) -> Iterator[Disagreement | None]:
        calls = [c for c in self.model.calls(action, vector) if c is not None]
        for arguments in self.chance.sample(calls, min(PLAIN, len(calls))):
            yield self._wrong(action, vector, arguments, proved, None)

    def _wrong(
        self,
        action: Action,
        vector: Vector,
        arguments: dict[str, Any],
        proved: Collection[tuple[str, str]],
        names: Collection[str] | None,
    ) -> Disagreement | None:
        """What a call breaks that is called proved, of the statements of these names or of all."""

        def told(exit: str, statement: str, text: str, outcome: Outcome | None, binding: dict[str, Any]) -> Disagreement | None:
            if (exit, statement) not in proved or not self._sound(vector):
                return None
            after = outcome.shown if outcome else None
            return Disagreement(action.name, exit, statement, text, self.model.scope, vector, arguments, after, binding)

        try:
            outcome = self.model.step(action, vector, arguments)
        except SpecError as error:
            exits = [exit for exit, statement in proved if statement == DEFINED]
            return told(exits[0], DEFINED, str(error), None, {}) if exits else None
        if not outcome.effective:
            return None
        for statement, binding in self.model.violations(vector, action, arguments, outcome.shown):
            if (names is None or statement.name in names) and (
                seen := told(outcome.exit, statement.name, statement.text, outcome, binding)
            ):
                return seen
        return None

    def _sound(self, vector: Vector) -> bool:
        return not any(True for _ in self.model.violations(None, None, {}, vector))
