"""What the tests share."""

from __future__ import annotations

import compileall
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / folder) for folder in ("tools", "bench"))]

if TYPE_CHECKING:
    from oneowner.checker.conform import Report


def pytest_configure(config: pytest.Config) -> None:
    """Hundreds of tests start a process, each of which would compile all of oneowner where Python may write no bytecode."""
    if sys.dont_write_bytecode and not hasattr(config, "workerinput"):
        for folder in (Path(__file__).parent.parent / "src" / "oneowner").resolve().iterdir():
            if folder.is_dir():
                compileall.compile_dir(folder.resolve(), quiet=2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked so is tested in both readings in which a search is made."""
    of = metafunc.definition
    if of.get_closest_marker("both_readings") and not of.get_closest_marker("batch_reading"):
        metafunc.parametrize("reading", ["batch", "compiled"], indirect=True)


@pytest.fixture(autouse=True)
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The reading in which searches are made, where a test is of both; what is built is built quickly."""
    if not hasattr(request, "param"):
        return ""
    import searching

    from oneowner.checker.explore import scopes
    from oneowner.model.compiled import building
    from oneowner.model.search import explored

    name: str = request.param
    monkeypatch.setattr(searching, "READING", name)
    monkeypatch.setattr(building, "LEVELS", ((1 << 62, "-O0"),))
    monkeypatch.setattr(scopes, "explored", lambda *given, **how: explored(*given, **{**how, "reading": name}))
    return name


@pytest.fixture(scope="module")
def reading_on() -> Report:
    """The report on a machine on which who sent a region can still read it; of what is wrong the sending alone."""
    from reporting import held

    from oneowner.checker.adapters import connect
    from oneowner.spec import SPEC

    made = connect("py:oneowner.reference_impl.bugs:late_invalidation")
    report = held(SPEC, made, "read_memory", profiles=("core",))
    return replace(report, verdicts={c: v for c, v in report.verdicts.items() if v.failure is None or c == "send/ok"})


@pytest.fixture(scope="module")
def sending_nothing() -> Report:
    """The report on a machine that sends nothing."""
    from reporting import SendsNothing, held

    from oneowner.spec import SPEC

    return held(SPEC, SendsNothing(), "send/ok", profiles=("core",))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search expands a level in several pieces, so that a limit falls into it."""
    from searching import in_chunks

    in_chunks(16, monkeypatch)
