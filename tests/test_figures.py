"""Every figure that README and the pages state is so: each number is generated, or stands here with what it is held to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from oracles import STRICT
from test_house import MOST_LINES
from test_readings_agree import TRIPLES

from oneowner.checker.adapters import Budgets, keeper, protocol
from oneowner.checker.command_line import FUZZING, console
from oneowner.checker.conform import run as conformance
from oneowner.checker.suite import LONGEST, of
from oneowner.model.search import seen, table
from oneowner.spec import SPEC

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PYTHON = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
DOCS = ("architecture", "exploration", "first-adapter", "oracle", "protocol")
PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in DOCS))
"""Those that are written by hand; the others are generated whole."""

FIGURES: dict[tuple[str, str], Callable[[], bool]] = {
    ("README.md", "3.11 or later"): lambda: PYTHON == ">=3.11",
    ("README.md", "on 20,000 random calls"): lambda: TRIPLES == 20_000,
    ("README.md", "sequences of 80 calls at most"): lambda: max(len(s.calls) for s in of(SPEC) if s.scope) <= LONGEST == 80,
    ("README.md", "5 nothing ran; 70 a fault of this tool; 130 interrupted"): lambda: (
        (console.NOTHING, console.INTERNAL, console.INTERRUPTED) == (5, 70, 130)
    ),
    ("README.md", "64-bit fingerprints"): lambda: seen.PLACE == 2 * 64 // 8,
    ("CONTRIBUTING.md", "draws 1,500 small specifications"): lambda: "ONEOWNER_DRAWN=1500" in MAKEFILE,
    ("CONTRIBUTING.md", "A file over 500 lines"): lambda: MOST_LINES == 500,
    ("docs/exploration.md", "a 64-bit fingerprint is kept"): lambda: seen.PLACE == 2 * 64 // 8,
    ("docs/exploration.md", "16 bytes, from which"): lambda: seen.PLACE == 16,
    ("docs/exploration.md", "what was seen takes 16 bytes a state"): lambda: seen.PLACE == 16,
    ("docs/exploration.md", "at most 70 percent"): lambda: seen.FULL == 0.7,
    ("docs/exploration.md", "in C 12 bytes"): lambda: table.PLACE == 12,
    ("docs/exploration.md", "at most 75 percent"): lambda: table.FULL == 0.75,
    ("docs/exploration.md", "goes on to 10⁹ states"): lambda: "--max-states 1000000000 " in MAKEFILE,
    ("docs/first-adapter.md", "drawn at random for 20 seconds"): lambda: FUZZING == 20.0,
    ("docs/oracle.md", "freestanding C11"): lambda: "-std=c11" in STRICT,
    ("docs/protocol.md", "It is JSON-RPC 2.0"): lambda: b'"jsonrpc":"2.0"' in protocol.request(1, "settle", {}),
    ("docs/protocol.md", "most 1 MiB"): lambda: protocol.MAX_LINE == 1 << 20,
    ("docs/protocol.md", "last 2,000 bytes"): lambda: keeper.LAST_WORDS == 2_000,
    ("docs/protocol.md", "while that takes 10 s in all"): lambda: conformance.FRESH_FOR == 10.0,
    ("docs/protocol.md", "is given 0.2 s"): lambda: Budgets().must_not_return == 0.2,
    ("docs/protocol.md", "within 10 s"): lambda: Budgets().must_return == 10.0,
    ("docs/protocol.md", "| -32001 (or -32601) |"): lambda: (protocol.UNSUPPORTED, protocol.METHOD_NOT_FOUND) == (-32001, -32601),
    ("docs/protocol.md", "| -32002 | indeterminate"): lambda: protocol.INDETERMINATE == -32002,
    ("docs/protocol.md", "| -32603, any other |"): lambda: protocol.INTERNAL == -32603,
}
"""By page and words of it: whether they are so."""


def read(page: str) -> str:
    """A page on one line, as its words are looked for; without blocks of code, which are run or generated, and without what
    stands in back quotes."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return " ".join(re.sub(r"`[^`]*`|\]\([^)]*\)", "", text).split())


def figures(text: str) -> Iterator[re.Match[str]]:
    """The numbers of two digits and more, and those of one that measure something."""
    yield from re.finditer(r"\d[\d,.]*\d|\d+(?= (?:s|[KMG]i?B)\b)", text)


@pytest.mark.parametrize(("page", "words"), FIGURES)
def test_it_is_so(page: str, words: str) -> None:
    assert words in read(page), "the page says something else now: change the words here too"
    assert FIGURES[page, words]()


@pytest.mark.parametrize("page", PAGES)
def test_no_other_figure_is_stated(page: str) -> None:
    text = read(page)
    held = [m.span() for at, words in FIGURES if at == page for m in re.finditer(re.escape(words), text)]
    loose = [m for m in figures(text) if not any(a <= m.start() and m.end() <= b for a, b in held)]
    assert [text[max(0, m.start() - 30) : m.end() + 30] for m in loose] == []
