"""Every planted bug is caught by the checker that must catch it: a checker that never fails proves nothing.

Here are the real bugs, and proofs that take no time; `make museum` catches all.
"""

from __future__ import annotations

from typing import Any

import pytest
from command import run
from judges import prepare, run_sequence
from sampling import one_in

from oneowner.checker.adapters import connect
from oneowner.checker.fuzz import fuzz
from oneowner.checker.museum import STEPS, VARIANTS, catalogue, museum, plant
from oneowner.checker.prove import prove
from oneowner.checker.session import Mismatch
from oneowner.checker.suite import Sequence, of
from oneowner.model.language import SpecError, load
from oneowner.reference_impl import bugs as variants
from oneowner.reference_impl import newer_bugs
from oneowner.spec import SPEC
from oneowner.spec.museum import bugs

EXHIBITS = catalogue(SPEC)
IN_THE_IMPLEMENTATION = {e.name: e for e in EXHIBITS if e.checker == "fuzz"}
IN_THE_SPEC = {e.name: e for e in EXHIBITS if e.checker == "prove"}

REAL = [
    "stale_process_mapping",
    "failed_send_loses_region",
    "old_frame_after_move",
    "unmap_failure_ignored",
    "check_then_yield",
    "receiver_dies_in_send",
    "self_send",
    "queued_twice",
    "both_ends_roll_back",
    "late_invalidation",
    "free_before_unmap",
    "double_close",
    "publish_then_fail",
    "dead_peer",
    "stale_select_waiter",
    "listener_close_races_accept",
    "event_before_attach_lost",
    "pending_counted",
    "clear_after_drain",
    "dead_senders_charge",
    "refusal_keeps_charge",
    "refund_wrong_partition",
    "backlog_leak",
    "no_scrub",
    "id_inherits_permission",
    "root_special_case",
    "bind_clobbers",
    "short_buffer_drops_message",
]
"""The bugs of the first wing that real systems had; the others of it are our own, of the same classes."""

PROVED_WRONG_AT_ONCE = ["no_scrub", "free_before_unmap", "clear_after_drain", "unlink_frees_at_once", "grant_ignores_reserve"]


def fails(implementation: Any, sequence: Sequence) -> bool:
    try:
        run_sequence(SPEC, implementation, sequence)
    except Mismatch:
        return True
    return False


@pytest.fixture(scope="module")
def built() -> None:
    """The specification in C, for runs that are long."""
    prepare(SPEC)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("name", one_in(2, REAL))
def test_a_real_bug_in_the_implementation_is_caught_by_the_suite(name: str) -> None:
    implementation = connect(f"{VARIANTS['']}:{name}")
    shortest_first = sorted(of(SPEC), key=lambda sequence: (sequence.cycle is not None, len(sequence.calls)))
    assert any(fails(implementation, sequence) for sequence in shortest_first)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("name", one_in(9, REAL))
def test_a_real_bug_in_the_implementation_is_caught_by_fuzzing(name: str) -> None:
    caught = plant(SPEC, IN_THE_IMPLEMENTATION[name], seconds=120, seed=1)
    assert caught.caught, caught.text


@pytest.mark.parametrize("name", PROVED_WRONG_AT_ONCE)
def test_a_bug_in_the_specification_is_refuted(name: str) -> None:
    caught = plant(SPEC, IN_THE_SPEC[name], seconds=120)
    assert caught.caught, caught.text


def test_every_real_bug_is_in_the_catalogue_with_its_source() -> None:
    first_wing = [exhibit for exhibit in IN_THE_IMPLEMENTATION.values() if not exhibit.wing]
    assert {exhibit.name for exhibit in first_wing if not exhibit.source.startswith("own:")} == set(REAL)
    assert all(IN_THE_SPEC[name].source == IN_THE_IMPLEMENTATION[name].source for name in IN_THE_SPEC if name in REAL)


def test_everything_planted_is_in_the_catalogue() -> None:
    assert len(EXHIBITS) == len(IN_THE_IMPLEMENTATION) + len(IN_THE_SPEC)
    for wing, planted in (("", variants.BUGS), ("newer", newer_bugs.BUGS)):
        assert {name for name, exhibit in IN_THE_IMPLEMENTATION.items() if exhibit.wing == wing} == set(planted)
    assert {name: e.operation for name, e in IN_THE_SPEC.items()} == {name: bug.operation for name, bug in bugs.BUGS.items()}


@pytest.mark.parametrize("name", bugs.BUGS)
def test_a_bug_in_the_specification_can_be_planted_where_it_says(name: str) -> None:
    wrong = load(f"oneowner.spec.museum.bugs:{name}")
    assert list(wrong.replaced) == [IN_THE_SPEC[name].operation]
    assert IN_THE_SPEC[name].statement in {*wrong.invariants, *wrong.step_properties, "well_defined"}


def test_the_right_implementation_and_the_right_specification_are_not_caught() -> None:
    assert fuzz(SPEC, connect("py:oneowner.reference_impl"), seconds=3, steps=STEPS, seed=1).failures == []
    for name in PROVED_WRONG_AT_ONCE:
        exhibit = IN_THE_SPEC[name]
        report = prove(SPEC, chosen_operations=[exhibit.operation], chosen_statements=[exhibit.statement])
        assert report.count("proved") == len(report.obligations) >= 1


def test_two_processes_catch_what_one_does() -> None:
    names = ["shared_stays_attached", "limit_ignored"]
    caught = museum(load("oneowner.spec:SPEC"), names, seconds=120, seed=1, jobs=2)
    assert [c.exhibit for c in caught] == catalogue(SPEC, names)
    assert all(c.caught for c in caught)


def test_a_bug_that_is_not_there_is_named() -> None:
    with pytest.raises(SpecError, match="no bug is called 'no_such_bug'; there are stale_process_mapping, "):
        catalogue(SPEC, ["no_scrub", "no_such_bug"])
    with pytest.raises(SpecError, match="no Spec called 'no_such_bug'"):
        load("oneowner.spec.museum.bugs:no_such_bug")


def test_a_bug_that_gets_away_fails_the_command() -> None:
    ran = run("museum", "id_inherits_permission", "--time", "0.1", "--seed", "1")
    assert ran.code == 1
    assert "GOT AWAY" in ran.out
