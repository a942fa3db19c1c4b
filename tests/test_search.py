"""The search in the batch reading finds what the plain one does: states, ways, violations; also in parts, or in two processes."""

from __future__ import annotations

import pytest
from bells import BELLS
from sampling import one_in
from scales import SCALES
from searching import (
    CORE,
    COUNTED,
    EXPLORED,
    MESSAGES_RUN_OUT,
    OFF_BY_ONE,
    WRONG,
    assert_breaks,
    assert_same,
    begun,
    core,
    figures,
    plainly,
    planted,
)
from token_ring import KEEPS, NEVER, RING

from oneowner.model.batch import reading
from oneowner.model.graph import run
from oneowner.model.language import Exploration, Spec, SpecError
from oneowner.model.search import WELL_DEFINED, Limits
from oneowner.spec import SPEC

pytestmark = pytest.mark.both_readings

EXPLORED += [(spec, name) for spec in (BELLS, RING) for name in spec.explorations]


@pytest.mark.parametrize(("spec", "name"), EXPLORED, ids=lambda part: part if isinstance(part, str) else part.name)
def test_the_search_finds_the_states_transitions_depths_and_clauses_of_the_plain_one(spec: Spec, name: str) -> None:
    plain = plainly(spec, spec.explorations[name])
    assert plain.finished
    assert_same(begun(spec, spec.explorations[name]).run(), plain)


@pytest.mark.parametrize(
    ("spec", "exploration", "depth"),
    [
        (CORE, core(2, 2, 2, 2), 20),
        (RING, Exploration({"stations": 3, "parcels": 3, "most": 2}), 20),
        (BELLS, Exploration({"listeners": 1, "bells": 2, "letters": 1, "most": 2, "numbers": 2}), 20),
        (SPEC, SPEC.explorations["select"], 2),
        (SPEC, SPEC.explorations["sockets as clients"], 4),
        (SPEC, SPEC.explorations["services"], 2),
    ],
    ids=["core", "ring", "letters run out", "select", "sockets as clients", "services"],
)
def test_it_finds_them_down_to_a_depth_and_where_names_run_out(spec: Spec, exploration: Exploration, depth: int) -> None:
    plain = plainly(spec, exploration, max_depth=depth)
    found = begun(spec, exploration).run(Limits(depth=depth))
    assert_same(found, plain)
    assert bool(found.stopped) is not found.finished


@pytest.mark.parametrize(("sizes", "symmetry", "states"), COUNTED)
def test_the_core_has_the_pinned_counts(sizes: tuple[int, int, int, int], symmetry: bool, states: int) -> None:
    found = begun(CORE, core(*sizes), symmetry=symmetry).run()
    assert (found.states, found.complete, found.violations) == (states, True, [])


