"""Suspended calls, late answers, outputs and sets of things: on the bells, a spec of three sorts."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bells import BELLS, HERE, NOT_WOKEN, RUNG, WAITING, Bell, Letter, Listener, Machine, Silent, Tower
from planting import changed
from states import random_vector

from oneowner.checker import AdapterError
from oneowner.checker.adapters import connect
from oneowner.checker.explore import explore_all, explore_scope, story, unreached
from oneowner.checker.fuzz import fuzz
from oneowner.checker.prove import prove
from oneowner.checker.reports import refutation
from oneowner.checker.session import Mismatch, Session
from oneowner.checker.traces import (
    model_steps,
    program,
    read,
    replay_implementation,
    replay_model,
    save_failure,
    save_model_trace,
)
from oneowner.model import Call, SpecError, Subset, action, forall, none, require, suspend
from oneowner.model.concrete import Model, Outcome, Vector
from oneowner.model.graph import Judge, explore, run, with_fresh_names
from oneowner.model.language import EFFECTIVE, Members, Spec
from oneowner.model.symbolic import Symbolic, clauses
from oneowner.spec import SPEC

TWO = BELLS.explorations["two bells"]
OUTPUTS = ("woken", "heard", "brought")


def model() -> Model:
    return Model(BELLS, TWO.sizes)


def two_listen(of: Model) -> Vector:
    """Listener 1 waits for bell 1, listener 2 for both."""
    return run(of, with_fresh_names(of, BELLS.openings["two listen"]))


def call(of: Model, vector: Vector, operation: str, **arguments: Any) -> Outcome:
    action = BELLS.actions[operation]
    fresh = {s.name: of.fresh(vector, s.type) for s in action.slots if s.fresh}
    return of.step(action, vector, arguments | fresh)


def test_they_are_proved_for_any_size_and_a_suspended_exit_is_shown_possible_like_any() -> None:
    report = prove(BELLS)
    assert {o.status for o in report.obligations} == {"proved"}
    assert report.vacuous == []
    assert {o.exit for o in report.obligations if o.operation == "wait"} >= {"ok", "suspended", "BUSY"}
    for exit in EFFECTIVE:
        met = {o.statement for o in report.obligations if (o.operation, o.exit) == ("wait", exit)}
        assert met == {*BELLS.invariants, *BELLS.step_properties, "well_defined"}


def test_they_are_explored_and_every_clause_is_reached_late_ones_too() -> None:
    reports = explore_all(BELLS)
    assert [(r.states, r.complete, r.violations) for r in reports] == [(251, True, []), (17, True, [])]
    assert unreached(BELLS, reports, BELLS.actions) == []
    assert [c for c in clauses(BELLS) if c.startswith("wait/")][-4:] == [
        "wait/ok",
        "wait/suspended",
        "wait/late-ok",
        "wait/late-GONE",
    ]


@pytest.mark.parametrize("strict", [False, True])
def test_a_right_implementation_passes_with_every_clause_exercised(strict: bool) -> None:
    report = fuzz(BELLS, Machine(), seconds=1, seed=1, strict=strict, wanted=clauses(BELLS))
    assert report.failures == []
    assert set(report.clauses) == set(clauses(BELLS))


def test_a_suspended_call_takes_effect_and_is_no_refusal() -> None:
    of = model()
    vector = run(of, with_fresh_names(of, BELLS.openings["two listen"][:4]))
    outcome = call(of, vector, "wait", listener=2, bells=Members([1]))
    assert (outcome.exit, outcome.effective) == ("suspended", True)
    assert of.system(outcome.state).life[2] == WAITING


def test_no_error_can_be_called_suspended() -> None:
    def busy(tower: Tower, listener: Listener, bells: Subset[Bell]) -> None:
        require(tower.life[listener] == HERE, "suspended")

    with pytest.raises(SpecError, match="an error cannot be called 'suspended'"):
        prove(BELLS.replace(wait=busy))


def test_a_refusal_after_suspending_is_a_refusal() -> None:
    def late_check(tower: Tower, listener: Listener, bells: Subset[Bell]) -> None:
        suspend()
        require(tower.life[listener] == HERE, "STRANGER")

    spec = BELLS.replace(wait=late_check)
    of = Model(spec, TWO.sizes)
    assert of.step(spec.actions["wait"], of.initial(), {"listener": 1, "bells": Members()}).exit == "STRANGER"
    assert {p.exit for p in Symbolic(spec).paths(spec.actions["wait"])} == {"STRANGER", "suspended"}


def test_an_output_is_shown_after_the_call_and_is_no_part_of_the_state() -> None:
    of = model()
    outcome = call(of, two_listen(of), "ring", bell=1)
    shown, kept, blank = of.system(outcome.shown), of.system(outcome.state), of.blank()
    assert [shown.woken[1], shown.woken[2], shown.heard[2, 1], shown.heard[2, 2], shown.brought[1]] == [
        RUNG,
        RUNG,
        True,
        False,
        1,
    ]
    assert [kept.life[1], kept.life[2], kept.letter_of[1]] == [HERE, HERE, 1]
    for name in OUTPUTS:
        assert outcome.state[of.positions[name]] == blank[of.positions[name]]


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of spec functions is not walked: those of a test may tell what they see."""
    monkeypatch.setattr("oneowner.model.language.spec.check_function", lambda function: None)


