"""The right answers to the suite that are stored: who answers so is not held against the model, and every verdict is the same."""

from __future__ import annotations

import importlib
import random
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import conforming
import pytest

from oneowner.checker import AdapterError
from oneowner.checker.conform import FAIL, FLAKY, PASS, PERMITTED, Conformance, Report
from oneowner.checker.session import Mismatch, Session
from oneowner.checker.suite import ANSWERS, Sequence, answers, head, recorded, stored_suite
from oneowner.model.language import SpecError
from oneowner.reference_impl import bugs, implementation
from oneowner.spec import SPEC

SUITE = stored_suite(SPEC)
STORED = answers(SPEC)
assert STORED is not None


def conform(made: Any, *, stored: bool = True, suite: list[Sequence] = SUITE, **options: Any) -> Report:
    run = Conformance(SPEC, made, type(made).__name__, suite, profiles=("all",), **options)
    run._answers = STORED if stored else None
    return run.run()


def found(report: Report) -> dict[str, tuple[str, str, str]]:
    return {clause: (v.status, v.reason, v.shown) for clause, v in report.verdicts.items()}


def some(seed: int, number: int) -> list[Sequence]:
    return random.Random(seed).sample([s for s in SUITE if not s.cycle], number)


def test_the_answers_are_those_of_the_specification_and_of_the_suite_as_they_are_now() -> None:
    assert STORED is not None
    assert len(STORED.rows) == len(SUITE)


def test_some_of_them_are_what_an_implementation_is_found_right_with_now() -> None:
    assert STORED is not None
    assert SPEC.suite is not None
    text = SPEC.suite.with_name(ANSWERS).read_text(encoding="utf-8").splitlines()
    calls = text[1 : len(text) - len(SUITE)]
    chosen = some(3, 40)
    lines = recorded(SPEC, implementation(), chosen).splitlines()
    now, rows = lines[1 : len(lines) - len(chosen)], lines[-len(chosen) :]
    for sequence, row in zip(chosen, rows, strict=True):
        wanted = [calls[max(n, ~n)] for n in STORED.rows[sequence.number]]
        assert [now[int(n)] for n in row.strip("[]").split(",")] == wanted


def test_who_answers_so_is_asked_the_same_calls_and_found_the_same_as_where_none_are_stored() -> None:
    reports = []
    for stored in (True, False):
        made = Listens()
        report = conform(made, stored=stored, suite=some(1, 150))
        reports.append((made.heard, found(report), report.causes, report.calls, [v.times for v in report.verdicts.values()]))
    assert reports[0] == reports[1]
    assert len(reports[0][0]) > 3000
    assert reports[0][2]


class Listens(conforming.Around):
    """Takes note of what is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        self.heard.append(topology)
        return super().reset(topology)

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.heard.append((operation, dict(arguments)))
        return super().call(operation, arguments)


def test_the_model_is_not_asked_about_who_answers_so(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = []
    begin = Session._reset

    def counted(session: Session) -> None:
        sessions.append(session)
        begin(session)

    monkeypatch.setattr(Session, "_reset", counted)
    assert not conform(implementation(), suite=some(2, 50)).having(FAIL)
    assert len(sessions) == 1, "the smoke's"


@pytest.mark.parametrize("name", ["no_scrub", "self_send", "lost_wakeup", "lost_resume", "dead_senders_charge"])
def test_a_bug_has_the_verdicts_that_it_has_without_them(name: str) -> None:
    chosen = some(5, 120)
    with_them, without = (conform(getattr(bugs, name)(), stored=stored, suite=chosen) for stored in (True, False))
    assert found(with_them) == found(without)
    assert with_them.having(FAIL)


class WrongOnce(conforming.Around):
    """The first region that is freed is said to be in use; never again."""

    wrong = 1

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        if operation == "free" and answer == {"ok": None} and self.wrong:
            self.wrong -= 1
            return {"error": "EBUSY"}
        return answer


def test_an_answer_that_is_wrong_once_is_told_though_it_is_right_when_it_is_asked_again() -> None:
    assert conform(WrongOnce()).verdicts["free/ok"].status == FLAKY


class Another(conforming.Around):
    """Where a call may be refused for two reasons, it says the second of them."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"error": "EBADF"} if operation == "accept" and answer == {"error": "EINVAL"} else answer


