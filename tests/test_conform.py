"""A conformance run: the suite, the verdicts by clause, the exit codes, lists of known failures, configuration."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import conforming
import pytest
from command import run
from conversations import conversation
from sampling import one_in

from oneowner.checker.conform import Conformance, Report, code_of, matches
from oneowner.checker.session import Session
from oneowner.checker.suite import (
    LONGEST,
    OFTEN,
    Ground,
    Sequence,
    Walk,
    causes_of,
    chart,
    known_causes,
    of,
    read,
    replayed,
    returns,
    walks,
    ways,
    within,
    write,
)
from oneowner.model.concrete import Model
from oneowner.model.graph import explore, with_fresh_names
from oneowner.model.language import SpecError
from oneowner.model.symbolic import clauses
from oneowner.spec import SPEC

HERE = {"PYTHONPATH": str(Path(conforming.__file__).parent)}
SUITE = of(SPEC)
FUZZED = Model(SPEC, SPEC.fuzz_scope)
REFERENCE = "py:oneowner.reference_impl"
ROOMS = {name: SPEC.room(name) for name in SPEC.actions}


def conformance(made: Any, *patterns: str, profile: str = "core", **options: Any) -> Report:
    return Conformance(SPEC, made, type(made).__name__, SUITE, profiles=(profile,), patterns=patterns, **options).run()


COMES_TO: dict[int, tuple[Sequence, tuple[tuple[str, ...], ...]]] = {}


def comes_to(sequence: Sequence) -> tuple[tuple[str, ...], ...]:
    """What the calls of a sequence come to in the model: of each its own clause, then those of late answers."""
    known = COMES_TO.get(id(sequence))
    if known is not None and known[0] is sequence:
        return known[1]
    model = Model(SPEC, sequence.sizes(SPEC))
    vector, found = model.initial(), []
    for name, arguments in sequence.calls:
        action = SPEC.actions[name]
        fresh = {s.name: model.fresh(vector, s.type) for s in action.slots if s.fresh}
        outcome = model.step(action, vector, arguments | fresh)
        late = SPEC.late(model.system(vector), model.system(outcome.shown), model.scope) if SPEC.late else ()
        found.append((f"{name}/{outcome.exit}", *(each.clause for each in late)))
        vector = outcome.state
    COMES_TO[id(sequence)] = sequence, tuple(found)
    return tuple(found)


def in_a_room(following: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(one, other) for one, other in following if len({ROOMS[clause.partition("/")[0]] for clause in (one, other)}) == 1}


def taken(suite: Iterable[Sequence]) -> set[tuple[str, str]]:
    """The pairs of clauses of a room that follow one another in a suite."""
    return in_a_room(pair for sequence in suite for pair in pairwise(own for own, *_ in comes_to(sequence)))


def possible(scope: str, operations: Collection[str]) -> set[tuple[str, str]]:
    """The pairs of clauses of a room that can follow one another in a scope, from every state and by every call of it."""
    exploration = SPEC.explorations[scope]
    model = Model(SPEC, exploration.sizes, exploration.arguments)
    without = {*SPEC.left_out(exploration), *(name for name in SPEC.actions if name not in operations)}
    assert not exploration.opening
    after: dict[Any, set[tuple[str, Any]]] = {}
    for vector in explore(model, without=without, statements=frozenset()).parents:
        after[vector] = set()
        for action in (SPEC.actions[name] for name in SPEC.actions if name not in without):
            for arguments in filter(None, model.calls(action, vector)):
                outcome = model.step(action, vector, arguments)
                after[vector].add((f"{action.name}/{outcome.exit}", outcome.state))
    return in_a_room((one, other) for calls in after.values() for one, state in calls for other, _ in after[state])


def test_the_suite_reaches_every_clause_in_short_sequences() -> None:
    for_clauses = [s for s in SUITE if s.scope and not s.pairs]
    assert SUITE[: len(for_clauses)] == for_clauses
    assert {c for s in for_clauses for c in s.clauses} == set(clauses(SPEC))
    assert len(for_clauses) < 100
    assert sum(len(s.calls) for s in for_clauses) < 1000


@pytest.mark.parametrize(
    ("scope", "profile", "pairs"),
    one_in(
        2,
        [("requests", "core", 473), ("shared memory", "signals", 698), ("processors", "all", 745), ("shared memory", "all", 698)],
    ),
)
def test_every_pair_of_clauses_that_can_follow_one_another_in_a_room_does(scope: str, profile: str, pairs: int) -> None:
    operations = SPEC.profile(profile)
    there = possible(scope, operations)
    assert there - taken(within(SUITE, operations)) == set()
    assert len(there) == pairs


def test_the_pairs_are_many_and_the_sequences_few() -> None:
    assert len(taken(SUITE)) > 8000
    in_graphs = [s for s in SUITE if s.scope]
    assert len(in_graphs) < 400
    assert sum(len(s.calls) for s in in_graphs) < 15_000
    assert max(len(s.calls) for s in in_graphs) <= LONGEST


def test_what_the_graphs_do_not_come_to_is_walked_for_and_its_end_is_looked_at() -> None:
    walked = [s for s in SUITE if not s.scope and s.ending is not None]
    assert len(walked) > 250
    # of the calls that do something: others are put in between, for the histories of their causes
    long = [sum(made[3].effective for made in replayed(FUZZED, s.calls[: s.ending])) for s in walked]
    assert max(long) < 40
    assert sum(long) / len(walked) < 12
    assert {"send/EBUSY#region_file", "free/EBUSY#region_process", "send/ok#owner<limit"} <= set(known_causes(SPEC, SPEC.actions))
    ends = {name for s in walked for name, _ in s.calls[s.ending :]}
    assert {"read_memory", "read_event", "take_signal", "receive", "terminate", "exit", "allocate", "create_receiver"} <= ends


def test_what_looks_at_an_effect_is_short_and_has_no_end_of_its_own() -> None:
    looking = [s for s in SUITE if not s.scope and s.ending is None]
    assert len(looking) > 80
    long = [sum(made[3].effective for made in replayed(FUZZED, s.calls)) for s in looking]
    assert sum(long) / len(looking) < 12


def test_some_sequences_go_round_in_a_cycle_as_often_as_a_byte_can_count() -> None:
    round_ = [s for s in SUITE if s.cycle]
    assert {"allocate", "free", "send", "receive", "socket", "create_port"} <= {
        name for s in round_ for name, _ in s.calls[slice(*s.cycle)]
    }
    for sequence in round_:
        model, (first, last) = Model(SPEC, sequence.sizes(SPEC)), sequence.cycle or (0, 0)
        calls = with_fresh_names(model, list(sequence.calls))
        assert returns(model, calls[:first], calls[first:last])
        assert sum(1 for _ in sequence.played()) == len(sequence.calls) + (OFTEN - 1) * (last - first) > 256


class Mistakes(conforming.Around):
    """Answers one error in place of another."""

    def __init__(self, operation: str, right: str, wrong: str) -> None:
        super().__init__()
        self.mistaken, self.right, self.wrong = operation, right, wrong

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"error": self.wrong} if operation == self.mistaken and answer.get("error") == self.right else answer


@pytest.mark.parametrize(
    ("operation", "right", "wrong"),
    [
        ("receive", "EPIPE", "EAGAIN"),
        ("receive", "ENOTCONN", "EAGAIN"),
        ("read_socket", "EBADF", "EAGAIN"),
        ("read_socket", "ENOTCONN", "EAGAIN"),
        ("accept_socket", "EINVAL", "EAGAIN"),
        ("send", "ENOTCONN", "EPIPE"),
        ("send_file", "EBADF", "EPIPE"),
        ("send_mapped", "ENOTCONN", "EPIPE"),
    ],
)
def test_what_lasts_is_not_to_be_tried_again_and_nothing_ended_that_was_not_connected(
    operation: str, right: str, wrong: str
) -> None:
    report = conformance(Mistakes(operation, right, wrong), f"{operation}/{right}", profile="all")
    assert [v.clause for v in report.having("fail")] == [f"{operation}/{right}"]


class Wraps(conforming.Around):
    """Has memory for 255 regions and no more, however many are given back."""

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        self.made = 0
        return super().reset(topology)

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        if operation == "allocate" and "ok" in answer:
            self.made += 1
            if self.made > 255:
                return {"error": "ENOMEM"}
        return answer


def test_what_wraps_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    # hundreds of calls show it, and nearly as many are left when it is as short as it becomes
    monkeypatch.setattr("oneowner.checker.session.shrinking.SHRINKING", 1.0)
    round_ = [sequence for sequence in SUITE if sequence.cycle]
    report = Conformance(SPEC, Wraps(), "wraps", round_, patterns=("allocate/ok", "free/ok")).run()
    assert report.verdicts["allocate/ok"].status == "fail"


class Turns(conforming.Around):
    """Writes the bytes of a datum in the other order."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if operation == "write_memory":
            arguments = arguments | {"data": bytes.fromhex(arguments["data"])[::-1].hex()}
        return super().call(operation, arguments)


