"""Scopes explored before other processes begin: none is taken that was cut short, none goes on after an interruption."""

from __future__ import annotations

from typing import Any

import pytest
from token_ring import RING

from oneowner.checker.explore import explore_all, scopes
from oneowner.model.language import load

SPEC = load("token_ring:RING")


def test_a_scope_that_takes_longer_is_explored_again_by_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [(r.name, r.states, r.asked, r.stopped) for r in explore_all(RING, jobs=1)]
    monkeypatch.setattr(scopes, "WORTH_SHARING", 0.0001)
    assert [(r.name, r.states, r.asked, r.stopped) for r in explore_all(SPEC, jobs=2)] == alone


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interruption_in_one_scope_ends_the_others(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def interrupted(spec: Any, name: str, one: Any, **_: Any) -> Any:
        made.append(name)
        return scopes._not_explored(spec, name, one)

    monkeypatch.setattr(scopes, "explore_scope", interrupted)
    reports = explore_all(SPEC, jobs=jobs)
    assert len(made) == 1 < len(reports)
    assert {report.stopped for report in reports} == {"interrupted"}
