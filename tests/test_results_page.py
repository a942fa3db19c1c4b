"""The page of several systems: a row a system, a column a room, the clauses, and what is wrong with the calls that show it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from command import run
from reporting import RING, every_status

from oneowner.checker.reports import read_statement, results, statement
from oneowner.model.language import SpecError


def told(**changes: Any) -> dict[str, Any]:
    found = statement(RING, every_status())
    return {**found, **changes}


class Page(HTMLParser):
    """What stands in a page: its ids, what its links go to, and the text of its table cells by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.rows: list[list[str]] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [str(found["id"])] if "id" in found else []
        self.links += [str(found["href"])] if "href" in found else []
        if tag == "tr":
            self.rows.append([])
        self._open = tag in ("td", "th") or (self._open and tag in ("a", "code", "small"))
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] += data.strip() and " " + data.strip()


def test_each_system_is_a_row_and_each_room_a_column() -> None:
    page = Page(results(RING, [told(), told(implementation={**told()["implementation"], "name": "other"})]))
    head, first, second = page.rows[:3]
    assert len(head) == len(first) == len(second) > 1
    assert first[0].startswith(" it 1.2")
    assert second[0].startswith(" other 1.2")
    wrong = sum(verdict["status"] in ("fail", "flaky") for verdict in told()["verdicts"].values())
    assert sum(int(n) for cell in first for n in re.findall(r"(\d+) wrong", cell)) == wrong


def test_every_clause_has_the_verdict_of_every_system_or_was_not_asked_for() -> None:
    less = told(verdicts={c: v for c, v in told()["verdicts"].items() if c.startswith("join")})
    page = Page(results(RING, [told(), less]))
    by_clause = {row[0].strip(): row[1:] for row in page.rows if "/" in row[0] and len(row) == 3}
    assert by_clause.keys() == told()["verdicts"].keys()
    for clause, (one, other) in by_clause.items():
        assert told()["verdicts"][clause]["status"] in one
        assert ("not asked for" in other) == (not clause.startswith("join"))


def test_what_is_wrong_is_one_click_away_with_its_calls() -> None:
    text = results(RING, [told()])
    page = Page(text)
    assert all(link[1:] in page.ids for link in page.links)
    assert len(set(page.ids)) == len(page.ids)
    assert "#system-1-deliver-ok" in page.links
    assert "2 calls that show it" in text
    assert "known to fail" in text


def test_what_was_held_against_another_version_says_so() -> None:
    page = results(RING, [told(), told(specification={"name": "ring", "digest": "0" * 64})])
    assert page.count("another version of the specification or its suite") == 1


def test_text_of_somebody_elses_is_text() -> None:
    text = results(RING, [told(implementation={**told()["implementation"], "name": "<script>alert(1)</script>"})])
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_the_command_reads_what_conform_writes(tmp_path: Path) -> None:
    chosen = ("--profile", "core", "-k", "send/EBUSY")
    for name, where in (("right", "py:oneowner.reference_impl"), ("wrong", "py:oneowner.reference_impl.bugs:queued_twice")):
        run("conform", where, *chosen, "--report", f"statement={name}.json", cwd=tmp_path)
    made = run("report", "right.json", "wrong.json", "-o", "page.html", cwd=tmp_path)
    assert made.code == 0, made
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "send must be refused with EBUSY; the implementation does it" in text
    assert "create_partition" in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "wrong.json: "),
        ("[]", "no statement"),
        ('{"verdicts": {}}', "no statement: KeyError at 'implementation'"),
        (json.dumps(told(profiles=[3])), "a text is of another type"),
        (json.dumps(told(verdicts={"join/ok": {"status": "fine", "reason": ""}})), "no verdict is 'fine'"),
        (json.dumps(told(verdicts={"join/ok": 7})), "no statement"),
    ],
)
def test_a_file_that_is_no_statement_is_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text)
    with pytest.raises(SpecError) as error:
        read_statement(path)
    assert says in str(error.value)


def test_clauses_of_another_specification_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ring.json").write_text(json.dumps(told()))
    made = run("report", "ring.json", "-o", "page.html", cwd=tmp_path)
    assert made.code == 2
    assert "name the specification with --spec" in made.err
    assert not (tmp_path / "page.html").exists()
