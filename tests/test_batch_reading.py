"""The batch reading of a text, for many states at once, means what the concrete one means for each of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from bells import BELLS
from evaluate import plain
from planting import changed
from sampling import one_in
from states import random_vector
from test_readings_agree import FEW, SCOPE, TRIPLES, UNDEFINED, exits, triples
from token_ring import RING

from oneowner.model.batch import Batch, Block, Collected, Column, Layout, Part, Verdicts, fingerprints, reading
from oneowner.model.concrete import Model, Outcome, Vector
from oneowner.model.language import EFFECTIVE, Action, Call, Members, Spec, SpecError
from oneowner.model.search import hash_of
from oneowner.model.symbolic import clauses
from oneowner.spec import SPEC

JUDGED = 300


def answered(answer: Any, at: int) -> Any:
    """An answer of the batch reading for one of its states, to be compared with a `plain` one."""
    if isinstance(answer, Column):
        return int(answer.now()[at])
    if isinstance(answer, Collected):
        return Members(element for element, inside in answer.inside.items() if answered(inside, at))
    if isinstance(answer, tuple):
        return tuple(answered(part, at) for part in answer)
    return answer if answer is None else int(answer)


@dataclass(frozen=True)
class Case:
    """A call of the concrete reading, and what it came to: None where the spec's text makes no sense."""

    state: Vector
    arguments: dict[str, Any]
    outcome: Outcome | None


