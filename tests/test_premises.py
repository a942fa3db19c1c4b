"""Fewer premises for a solver: which are likely to be those that are needed, and that a proof from them is found and counts."""

from __future__ import annotations

from typing import Any

import pytest
import z3

from oneowner.checker.prove import PROVED, prover
from oneowner.model.symbolic import Premises
from oneowner.spec import SPEC

A, B = (z3.Function(name, z3.IntSort(), z3.BoolSort()) for name in "ab")
N = z3.Int("n")
OF_A, OF_BOTH, OF_B, OF_NONE = z3.ForAll(N, A(N)), z3.ForAll(N, z3.Implies(A(N), B(N))), B(1), N > 0


HARD = [("exit", "limit_respected"), ("close", "no_missed_resume"), ("send_file", "file_table")]
"""The last does not follow from the fewest, which is no refutation."""


def names(found: list[Any]) -> set[str]:
    return {str(each) for each in found}


def test_first_come_those_that_speak_of_nothing_else_then_those_that_speak_of_it_too() -> None:
    every = [OF_A, OF_BOTH, OF_B, OF_NONE]
    for base in ([], every):
        within, touching = Premises(base).likely(every, [z3.Not(A(2))])
        assert names(within) == names([OF_A, OF_NONE])
        assert names(touching) == names([OF_A, OF_BOTH, OF_NONE])


@pytest.fixture
def premises_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver is given some of the premises, and in vain all of them."""

    def none(*_: Any) -> Any:
        raise AssertionError("it was not proved from some of the premises")

    monkeypatch.setattr(prover, "BRIEF", 1)
    monkeypatch.setattr(prover, "growing_scopes", none)


@pytest.mark.usefixtures("premises_alone")
@pytest.mark.parametrize(("operation", "statement"), HARD)
def test_what_is_hard_to_prove_from_all_premises_follows_from_some(operation: str, statement: str) -> None:
    symbolic = prover.Prover(SPEC, alone=True)
    action = SPEC.actions[operation]
    for _, exit, ways in symbolic.ways(operation):
        found = list(symbolic._preserved(action, exit, ways, frozenset([statement])))
        assert [each.status for each in found] == [PROVED]
