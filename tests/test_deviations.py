"""Deviations: an effect that is left out, or made by a refused call, is noticed where a call is answered otherwise after it; the
suite has such calls."""

from __future__ import annotations

import random
import shutil
from contextlib import nullcontext
from typing import Any

import pytest
from token_ring import RING, Mood

from oneowner.checker.command_line import main
from oneowner.checker.suite import Deviations, Sequence, generate, of, replayed
from oneowner.model.compiled import DeviatingModel, Deviation
from oneowner.model.concrete import Vector
from oneowner.model.language import Spec, Step
from oneowner.spec import SPEC

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

JOIN: Step = ("join", {"station": 2})
MAKE: Step = ("make", {"station": 1, "parcel": 1})
GIVE: Step = ("give", {"station": 1, "to": 2})
DELIVER: Step = ("deliver", {"station": 1})
BACK: Step = ("give", {"station": 2, "to": 1})


def deviations(*ways: list[Step], spec: Spec = RING) -> Deviations:
    model = DeviatingModel(spec, spec.scope(spec.fuzz_scope))
    return Deviations(model, set(spec.actions), [list(replayed(model, way)) for way in ways], set())


def key(of: Deviation) -> tuple[str, str, str]:
    return of.operation, of.exit, of.component


def unnoticed(of: Deviations) -> list[tuple[str, str]]:
    """The effects of which nothing notices that they are left out."""
    return [(each.operation, each.component) for each in of.unnoticed() if each.kind == "without"]


def unnoticed_refused(of: Deviations) -> set[tuple[str, str, str]]:
    """The effects of which nothing notices that they are made by a call that is refused; "" is all of them."""
    return {key(each) for each in of.unnoticed() if each.kind == "refused"}


def test_an_effect_that_is_left_out_is_not_made_and_the_others_are() -> None:
    model = DeviatingModel(RING, RING.fuzz_scope)
    (member,) = (each for each in model.deviations if each.operation == "join" and each.kind == "without")
    vector = model.initial()
    with model.deviating(member):
        assert model.step(RING.actions["join"], vector, {"station": 2}).state == vector
        assert model.step(RING.actions["make"], vector, MAKE[1]).state != vector
    assert model.step(RING.actions["join"], vector, {"station": 2}).state != vector


def test_an_effect_of_a_refused_call_is_made_alone_or_with_all_others_and_the_call_is_still_refused() -> None:
    model = DeviatingModel(RING, RING.fuzz_scope)
    full = {d.component: d for d in model.deviations if (d.kind, d.operation, d.exit) == ("refused", "make", "STRANGER")}
    make, vector = RING.actions["make"], model.initial()
    call = {"station": 2, "parcel": 1}
    states = {}
    for component, deviation in full.items():
        with model.deviating(deviation):
            outcome = model.step(make, vector, call)
        assert outcome.exit == "STRANGER"
        states[component] = {name for name, at in model.positions.items() if outcome.state[at] != vector[at]}
    assert states == {"": {"made_by", "outbox", "mood"}, "made_by": {"made_by"}, "outbox": {"outbox"}, "mood": {"mood"}}
    assert model.step(make, vector, call).state == vector


def test_a_call_that_another_guard_refuses_too_has_no_deviations() -> None:
    model = DeviatingModel(RING, RING.fuzz_scope)
    (late,) = (d for d in model.deviations if (d.kind, *key(d)) == ("refused", "give", "NO_TOKEN", ""))
    after = model.step(RING.actions["join"], model.initial(), {"station": 2}).state
    with model.deviating(late):
        assert model.step(RING.actions["give"], after, {"station": 2, "to": 3}).state == after
        assert model.step(RING.actions["give"], after, {"station": 2, "to": 1}).state == after
        third = model.step(RING.actions["join"], after, {"station": 3}).state
        assert model.step(RING.actions["give"], third, {"station": 2, "to": 3}).state != third


def test_a_call_has_no_effect_only_where_the_arguments_stand_so_to_the_state() -> None:
    model = DeviatingModel(RING, RING.fuzz_scope)
    when = "exists(parcel0: (made_by[parcel0] == station))"
    second = next(d for d in model.deviations if (d.kind, d.operation, d.when) == ("undone", "make", when))
    make, vector = RING.actions["make"], model.initial()
    with model.deviating(second):
        after = model.step(make, vector, {"station": 1, "parcel": 1}).state
        assert after != vector
        outcome = model.step(make, after, {"station": 1, "parcel": 2})
    assert (outcome.exit, outcome.answer, outcome.state) == ("ok", 2, after)


