"""Explorations in lines: scopes, violations, and how deep each clause lies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...model.language import Spec
from ...model.search import WELL_DEFINED
from ...model.symbolic import exits
from ..explore import ExploreReport, Found, operations_called, story
from ..traces import file_name, how_again, save_model_trace

TOLD_FROM = 1e-6
"""How many states are expected to have been taken for another before that is said."""


def exploration(report: ExploreReport) -> Iterator[str]:
    """One scope, on two lines."""
    sizes = ", ".join(f"{name}={size}" for name, size in report.scope.items())
    yield f"{report.name}: {sizes}{report.limits}"
    extent = "all reachable states" if report.complete else "NOT all reachable states"
    if report.stopped:
        extent += f" (stopped: {report.stopped})"
    if report.taken_for_another >= TOLD_FROM:
        extent += f" (expected to be taken for another, by 64-bit fingerprints: {report.taken_for_another:.1g})"
    renaming = " (up to renaming)" if report.symmetry else ""
    yield (
        f"  {report.states} states{renaming}, {report.transitions} transitions, depth {report.depth}, {extent}; "
        f"{len(report.clauses)} clauses reached; {len(report.violations)} violations; {report.seconds:.1f} s"
    )
    if report.asked:
        broken = {found.statement for found in report.violations}
        answers = [f"{name} {'does NOT hold' if name in broken else 'holds'}" for name in report.asked]
        yield f"  asked of the graph: {', '.join(answers)}"
    if report.unasked:
        yield f"  not asked: {'; '.join(report.unasked)}"
    if report.unstored:
        yield f"  NOT kept: {report.unstored}"
    if report.unanswered:
        yield f"  not answered, since not all of the graph was seen: {', '.join(report.unanswered)}"


def exploration_violation(spec: Spec, report: ExploreReport, found: Found, traces: Path) -> Iterator[str]:
    """A violation with its shortest trace."""
    at = ", ".join(f"{name}={value}" for name, value in found.binding.items())
    yield f"  VIOLATION of {found.statement}{' for ' + at if at else ''}: {found.text}"
    whole = [*found.trace, *(found.cycle or ())]
    lines, begins = story(spec, report.scope, whole), len(story(spec, report.scope, found.trace))
    yield from (f"    {line}" for line in lines[:begins])
    if found.cycle is not None:
        yield "    then for ever:" if found.cycle else "    and then nothing more: no call that would help changes anything"
        yield from (f"    {line}" for line in lines[begins:])
    if found.cycle is not None or found.statement in (*spec.invariants, *spec.step_properties, WELL_DEFINED):
        path = traces / file_name("explore", report.name, found.statement)
        unwritten = save_model_trace(path, spec, report.scope, found.trace, found.statement, found.cycle, found.binding)
        yield how_again(path, unwritten)


def clause_depths(spec: Spec, reports: list[ExploreReport]) -> Iterator[str]:
    """The clauses by operation that was called, each with the least number of calls before it in any of the scopes."""
    called = operations_called(spec, reports)
    least: dict[str, int] = {}
    for report in reports:
        for clause, depth in report.clauses.items():
            least[clause] = min(depth, least.get(clause, depth))
    yield "clauses, with the calls that come before:"
    for operation, names in exits(spec).items():
        if operation not in called:
            continue
        reached = [f"{exit} {least.get(f'{operation}/{exit}', '-')}" for exit in names]
        yield f"  {operation:18} {', '.join(reached)}"
