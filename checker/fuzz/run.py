"""Fuzzing an implementation against the specification: a Hypothesis state machine, one rule an operation.

Arguments drawn evenly would mostly be refused for the same first reasons and never fill a queue.  So a run looks ahead with
the model: of the calls that can be made with what is live, plus a dead, a foreign and a never-issued handle a sort, it
takes a sample and sees where they lead.  What it goes for, and so which rule comes next, `Aim.choose` says: mostly a success
of an operation that this run has seldom had, so that runs get deep; else a cause that it has seen least often, so that
wrong arguments are tried wherever they get furthest; now and then the same call once more.  In half of the runs it is
asked after a call what is to be refused now of what it changed, and of others of its sort (`Aim.knock`); and now and then some of
what belongs together ends, and is made once more (`Lives`).  In all a way of the suite is gone now and then from where the run is
(`Detours`).  Runs begin with an opening of the
spec's (an accepted socket with two files open while another process waits in select, say), with all that is refused there, or
with a way of its suite, or with several of these through each other; they end with an epilogue (`session.Epilogue`).

Hypothesis draws the seed of all that, remembers what failed, and runs it first the next time; its own way of drawing prefers
small values and repeats itself, which shrinks well and explores badly. It draws the beginning too; a run whose beginning had its
turn more often than others is rejected before it begins, so that none is left out in a short time. A failure is shrunk by
taking calls out and making arguments simpler (`session.shrinking`), and by a shorter way that an explored graph may know
(`traces.by_the_graph`).
"""

from __future__ import annotations

import contextlib
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...model.language import EFFECTIVE, OK, Noted, Spec, Step, noting_interruptions
from ..adapters import Implementation, limited
from ..errors import AdapterError, Unsupported
from ..session import (
    Declared,
    Epilogue,
    Failure,
    Mismatch,
    Recorded,
    Session,
    Unknown,
    by_itself,
    declared,
    have_built,
    smallest_failure,
    stop_building,
    tried_afresh,
)
from ..suite import given_first, mixed, stored_suite
from ..traces import by_the_graph
from .aim import LOOKED_AFTER, Aim, Target, targets

REPEATS = 10
PATIENCE = 2
MARKED = 1 / 4
"""After how many of the calls that a run begins with data is written somewhere, and after how many refusals are asked for."""

OPENED = 6
"""Every how many of the first runs begins with an opening."""

AGAIN_AT_MOST = 4
"""How often a way is had first that has not led to its clause, beside others or in a run of other sizes."""

BESIDE = 1 / 2
"""How many of the runs begin with several beginnings through each other, which share some of what they are given."""

TWICE = 1 / 4
"""How often another is the same once more."""

OTHERS = (1, 1, 1, 2)
"""How many others there are then, each as likely."""

SWEPT = 1 / 2
"""How many of the runs try at their end, once each, all that is refused; those that begin with an opening do so there, and more
thoroughly."""

SHORT = 4
"""Of how many times fewer calls the runs are in which ends are made, so that more beginnings are seen."""

LIVING = 1 / 2
"""In how many of the runs refusals are asked for and ends are made; the others fill what they would empty."""

TURN = 1 / 3
"""After how many of the calls of these something ends that belongs together."""

WAY = 1 / 15
"""After how many of the calls a way of the suite is gone."""

STRETCH = 25
"""How many calls are made between two choices of Hypothesis, which take longer than a call."""

WORTH_BUILDING = 5.0
"""From how many seconds of fuzzing on the specification is called in C, which takes seconds to be built where it is not kept."""

SELDOM, SELDOMER = 0.15, 0.95
"""How likely a call is made that comes to what is known to fail: at least that, and so much less each time that it failed."""

AVOIDED = 5
"""How often another call is chosen in place of one that is left out."""

AGAIN = "again"
"""In place of an exit: the same call once more, whatever comes of it (a second close, a second accept)."""


@dataclass
class FuzzReport:
    """What a run did.  `calls` counts calls to the implementation, probes too, `clauses` and `causes` count them by these;
    `without` are the operations that were left out, `known` counts the failures that were declared, by clause."""

    without: frozenset[str] = frozenset()
    calls: int = 0
    runs: int = 0
    clauses: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    seed: int = 0
    interrupted: bool = False
    slower: str = ""


class _Spent(BaseException):
    """The time is up.  Not an Exception, so that Hypothesis does not take it for a failure of the example."""


class _Known(Exception):
    """A failure that is declared."""


@dataclass(frozen=True)
class Beginning:
    """Calls with which a run begins, and the clauses to which they are known to come."""

    calls: Sequence[Step]
    clauses: frozenset[str] = frozenset()


