"""A whole proof: operations shared out to processes, reports put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import as_completed
from functools import lru_cache

import z3

from ...model.language import (
    EFFECTIVE,
    OK,
    Noted,
    Spec,
    SpecError,
    is_interruption,
    load,
    noting_interruptions,
)
from ...model.search import WORTH_SHARING, workers
from ...model.symbolic import Symbolic
from .obligations import DEFINED, IDENTITY, INITIALLY, Report
from .prover import Prover
from .shortest import with_traces
from .statements import statements_of


@lru_cache(maxsize=4)
def prover(where: str, alone: bool) -> Prover:
    """The prover of a spec by its name, made once in a process."""
    return Prover(load(where), alone=alone)


def _work(where: str, alone: bool, operation: str, statements: frozenset[str] | None) -> Report:
    return prover(where, alone).operation(operation, statements)


def operations(spec: Spec, chosen: Iterable[str] = ()) -> list[str]:
    """The rows of the matrix.  Raises SpecError for an operation that there is not."""
    known = [INITIALLY, *spec.actions]
    wrong = [name for name in chosen if name not in known]
    if wrong:
        raise SpecError(f"no operation is called {wrong[0]!r}; there are {', '.join(known)}")
    return list(chosen) or known


def planned(spec: Spec) -> list[tuple[str, str, str]]:
    """Every obligation of a spec as (operation, exit, statement), in the order in which they are asked; none is asked here."""
    symbolic = Symbolic(spec)
    found: list[tuple[str, str, str]] = []
    for name in operations(spec):
        action = spec.actions.get(name)
        exits = dict.fromkeys(path.exit for path in symbolic.paths(action)) if action else [OK]
        for exit in exits:
            stated = [s.name for s in statements_of(spec, action, spec.components, None)] if exit in EFFECTIVE else [IDENTITY]
            found += [(name, exit, statement) for statement in stated]
    return found


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
    alone: bool = False,
    progress: Callable[[str, Report], None] | None = None,
) -> Report:
    """Prove a spec.  `jobs` processes share the operations; a spec that cannot be loaded by name is proved in this one.

    What is proved is tried in small scopes by the concrete reading, unless it is to stand `alone`.
    With `traces`, each refuted obligation gets a shortest trace from the initial state where a small scope has one.
    """
    started = time.monotonic()
    names = operations(spec, chosen_operations)
    statements = frozenset(statement_names(spec, chosen_statements)) if chosen_statements else None
    by_name: dict[str, Report] = {}
    whole = Report()

    def took(name: str, report: Report) -> None:
        by_name[name] = report
        if progress:
            progress(name, report)

    noted = Noted()
    try:
        with noting_interruptions(noted, z3.main_ctx().interrupt):
            _share(spec, names, statements, jobs, alone, took)
    except (KeyboardInterrupt, Exception) as error:
        if not (is_interruption(error) or noted.seen):
            raise
        whole.interrupted = True
    for name in names:
        part = by_name.get(name, Report())
        whole.obligations += part.obligations
        whole.paths |= part.paths
        whole.exits += part.exits
        whole.vacuous += part.vacuous
        whole.causes += part.causes
        whole.tried += part.tried
        whole.disagreements += part.disagreements
    if traces and not whole.interrupted:
        whole.obligations = with_traces(spec, whole.obligations)
    whole.seconds = time.monotonic() - started
    return whole


def _share(
    spec: Spec,
    names: list[str],
    statements: frozenset[str] | None,
    jobs: int,
    alone: bool,
    took: Callable[[str, Report], None],
) -> None:
    """Prove operations, and hand the report on each over when it is there."""
    own = Prover(spec, alone=alone)
    if jobs > 1 and spec.where and len(names) > 1:
        until, left = time.monotonic() + WORTH_SHARING, _longest_first(spec, names)
        while left and time.monotonic() < until:
            name = left.pop()
            took(name, own.operation(name, statements))
        if left:
            with workers(jobs) as pool:
                waiting = {pool.submit(_work, spec.where, alone, name, statements): name for name in left}
                for done in as_completed(waiting):
                    took(waiting[done], done.result())
    else:
        for name in names:
            took(name, own.operation(name, statements))


def _longest_first(spec: Spec, names: list[str]) -> list[str]:
    """What changes much takes long: the statements about it have long terms."""
    symbolic = Symbolic(spec)
    paths = {n: symbolic.paths(spec.actions[n]) if n in spec.actions else [] for n in names}
    weight = {n: sum(len(p.changed) ** 2 for p in found) for n, found in paths.items()}
    return sorted(names, key=lambda n: -weight[n])