def test_a_guard_is_passed_only_where_what_the_operation_asks_besides_is_so() -> None:
    model = DeviatingModel(RING, RING.fuzz_scope)
    of_one = [d for d in model.deviations if (d.kind, *key(d)) == ("passed", "give", "NO_TOKEN", "") and d.place.line]
    passed = {d.when: d for d in of_one}
    assert {"member[to]", "not member[to]"} <= passed.keys()
    give, two = RING.actions["give"], model.step(RING.actions["join"], model.initial(), {"station": 2}).state
    for when, exit in (("member[to]", "ok"), ("not member[to]", "NO_TOKEN")):
        with model.deviating(passed[when]):
            outcome = model.step(give, two, {"station": 2, "to": 1})
        assert outcome.exit == exit


def test_all_guards_are_passed_where_one_would_refuse_first() -> None:
    model = DeviatingModel(RING, RING.fuzz_scope)
    of_all = [d for d in model.deviations if (d.kind, d.operation, d.when) == ("passed", "give", "not member[to]")]
    found = {d.exit: d for d in of_all if not d.place.line}
    give, vector = RING.actions["give"], model.initial()
    both, last = {"station": 2, "to": 3}, {"station": 1, "to": 3}
    assert [model.step(give, vector, given).exit for given in (both, last)] == ["NO_TOKEN", "STRANGER"]
    for exit, passes in (("NO_TOKEN", [True, False]), ("STRANGER", [False, True])):
        with model.deviating(found[exit]):
            outcomes = [model.step(give, vector, given) for given in (both, last)]
        assert [outcome.effective for outcome in outcomes] == passes
        assert [outcome.state != vector for outcome in outcomes] == passes


def test_one_operation_deviates_and_the_others_do_not() -> None:
    model = DeviatingModel(RING, RING.scope(RING.fuzz_scope))
    undone = [d for d in model.deviations if d.kind == "undone" and d.operation in ("give", "deliver")]
    seen, chance = {True: 0, False: 0}, random.Random(1)
    for _ in range(20):
        calls = [MAKE, MAKE, *chance.choices([JOIN, GIVE, DELIVER, BACK], k=8)]
        way = list(replayed(model, calls))
        for deviation in undone:
            vector, noticed = way[0][1], False
            for action, _, arguments, outcome in way:
                with model.deviating(deviation) if action.name == deviation.operation else nullcontext():
                    other = model.step(action, vector, arguments)
                noticed = noticed or (other.exit, other.answer) != (outcome.exit, outcome.answer)
                vector = other.state
            assert (deviation not in deviations(calls).unnoticed()) == noticed
            seen[noticed] += 1
    assert min(seen.values()) > 5


def test_a_refused_call_in_which_an_operation_does_not_deviate_leaves_the_state_whatever_was_called_before_it() -> None:
    model = DeviatingModel(SPEC, SPEC.scope(SPEC.fuzz_scope))
    passed = [d for d in model.deviations if d.kind == "passed" and d.operation == "select"]
    held = 0
    for sequence in [s for s in of(SPEC) if not s.scope and "select" in s.operations][::8]:
        for action, vector, arguments, outcome in replayed(model, sequence.calls):
            if action.name != "select" or outcome.effective:
                continue
            found = model.differing(action, vector, arguments, passed)
            for deviation in passed[:: 7 if found else 1]:
                with model.deviating(deviation):
                    other = model.step(action, vector, arguments)
                assert other.effective == (deviation in found)
                assert other.effective or other.state == vector
                held += 1
    assert held > 100


def test_an_operation_forgets_what_it_does_not_write_for_what_it_was_given() -> None:
    model = DeviatingModel(RING, RING.fuzz_scope)
    forgets = {(d.operation, d.component, d.when): d for d in model.deviations if d.kind == "forgets"}
    assert {("give", "member", "station"), ("give", "member", "to"), ("give", "mood", "to")} <= forgets.keys()
    assert not any((operation, component) == ("give", "token_at") for operation, component, _ in forgets)
    vector = model.step(RING.actions["join"], model.initial(), {"station": 2}).state
    with model.deviating(forgets["give", "member", "to"]):
        state = model.step(RING.actions["give"], vector, GIVE[1]).state
    member = model.positions["member"]
    assert (vector[member], state[member]) == ((False, True, True, False), (False, True, False, False))
    assert ("give", "member") in {(d.operation, d.component) for d in deviations([JOIN, GIVE]).unnoticed() if d.kind == "forgets"}


