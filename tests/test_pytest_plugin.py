"""pytest --oneowner CONNECTION: a test a clause, fixtures for more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import conforming
import pytest


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "oneowner", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(conforming.__file__).parent)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_every_clause_of_the_profile_is_a_test(tmp_path: Path) -> None:
    done = ran(tmp_path, "--oneowner", "py:oneowner.reference_impl", "--oneowner-profile", "core")
    assert done.returncode == 0, done.stdout
    assert "89 passed" in done.stdout


def test_they_are_shared_out_by_xdist(tmp_path: Path) -> None:
    done = ran(tmp_path, "--oneowner", "py:oneowner.reference_impl", "--oneowner-profile", "core", "-n", "2")
    assert done.returncode == 0, done.stdout
    assert "89 passed" in done.stdout


def test_a_failure_shows_the_calls_and_not_a_traceback(tmp_path: Path) -> None:
    done = ran(tmp_path, "--oneowner", "py:oneowner.reference_impl.bugs:queued_twice", "-k", "send/EBUSY or allocate")
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert 'system.call("send"' in done.stdout
    assert "oneowner replay .oneowner/" in done.stdout
    assert "pytest_plugin.py" not in done.stdout


def test_what_is_not_supported_is_skipped_with_the_reason(tmp_path: Path) -> None:
    done = ran(tmp_path, "--oneowner", "py:conforming:WithoutFree", "--oneowner-profile", "core", "-rs")
    assert done.returncode == 0
    assert "4 skipped" in done.stdout
    assert "free is not supported" in done.stdout


def test_the_fixture_holds_further_calls_against_the_specification(tmp_path: Path) -> None:
    (tmp_path / "test_more.py").write_text(
        "def test_more(oneowner):\n"
        "    session = oneowner.session({'partitions': 2})\n"
        "    assert session.compare_values('create_partition', {'caller': 1}) == 'ok'\n"
        "    assert session.compare_values('create_partition', {'caller': 1}) == 'ENOMEM'\n"
    )
    done = ran(tmp_path, "--oneowner", "py:oneowner.reference_impl", "-k", "test_more")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert "1 skipped" in ran(tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--oneowner", "nowhere"], "is no connection string"),
        (["--oneowner", "py:oneowner.reference_impl", "--oneowner-profile", "half"], "no profile is called 'half'"),
        (["--oneowner", "py:oneowner.reference_impl", "--oneowner-spec", "half"], "not of the form module:NAME"),
    ],
)
def test_what_is_asked_wrongly_is_said_so(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = ran(tmp_path, *arguments)
    assert done.returncode == 4
    assert says in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