@pytest.mark.parametrize("together", [0, 1 << 14])
def test_arguments_are_large_numbers_and_truth_values_whether_calls_are_made_as_one_or_not(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TOGETHER", together)
    found, plain = begun(SCALES, SCALES.explorations["heavy"]).run(), plainly(SCALES, SCALES.explorations["heavy"])
    assert found.clauses == plain.clauses == {"weigh/LOCKED": 0, "weigh/LIGHT": 0, "weigh/ok": 0}
    assert [(v.statement.name, len(v.trace)) for v in found.violations] == [("nothing_tips", 1)]


@pytest.mark.parametrize("together", [0, 1 << 14])
@pytest.mark.parametrize("symmetry", [False, True])
def test_whether_what_an_argument_or_a_cell_names_is_in_a_set_is_seen_state_by_state(
    symmetry: bool, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TOGETHER", together)
    plain = plainly(SCALES, SCALES.explorations["moved"])
    assert plain.clauses == {"move/STAYS": 0, "move/GOES_ITSELF": 0, "move/ok": 0}
    found = begun(SCALES, SCALES.explorations["moved"], symmetry=symmetry).run()
    if symmetry:
        assert (found.clauses, found.states) == (plain.clauses, 5)
    else:
        assert_same(found, plain)


def test_a_sort_with_more_names_than_a_cell_has_room_for_is_refused() -> None:
    with pytest.raises(SpecError, match="room for at most 255"):
        begun(RING, Exploration({"stations": 300, "parcels": 1}))


@pytest.mark.parametrize(
    ("spec", "exploration"),
    [(NEVER, Exploration({"stations": 2, "parcels": 3, "most": 2}, without=("deliver",))), (SPEC, MESSAGES_RUN_OUT)],
    ids=["never", "names run out"],
)
def test_a_state_in_which_nothing_changes_any_more_is_told_by_a_way_to_it(spec: Spec, exploration: Exploration) -> None:
    plain = plainly(spec, exploration, keep_edges=True)
    wanted = set(plain.parents) - {before for before, after, _ in plain.edges if before != after}
    explorer = begun(spec, exploration)
    found = explorer.run()
    assert len(wanted) == len(found.dead) > 1
    assert {explorer.way(mark)[1] for mark in found.dead} == wanted


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize(
    ("spec", "exploration"),
    [(RING, Exploration({"stations": 3, "parcels": 2})), (BELLS, BELLS.explorations["one bell"])],
    ids=["ring", "bells"],
)
def test_a_shortest_way_leads_to_every_state(spec: Spec, exploration: Exploration, symmetry: bool) -> None:
    plain, explorer = plainly(spec, exploration), begun(spec, exploration, symmetry=symmetry)
    found = explorer.run()
    ends = set()
    for mark in (int(mark) for marks, _ in explorer.seen.items() for mark in marks):
        way, vector = explorer.way(mark)
        assert run(explorer.model, [*found.opening, *way]) == vector
        assert len(way) == plain.depth_of[vector]
        assert explorer.mark_of(vector) == mark
        ends.add(vector)
    assert len(ends) == found.states
    assert symmetry or ends == set(plain.parents)


SOME = one_in(2, WRONG)


@pytest.mark.parametrize(("spec", "exploration", "statement"), SOME, ids=[f"{name}-{e.opening}" for _, e, name in SOME])
def test_a_violation_comes_with_a_shortest_trace_that_replays(spec: Spec, exploration: Exploration, statement: str) -> None:
    plain = plainly(spec, exploration)
    for symmetry in (False, True):
        found = begun(spec, exploration, symmetry=symmetry).run()
        assert statement in {violation.statement.name for violation in found.violations}
        assert {violation.statement.name for violation in plain.violations} & {v.statement.name for v in found.violations}
        for violation in found.violations:
            assert_breaks(violation, found)
            assert len(violation.trace) == len(plain.violations[0].trace)


@pytest.mark.parametrize("symmetry", [False, True])
def test_a_text_that_makes_no_sense_is_found_by_a_shortest_trace_to_the_call_in_which_it_makes_none(symmetry: bool) -> None:
    spec = planted(RING, "make", 'require(parcel != none, "FULL")')
    found = begun(spec, Exploration({"stations": 3, "parcels": 2, "most": 3}), symmetry=symmetry).run()
    (violation,) = found.violations
    assert violation.statement.name == WELL_DEFINED
    assert [name for name, _ in violation.trace] == ["make", "make", "make"]
    with pytest.raises(SpecError, match="a map is never written at none"):
        run(found.model, violation.trace)


def test_it_goes_beyond_no_state_that_is_broken() -> None:
    found = begun(KEEPS, KEEPS.explorations["small"]).run(stop_at_violation=False)
    plain = plainly(KEEPS, KEEPS.explorations["small"], stop_at_violation=False)
    assert found.finished
    assert (found.states, found.transitions, found.clauses) == (len(plain.parents), plain.transitions, plain.clauses)


@pytest.mark.parametrize(
    ("spec", "exploration"),
    [(OFF_BY_ONE, core(2, 2, 2, 1)), (KEEPS, KEEPS.explorations["small"])],
    ids=["queue_bound", "one_token"],
)
def test_a_search_that_does_not_stop_at_a_violation_tells_of_the_shortest(spec: Spec, exploration: Exploration) -> None:
    explorer = begun(spec, exploration)
    found = explorer.run(stop_at_violation=False)
    assert len({broken.depth for broken in explorer.broken}) > 1
    assert figures(found)["violations"] == figures(begun(spec, exploration).run())["violations"] != []
