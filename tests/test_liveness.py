"""What the graph says beyond its states: rest can be come back to, what waits comes about, nothing is stuck; and lassos."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import kiosk
import networkx as nx
import numpy as np
import pytest
from command import run
from jobs import JOBS, Job
from kiosk import KEEPS, KIOSK, LOCKED, SENDS_BACK, SHUTS
from sampling import one_in
from searching import begun

from oneowner.checker.command_line import exploration_code
from oneowner.checker.explore import Asked, ExploreReport, explore_scope
from oneowner.checker.reports import exploration_violation
from oneowner.checker.traces import read, replay_model
from oneowner.model import SpecError, leads_to, none
from oneowner.model.concrete import Model
from oneowner.model.graph import run as after
from oneowner.model.language import Exploration, LeadsTo, Spec
from oneowner.model.search import Explorer, Limits, StateGraph, can_return
from oneowner.model.search import leads_to as lasso_of
from oneowner.spec import SPEC
from oneowner.spec.museum import BUGS

EVERYTHING = Asked(deadlock=True, can_return=True, leads_to=True)
THREE = KIOSK.explorations["three people"]

pytestmark = pytest.mark.both_readings


def asked(spec: Spec, exploration: Exploration = THREE, *, symmetry: bool = False) -> ExploreReport:
    return explore_scope(spec, "scope", exploration, asked=EVERYTHING, symmetry=symmetry)


def graph_of(spec: Spec, exploration: Exploration) -> StateGraph:
    explorer = begun(spec, exploration, statements=(), keep_edges=True)
    explorer.run()
    return StateGraph(explorer)


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        (KIOSK, []),
        (SENDS_BACK, ["who_queues_is_served"]),
        (SHUTS, ["who_queues_is_served"]),
        (KEEPS, ["no_deadlock", "can_return", "who_is_served_leaves"]),
        (LOCKED, ["no_deadlock", "can_return", "who_queues_is_served"]),
    ],
    ids=["as it is", "sends back", "shuts", "keeps", "locked"],
)
def test_each_planted_bug_breaks_what_it_should_with_and_without_symmetry(spec: Spec, wrong: list[str], symmetry: bool) -> None:
    report = asked(spec, symmetry=symmetry)
    assert [found.statement for found in report.violations] == wrong
    assert set(report.asked) == {"no_deadlock", "can_return", *spec.leads_to}


def test_a_lasso_replays_and_comes_back_to_where_its_cycle_begins() -> None:
    (found,) = asked(SENDS_BACK).violations
    assert [name for name, _ in found.trace][:2] == ["join", "join"]
    assert found.cycle is not None
    assert [name for name, _ in found.cycle] == ["serve", "serve"]
    model = Model(SENDS_BACK, THREE.sizes)
    begin = after(model, found.trace)
    assert after(model, [*found.trace, *found.cycle]) == begin
    person = found.binding["person"]
    assert person == "person1"
    assert model.system(begin).line.of(1)


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize(("name", "said"), [("SENDS_BACK", "the 2 calls after"), ("SHUTS", "nothing more happens")])
def test_a_lasso_is_stored_and_shows_the_same_when_it_is_replayed(name: str, said: str, symmetry: bool, tmp_path: Path) -> None:
    spec = {"SENDS_BACK": SENDS_BACK, "SHUTS": SHUTS}[name]
    report = asked(spec, symmetry=symmetry)
    (found,) = report.violations
    *_, again = exploration_violation(spec, report, found, tmp_path)
    path = Path(again.split()[-1])
    assert json.loads(path.read_text())["loop"] == len(found.trace)
    shown = replay_model(spec, read(path))
    assert shown.shown
    assert f"violation: who_queues_is_served: waited for since call 1; {said}" in shown.verdict
    assert "     then for ever:" in shown.lines or not found.cycle
    content = json.loads(path.read_text())
    content["states"], content["loop"] = content["states"][:2], 1
    path.write_text(json.dumps(content))
    assert not replay_model(spec, read(path)).shown


def test_where_nobody_can_act_the_cycle_is_empty() -> None:
    (found,) = asked(SHUTS).violations
    assert [name for name, _ in found.trace] == ["join", "join"]
    assert found.cycle == []


def test_a_deadlock_and_a_leak_come_with_the_shortest_way_there() -> None:
    found = {v.statement: v for v in asked(LOCKED).violations}
    assert [name for name, _ in found["can_return"].trace] == ["join", "close_up"]
    assert "nobody_is_left" in found["can_return"].text
    assert [name for name, _ in found["no_deadlock"].trace] == ["join", "close_up"]


@pytest.mark.parametrize("symmetry", [False, True])
def test_nothing_is_answered_of_a_graph_that_is_not_all_seen(symmetry: bool) -> None:
    report = explore_scope(KIOSK, "scope", THREE, asked=EVERYTHING, limits=Limits(states=3), symmetry=symmetry)
    assert report.asked == ()
    assert set(report.unanswered) == {"no_deadlock", "can_return", *KIOSK.leads_to}
    assert exploration_code([report], []) == 3


def test_a_limit_that_is_met_when_one_element_is_followed_leaves_that_unanswered() -> None:
    whole = asked(KIOSK, symmetry=True)
    report = explore_scope(KIOSK, "scope", THREE, asked=EVERYTHING, limits=Limits(states=whole.states + 1), symmetry=True)
    assert report.complete
    assert set(report.asked) == {"no_deadlock", "can_return"}
    assert set(report.unanswered) == set(KIOSK.leads_to)
    assert exploration_code([report], []) == 3


def test_a_graph_that_the_scope_cuts_off_answers_nothing() -> None:
    sizes = ("--scope", "partitions=2,processes=2,fds=2,files=2,regions=2")
    ran = run("explore", *sizes, "--only", "create_process,create_file,open,unlink,close,exit", "--can-return", "--deadlock")
    assert ran.code == 3
    assert "not answered, since not all of the graph was seen: no_deadlock, can_return" in ran.out


@pytest.mark.batch_reading
def test_an_interruption_while_one_element_is_followed_is_one_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[Explorer] = []
    expanded = Explorer._expanded

    def interrupted_when_it_is_the_second(explorer: Explorer, size: int) -> Any:
        searches.append(explorer)
        if explorer is not searches[0]:
            raise KeyboardInterrupt
        yield from expanded(explorer, size)

    monkeypatch.setattr(Explorer, "_expanded", interrupted_when_it_is_the_second)
    with pytest.raises(KeyboardInterrupt):
        asked(KIOSK)


@pytest.mark.parametrize("name", ["two jobs", "two are made"])
@pytest.mark.parametrize("symmetry", [False, True])
def test_of_names_that_are_not_alike_each_is_followed(name: str, symmetry: bool) -> None:
    report = explore_scope(JOBS, name, JOBS.explorations[name], asked=Asked(leads_to=True), symmetry=symmetry)
    (found,) = report.violations
    assert found.statement == "is_served"
    assert found.cycle is not None
    model = Model(JOBS, report.scope)
    before, again = after(model, found.trace), after(model, [*found.trace, *found.cycle])
    (waits,) = (job for job in model.domain(Job) if model.system(before).made[job] and not model.system(before).first[job])
    assert found.binding == {"job": f"job{waits}"}
    assert before == again


def test_a_scope_that_is_not_asked_for_rest_says_why() -> None:
    stays = {name: e for name, e in SPEC.explorations.items() if e.stays}
    name = min(stays, key=len)
    ran = run("explore", "--name", name, "--can-return")
    assert f"  not asked: rest ({stays[name].stays})\n" in ran.out
    assert "can_return" not in ran.out
    assert "not asked" not in run("explore", "--name", name).out


def test_what_is_not_asked_since_who_is_counted_on_is_left_out_is_told() -> None:
    report = explore_scope(KIOSK, "scope", replace(THREE, without=("serve",)), asked=Asked(leads_to=True))
    assert set(report.asked) == {"who_is_served_leaves"}
    assert report.unasked == ("who_queues_is_served (serve not called)",)


@pytest.mark.batch_reading
@pytest.mark.parametrize("name", one_in(3, SPEC.explorations))
def test_what_is_asked_of_the_small_scopes_holds(name: str) -> None:
    report = asked(SPEC, SPEC.explorations[name], symmetry=True)
    assert report.complete
    assert report.violations == []


@pytest.mark.parametrize("name", ["events", "shared memory"])
def test_so_it_does_in_both_readings(name: str) -> None:
    report = asked(SPEC, SPEC.explorations[name], symmetry=True)
    assert report.complete
    assert report.violations == []


def test_every_statement_of_what_comes_about_is_asked_somewhere() -> None:
    scopes = [*SPEC.explorations.values(), *SPEC.large.values()]
    reached = {p.name for p in SPEC.leads_to.values() for e in scopes if not set(p.by) & set(SPEC.left_out(e))}
    assert reached == set(SPEC.leads_to)


@pytest.mark.parametrize(
    ("bug", "exploration", "culprit"),
    [("refusal_keeps_charge", "requests", "refuse"), ("accept_leaks_charge", "sockets as clients", "accept")],
)
def test_a_charge_that_is_never_given_back_is_a_leak(bug: str, exploration: str, culprit: str) -> None:
    spec = BUGS[bug].spec
    stuck = can_return(graph_of(spec, spec.explorations[exploration]), list(spec.rests.values()))
    assert stuck is not None
    assert stuck.statement is not None
    assert stuck.statement.name == "no_signal_waits"
    assert culprit in [name for name, _ in stuck.way]


def test_getting_back_to_rest_is_reachability_as_networkx_has_it() -> None:
    for spec, exploration in ((KEEPS, THREE), (LOCKED, THREE), (SPEC, SPEC.explorations["services"])):
        graph = graph_of(spec, exploration)
        drawn = nx.DiGraph()
        drawn.add_nodes_from(range(graph.size))
        drawn.add_edges_from(zip(graph.source.tolist(), graph.target.tolist(), strict=True))
        goal = np.ones(graph.size, np.bool_)
        for statement in spec.rests.values():
            goal &= graph.holds(statement)
        back = {int(s) for s in np.flatnonzero(goal)}
        back |= set().union(*(nx.ancestors(drawn, state) for state in list(back)[:50]), back)
        if len(back) <= 50 or goal.sum() <= 50:
            assert {int(s) for s in np.flatnonzero(graph.back(goal))} == back
        assert graph.back(goal).sum() > 0


def lasso_by_components(graph: StateGraph, statement: LeadsTo, element: int) -> bool:
    """Whether there is a fair run that never gets there, by strongly connected components: an independent way to the answer."""
    from oneowner.model.search import helping

    waits, ended, _ = graph.explorer.expander.batch.values(statement, graph.block, None, {}, element)
    fair = [helping(graph, statement, name, element) for name in statement.by]
    drawn = nx.DiGraph()
    drawn.add_nodes_from(int(s) for s in np.flatnonzero(~ended))
    for edge in np.flatnonzero(~ended[graph.source] & ~ended[graph.target]):
        drawn.add_edge(int(graph.source[edge]), int(graph.target[edge]))
    good: set[int] = set()
    for component in nx.strongly_connected_components(drawn):
        inside = np.zeros(graph.size, np.bool_)
        inside[list(component)] = True
        if all(_again_and_again(graph, edges, inside) for edges in fair):
            good |= component
    starts = {int(s) for s in np.flatnonzero(waits & ~ended)}
    return any(start in good or any(nx.has_path(drawn, start, g) for g in list(good)[:20]) for start in starts)


def _again_and_again(graph: StateGraph, edges: Any, inside: Any) -> bool:
    possible = np.zeros(graph.size, np.bool_)
    possible[graph.source[edges]] = True
    made = (inside[graph.source[edges]] & inside[graph.target[edges]]).any()
    return bool(made or (inside & ~possible).any())


@pytest.mark.parametrize("spec", [KIOSK, SENDS_BACK, SHUTS, KEEPS, LOCKED], ids=["kiosk", "back", "shuts", "keeps", "locked"])
def test_the_fixpoint_and_the_components_agree_on_lassos(spec: Spec) -> None:
    graph = graph_of(spec, THREE)
    for statement in spec.leads_to.values():
        for element in (1, 2, 3):
            assert (lasso_of(graph, statement, element) is not None) == lasso_by_components(graph, statement, element)


def test_they_agree_on_the_system_too_when_less_is_counted_on() -> None:
    graph = graph_of(SPEC, SPEC.explorations["requests"])
    seen = set()
    for statement in SPEC.leads_to.values():
        for by in subsets(statement.by):
            less = LeadsTo(statement.name, statement.function, statement.slots, by=by)
            if set(by) <= {a.name for a in graph.explorer.actions}:
                found = lasso_of(graph, less, 1) is not None
                assert found == lasso_by_components(graph, less, 1), (statement.name, by)
                seen.add(found)
    assert seen == {True, False}


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(n for at, n in enumerate(names) if number >> at & 1) for number in range(2 ** len(names))]


def test_who_counts_on_no_operation_or_on_several_elements_is_told() -> None:
    def two(kiosk_: kiosk.Kiosk, call: Any, first: kiosk.Person, second: kiosk.Person) -> tuple[bool, bool, bool]:
        return False, True, first == none

    two.__module__ = kiosk.__name__
    two.__annotations__ = {"first": kiosk.Person, "second": kiosk.Person}
    with pytest.raises(SpecError, match="one element of a sort"):
        leads_to(by="serve")(two)


def test_the_command_line_shows_a_lasso_and_its_exit_code(tmp_path: Any) -> None:
    from pathlib import Path

    env = {"PYTHONPATH": str(Path(kiosk.__file__).parent)}
    ran = run("explore", "--spec", "kiosk:SENDS_BACK", "--leads-to", env=env)
    assert ran.code == 1
    assert "VIOLATION of who_queues_is_served for person=person1" in ran.out
    assert "then for ever:" in ran.out
    held = run("explore", "--spec", "kiosk:KIOSK", "--leads-to", "--can-return", "--deadlock", "--symmetry", env=env)
    assert held.code == 0
    assert "who_queues_is_served holds" in held.out
