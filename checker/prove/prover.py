"""Proof that the initial state satisfies, and every operation preserves, every invariant, for systems of any size.

An obligation is operation x exit x statement.  It is asked of Z3 with no bound on anything; every solution would be
a counterexample to induction.  What is not proved is looked for in small finite scopes, where quantifiers are written out
and Z3 answers at once, and what it finds there is replayed by the concrete reading before anyone is told.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import lru_cache
from multiprocessing import get_context
from typing import Any

import z3

from ...model.concrete import Model, Vector
from ...model.graph import run, with_fresh_names
from ...model.language import (
    EFFECTIVE,
    OK,
    Action,
    Declaration,
    Exploration,
    Invariant,
    Spec,
    SpecError,
    Step,
    StepProperty,
    load,
)
from ...model.search import Explorer, Limits
from ...model.symbolic import Finite, Path, Symbolic, Term, growing_scopes, smaller_scope, spoken_of

QUICK = 2_000_000
"""What the solver may spend on an obligation (in its own units, the same on every machine) before finite scopes are tried."""
PATIENT = 60_000_000
"""What it may spend when no finite scope has a counterexample."""
FINITE = 20_000_000

PROVED, REFUTED, UNKNOWN = "proved", "refuted", "unknown"
INITIALLY = "initially"
IDENTITY = "refusal_is_identity"
DEFINED = "well_defined"


@dataclass(frozen=True)
class Counterexample:
    """A state that satisfies every invariant, and a call in it after which a statement does not hold.

    `scope` is the finite scope of the states, `before` is None for the initial state; `binding` says for which elements
    the statement fails; `text` says it in a sentence.  `trace` is the shortest way from the initial state to such a step in
    `trace_scope`, if one was found; its last call is the bad one.
    """

    scope: dict[str, int]
    before: Vector | None
    arguments: dict[str, int]
    exit: str
    after: Vector | None
    binding: dict[str, int]
    text: str
    trace: list[Step] | None = None
    trace_scope: dict[str, int] | None = None


@dataclass(frozen=True)
class Obligation:
    """One cell of the matrix: an exit of an operation against a statement, over all of its paths."""

    operation: str
    exit: str
    statement: str
    status: str
    seconds: float
    counterexample: Counterexample | None = None
    reason: str = ""


@dataclass
class Report:
    """What was proved.  `paths` counts paths by operation; `vacuous` lists the exits (clauses) that could not be shown
    possible; `problem` is set where the spec could not be read at all."""

    obligations: list[Obligation] = field(default_factory=list)
    paths: dict[str, int] = field(default_factory=dict)
    exits: int = 0
    vacuous: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, status: str) -> int:
        return sum(o.status == status for o in self.obligations)


class _Prover:
    """Proves the obligations of one spec, keeping what they share."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.symbolic = Symbolic(spec)
        self._finite: dict[tuple[tuple[str, int], ...], tuple[Finite, z3.Solver]] = {}
        self._base = _hypotheses(self.symbolic)
        self._opened: tuple[Model, list[Vector]] | None = None
        self._seen: dict[str, set[str]] = {}

    def finite(self, scope: dict[str, int]) -> tuple[Finite, z3.Solver]:
        """The finite scope with a solver that holds what is true of every state of it."""
        key = tuple(scope.items())
        if key not in self._finite:
            symbolic = Symbolic(self.spec, scope)
            solver = z3.Solver()
            solver.set("rlimit", FINITE)
            solver.add(_hypotheses(symbolic))
            self._finite[key] = Finite(symbolic), solver
        return self._finite[key]

    def operation(self, name: str, statements: frozenset[str] | None) -> Report:
        started = time.monotonic()
        report = Report()
        if name == INITIALLY:
            path = self.symbolic.initial()
            report.paths[name] = 1
            base = [*self.symbolic.axioms(), *path.assumptions]
            report.obligations += self._preserved(None, OK, [(path, base)], statements)
        else:
            action = self.spec.actions[name]
            paths = self.symbolic.paths(action)
            report.paths[name] = len(paths)
            for exit in dict.fromkeys(p.exit for p in paths):
                given = [p for p in paths if p.exit == exit]
                report.exits += 1
                if statements is None and not self._possible(action, exit):
                    report.vacuous.append(f"{name}/{exit}")
                if exit in EFFECTIVE:
                    assumed = [*self._base, *self.symbolic.call_assumptions(action)]
                    ways = [(p, [*assumed, *p.assumptions]) for p in given]
                    report.obligations += self._preserved(action, exit, ways, statements)
                elif statements is None or IDENTITY in statements:
                    # the reading itself raises SpecError for a refusal after an effect, so the frame is everything
                    same = all(not p.changed for p in given)
                    report.obligations.append(Obligation(name, exit, IDENTITY, PROVED if same else UNKNOWN, 0.0))
        report.seconds = time.monotonic() - started
        return report

    def _preserved(
        self, action: Action | None, exit: str, ways: list[tuple[Path, list[Any]]], statements: frozenset[str] | None
    ) -> Iterator[Obligation]:
        solvers = [(path, _solver(base)) for path, base in ways]
        name = action.name if action else INITIALLY
        for statement in _statements(self.spec, action, self.symbolic.components.values(), statements):
            began = time.monotonic()
            status, found, reason = PROVED, None, ""
            for path, solver in solvers:
                status, found, reason = self._ask(action, path, solver, statement)
                if status != PROVED:
                    break
            yield Obligation(name, exit, statement.name, status, time.monotonic() - began, found, reason)

    def _ask(
        self, action: Action | None, path: Path, solver: z3.Solver, statement: _Statement
    ) -> tuple[str, Counterexample | None, str]:
        refutation = statement.refutation(self.symbolic, action, path)
        if refutation is None:
            return PROVED, None, ""
        for limit in (QUICK, PATIENT):
            solver.push()
            solver.set("rlimit", limit)
            solver.add(refutation)
            answer = solver.check()
            reason = solver.reason_unknown() if answer == z3.unknown else ""
            solver.pop()
            if answer == z3.unsat:
                return PROVED, None, ""
            if limit == QUICK and (found := self._refute(action, path.exit, statement)):
                return REFUTED, found, ""
        if answer == z3.sat:
            reason = "a counterexample exists, but none in the finite scopes that were tried"
        return UNKNOWN, None, reason

    def _refute(self, action: Action | None, exit: str, statement: _Statement) -> Counterexample | None:
        for scope in growing_scopes(self.spec):
            found = self._refute_in(scope, action, exit, statement)
            if found:
                return self._smallest(found, action, exit, statement)
        return None

    def _smallest(self, found: Counterexample, action: Action | None, exit: str, statement: _Statement) -> Counterexample:
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

    def _refute_in(self, scope: dict[str, int], action: Action | None, exit: str, statement: _Statement) -> Counterexample | None:
        finite, solver = self.finite(scope)
        model = finite.model
        if action is None:
            after = model.initial()
            return statement.broken(model, None, None, {}, OK, after)
        for path in finite.symbolic.paths(action):
            if path.exit != exit:
                continue
            refutation = statement.refutation(finite.symbolic, action, path)
            if refutation is None:
                continue
            solver.push()
            solver.add(*finite.symbolic.call_assumptions(action), *path.assumptions, *refutation)
            answer = solver.check()
            state = finite.smallest(solver, action) if answer == z3.sat else None
            solver.pop()
            if state:
                return _replayed(model, action, exit, statement, *state)
        return None

    def _possible(self, action: Action, exit: str) -> bool:
        """Some state that satisfies every invariant, and some arguments, lead to `exit`: shown by replaying them.

        First looked for where the spec's openings lead, which is reachable; then asked of Z3.
        """
        if action.name not in self._seen:
            self._seen[action.name] = self._reached(action)
        if exit in self._seen[action.name]:
            return True
        for scope in growing_scopes(self.spec):
            finite, solver = self.finite(scope)
            for path in finite.symbolic.paths(action):
                if path.exit != exit:
                    continue
                solver.push()
                solver.add(*finite.symbolic.call_assumptions(action), *path.assumptions)
                shown = solver.check() == z3.sat and finite.solution(solver, action)
                solver.pop()
                if shown:
                    return _reaches(finite.model, action, exit, *shown)
        return False

    def _reached(self, action: Action) -> set[str]:
        """The exits of calls made in the initial state or after an opening: a sample, the same every time."""
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
                    found.add(model.call(action, state, arguments).exit)
                except SpecError:
                    continue  # the spec's text makes no sense there; `well_defined` says so
        return found

    def _states(self, model: Model) -> Iterator[Vector]:
        for opening in self.spec.openings.values():
            try:
                yield run(model, with_fresh_names(model, opening))
            except SpecError:
                continue  # with a bug planted an opening may be refused


