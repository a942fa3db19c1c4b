"""The search in the batch reading finds what the plain one does: states, ways, violations; also in parts, or in two processes."""

from __future__ import annotations

import dataclasses
import inspect
import multiprocessing
import sys
from pathlib import Path
from typing import Any

import pytest
from bells import BELLS
from planting import changed
from scales import SCALES
from token_ring import KEEPS, NEVER, RING

from oneowner.model.batch import layout, reading
from oneowner.model.concrete import Model
from oneowner.model.graph import Graph, Violation, explore, run
from oneowner.model.language import Exploration, Spec, SpecError, load
from oneowner.model.search import WELL_DEFINED, Explorer, Limits, Pool, Search
from oneowner.model.search import explorer as searching
from oneowner.spec import SPEC
from oneowner.spec.museum import BUGS

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))
CORE, FORGETS_TO_UNMAP, OFF_BY_ONE = load("core:CORE"), load("core:FORGETS_TO_UNMAP"), load("core:OFF_BY_ONE")


def core(partitions: int, regions: int, ports: int, depth: int) -> Exploration:
    """A scope of the core, whole."""
    return Exploration({"partitions": partitions, "regions": regions, "ports": ports, "depth": depth})


def begun(spec: Spec, exploration: Exploration, **options: Any) -> Explorer:
    """A search that has not gone anywhere yet."""
    return Explorer.of(spec, exploration, **options)


def plainly(spec: Spec, exploration: Exploration, **options: Any) -> Graph:
    """The plain search, in the concrete reading."""
    opening = spec.opening(exploration)
    model = Model(spec, exploration.sizes, exploration.arguments)
    return explore(model, without=spec.left_out(exploration), opening=opening, **options)


def figures(found: Search) -> dict[str, Any]:
    """What a search comes to, however it was gone about."""
    names = ("states", "transitions", "depth", "clauses", "cut", "finished", "complete", "stopped")
    violations = sorted((v.statement.name, len(v.trace)) for v in found.violations)
    return {name: getattr(found, name) for name in names} | {"violations": violations, "dead": set(found.dead)}


ROOMS = ("requests", "limits", "no headroom", "processors", "shared memory")
EXPLORED = [(SPEC, name) for name in ROOMS]
EXPLORED += [(spec, name) for spec in (BELLS, RING) for name in spec.explorations]


def assert_same(found: Search, plain: Graph) -> None:
    assert found.states == len(plain.parents)
    assert (found.transitions, found.depth, found.cut) == (plain.transitions, plain.depth, plain.cut)
    assert found.clauses == plain.clauses
    assert (found.finished, found.complete) == (plain.finished, plain.complete)


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


COUNTED = [
    ((2, 2, 4, 1), False, 67881),
    ((2, 2, 4, 2), False, 80009),
    ((2, 2, 4, 1), True, 957),
    ((2, 2, 4, 2), True, 1103),
    ((3, 3, 4, 2), True, 8141),
]


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


MESSAGES_RUN_OUT = Exploration(
    {"partitions": 3, "receivers": 2, "ports": 2, "messages": 2, "regions": 1, "queue_depth": 3},
    only=("send", "allocate"),
    opening="a channel stands",
)


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
        _, marks = explorer.expander.fingerprints(explorer.expander.layout.block([vector]).data)
        assert marks.tolist() == [mark]
        ends.add(vector)
    assert len(ends) == found.states
    assert symmetry or ends == set(plain.parents)


def assert_breaks(violation: Violation, found: Search) -> None:
    """The trace of a violation replays in the concrete reading, its end breaks what is said, and nothing before it does."""
    model = found.model
    vector = model.initial()
    broken = {s.name: binding for s, binding in model.violations(None, None, {}, vector)}
    for at, (name, arguments) in enumerate(violation.trace):
        assert not broken or at < len(found.opening)
        before, action = vector, model.spec.actions[name]
        outcome = model.step(action, before, arguments)
        assert outcome.effective
        broken = {s.name: binding for s, binding in model.violations(before, action, arguments, outcome.shown)}
        vector = outcome.state
    assert broken[violation.statement.name] == violation.binding