class _Budget:
    def __init__(
        self,
        seconds: float,
        wanted: Collection[str],
        targets: Sequence[Target],
        progress: Callable[[FuzzReport], None] | None,
        enough: Callable[[], bool],
        declared: Collection[Declared],
        repeats: int,
    ) -> None:
        self.enough, self.declared, self.repeats = enough, declared, repeats
        self.until = time.monotonic() + seconds
        self.at_most = self.until + PATIENCE * seconds
        self.wanted = wanted
        self.targets = targets
        self.report = FuzzReport()
        self.progress = progress
        self.first: tuple[Mismatch, list[Recorded], dict[str, int]] | None = None
        self.stopped = False
        self.noted = Noted()
        self.failed = False
        self.had: Counter[int] = Counter()
        self.firsts: tuple[int, Collection[int]] = -1, ()

    @contextlib.contextmanager
    def noting(self, session: Session) -> Iterator[None]:
        """Take note of the first failure, and of the calls that led to it.  Raises _Known for one that is declared: what comes
        after it says nothing."""
        try:
            yield
        except Mismatch as mismatch:
            if declared(self.declared, mismatch):
                self.report.known[mismatch.clause] += 1
                raise _Known from None
            self.first = self.first or (mismatch, list(session.recorded), session.scope)
            raise

    def turn(self, number: int, beginnings: Sequence[Beginning]) -> bool:
        """Whether it is this beginning's turn: first of those of which it is not said where they lead, and, oftener, of those
        that lead to a clause that was not come to; then none has been had less often.  The first runs may repeat stored failures,
        and pass: one that is rejected is forgotten.  So does what comes after a failure, which is that run again."""
        if self.failed or self.report.runs < self.repeats:
            due = True
        else:
            if self.firsts[0] != self.report.runs:
                self.firsts = self.report.runs, self._firsts(beginnings)
            due = number in self.firsts[1]
        self.had[number] += due
        return due

    def _firsts(self, beginnings: Sequence[Beginning]) -> Collection[int]:
        """The beginnings one of which is to come next."""
        seen = self.report.clauses.keys()
        news = [
            n
            for n, each in enumerate(beginnings)
            if each.calls and self.had[n] < (AGAIN_AT_MOST if each.clauses else 1) and not (each.clauses and seen >= each.clauses)
        ]
        opens = self.report.runs % OPENED == 0
        least = min(self.had[n] for n in range(len(beginnings)))
        seldom = [n for n in range(len(beginnings)) if self.had[n] == least]
        return {n for n in news if opens != bool(beginnings[n].clauses)} or set(news or seldom)

    def avoids(self, clause: str, chance: random.Random) -> bool:
        """Whether a call that is to come to a clause is left out now, because that is known to fail."""
        failed = self.report.known[clause]
        return failed > 0 and chance.random() > max(SELDOM, SELDOMER**failed)

    def stop_when_spent(self, machine: Any, *, ask: bool = False) -> None:
        """Stop when the time is up; with `ask`, which takes longer than looking at a clock, when it is enough."""
        now = time.monotonic()
        self.report.interrupted |= self.noted.seen
        over = now >= self.until and (now >= self.at_most or all(self.report.clauses[c] for c in self.wanted))
        over = over or (ask and self.enough())
        if over or self.report.interrupted:
            machine.cut_short = self.stopped = True
            raise _Spent


