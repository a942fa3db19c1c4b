"""The model whose operations are called in C: the same outcomes as the concrete one, so the same calls and verdicts."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bells import BELLS
from random_specs import drawn
from states import random_vector
from token_ring import RING

from oneowner.checker.fuzz import Aim, targets
from oneowner.checker.session import Epilogue, Mismatch, Session, have_built, oracle, stop_building
from oneowner.checker.session import session as sessions
from oneowner.model.compiled import Building, CompiledModel
from oneowner.model.compiled import model as compiled
from oneowner.model.concrete import Model, picked
from oneowner.model.language import EFFECTIVE, Spec, SpecError
from oneowner.reference_impl import bugs, implementation
from oneowner.spec import SPEC

QUICKLY = ("-std=gnu11", "-O0", "-shared", "-fPIC", "-w")


@pytest.fixture(autouse=True)
def built_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "FLAGS", QUICKLY)


def assert_agree(spec: Spec, sizes: dict[str, int], calls: int, seed: int) -> None:
    """Both models say the same of random calls on a walk, and in states that are drawn."""
    one, other, chance = Model(spec, sizes), CompiledModel(spec, sizes), random.Random(seed)
    vector, effective = one.initial(), 0
    for number in range(calls):
        action = chance.choice(list(spec.actions.values()))
        if number % 10 == 0:
            vector = random_vector(one, chance, vector, 0.1)
        values = {s.name: one.choices(s) if not s.fresh else [one.fresh(vector, s.type, 1)] for s in action.slots}
        if not all(values.values()):
            continue
        arguments = {name: chance.choice(some) for name, some in values.items()}
        told = []
        for model in (one, other):
            try:
                told.append(model.step(action, vector, arguments))
            except SpecError as error:
                told.append(str(error))
        assert told[0] == told[1], (action.name, arguments)
        if not isinstance(told[0], str):
            came = one.came(action, vector, arguments, told[0].exit)
            assert other.came(action, vector, arguments, told[0].exit) == came, (action.name, arguments)
            assert one.permitted(action, vector, arguments) == other.permitted(action, vector, arguments)
        assert one.unused(vector) == other.unused(vector)
        for kind, reserved in itertools.product(spec.unused, (0, 1)):
            assert one.fresh(vector, kind, reserved) == other.fresh(vector, kind, reserved)
        if number % 7 == 0 and not isinstance(told[0], str):
            assert_foresee(one, other, action, vector, values, chance)
        if not isinstance(told[0], str) and told[0].exit in EFFECTIVE:
            vector, effective = told[0].state, effective + 1
    assert effective > calls / 100


def assert_foresee(one: Model, other: Model, action: Any, vector: Any, values: dict[str, Any], chance: random.Random) -> None:
    numbers = [chance.randrange(1000) for _ in range(20)]
    found = one.foreseen(action, vector, values, numbers, EFFECTIVE)
    assert other.foreseen(action, vector, values, numbers, EFFECTIVE) == found
    with contextlib.suppress(SpecError):
        # a state that was drawn need not make sense
        assert found[0] == one.exit_of(action, vector, picked(values, numbers[0]))
    assert all(exit not in EFFECTIVE for exit in found[:-1])
    because = chance.getrandbits(40)
    found = one.foreseen(action, vector, values, numbers, (found[0],), because)
    assert other.foreseen(action, vector, values, numbers, (found[0],), because) == found


def test_it_agrees_with_the_concrete_model_on_the_whole_system() -> None:
    assert_agree(SPEC, Session.with_strangers(SPEC, SPEC.fuzz_scope), 1500, 1)


@pytest.mark.parametrize("spec", [RING, BELLS], ids=["ring", "bells"])
def test_it_agrees_on_other_specifications(spec: Spec) -> None:
    assert_agree(spec, spec.scope(spec.fuzz_scope), 600, 2)


def test_it_agrees_on_specifications_drawn_at_random(tmp_path: Path) -> None:
    for seed in range(200, 206):
        spec, exploration = drawn(seed, tmp_path)
        assert_agree(spec, spec.scope(exploration.sizes), 200, seed)


@pytest.fixture(scope="module")
def whole() -> CompiledModel:
    """The whole specification in the scope for fuzzing."""
    sizes = Session.with_strangers(SPEC, SPEC.fuzz_scope)
    return CompiledModel(SPEC, sizes, building=Building(CompiledModel.text(SPEC, sizes).calls(), QUICKLY))


def gone(model: Model, made: Callable[[], Any], seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], str]:
    """The calls of a session that goes where its aim leads it, and what was wrong at the end."""
    monkeypatch.setattr(sessions, "model", lambda spec, scope: model)
    session = Session(SPEC, made(), SPEC.fuzz_scope)
    aim = Aim(session, random.Random(seed), targets(SPEC))
    try:
        for _ in range(120):
            (name, _), given = aim.choose()
            aim.made(name, session.compare(name, given))
            aim.look_after(name, given)
            aim.take_turn()
        Epilogue(session, aim.chance).run()
    except Mismatch as mismatch:
        return session.recorded, mismatch.text
    return session.recorded, ""


@pytest.mark.parametrize("seed", range(4))
def test_one_seed_makes_the_same_calls_in_both_readings(
    seed: int, whole: CompiledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Model(SPEC, whole.scope)
    calls, wrong = gone(plain, implementation, seed, monkeypatch)
    assert wrong == ""
    assert len(calls) > 200
    assert gone(whole, implementation, seed, monkeypatch) == (calls, "")


def test_a_bug_is_found_by_the_same_call_with_the_same_words(whole: CompiledModel, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        [gone(model, bugs.no_scrub, seed, monkeypatch) for seed in range(6)] for model in (Model(SPEC, whole.scope), whole)
    ]
    assert found[0] == found[1]
    assert any(wrong for _, wrong in found[0])


def test_a_session_is_of_the_built_model_as_soon_as_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(oracle, "_models", {})
    sizes = RING.scope(RING.fuzz_scope)
    assert type(oracle.model(RING, sizes)) is Model
    assert have_built(RING, sizes) == ""
    while not all(building.is_done for building in oracle._buildings.values()):
        pass
    assert type(oracle.model(RING, sizes)) is CompiledModel
    assert have_built(RING, sizes) == ""
    assert not oracle._buildings
    other = {**sizes, "parcels": 4}
    assert have_built(RING, other) == ""
    stop_building()
    assert type(oracle.model(RING, other)) is Model
    assert len(list(tmp_path.rglob("*.so"))) == 1


def test_without_a_compiler_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(oracle, "_models", {})
    assert "no C compiler" in have_built(RING, {**RING.scope(RING.fuzz_scope), "parcels": 5})
