"""The commands of the pages run, and do what is said of them.  Generated pages: test_generated.py."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from command import run

ROOT = Path(__file__).resolve().parent.parent
EXPLORATION = (ROOT / "docs" / "exploration.md").read_text(encoding="utf-8")
LARGE = "oneowner explore --large --symmetry --can-return --leads-to --deadlock"
"""Takes minutes: `make large`."""

ON_A_GPU = "oneowner explore --name binding --device cuda"
"""Run in test_device_search on what plays a GPU."""

COMMANDS = re.findall(r"^oneowner .*$", EXPLORATION, re.MULTILINE)


@pytest.mark.parametrize("line", [c for c in COMMANDS if c not in (LARGE, ON_A_GPU)])
def test_a_command_of_the_page_on_exploration_runs_and_holds(line: str, tmp_path: Path) -> None:
    (tmp_path / ".oneowner").mkdir()
    ran = run(*shlex.split(line)[1:], cwd=tmp_path)
    assert ran.code == 0, ran
    for file in re.findall(r"--graph (\S+)", line):
        assert (tmp_path / file).read_text(encoding="utf-8").startswith("digraph")


def test_the_command_for_a_gpu_runs_or_says_what_is_not_there() -> None:
    assert ON_A_GPU in COMMANDS
    ran = run(*shlex.split(ON_A_GPU)[1:])
    assert ran.code == 0 or (ran.code == 2 and ran.err.rstrip().endswith("or search without --device cuda")), ran


def test_the_long_command_of_that_page_is_what_make_large_runs() -> None:
    assert LARGE in COMMANDS
    assert LARGE in (ROOT / "Makefile").read_text(encoding="utf-8")
