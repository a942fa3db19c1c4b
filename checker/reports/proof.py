"""A proof in lines: a summary, the matrix of obligations, and each refutation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ...model.concrete import Model, call_text, differences, nondefaults, value_name
from ...model.language import Spec
from ..explore import story
from ..prove import IDENTITY, Counterexample, Disagreement, Obligation, Report
from ..traces import file_name, how_again, save_model_trace

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


def _bound(spec: Spec, statement: str, binding: Mapping[str, int]) -> str:
    """For which elements a statement fails."""
    declared = {**spec.invariants, **spec.step_properties}.get(statement)
    slots = {s.name: s.type for s in declared.slots} if declared else {}
    found = ", ".join(f"{name}={value_name(slots[name], value)}" for name, value in binding.items())
    return " for " + found if found else ""


def _call(spec: Spec, model: Model, lead: str, operation: str, shown: Counterexample | Disagreement) -> Iterator[str]:
    """The call that goes wrong, and what it changes if it makes sense."""
    changes = "changes" if shown.after is not None else "makes no sense"
    yield f"  {lead} {call_text(spec.actions[operation], shown.arguments)} {changes}"
    if shown.before is not None and shown.after is not None:
        yield from (f"    {line}" for line in differences(model, shown.before, shown.after))


def disagreement(spec: Spec, found: Disagreement) -> Iterator[str]:
    """What is called proved and is broken by a call: what both readings say of it."""
    model = Model(spec, found.scope)
    yield f"DISAGREEMENT about {found.operation}/{found.exit} and {found.statement}: a fault of this tool; please report it"
    yield f"  It should hold: {found.text or found.statement}"
    yield "  The symbolic reading and the solver: it does, for systems of any size."
    yield "  The concrete reading: in this state, which satisfies every invariant,"
    yield from (f"    {line}" for line in nondefaults(model, found.before))
    yield from _call(spec, model, "the call", found.operation, found)
    if found.after is not None:
        yield f"  and then it does not hold{_bound(spec, found.statement, found.binding)}."


def refutation(spec: Spec, o: Obligation, traces: Path) -> Iterator[str]:
    """A refuted obligation: what is wrong, the smallest state that shows it, the call, what changed, the way there."""
    example = o.counterexample
    assert example is not None
    model = Model(spec, example.scope)
    yield f"REFUTED {o.operation}/{o.exit} breaks {o.statement}{_bound(spec, o.statement, example.binding)}"
    yield f"  It should hold: {example.text or o.statement}"
    if example.before is not None:
        yield "  The smallest state found in which it goes wrong (it satisfies every invariant):"
        yield from (f"    {line}" for line in nondefaults(model, example.before))
        yield from _call(spec, model, "Then", o.operation, example)
    if example.trace is None or example.trace_scope is None:
        yield "  No way to it from the initial state was found in the scopes explored: if that state cannot be, an invariant that"
        yield "  excludes it is missing."
        return
    path = traces / file_name("prove", o.operation, o.statement)
    unwritten = save_model_trace(path, spec, example.trace_scope, example.trace, o.statement)
    yield f"  The shortest way to such a step from the initial state, {len(example.trace)} calls:"
    yield from (f"    {line}" for line in story(spec, example.trace_scope, example.trace))
    yield how_again(path, unwritten)
