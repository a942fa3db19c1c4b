"""The search on a GPU: its kernels on one that is emulated by two threads of the CPU, so that all of it but a launch is tested
everywhere; that nvcc takes them, where it is there; and on a GPU, where there is one."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bells import BELLS
from command import run
from counted import EXPLORED
from sampling import EVERY
from searching import (
    CORE,
    MESSAGES_RUN_OUT,
    OFF_BY_ONE,
    SILENT,
    WHOLE,
    again_and_again,
    assert_breaks,
    core,
    figures,
)
from token_ring import KEEPS, RING

from oneowner.checker.explore import Asked, explore_scope
from oneowner.model.compiled import Outgrown, building, card, nvcc, state_bytes
from oneowner.model.compiled import device as memory_of_device
from oneowner.model.language import Exploration, Spec, SpecError, load
from oneowner.model.search import (
    BATCH,
    CUDA,
    EMULATED,
    CompiledExplorer,
    DeviceExplorer,
    Explorer,
    Limits,
    Search,
    Store,
    explored_of,
)
from oneowner.model.search import device as device_search
from oneowner.spec import SPEC

TWO_BELLS = BELLS.explorations["two bells"]
SMALL_RING = Exploration({"stations": 3, "parcels": 2})
MIDDLING = core(2, 2, 3, 2)
SCOPES = [name for name in EXPLORED if EVERY or name in ("requests", "binding", "shared memory")]


@pytest.fixture(scope="module", autouse=True)
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Libraries are kept for the tests of this file, and built quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(building, "LEVELS", ((1 << 62, "-O0"),))
        yield


def emulated(spec: Spec, exploration: Exploration, **options: Any) -> DeviceExplorer:
    found = DeviceExplorer.of(spec, exploration, device=EMULATED, **options)
    assert isinstance(found, DeviceExplorer)
    return found


@pytest.fixture
def small_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level is expanded in several launches."""
    monkeypatch.setattr(device_search, "AT_ONCE", 16)
    monkeypatch.setattr(device_search, "LONGEST", 0.0)


def without_dead(found: Search) -> dict[str, Any]:
    """What a search comes to, of states without successors how many there are: readings have fingerprints of their own."""
    return figures(found) | {"dead": len(found.dead)}


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize(
    ("spec", "exploration"),
    [(CORE, MIDDLING), (RING, SMALL_RING), (BELLS, TWO_BELLS), (BELLS, BELLS.explorations["one bell"])],
    ids=["core", "ring", "two bells", "one bell"],
)
def test_it_finds_what_the_batch_reading_finds(spec: Spec, exploration: Exploration, symmetry: bool) -> None:
    found = emulated(spec, exploration, symmetry=symmetry).run()
    assert without_dead(found) == without_dead(Explorer.of(spec, exploration, symmetry=symmetry).run())


@pytest.mark.parametrize("name", SCOPES)
def test_a_scope_of_the_whole_system_has_the_states_transitions_and_depth_that_are_counted(name: str) -> None:
    found = emulated(SPEC, SPEC.explorations[name]).run()
    assert (found.states, found.transitions, found.depth, found.complete) == (*EXPLORED[name], True)
    if EVERY:
        for symmetry in (False, True):
            mine = emulated(SPEC, SPEC.explorations[name], symmetry=symmetry).run()
            assert without_dead(mine) == without_dead(Explorer.of(SPEC, SPEC.explorations[name], symmetry=symmetry).run())


@pytest.mark.usefixtures("small_launches")
def test_names_that_run_out_and_states_in_which_nothing_changes_are_told_as_by_threads() -> None:
    explorer = emulated(SPEC, MESSAGES_RUN_OUT)
    found, threads = explorer.run(), CompiledExplorer.of(SPEC, MESSAGES_RUN_OUT).run()
    assert figures(found) == figures(threads)
    assert len(found.dead) > 1
    assert found.cut > 0
    for mark in found.dead[:3]:
        assert explorer.mark_of(explorer.way(mark)[1]) == mark


