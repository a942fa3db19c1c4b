"""The fixed conformance suite: few and short sequences of calls, drawn from the explored graphs, that together reach every
clause, and every pair of clauses that can follow one another in a room.

They are the same on every machine, because exploration is.  For each profile the graphs of the spec's scopes are searched
with the operations of that profile alone.  A clause is reached by a shortest way to it, and refusals that lie on that way
are tried there too, since they change nothing.  A pair is that of two calls, one directly after the other, whose operations
stand in the same room; late answers are clauses of the call that brings them, and in no pair.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from ...model.compiled import CompiledModel, DeviatingModel, Deviation
from ...model.concrete import Model
from ...model.graph import with_fresh_names
from ...model.language import ALL, Spec, Step, load
from ...model.search import workers
from ..session import Epilogue, Most, fast_model, kinds
from ..session import model as model_of
from .chart import Chart, Move, chart
from .cycles import Cyclist
from .deviations import Deviations
from .given import given_first
from .histories import Histories
from .more import causes_of, replayed
from .rehearsal import Rehearsal
from .remade import Made, remade
from .scout import Found, Scout
from .tours import pairs, tour

ENDING = Most(looks=2, taken=12, undone=30, filled=40)
"""How much is done at the end of a sequence."""

OFTEN = 300
"""How many times a cycle is gone through: a counter of eight bits has come round by then."""

CYCLES = 500
"""How many walks are made for cycles."""

WALKS, SCOUTS = 640, 3
"""How many walks are made for what the explorations do not come to, and by how many, one after the other."""


@dataclass(frozen=True)
class Sequence:
    """Calls in the model's values, from reset on, in a scope, and what they are to come to; `causes` are those that no sequence
    before it comes to.  A scope is named as its exploration, that of fuzzing is "".

    With `pairs` it was drawn for its pairs of clauses, which all sequences that are drawn for their clauses precede.  From call
    number `ending` on, if there is such, it looks, takes, undoes and fills (`session.Epilogue`), and what only looks is a probe.
    The calls from the one number of `cycle` to before the other lead back to where they began, and are made `OFTEN` times.
    By its `number` in a suite what no state depends on is varied.
    """

    scope: str
    calls: tuple[Step, ...]
    clauses: tuple[str, ...]
    pairs: bool = False
    ending: int | None = None
    causes: tuple[str, ...] = ()
    cycle: tuple[int, int] | None = None
    number: int = 0

    def sizes(self, spec: Spec) -> dict[str, int]:
        """The sizes of its scope, and what is varied."""
        return {**(spec.explorations[self.scope].sizes if self.scope else spec.fuzz_scope), **spec.variety(self.number)}

    def played(self, times: int = OFTEN) -> Iterator[tuple[int, Step]]:
        """The calls as they are made, each with its number here."""
        numbered = list(enumerate(self.calls))
        first, last = self.cycle or (0, 0)
        yield from numbered[:last]
        for _ in range(times - 1 if self.cycle else 0):
            yield from numbered[first:last]
        yield from numbered[last:]

    def is_probe(self, spec: Spec, number: int) -> bool:
        """Whether a call only looks at what those before it have done."""
        return self.ending is not None and number >= self.ending and self.calls[number][0] in kinds(spec).looks

    @cached_property
    def operations(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.calls)

    def with_given_first(self, spec: Spec) -> Sequence | None:
        """The same for an implementation to which something is given, as far as that can be; None where nothing is left of it."""
        given = spec.given.operations if spec.given else frozenset()
        order = given_first(model_of(spec, self.sizes(spec)), self.calls)
        first, last = self.cycle or (0, 0)
        if not order or [n for n in order if first <= n < last] != [*range(first, last)]:
            return None
        cycle = self.cycle and (order.index(first), order.index(first) + last - first)
        ending = self.ending
        if ending is not None:
            first_of_it = (at for at, n in enumerate(order) if n >= ending and self.calls[n][0] not in given)
            ending = next(first_of_it, len(order))
        return replace(self, calls=tuple(self.calls[n] for n in order), cycle=cycle, ending=ending)


@dataclass(frozen=True)
class Walk:
    """A sequence as it is drawn: the moves that it makes."""

    scope: str
    moves: tuple[Move, ...]

    @property
    def operations(self) -> frozenset[str]:
        return frozenset(move.call[0] for move in self.moves)

    @property
    def clauses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(clause for move in self.moves for clause in move.clauses))

    def sequence(self, *, pairs: bool = False) -> Sequence:
        return Sequence(self.scope, tuple(move.call for move in self.moves), self.clauses, pairs)


def ended(model: Model, found: Found, operations: Collection[str], seed: int) -> Sequence:
    """A way, and its end after it."""
    rehearsal = Rehearsal(model, found.calls, operations)
    Epilogue(rehearsal, random.Random(seed), ENDING).run()
    calls = tuple(call for call, _ in rehearsal.made)
    return Sequence("", (*found.calls, *calls), found.clauses, ending=len(found.calls))


@dataclass(frozen=True)
class Way:
    """A shortest way to a clause: the moves that take effect, the last of which comes to it, or else the refusal after them."""

    clause: str
    moves: tuple[Move, ...]
    refusal: Move | None = None


def generate(
    spec: Spec, *, jobs: int = 1, scouting: bool = False, kept: Iterable[Sequence] = (), seeking: bool = True
) -> list[Sequence]:
    """The suite of a spec: profile by profile the clauses that are not in it yet, then profile by profile the pairs.

    With `scouting` the causes too, and what else `given_to` and `more_of` tell, that all this does not come to, and effects that
    nothing of all this notices: walked for, profile by profile, in the scope of fuzzing, so that it takes its time.  What was
    found so for a suite that was `kept` is found again, as far as it shows anything; without `seeking` that is all.
    """
    drawn = draw(spec, charts(spec, jobs=jobs))
    between = next((n for n, sequence in enumerate(drawn) if sequence.pairs), len(drawn))
    further = scouted(spec, drawn, list(kept), seeking) if scouting else []
    return with_causes(spec, [*drawn[:between], *further, *drawn[between:]])


def with_causes(spec: Spec, drawn: list[Sequence]) -> list[Sequence]:
    """Sequences with the causes that each is the first to come to."""
    known: set[str] = set()
    models: dict[str, Model] = {}
    found = []
    for sequence in drawn:
        model = models.setdefault(sequence.scope, Model(spec, sequence.sizes(spec)))
        had = dict.fromkeys(causes_of(model, sequence.calls[: sequence.ending]))
        found.append(replace(sequence, causes=tuple(cause for cause in had if cause not in known)))
        known |= had.keys()
    return found


def scouted(spec: Spec, drawn: list[Sequence], kept: list[Sequence], seeking: bool) -> list[Sequence]:
    """Sequences for what those that are drawn do not come to: of those that were `kept`, and, with `seeking`, others."""
    model = fast_model(spec, spec.scope(spec.fuzz_scope))
    ways = [sequence.calls for sequence in drawn if not sequence.pairs]
    scouts = [(name, Scout(model, spec.profile(name), ways), WALKS // 4) for name in spec.profiles]
    # what one has found leads it on, so that another comes elsewhere
    scouts += [(ALL, Scout(model, spec.profile(ALL), ways, seed), WALKS // SCOUTS) for seed in range(SCOUTS)]
    models = {name: Model(spec, exploration.sizes, exploration.arguments) for name, exploration in spec.explorations.items()}
    come_to = [(s.operations, scouts[-1][1].come_to(models[s.scope], s.calls)) for s in drawn]
    endings = _again(model, [s.calls[: s.ending] for s in kept if not s.scope and s.ending is not None and not s.cycle])
    made: list[Sequence] = []
    for name, scout, walks in scouts:
        inside = spec.profile(name)
        known = {target for operations, targets in come_to if operations <= inside for target in targets}
        for found in itertools.chain(scout.kept(known, _inside(endings, inside)), scout.found(known, walks) if seeking else ()):
            made.append(ended(model, found, inside, len(made)))
            come_to.append((made[-1].operations, found.targets))
    again = _again(model, [s.calls for s in kept if not s.scope and s.ending is None])
    made += noticing(model, [s for s in drawn if not s.pairs] + made, again, seeking)
    made += histories_again(model, made, [*endings, *again])
    return [*(with_refusals(model, made) if seeking else made), *soaking(model, ways)]


def histories_again(model: Model, made: list[Sequence], again: list[list[Made]]) -> list[Sequence]:
    """Sequences for the histories of causes that only ways of those that were made `again` come to, profile by profile."""
    found: list[Sequence] = []
    for inside in map(model.spec.profile, (*model.spec.profiles, ALL)):
        histories = Histories(model, inside)
        for sequence in (s for s in (*made, *found) if s.operations <= inside):
            histories.add(sequence.calls)
        found += [_walked(way) for way in _inside(again, inside) if histories.add([(a.name, given) for a, _, given, _ in way])]
    return found


def _walked(made: list[Made]) -> Sequence:
    """The sequence of a way that was walked."""
    return Sequence("", tuple((action.name, given) for action, _, given, _ in made), _clauses(made))


def _clauses(made: Iterable[Made]) -> tuple[str, ...]:
    """The clauses of calls, without those of late answers."""
    return tuple(dict.fromkeys(f"{action.name}/{outcome.exit}" for action, _, _, outcome in made))


def with_refusals(model: Model, made: list[Sequence]) -> list[Sequence]:
    """Sequences of which those in the scope of fuzzing have refused calls in between, so that causes come in every history:
    profile by profile, such as their least one has."""
    filled = list(made)
    free = {n for n, s in enumerate(made) if not (s.scope or s.pairs or s.cycle)}
    for inside in map(model.spec.profile, (*model.spec.profiles, ALL)):
        histories = Histories(model, inside)
        within = [n for n, s in enumerate(filled) if not s.scope and s.operations <= inside]
        for number in within:
            histories.add(filled[number].calls)
        for number in within:
            if number in free:
                free.remove(number)
                sequence = filled[number]
                until = len(sequence.calls) if sequence.ending is None else sequence.ending
                calls = tuple(histories.filled(sequence.calls[:until]))
                filled[number] = replace(
                    sequence,
                    calls=(*calls, *sequence.calls[until:]),
                    clauses=tuple(dict.fromkeys((*sequence.clauses, *_clauses(replayed(model, calls))))),
                    ending=None if sequence.ending is None else len(calls),
                )
    return filled


def _again(model: Model, ways: Iterable[tuple[Step, ...]]) -> list[list[Made]]:
    """Ways made again, where that can be done."""
    made = (remade(model, with_fresh_names(model, list(calls))) for calls in ways)
    return [each for each in made if each]


def _inside(ways: Iterable[list[Made]], operations: Collection[str]) -> list[list[Made]]:
    """The ways that call these operations only."""
    return [way for way in ways if all(action.name in operations for action, _, _, _ in way)]


def noticing(model: Model, drawn: list[Sequence], again: list[list[Made]], seeking: bool) -> list[Sequence]:
    """Sequences that notice where operations deviate, if none of those that are drawn does, profile by profile; none where
    operations cannot be called in C."""
    if not isinstance(model, CompiledModel):
        return []
    model = DeviatingModel(model.spec, model.scope)
    made: list[Sequence] = []
    ways = [(sequence.operations, list(replayed(model, sequence.calls))) for sequence in drawn]
    noticed: set[Deviation] = set()
    for inside in map(model.spec.profile, (*model.spec.profiles, ALL)):
        deviations = Deviations(model, inside, [way for operations, way in ways if operations <= inside], noticed)
        found = (calls for _, calls in (deviations.found() if seeking else ()))
        for calls in itertools.chain(deviations.kept(_inside(again, inside)), found):
            made.append(_walked(calls))
            ways.append((made[-1].operations, calls))
    return made


def soaking(model: Model, ways: list[tuple[Step, ...]]) -> list[Sequence]:
    """Cycles, profile by profile, each with its end after it."""
    spec = model.spec
    made: list[Sequence] = []
    for name in (*spec.profiles, ALL):
        inside = spec.profile(name)
        had = {name for s in made if s.operations <= inside for name, _ in s.calls}
        for cycle in Cyclist(model, inside, ways).cycles(CYCLES if name == ALL else CYCLES // 4):
            if not {name for name, _ in cycle.calls} <= had:
                calls, before = (*cycle.before, *cycle.calls), len(cycle.before)
                whole = ended(model, Found(calls, _clauses(replayed(model, calls)), frozenset()), inside, len(made))
                made.append(replace(whole, cycle=(before, len(calls))))
    return made


def charts(spec: Spec, *, jobs: int = 1) -> dict[str, Chart]:
    """The charts of a spec's scopes, by the names of the explorations."""
    if jobs > 1 and spec.where:
        with workers(jobs) as pool:
            made = list(pool.map(_work, [(spec.where, name) for name in spec.explorations]))
    else:
        made = [chart(spec, name) for name in spec.explorations]
    return dict(zip(spec.explorations, made, strict=True))


