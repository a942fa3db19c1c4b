"""The machine written by hand, against which fuzzing is measured: right on what is right, and able to find a bug."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from by_hand import TOPOLOGY, ByHand
from by_hand_joined import Joined
from first_detection import IN_CORE, Counted, Subject, calls_to_detection, in_python, page
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from oneowner.checker.adapters import connect
from oneowner.reference_impl import bugs
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


def test_calls_are_counted_up_to_the_first_wrong_answer_or_the_cap() -> None:
    found = [calls_to_detection(in_python("no_scrub"), way, 1, 3000) for way in ("fuzz", "by hand, joined")]
    assert all(calls is not None and 10 < calls < 3000 for calls in found)
    assert found[1] == calls_to_detection(in_python("no_scrub"), "by hand, joined", 1, 3000)
    right = Subject("Python", "none", lambda: contextlib.nullcontext(connect("py:oneowner.reference_impl")))
    assert calls_to_detection(right, "by hand, joined", 1, 300) is None


def test_no_more_calls_are_made_than_may_be() -> None:
    counted = Counted(connect("py:oneowner.reference_impl"), 1)
    system = counted.reset(TOPOLOGY)["SYSTEM"]
    counted.call("create_partition", {"caller": system})
    with pytest.raises(BaseException, match=r"^$"):
        counted.call("create_partition", {"caller": system})
    assert counted.over
    assert counted.found is None


def test_what_is_not_found_counts_as_the_cap() -> None:
    rows = [(in_python(name), {"fuzz": [80, 80], "by hand": [400, None]}) for name in ("no_scrub", "dead_peer")]
    text = page(rows, ["fuzz", "by hand"], 1600)
    assert "| `no_scrub` | Python | 80 | 1000 (1 of 2 none) | 0.10 |" in text
    assert "geometric mean of 2 bugs **0.10**" in text


def test_the_bugs_of_the_core_are_of_the_museum() -> None:
    assert set(IN_CORE) <= set(bugs.BUGS)
