"""Fuzzing an implementation against the specification: a Hypothesis state machine, one rule an operation.

Arguments drawn evenly would mostly be refused for the same first reasons and never fill a queue.  So a rule looks, with
the model, which outcomes are within reach: of the calls that can be made with what is live, plus a dead, a foreign and a
never-issued handle a sort, it draws one of those that lead to the outcome wanted.  Which outcome of which operation that
is, and so which rule comes next, `choose` says: mostly the success that this run has had least often, so that runs get
deep, else a refusal that it has seen least often; now and then the same call once more.  Most runs begin with an opening of
the spec's.

Hypothesis draws the seed of all that, remembers what failed, and runs it first the next time; its own way of drawing
prefers small values and repeats itself, which shrinks well and explores badly.  A failure is shrunk by taking calls out
(`conform.minimise`).
"""

from __future__ import annotations

import itertools
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model.concrete import OK
from ..model.spec import Action, Spec
from ..model.vocabulary import Slot
from .adapter import Implementation
from .conform import NEVER, Mismatch, Recorded, Session, again, minimise

MAX_COMBINATIONS = 600
HANDFUL = 5
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
    """What a run did.  `calls` counts calls to the implementation, probes too; `clauses` counts them by clause."""

    calls: int = 0
    runs: int = 0
    clauses: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    seed: int = 0


class _Spent(BaseException):
    """The time is up.  Not an Exception, so that Hypothesis does not take it for a failure of the example."""


class _Budget:
    def __init__(self, seconds: float, wanted: Collection[str], progress: Callable[[FuzzReport], None] | None) -> None:
        self.until = time.monotonic() + seconds
        self.at_most = self.until + PATIENCE * seconds
        self.wanted = wanted
        self.report = FuzzReport()
        self.progress = progress
        self.last: Session | None = None
        self.stopped = False

    def stop_when_spent(self, machine: Any) -> None:
        now = time.monotonic()
        if now >= self.until and (now >= self.at_most or all(self.report.clauses[c] for c in self.wanted)):
            machine.cut_short = self.stopped = True
            raise _Spent


def _machine(spec: Spec, implementation: Implementation, scope: Mapping[str, int], strict: bool, budget: _Budget) -> Any:
    import hypothesis
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.session = Session(spec, implementation, scope, strict=strict)
            self.successes: Counter[str] = Counter()
            self.next = ("", OK)
            self.given: dict[str, Any] = {}
            self.cut_short = False
            budget.last = self.session
            budget.report.runs += 1

        @initialize(chance=st.randoms(use_true_random=True))
        def begin(self, chance: random.Random) -> None:
            self.chance = chance
            budget.stop_when_spent(self)
            if spec.openings and chance.random() < 3 / 4:
                for name, arguments in spec.openings[chance.choice(list(spec.openings))]:
                    self.session.call_model(name, arguments)
            self.next = choose(self.session, self.successes, chance)

        def teardown(self) -> None:
            budget.report.calls += len(self.session.recorded)
            budget.report.clauses.update(self.session.clauses)
            if budget.progress:
                budget.progress(budget.report)
            if not self.cut_short:
                # of a run that counts Hypothesis makes variations, four in five with the same seed and so the same calls
                hypothesis.reject()

    for action in spec.actions.values():
        setattr(Machine, action.name, precondition(_enabled(action))(rule()(_rule(action, budget))))
    return Machine


def _enabled(action: Action) -> Callable[[Any], bool]:
    return lambda machine: machine.next[0] == action.name


def choose(session: Session, successes: Counter[str], chance: random.Random) -> tuple[str, str]:
    """The clause to go for next, as operation and exit, within reach now.

    Two times out of three a success: of the operations that can succeed, one that has succeeded least often in this run.
    Else, of a handful of operations (one of `Spec.seldom` less likely than others), a clause seen least often in this run.
    """
    names = list(session.actions)
    if chance.random() < 2 / 3:
        usual = sorted((n for n in names if n not in session.spec.seldom), key=lambda n: successes[n])
        least: list[str] = []
        for name in usual:
            if least and successes[name] > successes[least[0]]:
                break
            if OK in outcomes(session, session.actions[name]):
                least.append(name)
        if least:
            return chance.choice(least), OK
    weights = [1 if name in session.spec.seldom else 2 for name in names]
    handful = dict.fromkeys(chance.choices(names, weights, k=HANDFUL))
    clauses = [(name, exit) for name in handful for exit in outcomes(session, session.actions[name])]
    rarest = min(session.clauses[f"{name}/{exit}"] for name, exit in clauses)
    return chance.choice([c for c in clauses if session.clauses[f"{c[0]}/{c[1]}"] == rarest])


def _rule(action: Action, budget: _Budget) -> Callable[..., None]:
    def run(self: Any) -> None:
        budget.stop_when_spent(self)
        self.cut_short = True
        if self.next[1] == AGAIN:
            self.session.call(action.name, self.given, look=True)
        else:
            arguments = self.chance.choice(outcomes(self.session, action)[self.next[1]])
            self.given = _handles(self.session, action, arguments, self.chance)
            if self.session.call(action.name, self.given) == OK:
                self.successes[action.name] += 1
        self.cut_short = False
        if self.chance.random() < 1 / 12:
            self.next = action.name, AGAIN
        else:
            self.next = choose(self.session, self.successes, self.chance)

    # Hypothesis switches rules off for whole runs, by name; a chain of ten operations would seldom survive that
    run.__name__ = "operation"
    return run


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


def outcomes(session: Session, action: Action) -> dict[str, list[dict[str, int]]]:
    """By exit, the calls of `action` within reach now: with every live element, and a stranger, for each argument."""
    cache = session.__dict__.setdefault("_reach", {})
    if cache.get("at") is not session.vector:
        cache.clear()
        cache["at"] = session.vector
    if action.name not in cache:
        cache[action.name] = _outcomes(session, action)
    return cache[action.name]  # type: ignore[no-any-return]


def _outcomes(session: Session, action: Action) -> dict[str, list[dict[str, int]]]:
    slots = [s for s in action.slots if not s.fresh]
    fresh = session.fresh(action)
    choices = [_choices(session, slot) for slot in slots]
    size = math.prod(len(c) for c in choices)
    reach: dict[str, list[dict[str, int]]] = {}
    for number in range(min(size, MAX_COMBINATIONS)):
        # a step by a prime that does not divide the size scatters the sample over all choices
        rest = number if size <= MAX_COMBINATIONS else number * 7919 % size
        arguments = {}
        for slot, values in zip(slots, choices, strict=True):
            rest, index = divmod(rest, len(values))
            arguments[slot.name] = values[index]
        exit = session.model.call(action, session.vector, arguments | fresh).exit
        reach.setdefault(exit, []).append(arguments)
    return reach


def _choices(session: Session, slot: Slot) -> list[int]:
    if slot.type not in session.names:
        return session.model.choices(slot)
    live = [*session.names[slot.type].handle, session.stranger(slot.type)]
    return [0, *live] if slot.optional else live


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
    progress: Callable[[FuzzReport], None] | None = None,
) -> FuzzReport:
    """Fuzz until a failure or for `seconds`; runs of `steps` calls, probes not counted.

    While a clause of `wanted` has not been exercised it goes on, for three times as long at most.

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
    budget = _Budget(seconds, wanted, progress)
    started = time.monotonic()
    first = random.SystemRandom().randrange(2**32) if seed is None else seed
    budget.report.seed = first
    machine = _machine(spec, implementation, sizes, strict, budget)
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
