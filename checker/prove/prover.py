"""Proof that the initial state satisfies, and every operation preserves, every invariant, for systems of any size.

An obligation is operation x exit x statement.  It is asked of Z3 with no bound on anything; every solution would be
a counterexample to induction.  What is not proved is looked for in small finite scopes, where quantifiers are written out
and Z3 answers at once, and what it finds there is replayed by the concrete reading before anyone is told.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import z3

from ...model.concrete import Model, Vector
from ...model.graph import run, with_fresh_names
from ...model.language import (
    EFFECTIVE,
    OK,
    Action,
    Declaration,
    Spec,
    SpecError,
    check_interrupted,
)
from ...model.symbolic import Finite, Path, Premises, Symbolic, checked, growing_scopes, new_solver, smaller_scope, spoken_of
from ..suite import named
from .beside import Beside
from .causes import ComeTo, Judged, judged
from .counting import emptiness
from .obligations import IDENTITY, INITIALLY, PROVED, REFUTED, UNKNOWN, Counterexample, Disagreement, Obligation, Report
from .statements import Statement, statements_of

BRIEF = 200_000
"""What the solver may spend on an obligation (in its own units, the same on every machine) before it is given fewer premises."""

QUICK = 2_000_000
"""What it may spend before finite scopes are tried."""

PATIENT = 60_000_000
"""What it may spend when no finite scope has a counterexample."""

FINITE = 20_000_000

Ways = list[tuple[Path, list[Any]]]
"""The paths of an operation to an exit, each with what is assumed of the state before and of the call."""


class Prover:
    """Proves the obligations of one spec, keeping what they share; `alone`, without holding what is proved against the concrete
    reading."""

    def __init__(self, spec: Spec, *, alone: bool = False) -> None:
        self.spec = spec
        self.beside = None if alone else Beside(spec)
        self.symbolic = Symbolic(spec)
        self._finite: dict[tuple[tuple[str, int], ...], tuple[Finite, z3.Solver]] = {}
        self._base = _hypotheses(self.symbolic)
        self._premises: Premises | None = None
        self._opened: tuple[Model, list[Vector]] | None = None
        self._seen: dict[str, set[str]] = {}
        self._had: ComeTo | None = None

    def finite(self, scope: dict[str, int]) -> tuple[Finite, z3.Solver]:
        """The finite scope with a solver that holds what is true of every state of it."""
        key = tuple(scope.items())
        if key not in self._finite:
            symbolic = Symbolic(self.spec, scope)
            solver = new_solver()
            solver.set("rlimit", FINITE)
            solver.add(_hypotheses(symbolic))
            self._finite[key] = Finite(symbolic), solver
        return self._finite[key]

    def operation(self, name: str, statements: frozenset[str] | None) -> Report:
        started = time.monotonic()
        report = Report()
        if name == INITIALLY:
            report.paths[name] = 1
            for action, exit, ways in self.ways(name):
                report.obligations += self._preserved(action, exit, ways, statements)
        else:
            action = self.spec.actions[name]
            paths = self.symbolic.paths(action)
            report.paths[name] = len(paths)
            if not any(p.exit in EFFECTIVE for p in paths):
                report.exits += 1
                report.vacuous.append(f"{name}/{OK}")
            for exit in dict.fromkeys(p.exit for p in paths):
                given = [p for p in paths if p.exit == exit]
                report.exits += 1
                if statements is None and not self._possible(action, exit):
                    report.vacuous.append(f"{name}/{exit}")
                if exit in EFFECTIVE:
                    report.obligations += self._preserved(action, exit, self._assuming(action, given), statements)
                elif statements is None or IDENTITY in statements:
                    # the reading itself raises SpecError for a refusal after an effect, so the frame is everything
                    same = all(not p.changed for p in given)
                    report.obligations.append(Obligation(name, exit, IDENTITY, PROVED if same else UNKNOWN, 0.0))
            if statements is None:
                report.causes = self._causes(action)
            if self.beside is not None:
                report.tried, report.disagreements = self.beside.disagreements(action, report.obligations, self._witness)
                report.obligations = [_doubted(o, report.disagreements) for o in report.obligations]
        report.seconds = time.monotonic() - started
        return report

    def ways(self, name: str) -> Iterator[tuple[Action | None, str, Ways]]:
        """Of an operation that takes effect, or of the initial state: by exit, its paths with what is assumed on each."""
        if name == INITIALLY:
            path = self.symbolic.initial()
            yield None, OK, [(path, [*self.symbolic.axioms(), *path.assumptions])]
            return
        action = self.spec.actions[name]
        paths = self.symbolic.paths(action)
        for exit in dict.fromkeys(p.exit for p in paths if p.exit in EFFECTIVE):
            yield action, exit, self._assuming(action, [p for p in paths if p.exit == exit])

    def _assuming(self, action: Action, paths: Sequence[Path]) -> Ways:
        assumed = [*self._base, *self.symbolic.call_assumptions(action)]
        return [(p, [*assumed, *p.assumptions]) for p in paths]

    def _preserved(
        self, action: Action | None, exit: str, ways: Ways, statements: frozenset[str] | None
    ) -> Iterator[Obligation]:
        solvers = [(path, _solver(base)) for path, base in ways]
        name = action.name if action else INITIALLY
        for statement in statements_of(self.spec, action, self.symbolic.components.values(), statements):
            began = time.monotonic()
            status, found, reason = PROVED, None, ""
            check_interrupted()
            for path, solver in solvers:
                status, found, reason = self._ask(action, path, solver, statement)
                if status != PROVED:
                    break
            yield Obligation(name, exit, statement.name, status, time.monotonic() - began, found, reason)

    def _ask(
        self, action: Action | None, path: Path, solver: z3.Solver, statement: Statement
    ) -> tuple[str, Counterexample | None, str]:
        refutation = statement.refutation(self.symbolic, action, path)
        if refutation is None:
            return PROVED, None, ""
        if _answer(solver, BRIEF, refutation)[0] == z3.unsat:
            return PROVED, None, ""
        if any(_answer(_solver(some), QUICK, refutation)[0] == z3.unsat for some in self._likely(solver, refutation)):
            return PROVED, None, ""
        # whether a proof is found soon is luck, which another seed may have: that is tried between two scopes, once the smallest
        # have shown nothing
        for seed, scope in enumerate(growing_scopes(self.spec)):
            if seed not in range(1, SMALLEST) and _answer(solver, QUICK, refutation, seed)[0] == z3.unsat:
                return PROVED, None, ""
            if found := self._refute_in(scope, action, path.exit, statement):
                return REFUTED, self._smallest(found, action, path.exit, statement), ""
        answer, reason = _answer(solver, PATIENT, [*refutation, *emptiness(self.symbolic, path)])
        if answer == z3.unsat:
            return PROVED, None, ""
        if answer == z3.sat:
            return UNKNOWN, None, "a counterexample exists, but none in the finite scopes that were tried"
        return UNKNOWN, None, reason

    def _likely(self, solver: z3.Solver, refutation: list[Any]) -> Iterator[list[z3.BoolRef]]:
        if self._premises is None:
            self._premises = Premises(self._base)
        return self._premises.likely(list(solver.assertions()), refutation)

    def _smallest(self, found: Counterexample, action: Action | None, exit: str, statement: Statement) -> Counterexample:
        """A counterexample in less: at once without what this one does not speak of, then one element less at a time."""
        declared: dict[str, Declaration] = {**self.spec.invariants, **self.spec.step_properties}
        slots = [(s, found.arguments) for s in (action.slots if action else ())]
        slots += [(s, found.binding) for s in (declared[statement.name].slots if found.binding else ())]
        values = [(slot.type, given[slot.name]) for slot, given in slots]
        states = [vector for vector in (found.before, found.after) if vector is not None]
        spoken = spoken_of(self.finite(found.scope)[0].model, states, values)
        if spoken != found.scope:
            found = self._refute_in(spoken, action, exit, statement) or found
        for kind in self.spec.sorts:
            while less := smaller_scope(self.spec, found.scope, kind):
                fewer = self._refute_in(less, action, exit, statement)
                if fewer is None:
                    break
                found = fewer
        return found

    def _refute_in(self, scope: dict[str, int], action: Action | None, exit: str, statement: Statement) -> Counterexample | None:
        finite, solver = self.finite(scope)
        model = finite.model
        if action is None:
            return statement.broken(model, None, None, {}, OK, model.initial()) or self._refute_initially(finite, statement)
        for path in finite.symbolic.paths(action):
            if path.exit != exit:
                continue
            refutation = statement.refutation(finite.symbolic, action, path)
            if refutation is None:
                continue
            solver.push()
            solver.add(*finite.symbolic.call_assumptions(action), *path.assumptions, *refutation)
            answer = checked(solver)
            state = finite.smallest(solver, action) if answer == z3.sat else None
            solver.pop()
            if state:
                return _replayed(model, action, exit, statement, *state)
        return None

    @staticmethod
    def _refute_initially(finite: Finite, statement: Statement) -> Counterexample | None:
        """An initial state, with rigid maps of other values than the spec gives for its scopes, in which a statement fails."""
        path = finite.symbolic.initial()
        refutation = statement.refutation(finite.symbolic, None, path)
        if refutation is None or not any(c.kind == "rigid" for c in finite.model.components):
            return None
        solver = new_solver()
        solver.set("rlimit", FINITE)
        solver.add(*finite.symbolic.axioms(), *path.assumptions, *refutation)
        if checked(solver) != z3.sat:
            return None
        return statement.broken(finite.model, None, None, {}, OK, finite.initial(solver))

    def _possible(self, action: Action, exit: str) -> bool:
        """Some state that satisfies every invariant, and some arguments, lead to `exit`: shown by replaying them.

        First looked for in the stored suite and where the spec's openings lead, which is reachable; then asked of Z3.
        """
        if any(f"{action.name}/{exit}" in seen for seen in self._called(action)):
            return True
        for scope in growing_scopes(self.spec):
            shown = self._solution(scope, action, exit)
            if shown:
                return _reaches(self.finite(scope)[0].model, action, exit, *shown)
        return False

    def _witness(self, scope: dict[str, int], action: Action, exit: str) -> Vector | None:
        shown = self._solution(scope, action, exit)
        return shown[0] if shown else None

    def _solution(self, scope: dict[str, int], action: Action, exit: str) -> tuple[Vector, dict[str, Any]] | None:
        """A state of a scope that satisfies every invariant, and arguments with which an operation comes to an exit in it."""
        finite, solver = self.finite(scope)
        for path in finite.symbolic.paths(action):
            if path.exit == exit:
                solver.push()
                solver.add(*finite.symbolic.call_assumptions(action), *path.assumptions)
                shown = finite.solution(solver, action) if checked(solver) == z3.sat else None
                solver.pop()
                if shown:
                    return shown
        return None

    def _causes(self, action: Action) -> Judged:
        """Which causes calls of an operation can have."""
        scopes = (self.finite(scope) for scope in itertools.islice(growing_scopes(self.spec), SMALLEST))
        return judged(self.symbolic, self._base, action, self._called(action), scopes)

    def _called(self, action: Action) -> Iterator[set[str]]:
        """What calls of the stored suite come to; then what others do."""
        if self._had is None:
            self._had = ComeTo(self.spec)
        yield self._had.by(action.name)
        if action.name not in self._seen:
            self._seen[action.name] = self._reached(action)
        yield self._seen[action.name]

    def _reached(self, action: Action) -> set[str]:
        """The clauses and causes of calls made in the initial state or after an opening: a sample, the same every time."""
        if self._opened is None:
            model = Model(self.spec, self.spec.fuzz_scope)
            self._opened = model, [model.initial(), *self._states(model)]
        model, states = self._opened
        chance = random.Random(0)
        found = set()
        for state in states:
            calls = [c for c in model.calls(action, state) if c is not None]
            for arguments in chance.sample(calls, min(SAMPLE, len(calls))):
                try:
                    exit = model.step(action, state, arguments).exit
                    found |= {f"{action.name}/{exit}", *named(model, action, state, arguments, exit)}
                except SpecError:
                    continue  # the spec's text makes no sense there; `well_defined` says so
        return found

    def _states(self, model: Model) -> Iterator[Vector]:
        for opening in self.spec.openings.values():
            try:
                yield run(model, with_fresh_names(model, opening))
            except SpecError:
                continue  # with a bug planted an opening may be refused


SMALLEST = 2
"""How many finite scopes are the smallest: a call with a cause is looked for in these, and a counterexample before all else."""

SAMPLE = 100
"""How many calls of an operation are made in a state to see where they lead."""


def _doubted(o: Obligation, disagreements: list[Disagreement]) -> Obligation:
    """What is called proved and is not so is not known any more."""
    if any((d.exit, d.statement) == (o.exit, o.statement) for d in disagreements):
        return replace(o, status=UNKNOWN, reason="the solver calls it proved, and a call of the concrete reading breaks it")
    return o


def _reaches(model: Model, action: Action, exit: str, before: Vector, arguments: dict[str, int]) -> bool:
    try:
        return model.step(action, before, arguments).exit == exit
    except SpecError:
        return True  # the exit is possible, and its text makes no sense there: `well_defined` is refuted


def _replayed(
    model: Model, action: Action, exit: str, statement: Statement, before: Vector, arguments: dict[str, int]
) -> Counterexample:
    try:
        outcome = model.step(action, before, arguments)
    except SpecError as error:
        return Counterexample(model.scope, before, arguments, exit, None, {}, str(error))
    found = statement.broken(model, before, action, arguments, outcome.exit, outcome.shown)
    if outcome.exit != exit or found is None:
        raise AssertionError(
            f"{action.name}/{exit} against {statement.name}: Z3 gives a counterexample that the concrete reading does not "
            "confirm; the two readings disagree, which is a fault of this tool"
        )
    return found


def _hypotheses(symbolic: Symbolic) -> list[z3.BoolRef]:
    """What may be assumed of the state that an operation finds: all invariants, and how states are made."""
    invariants = [symbolic.statement(i, symbolic.state) for i in symbolic.spec.invariants.values()]
    return [*symbolic.axioms(), *(order for _, order in symbolic.order(symbolic.state)), *invariants]


def _answer(solver: z3.Solver, limit: int, assertions: list[Any], seed: int = 0) -> tuple[z3.CheckSatResult, str]:
    """What the solver says of what it holds and some assertions, for so much work; where it does not know, why."""
    solver.push()
    solver.set("rlimit", limit)
    solver.set("random_seed", seed)
    solver.add(assertions)
    answer = checked(solver)
    reason = solver.reason_unknown() if answer == z3.unknown else ""
    solver.pop()
    return answer, reason


def _solver(base: list[Any]) -> z3.Solver:
    solver = new_solver()
    solver.set(auto_config=False)
    solver.add(base)
    return solver
