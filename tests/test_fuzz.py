"""Fuzzing: the reference implementation holds, failures are small, kept, pasteable and replayable."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import run
from token_ring import RING, Machine

from oneowner.checker import AdapterError
from oneowner.checker.adapters import connect
from oneowner.checker.fuzz import fuzz
from oneowner.checker.session import NEVER, Failure, Mismatch, Origin, Recorded, Session, without
from oneowner.checker.traces import program, read, replay_implementation, save_failure
from oneowner.model import SpecError
from oneowner.model.symbolic import clauses
from oneowner.reference_impl import implementation
from oneowner.spec import SPEC

BUG = "py:oneowner.reference_impl.bugs:no_scrub"


def test_the_reference_implementation_answers_as_permitted_and_every_clause_is_exercised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oneowner.checker.fuzz.run.PATIENCE", 24)  # a machine may be slow, or shared
    report = fuzz(SPEC, implementation(), seconds=8, seed=1, wanted=clauses(SPEC))
    assert report.failures == []
    assert [c for c in clauses(SPEC) if not report.clauses[c]] == []


def test_it_gives_the_canonical_error_every_time() -> None:
    assert fuzz(SPEC, implementation(), seconds=4, seed=2, strict=True).failures == []


def test_runs_differ_without_a_seed_and_repeat_with_one() -> None:
    def first_calls(seed: int | None) -> list[str]:
        seen: list[str] = []

        class Watched(Machine):
            def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
                seen.append(f"{operation}{arguments}")
                return super().call(operation, arguments)

        fuzz(RING, Watched(), seconds=60, seed=seed, enough=lambda: len(seen) >= 200)
        return seen[:200]

    assert first_calls(5) == first_calls(5)
    assert first_calls(5) != first_calls(6)
    assert first_calls(None) != first_calls(None)


def test_an_opening_that_is_no_call_is_refused_before_anything_is_called() -> None:
    with pytest.raises(SpecError, match="an opening calls 'mkae', which is no operation"):
        fuzz(replace(RING, openings={"begun": [("mkae", {})]}), Machine(), seconds=1)


def test_what_failed_once_is_tried_first_the_next_time(tmp_path: Path) -> None:
    rare = connect("py:oneowner.reference_impl.bugs:stale_select_waiter")
    first = fuzz(SPEC, rare, seconds=180, steps=50, database=tmp_path)
    assert first.failures
    again = fuzz(SPEC, rare, seconds=180, steps=50, database=tmp_path)
    assert again.failures
    assert again.runs <= 2  # Hypothesis runs what fails once more
    assert again.failures[0].clause == first.failures[0].clause


@pytest.fixture(scope="module")
def failure() -> Failure:
    """The failure that the bug shows."""
    (found,) = fuzz(SPEC, connect(BUG), seconds=60, seed=3).failures
    return found


def test_a_failure_is_a_program_to_paste_that_shows_it(failure: Failure, tmp_path: Path) -> None:
    assert len(failure.calls) <= 20
    path = tmp_path / "failure.py"
    path.write_text(program(SPEC, BUG, failure, connect(BUG)) + "\n")
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(failure.calls[-1].answer)
    assert failure.text in path.read_text()


def test_a_failure_is_stored_and_replays_and_passes_on_what_is_right(failure: Failure, tmp_path: Path) -> None:
    path = tmp_path / "failure.itf.json"
    save_failure(path, SPEC, BUG, failure, connect(BUG))
    stored = read(path)
    assert replay_implementation(SPEC, stored, BUG, connect(BUG)).shown
    assert not replay_implementation(SPEC, stored, "right", implementation()).shown
    assert run("replay", str(path)).code == 1
    assert run("replay", str(path), "--implementation", "py:oneowner.reference_impl").code == 0


def test_any_error_whose_condition_applies_is_permitted_unless_strict() -> None:
    class Backwards(Machine):
        def give(self, station: str, to: str) -> str | None:
            return "!STRANGER" if to not in self.outbox else super().give(station, to)

    def give_from_nobody_to_nobody(strict: bool) -> None:
        session = Session(RING, Backwards(), RING.fuzz_scope, strict=strict)
        session.compare("give", {"station": NEVER, "to": NEVER})

    give_from_nobody_to_nobody(strict=False)
    with pytest.raises(Mismatch, match="must be refused with NO_TOKEN"):
        give_from_nobody_to_nobody(strict=True)


def test_a_call_taken_out_leaves_its_handles_never_given_out() -> None:
    calls = [
        Recorded("join", {}),
        Recorded("join", {}),
        Recorded("give", {"station": Origin(-1, "FIRST"), "to": Origin(0, "")}),
        Recorded("give", {"station": Origin(0, ""), "to": Origin(1, "")}),
    ]
    kept = without(calls, [0])
    assert kept[1].arguments == {"station": Origin(-1, "FIRST"), "to": NEVER}
    assert kept[2].arguments == {"station": NEVER, "to": Origin(0, "")}


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("http://x", "no connection string"),
        ("py:", "no connection string"),
        ("py:no.such.module", "cannot import"),
        ("py:oneowner.reference_impl:nothing", "has no callable 'nothing'"),
        ("py:oneowner.reference_impl.bugs:nothing", "has no callable 'nothing'"),
        ("py:oneowner.spec.names:Status", "making it failed: TypeError"),
        ("py:oneowner.model:SpecError", "has no method reset"),
    ],
)
def test_a_connection_string_that_leads_nowhere_says_why(where: str, says: str) -> None:
    with pytest.raises(AdapterError, match=says):
        connect(where)


def test_an_answer_out_of_the_protocol_is_no_failure_of_a_clause() -> None:
    with pytest.raises(AdapterError, match="an answer is"):
        fuzz(RING, Machine("protocol"), seconds=5, seed=1)


def test_what_dies_between_two_runs_is_told_though_it_comes_back() -> None:
    class Dying(Machine):
        resets = 0

        def reset(self, topology: dict[str, int]) -> dict[str, str]:
            self.resets += 1
            if self.resets == 3:
                raise AdapterError("the adapter is gone")
            return super().reset(topology)

    with pytest.raises(AdapterError, match="is gone"):
        fuzz(RING, Dying(), seconds=5, seed=1)


def test_what_goes_wrong_in_an_opening_is_a_failure_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneowner.checker.fuzz.run.stored_suite", lambda spec: [])
    spec = replace(SPEC, openings={"a socket listens": SPEC.openings["a socket listens"]})
    report = fuzz(spec, connect("py:oneowner.reference_impl.bugs:highest_descriptor"), seconds=10, steps=0, seed=1)
    assert [f.clause for f in report.failures] == ["socket/ok"]


class OnceWrong(Machine):
    """Answers one call wrongly in all its life: nothing shows it again."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at
        self.made = 0

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.left -= 1
        self.made += 1
        answer = super().call(operation, arguments)
        return {"error": "HICCUP"} if self.left == 0 else answer


