"""What is generated from the specification is what the specification says now; one test says which file is stale."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import generated  # noqa: E402


@pytest.mark.parametrize("name", generated.GENERATED)
def test_it_is_up_to_date(name: str) -> None:
    now, wanted = generated.made(name)
    difference = difflib.unified_diff(now.splitlines(), wanted.splitlines(), name, "as it should be", lineterm="", n=0)
    assert now == wanted, f"{name} is stale: run `make generated`\n" + "\n".join(list(difference)[:20])


def test_a_stale_file_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text((ROOT / "README.md").read_text(encoding="utf-8").replace("354 of 354", "353 of 353"), encoding="utf-8")
    monkeypatch.setattr(generated, "ROOT", tmp_path)
    now, wanted = generated.made("README.md")
    assert now != wanted
    assert wanted == (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_counts_are_not_all_there_is_to_a_page_that_is_written_by_hand() -> None:
    for name in ("README.md", "docs/first-adapter.md", "docs/flows.md"):
        page = (ROOT / name).read_text(encoding="utf-8")
        assert generated.GENERATED[name](page) == page
        with pytest.raises((AssertionError, ValueError)):
            assert generated.GENERATED[name]("nothing of it") != "nothing of it"
