"""Fuzzing an implementation against the specification: a Hypothesis state machine, one rule an operation.

Arguments drawn evenly would mostly be refused for the same first reasons and never fill a queue.  So a run looks ahead with
the model: of the calls that can be made with what is live, plus a dead, a foreign and a never-issued handle a sort, it
takes a sample and sees where they lead.  What it goes for, and so which rule comes next, `Aim.choose` says: mostly a success
of an operation that this run has seldom had, so that runs get deep; else a clause that it has seen least often, so
that wrong arguments are tried wherever they get furthest; now and then the same call once more.  Most runs begin with an
opening of the spec's (an accepted socket with two files open while another process waits in select, say), and most of them
try all that is refused there before they go on.

Hypothesis draws the seed of all that, remembers what failed, and runs it first the next time; its own way of drawing prefers
small values and repeats itself, which shrinks well and explores badly. It draws the opening too; a run whose opening had its
turn more often than others is rejected before it begins, so that none is left out in a short time. A failure is shrunk by
taking calls out (`conform.minimise`).
"""

from __future__ import annotations

import contextlib
import itertools
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...model.language import EFFECTIVE, OK, Action, Slot, Spec
from ..adapters import Implementation
from ..errors import Unsupported
from ..explore import clauses
from ..session import NEVER, Mismatch, Recorded, Session, Unknown, again, minimise

SAMPLE, LARGE_SAMPLE = 60, 200
"""Of how many calls of an operation it is tried where they lead; and of how many with live elements, when a run begins."""
TRIES = 6
HANDFUL = 12
FEW = 4
REPEATS = 10
PATIENCE = 2
AGAIN = "again"
"""In place of an exit: the same call once more, whatever comes of it (a second close, a second accept)."""


@dataclass(frozen=True)
class Failure:
    """What the implementation did wrong: the broken `clause`, what was seen in words, the fewest calls that show it."""

    clause: str
    text: str
    calls: list[Recorded]
    scope: dict[str, int]


@dataclass
class FuzzReport:
    """What a run did.  `calls` counts calls to the implementation, probes too; `clauses` counts them by clause; `without` are the
    operations that were left out."""

    without: frozenset[str] = frozenset()
    calls: int = 0
    runs: int = 0
    clauses: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    seed: int = 0


class _Spent(BaseException):
    """The time is up.  Not an Exception, so that Hypothesis does not take it for a failure of the example."""


class _Budget:
    def __init__(
        self,
        seconds: float,
        wanted: Collection[str],
        targets: Sequence[str],
        progress: Callable[[FuzzReport], None] | None,
    ) -> None:
        self.until = time.monotonic() + seconds
        self.at_most = self.until + PATIENCE * seconds
        self.wanted = wanted
        self.targets = targets
        self.report = FuzzReport()
        self.progress = progress
        self.last: Session | None = None
        self.stopped = False
        self.failed = False
        self.had: Counter[int] = Counter()

    def turn(self, opening: int, openings: int) -> bool:
        """Whether it is this opening's turn: none has been had less often.  The first runs may repeat stored failures, and
        pass: one that is rejected is forgotten.  So does what comes after a failure, which is that run again."""
        due = (
            self.failed or self.report.runs <= REPEATS or self.had[opening] <= min(self.had[number] for number in range(openings))
        )
        self.had[opening] += due
        return due

    def stop_when_spent(self, machine: Any) -> None:
        now = time.monotonic()
        if now >= self.until and (now >= self.at_most or all(self.report.clauses[c] for c in self.wanted)):
            machine.cut_short = self.stopped = True
            raise _Spent


