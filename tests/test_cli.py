"""The command line: what it answers, its exit codes, and one clear line for what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import token_ring
from command import run

HERE = {"PYTHONPATH": str(Path(token_ring.__file__).parent)}
RING = ("--spec", "token_ring:RING")
BELLS = ("--spec", "bells:BELLS")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["steal"], 2, "No such command 'steal'"),
        (["prove", "--operation", "steal"], 2, "no operation is called 'steal'"),
        (["prove", "--invariant", "beauty"], 2, "no invariant is called 'beauty'"),
        (["prove", "--spec", "nowhere"], 2, "not of the form module:NAME"),
        (["prove", "--spec", "no.where:SPEC"], 2, "no module 'no'"),
        (["prove", "--spec", "oneowner.spec:NOTHING"], 2, "has no Spec called 'NOTHING'"),
        (["prove", "--spec", "token_ring:BRANCHES"], 2, "write & for and"),
        (["explore", "--scope", "partitions"], 2, "not of the form name=number"),
        (["explore", "--scope", "dragons=1"], 2, "a scope has no 'dragons'"),
        (["explore", "--scope", "partitions=0"], 2, "at least 1"),
        (["explore", "--without", "send"], 2, "go with --scope"),
        (["explore", "--scope", "partitions=1", "--without", "steal"], 2, "no operation is called 'steal'"),
        (["explore", "--only", "send"], 2, "go with --scope"),
        (["explore", "--scope", "partitions=1", "--only", "steal"], 2, "no operation is called 'steal'"),
        (["explore", *BELLS, "--scope", "bells=2", "--after", "noon"], 2, "no opening is called 'noon'; there are two listen"),
        (["explore", *BELLS, "--scope", "bells=2", "--after", "two listen"], 2, "listener=2, which this scope does not have"),
        (["explore", *BELLS], 0, ""),
        (["prove", *BELLS], 0, ""),
        (["fuzz", "py:bells:Silent", *BELLS, "--seed", "1"], 4, "needs settle()"),
        (["fuzz", "py:bells:twice", *BELLS, "--seed", "1"], 1, ""),
        (["explore", "--spec", "token_ring:KEEPS"], 1, ""),
        (["explore", *RING, "--scope", "stations=2", "--max-states", "2"], 3, ""),
        (["fuzz", "py:no.such.thing"], 4, "cannot import"),
        (["fuzz", "py:token_ring:protocol", *RING, "--seed", "1"], 4, "an answer is"),
        (["fuzz", "py:token_ring", *RING, "--time", "1", "--steps", "1"], 3, ""),
        (["fuzz", "--time", "-1"], 2, "Invalid value for '--time'"),
        (["replay", "missing.json"], 2, "missing.json: No such file"),
        (["museum", "dragon"], 2, "no bug is called 'dragon'"),
        (["museum", "--wing", "left"], 2, "no wing called 'left'"),
        (["museum", *RING], 2, "ring has no museum"),
        (["show", "matrix", *RING], 2, "names no file of requirements"),
        (["show", "beauty"], 2, "Invalid value"),
    ],
)
def test_what_is_wrong_is_one_clear_line_and_its_exit_code(arguments: list[str], code: int, says: str) -> None:
    ran = run(*arguments, env=HERE)
    assert ran.code == code, ran
    assert says in ran.err
    if code == 2:
        assert ran.out == ""


@pytest.mark.parametrize("text", ["def broken(:\n", "import math\nmath.sqrt(-1)\n", "from math import nothing\n"])
def test_a_specification_that_python_cannot_import_is_refused_with_the_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(text, encoding="utf-8")
    ran = run("show", "operations", "--spec", "own:OWN", cwd=tmp_path)
    assert ran.code == 2
    assert "own:OWN: cannot import own: " in ran.err
    assert f"own.py, line {len(text.splitlines())}" in ran.err


def keys(value: Any, *names: str) -> bool:
    return set(names) <= set(value)


def test_who_reads_the_first_line_alone_gets_no_error() -> None:
    command = [sys.executable, "-m", "oneowner", "show", "operations"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, bufsize=1, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 0
    assert err == ""


def test_every_command_answers_in_json() -> None:
    proof = run("prove", *RING, "--format", "json", env=HERE).json
    assert keys(proof, "scope", "obligations", "proved", "refuted", "unknown", "vacuous", "seconds")
    assert proof["proved"] == proof["obligations"] > 0
    whole = run("explore", *RING, "--format", "json", env=HERE).json
    one = run("explore", *RING, "--scope", "stations=2,parcels=2", "--format", "json", env=HERE).json
    for found in (whole, one):
        assert keys(found, "scope", "states", "transitions", "depth", "complete", "clauses", "violations", "seconds")
    assert one["states"] == 16
    fuzzed = run("fuzz", "py:token_ring", *RING, "--time", "2", "--format", "json", env=HERE).json
    assert keys(fuzzed, "implementation", "calls", "clauses", "failures", "seconds")
    assert fuzzed["failures"] == []
    (caught,) = [c for c in run("museum", "no_scrub", "--format", "json").json if c["checker"] == "fuzz"]
    assert keys(caught, "bug", "checker", "caught", "calls", "seconds")
    assert caught["caught"] is True
    checked = run("check", *RING, "--implementation", "py:token_ring", "--time", "2", "--format", "json", env=HERE)
    assert keys(checked.json, "prove", "explore", "fuzz", "seconds")
    assert checked.code == 0
    for what in ("operations", "invariants", "steps", "matrix"):
        assert run("show", what, "--format", "json").json


def test_check_of_something_wrong_tells_all_of_it(tmp_path: Path) -> None:
    ran = run("check", "--spec", "token_ring:KEEPS", "--implementation", "py:token_ring", "--time", "3", env=HERE, cwd=tmp_path)
    assert ran.code == 1
    assert "REFUTED give/ok breaks one_token for one=FIRST, other=station2" in ran.out
    assert "VIOLATION of one_token" in ran.out
    assert "oneowner replay" in ran.out
    stored = sorted(p.name for p in (tmp_path / ".oneowner").glob("*.itf.json"))
    assert "prove-give-one_token.itf.json" in stored
    again = run("replay", ".oneowner/prove-give-one_token.itf.json", cwd=tmp_path, env=HERE)
    assert again.code == 1
    assert "one_token does not hold" in again.out


def test_a_graph_is_written_for_other_tools(tmp_path: Path) -> None:
    import networkx

    path = tmp_path / "ring.graphml"
    assert run("explore", *RING, "--scope", "stations=2,parcels=2", "--graph", str(path), env=HERE).code == 0
    assert networkx.read_graphml(path).number_of_nodes() == 16


def test_results_go_to_stdout_and_progress_to_stderr() -> None:
    ran = run("prove", *RING, env=HERE)
    assert "any number of elements of every sort" in ran.out
    assert "give: " in ran.err
    assert "\x1b" not in ran.out + ran.err


def test_a_fault_of_the_tool_is_told_as_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from oneowner.checker.command_line import main

    def fail(where: str) -> None:
        raise ZeroDivisionError("why")

    monkeypatch.setattr("oneowner.checker.command_line.show.load", fail)
    with pytest.raises(SystemExit) as stopped:
        main(["show", "steps"])
    assert stopped.value.code == 70
    assert "internal error: ZeroDivisionError: why" in capsys.readouterr().err


def test_an_interruption_has_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from oneowner.checker.command_line import main

    def interrupt(where: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oneowner.checker.command_line.show.load", interrupt)
    with pytest.raises(SystemExit) as stopped:
        main(["show", "steps"])
    assert stopped.value.code == 130
