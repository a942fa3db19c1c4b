"""A search that is stopped, interrupted, stored, or shared by processes comes to what one comes to that is not."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from bells import BELLS
from searching import (
    CORE,
    FORGETS_TO_UNMAP,
    OFF_BY_ONE,
    SHARED,
    WHOLE,
    again_and_again,
    assert_breaks,
    begun,
    core,
    counted,
    figures,
    in_chunks,
    plainly,
    share_levels,
)

from oneowner.model.batch import layout
from oneowner.model.language import Exploration, Spec, SpecError, load
from oneowner.model.search import Limits, Search, Store, seen, table
from oneowner.spec import SPEC

pytestmark = pytest.mark.both_readings


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
        explorer = begun(CORE, WHOLE, keep_edges=True)
        found = again_and_again(explorer, limits, "time")
        edges = [edge for e in found.edges for edge in zip(e.before.tolist(), e.after.tolist(), e.call.tolist(), strict=True)]
        depths = explorer.numbered()[1].tolist()
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


@pytest.mark.batch_reading
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
        assert explorer.run(Limits(states=states, level=1 << 7), progress=look).stopped == "states"
    assert figures(explorer.run(Limits(level=1 << 7), progress=look)) == figures(begun(CORE, WHOLE).run())
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
        with Store(tmp_path) as store:
            stored.save(store)
        stored = begun(spec, exploration)
        with Store(tmp_path) as store:
            stored.load(store)
    assert figures(stored.run()) == figures(begun(spec, exploration).run())
    other = begun(spec, core(2, 2, 2, 2))
    with Store(tmp_path) as store, pytest.raises(SpecError, match="of another specification, scope"):
        other.load(store)


@pytest.mark.usefixtures("small_chunks")
def test_nothing_is_put_together_to_be_stored_that_was_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A level that lies in files because memory is scarce has no room in memory when it is saved, or read."""
    monkeypatch.setattr(seen, "AT_ONCE", 64)
    monkeypatch.setattr(table, "AT_ONCE", 512)
    stored = begun(CORE, core(2, 2, 3, 2))
    stored.run(Limits(states=2000, level=0))
    largest, save = [], np.save
    monkeypatch.setattr(np, "save", lambda file, data: (largest.append(data.nbytes), save(file, data))[1])
    with Store(tmp_path) as store:
        stored.save(store)
        whole = sum(largest)
        assert max(largest) < whole / 8
        largest.clear()
        again = begun(CORE, core(2, 2, 3, 2))
        again.load(store)
    assert max(largest) < whole / 8
    assert again.todo.bytes == again.following.bytes == 0
    assert figures(again.run()) == figures(begun(CORE, core(2, 2, 3, 2)).run())


class Killed(BaseException):
    """What ends a process in the middle of something."""


@pytest.mark.parametrize("ends", [Killed(), OSError(28, "No space left on device")], ids=["killed", "disk full"])
def test_whatever_ends_a_save_the_search_that_was_stored_before_is_still_there(
    ends: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exploration = core(2, 2, 2, 1)
    first, second = begun(CORE, exploration), begun(CORE, exploration)
    first.run(Limits(states=50))
    second.run(Limits(states=150))
    with Store(tmp_path) as store:
        first.save(store)
    whole, ended = os.fsync, 0
    for steps in itertools.count():
        left = steps

        def sync(file: int) -> None:
            nonlocal left
            if left == 0:
                raise ends
            left -= 1
            whole(file)

        monkeypatch.setattr(os, "fsync", sync)
        with Store(tmp_path) as store:
            try:
                second.save(store)
            except (Killed, SpecError):
                ended += 1
            else:
                break
        monkeypatch.setattr(os, "fsync", whole)
        again = begun(CORE, exploration)
        with Store(tmp_path) as store:
            again.load(store)
        assert again.seen.count in (first.seen.count, second.seen.count)
        if again.seen.count == second.seen.count:
            break  # it was named already
    assert ended >= 6
    again = begun(CORE, exploration)
    with Store(tmp_path) as store:
        again.load(store)
    assert again.seen.count == second.seen.count
    assert figures(again.run()) == figures(begun(CORE, exploration).run())


def test_two_searches_cannot_be_kept_in_one_place_at_a_time(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(SpecError, match="another search is being kept there"), Store(tmp_path):
        pass


def test_a_search_that_was_stored_with_other_fingerprints_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = begun(CORE, core(2, 2, 2, 1))
    stored.run(Limits(states=50))
    with Store(tmp_path) as store:
        stored.save(store)
        begun(CORE, core(2, 2, 2, 1)).load(store)
    read, seed = Path.read_text, "20260"
    assert seed in inspect.getsource(layout)
    monkeypatch.setattr(Path, "read_text", lambda path, **how: read(path, **how).replace(seed, "20270"))
    with Store(tmp_path) as store, pytest.raises(SpecError, match="by another version"):
        begun(CORE, core(2, 2, 2, 1)).load(store)


@pytest.mark.parametrize(("spec", "exploration", "symmetry", "worth"), SHARED, ids=["core", "core, symmetry", "a bug", "bells"])
def test_two_threads_find_what_one_does(
    spec: Spec, exploration: Exploration, symmetry: bool, worth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_chunks(worth, monkeypatch)
    one = begun(spec, exploration, symmetry=symmetry).run()
    two = begun(spec, exploration, symmetry=symmetry, jobs=2)
    assert figures(two.run()) == figures(one)
    for violation in two.search.violations:
        assert_breaks(violation, two.search)


@pytest.mark.batch_reading
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


def test_two_processes_that_are_stopped_go_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    share_levels(100, monkeypatch)
    explorer = begun(CORE, core(2, 2, 3, 2), jobs=2)
    found = explorer.run(Limits(states=2_000))
    assert (found.stopped, found.complete) == ("states", False)
    assert figures(explorer.run()) == figures(begun(CORE, core(2, 2, 3, 2)).run())


@pytest.mark.batch_reading
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


@pytest.mark.batch_reading
def test_a_spec_that_is_nowhere_is_searched_by_one_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    share_levels(1, monkeypatch)
    shared = counted(monkeypatch)
    assert begun(dataclasses.replace(CORE, where=""), core(2, 2, 2, 1), jobs=2).run().states == 313
    assert not shared
