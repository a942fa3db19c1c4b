"""An implementation changed in one place at a time, and what notices: the fixed suite, then fuzzing.

    python bench/mutants.py [python|c] [--sample N --seed S] [--only FILE[:FUNCTION]] [--stage suite] [--seconds 60] [--write]

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
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

from c_judges import SOURCE, c_fuzz, c_suite, mutants_of_core
from held import SURVIVED, Hold, Package, Results, Verdict, imported, judged
from judges import ROOT, covered, digest, fuzz_judge, fuzzed, load_for_fuzzing, suite_judge
from mutation import Mutant
from teeth import Campaign, Equivalent, Fate, page, read_equivalents, stale

from oneowner.spec import SPEC

LONGEST = 120.0
"""How many seconds a child may hold a mutant against the suite, and how many it may take beyond those that it fuzzes."""


class InPython:
    """The reference implementation in Python."""

    what = "the reference implementation in Python"
    page = ROOT / "docs" / "teeth.md"
    left_out = {
        "bugs.py": "variants of the implementation, which is none of them",
        "policy.py": "a part of the program",
        "program.py": "a client of the implementation, which calls it and is not called",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = Package("oneowner.reference_impl")
        self.mutants = self.package.mutants()

    def suite(self) -> Hold:
        self.coverage = covered(SPEC, self.package, self.folder)
        return imported(self.package, suite_judge(SPEC, self.coverage))

    def fuzz(self, seconds: float, seed: int) -> Hold:
        """Also sees what is executed by fuzzing, and has everything loaded that children need."""
        kept = self.folder / f"fuzzed-{digest()}-{seed}-{seconds:g}.json"
        if not kept.exists():
            kept.write_text(json.dumps(sorted(fuzzed(SPEC, self.package, seconds, seed))), encoding="utf-8")
        self.coverage.by_fuzz = set(json.loads(kept.read_text(encoding="utf-8")))
        load_for_fuzzing(SPEC)
        return imported(self.package, fuzz_judge(SPEC, seconds, seed))

    def executed(self, mutant: Mutant, fuzzed: bool) -> tuple[str, ...] | None:
        by_suite = self.coverage.sequences(mutant) != set()
        return ("the suite",) * by_suite + ("fuzzing",) * (fuzzed and self.coverage.is_fuzzed(mutant))


class InC:
    """The implementation in C."""

    what = "the implementation of the core profile in C"
    page = ROOT / "docs" / "teeth-c.md"
    left_out = {"checked.c": "the implementation holding itself against the oracle"}

    def __init__(self, folder: Path) -> None:
        self.mutants = mutants_of_core()

    def suite(self) -> Hold:
        return c_suite(SPEC)

    def fuzz(self, seconds: float, seed: int) -> Hold:
        load_for_fuzzing(SPEC)
        return c_fuzz(SPEC, seconds, seed)

    def executed(self, mutant: Mutant, fuzzed: bool) -> tuple[str, ...] | None:
        return None


Subject = InPython | InC


def chosen(subject: Subject, only: Sequence[str], sample: int | None, seed: int) -> list[Mutant]:
    """The mutants that are asked for, in the order of the source."""
    found = subject.mutants
    kept: list[Mutant] = [m for m in found if m.file not in subject.left_out]
    if only:
        kept = [m for m in found if any(_is_in(m, each) for each in only)]
    if sample is not None and sample < len(kept):
        numbers = sorted(random.Random(seed).sample(range(len(kept)), sample))
        kept = [kept[number] for number in numbers]
    return kept


def _is_in(mutant: Mutant, place: str) -> bool:
    file, _, function = place.partition(":")
    return mutant.file == file and (not function or f".{function}." in f".{mutant.function}.")


class Runner:
    """Holds the mutants that were chosen against the suite, and survivors against fuzzing."""

    def __init__(self, subject: Subject, folder: Path, jobs: int) -> None:
        self.subject, self.jobs = subject, jobs
        self.results = Results(folder)

    def _verdicts(self, stage: str, some: Sequence[Mutant], hold: Hold, key: str, seconds: float = 0.0) -> Iterator[Verdict]:
        gc.freeze()  # so that no child copies what it only looks through
        tally: Counter[str] = Counter()
        told = time.monotonic()
        for verdict in judged(
            some, hold, self.results, stage=stage, digest=key, seconds=seconds, longest=seconds + LONGEST, jobs=self.jobs
        ):
            yield verdict
            tally[verdict.verdict] += 1
            if time.monotonic() - told > 5 or sum(tally.values()) == len(some):
                told = time.monotonic()
                counts = ", ".join(f"{number} {became}" for became, number in sorted(tally.items()))
                print(f"{stage}: {sum(tally.values())} of {len(some)}: {counts}", file=sys.stderr)

    def by_suite(self, mutants: Sequence[Mutant], equivalents: Sequence[Equivalent]) -> list[Fate]:
        """What becomes of mutants in the suite."""
        by_id = {mutant.id: mutant for mutant in mutants}
        fates: dict[str, Fate] = {}
        for verdict in self._verdicts("suite", mutants, self.subject.suite(), digest()):
            mutant = by_id[verdict.id]
            reason = next((row.reason for row in equivalents if row.matches(mutant)), "")
            fates[mutant.id] = Fate(mutant, verdict, executed=self.subject.executed(mutant, fuzzed=False), reason=reason)
        return [fates[mutant.id] for mutant in mutants]

    def by_fuzzing(self, fates: Sequence[Fate], seconds: float, seed: int) -> None:
        """Take note in fates of what becomes of them in fuzzing."""
        if not fates:
            return
        by_id = {fate.mutant.id: fate for fate in fates}
        hold = self.subject.fuzz(seconds, seed)
        for verdict in self._verdicts("fuzz", [fate.mutant for fate in fates], hold, f"{digest()}-{seed}", seconds):
            by_id[verdict.id].fuzz = verdict
            by_id[verdict.id].executed = self.subject.executed(by_id[verdict.id].mutant, fuzzed=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("implementation", nargs="?", choices=["python", "c"], default="python", help="which (default python)")
    parser.add_argument("--only", action="append", default=[], metavar="FILE[:FUNCTION]", help="mutants of this place only")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of them, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample and of fuzzing (default 1)")
    parser.add_argument("--stage", choices=["suite", "fuzz"], default="fuzz", help="suite alone, or fuzzing after it (default)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each survivor is fuzzed (default 60)")
    parser.add_argument("--at-most", type=int, metavar="N", help="fuzz no more than N survivors, drawn at random")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="children at a time (default: a core each)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".oneowner" / "mutants", help="where verdicts are kept")
    parser.add_argument("--write", action="store_true", help="write the page in docs/, not standard output")
    given = parser.parse_args()

    began = time.monotonic()
    subject: Subject = InC(given.folder) if given.implementation == "c" else InPython(given.folder)
    equivalents = [row for row in read_equivalents() if (row.file == SOURCE.name) == (given.implementation == "c")]
    for row in stale(equivalents, subject.mutants):
        print(f"equivalent.toml: no mutant is {row}", file=sys.stderr)
    asked = chosen(subject, given.only, given.sample, given.seed)
    runner = Runner(subject, given.folder, given.jobs)
    fates = runner.by_suite(asked, equivalents)
    told = f"{len(asked)} of {len(chosen(subject, [], None, 0))} mutants"
    told += f", a random sample with seed {given.seed}." if given.sample is not None else "."
    if given.stage == "fuzz":
        left = [fate for fate in fates if fate.verdict == SURVIVED and not fate.is_equivalent]
        if given.at_most is not None and given.at_most < len(left):
            left = random.Random(given.seed).sample(left, given.at_most)
        runner.by_fuzzing(left, given.seconds, given.seed)
        told += f" Each that was fuzzed was fuzzed for {given.seconds:g} s, with seed {given.seed}."
    text = page(Campaign(subject.what, told, fates), subject.left_out)
    if given.write:
        subject.page.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    print(f"{time.monotonic() - began:.0f} s, {given.jobs} at a time", file=sys.stderr)


if __name__ == "__main__":
    main()
