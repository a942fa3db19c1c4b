"""Declared deviations: what is known to be answered otherwise fails nothing, hides nothing else, and is fuzzed around."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import conforming
import pytest
from command import run

from oneowner.checker.conform import FAIL, Conformance, code_of
from oneowner.checker.fuzz import fuzz
from oneowner.checker.session import Declared, Mismatch, read_declared, smallest_failure
from oneowner.checker.suite import stored_suite
from oneowner.model.language import SpecError
from oneowner.spec import SPEC

REFERENCE = "py:oneowner.reference_impl"


class Shorter(conforming.Around):
    """Says EINVAL of a short message that is too long."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"error": "EINVAL"} if operation == "send" and answer == {"error": "EMSGSIZE"} else answer


class Held(Shorter):
    """And frees a region that is a file, or that a process has mapped, though it does not say so."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"ok": None} if operation == "free" and answer == {"error": "EBUSY"} else answer


SHORTER = Declared("send/EMSGSIZE", reason="what is too long is no argument")
OF_FILES = Declared("free/EBUSY", "free/EBUSY#region_file", "files come later")
CAUSES = {c for s in stored_suite(SPEC) for c in s.causes if c.startswith("free/EBUSY#")}


def test_fuzzing_goes_on_after_what_is_declared_and_says_how_often_it_came() -> None:
    found = fuzz(SPEC, Shorter(), seconds=6, seed=3, declared=[SHORTER])
    assert not found.failures
    assert found.known["send/EMSGSIZE"] > 0
    assert found.clauses["send/ok"] > 0


def test_fuzzing_finds_what_is_not_declared_behind_what_is() -> None:
    found = fuzz(SPEC, Held(), seconds=30, seed=3, declared=[SHORTER])
    assert [failure.clause for failure in found.failures] == ["free/EBUSY"]
    assert found.failures[0].causes <= CAUSES


def test_a_deviation_of_one_cause_is_none_of_the_others_of_its_clause() -> None:
    assert OF_FILES.cause in CAUSES
    suite = [s for s in stored_suite(SPEC) if set(s.causes) & CAUSES]
    report = Conformance(SPEC, Held(), "held", suite, profiles=("all",), declared=[SHORTER, OF_FILES]).run()
    assert [v.clause for v in report.broken] == ["free/EBUSY"]
    failure = report.verdicts["free/EBUSY"].failure
    assert failure is not None
    assert OF_FILES.cause not in failure.causes
    every = [SHORTER, *(Declared("free/EBUSY", cause, "all") for cause in sorted(CAUSES))]
    assert not Conformance(SPEC, Held(), "held", suite, profiles=("all",), declared=every).run().broken


def test_a_failure_that_is_not_declared_is_not_made_short_into_one_that_is() -> None:
    suite = [s for s in stored_suite(SPEC) if "send/EMSGSIZE" in s.clauses][:3]
    seen = Conformance(SPEC, Shorter(), "shorter", suite, profiles=("all",)).run().verdicts["send/EMSGSIZE"].failure
    assert seen is not None
    (cause, *_) = seen.causes
    mismatch = Mismatch(seen.clause, "as it was seen first")
    mismatch.causes = frozenset(["send/EMSGSIZE#another"])
    for known, says in (([], seen.text), ([Declared(seen.clause, cause)], "as it was seen first")):
        found = smallest_failure(SPEC, Shorter(), seen.scope, seen.calls, mismatch, deviations=known)
        assert found.text == says


def test_conform_fuzzes_what_fails_only_as_it_is_declared() -> None:
    suite = [s for s in stored_suite(SPEC) if "send/EMSGSIZE" in s.clauses][:3]
    run = Conformance(SPEC, Shorter(), "shorter", suite, profiles=("all",), declared=[SHORTER], seconds=3, seed=1)
    report = run.run()
    assert report.verdicts["send/EMSGSIZE"].status == FAIL
    assert not report.broken
    assert not report.not_fuzzed
    assert report.calls > 1000


def test_why_there_was_no_fuzzing_is_said() -> None:
    where = "py:oneowner.reference_impl.bugs:queued_twice"
    ran = run("conform", where, "--profile", "core", "-k", "send/EBUSY", "--time", "5")
    assert ran.code == 1
    assert "not fuzzed: send/EBUSY fails" in ran.out
    told = run("conform", where, "--profile", "core", "-k", "send/EBUSY", "--time", "5", "--format", "json").json
    assert told["budget"]["not_fuzzed"] == "send/EBUSY fails"
    assert told["budget"]["fuzz_seconds"] == 0


def test_what_is_declared_wrongly_is_told_also_where_something_else_fails() -> None:
    suite = [s for s in stored_suite(SPEC) if {"send/EMSGSIZE", "free/EFAULT"} & set(s.clauses)][:4]
    wrongly = Declared("free/EFAULT", reason="no reason")
    report = Conformance(SPEC, Shorter(), "shorter", suite, profiles=("all",), declared=[wrongly]).run()
    code, why = code_of(report)
    assert code == 1
    assert why == "1 clause fails; listed as known to fail, but right: free/EFAULT; take them off the list"


def test_the_reason_and_the_link_stand_in_the_statement_and_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "deviations.toml").write_text(
        '[[deviation]]\nclause = "send/EBUSY"\nreason = "to itself"\nlink = "https://example.org/7"\n'
    )
    where = "py:oneowner.reference_impl.bugs:queued_twice"
    chosen = ("--profile", "core", "-k", "send/EBUSY", "--deviations", "deviations.toml")
    ran = run("conform", where, *chosen, "--report", "html=page.html,statement=told.json", cwd=tmp_path)
    assert ran.code == 0, ran.out
    for name in ("page.html", "told.json"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "to itself" in text
        assert "https://example.org/7" in text


def test_fuzz_takes_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "deviations.toml").write_text('[[deviation]]\nclause = "send/EMSGSIZE"\nreason = "so it is"\n')
    (tmp_path / "shorter.py").write_text(
        "from oneowner.reference_impl import implementation as made\n\n\n"
        "class Shorter:\n"
        "    def __init__(self): self.made = made()\n"
        "    def __getattr__(self, name): return getattr(self.made, name)\n"
        "    def call(self, operation, arguments):\n"
        "        answer = self.made.call(operation, arguments)\n"
        "        return {'error': 'EINVAL'} if answer == {'error': 'EMSGSIZE'} and operation == 'send' else answer\n\n\n"
        "implementation = Shorter\n"
    )
    chosen = ("--time", "3", "--seed", "1", "--deviations", "deviations.toml")
    for jobs in ("1", "2"):
        ran = run("fuzz", "py:shorter", *chosen, "--jobs", jobs, "--format", "json", cwd=tmp_path)
        assert not ran.json["failures"]
        assert ran.json["known_failing"]["send/EMSGSIZE"] > 0
        assert "send/EMSGSIZE" not in ran.json["unexercised"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[deviation]]\nclause = 'send/EMSGSIZE'\n", "deviation 1: say its clause and the reason"),
        ("[[deviation]]\nclause = 'send/EMSGSIZE'\nreason = 3\n", "deviation 1: reason: its fields are"),
        ("[[deviation]]\nclause = 'a/b'\nreason = 'r'\nwhy = 'x'\n", "deviation 1: why: its fields are clause, cause"),
        ("deviation = 3\n", "write a table [[deviation]] for each"),
        ("[deviations]\nclause = 'a/b'\n", "write a table [[deviation]] for each"),
        ("[[deviation]\n", "deviations.toml: "),
    ],
)
def test_a_file_that_is_none_says_what_to_write(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "deviations.toml"
    path.write_text(text)
    with pytest.raises(SpecError) as error:
        read_declared(path)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("clause", "cause", "says"),
    [
        ("steal/ok", "", "no clause is called 'steal/ok'"),
        ("free/EBUSY", "free/EBUSY#sunday", "free/EBUSY has no cause 'free/EBUSY#sunday'"),
        ("free/EFAULT", OF_FILES.cause, "free/EFAULT has no cause"),
    ],
)
def test_a_clause_or_a_cause_that_there_is_not_is_no_deviation(clause: str, cause: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text(f'[[deviation]]\nclause = "{clause}"\ncause = "{cause}"\nreason = "r"\n')
    for command in ("fuzz", "conform"):
        ran = run(command, REFERENCE, "--deviations", "d.toml", cwd=tmp_path)
        assert ran.code == 2
        assert says in ran.err
