"""Systems in which partitions and connected channels are there from the start: what makes them is done in the model alone."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import run
from paired import HAS, MAKE, Paired

from oneowner.checker import AdapterError, Unsupported
from oneowner.checker.adapters import Budgets, connect
from oneowner.checker.conform import Conformance, smoke
from oneowner.checker.fuzz import Aim, fuzz, targets
from oneowner.checker.session import Session
from oneowner.checker.suite import given_first, replayed, stored_suite
from oneowner.model.concrete import Model
from oneowner.model.language import EFFECTIVE, Step
from oneowner.spec import SPEC

HERE = str(Path(__file__).parent)
SUITE = stored_suite(SPEC)
PARTS = [s for s in SUITE if s.operations <= SPEC.profile("transfer") and not s.cycle]
PAIR: list[Step] = [
    ("create_partition", {"caller": 1}),
    ("create_receiver", {"caller": 1}),
    ("create_receiver", {"caller": 2}),
    ("create_port", {"caller": 1, "receiver": 1}),
    ("create_port", {"caller": 2, "receiver": 2}),
    ("connect", {"caller": 1, "port": 1, "partition": 2, "service": 1}),
    ("take_signal", {"caller": 2}),
    ("accept", {"caller": 2, "signal": 1, "port": 2}),
]


def made(session: Session, calls: list[Step]) -> list[str]:
    return [session.compare_values(name, arguments) for name, arguments in calls]


def test_the_suite_holds_a_system_of_connected_pairs_to_all_that_it_has() -> None:
    report = Conformance(SPEC, Paired(), "paired", SUITE).run()
    assert report.broken == []
    assert {each.partition("/")[0] for each in report.verdicts} == SPEC.profile("transfer") - MAKE
    right = [clause for clause, verdict in report.verdicts.items() if verdict.status == "pass"]
    assert len(right) == 27, sorted(set(report.verdicts) - set(right))


@pytest.mark.parametrize(
    ("bug", "clause"), [("no_scrub", "read_memory/ok"), ("queued_twice", "send/EBUSY"), ("dead_peer", "send/EPIPE")]
)
def test_it_finds_bugs_there(bug: str, clause: str) -> None:
    report = Conformance(SPEC, Paired(f".bugs:{bug}"), "paired", SUITE).run()
    assert clause in [verdict.clause for verdict in report.broken]


def test_fuzzing_goes_on_with_what_is_given() -> None:
    without = frozenset(SPEC.actions) - SPEC.profile("transfer")
    report = fuzz(SPEC, Paired(), seconds=4, seed=1, without=without, wanted=["receive/ok"])
    assert report.failures == []
    assert report.clauses["receive/ok"]
    found = fuzz(SPEC, Paired(".bugs:no_scrub"), seconds=20, seed=1, without=without)
    assert [failure.clause for failure in found.failures] == ["read_memory/ok"]


def test_a_failure_is_a_program_that_begins_with_what_is_given(tmp_path: Path) -> None:
    ran = run("conform", "py:paired:dead_peer", "--time", "0", cwd=tmp_path, env={"PYTHONPATH": HERE})
    assert ran.code == 1
    assert "'channels': [{'" in ran.out
    assert 'call("close_port"' in ran.out
    assert 'call("create_p' not in ran.out
    (stored,) = (tmp_path / ".oneowner").glob("*send-EPIPE.itf.json")
    again = run("replay", str(stored), cwd=tmp_path, env={"PYTHONPATH": HERE})
    assert "send must be refused with EPIPE" in again.out
    assert again.code == 1


def test_it_is_given_behind_the_protocol_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", HERE)
    remote = connect(f"exec:{sys.executable} -m oneowner serve py:paired", budgets=Budgets(30.0, 1.0))
    try:
        assert (remote.introduction.name, remote.introduction.version) == ("paired", "7")
        session = Session(SPEC, remote, SPEC.fuzz_scope, without=SPEC.actions.keys() - SPEC.profile("transfer"))
        assert made(session, [*PAIR, ("allocate", {"caller": 1}), ("send", {"caller": 1, "port": 1, "region": 1, "short": 0})])
        assert session.compare_values("receive", {"caller": 2, "port": 2}) == "ok"
    finally:
        remote.stop()


def test_the_names_of_what_is_given_are_the_checkers() -> None:
    paired = Paired()
    session = Session(SPEC, paired, SPEC.fuzz_scope)
    made(session, PAIR)
    assert paired.given == {}
    session.compare_values("allocate", {"caller": 2})
    assert paired.given == {
        "partitions": ["SYSTEM", "partition-2"],
        "channels": [{"SYSTEM": "port-1", "partition-2": "port-2"}],
    }


def test_what_cannot_be_given_and_what_comes_too_late_is_not_supported() -> None:
    for number in range(3, len(PAIR)):
        session = Session(SPEC, Paired(), SPEC.fuzz_scope)
        made(session, PAIR[:number])
        if number > 3:
            with pytest.raises(Unsupported, match="cannot be given"):
                session.compare_values("allocate", {"caller": 1})
        else:
            session.compare_values("allocate", {"caller": 1})
            with pytest.raises(Unsupported, match="from the start"):
                session.compare_values("create_port", {"caller": 1, "receiver": 1})


def test_who_does_not_keep_the_names_is_told() -> None:
    class Own(Paired):
        def reset(self, topology: dict[str, Any], given: dict[str, Any]) -> dict[str, str]:
            return {**super().reset(topology, given), "SYSTEM": "mine"}

    with pytest.raises(AdapterError, match="what is given keeps its name, and so SYSTEM too"):
        Session(SPEC, Own(), SPEC.fuzz_scope).compare_values("allocate", {"caller": 1})


def test_a_reset_that_fails_is_told_with_what_it_said() -> None:
    class Broken(Paired):
        def reset(self, topology: dict[str, Any], given: dict[str, Any]) -> dict[str, str]:
            raise RuntimeError("no more")

    with pytest.raises(AdapterError, match="reset failed: RuntimeError: no more"):
        Session(SPEC, Broken(), SPEC.fuzz_scope).compare_values("allocate", {"caller": 1})


def test_what_was_made_and_is_not_given_is_not_asked_about() -> None:
    session = Session(SPEC, Paired(), SPEC.fuzz_scope)
    made(session, PAIR)
    with pytest.raises(Unsupported, match="receiver-1 is not given"):
        session.compare_values("read_event", {"caller": 1, "receiver": 1})


def exits(calls: list[Step], scope: dict[str, int]) -> list[tuple[str, Any, str]]:
    return [(a.name, given, outcome.exit) for a, _, given, outcome in replayed(Model(SPEC, scope), calls)]


def test_with_what_is_given_first_each_call_comes_to_the_same() -> None:
    whole = 0
    for sequence in PARTS:
        order = given_first(Model(SPEC, sequence.sizes(SPEC)), sequence.calls)
        before = exits(list(sequence.calls), sequence.sizes(SPEC))
        after = exits([sequence.calls[n] for n in order], sequence.sizes(SPEC))
        assert after == [before[n] for n in order]
        makes = [name in MAKE for name, _, _ in after]
        assert makes == sorted(makes, reverse=True)
        assert all(exit in EFFECTIVE for (_, _, exit), it in zip(after, makes, strict=True) if it)
        whole += {n for n, (name, _, exit) in enumerate(before) if name not in MAKE or exit in EFFECTIVE} == set(order)
    assert len(PARTS) > whole > len(PARTS) // 2


def test_the_end_of_a_sequence_is_where_it_was() -> None:
    ended = [s for s in SUITE if s.ending is not None and s.operations <= SPEC.profile("core") and not s.cycle][:40]
    moved = 0
    for sequence in ended:
        made = sequence.with_given_first(SPEC)
        if made is None:
            continue
        assert made.ending is not None
        ending = made.calls[made.ending :]
        assert list(ending) == [call for call in sequence.calls[sequence.ending :] if call[0] not in MAKE][: len(ending)]
        moved += made.ending != sequence.ending
    assert moved


def test_a_run_of_fuzzing_begins_with_what_is_given_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneowner.checker.fuzz.run.stored_suite", lambda spec: [])
    send: Step = ("send", {"caller": 1, "port": 1, "region": 1, "short": 0})
    spec = replace(SPEC, openings={"a region is sent": [("allocate", {"caller": 1}), *PAIR, send]})
    without = frozenset(SPEC.actions) - SPEC.profile("transfer")
    report = fuzz(spec, Paired(), seconds=0.1, steps=0, seed=1, without=without, wanted=["send/ok"])
    assert report.failures == []
    assert report.clauses["send/ok"]


def test_what_is_not_supported_is_no_longer_gone_for() -> None:
    session = Session(SPEC, Paired(), SPEC.fuzz_scope)
    session.unsupported |= SPEC.actions.keys() - {"create_partition", "allocate"}
    aim = Aim(session, random.Random(1), [each for each in targets(SPEC) if each[0] == "allocate"])
    assert {aim.choose()[0][0] for _ in range(100)} == {"create_partition", "allocate"}


def test_smoke_tells_what_is_given_which_a_fuzzer_still_makes(tmp_path: Path) -> None:
    ran = run("smoke", "py:paired", env={"PYTHONPATH": HERE}, cwd=tmp_path)
    assert "7 of 74 operations are supported: allocate, free, read_memory, write_memory, send, receive, close_port" in ran.out
    assert "6 more make what is there from the start: create_partition, create_receiver, take_signal, create_port" in ran.out
    assert smoke(SPEC, Paired(), SPEC.fuzz_scope, SPEC.actions) == SPEC.actions.keys() - HAS - MAKE
