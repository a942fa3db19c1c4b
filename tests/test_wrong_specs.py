"""Of small specifications drawn at random, one line of which is broken, nothing is called proved that a plain search of all calls
breaks; and where the solver were to say so, holding it against the concrete reading shows it.  `make fuzz` draws many more."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from random_specs import Writer, one_line_broken, written

from oneowner.checker.prove import PROVED, Report, planned, prove
from oneowner.checker.prove import prover as proving
from oneowner.model import SpecError
from oneowner.model.concrete import Model, Vector
from oneowner.model.language import Spec

FIRST, MANY = int(os.environ.get("ONEOWNER_WRONG_FROM", "0")), int(os.environ.get("ONEOWNER_WRONG", "8"))
STATES, TRIES = 400, 12
SCOPES = [
    {"ants": 2, "bees": 1, "letters": 2, "numbers": 2, "most": 1},
    {"ants": 2, "bees": 2, "letters": 2, "numbers": 1, "most": 2},
]
INITIALLY, DEFINED = "initially", "well_defined"

Broken = tuple[str, str, str]
"""An operation, an exit, and a statement that does not hold after it."""


class Wrong(NamedTuple):
    seed: int
    spec: Spec
    broken: set[Broken]


def tame(spec: Spec, names: Collection[str]) -> Spec:
    return replace(spec, replaced={name: lambda *_: True for name in names})


def by_search(spec: Spec) -> set[Broken]:
    """What calls break, in the first states of small scopes: every call of every operation, by the concrete reading alone.  A
    state in which an invariant does not hold is not gone beyond."""
    return {broken for scope in SCOPES for broken in _by_search(Model(spec, spec.scope(scope)))}


def _by_search(model: Model) -> Iterator[Broken]:
    first = model.initial()
    wrong = {statement.name for statement, _ in model.violations(None, None, {}, first)}
    yield from ((INITIALLY, "ok", name) for name in wrong)
    waiting, seen = [] if wrong else [first], {first}
    while waiting and len(seen) < STATES:
        before = waiting.pop(0)
        for action in model.spec.actions.values():
            for arguments in model.calls(action, before):
                if arguments is None:
                    continue
                try:
                    outcome = model.step(action, before, arguments)
                except SpecError:
                    yield action.name, "", DEFINED
                    continue
                if not outcome.effective:
                    continue
                broken = {s.name for s, _ in model.violations(before, action, arguments, outcome.shown)}
                yield from ((action.name, outcome.exit, name) for name in broken)
                after: Vector = outcome.state
                if after not in seen and not broken & set(model.spec.invariants):
                    seen.add(after)
                    waiting.append(after)


def wrong_specs(folder: Path) -> Iterator[Wrong]:
    for seed in itertools.count(FIRST):
        chance = random.Random(seed)
        text = Writer(chance).text()
        right = written(text, f"right{seed}", folder)
        right = tame(right, {statement for _, _, statement in by_search(right)} - {DEFINED})
        for number in range(TRIES):
            try:
                spec = tame(written(one_line_broken(text, chance), f"wrong{seed}_{number}", folder), right.replaced)
                planned(spec)
                broken = by_search(spec)
            except SpecError:
                continue  # what is left is no specification
            if broken:
                yield Wrong(seed, spec, broken)
                break


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> list[Wrong]:
    return list(itertools.islice(wrong_specs(tmp_path_factory.mktemp("wrong")), MANY))


def asked(wrong: Wrong, *, alone: bool) -> Report:
    """The proof of those obligations that the search breaks, and of others of the same operations and statements."""
    operations, statements = ({broken[at] for broken in wrong.broken} for at in (0, 2))
    return prove(wrong.spec, chosen_operations=operations, chosen_statements=statements, traces=False, alone=alone)


def test_nothing_is_called_proved_that_a_search_breaks(wrong: list[Wrong]) -> None:
    for each in wrong:
        obligations = asked(each, alone=True).obligations
        for operation, exit, statement in each.broken:
            about = [o for o in obligations if (o.operation, o.statement) == (operation, statement) and exit in ("", o.exit)]
            assert any(o.status != PROVED for o in about), (each.seed, operation, exit, statement)
            assert not exit or about[0].status != PROVED, (each.seed, operation, exit, statement)


def test_what_a_solver_calls_proved_wrongly_is_told_with_both(wrong: list[Wrong], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving.Prover, "_ask", lambda *_: (PROVED, None, ""))
    missed = []
    for each in wrong:
        report = asked(each, alone=False)
        found = {(d.operation, d.exit, d.statement) for d in report.disagreements}
        doubted = {(o.operation, o.exit, o.statement) for o in report.obligations if o.status != PROVED}
        assert found == doubted, each.seed
        expected = {broken for broken in each.broken if broken[0] != INITIALLY}
        missed += [(each.seed, broken) for broken in expected if not any(broken[0] == f[0] and broken[2] == f[2] for f in found)]
    assert len(missed) <= len(wrong) / 10, missed