def _machine(
    spec: Spec,
    implementation: Implementation,
    scope: Mapping[str, int],
    strict: bool,
    without: frozenset[str],
    budget: _Budget,
) -> Any:
    import hypothesis
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

    openings = [calls for calls in spec.openings.values() if not any(name in without for name, _ in calls)]
    openings += [[]] * (1 + len(openings) // 8)

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.session = Session(spec, implementation, scope, strict=strict, without=without)
            self.next = ("", OK)
            self.given: dict[str, Any] = {}
            self.cut_short = False
            budget.last = self.session

        @initialize(opening=st.sampled_from(range(len(openings))), chance=st.randoms(use_true_random=True))
        def begin(self, opening: int, chance: random.Random) -> None:
            if not budget.turn(opening, len(openings)):
                hypothesis.reject()
            budget.report.runs += 1
            self.aim = Aim(self.session, chance, budget.targets)
            budget.stop_when_spent(self)
            self.cut_short = True
            with contextlib.suppress(Unsupported):
                for name, arguments in openings[opening]:
                    self.session.call_model(name, arguments)
            if chance.random() < 7 / 8:
                self.aim.sweep()
            self.cut_short = False
            self.next, self.given = self.aim.choose()

        def teardown(self) -> None:
            budget.report.calls += len(self.session.recorded)
            budget.report.clauses.update(self.session.clauses)
            if budget.progress:
                budget.progress(budget.report)
            budget.failed |= self.cut_short
            if not self.cut_short:
                # of a run that counts Hypothesis makes variations, four in five with the same seed and so the same calls
                hypothesis.reject()

    for action in (a for a in spec.actions.values() if a.name not in without):
        setattr(Machine, action.name, precondition(_enabled(action))(rule()(_rule(action, budget))))
    return Machine


def _enabled(action: Action) -> Callable[[Any], bool]:
    return lambda machine: machine.next[0] == action.name


def _rule(action: Action, budget: _Budget) -> Callable[..., None]:
    import hypothesis

    def run(self: Any) -> None:
        budget.stop_when_spent(self)
        self.cut_short = True
        again = self.next[1] == AGAIN
        exit = ""
        try:
            exit = self.session.call(action.name, self.given, look=again)
        except Unknown:
            hypothesis.reject()
        except Unsupported:
            pass  # with these arguments
        self.cut_short = False
        if exit in EFFECTIVE:
            self.aim.successes[action.name] += 1
        if not again and self.aim.chance.random() < 1 / 12:
            self.next = action.name, AGAIN
        else:
            self.next, self.given = self.aim.choose()

    # Hypothesis switches rules off for whole runs, by name; a chain of ten operations would seldom survive that
    run.__name__ = "operation"
    return run


class Aim:
    """What a run goes for next.  It depends on this run alone, so that Hypothesis can make a run again, another day too."""

    def __init__(self, session: Session, chance: random.Random, targets: Sequence[str]) -> None:
        self.session, self.chance, self.targets = session, chance, targets
        self.successes: Counter[str] = Counter()
        self._vain: Counter[str] = Counter()

    def sweep(self) -> None:
        """Try every operation in every way that is refused now: what was just done may have left a door open somewhere."""
        for name in self.chance.sample(list(self.session.actions), len(self.session.actions)):
            among_live, among_all = (
                self._reach(name, (), strangers=False, sample=LARGE_SAMPLE),
                self._reach(name, (), strangers=True),
            )
            for exit, calls in (among_all | among_live).items():
                if exit not in EFFECTIVE:
                    for arguments in self.chance.sample(calls, min(FEW, len(calls))):
                        action = self.session.actions[name]
                        with contextlib.suppress(Unsupported):
                            self.session.call(name, _handles(self.session, action, arguments, self.chance))

    def choose(self) -> tuple[tuple[str, str], dict[str, Any]]:
        """The clause to go for now, as operation and exit, and the arguments that lead to it.

        Two times out of three a success, of an operation that has succeeded and been tried in vain seldom in this run (one of
        `Spec.seldom` seldomer); else one of the clauses that it has seen least often, if it is within reach, or
        whatever refusal of that operation was seen least.
        """
        chance, names = self.chance, list(self.session.actions)
        if chance.random() < 2 / 3:
            for _ in range(TRIES):
                rare = [1 / (1 + self.successes[n] + self._vain[n] / 2) for n in names]
                weights = [w / 4 if n in self.session.spec.seldom else w for n, w in zip(names, rare, strict=True)]
                (name,) = chance.choices(names, weights)
                found = self._reach(name, EFFECTIVE, strangers=False)
                for exit in EFFECTIVE:
                    if exit in found:
                        return self._going_for(name, exit, found)
                self._vain[name] += 1
        seen = self.session.clauses
        for number in itertools.count(1):
            clause = min(chance.choices(self.targets, k=HANDFUL), key=lambda c: seen[c])
            name, _, exit = clause.partition("/")
            found = self._reach(name, (exit,), strangers=True)
            if exit in found or (number >= TRIES and found):
                break
        return self._going_for(name, exit if exit in found else min(found, key=lambda e: seen[f"{name}/{e}"]), found)

    def _going_for(self, name: str, exit: str, found: dict[str, list[dict[str, Any]]]) -> tuple[tuple[str, str], dict[str, Any]]:
        arguments = self.chance.choice(found[exit])
        return (name, exit), _handles(self.session, self.session.actions[name], arguments, self.chance)

    def _reach(
        self, name: str, wanted: Collection[str], *, strangers: bool, sample: int = SAMPLE
    ) -> dict[str, list[dict[str, Any]]]:
        """By exit, some calls of an operation that lead to it now: a sample of all with live elements, and with `strangers` also
        a dead, foreign or never-issued handle a sort; no more once one leads to an exit that is wanted."""
        session, action = self.session, self.session.actions[name]
        slots = [s for s in action.slots if not s.fresh]
        fresh = session.fresh(action)
        choices = [_choices(session, slot, strangers) for slot in slots]
        size = math.prod(map(len, choices))
        reach: dict[str, list[dict[str, Any]]] = {}
        for number in self.chance.sample(range(size), min(size, sample)):
            rest, arguments = number, {}
            for slot, values in zip(slots, choices, strict=True):
                rest, index = divmod(rest, len(values))
                arguments[slot.name] = values[index]
            exit = session.model.exit(action, session.vector, arguments | fresh)
            reach.setdefault(exit, []).append(arguments)
            if exit in wanted:
                break
        return reach


def _choices(session: Session, slot: Slot, strangers: bool) -> list[Any]:
    if slot.type not in session.names:
        return session.model.choices(slot)
    live = [*session.names[slot.type].handle, *([session.stranger(slot.type)] if strangers else [])]
    return [0, *live] if slot.optional else live


def _handles(session: Session, action: Action, arguments: dict[str, int], chance: random.Random) -> dict[str, Any]:
    """Arguments as the session takes them; for a stranger, a handle that is dead or was never given out."""
    given: dict[str, Any] = {}
    for slot in action.slots:
        if slot.fresh:
            continue
        value = arguments[slot.name]
        if slot.type not in session.names or not value:
            given[slot.name] = None if slot.type in session.names else value
        elif value == session.stranger(slot.type):
            dead = session.names[slot.type].dead[-6:]
            given[slot.name] = chance.choice([*dead, NEVER])
        else:
            given[slot.name] = session.names[slot.type].handle[value]
    return given


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
) -> FuzzReport:
    """Fuzz until a failure or for `seconds`; runs of `steps` calls, probes not counted.

    Operations in `without` are not called.  While a clause of `wanted` has not been exercised it goes on,
    for three times as long at most.

    Without `seed` every run draws afresh; with it, the same examples in the same order as far as the time lets.
    `database` is a folder in which failing examples are kept, to be tried first the next time.
    Every setting of Hypothesis that a profile could change is given here, because in CI it loads one under which runs
    repeat and remember nothing.
    """
    import hypothesis
    from hypothesis import HealthCheck, Phase, Verbosity, settings
    from hypothesis.database import DirectoryBasedExampleDatabase
    from hypothesis.errors import Unsatisfiable
    from hypothesis.stateful import run_state_machine_as_test

    sizes = spec.scope(scope or spec.fuzz_scope)
    for opening in spec.openings.values():
        spec.check_calls(opening)
    targets = [c for c in clauses(spec) if "/late-" not in c and c.partition("/")[0] not in without]
    budget = _Budget(seconds, wanted, targets, progress)
    budget.report.without = frozenset(without)
    started = time.monotonic()
    first = random.SystemRandom().randrange(2**32) if seed is None else seed
    budget.report.seed = first
    machine = _machine(spec, implementation, sizes, strict, frozenset(without), budget)
    chosen = settings(
        max_examples=10**9,
        stateful_step_count=steps + 1,  # the initialization counts as one
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
            run_state_machine_as_test(machine, settings=chosen)
        except Unsatisfiable:
            continue  # some hundred runs that were all rejected, as they are when nothing fails: go on with the next
        except Mismatch as mismatch:
            assert budget.last is not None
            found = smallest_failure(spec, implementation, sizes, budget.last.recorded, mismatch, strict=strict)
            budget.report.failures.append(found)
        except BaseException:
            # Hypothesis may wrap _Spent, having expected the run to go on as an earlier one did
            if not budget.stopped:
                raise
        break
    budget.report.seconds = time.monotonic() - started
    return budget.report


def smallest_failure(
    spec: Spec,
    implementation: Implementation,
    scope: dict[str, int],
    calls: list[Recorded],
    mismatch: Mismatch,
    *,
    strict: bool = False,
) -> Failure:
    """A failure in the fewest calls found.  One that does not show itself again is reported as it was seen, and said so."""
    fewest = minimise(spec, implementation, scope, calls, mismatch.clause, strict=strict)
    session, seen = again(spec, implementation, scope, fewest, strict=strict)
    if seen is None:
        return Failure(mismatch.clause, f"{mismatch.text} (once; the same calls made again are answered rightly)", calls, scope)
    return Failure(seen.clause, seen.text, session.recorded, scope)
