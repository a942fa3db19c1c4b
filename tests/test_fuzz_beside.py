"""Fuzzing in several processes: what all of them did is counted, and what one finds is told."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from command import run

from oneowner.checker import AdapterError, AdapterFault
from oneowner.checker.fuzz import fuzz, fuzz_beside
from oneowner.model import load
from oneowner.model.symbolic import clauses
from oneowner.reference_impl import implementation
from oneowner.spec import SPEC

RING = load("token_ring:RING")
HERE = {"PYTHONPATH": str(Path(__file__).parent)}
FUZZ = ("fuzz", "--spec", "token_ring:RING", "--jobs", "2")


def test_the_calls_of_all_are_counted_while_they_are_made() -> None:
    told: list[int] = []
    report = fuzz_beside(RING, "py:token_ring", jobs=2, seconds=1, seed=3, progress=lambda each: told.append(each.calls))
    assert report.failures == []
    assert 0 < told[0] < told[-1] <= report.calls
    assert report.runs > 2
    assert report.seed == 3
    assert sum(report.clauses.values()) <= report.calls


def test_it_ends_when_what_is_wanted_was_seen_by_one_or_another() -> None:
    began = time.monotonic()
    report = fuzz_beside(RING, "py:token_ring", jobs=2, seconds=0.5, wanted=clauses(RING))
    assert all(report.clauses[each] for each in clauses(RING))
    unseen = fuzz_beside(RING, "py:token_ring", jobs=2, seconds=0.5, wanted=["give/never"])
    assert unseen.calls > 0
    assert time.monotonic() - began < 60


def test_what_one_of_them_finds_is_told_and_stored_once(tmp_path: Path) -> None:
    ran = run(*FUZZ, "py:token_ring:crash", "--time", "60", env=HERE, cwd=tmp_path)
    assert ran.code == 1
    assert ran.out.count("FAILURE: ") == 1
    assert len(list(tmp_path.glob(".oneowner/fuzz-*"))) == 1


def test_what_cannot_be_reached_by_each_is_said() -> None:
    assert run(*FUZZ, "tcp:localhost:1", env=HERE).code == 2
    with pytest.raises(AdapterError, match="no_such_module"):
        fuzz_beside(RING, "py:no_such_module", jobs=2, seconds=1)
    broken = run(*FUZZ, "py:token_ring:protocol", "--time", "9", env=HERE)
    assert broken.code == 4
    assert "Traceback" not in broken.err


def test_an_implementation_that_ends_its_process_is_a_fault_of_the_adapter() -> None:
    with pytest.raises(AdapterFault, match="ended while it was called"):
        fuzz_beside(RING, "py:token_ring:leaves", jobs=2, seconds=20)
    assert run(*FUZZ, "py:token_ring:leaves", env=HERE).code == 4


def test_ctrl_c_ends_all_of_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "oneowner", "fuzz", "--jobs", "2", "--time", "60"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err


def test_ways_that_name_what_a_scope_has_none_of_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneowner.checker.fuzz.run.BESIDE", 1)
    monkeypatch.setattr("oneowner.checker.fuzz.run.stored_suite", lambda spec: [])
    sender = [("create_sender", {"caller": 1}), ("destroy_sender", {"caller": 1, "sender": 2})]
    spec = replace(SPEC, openings={"a partition": [("create_partition", {"caller": 1})], "a sender": sender})
    report = fuzz(spec, implementation(), scope={**SPEC.fuzz_scope, "senders": 0}, seconds=2, seed=1)
    assert report.failures == []
    assert report.clauses["create_partition/ok"]


def test_a_scope_has_the_specifications_own_sizes_but_for_those_that_are_said_and_what_it_has_none_of_is_told() -> None:
    ran = run("fuzz", "--scope", "regions=3,senders=0", "--time", "8", "--seed", "1", "--format", "json")
    assert "without senders create_sender, destroy_sender, connect_event, request_event, send_event cannot succeed" in ran.err
    assert ran.json["clauses"]["read_event/ok"] > 0, "there was one partition, one port, one of everything"
    assert "create_sender/ok" in ran.json["unexercised"]