def planted(spec: Spec, operation: str, old: str) -> Spec:
    return spec.replace(**{operation: changed(spec.actions[operation].function, old)})


SILENT = planted(BELLS, "take_down", "tower.woken.where(lambda listener: before.listens[listener, bell], GONE)")
DEAF = planted(BELLS, "take_down", "tower.listens.where(lambda listener, other: before.listens[listener, bell], False)")

WRONG = [
    (KEEPS, KEEPS.explorations["small"], "one_token"),
    (FORGETS_TO_UNMAP, core(2, 2, 2, 2), "exclusive_mapping"),
    (OFF_BY_ONE, core(2, 2, 2, 1), "queue_bound"),
    (DEAF, BELLS.explorations["two bells"], "no_missed_ring"),
    (SILENT, BELLS.explorations["two bells"], "waiting_until_answered"),
    (SILENT, BELLS.explorations["one bell"], "waiting_until_answered"),
    (BUGS["processors_outlive"].spec, SPEC.explorations["processors"], "processors_run_in_the_living"),
    (BUGS["dead_senders_charge"].spec, SPEC.explorations["requests"], "charge_exact"),
    (BUGS["limit_ignored"].spec, SPEC.explorations["limits"], "limit_respected"),
    (BUGS["unmap_failure_ignored"].spec, SPEC.explorations["limits"], "exclusive_mapping"),
    (BUGS["event_before_attach_lost"].spec, SPEC.explorations["requests"], "no_lost_signal"),
    (BUGS["bind_clobbers"].spec, SPEC.explorations["binding"], "bind_keeps_the_holder"),
]


@pytest.mark.parametrize(("spec", "exploration", "statement"), WRONG, ids=[f"{name}-{e.opening}" for _, e, name in WRONG])
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