@pytest.mark.usefixtures("small_launches")
@pytest.mark.parametrize(
    ("spec", "exploration", "statement"),
    [
        (KEEPS, KEEPS.explorations["small"], "one_token"),
        (OFF_BY_ONE, core(2, 2, 2, 1), "queue_bound"),
        (SILENT, TWO_BELLS, "waiting_until_answered"),
    ],
    ids=["ring", "core", "bells"],
)
def test_a_planted_bug_comes_with_a_shortest_trace_that_replays(spec: Spec, exploration: Exploration, statement: str) -> None:
    batch, threads = Explorer.of(spec, exploration).run(), CompiledExplorer.of(spec, exploration).run()
    found = emulated(spec, exploration).run()
    assert statement in {violation.statement.name for violation in found.violations}
    assert figures(found) == figures(threads)
    assert figures(found)["violations"] == figures(batch)["violations"]
    for violation in found.violations:
        assert_breaks(violation, found)


def test_a_way_leads_to_every_state() -> None:
    explorer = emulated(RING, SMALL_RING)
    found = explorer.run()
    every = [int(mark) for marks, _ in explorer.seen.items() for mark in marks]
    assert len(set(every)) == found.states
    for mark in every[::7]:
        assert explorer.mark_of(explorer.way(mark)[1]) == mark
    with pytest.raises(KeyError):
        explorer.seen.parents_of(2)


def test_late_answers_are_told_though_there_is_room_for_one_call_only_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_of_device, "LATE_PLACES", 1)
    explorer = emulated(BELLS, TWO_BELLS)
    found = explorer.run()
    assert found.clauses == Explorer.of(BELLS, TWO_BELLS).run().clauses
    assert explorer._device.work.late_places > 1


@pytest.mark.parametrize("memory", [60_000, 100_000], ids=["levels", "table"])
def test_a_search_that_outgrows_it_stops_and_says_what_a_state_takes_and_threads_go_on(memory: int, tmp_path: Path) -> None:
    threads = CompiledExplorer.of(CORE, MIDDLING).run()
    with Store(tmp_path / "stored") as store:
        explorer = explored_of(CORE, MIDDLING, Limits(memory=memory), device=EMULATED, store=store)
        found = explorer.run()
        assert (found.stopped, found.complete, found.violations) == ("memory", False, [])
        assert 1 < found.states < threads.states
        assert "a state takes 19 of them" in explorer.outgrown
        assert "--symmetry" in explorer.outgrown
        assert found.states <= explorer._device.most
        assert explorer.todo.size + explorer.following.size <= explorer._device.work.room
        explorer.save(store)
        assert figures(explored_of(CORE, MIDDLING, store=store).search) == figures(threads)
        with pytest.raises(SpecError, match="does not fit"):
            explored_of(CORE, MIDDLING, Limits(memory=20_000), device=EMULATED, store=store)


def test_a_launch_is_given_no_more_states_than_there_is_room_for_all_that_they_can_lead_to() -> None:
    explorer = emulated(CORE, MIDDLING, memory=30_000)
    device, most, launched = explorer._device, explorer._printer.most_calls, 0

    def watched(begin: int, count: int, *rest: Any) -> Any:
        nonlocal launched
        launched += 1
        room = min(explorer.seen.room, device.work.room - explorer.todo.size - explorer.following.size)
        assert 0 < count * most <= room
        return expand(begin, count, *rest)

    expand, device.expand = device.expand, watched
    assert explorer.run().stopped == "memory"
    assert launched > explorer.search.depth


def test_a_launch_for_which_there_is_no_memory_stops_the_search_and_loses_nothing() -> None:
    explorer = emulated(CORE, WHOLE)
    device, expand = explorer._device, explorer._device.expand

    def full(*_: Any) -> Any:
        raise Outgrown

    device.expand = full
    assert explorer.run().stopped == "memory"
    device.expand = expand
    assert figures(explorer.run()) == figures(CompiledExplorer.of(CORE, WHOLE).run())


