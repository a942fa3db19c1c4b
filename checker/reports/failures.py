"""A failure of an implementation in lines: what was wrong, the calls as a program, where the trace is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...model.language import Spec
from ..adapters import Implementation, connect
from ..session import Failure
from ..traces import file_name, how_again, program, save_failure


def fuzz_failure(spec: Spec, implementation: str, failure: Failure, traces: Path) -> Iterator[str]:
    """A failure: what was wrong, the calls as a program, where the trace is."""
    return failure_lines(spec, implementation, connect(implementation), failure, traces)


def failure_lines(spec: Spec, where: str, implementation: Implementation, failure: Failure, traces: Path) -> Iterator[str]:
    """A failure of an implementation that is connected already."""
    path = traces / file_name("fuzz", failure.clause)
    unwritten = save_failure(path, spec, where, failure, implementation)
    yield f"FAILURE: {failure.text}"
    operation = spec.actions[failure.clause.partition("/")[0]]
    yield f"  breaks {failure.clause} ({' '.join(operation.seed)}): {operation.text}"
    yield from (f"  {reason}" for reason in failure.reasons)
    yield f"  in {len(failure.calls)} calls{failure.freshly}:"
    yield ""
    yield from (f"    {line}" for line in program(spec, where, failure, implementation).splitlines())
    yield ""
    if failure.afresh is False and not unwritten:
        yield f"  Stored in {path}; but a replay begins afresh, and earlier runs have their part in this."
    else:
        yield how_again(path, unwritten, where)