@pytest.mark.usefixtures("unchecked")
def test_outputs_are_blank_before_every_call() -> None:
    of = model()
    asked = []

    def nosy(tower: Tower, bell: Bell) -> None:
        asked.append((tower.woken[1], tower.before.woken[2], tower.brought[1]))

    rung = call(of, two_listen(of), "ring", bell=1)
    of.step(BELLS.replace(take_down=nosy).actions["take_down"], rung.state, {"bell": 1})
    assert asked == [(NOT_WOKEN, NOT_WOKEN, none)]
    found = explore(of, opening=BELLS.openings["two listen"], without=BELLS.left_out(TWO))
    for name in OUTPUTS:
        assert {vector[of.positions[name]] for vector in found.parents} == {of.blank()[of.positions[name]]}


def test_in_a_proof_too_outputs_are_blank_before_every_call() -> None:
    def wary(tower: Tower, bell: Bell) -> None:
        require(forall(Listener, lambda listener: tower.woken[listener] == NOT_WOKEN), "WOKEN")
        require(forall(Listener, lambda listener: tower.before.brought[listener] == none), "BROUGHT")

    spec = BELLS.replace(take_down=wary)
    assert {p.exit for p in Symbolic(spec).paths(spec.actions["take_down"])} == {"ok"}


def test_an_output_that_is_not_written_says_nothing_of_an_earlier_call() -> None:
    of = model()
    rung = call(of, two_listen(of), "ring", bell=1)
    again = call(of, rung.state, "ring", bell=2)
    assert again.shown == again.state


class Scripted(Machine):
    """An implementation whose late answers are what a test says."""

    def __init__(self, settled: Callable[[list[dict[str, Any]]], Any]) -> None:
        super().__init__()
        self.settled = settled

    def settle(self) -> Any:
        late = super().settle()
        return self.settled(late) if late else late


def two_wait(implementation: Any) -> Session:
    """Listener 1 waits for bell 1, listener 2 for both."""
    session = Session(BELLS, implementation, TWO.sizes)
    for operation, arguments in BELLS.openings["two listen"]:
        session.compare_values(operation, arguments)
    return session


def test_a_late_answer_that_is_right_is_taken_in_any_order() -> None:
    session = two_wait(Scripted(lambda late: late[::-1]))
    assert session.compare_values("ring", {"bell": 1}) == "ok"
    assert (session.clauses["wait/late-ok"], session.names[Letter].handle) == (2, {1: "letter1"})
    session.compare_values("wait", {"listener": 2, "bells": Members([2])})
    assert session.compare_values("take_down", {"bell": 2}) == "ok"
    assert session.clauses["wait/late-GONE"] == 1


def answered(bells: list[int], letter: str | None = "letter1") -> dict[str, Any]:
    return {"ok": {"bells": bells, "letter": letter}}