SAMPLE = 100
"""How many calls of an operation are made in a state to see where they lead."""


def _reaches(model: Model, action: Action, exit: str, before: Vector, arguments: dict[str, int]) -> bool:
    try:
        return model.call(action, before, arguments).exit == exit
    except SpecError:
        return True  # the exit is possible, and its text makes no sense there: `well_defined` is refuted


def _replayed(
    model: Model, action: Action, exit: str, statement: _Statement, before: Vector, arguments: dict[str, int]
) -> Counterexample:
    try:
        outcome = model.call(action, before, arguments)
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


def _solver(base: list[Any]) -> z3.Solver:
    solver = z3.Solver()
    solver.set(auto_config=False)
    solver.add(base)
    return solver


@dataclass(frozen=True)
class _Statement:
    """What an obligation is about: how to deny it on a path, and how to see it fail concretely."""

    name: str
    refutation: Callable[[Symbolic, Action | None, Path], list[z3.BoolRef] | None]
    broken: Callable[[Model, Vector | None, Action | None, dict[str, int], str, Vector], Counterexample | None]


def _statements(
    spec: Spec, action: Action | None, components: Iterable[Any], chosen: frozenset[str] | None
) -> Iterator[_Statement]:
    declared: list[Declaration] = list(spec.invariants.values())
    if action is not None:
        declared += spec.step_properties.values()
    for declaration in declared:
        if chosen is None or declaration.name in chosen:
            yield _declared(declaration)
    for component in components:
        if component.kind == "queue" and (chosen is None or f"{component.name}.order" in chosen):
            yield _order(component.name)
    if chosen is None or DEFINED in chosen:
        yield _Statement(DEFINED, _undefined, lambda *_: None)


