"""The search in C where it is not as the one in the batch reading: what is built and kept, when it is gone over to, threads."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bells import BELLS
from command import run
from kiosk import KIOSK
from searching import CORE, WHOLE, core, figures
from states import random_vector
from test_symmetry import canonical, close, random_renaming, renamed
from token_ring import RING

from oneowner.checker.command_line import main
from oneowner.checker.explore import Asked, explore_scope
from oneowner.model.batch import Layout
from oneowner.model.compiled import Building, building, kept_in
from oneowner.model.concrete import Model
from oneowner.model.language import Exploration, Spec, SpecError
from oneowner.model.search import (
    COMPILED,
    CompiledExplorer,
    Explorer,
    Limits,
    Search,
    Store,
    Symmetry,
    Table,
    explored_of,
    readings,
)
from oneowner.spec import SPEC

MIDDLING = core(2, 2, 3, 2)


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Libraries are kept in a folder of the test's own, and built quickly."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(building, "LEVELS", ((1 << 62, "-O0"),))
    return kept_in()


@pytest.mark.parametrize(
    ("spec", "sizes"),
    [
        (RING, {"stations": 4, "parcels": 3}),
        (BELLS, {"listeners": 3, "bells": 2, "letters": 2}),
        (CORE, {"partitions": 2, "regions": 3, "ports": 3}),
    ],
    ids=["ring", "bells", "core"],
)
def test_two_states_have_one_name_exactly_if_they_have_one_canonical_form(spec: Spec, sizes: dict[str, int]) -> None:
    model, chance = Model(spec, sizes), random.Random(11)
    symmetry, explorer = Symmetry(Layout(model)), CompiledExplorer(model, symmetry=True)
    assert all(field.word >= 0 for field in explorer.packing.fields.values())
    vectors = close(model, chance, 200)
    vectors += [renamed(model, vector, random_renaming(symmetry, chance)) for vector in vectors]
    pairs = set(zip(canonical(symmetry, vectors), map(explorer.mark_of, vectors), strict=True))
    assert len(pairs) == len({form for form, _ in pairs}) == len({mark for _, mark in pairs})
    assert len(pairs) < 0.6 * len(vectors)


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize("name", ["limits", "resources", "shared memory"])
def test_a_state_that_is_packed_and_unpacked_is_the_same_and_as_the_batch_reading_has_it(name: str, symmetry: bool) -> None:
    explorer = CompiledExplorer.of(SPEC, SPEC.explorations[name], symmetry=symmetry, statements=())
    packing, layout, model, chance = explorer.packing, explorer.expander.layout, explorer.model, random.Random(3)
    moving = {field.position for field in packing.moving}
    for _ in range(20):
        drawn = random_vector(model, chance, explorer.beginning, 0.3)
        vector = tuple(part if n in moving else explorer.beginning[n] for n, part in enumerate(drawn))
        outputs = [n for n, component in enumerate(model.components) if component.kind == "output"]
        vector = tuple(model.blank()[n] if n in outputs else part for n, part in enumerate(vector))
        words = packing.packed(vector)
        assert packing.unpacked(words) == vector
        cells = packing.cells(layout, np.array([words], np.uint64))
        assert cells.tolist() == layout.block([vector]).data.tolist()


def test_how_many_states_may_have_been_taken_for_another_is_known_unless_a_state_is_its_own_fingerprint() -> None:
    one_word = Exploration({"stations": 3, "parcels": 2})
    for explorer, exact in (
        (CompiledExplorer.of(RING, one_word), True),
        (CompiledExplorer.of(RING, one_word, symmetry=True), False),
        (Explorer.of(RING, one_word), False),
    ):
        found = explorer.run()
        assert found.taken_for_another == (0.0 if exact else found.states**2 / 2**65)


def test_what_was_built_is_kept_by_what_it_says(nothing_kept: Path) -> None:
    def built() -> list[str]:
        return sorted(path.name for path in nothing_kept.glob("*"))

    CompiledExplorer.of(CORE, WHOLE)
    first = built()
    assert len(first) == 1
    CompiledExplorer.of(CORE, WHOLE)
    assert built() == first
    CompiledExplorer.of(CORE, MIDDLING)
    assert len(built()) == 2


@pytest.mark.parametrize("symmetry", [False, True])
def test_one_library_serves_all_searches_of_a_scope(symmetry: bool, nothing_kept: Path) -> None:
    exploration, everything = KIOSK.explorations["three people"], Asked(deadlock=True, can_return=True, leads_to=True)
    report = explore_scope(KIOSK, "scope", exploration, asked=everything, symmetry=symmetry, reading=COMPILED)
    assert set(report.asked) == {"no_deadlock", "can_return", *KIOSK.leads_to}
    assert len(list(nothing_kept.glob("*"))) == 1


def test_a_search_that_leaves_names_alone_and_judges_nothing_finds_the_same_in_the_library_of_another(nothing_kept: Path) -> None:
    sizes = Exploration({"listeners": 3, "bells": 2, "letters": 2})
    CompiledExplorer.of(BELLS, sizes, symmetry=True, keep_edges=True).run()
    for kind in BELLS.sorts:
        for element in (1, 2):
            options: Any = {"statements": (), "symmetry": True, "fixed": {kind: [element]}, "keep_edges": True}
            found = CompiledExplorer.of(BELLS, sizes, **options).run()
            assert figures(found) | {"dead": 0} == figures(Explorer.of(BELLS, sizes, **options).run()) | {"dead": 0}
    assert len(list(nothing_kept.glob("*"))) == 1


def test_with_one_job_a_search_waits_for_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "PRINTING", 0.0)
    monkeypatch.setattr(readings, "WORTH_BUILDING", 0.0)
    explorer = explored_of(CORE, core(2, 2, 4, 2))
    assert (explorer.reading, explorer.search.states) == ("compiled", 80009)
    stopped = explored_of(CORE, core(2, 2, 4, 1), Limits(seconds=0.001))
    assert stopped.search.stopped == "time"


def test_of_what_is_kept_the_oldest_goes(nothing_kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "MOST_KEPT", 2)
    for number in range(4):
        Building(f"int number(void) {{ return {number}; }}").library()
        os.utime(max(nothing_kept.glob("*.so"), key=os.path.getmtime), (number, number))
    assert len(list(nothing_kept.glob("*"))) == 2


def test_where_nothing_can_be_kept_it_is_built_all_the_same(nothing_kept: Path) -> None:
    nothing_kept.parent.mkdir(exist_ok=True)
    nothing_kept.write_text("a file where the folder should be")
    assert Building("int number(void) { return 7; }").library().number() == 7


def test_what_the_compiler_does_not_take_is_told() -> None:
    with pytest.raises(SpecError, match=r"does not take what was printed: [\s\S]*error"):
        Building("int number(void) { return seven; }").library()


def test_building_that_is_stopped_leaves_nothing_behind(nothing_kept: Path) -> None:
    stopped = Building("int number(void) { return 7; }")
    stopped.start()
    scratch = stopped._scratch
    assert scratch is not None
    stopped.stop()
    assert not Path(scratch.name).exists()
    assert not nothing_kept.exists()


def test_a_search_that_is_soon_done_stays_in_the_batch_reading(nothing_kept: Path) -> None:
    assert explored_of(CORE, core(2, 2, 2, 1)).reading == "batch"
    assert not nothing_kept.exists()


def test_a_search_that_takes_longer_goes_over_to_a_library_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "PRINTING", 0.0)
    CompiledExplorer.of(CORE, MIDDLING)
    explorer = explored_of(CORE, MIDDLING)
    assert (explorer.reading, explorer.slower) == ("compiled", "")
    assert figures(explorer.search) == figures(Explorer.of(CORE, MIDDLING).run())


def test_one_is_built_while_the_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "PRINTING", 0.0)
    monkeypatch.setattr(readings, "WORTH_BUILDING", 0.0)
    monkeypatch.setattr(readings, "ASKED", 0.01)
    told: list[int] = []
    explorer = explored_of(CORE, core(2, 2, 4, 2), progress=lambda search: told.append(search.states), jobs=2)
    assert (explorer.reading, explorer.search.states) == ("compiled", 80009)
    assert told.index(max(told)) > told.index(min(told))
    limited = explored_of(CORE, core(2, 2, 4, 2), Limits(states=10_000))
    assert limited.search.stopped == "states"


def test_without_a_compiler_the_batch_reading_serves_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # what another test built would be found there
    monkeypatch.setattr(readings, "PRINTING", 0.0)
    monkeypatch.setattr(readings, "WORTH_BUILDING", 0.0)
    scope = ("--spec", "core:CORE", "--scope", "partitions=2,regions=2,ports=4,depth=2", "--max-states", "10000")
    with pytest.raises(SystemExit) as ended:
        main(["explore", *scope, "--jobs", "1"])
    assert ended.value.code == 3
    assert capsys.readouterr().err.count("there is no C compiler") == 1
    told = run("explore", "--reading", "compiled", "--name", "messages", "--jobs", "1")
    assert told.code == 2
    assert "no C compiler" in told.err


def test_a_scope_for_which_the_compiled_reading_has_no_room_is_searched_in_the_other() -> None:
    large = Exploration({"stations": 70, "parcels": 1})
    with pytest.raises(SpecError, match="room for 63 stations"):
        CompiledExplorer.of(RING, large)
    explorer = explored_of(RING, large, Limits(states=300))
    assert explorer.reading == "batch"


def test_a_stored_search_is_gone_on_with_in_its_own_reading(tmp_path: Path) -> None:
    for name in readings.READINGS[1:]:
        with Store(tmp_path / name) as store:
            explorer = explored_of(CORE, MIDDLING, Limits(states=1000), reading=name, store=store)
            explorer.save(store)
            again = explored_of(CORE, MIDDLING, store=store)
        assert again.reading == name
        assert figures(again.search) == figures(Explorer.of(CORE, MIDDLING).run())


def test_a_table_that_grows_loses_nothing_and_knows_whose_child_each_is() -> None:
    explorer = CompiledExplorer.of(CORE, WHOLE)
    table, chance = Table(explorer.library, 1 << 6), np.random.default_rng(5)
    keys = np.unique(chance.integers(1, 2**63, 3000, np.uint64) * np.uint64(2) + np.uint64(1))
    parents = np.roll(keys, 1)
    for begin in range(0, len(keys), 40):
        places = table.room_for(40)
        if places != table.places:
            table.grow(places)
        table.add(keys[begin : begin + 40], parents[begin : begin + 40] >> np.uint64(32))
    assert table.count == len(keys)
    found = {key: parent for some, of in table.items() for key, parent in zip(some.tolist(), of.tolist(), strict=True)}
    assert found == {key: parent >> 32 for key, parent in zip(keys.tolist(), parents.tolist(), strict=True)}
    for key, parent in zip(keys.tolist(), parents.tolist(), strict=True):
        assert parent in table.parents_of(key)
    with pytest.raises(KeyError):
        table.parents_of(2)


def test_states_whose_parents_look_alike_are_told_apart_by_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = CompiledExplorer.of(RING, Exploration({"stations": 3, "parcels": 2}))
    explorer.run()
    every = [int(mark) for marks, _ in explorer.seen.items() for mark in marks]
    whole = explorer.seen.parents_of
    monkeypatch.setattr(explorer.seen, "parents_of", lambda mark: [*every[:3], *whole(mark)])
    for mark in every[::7]:
        assert explorer.mark_of(explorer.way(mark)[1]) == mark


def test_an_interruption_stops_the_threads_and_loses_nothing() -> None:
    explorer = CompiledExplorer.of(CORE, core(3, 3, 3, 2), jobs=2)
    told: list[int] = []

    def interrupt(search: Search) -> None:
        told.append(search.states)
        if len(told) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    found = explorer.run(progress=interrupt)
    assert (found.stopped, found.complete) == ("interrupted", False)
    again = explorer.run()
    one = CompiledExplorer.of(CORE, core(3, 3, 3, 2)).run()
    assert figures(again) == figures(one)


def test_progress_is_told_while_it_goes_on() -> None:
    told: list[Search] = []
    CompiledExplorer.of(CORE, core(2, 2, 4, 2)).run(progress=lambda search: told.append(search.states))  # type: ignore[arg-type]
    assert len(told) > 5
    assert told == sorted(told)  # type: ignore[type-var]


def test_a_scope_can_be_explored_in_a_reading_that_is_named() -> None:
    shown = [run("explore", "--name", "binding", "--reading", name, "--format", "json") for name in ("batch", COMPILED)]
    told: list[Any] = [{**each.json["scopes"][0], "seconds": 0, "taken_for_another": 0} for each in shown]
    assert told[0] == told[1]