@pytest.mark.parametrize(
    ("operation", "settled", "exit", "says"),
    [
        ("ring", lambda late: late[1:], "late-ok", "ring must bring wait, suspended, of listener0, its answer; nothing comes"),
        ("take_down", lambda late: [], "late-GONE", "take_down must bring wait, suspended, of listener0, GONE; nothing comes"),
        ("ring", lambda late: [late[0], {"listener": "listener1", "error": "GONE"}], "late-ok", "listener1 must succeed"),
        ("ring", lambda late: [{**late[0], **answered([1])}, late[1]], "late-ok", r"bells must be \[0\]; .* answers \[1\]"),
        ("ring", lambda late: [{**late[0], **answered([0], None)}, late[1]], "late-ok", "letter must be a letter"),
        ("ring", lambda late: [late[0], {**late[1], **answered([0], "letter2")}], "late-ok", "must be 'letter1'; .* 'letter2'"),
        ("take_down", lambda late: [late[0], {"listener": "listener1", **answered([])}], "late-GONE", "be answered with GONE"),
        ("take_down", lambda late: [late[0], {**late[1], "error": "LOST"}], "late-GONE", "with GONE; .* 'LOST'"),
        ("ring", lambda late: [*late, {"listener": "nobody", "error": "GONE"}], "", "no answer to a suspended call of nobody"),
        ("ring", lambda late: [*late, late[0]], "", "one answer to a suspended call of listener0; .* answers twice"),
    ],
)
def test_a_late_answer_that_is_missing_wrong_or_one_too_many_is_told(
    operation: str, settled: Callable[[list[dict[str, Any]]], Any], exit: str, says: str
) -> None:
    session = two_wait(Scripted(settled))
    with pytest.raises(Mismatch, match=says) as told:
        session.compare_values(operation, {"bell": 1})
    assert told.value.clause == (f"wait/{exit}" if exit else f"{operation}/ok")


def test_an_answer_to_who_does_not_wait_is_told_after_a_refused_call_too() -> None:
    class Restless(Machine):
        def settle(self) -> list[dict[str, Any]]:
            return [{"listener": name, "error": "GONE"} for name in list(self.listeners)[:1]] if self.unheard else []

    session = Session(BELLS, Restless(), TWO.sizes)
    session.compare_values("come", {})
    with pytest.raises(Mismatch, match="hang must bring no answer to a suspended call of listener0"):
        session.compare_values("hang", {})

    class Hasty(Machine):
        def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            answer = super().call(operation, arguments)
            if answer == {"error": "NO_BELL"}:
                self.late = [{"listener": "listener0", "error": "GONE"}]
            return answer

    session = Session(BELLS, Hasty(), TWO.sizes)
    session.compare_values("come", {})
    with pytest.raises(Mismatch, match="ring must bring no answer") as told:
        session.compare_values("ring", {"bell": 1})
    assert told.value.clause == "ring/NO_BELL"


@pytest.mark.parametrize(
    ("settled", "says"),
    [
        (lambda late: None, "settle.. failed or answers something odd"),
        (lambda late: [{"who": "listener0", "error": "GONE"}], "answers something odd: KeyError: 'listener'"),
        (lambda late: 1 / 0, "ZeroDivisionError"),
        (lambda late: [{"listener": "listener0"}], "a late answer is"),
        (lambda late: [{**late[0], "error": "GONE"}], "a late answer is"),
        (lambda late: [{**late[0], "listener": 7}], "a late answer is"),
        (lambda late: [{"listener": "listener0", "ok": [0]}, late[1]], "its fields are bells, letter"),
    ],
)
def test_a_late_answer_out_of_the_protocol_is_no_failure_of_a_clause(settled: Callable[[Any], Any], says: str) -> None:
    session = two_wait(Scripted(settled))
    with pytest.raises(AdapterError, match=says):
        session.compare_values("ring", {"bell": 1})


def test_an_implementation_that_cannot_answer_late_is_told_what_it_needs() -> None:
    with pytest.raises(AdapterError, match=r"needs settle\(\)"):
        fuzz(BELLS, Silent(), seconds=5, seed=1)


@pytest.mark.parametrize(
    ("flaw", "clause", "says"),
    [
        ("never waits", "wait/suspended", "wait must be suspended; the implementation does it"),
        ("always waits", "wait/ok", "wait must succeed; the implementation suspends the call"),
        ("wakes all", "ring/ok", "no answer to a suspended call"),
        ("wakes the second", "wait/late-ok", "nothing comes"),
        ("all its bells", "wait/late-ok", "its bells must be"),
        ("twice", "ring/ok", "answers twice"),
        ("same letter", "wait/late-ok", "its letter must be new"),
        ("gone is fine", "wait/late-GONE", "must be answered with GONE"),
        ("highest bell", "hang/ok", "its answer must be 0"),
    ],
)
def test_fuzzing_finds_what_is_wrong_with_waiting_in_a_few_calls(flaw: str, clause: str, says: str) -> None:
    (failure,) = fuzz(BELLS, Machine(flaw), seconds=60, seed=1).failures
    assert failure.clause == clause
    assert says in failure.text
    assert len(failure.calls) <= 8