def share_levels(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels of so many states are shared out to processes, however soon they are expanded."""
    monkeypatch.setattr(searching, "WORTH_SHARING", size)
    monkeypatch.setattr(searching, "WORTH_STARTING", 0.0)


def in_chunks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many states are expanded at once."""
    monkeypatch.setattr(searching, "CELLS", 0)
    monkeypatch.setattr(searching, "FEWEST", size)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level is expanded in several pieces, so that a limit falls into it."""
    in_chunks(16, monkeypatch)


WHOLE = core(2, 2, 2, 2)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize("states", [1, 100, 360, 361])
def test_a_limit_on_states_stops_it_and_it_goes_on_from_there(states: int, symmetry: bool) -> None:
    whole = begun(CORE, WHOLE, symmetry=symmetry).run()
    explorer = begun(CORE, WHOLE, symmetry=symmetry)
    found = explorer.run(Limits(states=states))
    if states <= whole.states:
        assert (found.stopped, found.complete) == ("states", False)
        assert states <= found.states <= whole.states
    assert figures(explorer.run()) == figures(whole)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("spec", [CORE, FORGETS_TO_UNMAP])
def test_a_limit_on_depth_stops_it_and_it_goes_on_from_there(spec: Spec) -> None:
    whole, explorer = begun(spec, WHOLE).run(), begun(spec, WHOLE)
    for depth in range(whole.depth):
        found = explorer.run(Limits(depth=depth))
        assert (found.stopped, found.complete, found.depth) == ("depth", False, depth)
        if spec is CORE:
            assert found.states == len(plainly(CORE, WHOLE, max_depth=depth).parents)
    assert figures(explorer.run()) == figures(whole)


def again_and_again(explorer: Explorer, limits: Limits, stopped: str) -> Search:
    """The search, called until it is finished; how often it stops is bounded."""
    for _ in range(1000):
        found = explorer.run(limits)
        if found.finished:
            return found
        assert (found.stopped, found.complete) == (stopped, False)
    raise AssertionError("it comes to no end")


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize(
    ("spec", "exploration"), [(CORE, WHOLE), (BELLS, BELLS.explorations["two bells"])], ids=["core", "bells"]
)
def test_a_search_of_many_short_times_comes_to_what_one_does(spec: Spec, exploration: Exploration, symmetry: bool) -> None:
    whole = begun(spec, exploration, symmetry=symmetry).run()
    explorer = begun(spec, exploration, symmetry=symmetry)
    assert figures(again_and_again(explorer, Limits(seconds=0), "time")) == figures(whole)
    assert explorer.search.seconds > 0


@pytest.mark.usefixtures("small_chunks")
def test_transitions_are_kept_once_by_a_search_that_is_stopped_and_goes_on() -> None:
    kept = []
    for limits in (Limits(), Limits(seconds=0)):
        found = again_and_again(begun(CORE, WHOLE, keep_edges=True), limits, "time")
        edges = [edge for e in found.edges for edge in zip(e.before.tolist(), e.after.tolist(), e.call.tolist(), strict=True)]
        depths = [depth for data, depth in zip(found.kept, found.kept_at, strict=True) for _ in range(data.shape[1])]
        kept.append((sorted(edges), sorted(depths)))
        assert len(depths) == found.states
    assert kept[0] == kept[1]
    plain = plainly(CORE, WHOLE, keep_edges=True)
    assert len(kept[0][0]) == sum(before != after for before, after, _ in plain.edges)
    assert kept[0][1] == sorted(plain.depth_of.values())


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupted_search_goes_on_from_there() -> None:
    def interrupt(found: Search) -> None:
        if found.states > 100:
            raise KeyboardInterrupt

    explorer = begun(CORE, WHOLE)
    found = explorer.run(progress=interrupt)
    assert (found.stopped, found.complete) == ("interrupted", False)
    assert 100 < found.states < 361
    assert figures(explorer.run()) == figures(begun(CORE, WHOLE).run())


@pytest.mark.usefixtures("small_chunks")
def test_states_that_were_being_expanded_when_it_was_interrupted_are_expanded_then(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    explorer = begun(CORE, WHOLE)
    explorer.run(Limits(states=100))
    with monkeypatch.context() as patch:
        patch.setattr(explorer.expander, "expand", interrupt)
        assert explorer.run().stopped == "interrupted"
    assert figures(explorer.run()) == figures(begun(CORE, WHOLE).run())


@pytest.mark.parametrize("chunk", [1 << 8, 1 << 14])
def test_a_limit_on_memory_is_never_called_complete(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    in_chunks(chunk, monkeypatch)
    explorer = begun(CORE, core(2, 2, 3, 2))
    for _ in range(5):
        found = explorer.run(Limits(memory=1 << 17))
        assert (found.stopped, found.finished, found.complete) == ("memory", False, False)


@pytest.mark.parametrize("chunk", [1 << 8, 1 << 14])
def test_a_search_that_was_out_of_memory_goes_on_when_it_has_more(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    in_chunks(chunk, monkeypatch)
    explorer = begun(CORE, core(2, 2, 3, 2))
    explorer.run(Limits(memory=1 << 17))
    assert figures(explorer.run()) == figures(begun(CORE, core(2, 2, 3, 2)).run())


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("stops", [[], [20, 100, 300]])
def test_a_search_that_keeps_its_levels_in_files_finds_the_same(stops: list[int]) -> None:
    in_files = 0

    def look(_: Search) -> None:
        nonlocal in_files
        in_files += len(list(explorer._folder.glob("*.npy"))) if explorer._folder else 0

    explorer = begun(CORE, WHOLE)
    for states in stops:
        assert explorer.run(Limits(states=states, memory=1 << 10), progress=look).stopped == "states"
    assert figures(explorer.run(Limits(memory=1 << 10), progress=look)) == figures(begun(CORE, WHOLE).run())
    assert in_files


def test_a_search_that_goes_on_after_a_violation_finds_no_longer_one_shorter() -> None:
    explorer = begun(OFF_BY_ONE, core(2, 2, 2, 1))
    first = figures(explorer.run())
    again = figures(explorer.run(stop_at_violation=False))
    assert again["violations"] == first["violations"]
    assert again == figures(begun(OFF_BY_ONE, core(2, 2, 2, 1)).run(stop_at_violation=False))


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("spec", [CORE, OFF_BY_ONE])
def test_a_stored_search_goes_on_as_if_it_had_never_stopped(spec: Spec, tmp_path: Path) -> None:
    exploration, stored = core(2, 2, 2, 1), begun(spec, core(2, 2, 2, 1))
    for states in (50, 100, 150):
        stored.run(Limits(states=states))
        stored.save(tmp_path)
        stored = begun(spec, exploration)
        stored.load(tmp_path)
    assert figures(stored.run()) == figures(begun(spec, exploration).run())
    other = begun(spec, core(2, 2, 2, 2))
    with pytest.raises(SpecError, match="of another specification, scope"):
        other.load(tmp_path)


def test_a_search_that_was_stored_with_other_fingerprints_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = begun(CORE, core(2, 2, 2, 1))
    stored.run(Limits(states=50))
    stored.save(tmp_path)
    begun(CORE, core(2, 2, 2, 1)).load(tmp_path)
    read, seed = Path.read_text, "20260"
    assert seed in inspect.getsource(layout)
    monkeypatch.setattr(Path, "read_text", lambda path, **how: read(path, **how).replace(seed, "20270"))
    with pytest.raises(SpecError, match="by another version"):
        begun(CORE, core(2, 2, 2, 1)).load(tmp_path)


SHARED = [
    (CORE, core(2, 2, 3, 2), False, 200),
    (CORE, core(2, 2, 4, 2), True, 100),
    (OFF_BY_ONE, core(2, 2, 3, 1), False, 200),
    (load("bells:BELLS"), BELLS.explorations["two bells"], False, 20),
]


@pytest.mark.parametrize(("spec", "exploration", "symmetry", "worth"), SHARED, ids=["core", "core, symmetry", "a bug", "bells"])
def test_two_processes_find_what_one_does(
    spec: Spec, exploration: Exploration, symmetry: bool, worth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_levels(worth, monkeypatch)
    shared = counted(monkeypatch)
    one = begun(spec, exploration, symmetry=symmetry).run()
    assert not shared
    two = begun(spec, exploration, symmetry=symmetry, jobs=2)
    assert figures(two.run()) == figures(one)
    assert len(shared) > 1
    for violation in two.search.violations:
        assert_breaks(violation, two.search)


def test_two_processes_find_a_step_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    share_levels(8, monkeypatch)
    spec, exploration = load("oneowner.spec.museum.bugs:event_before_attach_lost"), SPEC.explorations["requests"]
    found = begun(spec, exploration, jobs=2).run()
    assert figures(found)["violations"] == [("no_lost_signal", 5)]
    assert_breaks(found.violations[0], found)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many states the levels have that are shared out, as they are."""
    shared: list[int] = []
    expanded = Pool.expanded
    monkeypatch.setattr(Pool, "expanded", lambda pool, level, *rest: shared.append(level.size) or expanded(pool, level, *rest))
    return shared


def test_two_processes_that_are_stopped_go_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    share_levels(100, monkeypatch)
    explorer = begun(CORE, core(2, 2, 3, 2), jobs=2)
    found = explorer.run(Limits(states=2_000))
    assert (found.stopped, found.complete) == ("states", False)
    assert figures(explorer.run()) == figures(begun(CORE, core(2, 2, 3, 2)).run())


def test_a_search_whose_process_died_says_so_and_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    share_levels(100, monkeypatch)
    explorer = begun(CORE, core(2, 2, 3, 2), jobs=2)

    def kill(_: Search) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    found = explorer.run(progress=kill)
    assert found.stopped.startswith("a process that died")
    assert not found.complete
    assert figures(explorer.run()) == figures(begun(CORE, core(2, 2, 3, 2)).run())


def test_a_spec_that_is_nowhere_is_searched_by_one_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    share_levels(1, monkeypatch)
    shared = counted(monkeypatch)
    assert begun(dataclasses.replace(CORE, where=""), core(2, 2, 2, 1), jobs=2).run().states == 313
    assert not shared
