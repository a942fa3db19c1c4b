"""What the tests of the fast search share."""

from __future__ import annotations

from typing import Any

import pytest
from bells import BELLS
from planting import changed
from token_ring import KEEPS

from oneowner.model.concrete import Model
from oneowner.model.graph import Graph, Violation, explore
from oneowner.model.language import Exploration, Spec, load
from oneowner.model.search import CompiledExplorer, Explorer, Limits, Pool, Search
from oneowner.model.search import compiled as compiled_search
from oneowner.model.search import explorer as searching
from oneowner.spec import SPEC
from oneowner.spec.museum import BUGS

CORE, FORGETS_TO_UNMAP, OFF_BY_ONE = load("core:CORE"), load("core:FORGETS_TO_UNMAP"), load("core:OFF_BY_ONE")


READING = "batch"
"""In which searches are made; see the fixture `reading`."""


def core(partitions: int, regions: int, ports: int, depth: int) -> Exploration:
    """A scope of the core, whole."""
    return Exploration({"partitions": partitions, "regions": regions, "ports": ports, "depth": depth})


def begun(spec: Spec, exploration: Exploration, **options: Any) -> Explorer:
    """A search that has not gone anywhere yet."""
    return (CompiledExplorer if READING == "compiled" else Explorer).of(spec, exploration, **options)


def plainly(spec: Spec, exploration: Exploration, **options: Any) -> Graph:
    """The plain search, in the concrete reading."""
    opening = spec.opening(exploration)
    model = Model(spec, exploration.sizes, exploration.arguments)
    return explore(model, without=spec.left_out(exploration), opening=opening, **options)


def figures(found: Search) -> dict[str, Any]:
    """What a search comes to, however it was gone about."""
    names = ("states", "transitions", "depth", "clauses", "cut", "finished", "complete", "stopped")
    violations = sorted((v.statement.name, len(v.trace)) for v in found.violations)
    return {name: getattr(found, name) for name in names} | {"violations": violations, "dead": set(found.dead)}


ROOMS = ("requests", "limits", "no headroom", "processors", "shared memory")
EXPLORED = [(SPEC, name) for name in ROOMS]


def assert_same(found: Search, plain: Graph) -> None:
    assert found.states == len(plain.parents)
    assert (found.transitions, found.depth, found.cut) == (plain.transitions, plain.depth, plain.cut)
    assert found.clauses == plain.clauses
    assert (found.finished, found.complete) == (plain.finished, plain.complete)


COUNTED = [
    ((2, 2, 4, 1), False, 67881),
    ((2, 2, 4, 2), False, 80009),
    ((2, 2, 4, 1), True, 957),
    ((2, 2, 4, 2), True, 1103),
    ((3, 3, 4, 2), True, 8141),
]
MESSAGES_RUN_OUT = Exploration(
    {"partitions": 3, "receivers": 2, "ports": 2, "messages": 2, "regions": 1, "queue_depth": 3},
    only=("send", "allocate"),
    opening="a channel stands",
)


def assert_breaks(violation: Violation, found: Search) -> None:
    """The trace of a violation replays in the concrete reading, its end breaks what is said, and nothing before it does."""
    model = found.model
    vector = model.initial()
    broken = {s.name: binding for s, binding in model.violations(None, None, {}, vector)}
    for at, (name, arguments) in enumerate(violation.trace):
        assert not broken or at < len(found.opening)
        before, action = vector, model.spec.actions[name]
        outcome = model.step(action, before, arguments)
        assert outcome.effective
        broken = {s.name: binding for s, binding in model.violations(before, action, arguments, outcome.shown)}
        vector = outcome.state
    assert broken[violation.statement.name] == violation.binding


def planted(spec: Spec, operation: str, old: str) -> Spec:
    return spec.replace(**{operation: changed(spec.actions[operation].function, old)})


SILENT = planted(BELLS, "take_down", "tower.woken.where(lambda listener: before.listens[listener, bell], GONE)")
DEAF = planted(BELLS, "take_down", "tower.listens.where(lambda listener, other: before.listens[listener, bell], False)")
WRONG = [
    (KEEPS, KEEPS.explorations["small"], "one_token"),
    (FORGETS_TO_UNMAP, core(2, 2, 2, 2), "exclusive_mapping"),
    (OFF_BY_ONE, core(2, 2, 2, 1), "queue_bound"),
    (DEAF, BELLS.explorations["two bells"], "no_missed_ring"),
    (SILENT, BELLS.explorations["two bells"], "waiting_until_answered"),
    (SILENT, BELLS.explorations["one bell"], "waiting_until_answered"),
    (BUGS["processors_outlive"].spec, SPEC.explorations["processors"], "processors_run_in_the_living"),
    (BUGS["dead_senders_charge"].spec, SPEC.explorations["requests"], "charge_exact"),
    (BUGS["limit_ignored"].spec, SPEC.explorations["limits"], "limit_respected"),
    (BUGS["unmap_failure_ignored"].spec, SPEC.explorations["limits"], "exclusive_mapping"),
    (BUGS["event_before_attach_lost"].spec, SPEC.explorations["requests"], "no_lost_signal"),
    (BUGS["bind_clobbers"].spec, SPEC.explorations["binding"], "bind_keeps_the_holder"),
]


def share_levels(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels of so many states are shared out to processes, however soon they are expanded."""
    monkeypatch.setattr(searching, "WORTH_SHARING", size)
    monkeypatch.setattr(searching, "WORTH_STARTING", 0.0)


def in_chunks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many states are expanded at once."""
    monkeypatch.setattr(searching, "CELLS", 0)
    monkeypatch.setattr(searching, "FEWEST", size)
    monkeypatch.setattr(compiled_search, "AT_ONCE", size)
    monkeypatch.setattr(compiled_search, "LONGEST", 0.0)


WHOLE = core(2, 2, 2, 2)


def again_and_again(explorer: Explorer, limits: Limits, stopped: str) -> Search:
    """The search, called until it is finished; how often it stops is bounded."""
    for _ in range(1000):
        found = explorer.run(limits)
        if found.finished:
            return found
        assert (found.stopped, found.complete) == (stopped, False)
    raise AssertionError("it comes to no end")


SHARED = [
    (CORE, core(2, 2, 3, 2), False, 200),
    (CORE, core(2, 2, 4, 2), True, 100),
    (OFF_BY_ONE, core(2, 2, 3, 1), False, 200),
    (load("bells:BELLS"), BELLS.explorations["two bells"], False, 20),
]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many states the levels have that are shared out, as they are."""
    shared: list[int] = []
    expanded = Pool.expanded
    monkeypatch.setattr(Pool, "expanded", lambda pool, level, *rest: shared.append(level.size) or expanded(pool, level, *rest))
    return shared
