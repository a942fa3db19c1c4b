"""Which call is to blame for what only a probe shows, and whether a failure needs the runs before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import blaming
import pytest

from oneowner.checker.conform import Conformance
from oneowner.checker.fuzz import fuzz
from oneowner.checker.suite import of
from oneowner.checker.traces import read, replay_implementation, save_failure
from oneowner.spec import SPEC


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
        (blaming.flush_flag_stuck, "send/ok"),
        (blaming.refused_free_scrubs, "free/EBUSY"),
        (blaming.reads_all, "read_memory/EFAULT"),
    ],
)
def test_so_it_is_in_fuzzing_and_when_it_is_replayed(made: Any, breaks: str, tmp_path: Path) -> None:
    (failure,) = fuzz(SPEC, made(), seconds=60, seed=1).failures
    where = f"py:blaming:{made.__name__}"
    assert failure.clause == breaks
    assert not save_failure(tmp_path / "trace.json", SPEC, where, failure, made())
    replayed = replay_implementation(SPEC, read(tmp_path / "trace.json"), where, made())
    assert replayed.verdict.startswith(f"{where} breaks {breaks}: ")
