"""A failure is held against the shortest way to its clause that the graphs know."""

from __future__ import annotations

from typing import Any

import pytest
from conforming import Around
from token_ring import RING

from oneowner.checker.adapters import connect
from oneowner.checker.session import Failure, Recorded, again
from oneowner.checker.traces import by_the_graph, way_to
from oneowner.model.concrete import Model
from oneowner.spec import SPEC


@pytest.mark.parametrize(
    ("clause", "calls"),
    [("allocate/ok", 1), ("free/EBUSY", 11), ("grant/ok", 2), ("detach/EBUSY", 2), ("create_partition/ESRCH", 1)],
)
def test_the_shortest_way_to_a_clause_comes_to_it(clause: str, calls: int) -> None:
    way = way_to(SPEC, clause)
    assert way is not None
    assert len(way.steps) == calls
    model = Model(SPEC, way.scope)
    vector = model.initial()
    for name, arguments in way.steps:
        outcome = model.step(SPEC.actions[name], vector, arguments)
        vector = outcome.state
    assert f"{way.steps[-1][0]}/{outcome.exit}" == clause


def test_a_clause_of_nothing_has_no_way() -> None:
    assert way_to(RING, "make/BEAUTY") is None


class NeverFrees(Around):
    """Answers that every region is in use."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"error": "EBUSY"} if operation == "free" else super().call(operation, arguments)


def test_a_failure_in_more_calls_than_the_graph_needs_gives_way_to_the_graphs() -> None:
    idle = [Recorded("take_signal", {"caller": "nobody"})] * 20
    short = by_the_graph(SPEC, NeverFrees(), Failure("free/ok", "not freed", idle, SPEC.fuzz_scope))
    assert short is not None
    assert [call.operation for call in short.calls] == ["allocate", "free"]
    _, mismatch = again(SPEC, NeverFrees(), short.scope, short.calls)
    assert mismatch is not None
    assert mismatch.clause == "free/ok"
    assert by_the_graph(SPEC, NeverFrees(), short) is None
    assert by_the_graph(SPEC, Around(), Failure("free/ok", "not freed", idle[:4], SPEC.fuzz_scope)) is None


def test_a_way_that_the_graph_goes_round_is_found_by_the_call_that_leaves_something_behind() -> None:
    """Freed memory comes back as it was: to the specification allocating, writing and freeing lead nowhere."""
    made = connect("py:oneowner.reference_impl.bugs:no_scrub")
    wrong = "read_memory: its answer must be zeroes"
    long = Failure("read_memory/ok", wrong, [Recorded("take_signal", {"caller": "nobody"})] * 16, SPEC.fuzz_scope)
    short = by_the_graph(SPEC, made, long, seconds=120)
    assert short is not None
    assert [call.operation for call in short.calls] == ["allocate", "write_memory", "free", "allocate", "read_memory"]
    assert [str(reason) for reason in short.reasons] == ["since call 3 (free) content[its region, place1] is none"]
