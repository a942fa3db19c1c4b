"""Symmetry leaves out renamings and nothing else: canonical forms against all renamings tried, and searches with and without."""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from bells import BELLS, Bell, Listener
from jobs import JOBS
from sampling import one_in
from searching import CORE, assert_breaks, begun, core, figures
from states import random_vector
from test_readings_agree import starts
from token_ring import RING, Parcel, Station

from oneowner.model import (
    Call,
    Enumeration,
    Fresh,
    Map,
    Sort,
    State,
    action,
    exists,
    negation,
    none,
    require,
    step_property,
    unused,
)
from oneowner.model.batch import Layout
from oneowner.model.concrete import Model, Vector
from oneowner.model.language import Exploration, Members, Spec, SpecError, Type, is_sort
from oneowner.model.search import Symmetry
from oneowner.model.search import symmetry as forms_of
from oneowner.spec import SPEC, Partition, Port, Service, Short
from oneowner.spec.museum import BUGS

Names = Mapping[Type, Sequence[int]]
"""By sort, the new name of each of its elements, none first."""

THREE_OR_FOUR = {
    "partitions": 4,
    "processors": 3,
    "physicals": 3,
    "regions": 4,
    "shareds": 3,
    "places": 3,
    "data": 3,
    "receivers": 4,
    "senders": 3,
    "ports": 4,
    "messages": 4,
    "signals": 3,
    "requests": 3,
    "services": 3,
    "shorts": 3,
    "processes": 3,
    "fds": 4,
    "files": 3,
    "capacity": 2,
}


def renamed(model: Model, vector: Vector, names: Names) -> Vector:
    """A state with other names."""

    def new(kind: Type, element: Any) -> Any:
        return names[kind][element] if kind in names else element

    parts: list[tuple[Any, ...]] = []
    for component, part in zip(model.components, vector, strict=True):
        if component.kind == "queue":
            lines = {new(component.keys[0], line): elements for line, elements in enumerate(part)}
            parts.append(tuple(tuple(new(component.value, e) for e in lines[line]) for line in range(len(part))))
        elif component.kind == "map":
            cells = list(part)
            for key in model.keys(component):
                to = tuple(map(new, component.keys, key))
                cells[model.index(component, to)] = new(component.value, part[model.index(component, key)])
            parts.append(tuple(cells))
        else:
            parts.append(part)
    return tuple(parts)


def permuted(size: int, free: Sequence[int], order: Sequence[int]) -> list[int]:
    names = list(range(size + 1))
    for old, new in zip(free, order, strict=True):
        names[old] = new
    return names


def all_renamings(symmetry: Symmetry) -> Iterator[Names]:
    every = [itertools.permutations(free) for free in symmetry.free.values()]
    for orders in itertools.product(*every):
        yield {k: permuted(symmetry.sizes[k], free, o) for (k, free), o in zip(symmetry.free.items(), orders, strict=True)}


def random_renaming(symmetry: Symmetry, chance: random.Random) -> Names:
    return {k: permuted(symmetry.sizes[k], free, chance.sample(free, len(free))) for k, free in symmetry.free.items()}


def canonical(symmetry: Symmetry, vectors: Sequence[Vector]) -> list[Vector]:
    """The canonical forms of some states, of which the fingerprints are checked."""
    layout = symmetry.layout
    data, marks = symmetry.canonical(layout.block(vectors).data)
    found = [layout.vector(data[:, at].tolist()) for at in range(len(vectors))]
    assert marks.tolist() == layout.block(found).fingerprints.tolist()
    return found


Fact = tuple[tuple[Any, ...], tuple[tuple[int, tuple[Type, int]], ...]]
"""What a cell says: what it is, whatever names are called; and the names in it, each with its place there."""


def facts(model: Model, vector: Vector) -> Iterator[Fact]:
    """What a state says."""
    for component, part in zip(model.components, vector, strict=True):
        kinds = (*component.keys, component.value)
        cells: list[tuple[int, tuple[Any, ...]]] = []
        if component.kind == "queue":
            cells = [(rank, (line, e)) for line, elements in enumerate(part) for rank, e in enumerate(elements)]
        elif component.kind == "map":
            cells = [(0, (*key, part[model.index(component, key)])) for key in model.keys(component)]
        for rank, values in cells:
            if values[-1]:
                said = [int(value) for kind, value in zip(kinds, values, strict=True) if not is_sort(kind)]
                names = [(at, (k, e)) for at, (k, e) in enumerate(zip(kinds, values, strict=True)) if is_sort(k) and e]
                yield (component.name, rank, *said), tuple(names)


