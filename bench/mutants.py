"""The reference implementation changed in one place at a time, and what notices: the fixed suite, then fuzzing.

    python bench/mutants.py [--sample N --seed S] [--only FILE[:FUNCTION]] [--stage suite] [--seconds 60] [--write]

Verdicts are appended to a file under `--folder`, so that a campaign goes on where it was stopped: none is repeated while neither
the implementation, the specification, the suite nor the fuzzer has changed.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

from held import Package, Results, judged
from judges import ROOT, Coverage, covered, digest, fuzz_judge, fuzzed, suite_judge
from mutation import Mutant
from teeth import SURVIVED, Campaign, Equivalent, Fate, page, read_equivalents, stale

from oneowner.spec import SPEC

SUBJECT = "oneowner.reference_impl"
LEFT_OUT = {
    "bugs.py": "variants of the implementation, which is none of them",
    "policy.py": "part of the program",
    "program.py": "a client of the implementation, which calls it and is not called",
}
PAGE = ROOT / "docs" / "teeth.md"
LONGEST = 120.0
"""How many seconds a child may hold a mutant against the suite, and how many it may take beyond those that it fuzzes."""


def chosen(found: Sequence[Mutant], only: Sequence[str], sample: int | None, seed: int) -> list[Mutant]:
    """The mutants that are asked for, in the order of the source."""
    kept = [m for m in found if m.file not in LEFT_OUT]
    if only:
        kept = [m for m in found if any(_is_in(m, each) for each in only)]
    if sample is not None and sample < len(kept):
        kept = sorted(random.Random(seed).sample(kept, sample), key=found.index)
    return kept


def _is_in(mutant: Mutant, place: str) -> bool:
    file, _, function = place.partition(":")
    return mutant.file == file and (not function or f".{function}." in f".{mutant.function}.")


def progress(stage: str, total: int, tally: Counter[str]) -> None:
    counts = ", ".join(f"{number} {verdict}" for verdict, number in sorted(tally.items()))
    print(f"{stage}: {sum(tally.values())} of {total}: {counts}", file=sys.stderr)


class Runner:
    """Holds the mutants that were chosen against the suite, and survivors against fuzzing."""

    def __init__(self, package: Package, folder: Path, jobs: int) -> None:
        self.package, self.folder, self.jobs = package, folder, jobs
        self.results, self.digest = Results(folder), digest()
        self.coverage: Coverage = covered(SPEC, package, folder)

    def by_suite(self, mutants: Sequence[Mutant], equivalents: Sequence[Equivalent]) -> list[Fate]:
        """What becomes of mutants in the suite."""
        gc.freeze()  # so that no child copies what it only looks through
        by_id = {mutant.id: mutant for mutant in mutants}
        fates: dict[str, Fate] = {}
        tally: Counter[str] = Counter()
        told = time.monotonic()
        judge = suite_judge(SPEC, self.coverage)
        for verdict in judged(
            self.package, mutants, judge, self.results, stage="suite", digest=self.digest, longest=LONGEST, jobs=self.jobs
        ):
            mutant = by_id[verdict.id]
            executed = ("the suite",) if self.coverage.sequences(mutant) != set() else ()
            reason = next((row.reason for row in equivalents if row.matches(mutant)), "")
            fates[mutant.id] = Fate(mutant, verdict, executed=executed, reason=reason)
            tally[verdict.verdict] += 1
            if time.monotonic() - told > 5:
                told = time.monotonic()
                progress("suite", len(mutants), tally)
        progress("suite", len(mutants), tally)
        return [fates[mutant.id] for mutant in mutants]

    def by_fuzzing(self, fates: Sequence[Fate], seconds: float, seed: int) -> None:
        """Take note in fates of what becomes of them in fuzzing."""
        key = f"{self.digest}-{seed}"
        kept = self.folder / f"fuzzed-{key}-{seconds:g}.json"
        known = all((fate.mutant.id, "fuzz", seconds, key) in self.results.known for fate in fates)
        if known and kept.exists():
            self.coverage.by_fuzz = set(json.loads(kept.read_text(encoding="utf-8")))
        elif fates:
            self.coverage.by_fuzz = fuzzed(SPEC, self.package, seconds, seed)
            kept.write_text(json.dumps(sorted(self.coverage.by_fuzz)), encoding="utf-8")
            gc.freeze()
        by_id = {fate.mutant.id: fate for fate in fates}
        tally: Counter[str] = Counter()
        for verdict in judged(
            self.package,
            [fate.mutant for fate in fates],
            fuzz_judge(SPEC, seconds, seed),
            self.results,
            stage="fuzz",
            digest=key,
            seconds=seconds,
            longest=seconds + LONGEST,
            jobs=self.jobs,
        ):
            fate = by_id[verdict.id]
            fate.fuzz = verdict
            if self.coverage.is_fuzzed(fate.mutant):
                fate.executed = (*fate.executed, "fuzzing")
            tally[verdict.verdict] += 1
            progress("fuzz", len(fates), tally)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="FILE[:FUNCTION]", help="mutants of this place only")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of them, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample and of fuzzing (default 1)")
    parser.add_argument("--stage", choices=["suite", "fuzz"], default="fuzz", help="suite alone, or fuzzing after it (default)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each survivor is fuzzed (default 60)")
    parser.add_argument("--at-most", type=int, metavar="N", help="fuzz no more than N survivors, drawn at random")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="children at a time (default: a core each)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".oneowner" / "mutants", help="where verdicts are kept")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}, not standard output")
    given = parser.parse_args()

    began = time.monotonic()
    package, equivalents = Package(SUBJECT), read_equivalents()
    found = package.mutants()
    for row in stale(equivalents, found):
        print(f"equivalent.toml: no mutant is {row}", file=sys.stderr)
    asked = chosen(found, given.only, given.sample, given.seed)
    of_all = len(chosen(found, [], None, 0))
    runner = Runner(package, given.folder, given.jobs)
    fates = runner.by_suite(asked, equivalents)
    if given.stage == "fuzz":
        left = [fate for fate in fates if fate.verdict == SURVIVED and not fate.is_equivalent]
        if given.at_most is not None and given.at_most < len(left):
            left = random.Random(given.seed).sample(left, given.at_most)
        runner.by_fuzzing(left, given.seconds, given.seed)
    told = f"{len(asked)} of its {of_all} mutants"
    told += f", a random sample with seed {given.seed}." if given.sample is not None else "."
    if given.stage == "fuzz":
        told += f" Fuzzing took {given.seconds:g} s a mutant, with seed {given.seed}."
    text = page(Campaign(told, given.seconds, fates), LEFT_OUT)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    print(f"{time.monotonic() - began:.0f} s, {given.jobs} at a time", file=sys.stderr)


if __name__ == "__main__":
    main()
