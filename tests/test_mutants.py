"""Mutants: on a toy module every operator makes some, its oracle kills them, and none is judged twice or runs for ever."""

from __future__ import annotations

import ast
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from c_judges import c_suite, mutants_of_core
from c_mutation import c_mutants
from held import SURVIVED, Judge, Package, Results, imported, judged, watch
from judges import Coverage, fuzz_judge, suite_judge
from mutants import chosen
from mutation import Mutant, mutants
from sampling import EVERY
from spec_mutation import contradicted, refuted, spec_mutants
from subjects import InC, InPython
from teeth import Campaign, Fate, page, read_equivalents, stale

from oneowner.reference_impl import implementation
from oneowner.spec import SPEC

TOY = '''
"""Counts."""

__all__ = ["count"]

LIMIT = 3


def count(words: list[str], limit: int = LIMIT, strict: bool = True) -> int | None:
    """How many different words there are, up to a limit."""
    seen: list[str] = []
    found = 0
    for word in words:
        if word == "" or word in seen:
            continue
        if found >= limit and strict:
            break
        seen.append(word)
        found += 1
    assert found >= 0
    return found
'''
CASES: list[tuple[list[str], dict[str, int | bool], int]] = [
    ([], {}, 0),
    (["a", "", "b", "a"], {}, 2),
    (["a", "b", "a", "c", "d", ""], {}, 3),
    (["a", "b", "c"], {"limit": 0, "strict": False}, 3),
    (["", "a", "a"], {"limit": 1}, 1),
]


def oracle(cases: list[tuple[list[str], dict[str, int | bool], int]]) -> Judge:
    def judge(module: ModuleType, mutant: Mutant) -> str:
        watch(0.5)
        for words, options, expected in cases:
            try:
                answer = module.count(words, **options)
            except Exception as error:
                return type(error).__name__
            if answer != expected or isinstance(answer, bool):
                return f"{words} gives {answer}"
        return ""

    return judge


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Package]:
    def made(text: str) -> Package:
        name = f"toy_{abs(hash(text))}"
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return Package(name)

    return made


def verdicts(package: Package, judge: Judge, folder: Path) -> dict[str, str]:
    """By mutant without the name of its file, what became of it."""
    found = judged(package.mutants(), imported(package, judge), Results(folder), stage="toy", digest="1", jobs=2)
    return {each.id.partition(":")[2]: each.verdict for each in found}


def test_every_operator_makes_mutants_which_a_thorough_oracle_kills(toy: Callable[[str], Package], tmp_path: Path) -> None:
    found = verdicts(toy(TOY), oracle(CASES), tmp_path)
    operators = Counter(name.split(":")[1] for name in found)
    assert set(operators) == {
        *("delete", "swap", "negate", "compare", "drop", "and-or", "constant", "constant+1", "constant-1", "string"),
        *("arithmetic", "return-none", "break-continue"),
    }
    survived = {name for name, verdict in found.items() if verdict == SURVIVED}
    # it makes no difference whether a word is remembered or counted first, whether words over the limit are looked at, or how far
    # below what there is an assertion is
    assert survived == {"count:swap:1", "count:break-continue:2", "count:constant-1:3"}


def test_a_weak_oracle_lets_most_survive(toy: Callable[[str], Package], tmp_path: Path) -> None:
    found = verdicts(toy(TOY), oracle(CASES[:1]), tmp_path)
    assert Counter(found.values())[SURVIVED] > len(found) / 2


def test_a_mutant_has_the_same_name_wherever_its_function_moves() -> None:
    moved = TOY.replace("LIMIT = 3", "LIMIT = 3\n\n\ndef other(a: int) -> int:\n    return a + 1\n")
    before = {m.id: m.diff for m in mutants("toy.py", ast.parse(TOY))}
    after = {m.id: m.diff for m in mutants("toy.py", ast.parse(moved))}
    assert before.items() <= after.items()
    assert before["toy.py:count:compare:3"] == "- if found >= limit and strict:\n+ if found > limit and strict:"
    assert before["toy.py:count:swap:1"] == "- seen.append(word)\n- found += 1\n+ found += 1\n+ seen.append(word)"


