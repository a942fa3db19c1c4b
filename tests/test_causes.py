"""Causes: each condition of a guard and each branch of an effect apart, the same in every reading."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from bells import BELLS
from random_specs import drawn
from states import random_vector
from token_ring import RING, Mood, Ring, Station

from oneowner.checker import suite
from oneowner.checker.prove import prove
from oneowner.model import Spec
from oneowner.model.concrete import Model, Outcome, Vector
from oneowner.model.graph import explore
from oneowner.model.language import EFFECTIVE, SpecError, Step, exists, reading, require, subset
from oneowner.model.recording import asked, causes, every
from oneowner.model.search import Explorer, explorer
from oneowner.spec import SPEC


def named(spec: Spec, operation: str) -> list[str]:
    return [str(cause).partition("/")[2] for cause in causes(spec)[operation].all]


def test_each_condition_is_a_cause_named_by_what_it_reads() -> None:
    assert named(SPEC, "free") == [
        "ESRCH#status!=ACTIVE",
        "EFAULT#owner!=caller",
        "EBUSY#carried_by",
        "EBUSY#region_file",
        "EBUSY#region_process",
        "ok#content:=",
    ]


def test_each_way_in_which_a_guard_fails_is_a_cause_and_each_in_which_it_holds() -> None:
    assert [name for name in named(SPEC, "connect") if "ECONNREFUSED" in name] == [
        "ECONNREFUSED#status!=ACTIVE",
        "ECONNREFUSED#partition=SYSTEM,descriptor!=LISTENING",
        "ECONNREFUSED#partition=SYSTEM,forbidden",
        "ECONNREFUSED#partition=SYSTEM,backlog>=backlog_bound,no-waiters",
    ]
    assert {"ok#port_status=IDLE", "ok#port_status=REFUSED", "ok#not-limited", "ok#payer<limit"} <= set(named(SPEC, "connect"))


def test_a_way_is_a_cause_of_the_exits_that_it_leads_to_and_of_no_other() -> None:
    found = set(named(SPEC, "read_socket"))
    assert {"ok#inbox", "ok#port_status=PEER_CLOSED", "suspended#wait"} <= found
    assert not {"ok#wait", "suspended#inbox"} & found


def test_the_sides_of_a_branch_are_causes_and_what_a_bulk_update_finds() -> None:
    assert {"ok#message_region", "ok#no-message_region", "ok#mode=FILE", "ok#mode!=FILE"} <= set(named(SPEC, "read_socket"))
    assert {"ok#content:=", "ok#target:=", "ok#held:="} <= set(named(SPEC, "terminate"))


def test_no_two_causes_have_one_name() -> None:
    for spec in (SPEC, RING, BELLS):
        names = [str(cause) for cause in every(spec)]
        assert len(set(names)) == len(names) > 0


def test_a_refusal_has_one_cause_and_all_readings_agree_on_every_call() -> None:
    assert_told(SPEC, SPEC.scope(SPEC.fuzz_scope), 3000, 1)


@pytest.mark.parametrize("spec", [RING, BELLS], ids=["ring", "bells"])
def test_they_agree_on_other_specifications(spec: Spec) -> None:
    assert_told(spec, spec.scope(spec.fuzz_scope), 600, 2)


def test_they_agree_on_specifications_drawn_at_random(tmp_path: Path) -> None:
    for seed in range(300, 330):
        spec, exploration = drawn(seed, tmp_path)
        assert_told(spec, spec.scope(exploration.sizes), 150, seed)


def join_a_quiet_ring(ring: Ring, station: Station) -> Station:
    quiet = subset(Station, lambda s: ring.mood[s] == Mood.QUIET)
    require(exists(Station, lambda s: quiet[s] & ring.token_at[s]), "BUSY")
    ring.member[station] = True
    return station


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize(("spec", "name"), [(RING, "small"), (BELLS, ""), (SPEC, "requests"), (SPEC, "shared memory")])
def test_an_exploration_comes_to_what_a_plain_search_of_all_its_calls_does(spec: Spec, name: str, symmetry: bool) -> None:
    exploration = spec.explorations[name] if name else next(iter(spec.explorations.values()))
    model, came = Model(spec, exploration.sizes, exploration.arguments), set[str]()

    def tried(vector: Vector, step: Step, outcome: Outcome) -> None:
        action = spec.actions[step[0]]
        came.update(causes(spec)[step[0]].named(model.came(action, vector, step[1], outcome.exit)))

    explore(model, without=spec.left_out(exploration), opening=spec.opening(exploration), tried=tried)
    assert came
    assert Explorer.of(spec, exploration, symmetry=symmetry, count_causes=True).run().causes == came


def test_processes_that_share_a_search_count_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("WORTH_SHARING", 1), ("WORTH_STARTING", 0.0)):
        monkeypatch.setattr(explorer, name, value)
    alone, shared = (Explorer.of(SPEC, SPEC.explorations["events"], count_causes=True, jobs=jobs).run() for jobs in (1, 2))
    assert shared.causes == alone.causes
    assert len(alone.causes) > 50


def test_they_agree_on_a_subset_that_an_operation_makes() -> None:
    spec = RING.replace(join=join_a_quiet_ring)
    assert_told(spec, spec.scope(spec.fuzz_scope), 600, 3)


def test_a_subset_that_an_operation_makes_can_be_proved_about() -> None:
    judged = prove(RING.replace(join=join_a_quiet_ring), chosen_operations=["join"], traces=False).causes
    assert sorted(name for name in judged.possible if name.startswith("join/")) == sorted(
        str(cause) for cause in causes(RING.replace(join=join_a_quiet_ring))["join"].all
    )


def assert_told(spec: Spec, sizes: dict[str, int], calls: int, seed: int) -> None:
    """The guards printed as Python come to the exit of the text, and their causes are those whose conditions hold."""
    model, chance = Model(spec, sizes), random.Random(seed)
    vector, seen = model.initial(), set[str]()
    for number in range(calls):
        action = chance.choice(list(spec.actions.values()))
        if number % 10 == 0:
            vector = random_vector(model, chance, vector, 0.05)
        values = {s.name: model.choices(s) if not s.fresh else [model.fresh(vector, s.type)] for s in action.slots}
        if not all(values.values()):
            continue
        arguments = {name: chance.choice(some) for name, some in values.items()}
        try:
            outcome = model.step(action, vector, arguments)
        except SpecError:
            # a state that was drawn need not make sense
            continue
        exit = outcome.exit
        assert model.foreseen(action, vector, {n: [v] for n, v in arguments.items()}, [0], ()) == [exit]
        came = model.came(action, vector, arguments, exit)
        all_ = causes(spec)[action.name].all
        told = {str(cause) for n, cause in enumerate(all_) if came >> n & 1}
        given = model._given(action, arguments)
        with reading(model):
            held = {str(c) for c in all_ if c.exit == exit and asked(c.condition, model.system(vector), given)}
        assert told == held, (action.name, arguments)
        if exit not in EFFECTIVE:
            assert len(told) <= 1
        seen |= told
        if exit in EFFECTIVE:
            vector = outcome.state
    assert len(seen) > 3


def test_each_condition_that_refuses_a_call_is_told_though_two_have_one_error() -> None:
    model = Model(SPEC, SPEC.fuzz_scope)
    read = SPEC.actions["read_memory"]
    alone, both = ({"caller": 1, "region": 1, "place": place} for place in (1, 0))
    assert model.refusals(read, model.initial(), alone) == ["EFAULT"]
    assert model.refusals(read, model.initial(), both) == ["EFAULT", "EFAULT"]
    assert model.refusals(read, model.initial(), both, 1) == model.permitted(read, model.initial(), both) == ["EFAULT"]


def test_the_suite_has_refusals_for_one_cause_alone_of_handles_that_live() -> None:
    """Another's region, say, and not one that nobody has: who asks only whether it is there gives another answer."""
    come_to = set()
    for sequence in (s for s in suite.of(SPEC) if s.operations <= SPEC.profile("core")):
        model = Model(SPEC, sequence.sizes(SPEC))
        for call in suite.replayed(model, sequence.calls):
            come_to.update(suite.given_to(model, *call))
    for wanted in (
        "read_memory/EFAULT#not-mapped with region alive",
        "write_memory/EFAULT#not-mapped with region alive",
        "free/EFAULT#owner!=caller with region alive",
        "receive/EBADF#port_owner!=caller with port alive",
        "destroy_receiver/EBADF#receiver_owner!=caller with receiver alive",
    ):
        assert wanted in come_to
