"""Histories of overlapping calls, drawn at random and made on purpose: what a search says of them, and what it remembers."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from bells import BELLS
from histories import Everything, drawn, spoiled
from shelf import SHELF
from token_ring import RING

from oneowner.checker.logs import judge, judging, read
from oneowner.checker.logs import search as searching

Search = searching.Search

DRAWN = int(os.environ.get("ONEOWNER_DRAWN", "80"))
DRAWN_FROM = int(os.environ.get("ONEOWNER_DRAWN_FROM", "0"))
SMALL = {
    "shelf": (SHELF, {"shelves": 2, "slips": 3, "numbers": 2}),
    "ring": (RING, {"stations": 3, "parcels": 3, "most": 2}),
    "bells": (BELLS, {"listeners": 2, "bells": 2, "letters": 6, "numbers": 2, "most": 2}),
}


@pytest.mark.parametrize("learned", ["seldom", "always"])
@pytest.mark.parametrize("spec_name", SMALL)
def test_random_histories_are_judged_as_by_trying_everything(
    spec_name: str, learned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right ones and spoiled ones, up to the line that is wrong; also where each dead end is explained and what is wrong is soon
    looked for in what was answered by then."""
    if learned == "always":
        monkeypatch.setattr("oneowner.checker.logs.search.LEARN_AFTER", -1)
        monkeypatch.setattr("oneowner.checker.logs.judging.PATIENCE", 2)
    spec, scope = SMALL[spec_name]
    path = tmp_path / "log.jsonl"
    right = wrong = 0
    for seed in range(DRAWN_FROM, DRAWN_FROM + DRAWN):
        chance = random.Random(seed)
        lines = drawn(spec, scope, chance, chance.randint(2, 7), wide=learned == "always")
        for _ in range(seed % 3):
            lines = spoiled(lines, chance)
        path.write_text("".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines))
        expected = Everything(spec, scope, lines).first_wrong()
        assert judge(spec, read(path), strict=True, sizes=scope).line == expected, (seed, lines)
        assert not (seed % 3 == 0 and expected), (seed, lines)
        right, wrong = right + (not expected), wrong + bool(expected)
    assert min(right, wrong) > DRAWN // 4


@pytest.mark.parametrize("spec_name", SMALL)
def test_what_is_known_for_a_dead_end_is_one(spec_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a search gives up because of what it remembers, one that remembers nothing comes to no end either."""
    spec, scope = SMALL[spec_name]
    path = tmp_path / "log.jsonl"
    is_known = Search._is_known
    asked: list[bool] = []

    def looked(search: Search, event: int) -> tuple[bool, Any]:
        known, because = is_known(search, event)
        if known and len(asked) < DRAWN and chance.random() < 0.2:
            asked.append(because is not None)
            other = Search(
                judging._Judge(spec, read(path), True, scope, 10**9)._search(0).session, search.history, search.until, 10**9
            )
            other.vector = search.vector
            for name in ("open", "status", "waits", "unnamed", "guessed", "settling"):
                dict.update(getattr(other, name), getattr(search, name))
            for kind, names in search.names.items():
                for name in ("handle", "element", "origin"):
                    dict.clear(getattr(other.names[kind], name))
                    dict.update(getattr(other.names[kind], name), getattr(names, name))
            other._start = other.moment()
            with monkeypatch.context() as patch:
                patch.setattr(Search, "_is_known", lambda *_: (False, None))
                assert not other.run(), (seed, lines)
        return known, because

    monkeypatch.setattr("oneowner.checker.logs.search.LEARN_AFTER", -1)
    monkeypatch.setattr(Search, "_is_known", looked)
    seed = DRAWN_FROM
    while len(asked) < DRAWN:
        seed += 1
        chance = random.Random(seed)
        lines = drawn(spec, scope, chance, 8, wide=True)
        for _ in range(seed % 2):
            lines = spoiled(lines, chance)
        path.write_text("".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines))
        judge(spec, read(path), strict=True, sizes=scope)
    assert len(set(asked)) == 2


def of_the_ring(path: Path, lines: list[dict[str, Any]], scope: dict[str, int]) -> int:
    """The line of a log of the ring's that is wrong, after its reset."""
    start = [{"id": 1, "method": "reset", "params": {"topology": scope}}, {"id": 1, "result": {"FIRST": "s1"}}]
    path.write_text("".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in (*start, *lines)))
    return judge(RING, read(path), sizes=scope).line


@pytest.mark.parametrize(("number", "last", "wrong"), [(12, {"error": "FULL"}, 0), (9, {"ok": "p10"}, 20)])
def test_calls_of_which_each_depends_on_all_are_judged(number: int, last: Any, wrong: int, tmp_path: Path) -> None:
    """Of so many that overlap wholly all but one can have made a parcel: there are 12! orders, but no more than 2**12 sets."""
    make = {"method": "call", "params": {"actor": "s1", "op": "make", "args": {}}}
    lines: list[Any] = [{"id": n, **make} for n in range(2, number + 2)]
    lines += [{"id": n, "result": {"ok": f"p{n}"}} for n in range(2, number + 1)] + [{"id": number + 1, "result": last}]
    scope = {"stations": 1, "parcels": number - 1, "most": number}
    assert of_the_ring(tmp_path / "log.jsonl", lines, scope) == wrong


def test_an_order_that_only_a_later_answer_shows_is_found(tmp_path: Path) -> None:
    """Between the two writes and what shows which came last a third call is answered, which has to do with neither."""
    lines: list[dict[str, Any]] = [
        {"id": 1, "method": "reset", "params": {"topology": SMALL["shelf"][1]}},
        {"id": 1, "result": {}},
    ]
    for name, shelf, number in ((2, 0, 1), (3, 0, 2), (4, 1, 1)):
        lines.append({"id": name, "method": "call", "params": {"actor": shelf, "op": "write", "args": {"number": number}}})
    lines += [{"id": name, "result": {"ok": None}} for name in (2, 3, 4)]
    lines += [{"id": 5, "method": "call", "params": {"actor": 0, "op": "look", "args": {}}}, {"id": 5, "result": {"ok": 1}}]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines))
    for after in (-1, 200):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("oneowner.checker.logs.search.LEARN_AFTER", after)
            assert judge(SHELF, read(path)).accepted


def test_things_are_known_by_their_handles_whoever_tells_of_them_first(tmp_path: Path) -> None:
    """A parcel is delivered, and told of by that, before its making is answered; and no handle is two things' in its time."""
    make = {"id": 2, "method": "call", "params": {"actor": "s1", "op": "make", "args": {}}}
    deliver = {"id": 3, "method": "call", "params": {"actor": "s1", "op": "deliver", "args": {}}}

    def line_of(*lines: dict[str, Any]) -> int:
        return of_the_ring(tmp_path / "log.jsonl", list(lines), SMALL["ring"][1])

    told = {"id": 3, "result": {"ok": "p1"}}
    assert line_of(make, deliver, told, {"id": 2, "result": {"ok": "p1"}}) == 0
    assert line_of(make, deliver, told, {"id": 2, "result": {"ok": "p2"}}) == 6
    made = {"id": 2, "result": {"ok": "p1"}}
    again = {**make, "id": 4}
    assert line_of(make, made, deliver, told, again, {"id": 4, "result": {"ok": "p2"}}) == 0
    assert line_of(make, made, deliver, told, again, {"id": 4, "result": {"ok": "p1"}}) == 8