def test_assignments_that_touch_nothing_in_common_are_not_swapped() -> None:
    def swaps(text: str) -> int:
        return sum(m.operator == "swap" for m in mutants("toy.py", ast.parse(text)))

    assert swaps("a.x = 1\nb.y = 2\n") == 0
    assert swaps("a.x = 1\nb.y = a.x\n") == 1
    assert swaps("a.x = 1\nb.x = 2\n") == 1
    assert swaps("a.x = f()\nb.y = 2\n") == 1


def test_what_was_judged_is_not_judged_again(toy: Callable[[str], Package], tmp_path: Path) -> None:
    package, log = toy(TOY), tmp_path / "asked"

    def judge(module: ModuleType, mutant: Mutant) -> str:
        with log.open("a") as file:
            file.write(f"{mutant.id}\n")
        return "all are killed"

    def run(some: list[Mutant], digest: str) -> int:
        list(judged(some, imported(package, judge), Results(tmp_path), stage="toy", digest=digest, jobs=2))
        return len(log.read_text().splitlines())

    some = [m for m in package.mutants() if m.operator == "compare"]
    assert run(some[:2], "1") == 2
    assert run(some, "1") == len(some)
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"id": "cut o')  # as by a campaign that was killed
    assert run(some, "1") == len(some)
    assert run(some[:1], "2") == len(some) + 1
    assert run(some[:1], "2") == len(some) + 1


def test_an_endless_loop_is_stopped_and_so_is_a_child_that_only_waits(toy: Callable[[str], Package], tmp_path: Path) -> None:
    package = toy("def wait(n):\n    while n > 0:\n        n -= 1\n    return n\n")
    (endless,) = [m for m in package.mutants() if m.operator == "arithmetic"]

    def loops(module: ModuleType, mutant: Mutant) -> str:
        watch(0.2)
        return str(module.wait(3))

    def waits(module: ModuleType, mutant: Mutant) -> str:
        time.sleep(60)
        return ""

    for number, judge in enumerate((loops, waits)):
        (verdict,) = judged([endless], imported(package, judge), Results(tmp_path), stage="toy", digest=str(number), longest=1.0)
        assert (verdict.verdict, verdict.by) == ("killed", "timeout")
        assert verdict.took < 20


def test_a_child_that_takes_all_memory_is_killed_and_a_judge_that_fails_decides_nothing(
    toy: Callable[[str], Package], tmp_path: Path
) -> None:
    package = toy("A = 1\nB = bytes(1)\n")
    by_operator = {m.operator: m for m in package.mutants()}

    def fails(module: ModuleType, mutant: Mutant) -> str:
        bytes(1 << 40)
        return ""

    (verdict,) = judged([by_operator["constant+1"]], imported(package, fails), Results(tmp_path), stage="toy", digest="1")
    assert verdict.verdict == "undecided"
    assert "MemoryError" in verdict.by

    def dies(module: ModuleType, mutant: Mutant) -> str:
        os._exit(7)

    (verdict,) = judged([by_operator["constant+1"]], imported(package, dies), Results(tmp_path), stage="toy", digest="2")
    assert (verdict.verdict, verdict.by) == ("killed", "the process ended with 7")


def test_every_row_of_equivalent_mutants_is_about_one(tmp_path: Path) -> None:
    assert stale(read_equivalents(), [*InPython(tmp_path).mutants, *InC(tmp_path).mutants]) == []


def test_a_page_tells_survivors_and_leaves_equivalent_ones_out_of_the_counts(
    toy: Callable[[str], Package], tmp_path: Path
) -> None:
    package = toy(TOY)
    found = package.mutants()
    by_id = {m.id: m for m in found}
    told = [
        Fate(by_id[verdict.id], verdict, reason="It is." if by_id[verdict.id].operator == "swap" else "")
        for verdict in judged(found, imported(package, oracle(CASES)), Results(tmp_path), stage="toy", digest="1", jobs=2)
    ]
    text = page(Campaign("a toy", "nothing", ("the suite", "fuzzing"), "All.", told), {"other.py": "not asked"})
    assert f"| mutants | {len(found) - 1} | 100.0 % |" in text
    assert "| survived the suite, the other not asked | 2 |" in text
    assert "+ continue" in text
    assert "becomes `found += 1; seen.append(word)`. It is." in text


