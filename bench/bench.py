"""Times of the main parts, as ratios to a yardstick measured in the same run; figures from two machines cannot be compared.

The yardstick is a plain Python loop of a million additions.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from oneowner.checker.explore import explore_scope
from oneowner.checker.fuzz import fuzz
from oneowner.checker.prove import prove
from oneowner.reference_impl import implementation
from oneowner.spec import SPEC

REPEATS = 3


def yardstick() -> None:
    total = 0
    for number in range(1_000_000):
        total += number


def timed(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    unit = timed(yardstick)
    print(f"yardstick (a million additions in a plain loop): {unit:.3f} s; medians of {REPEATS}, one process")
    print(f"prove, all obligations          {timed(lambda: prove(SPEC)) / unit:10.1f} yardsticks")
    for name, exploration in SPEC.explorations.items():
        took = timed(lambda e=exploration, n=name: explore_scope(SPEC, n, e))  # type: ignore[misc]
        states = explore_scope(SPEC, name, exploration).states
        million = 1e6 * took / unit / states
        print(f"explore {name:12} {states:6} states {took / unit:8.1f} yardsticks, {million:8.0f} per million states")
    began = time.perf_counter()
    report = fuzz(SPEC, implementation(), seconds=10, seed=1)
    took = time.perf_counter() - began
    print(f"fuzz, calls in a yardstick's time {report.calls * unit / took:8.1f}")


if __name__ == "__main__":
    main()
