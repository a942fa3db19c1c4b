"""What is known of each clause after a conformance run."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from ...model.language import Spec
from ..session import Declared, Failure

PASS, FAIL, FLAKY, PERMITTED = "pass", "fail", "flaky", "permitted"
UNSUPPORTED, UNTESTED, UNKNOWN = "unsupported", "untested", "unknown"
STATUSES = (PASS, PERMITTED, FAIL, FLAKY, UNSUPPORTED, UNTESTED, UNKNOWN)


@dataclass
class Verdict:
    """What is known of a clause.  `times` counts the calls that came to it and were right, `shown` how many of so many
    repetitions failed again, `reason` says in words why it is not a pass, `because` names the failing clause that keeps it from
    being tested; `unless_seen` is its status if no call comes to it."""

    clause: str
    status: str = UNTESTED
    times: int = 0
    reason: str = ""
    failure: Failure | None = None
    shown: str = ""
    because: str = ""
    unless_seen: str = UNTESTED


@dataclass
class Report:
    """A conformance run.  `unsupported` are operations; `declared` the deviations that it is known to have; `causes` counts the
    calls that were right by their causes; `not_fuzzed` says why there was no fuzzing, where there was to be some."""

    where: str
    name: str = ""
    version: str = ""
    language: str = ""
    profiles: tuple[str, ...] = ()
    strict: bool = False
    seed: int = 0
    budget: float = 0.0
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    unsupported: tuple[str, ...] = ()
    declared: tuple[Declared, ...] = ()
    not_fuzzed: str = ""
    causes: Counter[str] = field(default_factory=Counter)
    sequences: int = 0
    calls: int = 0
    seconds: float = 0.0
    interrupted: bool = False

    def having(self, *statuses: str) -> list[Verdict]:
        return [v for v in self.verdicts.values() if v.status in statuses]

    def called(self, spec: Spec) -> set[str]:
        """The operations that were asked for and are supported."""
        return {name for profile in self.profiles for name in spec.profile(profile)} - set(self.unsupported)

    def deviation(self, clause: str) -> Declared | None:
        """The declared deviation that the failure of a clause is; of one that does not fail the first that is declared of it."""
        failed = getattr(self.verdicts.get(clause), "failure", None)
        fits = (d for d in self.declared if (d.fits(clause, failed.causes) if failed else d.clause == clause))
        return next(fits, None)

    @property
    def expected(self) -> frozenset[str]:
        """The clauses that are declared to be answered otherwise, but those that fail in another way."""
        return frozenset(d.clause for d in self.declared if self.deviation(d.clause))

    @property
    def broken(self) -> list[Verdict]:
        """What fails and is not declared."""
        return [v for v in self.having(FAIL, FLAKY) if not self.deviation(v.clause)]

    @property
    def unexpectedly_right(self) -> list[Verdict]:
        """What is declared to be answered otherwise, and passes."""
        return [v for v in self.having(PASS, PERMITTED) if v.clause in self.expected]


def code_of(report: Report) -> tuple[int, str]:
    """The exit code of a run, and why in a sentence."""
    said = []
    if report.broken:
        said.append(f"{len(report.broken)} clause{'s fail' if len(report.broken) > 1 else ' fails'}")
    if report.unexpectedly_right:
        names = ", ".join(v.clause for v in report.unexpectedly_right)
        said.append(f"listed as known to fail, but right: {names}; take them off the list")
    if said:
        return 1, "; ".join(said)
    if report.interrupted:
        return 130, "interrupted: these are the verdicts so far"
    if not report.having(PASS, PERMITTED, FAIL, FLAKY):
        return 5, "nothing could be tested: no operation of a profile that was asked for is supported"
    left = [v for v in report.having(UNTESTED, UNKNOWN) if v.because not in report.expected]
    if left:
        return 3, f"{len(left)} clause{'s' if len(left) > 1 else ''} could not be tested"
    known = [v for v in report.having(FAIL, FLAKY) if v.clause in report.expected]
    return 0, f"every clause that is supported is right{f', but for {len(known)} known to fail' if known else ''}"


def matches(clause: str, pattern: str, clauses: Collection[str]) -> bool:
    """Whether a clause is meant by a pattern: the name of one of `clauses`, or else a part of it or a glob for it."""
    if pattern in clauses:
        return clause == pattern
    return pattern in clause or fnmatch.fnmatchcase(clause, pattern)