def _machine(
    spec: Spec,
    implementation: Implementation,
    scope: Mapping[str, int],
    strict: bool,
    without: frozenset[str],
    budget: _Budget,
    steps: int,
) -> Any:
    import hypothesis
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

    beginnings = _beginnings(spec, without, scope)
    known = [each.calls for each in beginnings if each.clauses]

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.begun = False
            self.next = ("", OK)
            self.given: dict[str, Any] = {}
            self.cut_short = False
            self.left = steps
            self.ended = self.thorough = False

        @initialize(opening=st.sampled_from(range(len(beginnings))), drawn=st.integers(0, 2**64 - 1))
        def begin(self, opening: int, drawn: int) -> None:
            # the simplest draw comes first whatever the seed is
            if not drawn or not budget.turn(opening, beginnings):
                hypothesis.reject()
            chance = random.Random(drawn)
            budget.report.runs += 1
            varied = limited(spec.variety(chance.randrange(1 << 16)), implementation)
            self.session = Session(spec, implementation, {**varied, **scope}, strict=strict, without=without)
            self.begun = True
            living = chance.random() < LIVING
            self.thorough = bool(beginnings[opening].calls) and not beginnings[opening].clauses
            self.left = steps // SHORT if living else steps
            self.aim = Aim(self.session, chance, budget.targets, {each.clause for each in budget.declared}, known, living=living)
            budget.stop_when_spent(self, ask=True)
            self.cut_short = True
            with self.noting():
                with contextlib.suppress(Unsupported):
                    begin = beginnings[opening].calls
                    if chance.random() < BESIDE:
                        ways = [begin]
                        for _ in range(chance.choice(OTHERS)):
                            ways.append(begin if chance.random() < TWICE else chance.choice(beginnings).calls)
                        begin = mixed(self.session.model, ways, chance)
                    if self.session.start.given:
                        begin = [begin[number] for number in given_first(self.session.model, begin)]
                    for name, arguments in begin:
                        given = {s.name: arguments[s.name] for s in spec.actions[name].slots if not s.fresh}
                        made, before = given | self.session.fresh(spec.actions[name]), self.session.vector
                        if self.session.compare_values(name, given) in EFFECTIVE:
                            self.aim.lives.note(name, made)
                        if living and chance.random() < MARKED:
                            self.aim.knock(before)
                        if chance.random() < MARKED:
                            self.aim.mark()
                if self.thorough:
                    self.aim.sweep()
            self.cut_short = False
            self.choose()

        @contextlib.contextmanager
        def noting(self) -> Iterator[None]:
            try:
                with budget.noting(self.session):
                    yield
            except _Known:
                self.cut_short = False
                hypothesis.reject()

        def choose(self) -> None:
            self.next, self.given = self.aim.choose()
            for _ in range(AVOIDED):
                if not budget.avoids("/".join(self.next), self.aim.chance):
                    break
                self.next, self.given = self.aim.choose()

        def teardown(self) -> None:
            if self.begun and not budget.failed:
                # what comes after a failure is that run again
                budget.report.calls += len(self.session.recorded)
                budget.report.clauses.update(self.session.clauses)
                budget.report.causes.update(self.session.had())
            if budget.progress and self.begun:
                budget.progress(budget.report)
            budget.failed |= self.cut_short
            if not self.cut_short and sys.exc_info()[0] is None:
                # of a run that counts Hypothesis makes variations, four in five with the same seed and so the same calls
                hypothesis.reject()

        @rule()
        def operation(self) -> None:
            for _ in range(min(STRETCH, self.left)):
                self.left -= 1
                budget.stop_when_spent(self)
                self.one_call()
            if self.left <= 0 and not self.ended:
                self.ended = self.cut_short = True
                try:
                    with self.noting():
                        if not self.thorough and self.aim.chance.random() < SWEPT:
                            self.aim.sweep(1)
                        Epilogue(self.session, self.aim.chance).run()
                except Unknown:
                    hypothesis.reject()
                self.cut_short = False

        def one_call(self) -> None:
            self.cut_short = True
            (name, wanted), exit = self.next, ""
            try:
                with self.noting():
                    values, before = self.aim.coming(), self.session.vector
                    exit = self.session.compare(name, self.given, look=wanted == AGAIN)
                    news = self.aim.made(name, exit, values)
                    if news or self.aim.chance.random() < LOOKED_AFTER:
                        self.aim.look_after(name, self.given)
                    if self.aim.living:
                        self.aim.knock(before)
                    self.aim.take_turn()
                    if self.aim.living and self.aim.chance.random() < TURN:
                        self.aim.lives.turn()
                    if self.aim.chance.random() < WAY:
                        self.aim.detours.go(self.aim.successes)
            except Unknown:
                hypothesis.reject()
            except Unsupported:
                pass  # with these arguments
            self.cut_short = False
            if wanted != AGAIN and self.aim.chance.random() < 1 / 12:
                self.next = name, AGAIN
            else:
                self.choose()

    return Machine


