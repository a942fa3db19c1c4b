"""Every command of the README runs, and what it says of the house is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from command import run

from oneowner.checker.adapters import connect
from oneowner.model import load
from oneowner.spec import SPEC, topology
from oneowner.spec.rooms import regions

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    lines = re.findall(r"^oneowner .*$", README, re.MULTILINE)
    return [line.partition("#")[0].strip() for line in lines]


LONG = "oneowner check"
"""Run by `make check`; here with a short fuzz, below."""

STORED = "oneowner replay .oneowner/FILE.itf.json"
"""Replays a file that a failure has stored: run in test_cli."""

ROOMS = "oneowner show rooms"
"""Run in test_docs, where its page is compared."""


@pytest.mark.parametrize("line", [c for c in commands() if c not in (LONG, STORED, ROOMS)])
def test_it_runs_and_holds(line: str) -> None:
    ran = run(*shlex.split(line)[1:])
    if " fuzz " in line:
        assert ran.code in (0, 3), ran  # five seconds may not exercise every clause
        assert "0 failures" in ran.out
    else:
        assert ran.code == 0, ran


def test_the_others_are_there() -> None:
    assert {LONG, STORED, ROOMS} <= set(commands())


def test_the_operation_shown_is_the_operation() -> None:
    import inspect

    shown = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    assert shown.group(1).strip() == inspect.getsource(regions.free).strip()


def test_a_bug_of_the_museum_is_reached_by_the_names_that_it_gives() -> None:
    (bug,) = set(re.findall(r"`py:oneowner\.reference_impl\.bugs:(\w+)`", README))
    connect(f"py:oneowner.reference_impl.bugs:{bug}").reset(topology(SPEC.scope(SPEC.fuzz_scope)))
    (variant,) = re.findall(r"`--spec (oneowner\.spec\.museum\.bugs:\w+)`", README)
    assert load(variant).replaced


def test_the_make_targets_that_it_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"^make (\w+)", README, re.MULTILINE)):
        assert f"\n{target}:" in makefile
