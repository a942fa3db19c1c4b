"""Effects: what an operation writes is noticed where a call is answered otherwise without it; the suite has such calls."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command import run
from token_ring import RING

from oneowner.checker.suite import Effects, Sequence, generate, of, replayed
from oneowner.model.compiled import CompiledModel
from oneowner.model.language import Spec, Step
from oneowner.spec import SPEC

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

JOIN: Step = ("join", {"station": 2})
MAKE: Step = ("make", {"station": 1, "parcel": 1})
GIVE: Step = ("give", {"station": 1, "to": 2})
DELIVER: Step = ("deliver", {"station": 1})
BACK: Step = ("give", {"station": 2, "to": 1})


def effects(*ways: list[Step], spec: Spec = RING) -> Effects:
    model = CompiledModel(spec, spec.scope(spec.fuzz_scope))
    return Effects(model, set(spec.actions), [list(replayed(model, way)) for way in ways], set())


def unnoticed(of: Effects) -> list[tuple[str, str]]:
    return [(each.operation, each.component) for each in of.unnoticed()]


def test_an_effect_that_is_left_out_is_not_made_and_the_others_are() -> None:
    model = CompiledModel(RING, RING.fuzz_scope)
    (member,) = (each for each in model.effects if each.operation == "join")
    vector = model.initial()
    with model.leaving_out(member):
        assert model.step(RING.actions["join"], vector, {"station": 2}).state == vector
        assert model.step(RING.actions["make"], vector, MAKE[1]).state != vector
    assert model.step(RING.actions["join"], vector, {"station": 2}).state != vector


def test_it_is_noticed_by_a_call_after_it_and_not_by_being_made() -> None:
    assert ("join", "member") in unnoticed(effects([JOIN]))
    assert ("join", "member") not in unnoticed(effects([JOIN, GIVE]))
    assert unnoticed(effects([JOIN, GIVE])).count(("give", "token_at")) == 2
    assert unnoticed(effects([JOIN, GIVE, BACK])).count(("give", "token_at")) == 1
    assert unnoticed(effects([JOIN, GIVE, GIVE, BACK])).count(("give", "token_at")) == 0


def test_an_error_that_is_permitted_too_notices_nothing() -> None:
    # without a token and without a parcel either error may be given
    assert unnoticed(effects([JOIN, GIVE, DELIVER])).count(("give", "token_at")) == 2


def test_what_notices_an_effect_is_found_in_few_calls_and_what_nothing_reads_is_not() -> None:
    looking = effects([JOIN, GIVE, BACK, MAKE], [MAKE, DELIVER, MAKE])
    found = {(effect.operation, effect.component): [action.name for action, *_ in made] for effect, made in looking.found()}
    assert found[("deliver", "outbox")] == ["make", "deliver", "deliver"]
    assert found[("give", "token_at")] == ["join", "give", "give"]
    assert unnoticed(looking) == [("make", "mood"), ("deliver", "mood")]


def test_the_suite_of_a_spec_notices_all_that_can_be() -> None:
    suite = generate(RING, scouting=True)
    assert unnoticed(effects(*(list(sequence.calls) for sequence in suite))) == [("make", "mood"), ("deliver", "mood")]


def test_the_suite_has_what_notices_that_a_sender_keeps_a_mapping_and_that_an_end_leaves_the_boot_order() -> None:
    def of_core(sequence: Sequence) -> bool:
        return sequence.operations <= SPEC.profile("core")

    model = CompiledModel(SPEC, SPEC.scope(SPEC.fuzz_scope))
    ways = [list(replayed(model, sequence.calls)) for sequence in of(SPEC) if of_core(sequence)]
    missed = unnoticed(Effects(model, SPEC.profile("core"), ways, set()))
    assert ("send", "mapped") not in missed
    assert ("free", "mapped") not in missed
    assert len(missed) < 250


def test_where_there_is_no_compiler_the_suite_is_drawn_without_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"PYTHONPATH": str(Path(__file__).parent)}
    whole = run("suite", "--spec", "token_ring:RING", env=here)
    assert "compiler" not in whole.err
    monkeypatch.setenv("CC", "no-such-compiler")
    told = run("suite", "--spec", "token_ring:RING", env=here)
    assert told.err.count("there is no C compiler") == 1
    assert set(told.out.splitlines()) < set(whole.out.splitlines())
