"""Conformance runs as JUnit, SARIF, a statement and a badge; and how their files are written."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest
import token_ring
from command import run
from reporting import HOSTILE, KINDS, SARIF, Page, cases, every_status, held, hostile, said
from token_ring import RING

from oneowner.checker.conform import UNKNOWN, UNSUPPORTED, Report, Verdict
from oneowner.checker.reports import badge, junit, sarif, statement, write
from oneowner.model.language import SpecError
from oneowner.spec import SPEC


def test_junit_has_a_suite_a_room_and_a_case_a_clause(sending_nothing: Report, reading_on: Report) -> None:
    both = replace(reading_on, verdicts=reading_on.verdicts | sending_nothing.verdicts)
    found = Xml.fromstring(junit(SPEC, both))
    names = {suite.attrib["name"]: [(c.attrib["classname"], c.attrib["name"]) for c in suite] for suite in found}
    assert names["channels"] == [("oneowner.channels", "send/ok")]
    assert ("oneowner.regions", "read_memory/EFAULT") in names["regions"]
    assert sum(map(len, names.values())) == len(both.verdicts) == int(found.attrib["tests"])


def test_junit_counts_what_it_shows() -> None:
    top = Xml.fromstring(junit(RING, every_status()))
    (suite,) = top
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["skipped"]) == ("9", "3", "4")
    assert (top.attrib["tests"], top.attrib["failures"], top.attrib["errors"]) == ("9", "3", "0")


def test_a_junit_failure_has_the_sentence_the_calls_and_how_to_see_it_again() -> None:
    failure = cases(every_status())["deliver/ok"].find("failure")
    assert failure is not None
    assert failure.attrib == {"type": "failure", "message": "deliver must succeed; the implementation answers EMPTY"}
    assert (failure.text or "").splitlines()[2:] == [
        "  1. FIRST: make() -> parcel1",
        "  2. FIRST: deliver() -> EMPTY  WRONG, it must be: parcel1",
        "Again: oneowner replay .oneowner/fuzz-deliver-ok.itf.json",
    ]


@pytest.mark.parametrize(
    ("clause", "tag", "says"),
    [
        ("join/FULL", "skipped", "untested: no call came to it"),
        ("make/FULL", "skipped", "unknown: more than 64 states are possible"),
        ("make/STRANGER", "skipped", "unsupported: make is not supported"),
        ("deliver/NO_TOKEN", "skipped", "known to fail: deliver must succeed; the implementation answers EMPTY"),
        ("make/ok", "failure", "listed as known to fail, but pass; take it off the list"),
        ("deliver/EMPTY", "failure", "now and then"),
    ],
)
def test_junit_says_why_a_clause_does_not_pass(clause: str, tag: str, says: str) -> None:
    (child,) = cases(every_status())[clause]
    assert (child.tag, child.attrib["message"]) == (tag, says)


def test_a_flaky_failure_is_of_another_type_in_junit() -> None:
    found = cases(every_status())["deliver/EMPTY"].find("failure")
    assert found is not None
    assert found.attrib["type"] == "flaky"


def test_another_error_that_is_permitted_passes_in_junit_with_a_note() -> None:
    (note,) = cases(every_status())["make/ENOUGH"]
    assert note.tag == "system-out"
    assert note.text == "permitted: another error that applies is given, not the first"
    assert list(cases(every_status())["join/ok"]) == []


def test_sarif_has_a_rule_and_an_error_for_each_clause_that_fails(reading_on: Report) -> None:
    found = json.loads(sarif(SPEC, reading_on))
    jsonschema.validate(found, SARIF)
    (one,) = found["runs"]
    (rule,), (result,) = one["tool"]["driver"]["rules"], one["results"]
    assert (rule["id"], result["ruleId"], result["ruleIndex"]) == ("send/ok", "send/ok", 0)
    assert rule["shortDescription"]["text"] == SPEC.actions["send"].text
    assert result["level"] == "error"
    assert result["message"]["text"].startswith(
        "after send/ok, read_memory must be refused with EFAULT; the implementation does it\n"
    )
    (place,) = result["locations"]
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "send/ok"
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "oneowner/send/ok"


def test_sarif_suppresses_what_is_known_to_fail() -> None:
    results = json.loads(sarif(RING, every_status()))["runs"][0]["results"]
    assert {r["ruleId"]: "suppressions" in r for r in results} == {
        "deliver/ok": False,
        "deliver/EMPTY": False,
        "deliver/NO_TOKEN": True,
    }


def test_sarif_of_a_run_without_failures_is_empty_and_valid() -> None:
    found = json.loads(sarif(RING, held(RING, token_ring.Machine())))
    jsonschema.validate(found, SARIF)
    assert found["runs"][0]["results"] == []


def test_the_statement_names_specification_implementation_budget_and_every_verdict(tmp_path: Path) -> None:
    report = every_status()
    write(RING, report, "statement", tmp_path / "statement.json")
    found = json.loads((tmp_path / "statement.json").read_text())
    assert found == statement(RING, report)
    assert len(found["specification"]["digest"]) == 64
    assert found["implementation"]["language"] == "Forth"
    assert (found["seed"], found["budget"]["fuzz_seconds"]) == (7, 0.0)
    assert found["verdicts"]["make/FULL"] == {
        "status": UNKNOWN,
        "times": 0,
        "reason": "more than 64 states are possible",
    }
    assert set(found["verdicts"]) == set(report.verdicts)


def test_the_badge_says_in_words_how_many_clauses_pass() -> None:
    right = held(RING, token_ring.Machine())
    assert said(right) == f"ring: all {len(right.verdicts)} clauses pass"
    partly = replace(right, verdicts=right.verdicts | {"join/ok": Verdict("join/ok", UNSUPPORTED)})
    assert said(partly) == f"ring: all {len(right.verdicts) - 1} of {len(right.verdicts)} clauses pass"
    assert said(every_status()) == "ring: all fails"
    assert said(replace(right, verdicts={"join/ok": Verdict("join/ok", UNSUPPORTED)})) == "ring: all not tested"


def test_a_badge_stands_beside_the_statement(tmp_path: Path) -> None:
    write(RING, every_status(), "statement", tmp_path / "statement.json")
    assert (tmp_path / "statement.badge.svg").read_text() == badge(RING, every_status())
    assert "%" not in badge(RING, every_status())


def test_hostile_text_leaves_xml_and_json_valid(tmp_path: Path) -> None:
    for kind in KINDS:
        write(RING, hostile(), kind, tmp_path / kind)
    failure = Xml.parse(tmp_path / "junit").find(".//failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("<script>alert(1)</script> ]]> & \"quoted\" '--' [31m")
    jsonschema.validate(json.loads((tmp_path / "sarif").read_text()), SARIF)
    assert json.loads((tmp_path / "statement").read_text())["implementation"]["name"] == HOSTILE
    Xml.parse(tmp_path / "statement.badge.svg")


def test_what_an_implementation_says_makes_no_link_in_sarif() -> None:
    assert "](" not in json.loads(sarif(RING, hostile()))["runs"][0]["results"][0]["message"]["text"]


def test_folders_are_made_and_nothing_but_the_report_is_left(tmp_path: Path) -> None:
    for kind in KINDS:
        write(RING, every_status(), kind, tmp_path / "deep" / "down" / kind)
    assert {p.name for p in (tmp_path / "deep" / "down").iterdir()} == {*KINDS, "statement.badge.svg"}


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "junit.xml").write_text("old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SpecError, match=r"junit\.xml: No space left on device"):
        write(RING, every_status(), "junit", tmp_path / "junit.xml")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("junit.xml", "old")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_that_cannot_hold_a_report_is_named(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match=f"{tmp_path}: "):
        write(RING, every_status(), kind, tmp_path)
    with pytest.raises(SpecError, match="file/inside: "):
        write(RING, every_status(), kind, tmp_path / "file" / "inside")


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(RING, every_status(), "junit", pipe)
        assert os.read(end, 1 << 16).startswith(b"<?xml")
    finally:
        os.close(end)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write(RING, every_status(), "junit", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text().startswith("<?xml")


def test_conform_writes_every_report_that_is_asked_for(tmp_path: Path) -> None:
    here = {"PYTHONPATH": str(Path(token_ring.__file__).parent)}
    asked = ",".join(f"{kind}={tmp_path / kind}" for kind in KINDS)
    ran = run("conform", "py:token_ring:crash", "--spec", "token_ring:RING", "--time", "0", "--report", asked, env=here)
    assert ran.code == 1, ran
    assert {p.name for p in tmp_path.iterdir()} == {*KINDS, "statement.badge.svg"}
    assert Page((tmp_path / "html").read_text()).all("article")