@pytest.mark.parametrize(
    ("factory", "says"),
    [("burns_nothing", "{'ok': "), ("twice", "'listener': 'listener0'")],
)
def test_a_failure_about_late_answers_is_a_program_to_paste_and_a_trace_to_replay(
    factory: str, says: str, tmp_path: Path
) -> None:
    where = f"py:bells:{factory}"
    (failure,) = fuzz(BELLS, connect(where), seconds=60, seed=1).failures
    path = tmp_path / "failure.py"
    path.write_text(program(BELLS, where, failure, connect(where)))
    here = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True, env=here)
    assert says in ran.stdout
    trace = tmp_path / "failure.itf.json"
    save_failure(trace, BELLS, where, failure, connect(where))
    assert replay_implementation(BELLS, read(trace), where, connect(where)).shown
    assert not replay_implementation(BELLS, read(trace), "right", Machine()).shown


def test_as_sets_an_exploration_tries_none_one_and_two() -> None:
    of = Model(BELLS, {"bells": 3})
    sets = of.choices(next(s for s in BELLS.actions["wait"].slots if s.subset))
    assert sets == [Members(some) for some in ([], [1], [2], [3], [1, 2], [1, 3], [2, 3])]


def test_a_set_in_a_proof_is_any_set_and_a_counterexample_names_one(tmp_path: Path) -> None:
    spec = planted("wait", 'require(forall(Bell, lambda bell: implies(bells[bell], tower.hung[bell])), "NO_BELL")')
    found = next(o for o in prove(spec, chosen_operations=["wait"]).obligations if o.status == "refuted")
    assert (found.exit, found.statement) == ("suspended", "no_missed_ring")
    example = found.counterexample
    assert example is not None
    assert example.arguments == {"listener": 1, "bells": Members([1])}
    assert example.trace == [("come", {"listener": 1}), ("wait", {"listener": 1, "bells": Members([1])})]
    assert "wait(listener=listener1, bells=['bell1'])" in "\n".join(refutation(spec, found, tmp_path))


def test_a_set_is_stored_read_back_and_told(tmp_path: Path) -> None:
    of = model()
    steps = [*with_fresh_names(of, BELLS.openings["two listen"]), ("take_down", {"bell": 1})]
    path = tmp_path / "trace.itf.json"
    save_model_trace(path, BELLS, of.scope, steps, "no_missed_ring")
    assert model_steps(read(path), BELLS) == steps
    replayed = replay_model(BELLS, read(path))
    assert not replayed.shown
    assert any("bells=['bell1', 'bell2'])  -> suspended" in line for line in replayed.lines)
    assert story(BELLS, of.scope, steps)[-6:] == [
        "       life[listener1]: WAITING -> HERE",
        "       life[listener2]: WAITING -> HERE",
        "       hung[bell1]: True -> False",
        "       listens[listener1, bell1]: True -> False",
        "       listens[listener2, bell1]: True -> False",
        "       listens[listener2, bell2]: True -> False",
    ]


def test_a_set_is_of_a_sort_without_handles() -> None:
    def of_listeners(tower: Tower, listeners: Subset[Listener]) -> None:
        """Sets of handles have no shape on the wire."""

    def of_moods(tower: Tower, moods: Subset[int]) -> None:
        """Nor have sets of numbers a reason to be."""

    with pytest.raises(SpecError, match="a subset is of a sort without handles"):
        action()(of_listeners)
    with pytest.raises(SpecError, match="only an element of a Sort"):
        action()(of_moods)


@pytest.mark.parametrize(("spec", "scope", "count"), [(BELLS, TWO.sizes, 1500), (SPEC, {"partitions": 2, "ports": 2}, 80)])
def test_a_judge_gives_the_verdicts_of_the_model(spec: Spec, scope: dict[str, int], count: int) -> None:
    of, chance = Model(spec, scope), random.Random(3)
    judge = Judge(of)
    base = of.initial()
    given: set[tuple[str, bool]] = set()
    for _ in range(count):
        before = random_vector(of, chance, base, chance.choice([0.05, 0.3]))
        after = random_vector(of, chance, before, chance.choice([0.05, 0.3]), outputs=True)
        name = chance.choice(list(spec.actions))
        calls = [c for c in of.calls(spec.actions[name], before) if c is not None]
        arguments = chance.choice(calls) if calls else {}
        for invariant in spec.invariants.values():
            verdict = judge.of_state(invariant, before)
            assert verdict == of.broken(invariant, of.system(before))
            given.add((invariant.name, verdict is None))
        for each in spec.step_properties.values():
            verdict = judge.of_step(each, before, after, Call(name, arguments))
            assert verdict == of.broken(each, of.system(before), of.system(after), Call(name, arguments))
            given.add((each.name, verdict is None))
        base = chance.choice([before, of.initial()])
    assert len(given) > 1.5 * len({name for name, _ in given})


