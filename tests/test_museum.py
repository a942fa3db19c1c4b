"""Every planted bug is caught by the checker that must catch it: a checker that never fails proves nothing."""

from __future__ import annotations

import pytest
from command import run

from oneowner.checker.museum import Exhibit, catalogue, plant
from oneowner.reference_impl.bugs import BUGS
from oneowner.spec import SPEC
from oneowner.spec.bugs import PLANTED

EXHIBITS = catalogue(SPEC)


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda e: f"{e.checker}-{e.name}")
def test_it_is_caught(exhibit: Exhibit) -> None:
    caught = plant(SPEC, exhibit, seconds=120)
    assert caught.caught, caught.text


def test_everything_planted_is_in_the_catalogue() -> None:
    assert {e.name for e in EXHIBITS if e.checker == "fuzz"} == set(BUGS)
    assert {e.name: e.operation for e in EXHIBITS if e.checker == "prove"} == {n: o for n, (o, _) in PLANTED.items()}
    assert len({e.name for e in EXHIBITS if e.source[:4] != "seed"}) >= 16


def test_a_bug_that_gets_away_fails_the_command() -> None:
    ran = run("museum", "id_inherits_permission", "--time", "0.1", "--seed", "1")
    assert ran.code == 1
    assert "GOT AWAY" in ran.out
