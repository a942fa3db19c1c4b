"""Two implementations against each other: only what they do differently is told, with what each of them does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import conforming
import pytest
from command import run

from oneowner.checker.conform import against
from oneowner.checker.suite import stored_suite
from oneowner.reference_impl import bugs, implementation
from oneowner.spec import SPEC

SUITE = [s for s in stored_suite(SPEC) if {"send/EBUSY", "free/EFAULT", "send/EMSGSIZE"} & set(s.clauses)]
RIGHT = "as the specification says"


class Says(conforming.Around):
    """Says something else of a short message that is too long."""

    def __init__(self, error: str) -> None:
        super().__init__()
        self.error = error

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"error": self.error} if operation == "send" and answer == {"error": "EMSGSIZE"} else answer


def test_what_only_one_does_otherwise_is_told_of_whichever_it_is() -> None:
    for pair in ((implementation(), bugs.queued_twice()), (bugs.queued_twice(), implementation())):
        found = against(SPEC, pair, SUITE, profiles=("core",))
        assert [each.failure.clause for each in found.differences] == ["send/EBUSY"]
        assert len(found.differences[0].failure.calls) < 15
        assert sorted(text == RIGHT for text in found.differences[0].says) == [False, True]


def test_what_both_do_alike_is_no_difference_though_it_is_wrong() -> None:
    assert not against(SPEC, (bugs.queued_twice(), bugs.queued_twice()), SUITE, profiles=("core",)).differences
    assert not against(SPEC, (Says("EINVAL"), Says("EINVAL")), SUITE).differences


def test_what_both_do_wrongly_in_two_ways_is_one_difference() -> None:
    found = against(SPEC, (Says("EINVAL"), Says("EPERM")), SUITE)
    assert [each.failure.clause for each in found.differences] == ["send/EMSGSIZE"]
    first, second = found.differences[0].says
    assert "EINVAL" in first
    assert "EPERM" in second


def test_fuzzing_finds_what_the_suite_does_not_show() -> None:
    found = against(SPEC, (implementation(), Says("EINVAL")), SUITE[:1], seconds=8, seed=1)
    assert [each.failure.clause for each in found.differences] == ["send/EMSGSIZE"]


def test_what_only_one_supports_is_told() -> None:
    found = against(SPEC, (conforming.WithoutFree(), implementation()), SUITE, profiles=("core",))
    assert found.lacks == ({"free"}, frozenset())


def test_what_one_does_wrongly_that_the_other_does_not_have_is_no_difference_but_told_as_lacking() -> None:
    class NoFree(conforming.WithoutFree):
        """Wrong where the other has nothing."""

    found = against(SPEC, (FreesTwice(), NoFree()), SUITE, profiles=("core",))
    assert not found.differences
    assert found.lacks == (frozenset(), {"free"})


class FreesTwice(conforming.Around):
    """Frees what is not there."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"ok": None} if operation == "free" and answer == {"error": "EFAULT"} else answer


def test_the_command_shows_the_calls_and_both_answers(tmp_path: Path) -> None:
    other = "py:oneowner.reference_impl.bugs:queued_twice"
    chosen = ("conform", "py:oneowner.reference_impl", "--against", other, "--profile", "core", "--time", "0")
    ran = run(*chosen, cwd=tmp_path)
    assert ran.code == 1
    assert "DIFFERENT send/EBUSY" in ran.out
    assert "py:oneowner.reference_impl: as the specification says" in ran.out
    assert f"{other}: send must be refused with EBUSY; the implementation does it" in ran.out
    assert "1 difference between" in ran.out


@pytest.mark.parametrize("option", [("-k", "send/ok"), ("--strict",), ("--report", "html=x")])
def test_options_that_say_nothing_of_two_are_refused(option: tuple[str, ...]) -> None:
    ran = run("conform", "py:oneowner.reference_impl", "--against", "py:oneowner.reference_impl", *option)
    assert ran.code == 2
    assert "--against" in ran.err
