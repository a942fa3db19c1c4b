"""Every obligation can be asked of another solver, kept as SMT-LIB 2, and its proof as a certificate."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import token_ring
from bells import BELLS
from command import run
from counted import COUNTED
from test_soundness import ROOM, at_most
from token_ring import KEEPS, RING

from oneowner.checker.command_line import main
from oneowner.checker.prove import PROVED, REFUTED, prove, second, second_answers
from oneowner.checker.prove import prover as proving
from oneowner.model.language import Spec
from oneowner.spec import SPEC

ROOT = Path(__file__).resolve().parent.parent
HERE = {"PYTHONPATH": str(Path(token_ring.__file__).parent)}


@pytest.mark.parametrize("spec", [RING, KEEPS, BELLS, ROOM.replace(sound=at_most)], ids=lambda spec: spec.name)
def test_both_solvers_say_the_same(spec: Spec) -> None:
    first = {(o.operation, o.exit, o.statement): o.status for o in prove(spec, traces=False).obligations}
    second = {(a.operation, a.exit, a.statement): a.status for a in second_answers(spec)}
    assert second == {key: said for key, said in first.items() if key[2] != "refusal_is_identity"}


def test_an_operation_of_the_specification_is_proved_by_both() -> None:
    answers = second_answers(SPEC, chosen_operations=("free", "initially"))
    assert {a.status for a in answers} == {PROVED}
    assert {a.queries > 0 for a in answers} == {True, False}
    first = prove(SPEC, chosen_operations=("free", "initially"), alone=True).obligations
    assert len(answers) == sum(o.statement != "refusal_is_identity" for o in first)


def test_solvers_that_disagree_are_an_error_of_the_tool(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proving.Prover, "_ask", lambda *_: (PROVED, None, ""))
    arguments = ["prove", "--spec", "token_ring:KEEPS", "--alone", "--second-solver", "cvc5", "--jobs", "1"]
    for format in ("pretty", "json"):
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--format", format])
        assert ended.value.code == 70
        out = capsys.readouterr().out
        if format == "pretty":
            assert "DISAGREEMENT of solvers about give/ok and one_token: z3 says proved, cvc5 refuted" in out
        else:
            assert json.loads(out)["second"]["disagreements"] == ["give/ok one_token"]


def test_queries_are_written_and_another_solver_reads_them(tmp_path: Path) -> None:
    import z3

    ran = run("prove", "--spec", "token_ring:KEEPS", "--smt2", str(tmp_path), env=HERE)
    assert ran.code == 1
    files = sorted(tmp_path.iterdir())
    assert f"{len(files)} queries written" in ran.out
    said = {}
    for file in files:
        solver = z3.Solver()
        solver.from_file(str(file))
        said[file.stem] = solver.check()
    assert [name for name, answer in said.items() if answer != z3.unsat] == ["give-ok-one_token-1"]
    text = (tmp_path / "give-ok-one_token-1.smt2").read_text()
    assert text.startswith("; give/ok against one_token, path 1: unsat where it holds for any size\n(set-logic ALL)\n")


def test_certificates_have_no_holes_and_are_of_every_query_that_is_proved(tmp_path: Path) -> None:
    ran = run("prove", "--spec", "token_ring:KEEPS", "--second-solver", "cvc5", "--certificates", str(tmp_path), env=HERE)
    assert ran.code == 1
    assert "certificates: 0 steps in them are taken on trust" in ran.out
    (asked,) = re.findall(r"asked in (\d+) queries", ran.out)
    files = list(tmp_path.iterdir())
    assert len(files) == int(asked) - 1
    for file in files:
        text = file.read_text()
        assert "false :rule" in text
        assert text.count("(") == text.count(")")


def test_a_refutation_by_the_second_solver_is_no_certificate() -> None:
    (refuted,) = [a for a in second_answers(KEEPS) if a.status != PROVED]
    assert (refuted.operation, refuted.statement, refuted.status) == ("give", "one_token", REFUTED)


@pytest.mark.parametrize("said", [("unknown", "sat"), ("sat", "unknown"), ("unsat", "sat")])
def test_a_path_that_is_refuted_refutes_whatever_is_not_known_of_another(
    said: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [second.Query("give", "ok", "one_token", number, []) for number in (1, 2)]
    monkeypatch.setattr(second.Query, "text", lambda query: said[query.path - 1])
    monkeypatch.setattr(second, "_ask", lambda text, options: (text, None))
    assert second._answer(asked, None, None, True)[0] == REFUTED


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--certificates", "there"], "give --second-solver cvc5 too"),
        (["--second-solver", "vampire"], "'vampire' is not 'cvc5'"),
        (["--smt2", "/proc/there"], "/proc/there"),
    ],
)
def test_what_cannot_be_asked_is_said_so(arguments: list[str], says: str) -> None:
    ran = run("prove", "--spec", "token_ring:RING", *arguments, env=HERE)
    assert ran.code == 2
    assert says in ran.err


def test_without_it_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "cvc5", None)
    with pytest.raises(SystemExit) as ended:
        main(["prove", "--spec", "token_ring:RING", "--second-solver", "cvc5"])
    assert ended.value.code == 2
    assert "pip install 'oneowner[cvc5]'" in capsys.readouterr().err


def test_the_page_that_make_cross_writes_is_of_this_specification() -> None:
    page = (ROOT / "docs" / "second-solver.md").read_text(encoding="utf-8")
    assert f"| all | {COUNTED['obligations']} |" in page
    assert "| disagreements | 0 |" in page
    assert "tools/cross.py < cross.json > docs/second-solver.md" in (ROOT / "Makefile").read_text(encoding="utf-8")