def _declared(declaration: Declaration) -> _Statement:
    def refutation(symbolic: Symbolic, action: Action | None, path: Path) -> list[z3.BoolRef] | None:
        if action is not None and isinstance(declaration, Invariant) and not symbolic.reads(declaration) & path.changed:
            return None
        denied = symbolic.denial(declaration, action, path)
        return [denied] if symbolic.world.scope is not None else [denied, *count_ties(symbolic, action, path)]

    def broken(
        model: Model, before: Vector | None, action: Action | None, arguments: dict[str, int], exit: str, after: Vector
    ) -> Counterexample | None:
        states: tuple[Any, ...] = (model.system(after),)
        if isinstance(declaration, StepProperty):
            assert before is not None
            assert action is not None
            states = model.step(before, action, arguments, after)
        binding = model.broken(declaration, *states)
        if binding is None:
            return None
        return Counterexample(model.scope, before, arguments, exit, after, binding, declaration.text)

    return _Statement(declaration.name, refutation, broken)


def _order(name: str) -> _Statement:
    def refutation(symbolic: Symbolic, action: Action | None, path: Path) -> list[z3.BoolRef] | None:
        changed = any(part.startswith(f"{name}.") for part in path.changed)
        return [z3.Not(dict(symbolic.order(path.after))[name])] if changed else None

    return _Statement(f"{name}.order", refutation, lambda *_: None)


def _undefined(symbolic: Symbolic, action: Action | None, path: Path) -> list[z3.BoolRef] | None:
    return [z3.Or([z3.Not(condition) for condition, _ in path.checks])] if path.checks else None


