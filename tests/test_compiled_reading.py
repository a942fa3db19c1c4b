"""The specification printed as C and compiled means what the concrete reading says: calls, statements, fresh names."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bells import BELLS
from planting import without_writes
from random_specs import drawn
from states import random_vector
from test_readings_agree import MANY, SCOPE, starts, triples
from token_ring import AT_NONE, RING

from oneowner.model.compiled import Library, Printer, printed
from oneowner.model.concrete import Model, Outcome, Vector
from oneowner.model.language import EFFECTIVE, Action, Spec, SpecError
from oneowner.spec import SPEC

STRICT = ("-std=c11", "-O0", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror")
pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(SPEC, SPEC.scope(SCOPE), tmp_path_factory.mktemp("compiled"), STRICT)


def outcome(reading: Any, action: Action, state: Vector, arguments: dict[str, Any]) -> Outcome | None:
    """What a call comes to; None where it makes no sense."""
    try:
        found: Outcome = reading.step(action, state, arguments)
    except SpecError:
        return None
    return found


def walked(model: Model, chance: random.Random, count: int) -> Iterator[tuple[Vector, Action, dict[str, Any]]]:
    """Calls in states that are walked to, and in some that cannot be."""
    vector = model.initial()
    for number in range(count):
        action = chance.choice(list(model.spec.actions.values()))
        state = vector if number % 2 else random_vector(model, chance, vector, 0.2)
        calls = [c for c in model.calls(action, state) if c is not None]
        if not calls:
            continue
        arguments = chance.choice(calls)
        yield state, action, arguments
        found = outcome(model, action, state, arguments)
        if number % 2 and found is not None and found.effective:
            vector = found.state
        if number % 30 == 0:
            vector = model.initial()


def test_it_agrees_with_the_concrete_one_on_random_states_operations_and_arguments(library: Library) -> None:
    compared: Counter[str] = Counter()
    for state, action, arguments in triples(library.model, random.Random(5), MANY, compared, ""):
        right = outcome(library.model, action, state, arguments)
        compared[f"{action.name}/{right.exit if right else 'undefined'}"] += 1
        assert outcome(library, action, state, arguments) == right, (action.name, arguments)
    effective = {clause for clause in compared if clause.partition("/")[2] in EFFECTIVE}
    assert {clause.partition("/")[0] for clause in effective} == set(SPEC.actions)
    assert sum(compared.values()) >= MANY


def test_it_judges_statements_and_gives_out_names_as_the_concrete_one(library: Library) -> None:
    model, chance, seen = library.model, random.Random(6), Counter[str]()
    begun = starts(model)
    for _ in range(300):
        state = random_vector(model, chance, chance.choice(begun), chance.choice([0.0, 0.02, 0.2]))
        broken = {statement.name for statement, _ in model.violations(None, None, {}, state)}
        assert {name for name in SPEC.invariants if not library.holds(name, state)} == broken
        seen.update(broken)
        for kind in SPEC.unused:
            assert library.fresh(kind, state) == model.fresh(state, kind)
    assert len(seen) > len(SPEC.invariants) / 2


def test_it_judges_steps_as_the_concrete_one(library: Library) -> None:
    model, chance, seen = library.model, random.Random(7), Counter[str]()
    for state, action, arguments in triples(model, chance, 2_000, Counter(), ""):
        right = outcome(model, action, state, arguments)
        if right is None or not right.effective:
            continue
        after = random_vector(model, chance, right.shown, chance.choice([0.0, 0.05]), outputs=True)
        states = model.of_step(state, action, arguments, after)
        broken = [name for name, each in SPEC.step_properties.items() if model.broken(each, *states) is not None]
        if after == right.shown:
            assert library.broken_step(action, state, after, arguments) == (broken or [""])[0], (action.name, arguments)
        seen.update(broken[:1])


@pytest.mark.parametrize("spec", [RING, BELLS, AT_NONE], ids=lambda spec: spec.name)
def test_so_it_does_for_other_specifications(spec: Spec, tmp_path: Path) -> None:
    assert_agrees(Library(spec, spec.scope(spec.fuzz_scope), tmp_path, STRICT), 2_000)


def assert_agrees(library: Library, count: int) -> None:
    seen: Counter[str] = Counter()
    for state, action, arguments in walked(library.model, random.Random(8), count):
        right = outcome(library.model, action, state, arguments)
        assert outcome(library, action, state, arguments) == right, (action.name, arguments)
        seen[right.exit if right else "undefined"] += 1
        broken = {statement.name for statement, _ in library.model.violations(None, None, {}, state)}
        assert {name for name in library.spec.invariants if not library.holds(name, state)} == broken
    assert seen["ok"]


def test_so_it_does_for_specifications_drawn_at_random(tmp_path: Path) -> None:
    for seed in range(12):
        spec, scope = drawn(seed, tmp_path)
        (tmp_path / str(seed)).mkdir()
        assert_agrees(Library(spec, spec.scope(scope.sizes), tmp_path / str(seed), STRICT), 300)


def test_a_write_that_is_left_out_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Printer.text

    def planted(printer: Printer, *, steps: bool = True) -> str:
        printer.trees = {**printer.trees, "make": without_writes(printer.trees["make"], "made_by")}
        return text(printer, steps=steps)

    monkeypatch.setattr(Printer, "text", planted)
    with pytest.raises(AssertionError, match="make"):
        assert_agrees(Library(RING, RING.scope(RING.fuzz_scope), tmp_path, STRICT[:4]), 500)


def test_it_is_clean_under_the_sanitizers(tmp_path: Path) -> None:
    asan = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    if not os.path.isabs(asan):
        pytest.skip("the compiler has no address sanitizer")
    script = f"""if True:
    import sys
    sys.path[:0] = {sys.path!r}
    from pathlib import Path
    import test_compiled_reading as t
    flags = (*t.STRICT, "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    for spec in (t.BELLS, t.AT_NONE, *[t.SPEC] * {int("ONEOWNER_SANITIZED" in os.environ)}):
        t.assert_agrees(t.Library(spec, spec.scope(spec.fuzz_scope), Path({str(tmp_path)!r}), flags), 500)
    for seed in range(3):
        folder = Path({str(tmp_path)!r}) / str(seed)
        folder.mkdir()
        spec, scope = t.drawn(seed, folder)
        t.assert_agrees(t.Library(spec, spec.scope(scope.sizes), folder, flags), 200)
    import searching
    from oneowner.model.compiled import building
    from oneowner.model.search import CompiledExplorer
    building.FLAGS, building.LEVELS = (*building.FLAGS, *flags[-2:]), ((1 << 62, "-O1"),)
    for symmetry in (False, True):
        for spec, scope in ((searching.CORE, searching.core(2, 2, 3, 2)), (t.BELLS, t.BELLS.explorations["two bells"])):
            search = CompiledExplorer.of(spec, scope, symmetry=symmetry, keep_edges=True)
            assert search.run().complete
            assert len(search.numbered()[0]) == search.search.states
    """
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "LD_PRELOAD": asan, "ASAN_OPTIONS": "detect_leaks=0"}
    ran = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr[-3000:]


def test_the_text_names_the_lines_of_the_specification_where_that_is_wanted(tmp_path: Path) -> None:
    text = printed(RING, lines=True).text()
    assert "#line " in text
    assert 'token_ring.py"' in text
    assert str(Path(__file__).parent) not in text
    (tmp_path / "ring.c").write_text(text)
    subprocess.run(["cc", *STRICT, "-o", str(tmp_path / "ring.so"), str(tmp_path / "ring.c")], check=True)


def test_one_text_serves_another_scope(tmp_path: Path) -> None:
    (tmp_path / "ring.c").write_text(printed(RING).text())
    sizes = ("-DOO_N_STATIONS=40", "-DOO_N_PARCELS=90", "-DOO_P_MOST=7")
    subprocess.run(["cc", *STRICT, *sizes, "-o", str(tmp_path / "ring.so"), str(tmp_path / "ring.c")], check=True)


def test_what_has_no_room_in_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpecError, match="room for at most 255 stations, not 300"):
        printed(RING, RING.scope({"stations": 300}))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpecError, match="no C compiler"):
        Library(replace(RING), None, tmp_path)
