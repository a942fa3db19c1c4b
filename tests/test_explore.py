"""Exploration: pinned counts, every clause reached, shortest violations, and the graph that it stands for."""

from __future__ import annotations

import networkx as nx
import pytest
from token_ring import KEEPS, RING

from oneowner.checker.explore import as_networkx, clauses, explore_all, explore_scope, story, unreached
from oneowner.model.concrete import OK, Model
from oneowner.model.graph import explore
from oneowner.model.reading import SpecError
from oneowner.model.spec import Exploration, parse_scope
from oneowner.spec import SPEC

PINNED = {
    "messages": (7676, 74793, 21),
    "requests": (155, 770, 11),
    "events": (779, 6224, 14),
    "limits": (3510, 51762, 14),
    "partitions": (60, 357, 6),
}
"""States, transitions, depth.  A change here is a change of what the spec allows: know why before you change it."""


def test_the_explorations_are_complete_reach_every_clause_and_have_the_pinned_counts() -> None:
    reports = explore_all(SPEC)
    assert {r.name: (r.states, r.transitions, r.depth) for r in reports} == PINNED
    assert all(r.complete and not r.violations for r in reports)
    assert unreached(SPEC, reports) == []
    assert len(clauses(SPEC)) == 121


def test_the_graph_has_the_states_transitions_and_depth_that_are_reported() -> None:
    exploration = SPEC.explorations["requests"]
    found = explore(Model(SPEC, exploration.sizes), without=exploration.without, keep_edges=True)
    graph = as_networkx(found)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == PINNED["requests"][:2]
    depths = nx.single_source_shortest_path_length(graph, 0)
    assert max(depths.values()) == found.depth
    assert depths == nx.get_node_attributes(graph, "depth")


def test_a_violation_comes_with_the_shortest_trace_told_step_by_step() -> None:
    report = explore_scope(KEEPS, "small", KEEPS.explorations["small"])
    (found,) = report.violations
    assert found.statement == "one_token"
    assert story(KEEPS, report.scope, found.trace) == [
        "  1  join(station=station2)",
        "       member[station2]: False -> True",
        "  2  give(station=FIRST, to=station2)",
        "       token_at[station2]: False -> True",
    ]


def test_a_scope_without_an_operation_leaves_its_clauses_unreached() -> None:
    report = explore_scope(RING, "no making", Exploration({"stations": 2}, without=("make",)))
    assert {c.split("/")[0] for c in unreached(RING, [report])} == {"make", "deliver"}
    assert "deliver/ok" in unreached(RING, [report])


def test_a_limit_on_states_is_never_called_complete() -> None:
    report = explore_scope(RING, "small", RING.explorations["small"], max_states=5)
    assert not report.complete


def test_names_that_run_out_are_not_called_complete() -> None:
    sizes = {"partitions": 2, "receivers": 2, "ports": 2, "senders": 0, "messages": 1, "queue_depth": 2}
    without = ("set_limit", "boot", "query_usage", "designate_receiver", "terminate", "cancel", "refuse")
    report = explore_scope(SPEC, "messages run out", Exploration(sizes, without))
    assert not report.complete


def test_walking_a_trace_arrives_where_the_search_says() -> None:
    model = Model(RING, {"stations": 2, "parcels": 2})
    found = explore(model)
    for vector in found.parents:
        at = model.initial()
        for name, arguments in found.trace(vector):
            outcome = model.call(RING.actions[name], at, arguments)
            assert outcome.exit == OK
            at = outcome.state
        assert at == vector


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stations", "not of the form name=number"),
        ("stations=", "not of the form"),
        ("stations=-1", "not of the form"),
        ("stations=two", "not of the form"),
        ("stations=1,stations=2", "given twice"),
        ("", "empty"),
    ],
)
def test_a_malformed_scope_says_what_is_malformed(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        parse_scope(text)


def test_a_scope_of_something_else_says_what_there_is() -> None:
    with pytest.raises(SpecError, match="no 'regions'; it has stations, parcels, most"):
        RING.scope({"regions": 1})
    with pytest.raises(SpecError, match="stations=0 is too small: at least 1"):
        RING.scope({"stations": 0})
