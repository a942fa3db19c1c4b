"""What the tests of reports share: runs to report on, and readers of what was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as Xml

from token_ring import RING

from oneowner.checker.conform import FAIL, FLAKY, PASS, PERMITTED, UNKNOWN, UNSUPPORTED, UNTESTED, Conformance, Report, Verdict
from oneowner.checker.reports import badge, junit
from oneowner.checker.session import NEVER, Declared, Failure, Origin, Recorded
from oneowner.checker.suite import of
from oneowner.model.language import Spec
from oneowner.reference_impl import implementation

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
    listed = tuple(map(Declared, ("deliver/NO_TOKEN", "make/ok")))
    return Report("py:it", "it", "1.2", "Forth", ("all",), verdicts={v.clause: v for v in verdicts}, declared=listed, seed=7)


def hostile() -> Report:
    """A run of an implementation that says whatever might break a report."""
    call = Recorded("deliver", {"station": NEVER}, "NO_TOKEN", {"ok": "<img src=x onerror=alert(2)>"})
    failure = Failure("deliver/NO_TOKEN", HOSTILE, [call], dict(RING.fuzz_scope))
    verdicts = [Verdict("deliver/NO_TOKEN", FAIL, 0, HOSTILE, failure, "3/3"), Verdict("give/ok", UNSUPPORTED, 0, HOSTILE)]
    by_clause = {v.clause: v for v in verdicts}
    return Report(HOSTILE, HOSTILE, HOSTILE, HOSTILE, ("all",), verdicts=by_clause, unsupported=("give",))


def cases(report: Report) -> dict[str, Xml.Element]:
    return {case.attrib["name"]: case for case in Xml.fromstring(junit(RING, report)).iter("testcase")}


def said(report: Report) -> str:
    return Xml.fromstring(badge(RING, report)).attrib["aria-label"]
