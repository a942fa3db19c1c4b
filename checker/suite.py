"""The fixed conformance suite: short sequences of calls that together reach every clause, drawn from the explored graphs.

They are the same on every machine, because exploration is. For each profile the graphs of the spec's scopes are searched
with the operations of that profile alone; a clause is reached by a shortest way to it, and refusals that lie on that way
are tried there too, since they change nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ..model.concrete import Model, Vector
from ..model.graph import explore
from ..model.reading import SpecError
from ..model.spec import ALL, Exploration, Spec, Step, load
from ..model.vocabulary import Members
from .explore import clauses


@dataclass(frozen=True)
class Sequence:
    """Calls in the model's values, from reset on, in a scope (by the name of an exploration): what they are to come to."""

    scope: str
    calls: tuple[Step, ...]
    clauses: tuple[str, ...]

    @property
    def operations(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.calls)


@dataclass(frozen=True)
class Way:
    """A shortest way to a clause: the effective calls before it, and the one that comes to it."""

    clause: str
    before: tuple[Step, ...]
    call: Step
    refused: bool


def generate(spec: Spec, *, jobs: int = 1) -> list[Sequence]:
    """The suite of a spec: profile by profile, what is not in it yet."""
    made: list[Sequence] = []
    for profile in (*spec.profiles, ALL):
        operations = spec.profile(profile)
        reached = {clause for s in within(made, operations) for clause in s.clauses}
        names = [name for name, e in spec.explorations.items() if _wanted(spec, e, operations)]
        if jobs > 1 and spec.where:
            with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
                found = list(pool.map(_work, [(spec.where, name, operations) for name in names]))
        else:
            found = [ways(spec, name, operations) for name in names]
        for name, each in zip(names, found, strict=True):
            for sequence in _sequences(spec, name, [way for way in each if way.clause not in reached]):
                reached |= set(sequence.clauses)
                made.append(sequence)
    return made


def _wanted(spec: Spec, exploration: Exploration, operations: Collection[str]) -> bool:
    opening = spec.openings[exploration.opening] if exploration.opening else ()
    return all(name in operations for name, _ in opening)


def _work(job: tuple[str, str, frozenset[str]]) -> list[Way]:
    where, name, operations = job
    return ways(load(where), name, operations)


def ways(spec: Spec, name: str, operations: Collection[str]) -> list[Way]:
    """A shortest way to every clause of a scope that these operations reach."""
    exploration = spec.explorations[name]
    graph = explore(
        Model(spec, exploration.sizes, exploration.arguments),
        without={*spec.left_out(exploration), *(n for n in spec.actions if n not in operations)},
        opening=spec.openings[exploration.opening] if exploration.opening else (),
        statements=frozenset(),
    )
    found = []
    for clause, (vector, call) in graph.witnesses.items():
        outcome = graph.model.call(spec.actions[call[0]], vector, call[1])
        found.append(Way(clause, tuple(graph.trace(vector)), call, not outcome.effective))
    return found


def _sequences(spec: Spec, scope: str, found: Iterable[Way]) -> list[Sequence]:
    """The longest ways first; a refusal joins a sequence that passes by the state where it was found."""
    model = Model(spec, spec.explorations[scope].sizes)
    ordered = sorted(found, key=lambda way: (-len(way.before) - (not way.refused), way.clause))
    missing = {way.clause: way for way in ordered}
    refusals: dict[Vector, list[Way]] = {}
    for way in ordered:
        if way.refused:
            refusals.setdefault(_after(model, way.before), []).append(way)
    made = []
    for way in ordered:
        if way.clause not in missing:
            continue
        calls: list[Step] = []
        reached: list[str] = []
        vector = model.initial()
        for step in (*way.before, *(() if way.refused else (way.call,)), None):
            for refusal in refusals.get(vector, ()):
                if refusal.clause in missing:
                    calls.append(refusal.call)
                    reached.append(refusal.clause)
                    del missing[refusal.clause]
            if step is not None:
                calls.append(step)
                outcome = model.call(spec.actions[step[0]], vector, step[1])
                reached += _reached(spec, model, vector, step, outcome)
                vector = outcome.state
        for clause in reached:
            missing.pop(clause, None)
        made.append(Sequence(scope, tuple(calls), tuple(dict.fromkeys(reached))))
    return made


def _after(model: Model, steps: Iterable[Step]) -> Vector:
    vector = model.initial()
    for name, arguments in steps:
        vector = model.call(model.spec.actions[name], vector, arguments).state
    return vector


def _reached(spec: Spec, model: Model, vector: Vector, step: Step, outcome: Any) -> list[str]:
    found = [f"{step[0]}/{outcome.exit}"]
    if outcome.shown is not outcome.state and spec.late:
        late = spec.late(model.system(vector), model.system(outcome.shown), model.scope)
        found += [each.clause for each in late]
    return found


def within(suite: Iterable[Sequence], operations: Collection[str]) -> list[Sequence]:
    """The sequences that call these operations only."""
    return [s for s in suite if s.operations <= set(operations)]


def write(spec: Spec, suite: Iterable[Sequence]) -> str:
    """A suite as text, a sequence a line; fresh names are left out, they are the least free ones."""
    lines = [json.dumps({"scope": s.scope, "calls": [_call(spec, c) for c in s.calls], "clauses": s.clauses}) for s in suite]
    return "\n".join(lines) + "\n"


def _call(spec: Spec, call: Step) -> list[Any]:
    name, arguments = call
    fresh = {s.name for s in spec.actions[name].slots if s.fresh}
    return [name, {n: _plain(v) for n, v in arguments.items() if n not in fresh}]


def _plain(value: Any) -> Any:
    return sorted(map(int, value)) if isinstance(value, frozenset) else value if isinstance(value, bool) else int(value)


def read(spec: Spec, path: Path) -> list[Sequence]:
    """A suite as it was written.  Raises SpecError for a file that is none."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [
            Sequence(row["scope"], tuple((n, _values(spec, n, a)) for n, a in row["calls"]), tuple(row["clauses"]))
            for row in rows
        ]
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{path}: no suite: {type(error).__name__} at {error}") from None


def of(spec: Spec) -> list[Sequence]:
    """The suite of a spec: the stored one, or, if it has none, one drawn now."""
    return read(spec, spec.suite) if spec.suite and not spec.replaced else generate(spec)


def digest(spec: Spec) -> str:
    """A fingerprint of what is asked of an implementation: the clauses and the suite."""
    text = json.dumps([clauses(spec), write(spec, of(spec))])
    return hashlib.sha256(text.encode()).hexdigest()


def _values(spec: Spec, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    subsets = {s.name for s in spec.actions[name].slots if s.subset}
    return {n: Members(v) if n in subsets else v for n, v in arguments.items()}
