"""What the tests share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from oneowner.checker.conform import Report


@pytest.fixture(scope="module")
def reading_on() -> Report:
    """The report on a machine on which who sent a region can still read it."""
    from reporting import held

    from oneowner.checker.adapters import connect
    from oneowner.spec import SPEC

    made = connect("py:oneowner.reference_impl.bugs:late_invalidation")
    return held(SPEC, made, "read_memory", profiles=("core",))


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