def test_bytes_in_another_order_are_seen() -> None:
    report = conformance(Turns(), "read_memory/ok")
    assert report.verdicts["read_memory/ok"].status == "fail"


def test_the_suite_comes_to_the_causes_that_it_says() -> None:
    models = {s.scope: Model(SPEC, s.sizes(SPEC)) for s in SUITE}
    known: set[str] = set()
    for sequence in SUITE:
        had = set(causes_of(models[sequence.scope], sequence.calls[: sequence.ending]))
        assert set(sequence.causes) == had - known
        known |= had
    assert len(known) > 640


def test_profiles_name_operations_that_there_are_and_all_has_every_one() -> None:
    assert frozenset().union(*SPEC.profiles.values()) <= SPEC.profile("all") == frozenset(SPEC.actions)


@pytest.mark.parametrize("profile", SPEC.profiles)
def test_a_profile_has_most_clauses_of_its_operations(profile: str) -> None:
    operations = SPEC.profile(profile)
    reached = {c for s in within(SUITE, operations) for c in s.clauses}
    there = [c for c in clauses(SPEC) if c.partition("/")[0] in operations]
    assert len(there) - len(reached) <= 10
    assert {c.partition("/")[0] for c in reached} == operations


def test_every_sequence_comes_to_its_clauses_in_the_model() -> None:
    for sequence in SUITE:
        assert set(sequence.clauses) <= {clause for found in comes_to(sequence) for clause in found}


