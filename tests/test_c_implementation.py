"""The second implementation, in C, conforms to the core profile, and each of its planted bugs is caught."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command import run
from sampling import one_in

SOURCE = Path(__file__).parent.parent / "reference_impl" / "c"
BUGS = re.search(r"Bugs:\s*((?:[a-z_]+,?\s+(?:\*\s+)?)+)", (SOURCE / "core.c").read_text())
NAMES = re.findall(r"[a-z_]+", BUGS.group(1)) if BUGS else []

pytestmark = pytest.mark.skipif(shutil.which("cc") is None or shutil.which("make") is None, reason="needs cc and make")


def built(folder: Path, bug: str = "") -> str:
    """A build of its own, so that tests may run side by side."""
    kit = SOURCE.parent.parent / "checker" / "adapters" / "kits" / "c"
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{kit}", *([f"-DBUG_{bug}"] if bug else [])]
    subprocess.run(["cc", *flags, "-o", folder / "core", SOURCE / "core.c"], check=True, capture_output=True, text=True)
    return f"exec:{folder / 'core'}"


def test_it_conforms_to_the_core_profile(tmp_path: Path) -> None:
    ran = run("conform", built(tmp_path), "--profile", "core", "--time", "3", "--format", "json")
    assert ran.code == 0, ran.out
    assert {v["status"] for v in ran.json["verdicts"].values()} == {"pass"}


def test_it_gives_the_first_error_that_applies(tmp_path: Path) -> None:
    ran = run("conform", built(tmp_path), "--profile", "core", "--strict", "--time", "2")
    assert ran.code == 0, ran.out


def test_ten_bugs_are_planted() -> None:
    assert len(NAMES) == len(set(NAMES)) == 10
    assert all(f"BUG_{name}" in (SOURCE / "core.c").read_text() for name in NAMES)


@pytest.mark.parametrize("bug", one_in(5, NAMES))
def test_a_planted_bug_is_caught(bug: str, tmp_path: Path) -> None:
    ran = run("conform", built(tmp_path, bug), "--profile", "core", "--time", "0", "--format", "json", cwd=tmp_path)
    assert ran.code == 1, ran.out
    assert any(v["status"] == "fail" for v in ran.json["verdicts"].values())


def test_its_makefile_builds_it_and_refuses_a_bug_that_there_is_not() -> None:
    refused = subprocess.run(["make", "-C", SOURCE, "BUG=dragon"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "self_send" in refused.stderr + refused.stdout
