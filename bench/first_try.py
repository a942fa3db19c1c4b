"""Planted bugs held against the fixed suite, and against fuzzing for a minute: which are caught, in how many calls.

    python bench/first_try.py [--wing NAME] [--seconds S] [--seeds N] [--jobs N] [--only NAME,...]

With `--without-openings` runs of fuzzing begin with nothing that is written in the specification's scenes for a fuzzer.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace

from judges import STEPS, prepare, run_sequence

from oneowner.checker import AdapterError
from oneowner.checker.adapters import connect
from oneowner.checker.fuzz import fuzz
from oneowner.checker.museum import VARIANTS, catalogue
from oneowner.checker.session import Mismatch
from oneowner.checker.suite import of
from oneowner.model.language import load
from oneowner.model.search import workers

SPEC = "oneowner.spec:SPEC"


@dataclass(frozen=True)
class Try:
    """What the suite, and fuzzing by each seed, said of a bug: the clause that failed, "" for none, and in how many calls."""

    name: str
    suite: str
    fuzzing: tuple[tuple[str, int], ...]


def tried(where: str, name: str, seconds: float, seeds: Sequence[int], without_openings: bool) -> Try:
    """Hold one bug against both."""
    return Try(name, by_suite(where, name), tuple(by_fuzzing(where, name, seconds, seed, without_openings) for seed in seeds))


def by_suite(where: str, name: str) -> str:
    """The first clause of the suite that fails."""
    spec = load(SPEC)
    implementation = connect(f"{where}:{name}")
    try:
        for sequence in of(spec):
            run_sequence(spec, implementation, sequence)
    except Mismatch as mismatch:
        return mismatch.clause
    except AdapterError as error:
        return f"the interface is not kept to: {error}"
    return ""


def by_fuzzing(where: str, name: str, seconds: float, seed: int, without_openings: bool) -> tuple[str, int]:
    """The clause that fails in so many seconds of fuzzing, and after how many calls."""
    spec = load(SPEC)
    if without_openings:
        spec = replace(spec, openings={})
    try:
        report = fuzz(spec, connect(f"{where}:{name}"), seconds=seconds, steps=STEPS, seed=seed, shrink=False)
    except AdapterError as error:
        return f"the interface is not kept to: {error}", 0
    return report.failures[0].clause if report.failures else "", report.calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wing", default="newer", help="which bugs (default newer; all for every wing)")
    parser.add_argument("--only", default="", help="these bugs, with commas between")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is fuzzed at most (default 60)")
    parser.add_argument("--seeds", type=int, default=1, help="by how many seeds (default 1)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--without-openings", action="store_true")
    given = parser.parse_args()
    exhibits = [e for e in catalogue(load(SPEC)) if e.checker == "fuzz" and given.wing in (e.wing or "first", "all")]
    chosen = [e for e in exhibits if not given.only or e.name in given.only.split(",")]
    prepare(load(SPEC))
    found: list[Try] = []
    with workers(given.jobs) as pool:
        seeds = range(1, given.seeds + 1)
        waiting = [
            pool.submit(tried, VARIANTS[e.wing], e.name, given.seconds, list(seeds), given.without_openings) for e in chosen
        ]
        for future in as_completed(waiting):
            found.append(one := future.result())
            fuzzing = "; ".join(f"{clause or 'GOT AWAY'} {calls}" for clause, calls in one.fuzzing)
            print(f"{one.name:36} suite: {one.suite or 'GOT AWAY':30} fuzz: {fuzzing}", flush=True)
    suite = sum(1 for one in found if one.suite)
    print(f"{suite} of {len(found)} caught by the suite")
    for number in range(given.seeds):
        print(f"{sum(1 for one in found if one.fuzzing[number][0])} of {len(found)} by fuzzing, seed {number + 1}")
    either = sum(1 for one in found if one.suite or any(clause for clause, _ in one.fuzzing))
    print(f"{either} of {len(found)} by one of them")


if __name__ == "__main__":
    main()
