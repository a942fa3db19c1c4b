"""Fuzzing ends what belongs together and makes it once more, and asks for refusals of what a call may have touched."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from oneowner.checker.adapters import connect
from oneowner.checker.fuzz import Aim, changed
from oneowner.checker.session import Mismatch, Session
from oneowner.model.language import EFFECTIVE, Spec, Step
from oneowner.reference_impl import implementation
from oneowner.spec import SPEC

NEWER = "py:oneowner.reference_impl.newer_bugs"
TRIES = 60

LISTENING: list[tuple[str, dict[str, Any]]] = [
    ("create_partition", {"caller": 1}),
    ("create_process", {"caller": 1}),
    ("create_receiver", {"caller": 2}),
    ("create_port", {"caller": 2, "receiver": 1}),
    ("socket", {"process": 1, "mode": 0}),
    ("bind", {"process": 1, "fd": 1, "service": 1}),
    ("listen", {"process": 1, "fd": 1, "backlog": 1}),
    ("connect", {"caller": 2, "port": 1, "partition": 1, "service": 1}),
    ("accept_socket", {"process": 1, "fd": 1, "wait": False}),
]
TAKEN_OVER = [
    ("close", {"process": 1, "fd": 1}),
    ("socket", {"process": 1, "mode": 0}),
    ("bind", {"process": 1, "fd": 1, "service": 1}),
    ("listen", {"process": 1, "fd": 1, "backlog": 1}),
    ("create_process", {"caller": 1}),
    ("socket", {"process": 2, "mode": 0}),
]
TWO_CHANNELS = [
    ("create_partition", {"caller": 1}),
    *[(name, arguments) for number in (1, 2) for name, arguments in (
        ("create_receiver", {"caller": 1}),
        ("create_port", {"caller": 1, "receiver": 2 * number - 1}),
        ("create_receiver", {"caller": 2}),
        ("create_port", {"caller": 2, "receiver": 2 * number}),
        ("connect", {"caller": 1, "port": 2 * number - 1, "partition": 2, "service": 1}),
        ("take_signal", {"caller": 2}),
        ("accept", {"caller": 2, "signal": 1, "port": 2 * number}),
    )],
    ("close_port", {"caller": 2, "port": 2}),
]  # fmt: skip


def aimed(spec: Spec, where: Any, calls: Sequence[Step], seed: int, ways: Sequence[Sequence[Step]] = ()) -> Aim:
    """A run of fuzzing that has made some calls."""
    session = Session(spec, where, spec.fuzz_scope)
    aim = Aim(session, random.Random(seed), [], ways=ways)
    for name, arguments in calls:
        made = arguments | session.fresh(spec.actions[name])
        assert session.compare_values(name, arguments) in EFFECTIVE, (name, arguments)
        aim.lives.note(name, made)
    return aim


@pytest.mark.parametrize(
    ("bug", "calls", "last"),
    [
        ("connection_unbinds_next_listener", [*LISTENING, *TAKEN_OVER], ("close", {"process": 1, "fd": 2})),
        ("second_end_not_told", TWO_CHANNELS, ("terminate", {"caller": 1, "partition": 2})),
    ],
)
def test_a_refusal_shows_what_no_look_does(bug: str, calls: list[tuple[str, dict[str, Any]]], last: tuple[str, Any]) -> None:
    blamed: list[str] = []
    for seed in range(TRIES):
        aim = aimed(SPEC, connect(f"{NEWER}:{bug}"), calls, seed)
        before = aim.session.vector
        aim.session.compare_values(*last)
        try:
            aim.knock(before)
        except Mismatch as mismatch:
            blamed.append(mismatch.clause)
    assert 0 < len(blamed) < TRIES
    assert not any(clause.endswith("/ok") for clause in blamed)


def test_what_is_known_to_fail_is_no_look() -> None:
    aim = aimed(SPEC, implementation(), [*LISTENING, *TAKEN_OVER], 1)
    aim.failing = {f"{name}/{exit}" for name, each in aim.session.causes.items() for exit in each.last} - {"bind/EADDRINUSE"}
    before = aim.session.vector
    aim.session.compare_values("close", {"process": 1, "fd": 2})
    looked = len(aim.session.recorded)
    for _ in range(TRIES):
        aim.knock(before)
    made = [call for call in aim.session.recorded[looked:] if not call.probe]
    assert {f"{call.operation}/{call.exit}" for call in made} == {"bind/EADDRINUSE"}


def test_the_right_system_is_asked_for_refusals_alone() -> None:
    aim = aimed(SPEC, implementation(), [*LISTENING, *TAKEN_OVER], 1)
    before, number = aim.session.vector, len(aim.session.recorded)
    aim.session.compare_values("close", {"process": 1, "fd": 2})
    after, looked = aim.session.vector, len(aim.session.recorded)
    aim.knock(before)
    assert aim.session.vector == after
    knocked = aim.session.recorded[looked:]
    assert looked > number
    assert knocked
    assert all(call.exit not in EFFECTIVE for call in knocked if not call.probe)


def test_what_a_call_changed_is_told_by_element() -> None:
    aim = aimed(SPEC, implementation(), LISTENING, 1)
    before = aim.session.vector
    assert changed(aim.session.model, before, before) == []
    aim.session.compare_values("close", {"process": 1, "fd": 2})
    found = {(kind.__name__, element) for kind, element in changed(aim.session.model, before, aim.session.vector)}
    assert ("Fd", 2) in found
    assert ("Fd", 1) not in found


def test_what_ends_is_made_once_more_with_what_is_given_out_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneowner.checker.fuzz.lives.REMADE", 1)
    monkeypatch.setattr("oneowner.checker.fuzz.aim.KNOCKED", 0)
    monkeypatch.setattr("oneowner.checker.fuzz.aim.BESIDES", 0)
    bound = 0
    for seed in range(TRIES):
        aim = aimed(SPEC, implementation(), LISTENING, seed)
        number = len(aim.lives.made)
        aim.lives.turn()
        names = [name for name, _ in aim.lives.made[number:]]
        if "close" in names[:1]:
            bound += names[1:4] == ["socket", "bind", "listen"]
    assert bound


def test_what_is_always_there_does_not_end() -> None:
    for seed in range(TRIES):
        aim = aimed(SPEC, implementation(), TWO_CHANNELS, seed)
        for _ in range(3):
            aim.lives.turn()
        assert not aim.session.model.unused(aim.session.vector)[next(iter(SPEC.unused))] >> 1 & 1


def test_it_ends_nothing_where_nothing_was_made() -> None:
    aim = aimed(SPEC, implementation(), [], 1)
    aim.lives.turn()
    assert aim.session.recorded == []


WAY: list[Step] = [*LISTENING, ("create_process", {"caller": 1}), ("socket", {"process": 2, "mode": 0})]


def gone(ways: Sequence[Sequence[Step]], calls: Sequence[Step], seed: int) -> list[str]:
    """The operations of the calls that a detour makes after others, with nothing else between."""
    aim = aimed(SPEC, implementation(), calls, seed, ways)
    number = len(aim.lives.made)
    aim.detours.go(aim.successes)
    return [name for name, _ in aim.lives.made[number:]]


def test_a_detour_goes_a_way_with_what_is_given_out_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneowner.checker.fuzz.detours.SHARED", 0)
    other = [("create_partition", {"caller": 1}), ("create_process", {"caller": 1}), ("create_receiver", {"caller": 1})]
    assert gone([WAY], other, 1) == [name for name, _ in WAY]


def test_a_detour_shares_what_the_run_was_given_by_the_same_operation_and_leaves_out_what_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oneowner.checker.fuzz.detours.SHARED", 1)
    for seed in range(6):
        assert not [name for name in gone([WAY], WAY, seed) if name.startswith("create")]
    assert [name for name in gone([WAY], LISTENING, 1) if name.startswith("create")] == ["create_process"]


def test_a_detour_goes_a_way_with_what_has_succeeded_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneowner.checker.fuzz.detours.AMONG", 40)
    ways = [[("create_partition", {"caller": 1})], [("create_process", {"caller": 1})]]
    for seed in range(6):
        aim = aimed(SPEC, implementation(), [], seed, ways)
        aim.detours.go({"create_partition": 1})
        assert [name for name, _ in aim.lives.made] == ["create_process"]


def test_only_what_takes_effect_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOKED_AFTER", "KNOCKED", "BESIDES"):
        monkeypatch.setattr(f"oneowner.checker.fuzz.aim.{name}", 0)
    monkeypatch.setattr("oneowner.checker.fuzz.lives.REMADE", 1)
    for seed in range(12):
        aim = aimed(SPEC, implementation(), TWO_CHANNELS, seed, [WAY])
        aim.lives.turn()
        aim.detours.go({})
        aim.lives.turn()
        assert {call.exit for call in aim.session.recorded if not call.probe} <= set(EFFECTIVE)


def test_where_no_ways_are_known_there_is_no_detour() -> None:
    assert gone([], LISTENING, 1) == []