@pytest.mark.usefixtures("unchecked")
def test_a_judge_asks_again_when_something_else_is_read() -> None:
    asked = []

    def curious(tower: Tower, listener: Listener, bell: Bell) -> bool:
        asked.append(1)
        return not tower.hung[bell] or tower.unheard[bell] == 0

    spec = BELLS.replace(no_missed_ring=curious)
    of = Model(spec, {"bells": 1, "listeners": 1, "most": 2})
    statement = spec.invariants["no_missed_ring"]
    judge = Judge(of)
    unhung = of.initial()
    hung = of.step(spec.actions["hang"], unhung, {"bell": 1}).state
    rung = of.step(spec.actions["ring"], hung, {"bell": 1, "letter": 1}).state
    here = of.step(spec.actions["come"], rung, {"listener": 1}).state
    assert [judge.of_state(statement, v) is None for v in (unhung, hung, rung, here, rung, unhung)] == [
        *(True, True, False, False, False, True)
    ]
    assert len(asked) == 4  # not again for who has come, nor for the second time of `rung`


def planted(operation: str, old: str, new: str = "pass") -> Spec:
    return BELLS.replace(**{operation: changed(BELLS.actions[operation].function, old, new)})


WAKING = "tower.life.where(lambda listener: before.listens[listener, bell], HERE)"
NO_LONGER = "tower.listens.where(lambda listener, other: before.listens[listener, bell], False)"
BUGS = [
    ("wait", 'require(tower.life[listener] == HERE, "BUSY")', "pass", "waiting_until_answered"),
    ("wait", 'require(exists(Bell, lambda bell: bells[bell]), "NOTHING")', "pass", "who_waits_listens"),
    ("wait", "bells[bell] & (tower.unheard[bell] > 0)):", "False):", "no_missed_ring"),
    ("wait", "tower.life[listener] = WAITING", "pass", "who_waits_listens"),
    ("ring", "if not someone:", "if True:", "no_missed_ring"),
    ("ring", 'require(someone | (tower.unheard[bell] < tower.most), "ENOUGH")', "pass", "not_too_many"),
    ("ring", WAKING, "pass", "who_waits_listens"),
    ("ring", NO_LONGER, "pass", "who_waits_listens"),
    ("ring", "tower.woken.where(lambda listener: before.listens[listener, bell], RUNG)", "pass", "waiting_until_answered"),
    ("ring", "& (other == bell), True)", ", True)", "told_of_what_was_rung"),
    ("ring", "tower.brought.where(lambda listener: before.listens[listener, bell], letter)", "pass", "told_of_what_was_rung"),
    ("forget", 'require(times <= tower.unheard[bell], "TOO_MANY")', "pass", "well_defined"),
    ("take_down", WAKING, "pass", "who_waits_listens"),
    ("take_down", "tower.letter_of.where(lambda letter: before.letter_of[letter] == bell, none)", "pass", "letters_are_of_bells"),
    ("take_down", "tower.unheard[bell] = 0", "pass", "not_too_many"),
]


@pytest.mark.parametrize(("operation", "old", "new", "statement"), BUGS, ids=lambda v: v[:30])
def test_a_planted_bug_is_refuted(operation: str, old: str, new: str, statement: str) -> None:
    report = prove(planted(operation, old, new), chosen_operations=[operation], traces=False)
    assert report.count("unknown") == 0
    assert statement in {o.statement for o in report.obligations if o.status == "refuted"}


@pytest.mark.parametrize(("operation", "old", "new"), [b[:3] for b in BUGS if b[3] != "well_defined"], ids=lambda v: v[:30])
def test_a_planted_bug_is_explored(operation: str, old: str, new: str) -> None:
    spec = planted(operation, old, new)
    reports = [explore_scope(spec, name, exploration) for name, exploration in spec.explorations.items()]
    assert any(r.violations for r in reports)