def _beginnings(spec: Spec, without: Collection[str], scope: Mapping[str, int]) -> list[Beginning]:
    """What runs begin with: the openings of the spec, the ways of its suite to each clause and cause, and, seldomer, nothing.
    The ways that notice deviations are many, and would leave few turns to the others.  What a scope has too little for is left
    out."""
    found = [Beginning(calls) for calls in spec.openings.values()]
    for sequence in stored_suite(spec):
        if not sequence.pairs and (sequence.scope or sequence.causes or sequence.ending is not None):
            found.append(Beginning(sequence.calls[: sequence.ending], frozenset(sequence.clauses)))
    found = [each for each in found if all(name not in without and _fits(spec, scope, name, given) for name, given in each.calls)]
    return [*found, *[Beginning(())] * (1 + len(found) // 8)]


def _fits(spec: Spec, scope: Mapping[str, int], name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a scope has what a call names."""
    for slot in (s for s in spec.actions[name].slots if not s.fresh and s.type in spec.unused):
        value = arguments[slot.name]
        if any(element > scope[slot.type.plural] for element in (value if slot.subset else [value])):
            return False
    return True


def fuzz(
    spec: Spec,
    implementation: Implementation,
    *,
    scope: Mapping[str, int] | None = None,
    seconds: float = 20.0,
    steps: int = 150,
    seed: int | None = None,
    strict: bool = False,
    database: Path | None = None,
    wanted: Collection[str] = (),
    without: Collection[str] = (),
    progress: Callable[[FuzzReport], None] | None = None,
    fresh: Callable[[], Implementation] | None = None,
    shrink: bool = True,
    enough: Callable[[], bool] = lambda: False,
    declared: Collection[Declared] = (),
) -> FuzzReport:
    """Fuzz until a failure or for `seconds`, or until `enough` says so before a run; runs of `steps` calls, probes not counted.
    A failure that is `declared` ends its run alone, and what comes to it is called seldomer.

    Operations in `without` are not called.  While a clause of `wanted` has not been exercised it goes on,
    for three times as long at most.  A failure is made again in what `fresh` makes, too; without `shrink` it
    is reported as it was seen.

    Without `seed` every run draws afresh; with it, the same examples in the same order as far as the time lets.
    `database` is a folder in which failing examples are kept, to be tried first the next time.
    Every setting of Hypothesis that a profile could change is given here, because in CI it loads one under which runs
    repeat and remember nothing.
    """
    import hypothesis
    from hypothesis import HealthCheck, Phase, Verbosity, settings
    from hypothesis.database import DirectoryBasedExampleDatabase
    from hypothesis.errors import Flaky, Unsatisfiable
    from hypothesis.stateful import run_state_machine_as_test

    sizes = spec.scope(scope or spec.fuzz_scope)
    for opening in spec.openings.values():
        spec.check_calls(opening)
    budget = _Budget(seconds, wanted, targets(spec, without), progress, enough, declared, REPEATS if database else 0)
    budget.report.without = frozenset(without)
    started = time.monotonic()
    first = random.SystemRandom().randrange(2**32) if seed is None else seed
    budget.report.seed = first
    if seconds >= WORTH_BUILDING:
        budget.report.slower = have_built(spec, Session.with_strangers(spec, sizes))
    machine = _machine(spec, implementation, sizes, strict, frozenset(without), budget, steps)
    chosen = settings(
        max_examples=10**9,
        stateful_step_count=-(-steps // STRETCH) + 1,  # the initialization counts as one
        deadline=None,
        derandomize=False,
        database=DirectoryBasedExampleDatabase(database) if database else None,
        print_blob=False,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        backend="hypothesis",
        phases=[Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for batch in itertools.count():
        hypothesis.seed(first + batch)(machine)
        try:
            with noting_interruptions(budget.noted):
                run_state_machine_as_test(machine, settings=chosen)
        except Unsatisfiable:
            continue  # some hundred runs that were all rejected, as they are when nothing fails: go on with the next
        except (Mismatch, Flaky) as error:
            # flaky is what Hypothesis calls a failure that it does not see again: it was seen all the same
            if budget.first is None and not budget.noted.seen:
                raise next((e for e in getattr(error, "exceptions", ()) if isinstance(e, AdapterError)), error) from None
        except KeyboardInterrupt:
            budget.report.interrupted = True
        except BaseException:
            # Hypothesis may wrap _Spent, having expected the run to go on as an earlier one did
            if not (budget.stopped or budget.noted.seen):
                raise
        break
    stop_building()
    budget.report.interrupted |= budget.noted.seen
    if budget.first is not None:
        _take_failure(spec, implementation, budget, strict, fresh, shrink)
    budget.report.seconds = time.monotonic() - started
    return budget.report


def _take_failure(
    spec: Spec,
    implementation: Implementation,
    budget: _Budget,
    strict: bool,
    fresh: Callable[[], Implementation] | None,
    shrink: bool,
) -> None:
    """Make the failure that was seen short, if that is wanted and not interrupted."""
    assert budget.first is not None
    report, (mismatch, calls, scope) = budget.report, budget.first
    if mismatch.probe and not report.clauses[mismatch.probe]:
        # the probe itself has not been seen to be right
        calls, mismatch = by_itself(calls, mismatch)
    report.failures.append(Failure(mismatch.clause, mismatch.text, calls, scope))
    if report.interrupted or not shrink:
        return
    try:
        found = smallest_failure(spec, implementation, scope, calls, mismatch, strict=strict, deviations=budget.declared)
        report.failures[-1] = found
        if not budget.declared:
            # what the graph knows may be a failure of the clause that is declared
            found = by_the_graph(spec, implementation, found, strict=strict) or found
        report.failures[-1] = tried_afresh(spec, fresh, found, strict=strict)
    except KeyboardInterrupt:
        report.interrupted = True
