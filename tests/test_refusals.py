"""Refusals in every history: what a call that is refused has to do with came before it, and who takes part in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from oneowner.checker.suite import Histories, replayed, stored_suite
from oneowner.model.concrete import Model
from oneowner.model.language import ALL, Step
from oneowner.spec import SPEC

MODEL = Model(SPEC, SPEC.fuzz_scope)
CORE = SPEC.profile("core")
CREATED: Step = ("create_partition", {"caller": 1})
ALLOCATED: Step = ("allocate", {"caller": 2})
FREED: Step = ("free", {"caller": 2, "region": 1})


def targets(*calls: Step) -> set[str]:
    histories = Histories(MODEL, CORE)
    histories.add(calls)
    return histories.known


@cache
def filled() -> list[Step]:
    return Histories(MODEL, CORE).filled([CREATED, ALLOCATED, FREED])


def exits(calls: Sequence[Step]) -> list[str]:
    return [f"{action.name}/{outcome.exit}" for action, _, _, outcome in replayed(MODEL, calls)]


def test_a_refusal_comes_after_what_it_is_given_took_part_in() -> None:
    stranger: Step = ("free", {"caller": 1, "region": 1})
    assert "free/EFAULT#owner!=caller after allocate of its region as region" in targets(CREATED, ALLOCATED, stranger)


def test_what_has_ended_took_part_in_nothing() -> None:
    found = targets(CREATED, ALLOCATED, FREED, FREED)
    assert "free/EFAULT#owner!=caller after the end of a Region" in found
    assert not [target for target in found if "of its region" in target]


def test_what_is_always_there_has_no_history() -> None:
    other: Step = ("free", {"caller": 1, "region": 1})
    assert not [target for target in targets(CREATED, ALLOCATED, FREED, other) if "of its caller" in target]


def test_calls_that_are_put_in_between_are_refused_and_what_was_there_is_as_it_was() -> None:
    does = [exit for exit in exits(filled()) if exit.endswith("/ok")]
    assert does == ["create_partition/ok", "allocate/ok", "free/ok"]
    assert len(filled()) > 20


def test_calls_of_other_profiles_are_not_put_in() -> None:
    assert {name for name, _ in filled()} <= CORE


def test_each_call_that_is_put_in_shows_something_new() -> None:
    for number in (n for n, exit in enumerate(exits(filled())) if not exit.endswith("/ok")):
        histories = Histories(MODEL, CORE)
        histories.add(filled()[:number])
        assert histories.add(filled()[: number + 1])


def test_the_stored_suite_frees_what_a_process_holds_after_a_close_of_its_file() -> None:
    histories = Histories(MODEL, SPEC.profile(ALL))
    for sequence in stored_suite(SPEC):
        if not sequence.scope and any(name == "free" for name, _ in sequence.calls):
            histories.add(sequence.calls)
    assert "free/EBUSY#region_process after close of its region as fd" in histories.known
