"""The concrete and the symbolic reading of one text mean the same: the ground on which every claim stands."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from evaluate import Evaluator, plain
from planting import changed
from sampling import EVERY, one_in
from states import random_vector

from oneowner.model.concrete import Model, Vector
from oneowner.model.graph import run, with_fresh_names
from oneowner.model.language import EFFECTIVE, Action, Call, Declaration, Spec, SpecError
from oneowner.model.symbolic import Symbolic, clauses
from oneowner.spec import SPEC

SCOPE = {
    "partitions": 3,
    "processors": 2,
    "regions": 2,
    "shareds": 2,
    "data": 2,
    "receivers": 4,
    "senders": 2,
    "ports": 3,
    "messages": 4,
    "signals": 2,
    "requests": 2,
    "shorts": 2,
    "processes": 2,
    "fds": 3,
    "files": 3,
    "numbers": 2,
    "queue_depth": 2,
    "capacity": 2,
}
TRIPLES = 20_000
MANY = TRIPLES if EVERY else 5_000
"""How many are held against a third reading."""
WALK = 20
FEW = 5
"""How many operations are seldom; and how many refusals, or ways of a statement to fail, may happen to be drawn never."""


def starts(model: Model) -> list[Vector]:
    """The initial state, and those after the openings that have room in this scope."""
    found = [model.initial()]
    for opening in model.spec.openings.values():
        try:
            found.append(run(model, with_fresh_names(model, opening)))
        except (SpecError, IndexError):
            continue
    return found


UNDEFINED = "(undefined)"
UNDOING = {"terminate", "close_port", "close", "exit"}


def triples(model: Model, chance: random.Random, count: int, compared: Counter[str], only: str) -> Any:
    """(state, operation, arguments): half of the states reached by walking, half with cells drawn anew; every operation as
    often, or `only` one; half the calls succeed if they can, the others come to what was `compared` least. A walk begins
    with an operation whose success was compared seldom.
    """
    actions = list(model.spec.actions.values())
    asked = [model.spec.actions[only]] if only else actions
    beginnings = starts(model)
    yield from one_of_each(model, chance, asked, beginnings)
    vector = model.initial()
    for number in range(count):
        action = asked[number % len(asked)]
        begins = number % WALK == 0
        if begins:
            vector = chance.choice(beginnings)
            action = chance.choice(sorted(asked, key=lambda action: compared[f"{action.name}/ok"])[:FEW])
        for _ in range(0 if begins else 2):
            step = chance.choice(actions)
            good = exits(model, chance, step, vector, 12)
            effective = [exit for exit in EFFECTIVE if exit in good]
            if effective and step.name not in UNDOING:
                vector = model.step(step, vector, good[chance.choice(effective)]).state
        state = vector if begins or number % 2 else random_vector(model, chance, vector, chance.choice([0.02, 0.1, 0.5]))
        found = exits(model, chance, action, state, 200 if begins else 40)
        good = {exit: arguments for exit, arguments in found.items() if exit in EFFECTIVE}
        choice = good if good and chance.random() < 1 / 2 else found
        if choice:
            yield state, action, choice[min(choice, key=lambda exit: compared[f"{action.name}/{exit}"])]


def one_of_each(model: Model, chance: random.Random, asked: list[Action], beginnings: list[Vector]) -> Any:
    """Of each operation a call with which it succeeds, in one of the states where walks begin, and one that is suspended: so that
    what is compared at all does not depend on chance."""
    for action in asked:
        wanted = {exit for exit in EFFECTIVE if f"{action.name}/{exit}" in clauses(model.spec)}
        for state in chance.sample(beginnings, len(beginnings)):
            found = exits(model, chance, action, state, 200)
            for exit in wanted & set(found):
                yield state, action, found[exit]
            wanted -= set(found)
            if not wanted:
                break


def exits(model: Model, chance: random.Random, action: Action, state: Vector, size: int) -> dict[str, dict[str, Any]]:
    """By exit, a call of an operation that comes to it, of so many drawn; under UNDEFINED one that makes no sense in `state`."""
    calls = [c for c in model.calls(action, state) if c is not None]
    found: dict[str, dict[str, Any]] = {}
    for arguments in chance.sample(calls, k=min(size, len(calls))):
        try:
            found[model.step(action, state, arguments).exit] = arguments
        except SpecError:
            found[UNDEFINED] = arguments
    return found


def disagreements(spec: Spec, other: Spec, count: int, *, only: str = "", seed: int = 7) -> tuple[list[str], Counter[str]]:
    """Where the concrete reading of `spec` and the symbolic one of `other` differ, and how often each clause was compared."""
    model, symbolic = Model(spec, SCOPE), Symbolic(other)
    evaluator = Evaluator(symbolic, model)
    paths = {name: symbolic.paths(action) for name, action in other.actions.items()}
    found: list[str] = []
    compared: Counter[str] = Counter()
    for state, action, arguments in triples(model, random.Random(seed), count, compared, only):
        env = evaluator.environment(state, action, arguments)
        taken = []
        for path in paths[action.name]:
            evaluator.heads(env, path)
            if all(evaluator.value(c, env) for c in path.conditions):
                taken.append(path)
        try:
            outcome = model.step(action, state, arguments)
        except SpecError:
            # a state that cannot be: the spec's text makes no sense in it, and the symbolic reading has to say so too
            sound = [all(evaluator.value(c, env) for c, _ in p.checks) for p in taken]
            if len(taken) != 1 or sound[0]:
                found.append(f"{action.name}{arguments}: only the concrete reading rejects it")
            compared[f"{action.name}/{UNDEFINED}"] += 1
            continue
        clause = f"{action.name}/{outcome.exit}"
        compared[clause] += 1
        if len(taken) != 1 or taken[0].exit != outcome.exit:
            found.append(f"{clause}{arguments}: symbolically {[p.exit for p in taken]}")
        elif outcome.exit in EFFECTIVE:
            evaluator.heads(env, taken[0])
            if evaluator.after(env, taken[0]) != outcome.shown:
                found.append(f"{clause}{arguments}: the states after differ")
            elif evaluator.answer(env, taken[0].answer) != plain(outcome.answer):
                found.append(f"{clause}{arguments}: the answers differ")
    return found, compared


def test_both_readings_agree_on_20000_random_states_operations_and_arguments() -> None:
    found, compared = disagreements(SPEC, SPEC, TRIPLES)
    assert found == []
    assert sum(compared.values()) >= 0.95 * TRIPLES
    assert {c for c in clauses(SPEC) if c.endswith(("/ok", "/suspended"))} <= set(compared)
    assert len([c for c in clauses(SPEC) if "/late-" not in c and c not in compared]) <= FEW


def verdicts(spec: Spec, count: int) -> tuple[list[str], set[tuple[str, bool]]]:
    """Where the two readings judge a statement differently, on random states and pairs of them; and the verdicts given."""
    model, symbolic = Model(spec, SCOPE), Symbolic(spec)
    evaluator, chance = Evaluator(symbolic, model), random.Random(11)
    after = evaluator.unknown_after()
    terms: dict[tuple[str, str], Any] = {}
    found: list[str] = []
    given: set[tuple[str, bool]] = set()

    def compare(statement: Declaration, env: Any, action: str, asked: tuple[Any, ...], states: tuple[Any, ...]) -> None:
        term = terms.get((statement.name, action))
        if term is None:
            term = terms[statement.name, action] = symbolic.statement(statement, *asked)
        holds = model.broken(statement, *states) is None
        given.add((statement.name, holds))
        if bool(evaluator.value(term, env)) != holds:
            found.append(f"{statement.name}: {holds} in the concrete reading")

    for state, action, arguments in triples(model, chance, count, Counter(), ""):
        other = random_vector(model, chance, state, chance.choice([0.02, 0.1, 0.5]), outputs=True)
        env = evaluator.environment(state, action, arguments) | evaluator.later(other)
        call = Call(action.name, symbolic.arguments(action))
        for invariant in spec.invariants.values():
            compare(invariant, env, "", (symbolic.state,), (model.system(state),))
        for each in spec.step_properties.values():
            compare(each, env, action.name, (symbolic.state, after, call), model.of_step(state, action, arguments, other))
    return found, given


def test_both_readings_judge_every_statement_alike() -> None:
    found, given = verdicts(SPEC, 500)
    assert found == []
    statements = {*SPEC.invariants, *SPEC.step_properties}
    assert {name for name, holds in given if holds} == statements
    assert len(statements - {name for name, holds in given if not holds}) <= FEW


@pytest.mark.parametrize(
    ("operation", "old", "new", "within"),
    one_in(
        3,
        [
            ("free", "system.owner[region] = none", "system.owner[region] = caller", ""),
            ("send_event", "system.target[sender] != none", "system.target[sender] == none", ""),
            ("take_signal", "pop()", "head", ""),
            ("terminate", "system.booted[partition] = False", "pass", ""),
            ("reserve_resource", "system.pool[kind] - amount", "system.pool[kind]", ""),
            ("send", "system.given_short[process] = short", "pass", ""),
            ("close", "system.woken.where(which, how)", "pass", "wake_all"),
            ("select", "subset(Fd, lambda fd: writing[fd] & writable(before, fd))", "subset(Fd, lambda fd: writing[fd])", ""),
            ("select", "reading[fd], True)", "writing[fd], True)", ""),
            ("accept_socket", "suspend()", "pass", ""),
        ],
    ),
)
def test_a_difference_between_the_readings_is_seen(operation: str, old: str, new: str, within: str) -> None:
    other = SPEC.replace(**{operation: changed(SPEC.actions[operation].function, old, new, within=within)})
    found, _ = disagreements(SPEC, other, 1_000, only=operation)
    assert found