@pytest.mark.parametrize("at", [1, 60, 700])
def test_a_failure_that_shows_itself_once_is_a_failure(at: int) -> None:
    report = fuzz(RING, OnceWrong(at), seconds=20, seed=1)
    (failure,) = report.failures
    assert "once; the same calls made again are answered rightly" in failure.text
    assert "HICCUP" in failure.text


@pytest.mark.parametrize("at", [60, 700])
def test_every_call_is_counted_once_though_a_failure_is_made_again(at: int) -> None:
    assert fuzz(RING, OnceWrong(at), seconds=20, seed=1).calls == at


def test_what_was_seen_before_an_interruption_is_told(tmp_path: Path) -> None:
    class Interrupting(Machine):
        left = 500

        def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return super().call(operation, arguments)

    report = fuzz(RING, Interrupting(), seconds=60, seed=1)
    assert report.interrupted
    assert 400 < report.calls <= 500
    assert report.clauses["join/ok"]
    assert report.seconds < 50


def test_an_interruption_that_is_lost_where_it_comes_stops_it_all_the_same() -> None:
    class Swallowing(Machine):
        left = 500

        def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            self.left -= 1
            if self.left == 0:
                with contextlib.suppress(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
            return super().call(operation, arguments)

    report = fuzz(RING, Swallowing(), seconds=20, seed=1)
    assert report.interrupted
    assert 400 < report.calls <= 500
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("after", [0.7, 1.0, 1.3])
def test_ctrl_c_ends_fuzzing_with_130_and_what_was_seen(after: float, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "oneowner", "fuzz", "py:oneowner.reference_impl", "--time", "60"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        begun = time.monotonic()
        while process.poll() is None and time.monotonic() - begun < 20 and not list(tmp_path.glob(".hypothesis")):
            time.sleep(0.05)
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err


def test_a_failure_is_told_though_its_trace_cannot_be_stored(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, where a folder is wanted")
    ran = run("fuzz", BUG, "--seed", "3", "--time", "60", "--traces", "taken/inside", cwd=tmp_path)
    assert ran.code == 1
    assert "FAILURE: " in ran.out
    assert "NOT stored: taken/inside/fuzz-" in ran.out
