"""A conformance run: what an implementation supports, the fixed suite, then fuzzing; and a verdict for every clause.

There is no percentage: a clause passes, or it is said why not.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ...model.language import ALL, EFFECTIVE, Spec, SpecError
from ..adapters import Implementation, is_given, limited
from ..errors import Unsupported
from ..fuzz import fuzz
from ..session import (
    NEVER,
    Declared,
    Failure,
    Mismatch,
    Recorded,
    Session,
    Unknown,
    again,
    by_itself,
    have_built,
    model,
    smallest_failure,
    stop_building,
    tried_afresh,
)
from ..suite import Resumed, Ways, alone, answers, further, stored_suite
from ..suite import Sequence as Calls
from .verdicts import FAIL, FLAKY, PASS, PERMITTED, UNKNOWN, UNSUPPORTED, UNTESTED, Report, Verdict, matches

AGAIN = 3
"""How often a failure is made again, to tell a deterministic one from a flaky one."""

FRESH_FOR = 10.0
"""Seconds for which failures are made again in fresh processes: where a hundred clauses fail, the first tell all there is."""

MANY = 20
"""For how many sequences in the scope of fuzzing it is worth while to have the specification built."""

TRIES = 8
"""In how many sequences it is tried whether a probe can be trusted, and whether a cause is there without others."""


def smoke(spec: Spec, implementation: Implementation, scope: Mapping[str, int], operations: Collection[str]) -> set[str]:
    """Call every operation once with handles that were never given out: those that are not supported.  What makes what is given
    is never called.

    Raises Mismatch for an answer that is not permitted, AdapterError, and Unsupported for the reset.
    """
    session = Session(spec, implementation, scope, probing=False)
    for name in sorted(set(operations) - taken_as_given(spec, implementation)):
        given: dict[str, Any] = {}
        for slot in session.actions[name].slots:
            if not slot.fresh:
                given[slot.name] = NEVER if slot.type in session.names else session.model.choices(slot)[0]
        try:
            session.compare(name, given)
        except Unsupported:
            continue
        except Unknown:
            break
    return session.unsupported


def taken_as_given(spec: Spec, implementation: Implementation) -> frozenset[str]:
    """The operations in place of which an implementation has something from the start."""
    return spec.given.operations if spec.given and is_given(implementation) else frozenset()


class Conformance:
    """One run.  `suite` is the spec's whole suite, of which the profiles' part is used; `patterns` choose clauses by name, and
    with `shortest` only the shortest sequences that come to one of them, for each of its causes, are run.  A failure is made
    again in what `fresh` makes, too."""

    def __init__(
        self,
        spec: Spec,
        implementation: Implementation,
        where: str,
        suite: Sequence[Calls],
        *,
        profiles: Sequence[str] = (),
        patterns: Sequence[str] = (),
        shortest: bool = False,
        strict: bool = False,
        seed: int | None = None,
        seconds: float = 0.0,
        declared: Collection[Declared] = (),
        progress: Callable[[str], None] | None = None,
        fresh: Callable[[], Implementation] | None = None,
    ) -> None:
        self.spec, self.implementation, self.strict, self.fresh = spec, implementation, strict, fresh
        self.introduction = getattr(implementation, "introduction", None)
        self.chosen = tuple(profiles or (self.introduction.profiles if self.introduction else [ALL]))
        self.given = taken_as_given(spec, implementation)
        self.operations = frozenset(name for profile in self.chosen for name in spec.profile(profile)) - self.given
        self.suite = [s for s in suite if any(s.operations <= spec.profile(profile) | self.given for profile in self.chosen)]
        if self.given:
            self.suite = [made for s in self.suite if (made := s.with_given_first(spec)) is not None]
        found = dict.fromkeys(c for s in self.suite for c in s.clauses if c.partition("/")[0] in self.operations)
        self.clauses = frozenset(c for s in suite for c in s.clauses)
        in_order = [c for name in spec.actions for c in found if c.partition("/")[0] == name]
        wanted = [c for c in in_order if not patterns or any(matches(c, p, self.clauses) for p in patterns)]
        if patterns and not wanted:
            raise SpecError(f"no clause of this profile matches {', '.join(patterns)}; `oneowner show operations` lists them")
        self.seconds, self.seed, self.shortest = seconds, seed, shortest
        self.progress = progress or (lambda text: None)
        self._wrong: dict[str, set[str]] = {}
        """By operation, the refusals that failed."""
        self._fresh_for = FRESH_FOR
        self._looked: Ways = set()
        self._answers = answers(spec) if suite == stored_suite(spec) and not self.given else None
        self._made: Counter[int] = Counter()
        """How often calls were made, by their number in the answers, that were right."""
        self._built = False
        self._trusted: dict[str, bool] = {}
        """Of clauses that probes came to, whether they are right where they are no probes."""
        about = self.introduction
        self.report = Report(
            where,
            about.name if about else where,
            about.version if about else "",
            about.language if about else "Python",
            self.chosen,
            strict,
            seed or 0,
            seconds,
            {c: Verdict(c) for c in wanted},
            declared=tuple(declared),
        )

    def run(self) -> Report:
        started = time.monotonic()
        try:
            if self.report.verdicts:
                self._run()
        except KeyboardInterrupt:
            self.report.interrupted = True
            self._count_causes()
            for verdict in self.report.verdicts.values():
                self._judge(verdict, frozenset(self.report.unsupported))
        stop_building()
        self.report.seconds = time.monotonic() - started
        return self.report

    def _build(self) -> None:
        """See that the longest sequences are soon held against the specification in C: there are many of them."""
        self._built = True
        if sum(1 for sequence in self.suite if not sequence.scope) >= MANY:
            have_built(self.spec, Session.with_strangers(self.spec, self._scope(self.spec.fuzz_scope)))

    def _run(self) -> None:
        without = self._smoke()
        chosen = [s for s in self.suite if any(c in self.report.verdicts for c in s.clauses)]
        if self.shortest:
            chosen = self._shortest(chosen, without)
        for number, sequence in enumerate(chosen, 1):
            self._sequence(sequence, without)
            self.report.sequences += 1
            if number % 20 == 0 or number == len(chosen):
                self.progress(f"suite: {number} of {len(chosen)} sequences, {len(self.report.having(FAIL, FLAKY))} clauses fail")
        self._count_causes()
        supported = self.operations - without
        if broken := self.report.broken:
            self.report.not_fuzzed = f"{broken[0].clause} fails{f', and {len(broken) - 1} more' if broken[1:] else ''}"
        elif self.seconds and supported:
            self._fuzz(frozenset(self.spec.actions) - supported - self.given)
        for verdict in self.report.verdicts.values():
            self._judge(verdict, without)
            if verdict.failure is not None and (probe := self.report.verdicts.get(verdict.failure.probe)) and probe.failure:
                verdict.reason += f"; but {probe.clause}, which shows it, fails by itself too: mend that first"

    def _shortest(self, sequences: Sequence[Calls], without: frozenset[str]) -> list[Calls]:
        """The shortest sequences that come to what is looked for: to each cause, where that can be with no other error and with
        nothing that is not supported."""
        found: dict[str, list[Calls]] = {}
        wanted = self.report.verdicts.keys()
        for sequence in sorted(sequences, key=lambda s: len(s.calls)):
            for each in self._answers.come_to(sequence, wanted) if self._answers else wanted & set(sequence.clauses):
                found.setdefault(each, []).append(sequence)
        chosen: dict[int, Calls] = {}
        for each, some in found.items():
            usable = [s for s in some if not s.operations & without]
            unmixed = (s for s in usable[:TRIES] if each in alone(model(self.spec, s.sizes(self.spec)), s.calls))
            sequence = next(unmixed, (usable or some)[0])
            # what comes to it before it comes to what is not supported is not known beforehand
            for one in [sequence] if usable or each.partition("/")[0] in without else some:
                chosen[id(one)] = one
        return list(chosen.values())

    def _smoke(self) -> frozenset[str]:
        scope = self._scope(self.spec.fuzz_scope)
        try:
            found = smoke(self.spec, self.implementation, scope, self.operations)
        except Mismatch as mismatch:
            # the suite will say more about it
            self.progress(f"smoke: {mismatch.text}")
            return frozenset()
        self.report.unsupported = tuple(n for n in self.spec.actions if n in found)
        return frozenset(found)

    def _scope(self, scope: Mapping[str, int]) -> dict[str, int]:
        return limited(scope, self.implementation)

    def _sizes(self, sequence: Calls) -> Mapping[str, int]:
        """The scope of a sequence.  The small scopes in which some were drawn are had whole or not at all."""
        sizes = sequence.sizes(self.spec)
        return sizes | self._scope({n: size for n, size in sizes.items() if not sequence.scope or n in self.spec.varied})

    def _sequence(self, sequence: Calls, without: frozenset[str]) -> None:
        """Make the calls of a sequence.  A refusal that is wrong is left out from then on, so that the rest is still seen; after
        a call that a probe showed to be wrong, it goes on without probes, and what else is wrong then is put down to it."""
        implementation = self._answered(sequence, without)
        if implementation is None:
            return
        if not self._built:
            self._build()
        left_out: set[int] = set()
        probing = True
        broken, broken_by = len(sequence.calls), ""
        while True:
            session: Session | None = None
            at = 0
            try:
                sizes = self._sizes(sequence)
                answering, implementation = implementation, self.implementation
                session = Session(self.spec, answering, sizes, strict=self.strict, probing=probing)
                session.unsupported |= without | (set(self.spec.actions) - self.operations - self.given)
                furthest, way = -1, hash(tuple(sizes.items()))
                for at, (name, arguments) in sequence.played():
                    # what is done over and over is looked at the first time, and at the end
                    first, furthest = at > furthest, max(at, furthest)
                    if at in left_out or self._useless(session, name, arguments):
                        continue
                    way = further(way, name, arguments)
                    session.probing = probing and first and way not in self._looked
                    session.compare_values(name, arguments, probe=probing and sequence.is_probe(self.spec, at))
                    if session.probing:
                        self._looked.add(way)
            except (Unsupported, Unknown) as cut:
                if session is not None:
                    self._count(session)
                self._reason(sequence, str(cut), status=UNSUPPORTED if isinstance(cut, Unsupported) else UNKNOWN)
                return
            except Mismatch as mismatch:
                assert session is not None
                self._count(session)
                if at > broken:
                    self._reason(sequence, f"what leads to it fails: {broken_by}", broken_by)
                    return
                if mismatch.probe and self._is_right(mismatch.probe, without):
                    clause = self._failed(session.recorded, session.scope, mismatch)
                    operation, _, exit = clause.partition("/")
                    if exit in EFFECTIVE or exit in self._wrong.get(operation, ()):
                        probing, broken, broken_by = False, at, clause
                    self._wrong.setdefault(operation, set()).update({exit} - set(EFFECTIVE))
                    continue
                calls, mismatch = by_itself(session.recorded, mismatch)
                self._failed(calls, session.scope, mismatch)
                if mismatch.clause.partition("/")[2] in EFFECTIVE or at in left_out or "late-" in mismatch.clause:
                    self._reason(sequence, f"what leads to it fails: {mismatch.clause}", mismatch.clause)
                    return
                operation, _, exit = mismatch.clause.partition("/")
                self._wrong.setdefault(operation, set()).add(exit)
                if operation == sequence.calls[at][0]:
                    left_out.add(at)
                else:
                    probing = False
            else:
                self._count(session)
                return

    def _answered(self, sequence: Calls, without: frozenset[str]) -> Implementation | None:
        """Make the calls of a sequence where it is known what the right answers are: none, if they came; else what tells those
        again that came."""
        sizes = self._sizes(sequence)
        if self._answers is None or sizes != sequence.sizes(self.spec):
            return self.implementation
        unused = without | (set(self.spec.actions) - self.operations)
        if any(name in unused or self._wrong.get(name) for name in sequence.operations):
            return self.implementation
        made, told = self._answers.play(sequence, self.implementation, sizes, unused, self._looked)
        if made is None:
            return Resumed(self.implementation, told)
        self._made.update(made)
        self.report.calls += len(made)
        for number in made:
            for clause in self._answers.clauses[number]:
                if clause in self.report.verdicts:
                    self.report.verdicts[clause].times += 1
        return None

    def _count_causes(self) -> None:
        if self._answers is not None:
            self.report.causes.update(self._answers.causes(self._made))
        self._made.clear()

    def _is_right(self, clause: str, without: frozenset[str]) -> bool:
        """Whether the implementation comes to a clause where it is called for its own sake: a probe that does not is then the
        fault of the call that it probes.  The shortest sequences are tried first."""
        if clause not in self._trusted:
            found = sorted((s for s in self.suite if clause in s.clauses), key=lambda s: len(s.calls))
            self._trusted[clause] = any(self._comes_right(s, clause, without) for s in found[:TRIES])
        return self._trusted[clause]

    def _comes_right(self, sequence: Calls, clause: str, without: frozenset[str]) -> bool:
        sizes = self._sizes(sequence)
        session = Session(self.spec, self.implementation, sizes, strict=self.strict, probing=False, without=without)
        with contextlib.suppress(Mismatch, Unsupported, Unknown):
            for name, arguments in sequence.calls:
                if name not in without:
                    session.compare_values(name, arguments)
                if session.clauses[clause]:
                    break
        self.report.calls += len(session.recorded)
        return session.clauses[clause] > 0

    def _useless(self, session: Session, name: str, arguments: Mapping[str, Any]) -> bool:
        """Whether a call would be refused, and that is not supported or known to fail."""
        wrong = self._wrong.get(name, ())
        if name not in session.unsupported and not wrong:
            return False
        ((_, exit),) = session.foresee(name, [arguments])
        return exit in wrong or (name in session.unsupported and exit not in EFFECTIVE)

    def _count(self, session: Session) -> None:
        self.report.calls += len(session.recorded)
        self.report.causes.update(session.had())
        for clause, times in session.clauses.items():
            if clause in self.report.verdicts:
                self.report.verdicts[clause].times += times
                if session.permitted[clause] and self.report.verdicts[clause].status == UNTESTED:
                    self.report.verdicts[clause].status = PERMITTED
                    self.report.verdicts[clause].reason = "another error that applies is given, not the first"

    def _reason(self, sequence: Calls, reason: str, because: str = "", status: str = UNTESTED) -> None:
        for clause in sequence.clauses:
            verdict = self.report.verdicts.get(clause)
            if verdict is not None and verdict.status == UNTESTED and not verdict.times:
                verdict.reason, verdict.because, verdict.unless_seen = reason, because, status

    def _failed(self, calls: list[Recorded], scope: dict[str, int], mismatch: Mismatch) -> str:
        """Take note of a failure, in the fewest calls.  Returns the clause that it is a failure of."""
        known = self.report.verdicts.get(mismatch.clause)
        if known is not None and known.failure is not None and not self._is_new(known, mismatch.causes):
            return mismatch.clause
        self.progress(f"fails: {mismatch.clause}: {mismatch.text}")
        try:
            failure = smallest_failure(
                self.spec, self.implementation, scope, calls, mismatch, strict=self.strict, deviations=self.report.declared
            )
            self._take_failure(failure)
        except KeyboardInterrupt:
            self._note(Failure(mismatch.clause, mismatch.text, calls, scope, causes=mismatch.causes), 0)
            raise
        return failure.clause

    def _is_new(self, known: Verdict, causes: Collection[str]) -> bool:
        """Whether a clause that fails as it is declared to fails in another way too."""
        declared = [d for d in self.report.declared if d.clause == known.clause]
        return self.report.deviation(known.clause) is not None and not any(d.fits(known.clause, causes) for d in declared)

    def _take_failure(self, failure: Failure) -> None:
        known = self.report.verdicts.get(failure.clause)
        if known is not None and known.failure is not None and not self._is_new(known, failure.causes):
            return
        shown, calls = 0, _bare(failure.calls)
        for _ in range(AGAIN):
            _, seen = again(self.spec, self.implementation, failure.scope, calls, strict=self.strict, anew=failure.anew)
            shown += seen is not None and seen.clause == failure.clause
        began = time.monotonic()
        fresh = self.fresh if self._fresh_for > 0 else None
        self._note(tried_afresh(self.spec, fresh, failure, strict=self.strict), shown)
        self._fresh_for -= time.monotonic() - began

    def _note(self, failure: Failure, shown: int) -> None:
        verdict = self.report.verdicts.setdefault(failure.clause, Verdict(failure.clause))
        if verdict.failure is None or self._is_new(verdict, failure.causes):
            verdict.status = FAIL if shown == AGAIN else FLAKY
            verdict.failure, verdict.shown = failure, f"{shown}/{AGAIN}"
            verdict.reason = failure.text if failure.afresh is not False else failure.text + failure.freshly

    def _fuzz(self, without: frozenset[str]) -> None:
        scope = self._scope(self.spec.fuzz_scope)
        found = fuzz(
            self.spec,
            self.implementation,
            scope=scope,
            seconds=self.seconds,
            steps=100,
            seed=self.seed,
            strict=self.strict,
            without=without,
            declared=self.report.declared,
            progress=self._told,
        )
        self.report.calls += found.calls
        self.report.causes.update(found.causes)
        self.report.seed = found.seed
        self.report.interrupted = found.interrupted
        for clause, times in found.clauses.items():
            if clause in self.report.verdicts:
                self.report.verdicts[clause].times += times
        for failure in found.failures:
            self._take_failure(failure)

    _last = 0.0

    def _told(self, report: Any) -> None:
        if time.monotonic() - self._last >= 5:
            self._last = time.monotonic()
            self.progress(f"fuzz: {report.calls} calls in {report.runs} runs")

    def _judge(self, verdict: Verdict, without: frozenset[str]) -> None:
        operation = verdict.clause.partition("/")[0]
        if verdict.status != UNTESTED:
            return
        if operation in without:
            verdict.status, verdict.reason = UNSUPPORTED, f"{operation} is not supported"
        elif verdict.times > 0:
            verdict.status, verdict.reason = PASS, ""
        else:
            verdict.status = verdict.unless_seen


def _bare(calls: list[Recorded]) -> list[Recorded]:
    return [Recorded(c.operation, c.arguments, probe=c.probe) for c in calls]