def _work(job: tuple[str, str]) -> Chart:
    where, name = job
    return chart(load(where), name)


def draw(spec: Spec, charts: Mapping[str, Chart]) -> list[Sequence]:
    """The sequences for these scopes."""
    rooms = {name: spec.room(name) for name in spec.actions}
    profiles = [spec.profile(name) for name in (*spec.profiles, ALL)]
    parts = [{n: c.part(p) for n, c in charts.items() if {m.call[0] for m in c.opening} <= p} for p in profiles]
    for_clauses: list[Walk] = []
    for operations, part in zip(profiles, parts, strict=True):
        reached = {clause for walk in within(for_clauses, operations) for clause in walk.clauses}
        for scope, each in part.items():
            for walk in walks(scope, each, [way for way in ways(each) if way.clause not in reached]):
                reached.update(walk.clauses)
                for_clauses.append(walk)
    for_pairs: list[Walk] = []
    for operations, part in zip(profiles, parts, strict=True):
        taken = [pairs(walk.moves, rooms) for walk in within([*for_clauses, *for_pairs], operations)]
        for_pairs += [Walk(scope, moves) for scope, moves in tour(part, rooms, set().union(*taken))]
    return [*(walk.sequence() for walk in for_clauses), *(walk.sequence(pairs=True) for walk in for_pairs)]


