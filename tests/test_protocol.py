"""The protocol: what passes over the line, by every kind of connection."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import run
from jsonschema import Draft202012Validator
from sampling import EVERY

from oneowner.checker import AdapterFault, Unsupported
from oneowner.checker.adapters import connect, schema
from oneowner.checker.session import Session
from oneowner.checker.suite import of
from oneowner.spec import SPEC

REFERENCE = "py:oneowner.reference_impl"
COMMAND = [sys.executable, "-m", "oneowner", "serve", REFERENCE]
WAITING = frozenset(SPEC.late_exits)


def listening(place: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([*COMMAND, "--listen", place], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().removeprefix("listening at ").strip()


@pytest.fixture(params=["exec", "tcp", "unix"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "exec":
        yield "exec:" + " ".join(COMMAND)
        return
    process, found = listening("tcp:127.0.0.1:0" if request.param == "tcp" else f"unix:{tmp_path}/socket")
    yield found
    process.kill()
    process.wait()


def test_the_suite_passes_over_every_kind_of_connection(where: str) -> None:
    profile = "all" if EVERY and where.startswith("exec:") else "core"
    ran = run("conform", where, "--profile", profile, "--time", "0", "--format", "json")
    assert ran.code == 0
    assert {v["status"] for v in ran.json["verdicts"].values()} == {"pass"}
    assert ran.json["implementation"]["language"] == "Python"


def test_every_line_that_passes_is_of_the_schema(tmp_path: Path) -> None:
    log = tmp_path / "conversation.jsonl"
    whole = schema(SPEC)
    Draft202012Validator.check_schema(whole)
    any_line = Draft202012Validator(whole)

    def part(name: str) -> Draft202012Validator:
        return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": whole["$defs"]})

    calls, answers = ({n: part(f"{kind}/{n}") for n in SPEC.actions} for kind in ("calls", "answers"))
    implementation = connect("exec:" + " ".join(COMMAND), waiting=WAITING, log=log)
    seen = set()
    for sequence in of(SPEC)[::9]:
        session = Session(SPEC, implementation, sequence.sizes(SPEC), probing=False)
        for name, arguments in sequence.calls:
            session.compare_values(name, arguments)
        lines = [json.loads(line) for line in log.read_text().splitlines()[1:]]
        assert all(any_line.is_valid(message) for message in lines[:4])
        asked = {m["id"]: m["params"] for m in lines if m.get("method") == "call"}
        for params in asked.values():
            assert calls[params["op"]].is_valid(params)
        for message in lines:
            if "result" in message and message["id"] in asked:
                operation = asked[message["id"]]["op"]
                assert answers[operation].is_valid(message["result"])
                seen.add(operation)
    implementation.stop()  # type: ignore[attr-defined]
    assert len(seen) > 30


def test_a_reset_that_no_call_follows_leaves_the_last_conversation_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "conversation.jsonl"
    implementation = connect("exec:" + " ".join(COMMAND), waiting=WAITING, log=log)
    topology = SPEC.topology(SPEC.scope(SPEC.fuzz_scope))
    implementation.reset(topology)
    implementation.call("create_partition", {"caller": "p1"})
    said = log.read_text()
    assert said.count('"create_partition"') == 1
    implementation.reset(topology)
    implementation.finish()  # type: ignore[attr-defined]
    assert log.read_text() == said


def test_a_fault_in_a_reset_is_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "conversation.jsonl"
    implementation = connect("exec:" + " ".join(COMMAND), waiting=WAITING, log=log)
    os.kill(implementation.line.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    with pytest.raises(AdapterFault, match="gone"):
        implementation.reset(SPEC.topology(SPEC.scope(SPEC.fuzz_scope)))
    assert log.read_text().count('"method":"reset"') == 1


@pytest.mark.parametrize(
    "line",
    [
        {"jsonrpc": "2.0", "id": 1, "method": "call", "params": {"actor": "p1", "op": "steal", "args": {}}},
        {"jsonrpc": "2.0", "id": 1, "method": "call", "params": {"actor": "p1", "op": "free", "args": {}}},
        {"jsonrpc": "2.0", "id": 1, "method": "call", "params": {"actor": "p1", "op": "free", "args": {"region": 1}}},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "result": {}, "error": {"code": 1}},
        {"jsonrpc": "1.0", "id": 1, "result": {}},
    ],
)
def test_what_is_not_of_the_protocol_is_not_of_the_schema(line: Any) -> None:
    assert not Draft202012Validator(schema(SPEC)).is_valid(line)


@pytest.mark.parametrize(("reading", "valid"), [([], True), ([0, 1], True), (0, False), (None, False)])
def test_a_set_of_descriptors_is_a_list_in_the_schema(reading: Any, valid: bool) -> None:
    params = {"actor": "c1", "op": "select", "args": {"reading": reading, "writing": [], "wait": False}}
    line = {"jsonrpc": "2.0", "id": 1, "method": "call", "params": params}
    assert Draft202012Validator(schema(SPEC)).is_valid(line) == valid


def test_the_schema_is_printed() -> None:
    assert run("schema").json == schema(SPEC)


def test_calls_that_wait_are_answered_late_under_their_own_ids() -> None:
    implementation = connect("exec:" + " ".join(COMMAND), waiting=WAITING)
    session = Session(SPEC, implementation, SPEC.fuzz_scope)
    for name, arguments in SPEC.openings["a process that waited in accept was answered"]:
        session.compare_values(name, arguments)
    assert session.clauses["accept_socket/late-ok"] == 1
    implementation.stop()  # type: ignore[attr-defined]


def test_a_topology_beyond_the_limits_is_not_asked_for() -> None:
    implementation = connect("exec:" + " ".join(COMMAND))
    implementation.introduction.limits["partitions"] = 2  # type: ignore[attr-defined]
    with pytest.raises(Unsupported, match=r"partitions=4 \(its limit is 2\)"):
        implementation.reset(SPEC.topology(SPEC.scope(SPEC.fuzz_scope)))
    implementation.stop()  # type: ignore[attr-defined]


def test_a_place_that_is_none_is_said_so() -> None:
    ran = run("serve", REFERENCE, "--listen", "nowhere")
    assert ran.code == 4
    assert "no place to listen" in ran.err


def test_a_line_that_is_no_request_is_answered_and_what_follows_too() -> None:
    lines = ["spam", "{}", "[]", '{"jsonrpc":"2.0","id":1,"method":"steal","params":{}}', '{"id":2,"method":"shutdown"}']
    done = subprocess.run(COMMAND, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a.get("error", {}).get("code") for a in answers] == [-32700, -32700, -32700, -32001, None]
    assert answers[-1] == {"jsonrpc": "2.0", "id": 2, "result": {}}


@pytest.mark.parametrize("port", ["0", "99999", "9" * 40])
def test_a_port_that_there_is_not_is_wrong_use(port: str) -> None:
    ran = run("conform", f"tcp:127.0.0.1:{port}")
    assert ran.code == 2
    assert "ports are numbers from 1 to 65535" in ran.err


@pytest.mark.parametrize("given", [("--time", "1e400"), ("--time", "inf")])
def test_a_number_that_is_not_finite_is_wrong_use(given: tuple[str, str]) -> None:
    ran = run("fuzz", "py:oneowner.reference_impl", *given)
    assert ran.code == 2
    assert f"{given[1]} is none of the finite numbers" in ran.err
