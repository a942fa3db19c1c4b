"""`oneowner export c`: the oracle that it writes judges as the checker does, stands alone in C, and stops what is wrong."""

from __future__ import annotations

import random
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bells import BELLS
from command import run
from oracles import STRICT, Beside, Built
from planting import without_writes
from random_specs import drawn
from test_c_implementation import NAMES, SOURCE
from test_compiled_reading import walked
from test_readings_agree import triples
from token_ring import AT_NONE, RING

from oneowner.checker import Unsupported
from oneowner.checker.adapters import connect
from oneowner.checker.export import export_c
from oneowner.checker.fuzz import Aim, targets
from oneowner.checker.session import Mismatch, Session
from oneowner.checker.suite import of
from oneowner.model import SpecError
from oneowner.model.compiled import Oracle
from oneowner.model.language import EFFECTIVE
from oneowner.model.symbolic import clauses
from oneowner.spec import SPEC

pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
    pytest.mark.xdist_group("export c"),  # what they share is built once
]
CORE = sorted(SPEC.profile("core"))
SIZES = {**SPEC.fuzz_scope, "messages": SPEC.fuzz_scope["ports"] * SPEC.fuzz_scope["queue_depth"]}
"""Messages never run out."""

CALLS = 1_500


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The oracle of all operations; to look for warnings in so much takes longer than to compile it."""
    folder = tmp_path_factory.mktemp("everything")
    return Built(export_c(SPEC, folder, SPEC.fuzz_scope), folder, ("-std=c11",))


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the oracle of the core, and it and what makes calls compiled."""
    folder = tmp_path_factory.mktemp("core")
    export_c(SPEC, folder / "oracle", SIZES, "core")
    compiled(folder, "oracle.o", folder / "oracle" / "oneowner.c")
    return folder


def compiled(folder: Path, name: str, source: Path, *flags: str) -> Path:
    """A source file, compiled as it is in somebody's own tree."""
    to = folder / name
    subprocess.run(["cc", *STRICT, "-O0", "-DORACLE", *flags, f"-I{folder}", "-c", "-o", to, source], check=True, timeout=120)
    return to


def beside(folder: Path, name: str, oracle: Path, *flags: str) -> str:
    """The C implementation with an oracle beside it, as a program."""
    if not (folder / "checked.o").exists() or flags:
        compiled(folder, "checked.o", SOURCE / "checked.c", *(flag for flag in flags if "BUG" not in flag))
    core = compiled(folder, f"{name}.o", SOURCE / "core.c", *flags)
    subprocess.run(["cc", "-o", folder / name, core, folder / "checked.o", oracle], check=True)
    return str(folder / name)