def ways(chart: Chart) -> list[Way]:
    """A shortest way to every clause of a scope."""
    found: dict[str, Way] = {}
    for before, moves in zip(chart.shortest(), chart.moves, strict=True):
        for move in moves:
            for clause in move.clauses:
                if clause not in found:
                    found[clause] = Way(clause, before, move) if move.refused else Way(clause, (*before, move))
    return list(found.values())


def walks(scope: str, chart: Chart, found: Iterable[Way]) -> list[Walk]:
    """The longest ways first; a refusal joins a walk that passes by the state where it was found."""
    ordered = sorted(found, key=lambda way: (-len(way.moves), way.clause))
    missing = {way.clause: way for way in ordered}
    refusals: dict[int, list[Move]] = {}
    for way in ordered:
        if way.refusal:
            refusals.setdefault(way.refusal.after, []).append(way.refusal)
    made = []
    for way in ordered:
        if way.clause not in missing:
            continue
        moves: list[Move] = []
        state = chart.first
        for move in (*way.moves, None):
            joining = [refusal for refusal in refusals.get(state, ()) if refusal.clause in missing]
            moves += joining
            for refusal in joining:
                del missing[refusal.clause]
            if move is not None:
                moves.append(move)
                state = move.after
        made.append(Walk(scope, tuple(moves)))
        for clause in made[-1].clauses:
            missing.pop(clause, None)
    return made


Called = TypeVar("Called", Sequence, Walk)


def within(suite: Iterable[Called], operations: Collection[str]) -> list[Called]:
    """The sequences that call these operations only."""
    return [s for s in suite if s.operations <= set(operations)]
