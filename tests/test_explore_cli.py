"""`explore` on the command line: limits, searches that are stored and gone on with, graphs as files, what is refused."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import networkx as nx
import pytest
import token_ring
from command import run

from oneowner.checker.explore import explore_all
from oneowner.spec import SPEC

GIGABYTE = 10**9
HERE = {"PYTHONPATH": str(Path(token_ring.__file__).parent)}
SCOPE = ("--scope", "partitions=2,receivers=1,regions=0", "--only", "create_partition,create_receiver,create_port,connect,cancel")


@pytest.mark.parametrize("symmetry", [(), ("--symmetry",)])
def test_a_search_that_is_stopped_and_gone_on_with_comes_to_the_same(tmp_path: Path, symmetry: tuple[str, ...]) -> None:
    whole = run("explore", *SCOPE, *symmetry, "--format", "json", cwd=tmp_path)
    kept = ("--keep", "here", "--format", "json")
    first = run("explore", *SCOPE, *symmetry, *kept, "--max-states", "5", cwd=tmp_path)
    assert (whole.code, first.code) == (0, 3)
    assert first.json["stopped"] == "states"
    assert not first.json["complete"]
    second = run("explore", *SCOPE, *symmetry, *kept, cwd=tmp_path)
    assert second.code == 0
    for what in ("states", "transitions", "depth", "clauses", "complete"):
        assert second.json[what] == whole.json[what]


def test_a_stored_search_of_something_else_is_not_gone_on_with(tmp_path: Path) -> None:
    assert run("explore", *SCOPE, "--keep", "here", "--max-states", "5", cwd=tmp_path).code == 3
    other = run("explore", *SCOPE, "--symmetry", "--keep", "here", cwd=tmp_path)
    assert other.code == 2
    assert "of another specification, scope or set of operations" in other.err


def test_so_it_is_where_only_something_has_changed_that_the_specification_imports(tmp_path: Path) -> None:
    ring = Path(token_ring.__file__).read_text(encoding="utf-8")
    (tmp_path / "own_ring.py").write_text(f"{ring}\nimport own_words\n", encoding="utf-8")
    (tmp_path / "own_words.py").write_text("from own_letters import LETTERS\n", encoding="utf-8")
    (tmp_path / "own_letters.py").write_text("LETTERS = 3\n", encoding="utf-8")
    explore = ("explore", "--spec", "own_ring:RING", "--scope", "stations=2,parcels=2,most=1", "--keep", "here")
    stopped = run(*explore, "--max-states", "5", cwd=tmp_path)
    assert stopped.code == 3, stopped
    (tmp_path / "own_letters.py").write_text("LETTERS = 4\n", encoding="utf-8")
    other = run(*explore, cwd=tmp_path)
    assert other.code == 2
    assert "of another specification, scope or set of operations" in other.err
    (tmp_path / "own_letters.py").write_text("LETTERS = 3\n", encoding="utf-8")
    assert run(*explore, cwd=tmp_path).code == 0


def test_a_stored_search_that_is_damaged_is_refused_by_the_name_of_the_file(tmp_path: Path) -> None:
    assert run("explore", *SCOPE, "--keep", "here", "--max-states", "5", cwd=tmp_path).code == 3
    for name in ("current", "1/search.json", "1/seen.npy", "1/todo.npy", "1/following.npy"):
        path = tmp_path / "here" / name
        whole = path.read_bytes()
        middle = len(whole) // 2
        # of a level that is done nothing is left
        flipped = whole[:middle] + bytes([whole[middle] ^ 64]) + whole[middle + 1 :] if whole else b"nonsense"
        for damaged in (flipped, whole[:-1] or b"x"):
            path.write_bytes(damaged)
            ran = run("explore", *SCOPE, "--keep", "here", cwd=tmp_path)
            assert ran.code == 2, ran
            assert f"here/{name}: " in ran.err
            assert "damaged" in ran.err
        path.write_bytes(whole)
    assert run("explore", *SCOPE, "--keep", "here", cwd=tmp_path).code == 0


def test_limits_of_time_and_memory_are_told_and_end_with_3() -> None:
    timed = run("explore", "--large", "--name", "files", "--time", "0.5")
    assert timed.code == 3
    assert "NOT all reachable states (stopped: time)" in timed.out
    small = run("explore", "--large", "--name", "partitions", "--memory", "0.001")
    assert small.code == 3
    assert "(stopped: memory)" in small.out


def test_memory_is_that_of_the_whole_process() -> None:
    """And a search stops within a tenth of it."""
    arguments = ["explore", "--scope", "partitions=1", "--memory", "0.15", "--jobs", "1", "--reading", "batch"]
    command = [sys.executable, "-m", "oneowner", *arguments]
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            told = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            peak = max([peak, *(int(kilobytes) for kilobytes in re.findall(r"VmHWM:\s+(\d+)", told))])
            time.sleep(0.02)
    assert process.returncode == 3
    assert 0 < peak << 10 < 1.1 * 0.15 * GIGABYTE


def test_a_search_that_takes_long_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("oneowner.checker.explore.scopes.SILENT", 0.0)
    explore_all(SPEC, {"core": SPEC.explorations["messages"]})
    assert re.search(r"core: depth \d+, \d+ states, \d+ of them to be expanded", capsys.readouterr().err)


def test_a_graph_that_meets_a_limit_is_written_as_far_as_it_goes_and_said_not_to_be_whole(tmp_path: Path) -> None:
    ran = run("explore", *SCOPE, "--graph", "part.dot", "--max-states", "5", cwd=tmp_path)
    assert ran.code == 3
    assert "wrote part.dot, which is not the whole graph" in ran.err
    assert (tmp_path / "part.dot").exists()


def test_of_operations_that_were_not_called_nothing_is_told() -> None:
    ran = run("explore", "--scope", "partitions=2,regions=1,files=2", "--only", "allocate,free")
    *_, table = ran.out.partition("clauses, with the calls that come before:")
    assert [line.split()[0] for line in table.splitlines()[1:]] == ["allocate", "free", "not"]
    assert table.endswith("\nnot reached in this scope: free/EBUSY\n")


def test_the_graph_is_written_whole_or_as_the_life_of_a_rooms_things(tmp_path: Path) -> None:
    ran = run("explore", *SCOPE, "--graph", "all.graphml", "--format", "json", cwd=tmp_path)
    graph = nx.read_graphml(tmp_path / "all.graphml")
    assert graph.number_of_nodes() == ran.json["states"]
    assert {told["operation"] for _, _, told in graph.edges(data=True)} <= set(SCOPE[3].split(","))
    assert run("explore", *SCOPE, "--graph", "life.graphml", "--room", "channels", cwd=tmp_path).code == 0
    life = nx.read_graphml(tmp_path / "life.graphml")
    assert set(life.nodes) == {"FREE", "IDLE", "CONNECTING"}
    assert {(a, b, told["operation"]) for a, b, told in life.edges(data=True)} == {
        ("FREE", "IDLE", "create_port"),
        ("IDLE", "CONNECTING", "connect"),
        ("CONNECTING", "IDLE", "cancel"),
    }
    assert run("explore", *SCOPE, "--graph", "life.dot", "--room", "channels", cwd=tmp_path).code == 0
    assert '"IDLE" -> "CONNECTING" [label="connect"];' in (tmp_path / "life.dot").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--keep", "here"], "go with --scope"),
        (["--room", "channels"], "--room goes with --graph"),
        (["--name", "beauty"], "no exploration is called 'beauty'; there are messages"),
        (["--scope", "partitions=2", "--large"], "a scope of your own"),
        ([*SCOPE, "--graph", "picture.png"], "written as .graphml or .dot"),
        ([*SCOPE, "--graph", "life.dot", "--room", "attic"], "no room is called 'attic'"),
        ([*SCOPE, "--keep", "here", "--can-return"], "--keep does not go with --can-return"),
        (["--spec", "token_ring:RING", "--large"], "ring has no large explorations"),
        (["--time", "nan"], "finite numbers"),
        ([*SCOPE, "--memory", "inf"], "finite numbers"),
        ([*SCOPE, "--graph", "nowhere/life.dot"], "there is no folder nowhere"),
        (["--scope", "partitions=300"], "room for at most 255 partitions, not 300"),
        (["--scope", "partitions=2,messages=1000000000"], "messages=1000000000 is too large"),
        (["--scope", f"partitions={'9' * 20}"], "is too large"),
        (["--scope", f"partitions={'9' * 5000}"], "partitions has 5000 digits, which is too large"),
        (["--scope", "partitions=20000,regions=20000"], "cells; at most"),
    ],
)
def test_what_cannot_be_explored_is_one_clear_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    ran = run("explore", *arguments, cwd=tmp_path, env=HERE)
    assert ran.code == 2
    assert says in ran.err
    assert ran.out == ""
