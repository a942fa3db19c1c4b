"""A proof is held against the concrete reading; where the two disagree, that is a fault of the tool, told with both."""

from __future__ import annotations

import json
from typing import Any

import pytest
import token_ring
from test_soundness import ROOM, never_busy

from oneowner.checker.command_line import main
from oneowner.checker.prove import PROVED, prove
from oneowner.checker.prove import prover as proving
from oneowner.model import none, require
from oneowner.model.language import EFFECTIVE
from oneowner.spec import SPEC


@pytest.fixture
def gullible(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver calls everything proved."""
    monkeypatch.setattr(proving.Prover, "_ask", lambda *_: (PROVED, None, ""))


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["prove", "--jobs", "1", *arguments])
    return int(ended.value.code or 0), capsys.readouterr().out


def test_what_the_two_readings_say_is_told_with_the_state_and_the_call(
    gullible: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = ran(capsys, "--spec", "token_ring:KEEPS")
    assert code == 70
    at = out.index("DISAGREEMENT")
    assert out[at:].split("\n\n")[0].split("\n") == [
        "DISAGREEMENT about give/ok and one_token: a fault of this tool; please report it",
        f"  It should hold: {token_ring.KEEPS.invariants['one_token'].text}",
        "  The symbolic reading and the solver: it does, for systems of any size.",
        "  The concrete reading: in this state, which satisfies every invariant,",
        "    member[FIRST] = True",
        "    member[station2] = True",
        "    token_at[FIRST] = True",
        "  the call give(station=FIRST, to=station2) changes",
        "    token_at[station2]: False -> True",
        "  and then it does not hold for one=FIRST, other=station2.",
    ]
    assert "1 obligation is broken" in out
    assert "UNKNOWN" not in out


def test_it_is_in_the_json_too_and_the_obligation_is_not_counted_as_proved(
    gullible: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = ran(capsys, "--spec", "token_ring:KEEPS", "--format", "json")
    told: Any = json.loads(out)
    assert code == 70
    assert [(d["operation"], d["exit"], d["statement"]) for d in told["disagreements"]] == [("give", "ok", "one_token")]
    assert told["unknown"] == 1
    assert told["tried"] > 1000


def test_alone_nothing_is_tried(gullible: None, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = ran(capsys, "--spec", "token_ring:KEEPS", "--alone")
    assert code == 0
    assert "held against" not in out


def test_a_state_that_cannot_be_reached_is_tried_too(gullible: None) -> None:
    """Nothing is ever on a shelf, so no search comes to what goes wrong; a proof by induction speaks of it all the same."""

    def touch(room: Any, shelf: Any, book: Any) -> None:
        require(room.at[book] != none, "NOWHERE")
        room.busy[shelf] = True

    report = prove(ROOM.replace(touch=touch, sound=never_busy), traces=False)
    assert [(d.operation, d.statement) for d in report.disagreements] == [("touch", "sound")]


def test_a_call_that_makes_no_sense_is_seen(gullible: None) -> None:
    def touch(room: Any, shelf: Any, book: Any) -> None:
        room.line[shelf].pop()

    report = prove(ROOM.replace(touch=touch), traces=False)
    assert [(d.operation, d.statement, d.after) for d in report.disagreements] == [("touch", "well_defined", None)]


@pytest.mark.parametrize("name", ["connect_event", "accept_attach", "send", "read_socket", "connect_socket"])
def test_operations_that_take_long_chains_of_calls_are_tried_where_they_take_effect(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oneowner.checker.prove import beside

    exits: set[str] = set()
    tried = beside._States.tried

    def noted(*given: Any) -> beside.Tried:
        found = tried(*given)
        exits.update(found.exits)
        return found

    monkeypatch.setattr(beside._States, "tried", noted)
    report = prove(SPEC, chosen_operations=[name], chosen_statements=["exclusive_mapping"], traces=False)
    assert exits & set(EFFECTIVE) == {o.exit for o in report.obligations if o.exit in EFFECTIVE}
    assert report.tried > 500
    assert report.disagreements == []
