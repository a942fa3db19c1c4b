"""What the line to an adapter costs, and how soon each planted bug is found; ratios within one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from oneowner.checker.adapters import connect, request
from oneowner.checker.conform import Conformance
from oneowner.checker.session import Session
from oneowner.checker.suite import of
from oneowner.reference_impl import bugs
from oneowner.spec import SPEC

ECHO = str(Path(__file__).with_name("echo.py"))
CALLS, REPEATS = 20_000, 5
ARGUMENTS = {"caller": "partition1", "region": "region1"}


def over_exec() -> float:
    """Calls a second to an adapter that answers each at once."""
    adapter: Any = connect(f"exec:{sys.executable} {ECHO} adapter", waiting=frozenset(SPEC.late_exits))
    began = time.perf_counter()
    for _ in range(CALLS):
        adapter.call("free", ARGUMENTS)
    took = time.perf_counter() - began
    adapter.stop()
    return CALLS / took


def over_pipe() -> float:
    """Lines a second, of the same bytes, through a process that gives each back."""
    process = subprocess.Popen([sys.executable, ECHO, "pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdin is not None
    assert process.stdout is not None
    reading, writing = process.stdout.fileno(), process.stdin.fileno()
    line = request(10_000, "call", {"actor": "partition1", "op": "free", "args": {"region": "region1"}})
    began = time.perf_counter()
    for _ in range(CALLS):
        os.write(writing, line)
        left = len(line)
        while left:
            left -= len(os.read(reading, 1 << 16))
    took = time.perf_counter() - began
    process.stdin.close()
    process.wait()
    return CALLS / took


def suite_time(implementation: Any, *, beside: bool) -> float:
    """Seconds for the calls of the suite: beside the model, or made again without it."""
    took = 0.0
    for sequence in of(SPEC):
        scope = sequence.sizes(SPEC)
        session = Session(SPEC, implementation, scope, probing=False)
        calls: list[tuple[str, dict[str, Any]]] = []
        seen = implementation.call

        def note(operation: str, arguments: dict[str, Any], calls: Any = calls, seen: Any = seen) -> Any:
            calls.append((operation, arguments))
            return seen(operation, arguments)

        implementation.call = note
        began = time.perf_counter()
        for name, arguments in sequence.calls:
            session.compare_values(name, arguments)
        if beside:
            took += time.perf_counter() - began
        implementation.call = seen
        if not beside:
            implementation.reset(SPEC.topology(SPEC.scope(scope)))
            began = time.perf_counter()
            for name, arguments in calls:
                implementation.call(name, arguments)
                implementation.settle()
            took += time.perf_counter() - began
    return took


def main() -> None:
    """Print the ratios."""
    pairs = [(over_exec(), over_pipe()) for _ in range(REPEATS)]
    ratios = [calls / lines for calls, lines in pairs]
    print(f"calls over exec: to lines over a bare pipe, a second: {statistics.median(ratios):.2f} (median of {REPEATS})")
    implementation: Any = connect("py:oneowner.reference_impl")
    costs = [suite_time(implementation, beside=True) / suite_time(implementation, beside=False) for _ in range(3)]
    print(f"a call held against the model to the same call alone, in process: {statistics.median(costs):.1f}")
    print("to the first failure of each planted bug, in times of the whole suite on the right implementation:")
    whole = suite_time(implementation, beside=True)
    for bug in bugs.BUGS:
        began = time.perf_counter()
        where = f"py:oneowner.reference_impl.bugs:{bug}"
        run = Conformance(SPEC, connect(where), where, of(SPEC), profiles=("all",), seconds=120, seed=1).run()
        found = next((v.clause for v in run.having("fail", "flaky")), "nothing")
        print(f"{bug:28} {(time.perf_counter() - began) / whole:8.1f}  {found}")


if __name__ == "__main__":
    main()
