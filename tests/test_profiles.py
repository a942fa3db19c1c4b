"""Profiles: parts of the system, alone and together."""

from __future__ import annotations

import pytest
from command import run

from oneowner.checker.suite import stored_suite
from oneowner.model.language import SpecError
from oneowner.spec import SPEC

REFERENCE = "py:oneowner.reference_impl"
SUITE = stored_suite(SPEC)


def test_profiles_compose_and_need_what_both_do() -> None:
    both = SPEC.profile("resources+signals")
    assert both == SPEC.profile("resources") | SPEC.profile("signals")
    alone = [s for s in SUITE if any(s.operations <= SPEC.profile(name) for name in ("resources", "signals"))]
    assert len([s for s in SUITE if s.operations <= both]) > len(alone)
    with pytest.raises(SpecError, match="no profile is called 'half'"):
        SPEC.profile("core+half")
    ran = run("conform", REFERENCE, "--profile", "resources+signals", "-k", "free/EFAULT", "--format", "json")
    assert ran.code == 0
    assert ran.json["profiles"] == ["resources+signals"]


@pytest.mark.parametrize(
    ("name", "operations", "clauses"),
    [("regions", 5, 14), ("messages", 9, 38), ("transfer", 13, 51), ("events", 9, 29), ("lifecycle", 2, 7)],
)
def test_a_part_of_the_core_has_what_the_suite_does_with_it_alone(name: str, operations: int, clauses: int) -> None:
    part = SPEC.profile(name)
    assert len(part) == operations
    assert part < SPEC.profile("core")
    ran = run("conform", REFERENCE, "--profile", name, "--time", "0", "--format", "json")
    assert ran.code == 0
    assert {verdict["status"] for verdict in ran.json["verdicts"].values()} == {"pass"}
    assert len(ran.json["verdicts"]) == clauses
