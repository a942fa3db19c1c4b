"""How many calls an implementation is given until the first wrong answer: by `oneowner fuzz`, by `oneowner.machine`, and by
machines written by hand (`by_hand.py`, `by_hand_joined.py`).

    python bench/first_detection.py [--only NAME] [--seeds N] [--cap CALLS] [--mutants N] [--way WAY] [--seconds S]

What is measured is kept in a file of JSON lines under `--folder`, so that it goes on where it was stopped.  Calls are counted
where they come to the implementation: whatever a way makes them for, its probes and looks too; nothing is made short.  Where
nothing is found in `--cap` calls the cap stands for the figure, so that a ratio to it says less than there is.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import math
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
from by_hand import ByHand
from by_hand_joined import Joined
from c_judges import PROFILE, SOURCE, built, mutants_of_core
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.errors import HypothesisException, Unsatisfiable
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from judges import ONE_CALL, ROOT, STEPS, digest
from teeth import read_equivalents

import oneowner
from oneowner.checker import AdapterError
from oneowner.checker.adapters import connect, reach, stopped
from oneowner.checker.fuzz import FuzzReport, fuzz
from oneowner.spec import SPEC

IN_CORE = (
    "failed_send_loses_region",
    "old_frame_after_move",
    "unmap_failure_ignored",
    "receiver_dies_in_send",
    "self_send",
    "queued_twice",
    "both_ends_roll_back",
    "late_invalidation",
    "free_before_unmap",
    "publish_then_fail",
    "dead_peer",
    "pending_counted",
    "clear_after_drain",
    "no_scrub",
    "lost_wakeup",
)
"""The museum's bugs that answers of the core can show.  The others of its rooms are of charges, limits and permissions, which
nothing in the core asks for."""

BUGS_IN_C = re.search(r"^Bugs: (.*)$", SOURCE.read_text(encoding="utf-8"), re.MULTILINE)

STEP_COUNT = 50
"""Rules an example: Hypothesis' default."""

LONGEST = 3600.0
"""Seconds after which fuzzing would stop by itself; it is stopped by the cap before."""

WANTED = 1 / 3
"""Of the calls of the machine by hand, how many fuzzing is to need at most."""


class Found(BaseException):
    """The first wrong answer was seen.  Not an Exception, so that Hypothesis does not make the example again."""


class Capped(BaseException):
    """There are no more calls to be made."""


class Counted:
    """An implementation that counts the calls that come to it, and takes no more than `cap`; `found` is after how many the first
    wrong answer was seen."""

    def __init__(self, implementation: Any, cap: int) -> None:
        self.implementation, self.cap, self.calls = implementation, cap, 0
        self.found: int | None = None
        self.over = False

    def reset(self, topology: dict[str, Any]) -> Any:
        return self.implementation.reset(topology)

    def call(self, operation: str, arguments: dict[str, Any]) -> Any:
        if self.calls >= self.cap:
            self.over = True
            raise Capped
        self.calls += 1
        return self.implementation.call(operation, arguments)

    def settle(self) -> Any:
        return self.implementation.settle()

    def seen(self) -> NoReturn:
        """End it all, with the count as it is."""
        self.found, self.over = self.calls, True
        raise Found


def _ended_by_failure() -> bool:
    """Whether an exception is on its way that is no business of Hypothesis' own."""
    raised = sys.exc_info()[1]
    return isinstance(raised, Exception) and not isinstance(raised, HypothesisException)


def by_fuzz(counted: Counted, seed: int) -> None:
    """`oneowner fuzz`, restricted to the core."""

    def progress(_: FuzzReport) -> None:
        # told at the end of every run, so while what ends it is on its way
        if _ended_by_failure():
            counted.seen()

    without = frozenset(SPEC.actions) - frozenset(SPEC.profile(PROFILE))
    fuzz(SPEC, counted, seconds=LONGEST, steps=STEPS, seed=seed, without=without, progress=progress, shrink=False)


