"""The specification as a Hypothesis state machine: what a Hypothesis user holds on to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import conforming
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule, run_state_machine_as_test

import oneowner
from oneowner.checker.session import Mismatch
from oneowner.model.language import SpecError

QUICKLY = settings(max_examples=15, stateful_step_count=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def test_the_reference_implementation_passes() -> None:
    run_state_machine_as_test(oneowner.machine("py:oneowner.reference_impl", profile="core"), settings=QUICKLY)


def test_a_bug_is_found_and_shrunk_by_hypothesis() -> None:
    bug = oneowner.machine("py:test_machine:Deaf", profile="core")
    with pytest.raises(Mismatch, match="must be refused") as found:
        run_state_machine_as_test(bug, settings=settings(QUICKLY, max_examples=100, derandomize=True))
    calls = [note for note in found.value.__notes__ if ".allocate(" in note]
    assert len(calls) <= 1


class Deaf(conforming.Around):
    """Frees what is not the caller's."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"ok": None} if operation == "free" and answer == {"error": "EFAULT"} else answer


def test_it_has_a_bundle_a_sort_and_a_rule_an_operation() -> None:
    made = oneowner.machine("py:oneowner.reference_impl", profile="core")
    assert {"ports", "regions", "partitions", "receivers"} <= set(vars(made))
    assert made.profile <= set(vars(made))
    assert "bind" not in vars(made)


def test_it_can_be_subclassed_with_rules_of_ones_own() -> None:
    class Mine(oneowner.machine("py:oneowner.reference_impl", profile="core")):  # type: ignore[misc]
        seen = 0

        @rule()
        def mine(self) -> None:
            Mine.seen += 1
            self.call("allocate", {"caller": next(iter(self.session.names[self.spec.sorts[0]].element))})

    run_state_machine_as_test(Mine, settings=QUICKLY)
    assert Mine.seen > 0


def test_a_profile_that_there_is_not_is_refused() -> None:
    with pytest.raises(SpecError, match="no profile"):
        oneowner.machine("py:oneowner.reference_impl", profile="cores")


def test_it_runs_in_somebodys_pytest(tmp_path: Path) -> None:
    test = tmp_path / "test_mine.py"
    test.write_text(
        "import oneowner\nfrom hypothesis import settings\n"
        'TestMine = oneowner.machine("py:oneowner.reference_impl.bugs:queued_twice", profile="core").TestCase\n'
        "TestMine.settings = settings(max_examples=5, stateful_step_count=5, deadline=None)\n"
    )
    import subprocess
    import sys

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert "1 passed" in ran.stdout or "1 failed" in ran.stdout, ran.stdout + ran.stderr