def coloured(all_facts: Sequence[Fact], colours: dict[tuple[Type, int], Any]) -> dict[tuple[Type, int], int]:
    """Names with a number each, which is the same for names of which the same is said."""
    for _ in range(4):
        said: dict[tuple[Type, int], list[Any]] = {name: [] for name in colours}
        for what, names in all_facts:
            beside = what, tuple(colours[name] for _, name in names)
            for at, name in names:
                said[name].append(hash((at, beside)))
        colours = {name: hash((colours[name], *sorted(said[name]))) for name in colours}
    return colours


def renaming(
    symmetry: Symmetry, one: Vector, other: Vector, told: tuple[tuple[tuple[Type, int], tuple[Type, int]], ...] = ()
) -> Names | None:
    """A renaming of the free names that makes `one` the `other`, with some of it `told`; tried are names of one colour."""
    model, both = symmetry.layout.model, []
    for at, vector in enumerate((one, other)):
        colours: dict[tuple[Type, int], Any] = {}
        for kind in model.spec.sorts:
            colours |= {(kind, e): (kind.__name__, e not in symmetry.free.get(kind, ()) and e) for e in model.domain(kind)}
        colours |= {pair[at]: number for number, pair in enumerate(told)}
        both.append(coloured([*facts(model, vector)], colours))
    names, apart = {}, []
    for kind, free in symmetry.free.items():
        old, new = (sorted(free, key=lambda e: (found[kind, e], e)) for found in both)
        if [both[0][kind, e] for e in old] != [both[1][kind, e] for e in new]:
            return None
        names[kind] = permuted(symmetry.sizes[kind], old, new)
        apart += [(kind, e) for e, after in itertools.pairwise(old) if both[0][kind, e] == both[0][kind, after]]
    if renamed(model, one, names) == other:
        return names
    for kind, first in apart[:1]:
        for second in symmetry.free[kind]:
            if both[1][kind, second] == both[0][kind, first]:
                found = renaming(symmetry, one, other, (*told, ((kind, first), (kind, second))))
                if found:
                    return found
    return None


def met(spec: Spec, exploration: Exploration) -> tuple[Symmetry, list[Vector]]:
    """The states of an exploration, and the symmetry of its scope."""
    explorer = begun(spec, exploration, keep_edges=True)
    explorer.run()
    layout = explorer.expander.layout
    return Symmetry(layout), [layout.vector(row) for row in explorer.block().data.T.tolist()]


SMALL = {
    "core": (CORE, core(3, 3, 2, 2)),
    "core with more ports": (CORE, core(2, 2, 3, 2)),
    "ring": (RING, Exploration({"stations": 4, "parcels": 3, "most": 2})),
    "bells": (BELLS, BELLS.explorations["two bells"]),
    **{name: (SPEC, SPEC.explorations[name]) for name in ("shared memory", "binding", "processors")},
}


@pytest.mark.both_readings
@pytest.mark.parametrize("name", one_in(2, SMALL))
def test_the_states_of_one_canonical_form_are_the_renamings_of_one_state(name: str) -> None:
    symmetry, vectors = met(*SMALL[name])
    forms = dict(zip(vectors, canonical(symmetry, vectors), strict=True))
    renamings = list(all_renamings(symmetry))
    assert len(renamings) > 1
    orbits = 0
    left = set(vectors)
    while left:
        vector = left.pop()
        orbit = {renamed(symmetry.layout.model, vector, names) for names in renamings}
        assert forms[vector] in orbit
        assert {forms[other] for other in orbit if other in forms} == {forms[vector]}
        orbits += 1
        left -= orbit
    assert orbits == len(set(forms.values())) == begun(*SMALL[name], symmetry=True).run().states