def test_what_is_made_inherits_what_the_last_that_died_had_and_that_is_noticed() -> None:
    looking = deviations([JOIN, MAKE, DELIVER, ("make", {"station": 2, "parcel": 1})])
    heir = ("inherited", "make", "", "made_by")
    assert heir in {(d.kind, *key(d)) for d in looking.unnoticed()}
    found = {(d.kind, *key(d)): [action.name for action, *_ in made] for d, made in looking.found()}
    assert found[heir][:4] == ["join", "make", "deliver", "make"]
    assert heir not in {(d.kind, *key(d)) for d in looking.unnoticed()}


def test_ways_that_were_kept_are_kept_as_long_as_they_notice_something() -> None:
    looking = deviations([JOIN])
    ways = [[JOIN, GIVE], [JOIN], [JOIN, GIVE, GIVE], [JOIN, GIVE]]
    kept = list(looking.kept(list(replayed(looking.model, way)) for way in ways))
    assert [[action.name for action, *_ in way] for way in kept] == [["join", "give"], ["join", "give", "give"]]
    again = deviations([JOIN])
    assert list(again.kept(kept)) == kept


def test_a_refused_call_is_noticed_to_have_effects_by_a_call_after_it() -> None:
    refused: Step = ("give", {"station": 2, "to": 2})
    late = ("give", "NO_TOKEN", "")
    assert late in unnoticed_refused(deviations([JOIN, refused]))
    assert late in unnoticed_refused(deviations([JOIN, refused, MAKE]))
    assert late not in unnoticed_refused(deviations([JOIN, refused, BACK]))
    looking = deviations([JOIN, refused])
    found = {key(d): [action.name for action, *_ in made] for d, made in looking.found() if d.kind == "refused"}
    assert found[late][:2] == ["join", "give"]
    assert late not in unnoticed_refused(looking)


def test_it_is_noticed_by_a_call_after_it_and_not_by_being_made() -> None:
    assert ("join", "member") in unnoticed(deviations([JOIN]))
    assert ("join", "member") not in unnoticed(deviations([JOIN, GIVE]))
    assert unnoticed(deviations([JOIN, GIVE])).count(("give", "token_at")) == 2
    assert unnoticed(deviations([JOIN, GIVE, BACK])).count(("give", "token_at")) == 1
    assert unnoticed(deviations([JOIN, GIVE, GIVE, BACK])).count(("give", "token_at")) == 0


def test_an_error_that_is_permitted_too_notices_nothing() -> None:
    # without a token and without a parcel either error may be given
    assert unnoticed(deviations([JOIN, GIVE, DELIVER])).count(("give", "token_at")) == 2


def test_what_notices_an_effect_is_found_in_few_calls_and_what_nothing_reads_is_not() -> None:
    looking = deviations([JOIN, GIVE, BACK, MAKE], [MAKE, DELIVER, MAKE])
    left_out = [(d, made) for d, made in looking.found() if d.kind == "without"]
    found = {(d.operation, d.component): [action.name for action, *_ in made] for d, made in left_out}
    assert found[("deliver", "outbox")] == ["make", "deliver", "deliver"]
    assert found[("give", "token_at")] == ["join", "give", "give"]
    assert unnoticed(looking) == [("make", "mood"), ("deliver", "mood")]


def test_the_suite_of_a_spec_notices_all_that_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneowner.checker.suite.suite.WALKS", 60)
    suite = generate(RING, scouting=True)
    assert unnoticed(deviations(*(list(sequence.calls) for sequence in suite))) == [("make", "mood"), ("deliver", "mood")]


def test_the_suite_has_what_notices_that_a_sender_or_a_freed_region_keeps_a_mapping() -> None:
    those = {"send", "free"}

    def calls_one(sequence: Sequence) -> bool:
        return sequence.operations <= SPEC.profile("core") and not sequence.operations.isdisjoint(those)

    model = DeviatingModel(SPEC, SPEC.scope(SPEC.fuzz_scope))
    ways = [list(replayed(model, sequence.calls)) for sequence in of(SPEC) if calls_one(sequence)]
    missed = unnoticed(Deviations(model, those, ways, set()))
    assert ("send", "mapped") not in missed
    assert ("free", "mapped") not in missed
    assert len(missed) < 20


def test_where_there_is_no_compiler_the_suite_is_drawn_without_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("oneowner.checker.suite.suite.WALKS", 12)
    monkeypatch.setattr("oneowner.checker.suite.suite.CYCLES", 12)

    def drawn() -> tuple[str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["suite", "--spec", "token_ring:RING", "--jobs", "1"])
        assert ended.value.code == 0
        return capsys.readouterr()

    whole, said = drawn()
    assert "compiler" not in said
    monkeypatch.setenv("CC", "no-such-compiler")
    less, said = drawn()
    assert said.count("there is no C compiler") == 1
    assert set(less.splitlines()) < set(whole.splitlines())


