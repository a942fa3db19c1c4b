"""Names of values, differences, and ITF traces: what is written can be read back and means the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneowner.checker.traces import model_steps, read, replay_model, save_model_trace
from oneowner.model.concrete import Model, differences, nondefaults, value_name, value_of
from oneowner.model.graph import explore
from oneowner.model.language import Members, SpecError
from oneowner.spec import SPEC, Fd, Partition, PortStatus, Region
from oneowner.spec.museum import unmap_failure_ignored

KINDS = [Partition, Region, PortStatus, bool, int]


@given(st.sampled_from(KINDS), st.integers(0, 5))
def test_a_value_is_read_back_from_its_name(kind: object, value: int) -> None:
    value = bool(value % 2) if kind is bool else value
    assert value_of(kind, value_name(kind, value)) == value


@given(st.frozensets(st.integers(1, 5)))
def test_a_set_is_read_back_from_its_names(elements: frozenset[int]) -> None:
    assert value_of(Fd, value_name(Fd, Members(elements))) == Members(elements)


@pytest.mark.parametrize(
    ("kind", "name"), [(Region, "port1"), (Region, "region"), (PortStatus, "OPEN"), (bool, "yes"), (int, -1)]
)
def test_what_names_no_value_is_refused(kind: object, name: object) -> None:
    with pytest.raises(SpecError, match="is no"):
        value_of(kind, name)


def test_differences_name_the_cells_that_changed() -> None:
    model = Model(SPEC, {"partitions": 2})
    before = model.initial()
    after = model.step(SPEC.actions["create_partition"], before, {"caller": 1, "partition": 2}).state
    assert differences(model, before, after) == ["status[partition2]: ABSENT -> ACTIVE", "boot_order[SYSTEM]: <> -> <partition2>"]
    granted = ("PROCESSOR_TIME", "ADDRESS_SPACE", "DEVICES", "CACHE", "BUS")
    pool = [f"pool[{kind}] = 1" for kind in granted]
    assert nondefaults(model, before) == ["status[SYSTEM] = ACTIVE", "booted[SYSTEM] = True", *pool, "too_long[short1] = True"]


def test_a_stored_trace_is_itf_reads_back_and_replays(tmp_path: Path) -> None:
    exploration = SPEC.explorations["messages"]
    graph = explore(
        Model(unmap_failure_ignored, exploration.sizes, exploration.arguments),
        without=SPEC.left_out(exploration),
        opening=SPEC.openings[exploration.opening],
        statements=frozenset(["exclusive_mapping"]),
    )
    found = graph.violations[0]
    path = tmp_path / "trace.itf.json"
    save_model_trace(path, unmap_failure_ignored, graph.model.scope, found.trace, "exclusive_mapping")

    content = json.loads(path.read_text())
    assert content["#meta"]["format"] == "ITF"
    assert set(content["states"][0]) - {"#meta"} == set(content["vars"])
    assert [s["#meta"]["index"] for s in content["states"]] == list(range(len(found.trace) + 1))
    assert all("#map" in content["states"][-1][name] for name in ("owner", "mapped", "inbox"))

    stored = read(path)
    assert model_steps(stored, unmap_failure_ignored) == found.trace
    assert replay_model(unmap_failure_ignored, stored).shown
    assert not replay_model(SPEC, stored).shown


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"#meta": {}}', '{"#meta": {"kind": "x", "scope": {}, "spec": "", "statement": ""}, "states": []}'],
)
def test_a_file_that_is_no_trace_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(SpecError, match=r"not JSON|no trace"):
        read(path)


@given(st.text())
def test_no_text_makes_reading_a_trace_fail_in_another_way(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.json"
        path.write_text(text, encoding="utf-8", errors="replace")
        with pytest.raises(SpecError):
            read(path)