def count_ties(symbolic: Symbolic, action: Action | None, path: Path) -> list[z3.BoolRef]:
    """What ties each count asked for after a step to the count before it.

    A count is a function symbol before and one after.  Three facts about sets are all that is said of them: a set within
    another is no larger; within another and one element more, larger by one at most (both said of after within before, and
    of before within after), and by one exactly if that element did come or go; and an empty set has none.  The one element is
    any that the operation has in hand.  "Within" is denied by a witness of its own.
    """
    world, before = symbolic.world, symbolic.state
    hands: list[tuple[Any, z3.ExprRef]] = []
    if action is not None:
        hands += [(t.type, t.expr) for t in symbolic.arguments(action).values() if isinstance(t, Term)]
    hands += [(symbolic.components[h.queue].value, h.term) for h in path.heads]
    hands += path.after.written_at()
    hands = list({(kind, term.get_id()): (kind, term) for kind, term in hands}.values())
    ties: list[z3.BoolRef] = []
    for counter, key, system in symbolic.counted:
        kind = counter.slots[-1].type
        old, new = symbolic.count_function(counter, "")(*key), symbolic.count_function(counter, "'")(*key)

        def outside(but: list[z3.ExprRef], counter=counter, key=key, system=system, kind=kind) -> z3.BoolRef:  # type: ignore[no-untyped-def]
            witness = world.fresh(kind, "w")
            inside_after = symbolic.member(counter, system, key, witness)
            inside_before = symbolic.member(counter, before, key, witness)
            return z3.And(inside_after, z3.Not(inside_before), *(witness != e for e in but))

        def gone(but: list[z3.ExprRef], counter=counter, key=key, system=system, kind=kind) -> z3.BoolRef:  # type: ignore[no-untyped-def]
            witness = world.fresh(kind, "w")
            inside_after = symbolic.member(counter, system, key, witness)
            inside_before = symbolic.member(counter, before, key, witness)
            return z3.And(inside_before, z3.Not(inside_after), *(witness != e for e in but))

        ties += [z3.Or(outside([]), new <= old), z3.Or(gone([]), new >= old)]
        ties += [z3.Or(outside([term]), new <= old + 1) for hand, term in hands if hand is kind]
        ties += [z3.Or(gone([term]), new >= old - 1) for hand, term in hands if hand is kind]
        for hand, term in hands:
            if hand is kind:
                was, now = symbolic.member(counter, before, key, term), symbolic.member(counter, system, key, term)
                ties.append(z3.Or(outside([]), z3.Not(was), now, new <= old - 1))
                ties.append(z3.Or(gone([]), was, z3.Not(now), new >= old + 1))
        named = [world.lift(kind, c) for c in kind.constants] if action is None else []
        witness = world.fresh(kind, "w")
        others = z3.And(symbolic.member(counter, system, key, witness), *(witness != c for c in named))
        ties.append(z3.Or(others, new <= len(named)))
    return ties


@lru_cache(maxsize=4)
def _prover(where: str) -> _Prover:
    return _Prover(load(where))


def _work(where: str, operation: str, statements: frozenset[str] | None) -> Report:
    return _prover(where).operation(operation, statements)


def operations(spec: Spec, chosen: Iterable[str] = ()) -> list[str]:
    """The rows of the matrix.  Raises SpecError for an operation that there is not."""
    known = [INITIALLY, *spec.actions]
    wrong = [name for name in chosen if name not in known]
    if wrong:
        raise SpecError(f"no operation is called {wrong[0]!r}; there are {', '.join(known)}")
    return list(chosen) or known


def statement_names(spec: Spec, chosen: Iterable[str] = ()) -> list[str]:
    """The columns of the matrix.  Raises SpecError for a statement that there is not."""
    queues = [f"{c.name}.order" for c in spec.components if c.kind == "queue"]
    known = [*spec.invariants, *spec.step_properties, *queues, DEFINED, IDENTITY]
    wrong = [name for name in chosen if name not in known]
    if wrong:
        raise SpecError(f"no invariant is called {wrong[0]!r}; there are {', '.join(known)}")
    return list(chosen) or known