def calls(
    model: Model, count: int, compared: Counter[str], only: str, seed: int = 7
) -> Iterator[tuple[Vector, Action, dict[str, Any]]]:
    """About so many (state, operation, arguments): `triples`, and in each of their states another operation, one call an exit."""
    chance = random.Random(seed)
    others = [model.spec.actions[only]] if only else list(model.spec.actions.values())
    for state, action, arguments in triples(model, chance, count // 3, compared, only):
        yield state, action, arguments
        other = chance.choice(others)
        for others_arguments in exits(model, chance, other, state, 20).values():
            yield state, other, others_arguments


def drawn(
    model: Model, count: int, compared: Counter[str], only: str, seed: int = 7
) -> Iterator[tuple[Action, dict[str, Any], list[Case]]]:
    """Random calls, those of one operation together that have the same arguments but for fresh ones."""
    found: dict[Any, tuple[Action, dict[str, Any], list[Case]]] = {}
    for state, action, arguments in calls(model, count, compared, only, seed):
        try:
            outcome = model.step(action, state, arguments)
        except SpecError:
            outcome = None
        compared[f"{action.name}/{outcome.exit if outcome else UNDEFINED}"] += 1
        chosen = {s.name: arguments[s.name] for s in action.slots if not s.fresh}
        case = Case(state, arguments, outcome)
        found.setdefault((action.name, *chosen.items()), (action, chosen, []))[2].append(case)
    yield from found.values()


def disagreements(spec: Spec, other: Spec, count: int, *, only: str = "", seed: int = 7) -> tuple[list[str], Counter[str]]:
    """Where the concrete reading of `spec` and the batch reading of `other` differ, and how often each clause was compared."""
    batch, compared = Batch(Model(other, SCOPE)), Counter[str]()
    found: list[str] = []
    for action, chosen, cases in drawn(Model(spec, SCOPE), count, compared, only, seed):
        block = batch.layout.block([case.state for case in cases])
        fresh = {s.name: batch.fresh(block, s.type) for s in action.slots if s.fresh}
        met: Counter[int] = Counter()
        for part in batch.parts(other.actions[action.name], block, chosen | fresh):
            met.update(part.rows.tolist())
            found += differences(batch.layout, action, part, cases)
        if met != Counter(range(len(cases))):
            found.append(f"{action.name}{chosen}: a state is in no part, or in several")
    return found, compared


def differences(layout: Layout, action: Action, part: Part, cases: Sequence[Case]) -> Iterator[str]:
    """What a part says otherwise than the concrete calls."""
    every = np.arange(len(part.rows))
    shown, data = part.after(every, outputs=True), part.after(every)
    marks = fingerprints(part, part.parts())
    these = [cases[row] for row in part.rows.tolist()]
    after = layout.block([case.outcome.state if case.outcome else case.state for case in these])
    for at, case in enumerate(these):
        outcome, call = case.outcome, f"{action.name}{case.arguments}"
        if {s.name: part.argument(s.name, at) for s in action.slots} != case.arguments:
            yield f"{call}: the fresh arguments differ"
        elif outcome is None:
            if part.exit:
                yield f"{call}: only the concrete reading rejects it"
        elif part.exit != outcome.exit:
            yield f"{call}: {outcome.exit}, in a batch {part.exit or part.text}"
        elif outcome.effective:
            if layout.vector(shown[:, at].tolist()) != outcome.shown:
                yield f"{call}: the states after differ"
            elif (data[:, at] != after.data[:, at]).any() or marks[at] != after.fingerprints[at]:
                yield f"{call}: the state after has two rows, or two fingerprints"
            elif answered(part.answer, at) != plain(outcome.answer):
                yield f"{call}: the answers differ"


def test_the_batch_reading_agrees_with_the_concrete_one_on_20000_random_states_operations_and_arguments() -> None:
    found, compared = disagreements(SPEC, SPEC, TRIPLES)
    assert found == []
    assert sum(compared.values()) >= 0.95 * TRIPLES
    assert {c for c in clauses(SPEC) if c.endswith(("/ok", "/suspended"))} <= set(compared)
    assert len([c for c in clauses(SPEC) if "/late-" not in c and c not in compared]) <= FEW
    assert sum(UNDEFINED in clause for clause in compared) > FEW


def every_call(batch: Batch, action: Action, block: Block) -> dict[tuple[int, int], tuple[Any, ...]]:
    """What each call of an operation comes to in each state of a block: by state and call, the exit, the state, the answer."""
    fresh = {s.name: batch.fresh(block, s.type) for s in action.slots if s.fresh}
    found: dict[tuple[int, int], tuple[Any, ...]] = {}
    for part, numbers in batch.every(action, block, fresh):
        every = np.arange(len(part.rows))
        shown, marks = part.after(every, outputs=True), fingerprints(part, part.parts())
        for at, (row, number) in enumerate(zip(part.rows.tolist(), numbers.tolist(), strict=True)):
            arguments = tuple(part.argument(s.name, at) for s in action.slots)
            answer = answered(part.answer, at) if part.exit == "ok" else None
            assert (row % block.size, number) not in found
            found[row % block.size, number] = (part.exit, arguments, int(marks[at]), shown[:, at].tobytes(), answer)
    return found


@pytest.mark.parametrize("action", one_in(3, SPEC.actions.values()), ids=lambda action: action.name)
def test_all_calls_made_as_one_come_to_what_each_comes_to_alone(action: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch(Model(SPEC, SCOPE))
    states = list(dict.fromkeys(state for state, *_ in calls(batch.model, 30, Counter(), action.name)))[:12]
    assert len(states) > 3
    block = batch.layout.block(states)
    monkeypatch.setattr(reading, "TOGETHER", 0)
    alone = every_call(batch, action, block)
    assert set(alone) == {(s, n) for s in range(len(states)) for n in range(len(batch.calls(action)))}
    monkeypatch.setattr(reading, "TOGETHER", 1 << 30)
    assert every_call(batch, action, Block(batch.layout, block.data)) == alone


@pytest.mark.parametrize(
    ("operation", "old", "new", "within"),
    [
        ("free", "system.owner[region] = none", "system.owner[region] = caller", ""),
        ("send_event", "system.target[sender] != none", "system.target[sender] == none", ""),
        ("take_signal", "pop()", "head", ""),
        ("reserve_resource", "system.pool[kind] - amount", "system.pool[kind]", ""),
        ("close", "system.woken.where(which, how)", "pass", "wake_all"),
        ("select", "reading[fd], True)", "writing[fd], True)", ""),
        ("select", "subset(Fd, lambda fd: writing[fd] & writable(before, fd))", "subset(Fd, lambda fd: writing[fd])", ""),
        ("accept_socket", "suspend()", "pass", ""),
    ],
)
def test_a_difference_between_the_readings_is_seen(operation: str, old: str, new: str, within: str) -> None:
    other = SPEC.replace(**{operation: changed(SPEC.actions[operation].function, old, new, within=within)})
    assert any(disagreements(SPEC, other, 300, only=operation, seed=seed)[0] for seed in range(5))


def shown(layout: Layout, vectors: Sequence[Vector]) -> Block:
    """States as a block with their outputs."""
    data = np.zeros((layout.whole, len(vectors)), np.uint8)
    data[: layout.width] = layout.block(vectors).data
    for column in range(layout.width, layout.whole):
        cell = layout.cells[column]
        at = layout.model.index(layout.model.components[cell.component], cell.key)
        data[column] = [vector[cell.component][at] for vector in vectors]
    return Block(layout, data)


class Steps:
    """Some states, each with another that may have any outputs, and calls of one operation between them."""

    def __init__(self, layout: Layout, action: Action, cases: list[tuple[Vector, Vector, dict[str, Any]]]) -> None:
        self.action, self.cases = action, cases
        self.before, self.after = layout.block([b for b, _, _ in cases]), shown(layout, [a for _, a, _ in cases])
        self.call: dict[str, Any] = {"operation": action.name}
        self.mark = np.array([hash_of(f"{action.name}{given}") for _, _, given in cases], np.uint64)
        for slot in action.slots:
            values = [given[slot.name] for _, _, given in cases]
            if slot.subset:
                elements = [0, *layout.model.domain(slot.type)]
                self.call[slot.name] = np.array([[element in some for element in elements] for some in values])
            else:
                kind = np.bool_ if slot.type is bool else np.int16 if slot.type is int else np.uint8
                self.call[slot.name] = np.array(values, kind)


@cache
def judged() -> tuple[Batch, list[Steps], dict[str, dict[str, list[bool]]]]:
    """Random steps by operation, and by operation and statement whether it holds in the concrete reading."""
    model, chance = Model(SPEC, SCOPE), random.Random(11)
    batch = Batch(model)
    drawn: dict[str, list[tuple[Vector, Vector, dict[str, Any]]]] = {}
    for state, action, arguments in triples(model, chance, JUDGED, Counter(), ""):
        other = random_vector(model, chance, state, chance.choice([0.02, 0.1, 0.5]), outputs=True)
        drawn.setdefault(action.name, []).append((state, other, arguments))
    steps = [Steps(batch.layout, SPEC.actions[name], cases) for name, cases in drawn.items()]
    holds: dict[str, dict[str, list[bool]]] = {}
    for each in steps:
        found: dict[str, list[bool]] = {s: [] for s in (*SPEC.invariants, *SPEC.step_properties)}
        for before, after, arguments in each.cases:
            for invariant in SPEC.invariants.values():
                found[invariant.name].append(model.broken(invariant, model.system(before)) is None)
            states = model.system(before), model.system(after), Call(each.action.name, arguments)
            for statement in SPEC.step_properties.values():
                found[statement.name].append(model.broken(statement, *states) is None)
        holds[each.action.name] = found
    return batch, steps, holds


def assert_judged_alike(batch: Batch, each: Steps, holds: dict[str, list[bool]]) -> None:
    """Every statement, of some rows in another order, one twice."""
    rows = np.array([*range(len(each.cases))[::-1], 0])
    for statement in (*SPEC.invariants.values(), *SPEC.step_properties.values()):
        if statement.name in SPEC.invariants:
            verdicts, _ = batch.judge(statement, rows, each.before)
        else:
            verdicts, _ = batch.judge(statement, rows, each.before, each.after, **each.call)
        assert verdicts.tolist() == np.array(holds[statement.name])[rows].tolist(), (statement.name, each.action.name)


def test_both_readings_judge_every_statement_alike() -> None:
    batch, steps, holds = judged()
    for each in steps:
        assert_judged_alike(batch, each, holds[each.action.name])
    given = {(name, verdict) for found in holds.values() for name, verdicts in found.items() for verdict in verdicts}
    statements = {*SPEC.invariants, *SPEC.step_properties}
    assert {name for name, held in given if held} == statements
    assert len(statements - {name for name, held in given if not held}) <= FEW


def test_it_makes_no_difference_how_many_are_judged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 20)
    batch, steps, holds = judged()
    for each in steps[:4]:
        assert_judged_alike(batch, each, holds[each.action.name])


def test_what_is_remembered_of_verdicts_makes_no_difference() -> None:
    batch, steps, holds = judged()
    of_states = Verdicts(batch, list(SPEC.invariants.values()))
    of_steps = Verdicts(batch, list(SPEC.step_properties.values()))
    for each in (*steps, *steps[:10]):
        wanted = {name for name, held in holds[each.action.name].items() if not all(held)}
        found = [*of_states.broken([each.before]), *of_steps.broken([each.before, each.after], each.call, each.mark)]
        assert {statement.name for statement, _ in found} == wanted
        for statement, rows in found:
            assert not any(holds[each.action.name][statement.name][row] for row in rows)


@pytest.mark.parametrize("spec", [SPEC, RING, BELLS], ids=lambda spec: spec.name)
def test_a_state_is_the_same_after_a_round_trip_through_its_row(spec: Spec) -> None:
    model, chance = Model(spec, SCOPE if spec is SPEC else spec.fuzz_scope), random.Random(3)
    layout = Layout(model)
    vectors = [random_vector(model, chance, model.initial(), share) for share in (0.02, 0.1, 0.5, 0.9) for _ in range(50)]
    block = layout.block(vectors)
    assert [layout.vector(block.data[:, at].tolist()) for at in range(block.size)] == vectors
    whole = [random_vector(model, chance, v, 0.5, outputs=True) for v in vectors]
    block = shown(layout, whole)
    assert [layout.vector(block.data[:, at].tolist()) for at in range(block.size)] == whole


@pytest.mark.parametrize("spec", [SPEC, RING, BELLS], ids=lambda spec: spec.name)
def test_different_states_have_different_rows_and_fingerprints(spec: Spec) -> None:
    model, chance = Model(spec, SCOPE if spec is SPEC else spec.fuzz_scope), random.Random(5)
    vectors = list(dict.fromkeys(random_vector(model, chance, model.initial(), 0.05) for _ in range(2_000)))
    block = Layout(model).block(vectors)
    assert len({block.data[:, at].tobytes() for at in range(block.size)}) == len(vectors)
    assert len(set(block.fingerprints.tolist())) == len(vectors)


def called(batch: Batch, data: Any, operation: str, **arguments: int) -> Any:
    """The row after a call that takes effect in the one state of `data`."""
    (part,) = batch.parts(batch.model.spec.actions[operation], Block(batch.layout, data), arguments)
    assert part.exit in EFFECTIVE
    return part.after(np.arange(1))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2, None), (2,)),
        ((1, 2, None, None), ()),
        ((1, 2, None, 1), (2, 1)),
        ((3, 1, None, 2, None), (2,)),
        ((1, 2, 3, None, None, 1, 2), (3, 1, 2)),
    ],
)
def test_queues_that_hold_the_same_are_the_same_rows_however_they_were_filled_and_emptied(
    one: tuple[int | None, ...], other: tuple[int | None, ...]
) -> None:
    batch = Batch(Model(RING, {"stations": 1, "parcels": 3, "most": 3}))
    rows = []
    for way in (one, other):
        data = batch.layout.block([batch.model.initial()]).data
        for parcel in way:
            made = parcel is not None
            data = called(batch, data, "make", station=1, parcel=parcel) if made else called(batch, data, "deliver", station=1)
        rows.append(data[:, 0].tolist())
    assert rows[0] == rows[1]
    assert batch.layout.vector(rows[0])[batch.model.positions["outbox"]][1] == tuple(p for p in other if p)


def test_equal_states_have_equal_rows_wherever_a_walk_comes_to_them() -> None:
    model, chance = Model(RING, {"stations": 2, "parcels": 3, "most": 3}), random.Random(2)
    batch = Batch(model)
    data = batch.layout.block([model.initial()]).data
    rows: dict[Vector, list[int]] = {}
    repeated = 0
    for _ in range(3_000):
        action = chance.choice(list(RING.actions.values()))
        vector = batch.layout.vector(data[:, 0].tolist())
        arguments = chance.choice([c for c in model.calls(action, vector) if c is not None])
        outcome = model.step(action, vector, arguments)
        if outcome.effective:
            data = called(batch, data, action.name, **arguments)
            row = data[:, 0].tolist()
            repeated += outcome.state in rows
            assert rows.setdefault(outcome.state, row) == row
    assert repeated > 500
    assert len(rows) > 50