def test_another_error_than_the_first_is_judged_as_it_is_without_them() -> None:
    chosen = [s for s in SUITE if any(c.startswith("accept/E") for c in s.clauses) and not s.cycle][:40]
    reports = [conform(Another(), stored=stored, suite=chosen) for stored in (True, False)]
    assert found(reports[0]) == found(reports[1])
    assert reports[0].having(FAIL, PERMITTED)


class Mints(conforming.Around):
    """Gives out handles of its own: other ones, or the same for all of a sort that die before the next comes."""

    HANDLE = re.compile(r"([a-z]+)-\d+")

    def __init__(self, *, again: bool) -> None:
        super().__init__()
        self.again = again

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        self.out: dict[str, str] = {}
        return dict(self._out(super().reset(topology)))

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        inward = {name: handle for handle, name in self.out.items()}
        known = {key: inward.get(value, value) if isinstance(value, str) else value for key, value in arguments.items()}
        return dict(self._out(super().call(operation, known)))

    def settle(self) -> list[dict[str, Any]]:
        return [dict(self._out(late)) for late in super().settle()]

    def _out(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._out(each) for key, each in value.items()}
        if not isinstance(value, str) or not (is_handle := self.HANDLE.fullmatch(value)):
            return value
        if value not in self.out:
            alike = [name for name in self.out.values() if name.startswith(is_handle[1])]
            lately = self.again and is_handle[1] == "port" and alike
            self.out[value] = alike[-1] if lately else f"{is_handle[1]}/{-len(self.out)}"
        return self.out[value]


def test_what_handles_are_called_is_not_a_difference() -> None:
    made = Mints(again=False)
    run = Conformance(SPEC, made, "mints", SUITE, profiles=("all",))
    run._built = True
    run._sequence = refusing(run)  # type: ignore[method-assign]
    assert {v.status for v in run.run().verdicts.values()} == {PASS}


def refusing(run: Conformance) -> Any:
    """As a run's sequences, but nothing may be judged."""

    def sequence(calls: Sequence, without: frozenset[str]) -> None:
        assert run._answered(calls, without) is None

    return sequence


def test_a_handle_that_is_given_out_again_is_a_difference() -> None:
    chosen = some(6, 60)
    reports = [conform(Mints(again=True), stored=stored, suite=chosen) for stored in (True, False)]
    assert found(reports[0]) == found(reports[1])
    assert any("must be new" in v.reason for v in reports[0].having(FAIL))


ODD = [None, [], "ok", {"ok": 1}, {"error": 3}, {"ok": None, "error": "E"}, {"suspended": 0}, ValueError("no")]


@pytest.mark.parametrize("answer", ODD)
def test_an_odd_answer_is_told_as_it_is_without_them(answer: Any) -> None:
    class Odd(conforming.Around):
        def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            right = super().call(operation, arguments)
            if operation != "create_partition" or "ok" not in right:
                return right
            if isinstance(answer, Exception):
                raise answer
            odd: dict[str, Any] = answer
            return odd

    told = []
    for stored in (True, False):
        try:
            told.append(str(found(conform(Odd(), stored=stored, suite=SUITE[:3]))))
        except (AdapterError, Mismatch) as error:
            told.append(str(error))
    assert told[0] == told[1]
    assert "create_partition" in told[0]


def test_another_text_of_the_specification_has_no_stored_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = importlib.import_module("oneowner.checker.suite.answers")
    monkeypatch.setattr(stored, "text_of", lambda spec: "another")
    assert answers(replace(SPEC)) is None
    assert answers(SPEC.replace(free=SPEC.actions["free"].function)) is None


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    assert SPEC.suite is not None
    suite = tmp_path / "suite.jsonl"
    shutil.copy(SPEC.suite, suite)
    moved = replace(SPEC, suite=suite)
    assert answers(moved) is None
    (tmp_path / ANSWERS).write_text(head(moved) + '\n["free"]\n', encoding="utf-8")
    with pytest.raises(SpecError, match="no answers"):
        answers(replace(moved))