def prove(
    spec: Spec,
    *,
    chosen_operations: Iterable[str] = (),
    chosen_statements: Iterable[str] = (),
    jobs: int = 1,
    traces: bool = True,
    progress: Callable[[str, Report], None] | None = None,
) -> Report:
    """Prove a spec.  `jobs` processes share the operations; a spec that cannot be loaded by name is proved in this one.

    With `traces`, each refuted obligation gets a shortest trace from the initial state where a small scope has one.
    """
    started = time.monotonic()
    names = operations(spec, chosen_operations)
    statements = frozenset(statement_names(spec, chosen_statements)) if chosen_statements else None
    by_name: dict[str, Report] = {}

    def took(name: str, report: Report) -> None:
        by_name[name] = report
        if progress:
            progress(name, report)

    if jobs > 1 and spec.where and len(names) > 1:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            waiting = {pool.submit(_work, spec.where, name, statements): name for name in _longest_first(spec, names)}
            for done in as_completed(waiting):
                took(waiting[done], done.result())
    else:
        prover = _Prover(spec)
        for name in names:
            took(name, prover.operation(name, statements))

    whole = Report()
    for name in names:
        part = by_name[name]
        whole.obligations += part.obligations
        whole.paths |= part.paths
        whole.exits += part.exits
        whole.vacuous += part.vacuous
    if traces:
        whole.obligations = _with_traces(spec, whole.obligations)
    whole.seconds = time.monotonic() - started
    return whole


def _longest_first(spec: Spec, names: list[str]) -> list[str]:
    """What changes much takes long: the statements about it have long terms."""
    symbolic = Symbolic(spec)
    paths = {n: symbolic.paths(spec.actions[n]) if n in spec.actions else [] for n in names}
    weight = {n: sum(len(p.changed) ** 2 for p in found) for n, found in paths.items()}
    return sorted(names, key=lambda n: -weight[n])


TRACE_SECONDS = 20.0


def _with_traces(spec: Spec, obligations: list[Obligation]) -> list[Obligation]:
    found: dict[str, tuple[list[Step], dict[str, int]] | None] = {}
    traced = []
    for o in obligations:
        if o.counterexample is not None:
            if o.statement not in found:
                found[o.statement] = shortest_trace(spec, o.statement, o.operation, o.counterexample.scope)
            if way := found[o.statement]:
                traced.append(replace(o, counterexample=replace(o.counterexample, trace=way[0], trace_scope=way[1])))
                continue
        traced.append(o)
    return traced


def shortest_trace(spec: Spec, statement: str, operation: str, scope: dict[str, int]) -> tuple[list[Step], dict[str, int]] | None:
    """The shortest sequence of calls from the initial state that breaks `statement`, in those explorations of the spec that
    call `operation`, the large ones if it needs more of something, or in `scope`."""

    def calling(explorations: Mapping[str, Exploration]) -> list[Exploration]:
        return [e for e in explorations.values() if operation not in spec.left_out(e)]

    found = _shortest(spec, statement, calling(spec.explorations) or [Exploration(scope)])
    fewest_first = sorted(calling(spec.large), key=lambda e: -len(spec.left_out(e)))
    return found or _shortest(spec, statement, fewest_first, symmetry=True)


def _shortest(
    spec: Spec, statement: str, tries: Sequence[Exploration], *, symmetry: bool = False
) -> tuple[list[Step], dict[str, int]] | None:
    shortest: tuple[list[Step], dict[str, int]] | None = None
    for exploration in tries:
        opening = spec.opening(exploration)
        deepest = len(shortest[0]) - 1 - len(opening) if shortest else None
        if deepest is not None and deepest < 0:
            continue
        limits = Limits(seconds=TRACE_SECONDS, depth=deepest)
        try:
            search = Explorer.of(spec, exploration, statements=[statement], symmetry=symmetry).run(limits)
        except SpecError:
            # the bug leaves something behind by which free names are told apart
            search = Explorer.of(spec, exploration, statements=[statement]).run(limits)
        traces = [v.trace for v in search.violations if v.statement.name == statement]
        if traces:
            shortest = min(traces, key=len), search.model.scope
    return shortest
