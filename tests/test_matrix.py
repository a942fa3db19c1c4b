"""Every requirement of the rooms that there are is carried, and the matrix shows by what."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from command import run

from oneowner.checker.matrix import matrix, steps
from oneowner.model.reading import SpecError
from oneowner.spec import SPEC

NOT_YET = {
    *("SOCK-1", "SOCK-2", "SOCK-3", "SOCK-4", "SOCK-5", "SOCK-6", "SOCK-7", "SOCK-8", "SOCK-9", "SOCK-10", "SOCK-11"),
    *("FILE-1", "FILE-2", "FILE-3", "FILE-4", "FILE-5", "FILE-6", "MAP-1", "MAP-2", "MAP-3", "MAP-4", "MAP-5"),
    *("PART-5", "RES-2", "RES-4", "FLOW-2", "FLOW-3", "FLOW-4", "SHM-1"),
}
"""Rows of rooms that are not built: sockets, files, processes, processors, requests for resources, shared memory."""


def test_every_row_of_these_rooms_is_carried_and_no_other() -> None:
    rows = matrix(SPEC)
    context = {r.id for r in rows if r.carried_as == "context"}
    assert {r.id for r in rows if r.empty} == NOT_YET | context


def test_every_step_of_figure_6_is_carried_by_an_operation_or_statement() -> None:
    carried = steps(SPEC)
    assert set(carried) == {f"S{n}" for n in range(101, 113)}
    declared = {*SPEC.actions, *SPEC.invariants, *SPEC.step_properties}
    assert all(set(names) & declared for names in carried.values())


def test_every_operation_and_theorem_names_a_requirement() -> None:
    theorems = [i for i in SPEC.invariants.values() if not i.purpose]
    for declaration in [*SPEC.actions.values(), *theorems, *SPEC.step_properties.values()]:
        assert declaration.seed, declaration.name
        assert declaration.text, declaration.name


def test_a_row_that_is_carried_by_nothing_is_shown_as_empty() -> None:
    bare = replace(SPEC, flows=())
    assert {r.id for r in matrix(bare) if r.empty} > NOT_YET
    assert next(r for r in matrix(bare) if r.id == "FLOW-1").empty


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
