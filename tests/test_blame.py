"""Which call is to blame for what only a probe shows, and whether a failure needs the runs before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import blaming
import pytest
from command import run

from oneowner.checker.adapters import afresh
from oneowner.checker.conform import Conformance, code_of
from oneowner.checker.fuzz import fuzz
from oneowner.checker.suite import of
from oneowner.checker.traces import read, replay_implementation, save_failure
from oneowner.reference_impl import Interface
from oneowner.spec import SPEC

HERE = {"PYTHONPATH": str(Path(blaming.__file__).parent)}


@pytest.mark.parametrize(
    ("made", "breaks"),
    [
        (blaming.flush_flag_stuck, {"send/ok": "read_memory/EFAULT"}),
        (blaming.refused_free_scrubs, {"free/EBUSY": "read_memory/ok", "send/EBUSY": "read_memory/ok"}),
        (blaming.reads_all, {"read_memory/EFAULT": "", "send/ok": "read_memory/EFAULT"}),
    ],
    ids=lambda made: getattr(made, "__name__", ""),
)
def test_what_a_probe_shows_is_the_failure_of_the_call_that_it_probes(made: Any, breaks: dict[str, str]) -> None:
    report = Conformance(SPEC, made(), made.__name__, of(SPEC), profiles=("core",)).run()
    assert {v.clause: v.failure and v.failure.probe for v in report.having("fail")} == breaks
    assert not report.having("flaky", "untested", "unknown")
    for verdict in report.having("fail"):
        assert verdict.failure is not None
        steps = [c for c in verdict.failure.calls if not c.probe]
        assert f"{steps[-1].operation}/{steps[-1].exit}" == verdict.clause
        fails_itself = breaks.get(verdict.failure.probe) == ""
        assert verdict.reason.endswith("fails by itself too: mend that first") == fails_itself


@pytest.mark.parametrize(
    ("made", "breaks"),
    [
        (blaming.flush_flag_stuck, {"send/ok"}),
        (blaming.refused_free_scrubs, {"free/EBUSY", "send/EBUSY"}),
        (blaming.reads_all, {"read_memory/EFAULT", "send/ok"}),
    ],
)
def test_so_it_is_in_fuzzing_and_when_it_is_replayed(made: Any, breaks: set[str], tmp_path: Path) -> None:
    (failure,) = fuzz(SPEC, made(), seconds=60, seed=1, without=frozenset(SPEC.actions) - SPEC.profile("core")).failures
    where = f"py:blaming:{made.__name__}"
    assert failure.clause in breaks
    assert not save_failure(tmp_path / "trace.json", SPEC, where, failure, made())
    replayed = replay_implementation(SPEC, read(tmp_path / "trace.json"), where, made())
    assert replayed.verdict.startswith(f"{where} breaks {failure.clause}: ")


@pytest.mark.parametrize(
    ("command", "made", "afresh"),
    [
        ("conform --profile core --time 0", "outlives_reset", False),
        ("conform --profile core --time 0", "flush_flag_stuck", True),
        ("fuzz --seed 1", "outlives_reset", False),
        ("fuzz --seed 1", "reads_all", True),
    ],
)
def test_a_failure_that_needs_earlier_runs_is_said_so(command: str, made: str, afresh: bool) -> None:
    ran = run(*command.split(), f"py:blaming:{made}", env=HERE)
    assert ran.code == 1
    assert ("calls, in a fresh process too:" in ran.out) == afresh
    assert ("calls, but not in a fresh process: something outlives reset:" in ran.out) == (not afresh)
    assert ("Again: oneowner replay" in ran.out) == afresh


def test_what_nobody_can_start_afresh_is_not_said_to_be_confirmed(tmp_path: Path) -> None:
    assert afresh(SPEC, "tcp:localhost:1") is None
    assert afresh(SPEC, f"unix:{tmp_path}/socket") is None


class Interrupted(Interface):
    """Sends without unmapping; who sits before it gives up when it is reset for the so many-th time after that was seen."""

    seen = False
    resets = 0

    def __init__(self, patience: int) -> None:
        super().__init__(blaming.FlushFlagStuck)
        self.patience = patience

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        self.resets += self.seen
        if self.resets == self.patience:
            raise KeyboardInterrupt
        return super().reset(topology)

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        stuck = operation == "send" and arguments["region"] is not None and getattr(self._os, "unmapped", False)
        answer = super().call(operation, arguments)
        self.seen |= stuck and "ok" in answer
        return answer


@pytest.mark.parametrize("patience", [2, 5, 12])
def test_a_failure_that_is_interrupted_while_it_is_shrunk_is_told(patience: int) -> None:
    report = Conformance(SPEC, Interrupted(patience), "interrupted", of(SPEC), profiles=("core",)).run()
    assert report.interrupted
    assert [v.clause for v in report.broken] == ["send/ok"]
    assert code_of(report)[0] == 1


def test_so_it_is_in_fuzzing() -> None:
    others = frozenset(SPEC.actions) - SPEC.profile("core")
    fuzzed = fuzz(SPEC, Interrupted(3), seconds=60, seed=1, without=others)
    assert fuzzed.interrupted
    assert [f.clause for f in fuzzed.failures] == ["send/ok"]
