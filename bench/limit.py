"""The compiled reading beside what is possible: searches beside the core written by hand in C (`peers/by_hand.c`) and beside the
batch reading, and what the checker costs beside the implementation when it fuzzes.  Every ratio is of one run.

usage: python bench/limit.py
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

from oneowner.checker.fuzz import fuzz
from oneowner.model.compiled import compiler
from oneowner.model.concrete import Model
from oneowner.model.language import load
from oneowner.model.search import BATCH, COMPILED, begun
from oneowner.reference_impl import implementation
from oneowner.spec import SPEC

sys.path.insert(0, str(Path(__file__).parent))
from core import THEOREMS, scope

BY_HAND = Path(__file__).parent / "peers" / "by_hand.c"
REPEATS, FUZZED = 5, 20.0
HEAD = """
## Beside what is possible

The search in C, built and kept, beside the core written by hand in C for nothing but speed (`bench/peers/by_hand.c`, a byte a
cell, no way back kept; the same states and transitions), and beside the batch reading; and the checker beside the implementation
that it calls: the time of all that is not the implementation's, to the implementation's. Medians where several runs were made,
all of one run of `bench/limit.py`.

| what | beside | ratio |
| --- | --- | --- |"""
FOOT = """
With one thread a tenth of the search goes into a table that grows, of which the one by hand has the size from the beginning, and
most of the rest into waiting for the table's memory, so that machines differ: on another with two cores the first two ratios were
0.55 and 0.49. The checker is Python around a specification in C: of its time a third goes
into comparing answers and remembering calls (`Session`), a quarter into choosing what to call, a fifth into the probes that the
specification asks for in Python, an eighth into the step itself, the rest into Hypothesis; to cost no more than what it checks,
the session would have to be in C too, as it is in what `oneowner export c` writes."""
SIZES = (3, 3, 4, 2)


def by_hand(threads: int, folder: Path) -> Path:
    """The core by hand, built for so many threads."""
    built = folder / f"by_hand{threads}"
    names = zip("NMQK", SIZES, strict=True)
    sizes = [f"-D{name}={value}" for name, value in names]
    flags = ["-O3", "-march=native", "-pthread", *sizes, f"-DTHREADS={threads}"]
    subprocess.run([compiler() or "cc", *flags, str(BY_HAND), "-o", str(built)], check=True)
    return built


def of_hand(built: Path) -> tuple[int, float]:
    told = subprocess.run([built, "24", "6000000"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"states (\d+) .* search ([\d.]+) s", told)
    assert found is not None, told
    return int(found[1]), float(found[2])


def of_ours(sizes: tuple[int, int, int, int], reading: str, *, jobs: int = 1, symmetry: bool = False) -> tuple[int, float]:
    """The states of the core and the seconds of the search alone, its library built and kept."""
    spec = load("core:CORE" if symmetry else "core:CORE_ORDERED")
    explorer = begun(Model(spec, scope(*sizes)), reading=reading, statements=THEOREMS, symmetry=symmetry, jobs=jobs)
    found = explorer.run()
    assert found.complete
    return found.states, found.seconds


class Timed:
    """An implementation, and how long it has been called."""

    def __init__(self) -> None:
        self.inner: Any = implementation()
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _timed(self, function: Any, *given: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*given)
        finally:
            self.seconds += time.perf_counter() - began

    def reset(self, topology: Any) -> Any:
        return self._timed(self.inner.reset, topology)

    def call(self, operation: str, arguments: Any) -> Any:
        return self._timed(self.inner.call, operation, arguments)

    def settle(self) -> Any:
        return self._timed(self.inner.settle)


def main() -> None:
    """Print a row a measure."""
    of_ours(SIZES, COMPILED)
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for threads in (1, 2):
            hand = by_hand(threads, Path(folder))
            ratios = []
            for _ in range(REPEATS):
                (states, ours), (same, theirs) = of_ours(SIZES, COMPILED, jobs=threads), of_hand(hand)
                assert states == same
                ratios.append(ours / theirs)
            who = f"{threads} thread{'s' * (threads > 1)}"
            print(f"| core 3, 3, 4, 2, search alone, {who} | by hand, {who} | **{statistics.median(ratios):.2f}** |", flush=True)
    for sizes, symmetry in ((SIZES, False), ((3, 4, 6, 2), True)):
        states, fast = of_ours(sizes, COMPILED, symmetry=symmetry)
        states, fast = of_ours(sizes, COMPILED, symmetry=symmetry)
        same, slow = of_ours(sizes, BATCH, symmetry=symmetry)
        assert states == same
        what = f"core {', '.join(map(str, sizes))}{', symmetry' * symmetry}, one core"
        print(f"| {what} | the batch reading | **{fast / slow:.2f}** |", flush=True)
    fuzz(SPEC, implementation(), seconds=FUZZED, seed=1)
    timed = Timed()
    report = fuzz(SPEC, timed, seconds=FUZZED, seed=1)
    cost = (report.seconds - timed.seconds) / timed.seconds
    print(f"| the checker, in a fuzz run of {report.calls:,} calls | the reference implementation | **{cost:.1f}** |")
    print(FOOT)


if __name__ == "__main__":
    main()
