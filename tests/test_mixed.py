"""Ways through each other: what a run of fuzzing may begin with."""

from __future__ import annotations

import random
from collections.abc import Sequence

from oneowner.checker.suite import mixed, stored_suite
from oneowner.model.concrete import Model
from oneowner.model.graph import with_fresh_names
from oneowner.model.language import Step
from oneowner.spec import SPEC

MODEL = Model(SPEC, SPEC.fuzz_scope)
WAYS = [s.calls[: s.ending] for s in stored_suite(SPEC) if not s.pairs and s.scope and len(s.calls) < 25]


def exits(calls: Sequence[Step]) -> list[str]:
    vector, found = MODEL.initial(), []
    for name, arguments in with_fresh_names(MODEL, list(calls)):
        outcome = MODEL.step(SPEC.actions[name], vector, dict(arguments))
        found.append(f"{name}/{outcome.exit}")
        vector = outcome.state
    return found


def drawn(seed: int) -> tuple[list[Sequence[Step]], list[Step]]:
    chance = random.Random(seed)
    ways = chance.sample(WAYS, 2)
    return ways, mixed(MODEL, ways, chance)


def test_each_call_does_something() -> None:
    for seed in range(40):
        _, calls = drawn(seed)
        assert all(exit.endswith(("/ok", "/suspended")) for exit in exits(calls))


def test_one_way_alone_is_its_calls_that_do_something_in_their_order() -> None:
    for seed in range(20):
        way = random.Random(seed).choice(WAYS)
        effective = [name for (name, _), exit in zip(way, exits(way), strict=True) if exit.endswith(("/ok", "/suspended"))]
        assert [name for name, _ in mixed(MODEL, [way], random.Random(seed))] == effective


def binding(*ends: Step) -> list[Step]:
    made = {"create_process": {"caller": 1}, "socket": {"process": 1, "mode": 0}}
    bound = {"bind": {"process": 1, "fd": 1, "service": 1}}
    return [*made.items(), *bound.items(), *ends]


def test_who_would_be_refused_waits_until_the_other_makes_way() -> None:
    one, other = binding(("close", {"process": 1, "fd": 1})), binding(("listen", {"process": 1, "fd": 1, "backlog": 1}))
    waited = 0
    for seed in range(60):
        calls = mixed(MODEL, [one, other], random.Random(seed))
        bound = [given["fd"] for name, given in calls if name == "bind"]
        closed = next(given["fd"] for name, given in calls if name == "close")
        if created(calls, "socket") == 2 and closed == bound[0]:
            assert len(bound) == 2
            waited += 1
    assert waited > 10


def test_ways_take_turns() -> None:
    turns = 0
    for seed in range(40):
        ways, calls = drawn(seed)
        names = [name for name, _ in calls]
        alone = [[name for name, _ in mixed(MODEL, [way], random.Random(seed))] for way in ways]
        turns += names not in (alone[0] + alone[1], alone[1] + alone[0])
    assert turns > 10


def created(calls: Sequence[Step], name: str) -> int:
    return sum(called == name for called, _ in calls)


def test_they_share_what_the_first_was_given_now_and_then() -> None:
    way = next(w for w in WAYS if created(w, "create_partition") == 1 and created(w, "allocate") == 1)
    apart = {mixed_counts(way, seed) for seed in range(60)}
    assert {(1, 1), (1, 2), (2, 1), (2, 2)} <= apart


def mixed_counts(way: Sequence[Step], seed: int) -> tuple[int, int]:
    calls = mixed(MODEL, [way, way], random.Random(seed))
    return created(calls, "create_partition"), created(calls, "allocate")
