"""The seed's scenarios, each on the specification and on the implementation: figures 6, 9, 12, and steps S-A to S-E."""

from __future__ import annotations

import itertools

import pytest

from oneowner.checker.session import Session
from oneowner.model.concrete import Model
from oneowner.model.graph import with_fresh_names
from oneowner.model.language import Flow, Stage
from oneowner.reference_impl import implementation
from oneowner.spec import SPEC
from oneowner.spec.scenes import FLOWS, STEPS, in_order

BY_NAME = {flow.name: flow for flow in FLOWS}


def run_on_the_specification(stages: tuple[Stage, ...], *, judged: bool = True) -> list[str]:
    model = Model(SPEC, SPEC.fuzz_scope)
    vector, exits = model.initial(), []
    calls = with_fresh_names(model, [(s.operation, dict(s.arguments)) for s in stages])
    for name, arguments in calls:
        action = SPEC.actions[name]
        outcome = model.step(action, vector, arguments)
        if outcome.effective and judged:
            assert list(model.violations(vector, action, arguments, outcome.shown)) == []
        vector = outcome.state
        exits.append(outcome.exit)
    return exits


def run_on_the_implementation(stages: tuple[Stage, ...]) -> list[str]:
    session = Session(SPEC, implementation(), SPEC.fuzz_scope)
    return [session.compare_values(s.operation, dict(s.arguments)) for s in stages]


@pytest.mark.parametrize("name", BY_NAME)
def test_a_flow_comes_to_what_it_says_on_the_specification_and_on_the_implementation(name: str) -> None:
    stages = BY_NAME[name].stages
    expected = [s.exit for s in stages]
    assert run_on_the_specification(stages) == expected
    assert run_on_the_implementation(stages) == expected


def steps_of(flow: Flow) -> set[str]:
    return {step for stage in flow.stages for step in stage.step.split()}


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("FLOW-1", {f"S{number}" for number in range(101, 113)}),
        ("FLOW-2", {*(f"S{number}" for number in range(301, 308)), "S308a", "S309a", "S310a", "S311a"}),
        ("FLOW-3", {*(f"S{number}" for number in range(301, 308)), "S308b", "S309b", "S310b", "S311b"}),
        ("SOCK-11", set(STEPS)),
    ],
)
def test_a_flow_goes_through_every_step_of_its_figure(name: str, steps: set[str]) -> None:
    assert steps <= steps_of(BY_NAME[name])


def test_steps_s_a_to_s_e_may_come_in_any_of_their_120_orders() -> None:
    for number, order in enumerate(itertools.permutations(STEPS)):
        stages = in_order(order)
        expected = [s.exit for s in stages]
        # statements are judged in one order of 24, one for each first step: they take most of the time
        assert run_on_the_specification(stages, judged=number % 24 == 0) == expected, order
        assert run_on_the_implementation(stages) == expected, order


def test_the_answer_of_a_suspended_accept_comes_with_the_guests_connect() -> None:
    machine = Session(SPEC, implementation(), SPEC.fuzz_scope)
    for stage in BY_NAME["FLOW-2"].stages:
        machine.compare_values(stage.operation, dict(stage.arguments))
        if stage.operation == "accept_socket":
            assert machine.clauses["accept_socket/late-ok"] == 0
        if stage.operation == "connect":
            assert machine.clauses["accept_socket/late-ok"] == 1