def test_a_sample_is_the_same_for_a_seed_and_a_place_is_a_file_or_a_function_in_it(tmp_path: Path) -> None:
    subject = InPython(tmp_path)
    assert chosen(subject, [], 20, 1) == chosen(subject, [], 20, 1) != chosen(subject, [], 20, 2)
    assert {m.function for m in chosen(subject, ["control_os.py:boot"], None, 1)} == {"ControlOS.boot"}
    assert {m.file for m in chosen(subject, ["memory.py"], None, 1)} == {"memory.py"}
    assert "bugs.py" not in {m.file for m in chosen(subject, [], None, 1)}


def test_the_suite_and_fuzzing_kill_what_is_seen_and_let_live_what_the_suite_does_not_come_to(tmp_path: Path) -> None:
    subject, results = InPython(tmp_path), Results(tmp_path)
    wrong = next(m for m in subject.mutants if m.id == "control_os.py:ControlOS.allocate:return-none:1")
    found = []
    for stage, judge in (
        ("suite", suite_judge(SPEC, Coverage({f"control_os.py:{wrong.line}": [0]}))),
        ("nothing", suite_judge(SPEC, Coverage({}))),
        ("fuzz", fuzz_judge(SPEC, 30.0, 1)),
    ):
        found += judged([wrong], imported(subject.package, judge), results, stage=stage, digest="1")
    assert [(v.verdict, v.by) for v in found] == [("killed", "allocate/ok"), ("survived", ""), ("killed", "allocate/ok")]


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs cc")
def test_a_mutant_in_c_is_built_and_reached() -> None:
    found = {(m.function, m.diff): m for m in mutants_of_core()}
    hold = c_suite(SPEC)
    assert hold(found["op_free", '- REQUIRE(!regions[at].queued, "EBUSY");']) == ("killed", "free/EBUSY")
    assert hold(found["op_free", "- CALLER(caller);"])[0] == "stillborn"


def test_a_line_of_the_specification_is_missed_by_proof_or_by_the_implementation() -> None:
    found = {(m.function, m.diff): m for m in spec_mutants()}
    assert refuted(SPEC)(found["open", "- running(system, process)"]) == ("killed", "open: makers_live")
    allowed = found["permit", "- require(system.status[partition] == ACTIVE, ESRCH)"]
    if EVERY:
        assert refuted(SPEC)(allowed) == ("survived", "")
    assert contradicted(SPEC, implementation())(allowed)[0] == "killed"
    shared = found["running", "- require(system.life[process] == RUNNING, EBUSY)"]
    assert {"open", "read_socket"} <= set(shared.applied(SPEC)[1])


def test_c_is_changed_in_its_functions_where_it_is_compiled() -> None:
    text = """
    #define TWICE(x) \\
        ((x) + (x))
    static int limit = 3;
    int count(int n) {
        int found = 0; /* n + 1 */
        if (n < limit && !found)
            n = -1;
    #ifdef BUG
        n = 7;
    #endif
        found += n;
        seen(n, "n - 1");
        return found;
    }
    """
    found = {m.id.partition(":")[2]: m for m in c_mutants("toy.c", text)}
    assert all(m.function == "count" for m in found.values())
    assert found["count:swap:1"].diff == '- found += n;\n- seen(n, "n - 1");\n+ seen(n, "n - 1");\n+ found += n;'
    assert [m.after for m in found.values() if m.operator == "negate"] == [
        "if (!(n < limit && !found))",
        "if (n < limit && found)",
    ]
    assert {m.before for m in found.values() if m.operator == "delete"} == {"n = -1;", "found += n;", 'seen(n, "n - 1");'}
    assert {m.before for m in found.values() if m.operator == "arithmetic"} == {"found += n;"}
    assert {m.after for m in found.values() if m.operator == "return-zero"} == {"return 0;"}
    assert found["count:compare:1"].applied(text).count("<=") == 1
    assert len({m.applied(text) for m in found.values()}) == len(found)
