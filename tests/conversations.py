"""Conversations with the reference implementation behind an adapter, as `oneowner conform` writes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from oneowner.checker.adapters import connect
from oneowner.checker.session import Session
from oneowner.spec import SPEC

SERVED = f"exec:{sys.executable} -m oneowner serve py:oneowner.reference_impl"


def conversation(log: Path, opening: str, *more: tuple[str, dict[str, int]]) -> Path:
    """What is said with an opening of the specification and some more calls, each call followed by the probes."""
    heading = {"connection": SERVED, "spec": SPEC.where}
    implementation: Any = connect(SERVED, waiting=frozenset(SPEC.late_exits), log=log, heading=heading)
    session = Session(SPEC, implementation, SPEC.fuzz_scope)
    for name, arguments in [*SPEC.openings[opening], *more]:
        session.compare_values(name, arguments)
    implementation.finish()
    return log