def test_an_implementation_is_asked_what_the_model_is() -> None:
    """A handle that was never shown cannot be given, so that a call with one would come to something else."""
    made = conforming.Around()
    for sequence in SUITE:
        session = Session(SPEC, made, sequence.sizes(SPEC), probing=False)
        for (name, arguments), (own, *_) in zip(sequence.calls, comes_to(sequence), strict=True):
            assert f"{name}/{session.compare_values(name, arguments)}" == own


def test_the_suite_is_what_the_graphs_give() -> None:
    """Of one scope, to be quick; `make suite` draws it all."""
    scope, operations, before = "shared memory", SPEC.profile("signals"), SPEC.profile("core")
    part = chart(SPEC, scope).part(operations)
    known = [replace(s, causes=(), number=0) for s in within(SUITE, operations) if s.scope]
    stored = [s for s in known if s.scope == scope and not s.operations <= before]
    first = known.index(stored[0])
    reached = {c for s in known[:first] for c in s.clauses}
    drawn = [walk.sequence() for walk in walks(scope, part, [way for way in ways(part) if way.clause not in reached])]
    assert write(SPEC, drawn) == write(SPEC, [s for s in stored if not s.pairs]) != ""
    ground = Ground(part, ROOMS)
    for sequence in known:
        if sequence.pairs and sequence in stored:
            assert write(SPEC, [Walk(scope, ground.walk()).sequence(pairs=True)]) == write(SPEC, [sequence])
        ground.take(taken([sequence]))
    assert not any(ground.left)


def test_the_reference_implementation_passes_every_clause() -> None:
    report = Conformance(SPEC, conforming.Around(), "around", SUITE, profiles=("all",)).run()
    assert {v.status for v in report.verdicts.values()} == {"pass"}
    assert set(report.verdicts) == set(clauses(SPEC))
    assert code_of(report)[0] == 0


def test_an_operation_that_is_not_supported_is_skipped_and_the_rest_is_tested() -> None:
    report = conformance(conforming.WithoutFree())
    assert report.unsupported == ("free",)
    assert {v.clause.partition("/")[0] for v in report.having("unsupported")} == {"free"}
    assert not report.having("fail", "flaky", "untested")
    assert code_of(report)[0] == 0


