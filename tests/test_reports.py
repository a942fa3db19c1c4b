"""Reports: what a run came to, for CI, for people, for code scanning, and as a statement with a badge."""

from __future__ import annotations

import itertools
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import bells
import jsonschema
import pytest
import token_ring
from bells import BELLS
from command import run
from token_ring import RING

from oneowner.checker.adapters import connect
from oneowner.checker.conform import FAIL, FLAKY, PASS, PERMITTED, UNKNOWN, UNSUPPORTED, UNTESTED, Conformance, Report, Verdict
from oneowner.checker.reports import Told, badge, html, junit, sarif, statement, write
from oneowner.checker.session import NEVER, Failure, Origin, Recorded, again
from oneowner.checker.suite import of
from oneowner.model.language import Spec, SpecError
from oneowner.reference_impl import implementation
from oneowner.spec import SPEC

KINDS = ("junit", "html", "sarif", "statement")
HOSTILE = "<script>alert(1)</script> ]]> & \"quoted\" '--' \x00\x1b[31m\x08 \ud800 \ufffe {{ 7 * 7 }} [a](http://b.c/) end"

SARIF = {
    "type": "object",
    "required": ["version", "$schema", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "rules"],
                                "properties": {
                                    "name": {"const": "oneowner"},
                                    "rules": {
                                        "items": {
                                            "required": ["id", "shortDescription"],
                                            "properties": {"shortDescription": {"$ref": "#/$defs/text"}},
                                        }
                                    },
                                },
                            }
                        },
                    },
                    "results": {
                        "items": {
                            "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"$ref": "#/$defs/text"},
                                "locations": {
                                    "minItems": 1,
                                    "items": {
                                        "required": ["physicalLocation", "logicalLocations"],
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {"artifactLocation": {"required": ["uri"]}},
                                            },
                                            "logicalLocations": {"items": {"required": ["fullyQualifiedName"]}},
                                        },
                                    },
                                },
                            },
                        }
                    },
                },
            },
        },
    },
    "$defs": {"text": {"required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}},
}
"""What GitHub and other readers need of SARIF 2.1.0."""

VOID = {"meta", "br", "hr", "img", "input", "link"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: Element | None = None
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def around(self) -> Iterator[Element]:
        """What it stands in, the nearest first."""
        element = self.inside
        while element is not None:
            yield element
            element = element.inside


class Page(HTMLParser):
    """A page taken apart; one that is not well-formed fails the test."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        inside = self.open[-1] if self.open else None
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}, inside))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.words.append(data)

    def all(self, tag: str, kind: str = "") -> list[Element]:
        return [e for e in self.elements if e.tag == tag and (not kind or kind in e.classes)]

    def memory(self) -> dict[str, dict[str, tuple[str, bool]]]:
        """By memory map, where each region is, and whether it is marked as changed."""
        found: dict[str, dict[str, tuple[str, bool]]] = {}
        for card in self.all("g", "card"):
            box, picture = list(card.around())[:2]
            title = next(e for e in self.all("title") if e.inside is picture).text
            place = box.attributes["data-owner"], "changed" in card.classes
            found.setdefault(title, {})[card.attributes["data-thing"]] = place
        return found


def held(spec: Spec, made: Any, *patterns: str, profiles: tuple[str, ...] = ("all",)) -> Report:
    suite = [s for s in of(spec) if not s.pairs]  # the pairs come to further failures
    return Conformance(spec, made, "py:it", suite, profiles=profiles, patterns=patterns, seconds=0).run()


class SendsNothing:
    """The reference implementation, but whoever sends a region is told that there was no room."""

    def __init__(self) -> None:
        self.right = implementation()
        self.reset, self.settle = self.right.reset, self.right.settle

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = self.right.call(operation, arguments)
        return {"error": "EAGAIN"} if operation == "send" and arguments["region"] and "ok" in answer else answer


@pytest.fixture(scope="module")
def reading_on() -> Report:
    """Who sent a region can still read it."""
    made = connect("py:oneowner.reference_impl.bugs:late_invalidation")
    return held(SPEC, made, "read_memory", profiles=("core",))


@pytest.fixture(scope="module")
def sending_nothing() -> Report:
    return held(SPEC, SendsNothing(), "send/ok", profiles=("core",))


def every_status() -> Report:
    """A run of the ring in which every verdict came up."""
    first = {"station": Origin(-1, "FIRST")}
    calls = [Recorded("make", first, "ok", {"ok": "p1"}), Recorded("deliver", first, "ok", {"error": "EMPTY"})]
    failure = Failure("deliver/ok", "deliver must succeed; the implementation answers EMPTY", calls, dict(RING.fuzz_scope))
    verdicts = [
        Verdict("join/ok", PASS, 3),
        Verdict("join/FULL", UNTESTED),
        Verdict("make/ok", PASS, 1),
        Verdict("make/ENOUGH", PERMITTED, 2, "another error that applies is given, not the first"),
        Verdict("make/FULL", UNKNOWN, 0, "more than 64 states are possible"),
        Verdict("make/STRANGER", UNSUPPORTED, 0, "make is not supported"),
        Verdict("deliver/ok", FAIL, 0, failure.text, failure, "3/3"),
        Verdict("deliver/EMPTY", FLAKY, 0, "now and then", replace(failure, clause="deliver/EMPTY"), "1/3"),
        Verdict("deliver/NO_TOKEN", FAIL, 0, failure.text, replace(failure, clause="deliver/NO_TOKEN"), "3/3"),
    ]
    known = frozenset(["deliver/NO_TOKEN", "make/ok"])
    return Report("py:it", "it", "1.2", "Forth", ("all",), verdicts={v.clause: v for v in verdicts}, expected=known, seed=7)


def hostile() -> Report:
    """A run of an implementation that says whatever might break a report."""
    call = Recorded("deliver", {"station": NEVER}, "NO_TOKEN", {"ok": "<img src=x onerror=alert(2)>"})
    failure = Failure("deliver/NO_TOKEN", HOSTILE, [call], dict(RING.fuzz_scope))
    verdicts = [Verdict("deliver/NO_TOKEN", FAIL, 0, HOSTILE, failure, "3/3"), Verdict("give/ok", UNSUPPORTED, 0, HOSTILE)]
    by_clause = {v.clause: v for v in verdicts}
    return Report(HOSTILE, HOSTILE, HOSTILE, HOSTILE, ("all",), verdicts=by_clause, unsupported=("give",))


def cases(report: Report) -> dict[str, Xml.Element]:
    return {case.attrib["name"]: case for case in Xml.fromstring(junit(RING, report)).iter("testcase")}


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
    assert (rule["id"], result["ruleId"], result["ruleIndex"]) == ("read_memory/EFAULT", "read_memory/EFAULT", 0)
    assert rule["shortDescription"]["text"] == SPEC.actions["read_memory"].text
    assert result["level"] == "error"
    assert result["message"]["text"].startswith("read_memory must be refused with EFAULT; the implementation does it\n")
    (place,) = result["locations"]
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "read_memory/EFAULT"
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "oneowner/read_memory/EFAULT"


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


def said(report: Report) -> str:
    return Xml.fromstring(badge(RING, report)).attrib["aria-label"]


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


@pytest.fixture(scope="module")
def pages(reading_on: Report, sending_nothing: Report) -> dict[str, str]:
    return {
        "reading on": html(SPEC, reading_on),
        "sending nothing": html(SPEC, sending_nothing),
        "every status": html(RING, every_status()),
        "hostile": html(RING, hostile()),
        "all right": html(RING, held(RING, token_ring.Machine())),
    }


def test_the_page_is_well_formed_and_needs_nothing_else(pages: dict[str, str]) -> None:
    for text in pages.values():
        page = Page(text)
        assert text.startswith("<!DOCTYPE html>")
        assert not {e.tag for e in page.elements} & {"script", "link", "img", "iframe", "object", "use", "image"}
        for element in page.elements:
            assert not any(name.startswith("on") for name in element.attributes)
            assert "src" not in element.attributes
            assert element.attributes.get("href", "#").startswith("#")
        (style,) = page.all("style")
        assert not any(outside in style.text for outside in ("url(", "@import", "//"))


def test_the_page_can_be_read_aloud(pages: dict[str, str]) -> None:
    for text in pages.values():
        page = Page(text)
        ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
        assert len(ids) == len(set(ids))
        levels = [int(e.tag[1]) for e in page.elements if e.tag in ("h1", "h2", "h3", "h4")]
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        assert all("scope" in e.attributes for e in page.all("th"))
        for element in page.elements:
            assert set(element.attributes.get("aria-labelledby", "").split()) <= set(ids)
            assert element.attributes.get("href", "#top")[1:] in {*ids, "top"}
        assert all({"role", "aria-labelledby"} <= set(e.attributes) for e in page.all("svg"))


def test_the_page_follows_light_and_dark(pages: dict[str, str]) -> None:
    assert "@media (prefers-color-scheme: dark)" in pages["all right"]


def test_the_page_says_what_was_run_and_with_what() -> None:
    report = replace(every_status(), budget=20.0, sequences=11, calls=222, unsupported=("give",))
    text = html(RING, report)
    rows = {row.inside.text for row in Page(text).all("td") if row.inside}
    wanted = statement(RING, report)["specification"]["digest"]
    assert f"Specification ring, digest {wanted}" in rows
    assert "Implementation it 1.2 (Forth)" in rows
    assert "Fuzzing 20 seconds at most, seed 7" in rows
    assert "Not supported give" in rows


def test_the_page_counts_by_room_and_gives_every_clause_its_verdict_in_words() -> None:
    page = Page(html(RING, every_status()))
    rows = [row.text for row in page.all("tr")]
    assert "token_ring 2 1 2 1 1 1 1" in rows
    assert "make/ENOUGH ✓ permitted 2 another error that applies is given, not the first" in rows
    assert "join/FULL ? untested 0 no call came to it" in rows
    assert "deliver/NO_TOKEN ✗ fail 0 known to fail: deliver must succeed; the implementation answers EMPTY" in rows
    assert "make/ok ✓ pass 1 listed as known to fail, but pass" in rows


def test_a_run_without_failures_has_no_pictures(pages: dict[str, str]) -> None:
    assert Page(pages["all right"]).all("svg") == []


def test_a_sequence_diagram_has_a_life_line_for_each_who_calls_and_marks_the_wrong_call(pages: dict[str, str]) -> None:
    page = Page(pages["reading on"])
    lives = [g.attributes["data-name"] for g in page.all("g", "life")]
    assert lives == ["SYSTEM", "partition2", "system"]
    asked = [g.text for g in page.all("g", "call")]
    assert asked[0] == "create_partition()"
    assert asked[-1] == "✗ read_memory(region=region1, place=place1)"
    assert [g.text for g in page.all("g", "wrong")] == [asked[-1], '✗ ok, "0000000000000000"']
    (note,) = page.all("text", "note")
    assert note.text == "✗ read_memory must be refused with EFAULT; the implementation does it"
    (line,) = page.all("li", "wrong")
    assert line.text.endswith("✗ wrong; it must be: EFAULT")


def test_arrows_go_between_the_caller_and_the_system(pages: dict[str, str]) -> None:
    page = Page(pages["reading on"])
    at = {
        e.inside.attributes["data-name"]: e.attributes["x1"] for e in page.all("line") if e.inside and "life" in e.inside.classes
    }
    arrows = [e for e in page.all("line") if e.inside and {"call", "answer"} & set(e.inside.classes)]
    ends = [(e.attributes["x1"], e.attributes["x2"]) for e in arrows]
    who, system = at["SYSTEM"], at["system"]
    assert ends[:2] == [(who, system), (system, who)]
    assert ends[2:4] == [(at["partition2"], system), (system, at["partition2"])]


def test_the_memory_maps_show_a_region_that_is_to_move_with_its_old_and_its_new_owner(pages: dict[str, str]) -> None:
    page = Page(pages["sending nothing"])
    before, after = page.memory().values()
    (moved,) = [name for name in before if before[name] != after[name]]
    owner, receiver = before[moved][0], after[moved][0]
    assert {owner, receiver} == {"SYSTEM", "partition2"}
    assert (before[moved][1], after[moved][1]) == (True, True)
    card = [g.text for g in page.all("g", "card") if g.attributes["data-thing"] == moved]
    assert card == [f"{moved} mapped here changed", f"{moved} mapped here carried by: message1 changed"]
    assert f"owner[{moved}]: {owner} -> {receiver}" in [line.text for line in page.all("li")]


def test_what_the_failing_call_leaves_alone_is_not_marked(pages: dict[str, str]) -> None:
    page = Page(pages["reading on"])
    before, after = page.memory().values()
    assert before == after
    assert before["region1"] == ("partition2", False)
    assert list(page.memory()) == ["Memory map before the failing call", "Memory map expected after it"]


def test_a_region_that_nobody_owns_is_in_the_free_box() -> None:
    scope = dict(SPEC.fuzz_scope)
    calls = [Recorded("allocate", {"caller": Origin(-1, "SYSTEM")}, "ok", {"error": "ENOMEM"})]
    failure = Failure("allocate/ok", "allocate must succeed; the implementation answers ENOMEM", calls, scope)
    report = Report("py:it", verdicts={"allocate/ok": Verdict("allocate/ok", FAIL, failure=failure)})
    before, after = Page(html(SPEC, report)).memory().values()
    assert {place for place, _ in before.values()} == {"free"}
    assert len(before) == scope["regions"]
    assert after["region1"] == ("SYSTEM", True)


def test_a_specification_without_memory_has_no_memory_map(pages: dict[str, str]) -> None:
    page = Page(pages["every status"])
    assert page.memory() == {}
    assert [svg.classes for svg in page.all("svg")] == [["sequence"]] * 3


def test_a_late_answer_that_is_wrong_is_marked_and_the_call_that_brings_it() -> None:
    page = Page(html(BELLS, held(BELLS, bells.Machine("gone is fine"))))
    wrong = [g.text for g in page.all("g", "wrong")]
    assert wrong == ["✗ take_down(bell=bell1)", "✗ must come: wait: GONE"]
    assert [g.attributes["data-name"] for g in page.all("g", "life")] == ["caller", "listener1", "system"]


def test_what_must_be_answered_is_written_as_the_implementation_would_send_it() -> None:
    page = Page(html(BELLS, held(BELLS, bells.Machine("highest bell"))))
    assert "caller: hang() → ok, 1 ✗ wrong; it must be: 0" in [line.text for line in page.all("li", "wrong")]


@pytest.mark.parametrize(
    ("bug", "clause"),
    [
        ("late_invalidation", "read_memory/EFAULT"),
        ("queued_twice", "send/EBUSY"),
        ("dead_peer", "send_mapped/EPIPE"),
        ("lost_resume", "read_socket/late-ok"),
        ("sent_file_stays_open", "read_file/ESTALE"),
    ],
)
def test_the_states_shown_are_those_that_the_run_went_through(bug: str, clause: str) -> None:
    made = connect(f"py:oneowner.reference_impl.bugs:{bug}")
    failure = held(SPEC, made, clause).verdicts[clause].failure
    assert failure is not None
    session, mismatch = again(SPEC, made, failure.scope, failure.calls)
    assert mismatch is not None
    told = Told.of(SPEC, failure)
    assert [told.calls[0].before, *(call.after for call in told.calls)] == session.vectors
    assert [call.text.partition("(")[0] for call in told.calls] == [call.operation for call in failure.calls]


def test_a_call_that_may_not_have_happened_is_told_as_the_later_answers_say() -> None:
    class Cut(token_ring.Machine):
        """Loses its answer to the first make, which happened, and delivers nothing."""

        def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            answer = super().call(operation, arguments)
            if operation == "make" and self.made == 1 and "ok" in answer:
                return {"indeterminate": None}
            return {"error": "NO_TOKEN"} if operation == "deliver" else answer

    first = {"station": Origin(-1, "FIRST")}
    calls = [Recorded(name, first) for name in ("make", "make", "make", "deliver")]
    session, mismatch = again(RING, Cut(), {"stations": 1, "parcels": 3, "most": 2}, calls)
    assert mismatch is not None
    assert [call.answer for call in session.recorded[:3]] == [{"indeterminate": None}, {"ok": "p2"}, {"error": "ENOUGH"}]
    told = Told.of(RING, Failure(mismatch.clause, mismatch.text, session.recorded, session.scope))
    assert told.calls[0].answer == "may have happened or not"
    assert told.calls[-1].before == session.vector
    assert told.calls[2].answer == "ENOUGH"


def test_a_handle_that_is_gone_or_was_never_given_out_is_called_so() -> None:
    first = {"station": Origin(-1, "FIRST")}
    system = Origin(-1, "SYSTEM")
    calls = [
        Recorded("create_partition", {"caller": system}, "ok", {"ok": "b"}),
        Recorded("allocate", {"caller": system}, "ok", {"ok": "r"}),
        Recorded("free", {"caller": system, "region": Origin(1, "")}, "ok", {"ok": None}),
        Recorded("free", {"caller": system, "region": Origin(1, "")}, "EFAULT", {"error": "EFAULT"}),
        Recorded("free", {"caller": system, "region": NEVER}, "EFAULT", {"ok": None}),
    ]
    told = Told.of(SPEC, Failure("free/EFAULT", "wrong", calls, dict(SPEC.fuzz_scope)))
    assert [call.text for call in told.calls[2:]] == [
        "free(region=region1)",
        "free(region=region1, gone)",
        "free(region=unknown region)",
    ]
    never = Recorded("deliver", {"station": NEVER}, "NO_TOKEN", {"error": "EMPTY"})
    ring = Told.of(RING, Failure("deliver/NO_TOKEN", "wrong", [Recorded("make", first, "ok", {"ok": "p"}), never], {}))
    assert ring.calls[-1].who == "unknown station"


def test_hostile_text_is_shown_and_does_nothing(pages: dict[str, str]) -> None:
    page = Page(pages["hostile"])
    (says,) = page.all("p", "says")
    assert says.text.startswith("<script>alert(1)</script> ]]> & \"quoted\" '--' [31m")
    assert says.text.endswith("{{ 7 * 7 }} [a](http://b.c/) end")
    assert not any(ord(c) < 32 and c not in "\n\t" for c in pages["hostile"])
    assert '✗ ok, "<img src=x onerror=alert(2)>"' in [g.text for g in page.all("g", "wrong")]


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