class Wrong:
    """Puts wrong answers in the place of right ones, now and then; and some that are permitted."""

    def __init__(self, chance: random.Random, errors: list[str]) -> None:
        self.chance, self.errors = chance, errors
        self.shown: list[str] = []

    def answer(self, operation: str, right: dict[str, Any]) -> dict[str, Any]:
        chance, value = self.chance, right.get("ok")
        if chance.random() > 0.04:
            return right
        ways: list[dict[str, Any]] = [{"error": chance.choice(self.errors)}, {"suspended": None}]
        if isinstance(value, bool):
            ways += 2 * [{"ok": not value}]
        if isinstance(value, str) and value in self.shown:
            ways += 2 * [{"ok": chance.choice(self.shown)}, {"ok": "brand-new"}]
        if isinstance(value, dict):
            ways += 2 * [{"ok": self._spoilt(value)}]
        return chance.choice(ways)

    def late(self, right: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not right or self.chance.random() > 0.3:
            return right
        first, *rest = right
        who = {"process": first["process"]}
        ways = [None, {**who, "error": "ECANCELED"}, {**who, "error": "ECONNREFUSED"}]
        if "error" in first:
            ways.append({**who, "ok": None})
        if isinstance(first.get("ok"), dict):
            ways += 3 * [{**who, "ok": self._spoilt(first["ok"])}]
        way = self.chance.choice(ways)
        return [way, *rest] if way else rest

    def _spoilt(self, value: dict[str, Any]) -> dict[str, Any]:
        name = self.chance.choice(list(value))
        other = {bool: lambda v: not v, list: lambda v: v[1:]}.get(type(value[name]), lambda v: None)(value[name])
        return {**value, name: other}


def test_it_agrees_with_the_checker_on_right_and_wrong_answers_of_every_operation(everything: Built) -> None:
    chance, seen, made = random.Random(21), Counter[str](), 0
    known, causes = [clause for clause in clauses(SPEC) if "/late-" not in clause], targets(SPEC)
    openings = list(SPEC.openings.values())
    openings += [list(s.calls[: s.ending]) for s in of(SPEC) if any("/late-ok" in c for c in s.clauses) and not s.pairs]
    while made < 3 * CALLS:
        wrong = Wrong(chance, everything.exits[2:])
        watched = Beside(SPEC, connect("py:oneowner.reference_impl"), everything, wrong)
        session = watched.session = Session(SPEC, watched, SPEC.fuzz_scope, probing=False)
        aim, opening = Aim(session, chance, causes), list(chance.choice(openings))
        for _ in range(60):
            wrong.shown = list(watched.numbers)
            try:
                if opening:
                    name, given = opening.pop(0)
                    fresh = {slot.name for slot in SPEC.actions[name].slots if slot.fresh}
                    session.compare_values(name, {key: value for key, value in given.items() if key not in fresh})
                else:
                    (name, _), arguments = aim.choose()
                    aim.made(name, session.compare(name, arguments))
                right, told = True, ""
            except Mismatch as mismatch:
                right, told = False, mismatch.text
            except Unsupported:
                break
            made += 1
            verdict = watched.judged()
            seen[verdict] += 1
            seen[f"{name}/{everything.expected}"] += 1
            assert (verdict == "OO_AGREES") == right, (watched.asked, watched.late, told, verdict)
            if not right:
                break
    late = {name for name in seen if name.startswith("OO_LATE")}
    assert {"OO_AGREES", "OO_WRONG_EXIT", "OO_WRONG_ANSWER"} < set(seen)
    assert len(late) >= 3, seen
    assert sum("/" in clause for clause in seen) > len(known) / 2


def assert_judges(built: Built, calls: Iterable[Any], chance: random.Random) -> Counter[str]:
    """Hold an oracle against the concrete reading, in states as they come: exits, right and wrong, permitted ones, answers."""
    model, oracle, seen = built.model, built.oracle, Counter[str]()
    for found, action, given in calls:
        state = built.reachable(found)
        fresh = {s.name: model.fresh(state, s.type, int(s.type in oracle.handled)) for s in action.slots if s.fresh}
        arguments = {**given, **fresh}
        try:
            right = model.step(action, state, arguments)
            permitted = model.permitted(action, state, arguments)
        except SpecError:
            right, permitted = None, []
        exit = right.exit if right and chance.random() < 1 / 3 else chance.choice([*oracle.refusals(action.name), "ok"])
        told = right.answer if right and right.exit == "ok" else None
        values = told if isinstance(told, tuple) else () if told is None else (told,)
        built.put(state)
        verdict = built.check(
            action.name, [word(arguments[s.name]) for s in oracle.asked(action)], exit, [word(v) for v in values]
        )
        if right is None:
            assert verdict in ("OO_UNDEFINED", "OO_NO_ROOM"), (action.name, arguments, verdict)
        elif right.exit in EFFECTIVE:
            assert (verdict == "OO_WRONG_EXIT") == (exit != right.exit), (action.name, arguments, verdict)
            assert verdict != "OO_WRONG_ANSWER", (action.name, arguments)
        else:
            assert (verdict == "OO_AGREES") == (exit in permitted), (action.name, arguments, permitted, exit, verdict)
            seen["permitted"] += exit in permitted[1:]
        seen[right.exit if right else "undefined"] += 1
    return seen


def word(value: Any) -> int:
    return sum(1 << each for each in value) if isinstance(value, frozenset) else int(value)


def test_it_permits_the_errors_that_the_concrete_reading_permits_in_any_state(everything: Built) -> None:
    chance = random.Random(10)
    seen = assert_judges(everything, triples(everything.model, chance, CALLS, Counter(), ""), chance)
    assert seen["permitted"] > 20
    assert seen["ok"] > CALLS / 4


def test_so_it_judges_specifications_drawn_at_random(tmp_path: Path) -> None:
    chance, seen = random.Random(11), Counter[str]()
    for seed in range(6):
        spec, scope = drawn(seed, tmp_path)
        folder = tmp_path / str(seed)
        built = Built(export_c(spec, folder, scope.sizes), folder)
        seen += assert_judges(built, walked(built.model, chance, 150), chance)
    assert seen["ok"] > 100


@pytest.fixture(scope="session")
def core_library(core: Path) -> Built:
    """The core's oracle, to be called from here."""
    return Built(Oracle(SPEC, SIZES, CORE), core / "oracle")


def test_a_new_thing_may_have_any_handle_that_nothing_living_has(core_library: Built) -> None:
    check = core_library.check
    core_library.begin(77)
    assert check("allocate", [77], "ok", [500]) == "OO_AGREES"
    assert check("free", [77, 500], "ok") == "OO_AGREES"
    assert check("free", [77, 500], "EFAULT") == "OO_AGREES"
    assert check("allocate", [77], "ok", [500]) == "OO_AGREES"
    assert check("allocate", [77], "ok", [500]) == "OO_WRONG_ANSWER"
    core_library.begin(77)
    assert check("allocate", [77], "ok", [0]) == "OO_WRONG_ANSWER"


def test_it_says_what_was_right_and_takes_the_first_error_only_where_that_is_wanted(core_library: Built) -> None:
    wrong = ["create_port", [77, 99], "EISCONN"]
    for strict in (False, True):
        core_library.begin(77, strict=strict)
        assert core_library.check(*wrong) == "OO_WRONG_EXIT"
        assert core_library.expected == "EBADF"
        assert core_library.check("create_partition", [99], "EPERM") == ("OO_WRONG_EXIT" if strict else "OO_AGREES")
        assert core_library.check("create_partition", [99], "ESRCH") == "OO_AGREES"


def test_a_call_that_is_none_changes_nothing(core_library: Built) -> None:
    core_library.begin(77)
    before = core_library.state.raw
    core_library.operations.append("none")
    assert core_library.check("none", [77], "ok") == "OO_BAD_CALL"
    core_library.operations.pop()
    for place in (4, 1 << 40):
        assert core_library.check("read_memory", [77, 5, place], "EFAULT") == "OO_BAD_CALL"
    assert core_library.state.raw == before


def test_an_oracle_that_is_too_small_says_so(core: Path, tmp_path: Path) -> None:
    (tmp_path / "oracle").symlink_to(core / "oracle")
    small = "-DOO_N_MESSAGES=1"
    program = beside(tmp_path, "small", compiled(tmp_path, "oracle.o", core / "oracle" / "oneowner.c", small), small)
    ran = subprocess.run([program], capture_output=True, text=True, check=False)
    assert ran.returncode == -6
    assert re.search(r"send by p\d: the oracle is built too small; it answers ok", ran.stderr), ran.stderr


def test_a_call_of_which_the_specification_makes_no_sense_is_told_with_the_reason(tmp_path: Path) -> None:
    built = Built(export_c(AT_NONE, tmp_path, {"stations": 3}), tmp_path)
    built.begin(9)
    assert built.check("join", [], "ok", [10]) == "OO_AGREES"
    assert built.check("give", [9, 10], "ok") == "OO_UNDEFINED"


def test_it_is_freestanding_and_shows_no_names_but_its_own(core: Path, everything: Built, tmp_path: Path) -> None:
    flags = ["-ffreestanding", "-nostdlib", "-fno-builtin"]
    made = compiled(tmp_path, "oneowner.o", core / "oracle" / "oneowner.c", *flags)
    lines = [
        line.split()
        for line in subprocess.run(["nm", "-g", made], capture_output=True, text=True, check=True).stdout.splitlines()
    ]
    assert {line[-1] for line in lines if line[-2] == "U"} <= {"memcpy", "memset", "memmove", "memcmp"}
    named = {"operation_name", "exit_name", "verdict_name", "undefined_text"}
    assert {line[-1] for line in lines if line[-2] != "U"} == {f"oo_{name}" for name in ("begin", "check", *named)}
    text = (core / "oracle" / "oneowner.c").read_text()
    assert re.findall("#include.*", text) == ['#include "oneowner.h"']
    assert re.findall("#include.*", (core / "oracle" / "oneowner.h").read_text()) == ["#include <stdint.h>"]


def test_it_can_be_read(core: Path) -> None:
    header, source = ((core / "oracle" / name).read_text() for name in ("oneowner.h", "oneowner.c"))
    assert "/* Take a region of free memory, none that is set aside, and map it at the caller. It is zeroed" in header
    assert "uint64_t region; /* handle of a Region, or 0 */" in header
    assert "/* A region is mapped by at most one partition, and that is its owner. */" in source
    assert "before->status[a_caller] == OO_STATUS_ACTIVE" in source
    assert "socket" not in header.partition("struct oo_state {")[2].partition("}")[0]
    assert "#line" not in source
    assert "#line " in Oracle(RING, RING.fuzz_scope, list(RING.actions), lines=True).text()


def test_a_cpp_program_may_include_it(core: Path) -> None:
    if shutil.which("c++") is None:
        pytest.skip("there is no C++ compiler")
    subprocess.run(["c++", "-fsyntax-only", "-x", "c++", core / "oracle" / "oneowner.h"], check=True)


def test_the_c_implementation_checks_itself_and_holds(core: Path) -> None:
    ran = subprocess.run([beside(core, "right", core / "oracle.o"), "200000"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "agree" in ran.stdout


@pytest.mark.parametrize("bug", NAMES)
def test_each_of_its_bugs_stops_it_at_the_first_wrong_step(bug: str, core: Path) -> None:
    program = beside(core, bug, core / "oracle.o", f"-DBUG_{bug}")
    ran = subprocess.run([program, "5000000"], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == -6, ran
    assert re.match(r"call \d+, \w+ by p\d: another (outcome|answer); it answers \w+, \w+ was right\n$", ran.stderr)


def test_a_wrong_oracle_is_seen(core: Path, tmp_path: Path) -> None:
    oracle = Oracle(SPEC, SIZES, CORE)
    oracle.trees = {**oracle.trees, "send": without_writes(oracle.trees["send"], "owner")}
    (tmp_path / "oneowner.h").write_text((core / "oracle" / "oneowner.h").read_text())
    (tmp_path / "oneowner.c").write_text(oracle.text())
    for statements, told in ((1, "send by p\\d: the invariant exclusive_mapping"), (0, "another (outcome|answer)")):
        made = compiled(tmp_path, "wrong.o", tmp_path / "oneowner.c", f"-DOO_STATEMENTS={statements}")
        ran = subprocess.run([beside(core, "right", made)], capture_output=True, text=True, check=False)
        assert ran.returncode == -6
        assert re.search(told, ran.stderr), ran.stderr


def test_sizes_are_macros(core: Path, tmp_path: Path) -> None:
    (tmp_path / "oracle").symlink_to(core / "oracle")
    sizes = ("-DOO_N_PARTITIONS=9", "-DOO_N_REGIONS=3", "-DOO_N_PORTS=12", "-DOO_N_MESSAGES=40", "-DOO_P_QUEUE_DEPTH=3")
    oracle = compiled(tmp_path, "oracle.o", core / "oracle" / "oneowner.c", *sizes, "-DOO_STATEMENTS=0")
    ran = subprocess.run([beside(tmp_path, "larger", oracle, *sizes), "100000"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    for sizes, told in (("-DOO_N_SHORTS=5", "define OO_R_TOO_LONG too"), ("-DOO_N_REGIONS=300", "too many regions")):
        ran = subprocess.run(
            ["cc", "-c", "-o", "/dev/null", sizes, core / "oracle" / "oneowner.c"], capture_output=True, text=True, check=False
        )
        assert ran.returncode != 0
        assert told in ran.stderr


def test_libfuzzer_finds_a_bug(core: Path, tmp_path: Path) -> None:
    if shutil.which("clang") is None:
        pytest.skip("there is no clang, whose libFuzzer this is")
    sources = [SOURCE / "core.c", SOURCE / "checked.c", core / "oracle" / "oneowner.c"]
    flags = ["-std=c11", "-O1", "-fsanitize=fuzzer", "-DORACLE", "-DFUZZER", "-DBUG_no_scrub", f"-I{core}"]
    subprocess.run(["clang", *flags, "-o", tmp_path / "fuzzer", *sources], check=True)
    ran = subprocess.run(
        [tmp_path / "fuzzer", "-max_total_time=20", "-seed=1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode != 0
    assert "read_memory" in ran.stderr


def test_what_was_exported_tells_its_version_and_the_specification(core: Path) -> None:
    digest = Oracle(SPEC, SPEC.fuzz_scope, CORE).digest()
    for name in ("oneowner.h", "oneowner.c", "README.md"):
        assert digest in (core / "oracle" / name).read_text()
    assert Oracle(SPEC, {}, list(SPEC.actions)).digest() == digest
    assert Oracle(RING, {}, ()).digest() != Oracle(AT_NONE, {}, ()).digest()


def test_the_command_writes_again_what_it_wrote_and_nothing_else(tmp_path: Path) -> None:
    ring = ("--spec", "token_ring:RING", "--scope", "stations=3")
    env = {"PYTHONPATH": str(Path(__file__).parent)}
    for _ in range(2):
        ran = run("export", "c", *ring, "oracle", cwd=tmp_path, env=env)
        assert ran.code == 0, ran
    assert "--scope stations=3" in (tmp_path / "oracle" / "README.md").read_text()
    (tmp_path / "oracle" / "oneowner.h").write_text("mine\n")
    ran = run("export", "c", *ring, "oracle", cwd=tmp_path, env=env)
    assert ran.code == 2
    assert "was not made by this command" in ran.err
    assert (tmp_path / "oracle" / "oneowner.h").read_text() == "mine\n"
    for wrong, told in ((("--profile", "cor"), "no profile is called"), (("--scope", "stations=400"), "room for at most 255")):
        ran = run("export", "c", *ring[:2], *wrong, "other", cwd=tmp_path, env=env)
        assert ran.code == 2
        assert told in ran.err
        assert not (tmp_path / "other").exists()


def test_late_answers_that_cannot_be_recorded_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="@each_waiter"):
        export_c(BELLS, tmp_path, {})
    assert export_c(replace(BELLS, late=None), tmp_path, {}).late_clauses == []


PAGE = (SOURCE.parent.parent / "docs" / "oracle.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", re.findall(r"^oneowner .*$", PAGE, re.MULTILINE))
def test_a_command_of_the_page_runs(line: str, tmp_path: Path) -> None:
    ran = run(*shlex.split(line)[1:], cwd=tmp_path)
    assert ran.code == 0, ran
    assert sorted(p.name for p in (tmp_path / line.rsplit(maxsplit=1)[-1]).iterdir()) == ["README.md", "oneowner.c", "oneowner.h"]


def test_the_makefile_builds_what_the_page_shows(tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    folder = shutil.copytree(SOURCE, tmp_path / "c", ignore=shutil.ignore_patterns("oracle", "core-*"))
    tool = f"{sys.executable} -m oneowner"
    for target in re.findall(r"`(make checked.*?)`", PAGE):
        subprocess.run([*target.split(), "CFLAGS=-O0", f"ONEOWNER={tool}"], cwd=folder, check=True, capture_output=True)
    assert subprocess.run([folder / "core-checked", "1000"], check=False).returncode == 0
    shown = re.search(r"\$ \./(core-checked-\w+)\n(.*)\n", PAGE)
    assert shown is not None
    ran = subprocess.run([folder / shown[1]], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr.strip()) == (-6, shown[2])
