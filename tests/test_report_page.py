"""The page of a conformance run: what it says, what it draws, and that hostile text does nothing in it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import bells
import pytest
import token_ring
from bells import BELLS
from reporting import Page, every_status, held, hostile
from token_ring import RING

from oneowner.checker.adapters import connect
from oneowner.checker.conform import FAIL, Report, Verdict
from oneowner.checker.reports import Told, html, statement
from oneowner.checker.session import NEVER, Failure, Origin, Recorded, again
from oneowner.spec import SPEC


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
    assert note.text == "✗ after send/ok, read_memory must be refused with EFAULT; the implementation does it"
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
        ("late_invalidation", "send/ok"),
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
