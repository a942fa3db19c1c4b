"""Exploration: pinned counts, every clause reached, shortest violations, and the graph that it stands for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import generated
import networkx as nx
import pytest
from bells import BELLS
from counted import COUNTED, EXPLORED
from planting import changed
from scales import SCALES
from token_ring import KEEPS, RING

from oneowner.checker.explore import all_states, explore_scope, operations_called, story, unreached
from oneowner.checker.reports import exploration as lines_of
from oneowner.model.concrete import Model
from oneowner.model.graph import explore, run
from oneowner.model.language import OK, Exploration, Members, Spec, SpecError, Step, parse_scope
from oneowner.model.search import Explorer, Limits, StateGraph
from oneowner.model.symbolic import clauses
from oneowner.spec import SPEC


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"statoin": (1,)}, "arguments for 'statoin', which no operation of ring is called with"),
        ({"station": (1, 3)}, "station may not be 3: it is a number from 1 to 2"),
        ({"station": (0,)}, "station may not be 0"),
        ({"station": (Members([1]),)}, r"station may not be \{1\}: give a number"),
        ({"parcel": (1,)}, "arguments for 'parcel', which no operation"),
    ],
)
def test_arguments_that_no_call_could_be_made_with_are_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        explore_scope(RING, "small", Exploration({"stations": 2, "parcels": 1}, arguments=arguments))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"away": (1,)}, r"away may not be 1: give Members\(\[...\]\)"),
        ({"away": (Members([4]),)}, "away may not be 4: it is a number from 1 to 3"),
        ({"left": (-1,)}, "left may not be -1: it is a number from 0$"),
        ({"left": ("x",)}, "left may not be 'x'"),
        ({"locked": (2,)}, "locked may not be 2: it is a number from 0 to 1"),
    ],
)
def test_arguments_of_other_kinds_are_refused_too(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        explore_scope(SCALES, "scales", Exploration({"scales": 3}, arguments=arguments))


@pytest.mark.parametrize(
    ("opening", "says"),
    [
        ([("mkae", {})], "an opening calls 'mkae', which is no operation; there are join, make, give, deliver"),
        ([("make", {"statoin": 1})], "an opening calls make with statoin; it takes station"),
        ([("make", {"station": 1, "statoin": 1})], "an opening calls make with station, statoin; it takes station"),
        ([("make", {})], "an opening calls make with nothing; it takes station"),
        ([("make", {"station": 4})], "an opening calls make with station=4, which this scope does not have"),
        ([("give", {"station": 1, "to": 2})], "an opening calls give, which is refused with STRANGER"),
        (None, "no opening is called 'begun'; there are other$"),
    ],
)
def test_an_opening_that_cannot_be_is_refused(opening: list[Step] | None, says: str) -> None:
    spec = replace(RING, openings={"begun": opening} if opening is not None else {"other": []})
    with pytest.raises(SpecError, match=says):
        explore_scope(spec, "small", Exploration({"stations": 2, "parcels": 1}, opening="begun"))


def test_what_keeps_a_scope_small_is_told_in_words_sets_too() -> None:
    exploration = replace(SCALES.explorations["moved"], arguments={"away": (Members([1, 2]), Members()), "to": (3,)})
    report = explore_scope(SCALES, "moved", exploration)
    assert report.limits == "; only move; away in [[scale1, scale2], []], to in [scale3]"
    assert report.states == 4
    limits = explore_scope(SPEC, "limits", SPEC.explorations["limits"]).limits
    assert limits.endswith("; kind in [PROGRAM_MEMORY, MANAGEMENT_MEMORY, EVENT_PORTS], amount in [0], short in [none]")


@pytest.mark.xdist_group("generated")
def test_the_explorations_are_complete_reach_every_clause_and_have_the_pinned_counts() -> None:
    reports = generated.reports()
    assert {r.name: (r.states, r.transitions, r.depth) for r in reports} == EXPLORED
    assert all(r.complete and not r.violations for r in reports)
    assert unreached(SPEC, reports, SPEC.actions) == []
    assert len(clauses(SPEC)) == COUNTED["clauses"]


def test_the_graph_has_the_states_transitions_and_depth_that_are_reported() -> None:
    exploration = SPEC.explorations["requests"]
    explorer = Explorer(Model(SPEC, exploration.sizes), without=SPEC.left_out(exploration), keep_edges=True)
    found = explorer.run()
    graph = all_states(StateGraph(explorer))
    assert graph.number_of_nodes() == found.states == EXPLORED["requests"][0]
    (begin,) = [state for state, depth in graph.nodes(data="depth") if depth == 0]
    depths = nx.single_source_shortest_path_length(graph, begin)
    assert max(depths.values()) == found.depth
    assert depths == nx.get_node_attributes(graph, "depth")
    plain = explore(Model(SPEC, exploration.sizes), without=SPEC.left_out(exploration), keep_edges=True)
    assert graph.number_of_edges() == sum(before != after for before, after, _ in plain.edges)


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
    assert operations_called(RING, [report]) == set(RING.actions) - {"make"}
    assert {c.split("/")[0] for c in unreached(RING, [report], RING.actions)} == {"make", "deliver"}
    assert "deliver/ok" in unreached(RING, [report], operations_called(RING, [report]))


def test_the_large_scopes_have_what_they_name() -> None:
    for exploration in SPEC.large.values():
        assert Model(SPEC, exploration.sizes, exploration.arguments).tried == exploration.arguments


def test_the_large_scopes_call_every_operation() -> None:
    assert {name for e in SPEC.large.values() for name in set(SPEC.actions) - set(SPEC.left_out(e))} == set(SPEC.actions)


def test_a_limit_on_states_is_never_called_complete() -> None:
    report = explore_scope(RING, "small", RING.explorations["small"], limits=Limits(states=5))
    assert not report.complete


def test_names_that_run_out_are_not_called_complete() -> None:
    sizes = {"partitions": 2, "receivers": 2, "ports": 2, "messages": 1, "files": 2}
    only = ("connect", "take_signal", "accept", "send")
    report = explore_scope(SPEC, "messages run out", Exploration(sizes, only=only, opening="two ports"))
    assert "send/ok" in report.clauses
    assert not report.complete
    assert explore_scope(SPEC, "enough", Exploration({**sizes, "messages": 3}, only=only, opening="two ports")).complete


def test_an_exploration_calls_only_what_it_names_with_the_arguments_that_it_names_after_its_opening() -> None:
    exploration = BELLS.explorations["two bells"]
    assert BELLS.left_out(exploration) == ("come", "hang", "burn")
    model = Model(BELLS, exploration.sizes, exploration.arguments)
    assert {call["times"] for call in model.calls(BELLS.actions["forget"], model.initial()) if call} == {1}
    found = explore(
        model,
        without=BELLS.left_out(exploration),
        opening=BELLS.openings["two listen"],
    )
    assert {clause.partition("/")[0] for clause in found.clauses} == set(exploration.only)
    assert all(len(found.trace(vector)) == 6 + depth for vector, depth in found.depth_of.items())
    assert [name for name, _ in found.opening] == [name for name, _ in BELLS.openings["two listen"]]


def test_a_trace_after_an_opening_begins_with_it_and_replays() -> None:
    line = "tower.listens.where(lambda listener, other: before.listens[listener, bell], False)"
    spec = BELLS.replace(take_down=changed(BELLS.actions["take_down"].function, line))
    report = explore_scope(spec, "two bells", spec.explorations["two bells"])
    trace = report.violations[0].trace
    assert [name for name, _ in trace] == ["come", "come", "hang", "hang", "wait", "wait", "take_down"]
    assert report.violations[0].statement == broken_by(spec, report.scope, trace)[0]
    assert story(spec, report.scope, trace)[0] == "  1  come(listener=listener1)"


def broken_by(spec: Spec, scope: dict[str, int], trace: list[Step]) -> list[str]:
    """The statements that the last call of a trace breaks."""
    model = Model(spec, scope)
    name, arguments = trace[-1]
    before = run(model, trace[:-1])
    shown = model.step(spec.actions[name], before, arguments).shown
    return [statement.name for statement, _ in model.violations(before, spec.actions[name], arguments, shown)]


@pytest.mark.parametrize(
    ("exploration", "says"),
    [
        (Exploration({}, only=("steal",)), "no operation is called 'steal'; there are come"),
        (Exploration({}, without=("steal",)), "no operation is called 'steal'; there are come"),
        (
            Exploration({"bells": 1, "listeners": 2}, opening="two listen"),
            "an opening calls wait with bells=.1, 2., which this scope",
        ),
        (Exploration({"bells": 2}, opening="two listen"), "an opening calls wait with listener=2, which this scope"),
        (
            Exploration({"bells": 2, "listeners": 2}, opening="nothing hangs"),
            "an opening calls ring, which is refused with NO_BELL",
        ),
    ],
)
def test_an_exploration_that_cannot_be_says_why(exploration: Exploration, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        explore_scope(replace(BELLS, openings={**BELLS.openings, "nothing hangs": [("ring", {"bell": 1})]}), "", exploration)


def test_walking_a_trace_arrives_where_the_search_says() -> None:
    model = Model(RING, {"stations": 2, "parcels": 2})
    found = explore(model)
    for vector in found.parents:
        at = model.initial()
        for name, arguments in found.trace(vector):
            outcome = model.step(RING.actions[name], at, arguments)
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


def test_a_search_in_which_fingerprints_may_be_too_short_says_so() -> None:
    report = explore_scope(RING, "small", RING.explorations["small"])
    for states, told in ((10**5, ""), (1_132_245_874, "(expected to be taken for another, by 64-bit fingerprints: 0.03)")):
        lines = list(lines_of(replace(report, states=states, taken_for_another=states**2 / 2**65)))
        assert f"all reachable states{told and ' '}{told};" in lines[1]