def by_machine(made: Callable[[Counted], type[RuleBasedStateMachine]]) -> Callable[[Counted, int], None]:
    """A state machine as Hypothesis runs it by default, but for how long."""

    def way(counted: Counted, seed: int) -> None:
        machine: Any = made(counted)

        class Stopping(machine):  # type: ignore[misc]
            def __init__(self) -> None:
                try:
                    super().__init__()
                except Exception:
                    counted.seen()

            def teardown(self) -> None:
                super().teardown()
                if _ended_by_failure():
                    counted.seen()

        chosen = settings(
            max_examples=10**9,
            stateful_step_count=STEP_COUNT,
            deadline=None,
            database=None,
            derandomize=False,
            verbosity=Verbosity.quiet,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        for again in range(10**6):
            # whatever ends before the cap begins anew
            hypothesis.seed(seed + 1000 * again)(Stopping)
            with contextlib.suppress(Unsatisfiable):
                run_state_machine_as_test(Stopping, settings=chosen)

    return way


def _generated(counted: Counted) -> type[RuleBasedStateMachine]:
    made = oneowner.machine("py:oneowner.reference_impl", profile=PROFILE)
    return type("Generated", (made,), {"connected": staticmethod(lambda: counted)})


WAYS: dict[str, Callable[[Counted, int], None]] = {
    "fuzz": by_fuzz,
    "by hand": by_machine(lambda counted: type("Plain", (ByHand,), {"implementation": counted})),
    "by hand, joined": by_machine(lambda counted: type("WithChannels", (Joined,), {"implementation": counted})),
    "machine": by_machine(_generated),
}
"""What looks for the first wrong answer."""

WRITTEN = {"by hand": ("by_hand.py",), "by hand, joined": ("by_hand.py", "by_hand_joined.py")}
"""The files in which a way is written, where they are none of the checker's."""


@dataclass(frozen=True)
class Subject:
    """An implementation with a bug; `reached` connects to it, to nothing where it does not compile."""

    kind: str
    name: str
    reached: Callable[[], contextlib.AbstractContextManager[Any]]


def in_python(name: str) -> Subject:
    """A variant of the reference implementation."""
    return Subject("Python", name, lambda: contextlib.nullcontext(connect(f"py:oneowner.reference_impl.bugs:{name}")))


def in_c(kind: str, name: str, source: str) -> Subject:
    """The implementation in C, from this source."""

    @contextlib.contextmanager
    def reached() -> Iterator[Any]:
        with built(source) as where:
            if not where:
                yield None
                return
            implementation = reach(SPEC, where, must_return=ONE_CALL)
            try:
                yield implementation
            finally:
                stopped(implementation)

    return Subject(kind, name, reached)


def subjects(mutants: int, seed: int) -> list[Subject]:
    """The planted bugs that the core can have, and some mutants of the implementation in C, none known to be equivalent."""
    source = SOURCE.read_text(encoding="utf-8")
    assert BUGS_IN_C is not None
    found = [in_python(name) for name in IN_CORE]
    found += [in_c("C", name, f"#define BUG_{name}\n{source}") for name in BUGS_IN_C[1].split()]
    rows = read_equivalents()
    real = [mutant for mutant in mutants_of_core() if not any(row.matches(mutant) for row in rows)]
    drawn = random.Random(seed).sample(real, min(mutants, len(real)))
    return found + [in_c("mutant", mutant.id, mutant.applied(source)) for mutant in drawn]


def calls_to_detection(subject: Subject, way: str, seed: int, cap: int) -> int | None:
    """How many calls were made up to the first wrong answer; None where the cap came first, and 0 where nothing can be called."""
    try:
        with subject.reached() as implementation:
            if implementation is None:
                return 0
            counted = Counted(implementation, cap)
            try:
                WAYS[way](counted, seed)
            except BaseException:
                # Hypothesis may wrap what ends it, having expected the run to go on as an earlier one did
                if not counted.over:
                    raise
            return counted.found
    except AdapterError:
        # it dies before it can be called
        return 0


class Kept:
    """What was measured, in a file of JSON lines, as long as neither what is tested nor what tests it has changed."""

    def __init__(self, folder: Path, cap: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "first_detection.jsonl"
        self.cap, self.digest = cap, digest()
        self.known: dict[tuple[str, str, str, int], int | None] = {}
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            key, *which, calls = json.loads(line)
            if key == self.key(which[2]):
                self.known[which[0], which[1], which[2], which[3]] = calls

    def key(self, way: str) -> list[Any]:
        """A fingerprint of what the figures of a way depend on."""
        sources = b"".join(Path(__file__).with_name(name).read_bytes() for name in WRITTEN.get(way, ()))
        return [self.digest, hashlib.sha256(sources).hexdigest()[:16], self.cap]

    def add(self, which: tuple[str, str, str, int], calls: int | None) -> None:
        """Keep one figure."""
        self.known[which] = calls
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([self.key(which[2]), *which, calls]) + "\n")


Figures = Mapping[str, Sequence[int | None]]
"""By way, the calls to the first detection by seed; None where the cap came first."""


def mean(calls: Sequence[int | None], cap: int) -> float:
    """The geometric mean, where nothing found counts as the cap."""
    return math.exp(statistics.fmean(math.log(cap if each is None else max(1, each)) for each in calls))


def told(calls: Sequence[int | None], cap: int) -> str:
    """The median, and how many found nothing."""
    missed = sum(each is None for each in calls)
    middle = statistics.median(cap if each is None else each for each in calls)
    return f"{'> ' * (middle >= cap)}{middle:.0f}" + (f" ({missed} of {len(calls)} none)" if missed else "")


def table(rows: Sequence[tuple[Subject, Figures]], ways: Collection[str], cap: int) -> list[str]:
    """Medians by way, and the ratio of fuzzing's geometric mean to each other's: by bug, and over all."""
    others = [way for way in ways if way != "fuzz"]
    head = ["bug", "in", *ways, *(f"fuzz / {way}" for way in others)]
    lines = [f"| {' | '.join(head)} |", "| --- | --- |" + " ---: |" * (len(head) - 2)]
    ratios: dict[str, dict[str, list[float]]] = {way: {} for way in others}
    for subject, figures in rows:
        if all(each is None for calls in figures.values() for each in calls):
            continue
        cells = [f"`{subject.name}`", subject.kind, *(told(figures[way], cap) for way in ways)]
        for way in others:
            ratio = mean(figures["fuzz"], cap) / mean(figures[way], cap)
            ratios[way].setdefault(subject.kind, []).append(ratio)
            cells.append(f"{ratio:.3f}")
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for way in others:
        by_kind = ratios[way]
        every = [ratio for some in by_kind.values() for ratio in some]
        if every:
            parts = ", ".join(f"{kind} {statistics.geometric_mean(some):.3f}" for kind, some in by_kind.items())
            lines.append(
                f"fuzz / {way}: geometric mean over {len(every)} bugs {statistics.geometric_mean(every):.3f} ({parts}), median "
                f"{statistics.median(every):.3f}; fuzz needs more calls for {sum(ratio > 1 for ratio in every)}, more than a "
                f"third as many for {sum(ratio > WANTED for ratio in every)}."
            )
    neither = [s.name for s, figures in rows if all(each is None for calls in figures.values() for each in calls)]
    if neither:
        lines += ["", f"Found by none: {', '.join(f'`{name}`' for name in neither)}."]
    return lines


def main() -> None:
    """Measure what is not measured yet, and print the table of what is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this bug only")
    parser.add_argument("--seeds", type=int, default=5, help="how many runs each (default 5)")
    parser.add_argument("--cap", type=int, default=200_000, help="calls after which a run ends (default 200000)")
    parser.add_argument("--mutants", type=int, default=20, help="how many mutants of the implementation in C (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample of mutants, and the first of the runs (default 1)")
    parser.add_argument("--way", action="append", choices=list(WAYS), help="this way only (default: all)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin nothing more after so many (default: no limit)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".oneowner" / "mutants", help="where figures are kept")
    given = parser.parse_args()

    ways = given.way or list(WAYS)
    chosen = [s for s in subjects(given.mutants, given.seed) if not given.only or s.name in given.only]
    kept, began = Kept(given.folder, given.cap), time.monotonic()
    stillborn: set[str] = set()
    # seed after seed, so that what is stopped has something of everything
    for seed in range(given.seed, given.seed + given.seeds):
        for subject in chosen:
            for way in ways:
                which = subject.kind, subject.name, way, seed
                if which in kept.known or subject.name in stillborn or time.monotonic() - began > given.seconds:
                    continue
                calls = calls_to_detection(subject, way, seed, given.cap)
                kept.add(which, calls)
                print(f"{seed} {subject.name} {way}: {calls}", file=sys.stderr)
    rows = []
    for subject in chosen:
        seeds = range(given.seed, given.seed + given.seeds)
        have = {way: [kept.known[w] for s in seeds if (w := (subject.kind, subject.name, way, s)) in kept.known] for way in ways}
        # what does not compile, or cannot be called, says nothing about the ways
        if all(have.values()) and not any(0 in calls for calls in have.values()):
            rows.append((subject, have))
    print(f"Median calls to the first wrong answer, of {given.seeds} seeds, at most {given.cap} calls each.\n")
    print("\n".join(table(rows, ways, given.cap)))


if __name__ == "__main__":
    main()
