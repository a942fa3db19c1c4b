"""The specification with one statement of an operation left out, or one operand of an `&` or `|`: refuted by proof, or else
contradicted by the reference implementation, which answers the suite as before.

What stands in a function that operations share is left out of all of them at once.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from held import KILLED, STILLBORN, SURVIVED, Hold
from judges import run_sequence
from mutation import Mutant, exchange, mutants, operands

from oneowner.checker.prove import REFUTED, prove
from oneowner.checker.session import Mismatch
from oneowner.checker.suite import of
from oneowner.model.language import Spec, SpecError, planted
from oneowner.spec import rooms


@dataclass
class SpecMutant(Mutant):
    """A change of one function of the specification."""

    old: str = field(repr=False)
    new: str = field(repr=False)

    def applied(self, spec: Spec) -> tuple[Spec, list[str]]:
        """The specification with the change, and the operations that it is in."""
        wrong = {}
        for name, action in spec.actions.items():
            within = "" if name == self.function else self.function
            if within and self.function in spec.actions:
                continue
            try:
                wrong[name] = planted(action.function, self.old, self.new, within=within)
            except SpecError:
                continue  # it does not call that
        return spec.replace(**wrong), list(wrong)


def spec_mutants() -> list[SpecMutant]:
    """The mutants of all functions that operations are made of, in the order of the rooms."""
    found: list[SpecMutant] = []
    for room in (rooms.common, *rooms.ROOMS):
        for function in vars(room).values():
            if isinstance(function, FunctionType) and function.__module__ == room.__name__:
                found += _of_function(f"{room.__name__.rpartition('.')[2]}.py", function)
    return found


def _of_function(file: str, function: FunctionType) -> Iterator[SpecMutant]:
    lines, first = inspect.getsourcelines(function)
    source = textwrap.dedent("".join(lines))
    start = source.index("def ")
    if source.startswith("@") and not source.startswith("@action"):
        return  # a statement, which is no part of an operation
    first += source.count("\n", 0, start)
    old = source[start:]
    tree = ast.parse(old)
    changes = [
        (m.operator, m.line, m.before, m.after, m.edit)
        for m in mutants(file, tree)
        if m.operator == "delete" and not m.before.startswith("return") and not _names_only(m.before)
    ]
    changes += [("drop", *change) for change in operands(tree)]
    for number, (operator, line, before, after, edit) in enumerate(sorted(changes, key=lambda change: change[1]), 1):
        undo = exchange(edit)
        new = ast.unparse(tree)
        exchange(undo)
        yield SpecMutant(file, function.__name__, operator, number, first + line - 1, before, after, None, old, new)


def _names_only(text: str) -> bool:
    """Whether a statement only gives something a name, without which there is nothing left to prove."""
    (statement,) = ast.parse(text if not text.endswith(":") else text + " pass").body
    names = isinstance(statement, ast.Assign) and all(isinstance(target, (ast.Name, ast.Tuple)) for target in statement.targets)
    return names or isinstance(statement, ast.FunctionDef)


def refuted(spec: Spec) -> Hold:
    """Proves the operations that a change is in, until one is refuted."""

    def hold(mutant: SpecMutant) -> tuple[str, str]:
        changed, operations = mutant.applied(spec)
        if not operations:
            return STILLBORN, "no operation comes to it"
        for operation in operations:
            try:
                report = prove(changed, chosen_operations=[operation], traces=False, alone=True)
            except (NameError, TypeError) as error:
                return STILLBORN, str(error)
            for obligation in report.obligations:
                if obligation.status == REFUTED:
                    return KILLED, f"{operation}: {obligation.statement}"
            if report.vacuous:
                return KILLED, f"{report.vacuous[0]} is not shown possible"
        return SURVIVED, ""

    return hold


def contradicted(spec: Spec, implementation: Any) -> Hold:
    """Holds the implementation against a changed specification in the suite of the right one."""
    suite = of(spec)

    def hold(mutant: SpecMutant) -> tuple[str, str]:
        changed, operations = mutant.applied(spec)
        # what calls none of them is not likely to tell
        near = sorted(suite, key=lambda sequence: sequence.operations.isdisjoint(operations))
        try:
            for sequence in near:
                run_sequence(changed, implementation, sequence)
        except Mismatch as mismatch:
            return KILLED, mismatch.clause
        return SURVIVED, ""

    return hold
