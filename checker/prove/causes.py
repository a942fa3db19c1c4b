"""Which causes a call can have: shown by a call that has it, or proved to be none in any state that satisfies the invariants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import z3

from ...model.concrete import Model
from ...model.language import Action, Spec, SpecError
from ...model.recording import Cause, every
from ...model.symbolic import Finite, Symbolic, checked, new_solver
from ..suite import named, replayed, stored_suite

LIMIT = 3_000_000
"""What the solver may spend on a cause, in its own units."""


@dataclass
class Judged:
    """Causes, by name: those that were shown possible, those proved impossible, and the others."""

    possible: list[str] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    def __iadd__(self, other: Judged) -> Judged:
        self.possible += other.possible
        self.impossible += other.impossible
        self.undecided += other.undecided
        return self


class ComeTo:
    """The clauses and causes that calls of a spec's stored suite come to, as far as it was asked for them."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self._found = spec, set[str]()
        self._left = [s for s in stored_suite(spec) if s.causes]
        self._models: dict[str, Model] = {}

    def by(self, operation: str) -> set[str]:
        """Those of an operation among them.  A sequence says to which it is the first to come; whether it does is seen."""
        for sequence in self._left:
            if any(cause.startswith(f"{operation}/") for cause in sequence.causes):
                model = self._models.setdefault(sequence.scope, Model(self.spec, sequence.sizes(self.spec)))
                for action, vector, arguments, outcome in replayed(model, sequence.calls[: sequence.ending]):
                    self._found.add(f"{action.name}/{outcome.exit}")
                    self._found.update(named(model, action, vector, arguments, outcome.exit))
        self._left = [s for s in self._left if not self._found.issuperset(s.causes)]
        return self._found


def judged(
    symbolic: Symbolic,
    base: list[z3.BoolRef],
    action: Action,
    reached: Iterable[set[str]],
    finite: Iterator[tuple[Finite, z3.Solver]],
) -> Judged:
    """The causes of an operation: `reached` are those that some calls were seen to have, the later ones asked for only where a
    cause may be possible, `base` what is true of every state, and `finite` some finite scopes with solvers that hold that."""
    found, more = Judged(), iter(reached)
    had = next(filter(None, more), set[str]())
    scopes = list[tuple[Finite, z3.Solver]]()
    for cause in every(symbolic.spec, [action.name]):
        if str(cause) in had:
            found.possible.append(str(cause))
            continue
        solver = new_solver()
        solver.set(auto_config=False)
        solver.set("rlimit", LIMIT)
        solver.add(*base, *symbolic.call_assumptions(action))
        try:
            solver.add(*symbolic.condition(action, cause.condition))
            answer = checked(solver)
        except SpecError:
            # who is at the head of a line cannot be asked of all elements at once
            answer = None
        if answer == z3.unsat:
            found.impossible.append(str(cause))
            continue
        had = had.union(*more)
        is_shown = str(cause) in had
        if not is_shown and answer is not None:
            scopes = scopes or list(finite)
            is_shown = any(_shown(*scope, action, cause) for scope in scopes)
        (found.possible if is_shown else found.undecided).append(str(cause))
    return found


def _shown(finite: Finite, solver: z3.Solver, action: Action, cause: Cause) -> bool:
    """Whether a call with a cause is found in a scope, and has it when it is made."""
    solver.push()
    solver.add(*finite.symbolic.call_assumptions(action), *finite.symbolic.condition(action, cause.condition))
    found = finite.solution(solver, action) if checked(solver) == z3.sat else None
    solver.pop()
    if found is None:
        return False
    before, arguments = found
    try:
        exit = finite.model.step(action, before, arguments).exit
    except SpecError:
        return False
    return str(cause) in named(finite.model, action, before, arguments, exit)

