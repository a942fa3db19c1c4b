"""An operation recorded as a tree: what is asked and written, why a call is refused, and what cannot be recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
import token_ring
from bells import BELLS
from command import run
from token_ring import AT_NONE, BRANCHES, LATE, RING

from oneowner.model.language import EFFECTIVE, Spec, SpecError
from oneowner.model.recording import Block, Check, Leaf, Recorder, Write, tree
from oneowner.model.symbolic import exits
from oneowner.spec import SPEC

HERE = {"PYTHONPATH": str(Path(token_ring.__file__).parent)}


@pytest.mark.parametrize("spec", [SPEC, RING, BELLS], ids=lambda spec: spec.name)
def test_a_tree_has_the_exits_that_the_symbolic_reading_has(spec: Spec) -> None:
    recorder = Recorder(spec)
    for name, action in spec.actions.items():
        known = [exit for exit in exits(spec)[name] if not exit.startswith("late-")]
        assert sorted(recorder.operation(action).exits) == sorted(known), name


def test_the_operation_of_the_readme_is_recorded_as_it_is_written() -> None:
    assert list(tree(Recorder(SPEC).operation(SPEC.actions["free"]))) == FREE


FREE = [
    "require (status[caller] == ACTIVE) else ESRCH",
    "require (owner[region] == caller) else EFAULT",
    "require (carried_by[region] == none) else EBUSY",
    "require (region_file[region] == none) else EBUSY",
    "require (region_process[region] == none) else EBUSY",
    "content[region1, place2] = none where (region1 == region)",
    "mapped[caller, region] = False",
    "owner[region] = none",
    "ok",
]


def test_a_refusal_has_no_statement_before_it_and_every_statement_its_line() -> None:
    recorder = Recorder(SPEC)
    for action in SPEC.actions.values():
        whole = recorder.operation(action)
        for block in whole.within():
            assert all(s.place.file.endswith(".py") and s.place.line > 0 for s in block.statements)
            if isinstance(block.end, Leaf) and block.end.exit not in EFFECTIVE:
                assert not [s for s in block.statements if isinstance(s, Write | Check)]


def lines(block: Block) -> list[str]:
    return list(tree(block))


def test_a_write_at_none_is_recorded_with_what_must_hold() -> None:
    found = lines(Recorder(AT_NONE).operation(AT_NONE.actions["give"]))
    assert any("is written at none" in line for line in found)


@pytest.mark.parametrize(
    ("spec", "says"), [(LATE, "refuses with STRANGER after an effect"), (BRANCHES, "write & for and.*token_ring.py, line")]
)
def test_what_cannot_be_recorded_is_refused_with_the_line(spec: Spec, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        record(spec)


def record(spec: Spec) -> None:
    recorder = Recorder(spec)
    for action in spec.actions.values():
        recorder.operation(action)
    for invariant in spec.invariants.values():
        recorder.statement(invariant)


def test_the_command_shows_it() -> None:
    ran = run("show", "operations", "--tree", "free")
    assert ran.out.splitlines() == ["free(caller, region)", *(f"    {line}" for line in FREE)]
    told = run("show", "operations", "--tree", "give", "--spec", "token_ring:RING", "--format", "json", env=HERE).json
    assert set(told["exits"]) == {"ok", "STRANGER", "NO_TOKEN"}
    assert [each["cause"] for each in told["causes"]] == ["give/NO_TOKEN#not-token_at", "give/STRANGER#not-member"]
    assert told["writes"] == ["token_at"]
    assert run("show", "operations", "--tree", "steal").code == 2
    assert run("show", "invariants", "--tree", "free").code == 2
