"""An implementation changed in one place at a time, and what notices: the fixed suite, then fuzzing. Or the specification: proof,
then the suite, which the reference implementation answers as before.

    python bench/mutants.py [python|c|spec] [--sample N --seed S] [--only FILE[:FUNCTION]] [--stage suite] [--write]

Verdicts are appended to a file under `--folder`, so that a campaign goes on where it was stopped: none is repeated while neither
the implementation, the specification, the suite nor the fuzzer has changed.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

from held import SURVIVED, Hold, Results, Verdict, judged
from judges import ROOT, digest
from mutation import Mutant
from subjects import FUZZING, PROOF, SUBJECTS, SUITE, Subject
from teeth import Campaign, Equivalent, Fate, page, read_equivalents, stale

STAGES = {"prove": PROOF, "suite": SUITE, "fuzz": FUZZING}

LONGEST = 300.0
"""How many seconds a child may take beyond those that it fuzzes."""


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
    """Holds the mutants that were chosen in two stages, in the second those that survive the first."""

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

    def first(self, mutants: Sequence[Mutant], equivalents: Sequence[Equivalent]) -> list[Fate]:
        """What becomes of mutants in the first stage."""
        by_id = {mutant.id: mutant for mutant in mutants}
        fates: dict[str, Fate] = {}
        for verdict in self._verdicts(self.subject.stages[0], mutants, self.subject.first(), digest()):
            mutant = by_id[verdict.id]
            reason = next((row.reason for row in equivalents if row.matches(mutant)), "")
            fates[mutant.id] = Fate(mutant, verdict, executed=self.subject.executed(mutant, second=False), reason=reason)
        return [fates[mutant.id] for mutant in mutants]

    def second(self, fates: Sequence[Fate], seconds: float, seed: int) -> None:
        """Take note in fates of what becomes of them in the second stage."""
        if not fates:
            return
        by_id = {fate.mutant.id: fate for fate in fates}
        hold, stage = self.subject.second(seconds, seed), self.subject.stages[1]
        for verdict in self._verdicts(stage, [fate.mutant for fate in fates], hold, f"{digest()}-{seed}", seconds):
            by_id[verdict.id].second = verdict
            by_id[verdict.id].executed = self.subject.executed(by_id[verdict.id].mutant, second=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", nargs="?", choices=list(SUBJECTS), default="python", help="what is changed (default python)")
    parser.add_argument("--only", action="append", default=[], metavar="FILE[:FUNCTION]", help="mutants of this place only")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of them, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample and of fuzzing (default 1)")
    parser.add_argument("--stage", choices=list(STAGES), help="go no further than this (default: as far as there is)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each survivor is fuzzed (default 60)")
    parser.add_argument(
        "--at-most", type=int, metavar="N", help="hold no more than N survivors in the second stage, drawn at random"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="children at a time (default: a core each)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".oneowner" / "mutants", help="where verdicts are kept")
    parser.add_argument("--write", action="store_true", help="write the page in docs/, not standard output")
    given = parser.parse_args()

    began = time.monotonic()
    subject: Subject = SUBJECTS[given.subject](given.folder)
    asked = chosen(subject, given.only, given.sample, given.seed)
    runner = Runner(subject, given.folder, given.jobs)
    equivalents = [row for row in read_equivalents() if not stale([row], subject.mutants)]
    fates = runner.first(asked, equivalents)
    told = f"{len(asked)} of {len(chosen(subject, [], None, 0))} mutants"
    told += f", a random sample with seed {given.seed}." if given.sample is not None else "."
    if given.stage is None or STAGES[given.stage] != subject.stages[0]:
        left = [fate for fate in fates if fate.verdict == SURVIVED and not fate.is_equivalent]
        if given.at_most is not None and given.at_most < len(left):
            left = random.Random(given.seed).sample(left, given.at_most)
        runner.second(left, given.seconds, given.seed)
        if FUZZING in subject.stages:
            told += f" What was fuzzed was fuzzed for {given.seconds:g} s, with seed {given.seed}."
    text = page(Campaign(subject.what, subject.killed_by, subject.stages, told, fates), subject.left_out)
    if given.write:
        subject.page.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    print(f"{time.monotonic() - began:.0f} s, {given.jobs} at a time", file=sys.stderr)


if __name__ == "__main__":
    main()
