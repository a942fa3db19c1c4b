"""The concrete and the symbolic reading of one text mean the same: the ground on which every claim stands."""

from __future__ import annotations

import random
from typing import Any

import pytest
from evaluate import Evaluator

from oneowner.model.concrete import OK, Model, Vector
from oneowner.model.reading import SpecError
from oneowner.model.spec import Spec
from oneowner.model.symbolic import Symbolic
from oneowner.spec import SPEC

SCOPE = {
    "partitions": 3,
    "regions": 2,
    "places": 1,
    "data": 2,
    "receivers": 3,
    "senders": 2,
    "ports": 3,
    "messages": 4,
    "signals": 2,
    "services": 1,
    "shorts": 2,
    "numbers": 2,
    "queue_depth": 1,
}
TRIPLES = 20_000


def random_vector(model: Model, chance: random.Random, base: Vector, share: float) -> Vector:
    """`base` with about `share` of its cells drawn anew; a queue's elements are dealt anew."""
    parts = []
    for component, part in zip(model.components, base, strict=True):
        if component.kind in ("parameter", "rigid"):
            parts.append(part)
        elif component.kind == "queue":
            lines: list[list[int]] = [list(line) for line in part]
            if chance.random() < share:
                lines = [[] for _ in part]
                for element in chance.sample(model.domain(component.value), k=chance.randrange(3)):
                    lines[chance.randrange(1, len(lines))].append(element)
            parts.append(tuple(map(tuple, lines)))
        else:
            cells = list(part)
            for key in model.keys(component):
                if chance.random() < share:
                    values = [*model.domain(component.value)]
                    at = model.index(component, key)
                    cells[at] = chance.choice([0, *values] if not isinstance(cells[at], bool) else [False, True])
            parts.append(tuple(cells))
    return tuple(parts)


def triples(model: Model, chance: random.Random, count: int) -> Any:
    """(state, operation, arguments): half reached by walking, half with cells drawn anew; every operation as often."""
    actions = list(model.spec.actions.values())
    vector = model.initial()
    for number in range(count):
        action = actions[number % len(actions)]
        if number % 400 == 0:
            vector = model.initial()
        for _ in range(3):
            step = chance.choice(actions)
            calls = [c for c in model.calls(step, vector) if c is not None]
            good = [c for c in chance.sample(calls, k=min(12, len(calls))) if model.call(step, vector, c).exit == OK]
            if good and step.name not in ("terminate", "close_port"):
                vector = model.call(step, vector, chance.choice(good)).state
        state = vector if number % 2 else random_vector(model, chance, vector, chance.choice([0.02, 0.1, 0.5]))
        calls = [c for c in model.calls(action, state) if c is not None]
        if calls:
            good = [c for c in chance.sample(calls, k=min(8, len(calls))) if _succeeds(model, action, state, c)]
            yield state, action, chance.choice(good or calls)


def _succeeds(model: Model, action: Any, state: Vector, arguments: dict[str, int]) -> bool:
    try:
        return model.call(action, state, arguments).exit == OK
    except SpecError:
        return False


def disagreements(spec: Spec, other: Spec, count: int, seed: int = 7) -> tuple[list[str], dict[str, int]]:
    """Where the concrete reading of `spec` and the symbolic one of `other` differ, and how often each clause was compared."""
    model, symbolic = Model(spec, SCOPE), Symbolic(other)
    evaluator = Evaluator(symbolic, model)
    paths = {name: symbolic.paths(action) for name, action in other.actions.items()}
    found: list[str] = []
    compared: dict[str, int] = {}
    for state, action, arguments in triples(model, random.Random(seed), count):
        env = evaluator.environment(state, action, arguments)
        taken = []
        for path in paths[action.name]:
            evaluator.heads(env, path)
            if all(evaluator.value(c, env) for c in path.conditions):
                taken.append(path)
        try:
            outcome = model.call(action, state, arguments)
        except SpecError:
            # a state that cannot be: the spec's text makes no sense in it, and the symbolic reading has to say so too
            sound = [all(evaluator.value(c, env) for c, _ in p.checks) for p in taken]
            if len(taken) != 1 or sound[0]:
                found.append(f"{action.name}{arguments}: only the concrete reading rejects it")
            compared["(undefined)"] = compared.get("(undefined)", 0) + 1
            continue
        clause = f"{action.name}/{outcome.exit}"
        compared[clause] = compared.get(clause, 0) + 1
        if len(taken) != 1 or taken[0].exit != outcome.exit:
            found.append(f"{clause}{arguments}: symbolically {[p.exit for p in taken]}")
        elif outcome.exit == OK:
            evaluator.heads(env, taken[0])
            if evaluator.after(env, taken[0]) != outcome.state:
                found.append(f"{clause}{arguments}: the states after differ")
            elif _answer(evaluator, env, taken[0].answer) != _plain(outcome.answer):
                found.append(f"{clause}{arguments}: the answers differ")
    return found, compared


def _answer(evaluator: Evaluator, env: Any, answer: Any) -> Any:
    if isinstance(answer, tuple):
        return tuple(_answer(evaluator, env, a) for a in answer)
    return int(evaluator.value(answer.expr, env)) if hasattr(answer, "expr") else _plain(answer)


def _plain(answer: Any) -> Any:
    if isinstance(answer, tuple):
        return tuple(map(_plain, answer))
    return None if answer is None else int(answer)


def test_both_readings_agree_on_20000_random_states_operations_and_arguments() -> None:
    found, compared = disagreements(SPEC, SPEC, TRIPLES)
    assert found == []
    assert sum(compared.values()) >= 0.95 * TRIPLES
    assert {f"{name}/ok" for name in SPEC.actions} <= set(compared)


@pytest.mark.parametrize(
    ("operation", "old", "new"),
    [
        ("free", "system.owner[region] = none", "system.owner[region] = caller"),
        ("send_event", "system.target[sender] != none", "system.target[sender] == none"),
        ("take_signal", "pop()", "head"),
        ("terminate", "system.booted[partition] = False", "pass"),
    ],
)
def test_a_difference_between_the_readings_is_seen(operation: str, old: str, new: str) -> None:
    from planting import changed

    other = SPEC.replace(**{operation: changed(SPEC.actions[operation].function, old, new)})
    found, _ = disagreements(SPEC, other, 3_000)
    assert found
    assert all(line.startswith(operation) for line in found)
