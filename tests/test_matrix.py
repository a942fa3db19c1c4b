"""Every requirement is carried, and the matrix shows by what."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from command import run

from oneowner.checker.pages import matrix, steps
from oneowner.model.language import SpecError
from oneowner.spec import SPEC


def test_every_row_is_carried_but_those_that_only_tell_of_the_surroundings() -> None:
    rows = matrix(SPEC)
    assert {r.id for r in rows if r.empty} == {r.id for r in rows if r.carried_as == "context"} == {"CTX-1", "CTX-2"}


def test_a_row_is_carried_as_what_it_is() -> None:
    for row in matrix(SPEC):
        kind = {"action": row.operations, "invariant": row.invariants, "flow": row.flows}.get(row.carried_as, [row.id])
        assert kind, row.id


def test_every_step_of_the_figures_is_carried_by_an_operation_or_statement_but_one_that_only_a_flow_is() -> None:
    carried = steps(SPEC)
    figures = [f"S{n}" for n in (*range(101, 113), *range(201, 205), *range(301, 308))]
    either = [f"S{n}{way}" for n in range(308, 312) for way in "ab"]
    assert set(carried) == {*figures, *either, "S-A", "S-B", "S-C", "S-D", "S-E"}
    declared = {*SPEC.actions, *SPEC.invariants, *SPEC.step_properties}
    assert [step for step, names in carried.items() if not set(names) & declared] == ["S307"]


def test_every_operation_and_theorem_names_a_requirement() -> None:
    theorems = [i for i in SPEC.invariants.values() if not i.purpose]
    for declaration in [*SPEC.actions.values(), *theorems, *SPEC.step_properties.values()]:
        assert declaration.seed, declaration.name
        assert declaration.text, declaration.name


def test_a_row_that_is_carried_by_nothing_is_shown_as_empty() -> None:
    bare = replace(SPEC, flows=())
    flows = {"FLOW-1", "FLOW-2", "FLOW-3", "FLOW-4", "REG-7", "SOCK-11"}
    assert {r.id for r in matrix(bare) if r.empty} == flows | {"CTX-1", "CTX-2"}


def test_a_row_that_does_not_exist_is_told(tmp_path: Path) -> None:
    path = tmp_path / "requirements.toml"
    path.write_text('[[requirement]]\nid = "A-1"\npara = []\nas = "action"\ntext = ""\n')
    with pytest.raises(SpecError, match="names the requirement 'LAYER-1'"):
        matrix(replace(SPEC, requirements=path))


def test_the_rows_are_those_of_the_seed() -> None:
    assert SPEC.requirements is not None
    rows = tomllib.loads(SPEC.requirements.read_text())["requirement"]
    assert len(rows) == 69
    assert {r["as"] for r in rows} == {"action", "state", "invariant", "flow", "layer", "context"}


def test_the_command_prints_a_line_a_row() -> None:
    ran = run("show", "matrix")
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 69
    assert "REG-2    invariants: exclusive_mapping" in ran.out
