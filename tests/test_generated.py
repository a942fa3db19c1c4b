"""What is generated from the specification is what the specification says now; one test says which file is stale."""

from __future__ import annotations

import difflib
import re
import shutil
from pathlib import Path

import generated
import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.xdist_group("generated")


@pytest.mark.parametrize("name", generated.GENERATED)
def test_it_is_up_to_date(name: str) -> None:
    if name.endswith("suite.jsonl") and shutil.which("cc") is None:
        pytest.skip("there is no C compiler, and so no sequences for effects")
    now, wanted = generated.made(name)
    difference = difflib.unified_diff(now.splitlines(), wanted.splitlines(), name, "as it should be", lineterm="", n=0)
    assert now == wanted, f"{name} is stale: run `make generated`\n" + "\n".join(list(difference)[:20])


@pytest.mark.parametrize("name", ["README.md", "docs/first-adapter.md"])
def test_every_count_in_a_page_that_is_written_by_hand_is_seen_when_it_is_stale(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    counted = r"\d+(?= (?:of \d+ )?(?:obligations|exits|clauses|states|transitions))|(?<=of )\d+(?= operations are supported)"
    lines = [line for line in page.splitlines() if re.match(r"(prove|explore|fuzz) {2,}\d|\d+ of \d+ operations", line)]
    assert lines
    for line in lines:
        stale = re.sub(counted, lambda m: str(int(m.group()) + 1), line)
        assert stale != line
        assert generated.GENERATED[name](page.replace(line, stale)) == page


def test_the_counts_are_not_all_there_is_to_a_page_that_is_written_by_hand() -> None:
    for name in ("README.md", "docs/first-adapter.md", "docs/flows.md"):
        page = (ROOT / name).read_text(encoding="utf-8")
        assert generated.GENERATED[name](page) == page
        with pytest.raises((AssertionError, ValueError)):
            assert generated.GENERATED[name]("nothing of it") != "nothing of it"
