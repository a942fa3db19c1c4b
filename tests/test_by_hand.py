"""The machine written by hand, against which fuzzing is measured: right on what is right, and able to find a bug."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

from by_hand import TOPOLOGY, ByHand
from by_hand_joined import Joined

from oneowner.checker.adapters import connect
from oneowner.spec import SPEC

QUICKLY = settings(
    max_examples=40,
    stateful_step_count=50,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MORE = settings(QUICKLY, max_examples=200)


def of(machine: type[ByHand], where: str) -> Any:
    return type("Machine", (machine,), {"implementation": connect(where)})


@pytest.mark.parametrize("machine", [ByHand, Joined])
def test_the_reference_implementation_passes(machine: type[ByHand]) -> None:
    run_state_machine_as_test(of(machine, "py:oneowner.reference_impl"), settings=QUICKLY)


def test_a_planted_bug_is_found() -> None:
    with pytest.raises(AssertionError, match=r"connect: .* not one of"):
        run_state_machine_as_test(of(ByHand, "py:oneowner.reference_impl.bugs:self_send"), settings=MORE)


def test_a_planted_bug_of_channels_is_found_where_channels_are_made() -> None:
    with pytest.raises(AssertionError, match="read_memory"):
        run_state_machine_as_test(of(Joined, "py:oneowner.reference_impl.bugs:old_frame_after_move"), settings=MORE)


def test_it_has_a_rule_an_operation_and_is_as_large_as_what_is_fuzzed() -> None:
    assert set(SPEC.profile("core")) <= set(vars(ByHand))
    fuzzed = SPEC.topology(SPEC.scope(SPEC.fuzz_scope))
    assert {name: fuzzed[name] for name in TOPOLOGY} == TOPOLOGY
