"""A spec of the user's own runs through the same engine and the same commands."""

from __future__ import annotations

import token_ring
from command import run
from token_ring import KEEPS, NEVER, RING, Machine

from oneowner.checker.explore import explore_all, unreached
from oneowner.checker.fuzz import fuzz
from oneowner.checker.prove import prove


def test_the_ring_is_proved_for_any_size() -> None:
    report = prove(RING)
    assert report.count("proved") == len(report.obligations) > 0
    assert report.vacuous == []


def test_the_ring_is_explored_and_every_clause_reached() -> None:
    reports = explore_all(RING)
    assert [(r.states, r.complete, r.violations) for r in reports] == [(TWO_PARCELS, True, []), (ONE_PARCEL, True, [])]
    assert unreached(RING, reports, RING.actions) == []


# alone, with a parcel or without; two of them, the token at either: no parcel, one of two names at either, both
TWO_PARCELS = 2 + 2 * 7
ONE_PARCEL = 2 + 2 * 3


def test_a_right_implementation_passes_with_every_clause_exercised() -> None:
    report = fuzz(RING, Machine(), seconds=3, seed=1)
    assert report.failures == []
    assert len(report.clauses) == 12


def test_parcels_out_of_order_are_found() -> None:
    (failure,) = fuzz(RING, Machine("order"), seconds=20, seed=1).failures
    assert failure.clause == "deliver/ok"
    # two parcels and a delivery, and what it takes if another station than the first one made them
    calls = [c.operation for c in failure.calls]
    assert (calls[-1], calls.count("make")) == ("deliver", 2)
    assert len(calls) <= 7


def test_a_handle_given_out_twice_is_found() -> None:
    (failure,) = fuzz(RING, Machine("same name"), seconds=20, seed=1).failures
    assert failure.clause == "make/ok"
    assert "must be new" in failure.text


def test_a_crash_is_a_failure_not_a_fault_of_the_checker() -> None:
    (failure,) = fuzz(RING, Machine("crash"), seconds=20, seed=1).failures
    assert "ZeroDivisionError" in failure.text
    assert len(failure.calls) <= 2
    assert failure.calls[-1].operation == "deliver"


def test_a_token_that_is_kept_is_refuted_with_the_shortest_trace() -> None:
    report = prove(KEEPS, chosen_operations=["give"])
    (refuted,) = [o for o in report.obligations if o.status == "refuted"]
    assert refuted.statement == "one_token"
    assert refuted.counterexample is not None
    assert [name for name, _ in refuted.counterexample.trace or []] == ["join", "give"]


def test_an_operation_that_can_never_succeed_is_vacuous() -> None:
    report = prove(NEVER, chosen_operations=["give"])
    assert report.vacuous == ["give/ok"]


def test_commands_take_a_spec_by_name() -> None:
    here = {"PYTHONPATH": str(token_ring.__file__).rpartition("/")[0]}
    assert run("prove", "--spec", "token_ring:RING", env=here).code == 0
    assert run("explore", "--spec", "token_ring:RING", env=here).code == 0
    assert run("fuzz", "py:token_ring", "--spec", "token_ring:RING", "--time", "2", env=here).code == 0
    assert run("prove", "--spec", "token_ring:KEEPS", env=here).code == 1
    assert run("fuzz", "py:token_ring:crash", "--spec", "token_ring:RING", "--time", "9", env=here).code == 1
    assert run("fuzz", "py:token_ring:protocol", "--spec", "token_ring:RING", "--time", "9", env=here).code == 4
