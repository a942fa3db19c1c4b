"""docs/first-adapter.md works as it stands: its shell blocks in order in an empty folder, and what it says they print."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "first-adapter.md").read_text(encoding="utf-8")
MISSING = [tool for tool in ("cc", "make", "patch") if shutil.which(tool) is None]


def blocks() -> list[tuple[str, int, list[str]]]:
    """Each shell block, the code that its last command is said to exit with, and the lines that are said to be printed."""
    found: list[tuple[str, int, list[str]]] = []
    for kind, text in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        if kind == "sh":
            code = re.search(r"# exits with (\d+)\n\Z", text)
            found.append((text, int(code.group(1)) if code else 0, []))
        else:
            found[-1][2].extend(text.splitlines())
    return found


@pytest.mark.skipif(bool(MISSING), reason=f"the page needs {', '.join(MISSING)}, not found on PATH")
def test_every_block_does_what_the_page_says(tmp_path: Path) -> None:
    here, told = tmp_path / "empty", tmp_path / "where"
    here.mkdir()
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "TOLD": str(told)}
    for script, code, lines in blocks():
        done = subprocess.run(
            ["sh", "-e", "-c", "trap 'pwd > \"$TOLD\"' EXIT\n" + script],
            cwd=here,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, (script, done.stdout, done.stderr)
        assert "warning" not in done.stderr
        for line in lines:
            assert line.strip() in done.stdout, (script, done.stdout)
        here = Path(told.read_text(encoding="utf-8").strip())


def test_the_page_has_what_it_is_for() -> None:
    scripts = [script for script, _, _ in blocks()]
    assert scripts[0].startswith("oneowner new adapter --lang c ")
    assert sum("oneowner conform " in script for script in scripts) == 3


def test_make_conform_is_the_whole_profile_with_the_list_of_known_failures() -> None:
    makefile = (Path(__file__).resolve().parent.parent / "checker" / "adapters" / "kits" / "c" / "Makefile").read_text(
        encoding="utf-8"
    )
    assert "oneowner conform exec:./adapter" in PAGE
    assert re.search(
        r"^conform:.*\n\t\$\(ONEOWNER\) conform exec:\./adapter --deviations deviations\.toml$", makefile, re.MULTILINE
    )