def test_what_needs_an_unsupported_operation_is_unsupported_with_the_reason() -> None:
    report = conformance(conforming.WithoutGuests())
    assert report.verdicts["send/ok"].status == "unsupported"
    assert "create_partition is not supported" in report.verdicts["send/ok"].reason


def test_nothing_supported_is_nothing_tested() -> None:
    assert code_of(conformance(conforming.Nothing()))[0] == 5


def test_another_error_that_applies_is_permitted_but_not_canonical_unless_strict() -> None:
    made = conforming.AnotherOrder()
    session = Session(SPEC, made, SPEC.scope({"partitions": 2, "regions": 1}), probing=False)
    for name, arguments in (
        ("create_partition", {"caller": 1}),
        ("allocate", {"caller": 1}),
        ("allocate", {"caller": 1}),
        ("terminate", {"caller": 1, "partition": 2}),
        ("allocate", {"caller": 2}),
    ):
        session.compare_values(name, arguments)
    assert session.permitted == {"allocate/ESRCH": 1}


def test_a_refusal_that_fails_is_left_out_from_then_on() -> None:
    report = conformance(conforming.OneError())
    assert {v.status for v in report.verdicts.values() if v.clause.endswith("/ok")} == {"pass"}
    assert not report.having("untested", "flaky")
    failed = report.having("fail")
    assert len(failed) > 40
    assert report.calls < 2 * sum(sum(1 for _ in s.played()) for s in within(SUITE, SPEC.profile("core")))


def test_a_failure_that_does_not_come_again_is_flaky() -> None:
    conforming.Flaky.done = False
    report = conformance(conforming.Flaky(), "allocate/ok")
    assert report.verdicts["allocate/ok"].status == "flaky"
    assert report.verdicts["allocate/ok"].shown == "0/3"
    assert code_of(report)[0] == 1


def test_what_may_or_may_not_have_happened_is_followed_both_ways() -> None:
    report = Conformance(SPEC, conforming.Indeterminate(), "indeterminate", SUITE, profiles=("core",), seconds=3, seed=1).run()
    assert not report.having("fail", "flaky")
    assert report.calls > 1000


def test_what_no_possibility_explains_fails() -> None:
    report = Conformance(
        SPEC, conforming.ForgetsTheIndeterminate(), "forgets", SUITE, profiles=("core",), seconds=20, seed=1
    ).run()
    assert report.having("fail", "flaky")


def test_a_failure_is_shrunk_and_comes_again() -> None:
    ran = run("conform", "py:oneowner.reference_impl.bugs:queued_twice", "--profile", "core")
    assert ran.code == 1
    assert "FAIL send/EBUSY, again 3/3 times" in ran.out
    assert "oneowner replay .oneowner/" in ran.out


def test_the_verdicts_come_as_json_too() -> None:
    ran = run("conform", REFERENCE, "-k", "allocate", "--format", "json")
    assert ran.code == 0
    assert ran.json["verdicts"]["allocate/ok"]["status"] == "pass"
    assert ran.json["profiles"] == ["all"]
    assert len(ran.json["specification"]["digest"]) == 64


@pytest.mark.parametrize(
    ("listed", "code", "says"),
    [
        ("send/EBUSY  # to itself\n", 0, "known to fail"),
        ("send/EBUSY\nallocate/ok\n", 1, "listed as known to fail, but right: allocate/ok"),
        ("# nothing\n", 1, "1 clause fails"),
        ("steal/ok\n", 2, "no clause is called 'steal/ok'"),
    ],
)
def test_a_list_of_known_failures_has_to_shrink(listed: str, code: int, says: str, tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text(listed)
    where = "py:oneowner.reference_impl.bugs:queued_twice"
    chosen = ("-k", "send/EBUSY", "-k", "allocate/ok")
    ran = run("conform", where, "--profile", "core", *chosen, "--known-failing", "known.txt", cwd=tmp_path)
    assert ran.code == code
    assert says in ran.out + ran.err


def test_a_pattern_is_a_clause_a_part_of_one_or_a_glob() -> None:
    known = clauses(SPEC)
    assert [c for c in known if matches(c, "send/ok", known)] == ["send/ok"]
    assert [c for c in known if matches(c, "allocate", known)] == [c for c in known if c.startswith("allocate/")]
    assert [c for c in known if matches(c, "free/E*", known)] == [c for c in known if c.startswith("free/E")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["conform", REFERENCE, "--profile", "half"], "no profile is called 'half'"),
        (["conform", REFERENCE, "-k", "beauty"], "no clause of this profile matches beauty"),
        (["conform", REFERENCE, "--known-failing", "none.txt"], "none.txt"),
        (["conform", REFERENCE, "--report", "pdf=x"], "KIND=FILE"),
        (["conform"], "Missing argument"),
    ],
)
def test_what_is_asked_wrongly_is_said_so(arguments: list[str], says: str) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert says in ran.err


