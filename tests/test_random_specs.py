"""Of specifications drawn at random, independent ways to one answer agree: plain and batch, with symmetry and without, graph and
networkx, proof and exploration.  `make fuzz` draws many more."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import networkx as nx
import pytest
from random_specs import drawn
from searching import begun, in_chunks, plainly

from oneowner.checker.explore import CAN_RETURN, DEADLOCK, Asked, explore_scope
from oneowner.checker.prove import PROVED, prove
from oneowner.model import SpecError
from oneowner.model.batch import reading as batch
from oneowner.model.concrete import Model, Outcome, Vector
from oneowner.model.graph import run, with_fresh_names
from oneowner.model.language import Call, Exploration, LeadsTo, Spec, Step, reading
from oneowner.model.search import Limits

FIRST, MANY = int(os.environ.get("ONEOWNER_DRAWN_FROM", "0")), int(os.environ.get("ONEOWNER_DRAWN", "10"))
SEEDS = range(FIRST, FIRST + MANY)
LARGE, FEW = 1500, 50
T = TypeVar("T")
REFUSED = "free to be given out still stands"


class Drawn(NamedTuple):
    seed: int
    spec: Spec
    scope: Exploration


def tame(spec: Spec, names: Collection[str]) -> Spec:
    """A specification of whose statements those of some names say nothing."""
    return replace(spec, replaced={name: lambda *_: True for name in names})


def begins_sound(spec: Spec, scope: Exploration) -> Spec:
    """A specification without the invariants that are broken where a search of it begins."""
    model = Model(spec, scope.sizes, scope.arguments)
    initial = model.system(run(model, with_fresh_names(model, spec.openings[scope.opening])))
    return tame(spec, [name for name, each in spec.invariants.items() if model.broken(each, initial) is not None])


BUILT = 16
"""Of so many specifications one is searched in the compiled reading, as each takes a compiler a while."""


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> list[Drawn]:
    folder = tmp_path_factory.mktemp("drawn")
    found = [Drawn(seed, *drawn(seed, folder)) for seed in SEEDS]
    small = [each for each in found if begun(each.spec, each.scope, statements=()).run(Limits(states=LARGE)).finished]
    assert len(small) > 0.9 * len(found) or len(found) < FEW
    return small


def assert_varied(seen: Mapping[str, int], names: Collection[str], specs: Collection[Drawn]) -> None:
    """Each of these was seen in one of twenty specifications, unless few were drawn, to look at them."""
    assert len(specs) < FEW or all(seen[name] >= len(specs) / 20 for name in names), seen


def least(violations: Any) -> set[tuple[str, int]]:
    """Which statements are broken by the shortest traces, and how short they are."""
    shortest = min((len(violation.trace) for violation in violations), default=0)
    return {(v.statement.name, shortest) for v in violations if len(v.trace) == shortest}


def unless_refused(search: Callable[[], T]) -> list[T]:
    """What a search with symmetry comes to, or nothing where names cannot be taken for equal."""
    try:
        return [search()]
    except SpecError as error:
        if REFUSED not in str(error):
            raise
        return []


@pytest.mark.parametrize(("chunk", "together"), [(1, 0), (7, 16), (1 << 20, 1 << 14)])
def test_all_searches_find_the_same(specs: list[Drawn], chunk: int, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    in_chunks(chunk, monkeypatch)
    monkeypatch.setattr(batch, "TOGETHER", together)
    assert_found_the_same(specs)


@pytest.mark.parametrize("reading", ["compiled"], indirect=True)
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_the_compiled_search_finds_it_too(specs: list[Drawn], chunk: int, reading: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_chunks(chunk, monkeypatch)
    assert_found_the_same(specs[chunk % 2 :: BUILT])


def assert_found_the_same(specs: Sequence[Drawn]) -> None:
    """A search finds of each what the plain one finds."""
    seen: Counter[str] = Counter()
    for seed, whole, scope in specs:
        spec = begins_sound(whole, scope)
        plain = plainly(spec, scope, stop_at_violation=False)
        found = begun(spec, scope).run(stop_at_violation=False)
        for name in ("transitions", "clauses", "finished", "complete"):
            assert getattr(found, name) == getattr(plain, name), seed
        assert found.states == len(plain.parents), seed
        assert least(found.violations) == least(plain.violations), seed
        for alike in unless_refused(lambda s=spec, e=scope: begun(s, e, symmetry=True).run(stop_at_violation=False)):
            for name in ("clauses", "finished", "complete"):
                assert getattr(found, name) == getattr(alike, name), seed
            assert least(found.violations) == least(alike.violations), seed
            assert bool(found.dead) == bool(alike.dead), seed
            seen["fewer states with symmetry"] += alike.states < found.states
            seen["as many states with symmetry"] += alike.states == found.states
        seen["violated"] += bool(found.violations)
        seen["sound"] += not found.violations
    assert_varied(seen, ("fewer states with symmetry", "as many states with symmetry", "violated", "sound"), specs)


class Edge(NamedTuple):
    before: Vector
    after: Vector
    call: Call


def never(states: Iterable[Vector], edges: Iterable[Edge], fair: Iterable[Collection[Edge]]) -> set[Vector]:
    """The states, of some, from which a fair run may go on through them for ever: those from which a component can be reached in
    which each fair call is made, or somewhere impossible."""
    going = nx.DiGraph()
    going.add_nodes_from(states)
    going.add_edges_from((e.before, e.after) for e in edges if e.before in going and e.after in going)
    found = set[Vector]()
    for component in nx.strongly_connected_components(going):
        made = [any(e.before in component and e.after in component for e in calls) for calls in fair]
        possible = [component <= {e.before for e in calls} for calls in fair]
        if all(is_made or not everywhere for is_made, everywhere in zip(made, possible, strict=True)):
            found |= component
    return found.union(*(nx.ancestors(going, state) for state in found))


def by_networkx(spec: Spec, scope: Exploration) -> set[str]:
    """What is stuck, cannot get back to rest, or does not come about, by the plain search, components and reachability."""
    edges: list[Edge] = []

    def tried(before: Vector, step: Step, outcome: Outcome) -> None:
        if outcome.state != before:
            edges.append(Edge(before, outcome.state, Call(*step)))

    plain = plainly(spec, scope, statements=frozenset(), tried=tried)
    model, states = plain.model, set(plain.parents)

    def at_rest(state: Vector) -> bool:
        return all(model.broken(rest, model.system(state)) is None for rest in spec.rests.values())

    back = nx.DiGraph((edge.after, edge.before) for edge in edges)
    back.add_nodes_from(states)
    resting = {state for state in states if at_rest(state)}
    found = {CAN_RETURN} if resting.union(*(nx.descendants(back, state) for state in resting)) < states else set[str]()
    if states - {edge.before for edge in edges} - resting:
        found.add(DEADLOCK)
    for statement in spec.leads_to.values():

        def says(state: Vector, call: Call, element: int, statement: LeadsTo = statement) -> tuple[bool, bool, bool]:
            with reading(model):
                return statement.function(model.system(state), call, element)

        for element in model.domain(statement.slots[0].type):
            waiting = {s for s in states for waits, ended, _ in [says(s, Call("", {}), element)] if waits and not ended}
            going = {s for s in states if not says(s, Call("", {}), element)[1]}
            fair = [{e for e in edges if e.call.operation == by and says(e.before, e.call, element)[2]} for by in statement.by]
            if waiting & never(going, edges, fair):
                found.add(statement.name)
    return found


def test_what_comes_about_and_comes_back_is_as_networkx_has_it_with_symmetry_and_without(specs: list[Drawn]) -> None:
    seen: Counter[str] = Counter()
    for seed, whole, scope in specs:
        spec = tame(whole, [*whole.invariants, *whole.step_properties])
        asked = Asked(deadlock=True, can_return=True, leads_to=True)
        report = explore_scope(spec, "scope", scope, asked=asked)
        wrong = {v.statement for v in report.violations}
        if not report.complete:
            assert not wrong, seed
            assert set(report.unanswered) == {DEADLOCK, CAN_RETURN, *spec.leads_to}, seed
            continue
        assert wrong == by_networkx(spec, scope), seed
        seen.update(wrong)
        for alike in unless_refused(lambda s=spec, e=scope: explore_scope(s, "scope", e, asked=asked, symmetry=True)):
            assert {v.statement for v in alike.violations} == wrong, seed
            seen["with symmetry"] += 1
    assert_varied(seen, (DEADLOCK, CAN_RETURN, "comes_about0", "comes_about3", "with symmetry"), specs)
    assert_varied({what: len(specs) - times for what, times in seen.items()}, (DEADLOCK, CAN_RETURN, "comes_about0"), specs)


def proved(spec: Spec) -> tuple[list[str], list[str]]:
    """Statements that are proved together, found by leaving out what is not; and the clauses not shown possible then."""
    names, left_out = [*spec.invariants, *spec.step_properties], set[str]()
    while True:
        report = prove(tame(spec, left_out), traces=False, alone=True)
        failed = {o.statement for o in report.obligations if o.status != PROVED}
        if failed <= left_out:
            return [name for name in names if name not in left_out], report.vacuous
        left_out |= failed


def test_what_is_proved_is_broken_in_no_scope_and_what_is_reached_is_not_called_impossible(specs: list[Drawn]) -> None:
    seen: Counter[str] = Counter()
    for seed, spec, whole in specs[::32]:
        names, vacuous = proved(spec)
        kept = tame(spec, {*spec.invariants, *spec.step_properties} - set(names))
        for ants, bees in ((2, 2), (3, 1)):
            search = begun(kept, Exploration(dict(whole.sizes) | {"ants": ants, "bees": bees})).run(Limits(states=30000))
            assert search.violations == [], seed
            assert not set(vacuous) & set(search.clauses), seed
        seen.update(proved=len(names))
    assert_varied(seen, ("proved",), specs)