def after(model: DeviatingModel, *calls: Step) -> Vector:
    vector = model.initial()
    for name, arguments in calls:
        vector = model.step(model.spec.actions[name], vector, arguments).state
    return vector


def without_and_with(
    deviation: Deviation, model: DeviatingModel, vector: Vector, call: Step, component: str
) -> tuple[list[Any], list[Any]]:
    """A component after a call that does not deviate, and after one that does; also held against what is said to differ."""
    action, arguments = model.spec.actions[call[0]], call[1]
    right = model.step(action, vector, arguments).state
    with model.deviating(deviation):
        wrong = model.step(action, vector, arguments).state
    assert (model.differing(action, vector, arguments, [deviation]) == [deviation]) is (right != wrong)
    at = model.positions[component]
    return list(right[at]), list(wrong[at])


def test_a_queue_is_pushed_in_front() -> None:
    model = DeviatingModel(RING, RING.fuzz_scope)
    (front,) = (d for d in model.deviations if d.kind == "front")
    vector = after(model, MAKE)
    assert without_and_with(front, model, vector, ("make", {"station": 1, "parcel": 2}), "outbox")[0][1] == (1, 2)
    assert without_and_with(front, model, vector, ("make", {"station": 1, "parcel": 2}), "outbox")[1][1] == (2, 1)


def test_an_if_always_goes_one_way_or_the_other() -> None:
    model = DeviatingModel(RING, RING.fuzz_scope)
    of_deliver = [d for d in model.deviations if d.operation == "deliver"]
    always, never = ([d for d in of_deliver if d.kind == kind] for kind in ("wider", "narrower"))
    two, one = after(model, MAKE, ("make", {"station": 1, "parcel": 2})), after(model, MAKE)
    (quiet,), (busy,) = always, never
    right, wrong = without_and_with(quiet, model, two, DELIVER, "mood")
    assert (right[1], wrong[1]) == (int(Mood.BUSY), int(Mood.QUIET))
    right, wrong = without_and_with(busy, model, one, DELIVER, "mood")
    assert (right[1], wrong[1]) == (int(Mood.QUIET), int(Mood.BUSY))
    assert without_and_with(quiet, model, one, DELIVER, "mood")[0] == without_and_with(quiet, model, one, DELIVER, "mood")[1]


def test_a_bulk_update_stops_at_the_first_cell_or_takes_in_others() -> None:
    model = DeviatingModel(SPEC, SPEC.scope(SPEC.fuzz_scope))
    guest: Step = ("create_partition", {"caller": 1, "partition": 2})
    other: Step = ("create_partition", {"caller": 1, "partition": 3})
    calls = [guest, other, *(("allocate", {"caller": who, "region": region}) for region, who in ((1, 2), (2, 2), (3, 3)))]
    vector = after(model, *calls)
    end: Step = ("terminate", {"caller": 1, "partition": 2})
    owners = [d for d in model.deviations if (d.operation, d.component) == ("terminate", "owner")]
    seen = {}
    for deviation in owners:
        right, wrong = without_and_with(deviation, model, vector, end, "owner")
        assert right[1:4] == [0, 0, 3]
        seen[deviation.kind] = wrong[1:4]
    assert seen["first"] == [0, 2, 3]
    assert seen["without"] == [2, 2, 3]
    assert seen["wider"] == [0, 0, 0]


def test_a_condition_is_taken_for_true_wherever_it_is_asked() -> None:
    """The last descriptor of a file without a name frees its region, and its content with it; here every one does."""
    model = DeviatingModel(SPEC, SPEC.scope(SPEC.fuzz_scope))
    found = [d for d in model.deviations if (d.kind, d.operation, d.component) == ("wider", "close", "")]
    (last,) = (d for d in found if d.when.startswith("not exists") and "fd_file[fd0] == region_file[region1]" in d.when)
    calls: list[Step] = [
        ("create_process", {"caller": 1}),
        ("create_file", {"process": 1}),
        ("open", {"process": 1, "file": 1}),
        ("open", {"process": 1, "file": 1}),
        ("unlink", {"process": 1, "file": 1}),
    ]
    *_, (_, _, _, outcome) = replayed(model, calls)
    close, one = SPEC.actions["close"], {"process": 1, "fd": 1}
    with model.deviating(last):
        without = model.step(close, outcome.state, one)
    right = model.step(close, outcome.state, one)
    owners = [model.system(state).owner[1] for state in (right.state, without.state)]
    assert owners == [1, 0]