@pytest.mark.parametrize(
    "where", ["exec:", "exec:./none", "tcp:localhost", "unix:", "unix:./none", "http://x", "tcp:127.0.0.1:1"]
)
def test_an_adapter_that_cannot_be_reached_is_exit_code_4(where: str) -> None:
    for command in ("conform", "smoke"):
        assert run(command, where).code == 4


def test_options_may_stand_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "oneowner.toml").write_text('[conform]\nprofile = ["core"]\nk = ["allocate"]\nformat = "json"\n')
    ran = run("conform", REFERENCE, cwd=tmp_path)
    assert ran.code == 0
    assert ran.json["profiles"] == ["core"]
    assert all(c.startswith("allocate/") for c in ran.json["verdicts"])
    (tmp_path / "oneowner.toml").unlink()
    (tmp_path / "pyproject.toml").write_text("[tool.oneowner.conform]\nbeauty = 1\n")
    ran = run("conform", REFERENCE, cwd=tmp_path)
    assert ran.code == 2
    assert "no option 'beauty'" in ran.err


def test_shrink_finds_the_fewest_calls_of_a_conversation(tmp_path: Path) -> None:
    create = ("create_partition", {"caller": 1})
    log = conversation(tmp_path / "conversation.jsonl", "a process that waited in accept was answered", create, create)
    assert run("replay", str(log), "--trust", cwd=tmp_path).code == 0
    assert run("shrink", str(log), "--trust", cwd=tmp_path).code == 0
    wrong = "py:conforming:ForgetsHalf"
    ran = run("shrink", str(log), "--implementation", wrong, "--format", "json", cwd=tmp_path, env=HERE)
    assert ran.code == 1
    assert ran.json["calls"] < 6 < ran.json["of"]


def test_smoke_says_what_is_supported() -> None:
    ran = run("smoke", "py:conforming:WithoutFree", env=HERE)
    assert ran.code == 0
    assert f"{len(SPEC.actions) - 1} of {len(SPEC.actions)} operations are supported" in ran.out


def test_a_suite_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "suite.jsonl").write_text('{"scope": 1}\n')
    with pytest.raises(SpecError, match="no suite"):
        read(SPEC, tmp_path / "suite.jsonl")
    assert json.loads(write(SPEC, SUITE).splitlines()[0])["scope"] == SUITE[0].scope


class NeverSays(conforming.Around):
    """Allocates, and never says so."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"indeterminate": None} if operation == "allocate" and "ok" in answer else answer


def test_what_never_was_answered_does_not_count_as_right() -> None:
    report = conformance(NeverSays(), "allocate/ok", "free/EFAULT")
    assert report.verdicts["allocate/ok"].status != "pass"
    assert report.verdicts["allocate/ok"].times == 0


def test_a_hiccup_is_a_verdict_and_the_others_are_kept() -> None:
    class Hiccup(conforming.Around):
        left = 9_000

        def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            self.left -= 1
            answer = super().call(operation, arguments)
            return {"error": "HICCUP"} if self.left == 0 else answer

    report = conformance(Hiccup(), seconds=10, seed=1)
    (verdict,) = report.having("flaky")
    assert verdict.shown == "0/3"
    assert len(report.having("pass")) > 70


def test_what_was_judged_before_an_interruption_is_told() -> None:
    class Interrupting(conforming.Around):
        left = 100

        def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return super().call(operation, arguments)

    report = conformance(Interrupting())
    assert report.interrupted
    assert report.having("pass")
    assert report.having("untested")
    assert code_of(report) == (130, "interrupted: these are the verdicts so far")