@pytest.mark.usefixtures("small_launches")
def test_a_search_that_threads_began_is_gone_on_with_in_the_middle_of_a_level(tmp_path: Path) -> None:
    with Store(tmp_path / "stored") as store:
        begun = explored_of(CORE, MIDDLING, Limits(states=700), device=EMULATED, store=store)
        assert begun.todo
        assert begun.following
        begun.save(store)
        threads = explored_of(CORE, MIDDLING, Limits(states=2000), store=store)
        assert threads.reading == "compiled"
        threads.save(store)
        found = explored_of(CORE, MIDDLING, device=EMULATED, store=store).search
        assert figures(found) == figures(CompiledExplorer.of(CORE, MIDDLING).run())


def test_one_that_the_batch_reading_began_is_not(tmp_path: Path) -> None:
    with Store(tmp_path / "stored") as store:
        explored_of(CORE, MIDDLING, Limits(states=100), reading=BATCH, store=store).save(store)
        with pytest.raises(SpecError, match="without --device"):
            explored_of(CORE, MIDDLING, device=EMULATED, store=store)


def test_states_that_wait_go_round_in_their_memory() -> None:
    explorer = emulated(CORE, MIDDLING, memory=250_000)
    found = explorer.run()
    assert figures(found) == figures(CompiledExplorer.of(CORE, MIDDLING).run())
    assert explorer.todo.end > explorer._device.work.room


@pytest.mark.usefixtures("small_launches")
def test_an_interruption_stops_it_between_launches_and_loses_nothing() -> None:
    explorer = emulated(CORE, MIDDLING)
    told: list[int] = []

    def once(search: Search) -> None:
        told.append(search.states)
        if len(told) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    found = explorer.run(progress=once)
    assert (found.stopped, found.complete, len(told)) == ("interrupted", False, 5)
    assert figures(explorer.run()) == figures(CompiledExplorer.of(CORE, MIDDLING).run())


@pytest.mark.usefixtures("small_launches")
def test_a_search_of_many_short_times_comes_to_what_one_does() -> None:
    assert figures(again_and_again(emulated(CORE, WHOLE), Limits(seconds=0), "time")) == figures(emulated(CORE, WHOLE).run())


def test_a_launch_is_given_more_states_as_long_as_it_is_soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_search, "AT_ONCE", 1)
    monkeypatch.setattr(device_search, "LONGEST", 1e9)
    explorer, told = emulated(CORE, MIDDLING), []
    explorer.run(progress=lambda search: told.append(search.states))
    assert len(told) < 60
    assert told == sorted(told)


def test_its_memory_is_given_back_when_nobody_has_it_any_more() -> None:
    explorer = emulated(CORE, WHOLE)
    explorer.run()
    memory = weakref.ref(explorer._device)
    del explorer
    assert memory() is None


def test_a_scope_is_explored_on_it_and_deadlocks_are_asked_of_it() -> None:
    given = (SPEC, "requests", SPEC.explorations["requests"])
    one, other = (explore_scope(*given, asked=Asked(deadlock=True), **how) for how in ({"device": EMULATED}, {"reading": BATCH}))
    assert one.asked == other.asked == ("no_deadlock",)
    assert (one.states, one.transitions, one.clauses, one.complete) == (other.states, other.transitions, other.clauses, True)


@pytest.mark.parametrize("options", [("--leads-to",), ("--scope", "partitions=2", "--graph", "a.dot")], ids=["leads to", "graph"])
def test_what_needs_transitions_is_refused_by_name(options: tuple[str, ...]) -> None:
    ran = run("explore", "--device", "cuda", *options)
    assert ran.code == 2
    assert "keeps no transitions" in ran.err


def test_so_is_what_is_asked_of_it_otherwise() -> None:
    with pytest.raises(SpecError, match="keeps no transitions"):
        emulated(CORE, WHOLE, keep_edges=True)
    with pytest.raises(SpecError, match="keeps no transitions"):
        explore_scope(SPEC, "limits", SPEC.explorations["limits"], asked=Asked(can_return=True), device=EMULATED)
    with pytest.raises(SpecError, match="leave out --device, or --reading batch"):
        explored_of(CORE, WHOLE, reading=BATCH, device=EMULATED)


