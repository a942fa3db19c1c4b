"""The clauses of a specification: what each operation can come to, found by following its paths."""

from __future__ import annotations

from ..language import EFFECTIVE, Spec, late_clause, once
from .reading import Symbolic


def clauses(spec: Spec) -> list[str]:
    """Every clause of a spec, operation/exit: by operation its refusals in the order in which they are looked at, then what takes
    effect; the late answers of an operation that may be suspended are clauses of it too."""
    return list(_read_clauses(spec))


@once
def _read_clauses(spec: Spec) -> list[str]:
    symbolic = Symbolic(spec)
    found: list[str] = []
    for action in spec.actions.values():
        asked: dict[str, int] = {}
        for path in symbolic.paths(action):
            # a refusal that is looked at later has answered more questions before
            asked[path.exit] = min(len(path.decisions), asked.get(path.exit, len(path.decisions)))
        in_order = sorted(
            asked, key=lambda exit: (exit in EFFECTIVE, EFFECTIVE.index(exit) if exit in EFFECTIVE else asked[exit])
        )
        found += [f"{action.name}/{exit}" for exit in in_order]
        found += [late_clause(action.name, exit) for exit in spec.late_exits.get(action.name, ())]
    return found


def exits(spec: Spec) -> dict[str, list[str]]:
    """By operation, the exits of its clauses, in the order of `clauses`."""
    found: dict[str, list[str]] = {}
    for clause in clauses(spec):
        operation, _, exit = clause.partition("/")
        found.setdefault(operation, []).append(exit)
    return found