def close(model: Model, chance: random.Random, count: int) -> list[Vector]:
    """Random states, many of them almost the same."""
    found = []
    for _ in range(count // 10):
        base = random_vector(model, chance, model.initial(), chance.choice([0.05, 0.2, 0.5]))
        found += [random_vector(model, chance, base, 0.02) for _ in range(10)]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(
    ("spec", "sizes"),
    [
        (RING, {"stations": 4, "parcels": 3}),
        (BELLS, {"listeners": 3, "bells": 2, "letters": 2}),
        (CORE, {"partitions": 2, "regions": 2, "ports": 3}),
        (SPEC, {"partitions": 3, "ports": 3, "fds": 2}),
    ],
    ids=["ring", "bells", "core", "oneowner"],
)
def test_random_states_have_one_canonical_form_exactly_if_one_is_a_renaming_of_the_other(
    spec: Spec, sizes: dict[str, int]
) -> None:
    model = Model(spec, sizes)
    symmetry, vectors = Symmetry(Layout(model)), close(model, random.Random(1), 60)
    forms = canonical(symmetry, vectors)
    least: dict[Vector, Vector] = {}
    for vector, form in zip(vectors, forms, strict=True):
        orbit = {renamed(model, vector, names) for names in all_renamings(symmetry)}
        assert form in orbit
        assert set(canonical(symmetry, [*orbit])) == {form}
        assert least.setdefault(form, min(orbit)) == min(orbit)
    assert len(least) == len(set(least.values()))


def walked() -> list[Vector]:
    """States of a scope with three or four of each sort: after each call of the openings, and such with cells drawn anew."""
    model, chance = Model(SPEC, THREE_OR_FOUR), random.Random(4)
    found = [*starts(model)]
    for _ in range(120):
        vector = chance.choice(found)
        action = chance.choice(list(SPEC.actions.values()))
        calls = [c for c in itertools.islice(model.calls(action, vector), 200) if c is not None]
        outcomes = [model.step(action, vector, c) for c in chance.sample(calls, min(10, len(calls)))]
        found += [outcome.state for outcome in outcomes if outcome.effective][:2]
    found = list(dict.fromkeys(found))
    return found + [random_vector(model, chance, vector, share) for vector in found[:40] for share in (0.02, 0.1, 0.5)]


def test_a_canonical_form_is_a_renaming_and_the_same_for_all_renamings_where_there_are_three_or_four_of_each_sort() -> None:
    model, chance, vectors = Model(SPEC, THREE_OR_FOUR), random.Random(6), walked()
    symmetry = Symmetry(Layout(model))
    assert {kind.__name__ for kind in SPEC.sorts} - {kind.__name__ for kind in symmetry.free} == {"Short"}
    forms = canonical(symmetry, vectors)
    for _ in range(3):
        others = [renamed(model, vector, random_renaming(symmetry, chance)) for vector in vectors]
        assert sum(other != vector for other, vector in zip(others, vectors, strict=True)) > 0.9 * len(vectors)
        assert canonical(symmetry, others) == forms
    for vector, form in zip(vectors, forms, strict=True):
        assert renaming(symmetry, vector, form)


@pytest.mark.parametrize("name", ["messages", "partitions"])
def test_a_canonical_form_is_the_same_for_all_renamings_of_the_states_that_are_met(name: str) -> None:
    symmetry, vectors = met(SPEC, SPEC.explorations[name])
    model, chance = symmetry.layout.model, random.Random(8)
    forms = canonical(symmetry, vectors)
    others = [renamed(model, vector, random_renaming(symmetry, chance)) for vector in vectors]
    assert sum(other != vector for other, vector in zip(others, vectors, strict=True)) > len(vectors) / 3
    assert canonical(symmetry, others) == forms
    for vector, form in chance.sample([*zip(vectors, forms, strict=True)], 30):
        assert renaming(symmetry, vector, form)


def rings(model: Model, *lengths: int) -> Vector:
    """A state of the core in which ports are each other's peers in rings of so many."""
    vector, first = list(model.initial()), 1
    at = model.positions["peer"]
    peers = [0] * len(vector[at])
    for length in lengths:
        for port in range(first, first + length):
            peers[port] = port + 1 if port + 1 < first + length else first
        first += length
    vector[at] = tuple(peers)
    return tuple(vector)


def test_states_that_no_colouring_tells_apart_are_told_apart() -> None:
    model, chance = Model(CORE, {"partitions": 1, "regions": 1, "ports": 6}), random.Random(9)
    symmetry, shapes = Symmetry(Layout(model)), [(6,), (3, 3), (2, 4), (2, 2, 2), (1, 5), (5,), (1, 1, 1, 1, 1, 1)]
    forms = canonical(symmetry, [rings(model, *shape) for shape in shapes])
    assert len(set(forms)) == len(shapes)
    for shape, form in zip(shapes, forms, strict=True):
        others = [renamed(model, rings(model, *shape), random_renaming(symmetry, chance)) for _ in range(20)]
        assert set(canonical(symmetry, others)) == {form}
        assert form in others or renaming(symmetry, others[0], form)


def test_a_form_does_not_depend_on_the_states_that_stand_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    symmetry, vectors = Symmetry(Layout(Model(SPEC, THREE_OR_FOUR))), walked()[::3]
    forms = canonical(symmetry, vectors)
    assert [canonical(symmetry, [vector])[0] for vector in vectors] == forms
    assert canonical(symmetry, forms) == forms
    monkeypatch.setattr(forms_of, "AT_ONCE", 7)
    assert canonical(symmetry, vectors[::-1]) == forms[::-1]
    assert canonical(symmetry, []) == []


SLOW = {"files", "mapping", "sockets as clients", "services", "select"}
QUICK = [(spec, name) for spec in (SPEC, BELLS, RING) for name in spec.explorations if name not in SLOW]


@pytest.mark.both_readings
@pytest.mark.parametrize(("spec", "name"), one_in(2, QUICK), ids=lambda part: part if isinstance(part, str) else part.name)
def test_a_search_with_symmetry_comes_to_the_same_with_fewer_states(spec: Spec, name: str) -> None:
    whole, found = (begun(spec, spec.explorations[name], symmetry=symmetry).run() for symmetry in (False, True))
    assert found.states <= whole.states
    assert found.depth <= whole.depth
    same = ("clauses", "violations", "finished", "complete")
    assert {name: figures(found)[name] for name in same} == {name: figures(whole)[name] for name in same}
    assert bool(found.cut) is bool(whole.cut)
    assert bool(found.dead) is bool(whole.dead)


BROKEN = [
    ("bind_clobbers", "binding"),
    ("dead_senders_charge", "events"),
    ("free_before_unmap", "partitions"),
    ("lost_wakeup", "messages"),
    ("processors_outlive", "processors"),
    ("receiver_dies_in_send", "partitions"),
    ("root_special_case", "services"),
    ("shared_stays_attached", "shared memory"),
]


@pytest.mark.both_readings
@pytest.mark.parametrize(("bug", "name"), one_in(3, BROKEN))
def test_a_search_with_symmetry_finds_what_is_broken_as_soon(bug: str, name: str) -> None:
    spec = BUGS[bug].spec
    whole, found = (begun(spec, spec.explorations[name], symmetry=symmetry).run() for symmetry in (False, True))
    assert found.states <= whole.states
    assert figures(found)["violations"] == figures(whole)["violations"] != []
    for violation in found.violations:
        assert_breaks(violation, found)


def free(spec: Spec, sizes: dict[str, int], arguments: dict[str, Any] | None = None, **options: Any) -> dict[Type, list[int]]:
    return Symmetry(Layout(Model(spec, sizes, arguments)), **options).free


def test_constants_keep_their_names() -> None:
    assert free(RING, {"stations": 4, "parcels": 2}) == {Station: [2, 3, 4], Parcel: [1, 2]}
    assert Partition not in free(SPEC, {"partitions": 2})
    assert free(SPEC, {"partitions": 3})[Partition] == [2, 3]


def test_names_that_arguments_pick_out_keep_their_names_and_of_a_sort_that_is_given_out_so_do_lesser_ones() -> None:
    sizes = {"partitions": 5, "services": 3}
    assert free(SPEC, sizes) == {Partition: [2, 3, 4, 5], Service: [1, 2, 3]}
    assert free(SPEC, sizes, {"partition": (3,)}) == {Partition: [4, 5], Service: [1, 2, 3]}
    assert free(SPEC, sizes, {"partition": (3,), "caller": (1, 5)}) == {Service: [1, 2, 3]}
    assert free(SPEC, sizes, {"service": (2,)}) == {Partition: [2, 3, 4, 5], Service: [1, 3]}
    sizes = {"partitions": 5, "services": 2}
    assert free(SPEC, sizes, {"service": (1,)}) == {Partition: [2, 3, 4, 5]}
    assert free(SPEC, sizes, {"service": (1, 2), "amount": (0,)}) == free(SPEC, sizes)


def test_members_of_subsets_that_arguments_pick_out_keep_their_names() -> None:
    sizes = {"listeners": 2, "bells": 5}
    some = {"bells": (Members([1, 3]), Members())}
    assert free(BELLS, sizes, some) == {Listener: [1, 2], Bell: [4, 5]}
    assert free(BELLS, sizes, {"bells": (Members([1, 2, 3, 4, 5]),)}) == {Listener: [1, 2]}


@pytest.mark.both_readings
def test_a_name_that_arguments_pick_out_is_given_out_in_its_turn_with_symmetry_too() -> None:
    whole, found = (begun(JOBS, JOBS.explorations["one is probed"], symmetry=symmetry).run() for symmetry in (False, True))
    assert "probe/ok" in whole.clauses
    assert found.clauses == whole.clauses


def test_names_that_a_rigid_map_tells_apart_keep_their_names() -> None:
    assert free(SPEC, {"shorts": 3, "ports": 2}) == {Port: [1, 2]}
    alike = replace(SPEC, rigid={"too_long": lambda scope, short: False})
    assert free(alike, {"shorts": 3, "ports": 2}) == {Port: [1, 2], Short: [1, 2, 3]}


def test_names_that_are_to_be_left_alone_keep_their_names() -> None:
    sizes = {"stations": 4, "parcels": 2}
    assert free(RING, sizes, fixed={Parcel: [1, 2]}) == {Station: [2, 3, 4]}
    assert free(RING, sizes, fixed={Parcel: [2], Station: [3]}) == {Station: [2, 4]}


def test_what_is_said_of_a_kept_name_is_said_of_it_in_the_canonical_form() -> None:
    model = Model(RING, {"stations": 4, "parcels": 3})
    symmetry, at = Symmetry(Layout(model)), model.positions["token_at"]
    vectors = close(model, random.Random(2), 200)
    for vector, form in zip(vectors, canonical(symmetry, vectors), strict=True):
        assert vector[at][1] == form[at][1]
    first, second = model.initial(), renamed(model, model.initial(), {Station: [0, 2, 1, 3, 4]})
    assert len(set(canonical(symmetry, [first, second]))) == 2


def test_without_free_names_every_state_is_its_own_form() -> None:
    model = Model(RING, {"stations": 2, "parcels": 1})
    symmetry, vectors = Symmetry(Layout(model)), close(model, random.Random(3), 50)
    assert symmetry.free == {}
    assert canonical(symmetry, vectors) == vectors


class Thing(Sort):
    pass


class Stain(Enumeration):
    CLEAN = 0
    RED = 1
    BLUE = 2


class Box(State):
    used: Map[Thing, bool]
    stain: Map[Thing, Stain]


@unused
def idle(box: Box, thing: Thing) -> bool:
    return negation(box.used[thing])


@action()
def take(box: Box, thing: Fresh[Thing]) -> Thing:
    require(thing != none, "FULL")
    box.used[thing] = True
    return thing


@action()
def drop(box: Box, thing: Thing, stain: Stain) -> None:
    require(box.used[thing], "IDLE")
    box.used[thing] = False
    box.stain[thing] = stain


def takes(before: Box, call: Call, stain: Stain, other: Stain) -> bool:
    """What is taken has a stain, while something has the other and is free."""
    beside = exists(Thing, lambda thing: negation(before.used[thing]) & (before.stain[thing] == other))
    return (call.operation == "take") & (before.stain[call.thing] == stain) & beside


@step_property()
def no_red_is_taken_while_blue_is_free(before: Box, after: Box, call: Call) -> bool:
    return negation(takes(before, call, Stain.RED, Stain.BLUE))


@step_property()
def no_blue_is_taken_while_red_is_free(before: Box, after: Box, call: Call) -> bool:
    return negation(takes(before, call, Stain.BLUE, Stain.RED))


STAINS = Spec("stains", Box, (sys.modules[__name__],), lambda box: None)


@pytest.mark.both_readings
@pytest.mark.parametrize("statement", STAINS.step_properties)
def test_names_that_are_free_and_yet_told_apart_are_refused_with_symmetry(statement: str) -> None:
    """The least of them would be as good as any only if nothing told them apart."""
    exploration = Exploration({"things": 2})
    whole = begun(STAINS, exploration, statements=[statement], symmetry=False).run()
    assert figures(whole)["violations"] == [(statement, 5)]
    with pytest.raises(SpecError, match="a Thing that is free to be given out still stands in some component"):
        begun(STAINS, exploration, statements=[statement], symmetry=True).run()