def test_where_there_is_no_gpu_one_sentence_says_what_was_looked_for_and_what_to_do() -> None:
    ran = run("explore", "--device", "cuda", "--name", "limits", env={"CUDA_VISIBLE_DEVICES": ""})
    assert ran.code == 2
    (line,) = ran.err.splitlines()
    assert "libcuda.so.1" in line
    assert line.endswith("or search without --device cuda")


def test_where_there_is_a_gpu_and_no_compiler_for_it_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_of_device, "card", lambda: memory_of_device.Card("a GPU", (9, 0)))
    monkeypatch.setenv("NVCC", os.devnull)
    with pytest.raises(SpecError, match="there is a GPU here, but no compiler for it"):
        DeviceExplorer.of(CORE, WHOLE)


@pytest.mark.skipif(nvcc() is None, reason="nvcc is not on this machine")
def test_nvcc_takes_the_kernels_for_an_old_gpu_and_a_new_one(tmp_path: Path) -> None:
    source = tmp_path / "search.c"
    explorer = Explorer.of(BELLS, TWO_BELLS, symmetry=True)
    source.write_text(CompiledExplorer.printer(explorer).printed(), encoding="utf-8")
    quickly = [flag for flag in memory_of_device.FLAGS if flag != "-O3"] + ["-Xcicc", "-O0", "-Xptxas", "-O0"]
    kinds = ["-gencode", "arch=compute_75,code=compute_75", "-gencode", "arch=compute_90,code=sm_90"]
    command = [str(nvcc()), *quickly, *kinds, "-o", str(tmp_path / "search.so"), str(source)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


def test_the_script_that_measures_a_gpu_knows_what_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = importlib.import_module("card")
    states = Explorer.of(load("core:CORE_ORDERED"), core(2, 2, 2, 1)).run().states
    for known, code in ((states, 0), (states + 1, 1)):
        monkeypatch.setattr(script, "SMALL", [script.Known((2, 2, 2, 1), False, known)])
        monkeypatch.setattr(script, "REPEATS", 1)
        assert script.main(EMULATED) == code
        told = capsys.readouterr().out
        assert ("WRONG" in told) is bool(code)
        assert "| 2, 2, 2, 1 |" in told


def test_the_page_says_how_many_bytes_a_state_takes() -> None:
    script, page = importlib.import_module("card"), (Path(__file__).parent.parent / "docs" / "benchmarks.md").read_text()
    assert script.KEPT.read_text() in page
    assert script.KEPT.read_text().startswith(script.HEAD)

    def told(*sizes: int) -> str:
        explorer = Explorer.of(load("core:CORE_ORDERED"), core(*sizes))
        return f"{state_bytes(CompiledExplorer.printer(explorer).packing.words):.1f}"

    assert f"takes {told(3, 3, 4, 2)} bytes at 3, 3, 4, 2 and {told(3, 4, 4, 2)} at 3, 4, 4, 2 and 2, 4, 6, 2" in page
    assert told(3, 4, 4, 2) == told(2, 4, 6, 2)


def on_a_gpu() -> bool:
    """Whether this machine has a GPU, and a compiler for it."""
    try:
        return bool(card()) and nvcc() is not None
    except SpecError:
        return False


@pytest.mark.skipif(not on_a_gpu(), reason="there is no GPU on this machine, or no nvcc")
@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize(
    ("spec", "exploration"),
    [(CORE, core(2, 2, 4, 2)), (BELLS, TWO_BELLS), (OFF_BY_ONE, core(2, 2, 2, 1))],
    ids=["core", "bells", "bug"],
)
def test_on_a_gpu_it_finds_what_threads_find(spec: Spec, exploration: Exploration, symmetry: bool) -> None:
    found = DeviceExplorer.of(spec, exploration, symmetry=symmetry, device=CUDA, memory=1 << 28).run()
    assert figures(found) == figures(CompiledExplorer.of(spec, exploration, symmetry=symmetry).run())
