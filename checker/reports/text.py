"""Results as text: matrices, failures told in the spec's own words, and what `oneowner show` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...model.concrete import Model, call_text, differences, nondefaults, value_name
from ...model.language import Slot, Spec, Type, answer_fields, is_subset, member_type
from ..adapters import Implementation, connect
from ..explore import ExploreReport, Found, exits, operations_called, story
from ..fuzz import Failure
from ..pages import matrix, steps
from ..prove import IDENTITY, Obligation, Report
from ..traces import file_name, program, save_failure, save_model_trace

MARKS = {"proved": "", "refuted": "R", "unknown": "?"}


def proof_summary(report: Report) -> Iterator[str]:
    """An operation a line: paths, obligations and how many are proved, seconds, and the statement that took longest."""
    yield f"{'operation':20} {'paths':>5} {'obligations':>11} {'proved':>6} {'seconds':>8}  longest"
    for name, paths in report.paths.items():
        own = [o for o in report.obligations if o.operation == name]
        longest = max(own, key=lambda o: o.seconds)
        proved = sum(o.status == "proved" for o in own)
        seconds = sum(o.seconds for o in own)
        told = f"{longest.statement} {1000 * longest.seconds:.0f} ms"
        yield f"{name:20} {paths:5} {len(own):11} {proved:6} {seconds:8.2f}  {told}"


def proof_matrix(spec: Spec, report: Report, is_lemma: Callable[[str], bool]) -> Iterator[str]:
    """Statements down, operations across, milliseconds in the cells; R where refuted, ? where unknown."""
    names = list(report.paths)
    cells: dict[tuple[str, str], list[Obligation]] = {}
    for o in report.obligations:
        cells.setdefault((o.statement, o.operation), []).append(o)
    statements = list(dict.fromkeys(o.statement for o in report.obligations if o.statement != IDENTITY))
    if any(o.statement == IDENTITY for o in report.obligations):
        statements.append(IDENTITY)
    width = max((len(s) for s in statements), default=0) + 2
    for number, name in enumerate(names, 1):
        yield f"{number:3}  {name} ({report.paths[name]} paths)"
    yield ""
    yield f"{'milliseconds':{width}}" + "".join(f"{n:>5}" for n in range(1, len(names) + 1))
    for statement in statements:
        mark = "*" if is_lemma(statement) else " "
        yield f"{statement + mark:{width}}" + "".join(f"{_cell(cells.get((statement, n))):>5}" for n in names)
    if any(map(is_lemma, statements)):
        yield "* a lemma: there for the induction alone"


def _cell(obligations: list[Obligation] | None) -> str:
    if not obligations:
        return "."
    worst = max(obligations, key=lambda o: list(MARKS).index(o.status))
    return MARKS[worst.status] or str(round(1000 * sum(o.seconds for o in obligations)))


def refutation(spec: Spec, o: Obligation, traces: Path) -> Iterator[str]:
    """A refuted obligation: what is wrong, the smallest state that shows it, the call, what changed, the way there."""
    example = o.counterexample
    assert example is not None
    model = Model(spec, example.scope)
    slots = {
        s.name: s.type
        for d in (*spec.invariants.values(), *spec.step_properties.values())
        if d.name == o.statement
        for s in d.slots
    }
    binding = ", ".join(f"{name}={value_name(slots[name], value)}" for name, value in example.binding.items())
    yield f"REFUTED {o.operation}/{o.exit} breaks {o.statement}{' for ' + binding if binding else ''}"
    yield f"  It should hold: {example.text}"
    if example.before is not None:
        yield "  The smallest state found in which it goes wrong (it satisfies every invariant):"
        yield from (f"    {line}" for line in nondefaults(model, example.before))
        yield f"  Then {call_text(spec.actions[o.operation], example.arguments)} changes"
        if example.after is not None:
            yield from (f"    {line}" for line in differences(model, example.before, example.after))
    if example.trace is None or example.trace_scope is None:
        yield "  No way to it from the initial state was found in the scopes explored: if that state cannot be, an invariant that"
        yield "  excludes it is missing."
        return
    path = traces / file_name("prove", o.operation, o.statement)
    save_model_trace(path, spec, example.trace_scope, example.trace, o.statement)
    yield f"  The shortest way to such a step from the initial state, {len(example.trace)} calls:"
    yield from (f"    {line}" for line in story(spec, example.trace_scope, example.trace))
    yield f"  Again: oneowner replay {path}"


def exploration(report: ExploreReport) -> Iterator[str]:
    """One scope, on two lines."""
    sizes = ", ".join(f"{name}={size}" for name, size in report.scope.items())
    yield f"{report.name}: {sizes}{report.limits}"
    extent = "all reachable states" if report.complete else "NOT all reachable states"
    if report.stopped:
        extent += f" (stopped: {report.stopped})"
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
    if found.statement in (*spec.invariants, *spec.step_properties):
        path = traces / file_name("explore", report.name, found.statement)
        save_model_trace(path, spec, report.scope, found.trace, found.statement)
        yield f"  Again: oneowner replay {path}"


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


def fuzz_failure(spec: Spec, implementation: str, failure: Failure, traces: Path) -> Iterator[str]:
    """A failure: what was wrong, the calls as a program, where the trace is."""
    return failure_lines(spec, implementation, connect(implementation), failure, traces)


def failure_lines(spec: Spec, where: str, implementation: Implementation, failure: Failure, traces: Path) -> Iterator[str]:
    """A failure of an implementation that is connected already."""
    path = traces / file_name("fuzz", failure.clause)
    save_failure(path, spec, where, failure, implementation)
    yield f"FAILURE: {failure.text}"
    operation = spec.actions[failure.clause.partition("/")[0]]
    yield f"  breaks {failure.clause} ({' '.join(operation.seed)}): {operation.text}"
    yield f"  in {len(failure.calls)} calls:"
    yield ""
    yield from (f"    {line}" for line in program(spec, where, failure, implementation).splitlines())
    yield ""
    yield f"  Again: oneowner replay {path}"


def show_matrix(spec: Spec) -> tuple[list[str], Any]:
    """Requirement -> operations, invariants, flows, number of clauses."""
    rows = matrix(spec)
    lines = []
    for row in rows:
        parts = [
            f"operations: {', '.join(row.operations)}" if row.operations else "",
            f"invariants: {', '.join(row.invariants)}" if row.invariants else "",
            f"flows: {', '.join(row.flows)}" if row.flows else "",
            f"{len(row.clauses)} clauses" if row.clauses else "",
        ]
        carried = "; ".join(filter(None, parts)) or ("(no behaviour)" if row.carried_as == "context" else "-")
        lines.append(f"{row.id:8} {carried}")
    value = [
        {
            "id": r.id,
            "as": r.carried_as,
            "operations": r.operations,
            "invariants": r.invariants,
            "flows": r.flows,
            "clauses": r.clauses,
        }
        for r in rows
    ]
    return lines, value


def parameter(slot: Slot) -> str:
    """What a parameter takes, as text: a type, with ? where none will do, in braces where it is any set of them."""
    name: str = slot.type.__name__
    return f"{{{name}}}" if slot.subset else name + "?" * slot.optional


def part(kind: Type) -> str:
    """What a part of an answer is, as text."""
    name: str = member_type(kind).__name__
    return f"{{{name}}}" if is_subset(kind) else name


def show_operations(spec: Spec) -> tuple[list[str], Any]:
    """Every operation: parameters, answer, outcomes in order, source."""
    lines: list[str] = []
    value: list[dict[str, Any]] = []
    by_operation = exits(spec)
    for action in spec.actions.values():
        shown = ", ".join(f"{s.name}: {parameter(s)}" for s in action.slots if not s.fresh)
        answer = ", ".join(f"{name or 'answer'}: {part(kind)}" for name, kind in answer_fields(action.answer))
        lines += [
            f"{action.name}({shown}){' -> ' + answer if answer else ''}",
            f"    {action.text}",
            f"    {', '.join(by_operation[action.name])}   [{' '.join((*action.seed, *action.steps))}]",
        ]
        value.append(
            {
                "operation": action.name,
                "room": spec.room(action.name),
                "parameters": {s.name: parameter(s) for s in action.slots if not s.fresh},
                "answer": {name or "answer": part(kind) for name, kind in answer_fields(action.answer)},
                "outcomes": by_operation[action.name],
                "seed": list(action.seed),
                "text": action.text,
            }
        )
    return lines, value


def show_invariants(spec: Spec) -> tuple[list[str], Any]:
    """Every statement: theorems of states, theorems of steps, lemmas with their purpose."""
    lines: list[str] = []
    value: list[dict[str, Any]] = []
    theorems = [(i, "state") for i in spec.invariants.values() if not i.purpose]
    of_steps = [(s, "step") for s in spec.step_properties.values()]
    for declaration, kind in [*theorems, *of_steps]:
        lines += [f"{declaration.name}  (every {kind})  [{' '.join(declaration.seed)}]", f"    {declaration.text}"]
        value.append({"name": declaration.name, "of": kind, "seed": list(declaration.seed), "text": declaration.text})
    for lemma in spec.invariants.values():
        if lemma.purpose:
            lines.append(f"{lemma.name}  (lemma)  {lemma.purpose}")
            value.append({"name": lemma.name, "of": "lemma", "purpose": lemma.purpose})
    return lines, value


def show_steps(spec: Spec) -> tuple[list[str], Any]:
    """The steps of the seed's figures, and what names them."""
    found = steps(spec)
    return [f"{step:6} {', '.join(names)}" for step, names in found.items()], found
