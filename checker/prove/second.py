"""A second solver, cvc5: each obligation written as SMT-LIB 2 and answered anew, with a certificate if one is wanted.

What the first solver is asked is the same: the refutation of a statement on a path, with all that is assumed.  It is
unsatisfiable where the statement holds.  The facts about counts are those of `counting`, which both solvers are told; so what
this bears out is the first solver, and not the reading that makes the obligations, against which `beside` stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path as File
from time import monotonic
from typing import Any

import z3

from ...model.language import Noted, Spec, SpecError, check_interrupted, noting_interruptions
from ...model.search import workers
from .counting import emptiness
from .obligations import PROVED, REFUTED, UNKNOWN, Obligation
from .proof import operations, prover, statement_names
from .prover import Prover
from .statements import statements_of

RESOURCES = 30_000_000
"""What cvc5 may spend on a query, each time it is asked (in its own units, the same on every machine)."""

TRIES: tuple[dict[str, str], ...] = ({}, {"enum-inst": "true"}, {"finite-model-find": "true"})
"""The options with which it is asked, one after the other until it answers."""

CERTIFIED = {"produce-proofs": "true", "proof-granularity": "dsl-rewrite"}


@dataclass(frozen=True)
class Query:
    """What a solver is asked of an obligation on one path."""

    operation: str
    exit: str
    statement: str
    path: int
    assertions: list[z3.BoolRef]

    @property
    def name(self) -> str:
        return f"{self.operation}-{self.exit}-{self.statement}-{self.path}"

    def text(self) -> str:
        """The query in SMT-LIB 2."""
        solver = z3.Solver()
        solver.add(self.assertions)
        what = f"{self.operation}/{self.exit} against {self.statement}, path {self.path}"
        return f"; {what}: unsat where it holds for any size\n(set-logic ALL)\n{solver.to_smt2()}"


@dataclass(frozen=True)
class Answer:
    """What the second solver says of an obligation.  Of one with no `queries` there is nothing to ask: what the statement reads
    is not changed.  `holes` counts the steps of its certificates that are taken on trust; None where none was asked for."""

    operation: str
    exit: str
    statement: str
    status: str
    queries: int
    seconds: float
    reason: str = ""
    holes: int | None = None


def queries(prover: Prover, name: str, statements: frozenset[str] | None) -> Iterator[tuple[Obligation, list[Query]]]:
    """The obligations of an operation, not answered yet, each with what is asked of it."""
    for action, exit, ways in prover.ways(name):
        for statement in statements_of(prover.spec, action, prover.symbolic.components.values(), statements):
            found = []
            for number, (path, base) in enumerate(ways, 1):
                refutation = statement.refutation(prover.symbolic, action, path)
                if refutation is not None:
                    assertions = [*base, *refutation, *emptiness(prover.symbolic, path)]
                    found.append(Query(name, exit, statement.name, number, assertions))
            yield Obligation(name, exit, statement.name, UNKNOWN, 0.0), found


def version() -> str:
    """Which cvc5 there is.  Raises SpecError where there is none."""
    return f"cvc5 {_cvc5().__version__}"


def _cvc5() -> Any:
    try:
        import cvc5
    except ImportError:
        raise SpecError("cvc5 is not installed; it comes with the extra: pip install 'oneowner[cvc5]'") from None
    return cvc5


def _ask(text: str, options: dict[str, str]) -> tuple[str, Any]:
    """What cvc5 says of a query, "sat", "unsat" or why it does not know; with the solver, which has the proof."""
    cvc5 = _cvc5()
    solver = cvc5.Solver()
    for name, value in {"rlimit-per": str(RESOURCES), **options}.items():
        solver.setOption(name, value)
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "query")
    said = ""
    while not (command := parser.nextCommand()).isNull():
        said = command.invoke(solver, parser.getSymbolManager()).strip() or said
    return said, solver


def _answer(found: list[Query], smt2: File | None, certificates: File | None, solve: bool) -> tuple[str, str, int]:
    """The status of an obligation, why it is not known, and the holes of its certificates."""
    status, reason, holes = PROVED, "", 0
    for query in found:
        text = query.text()
        if smt2 is not None:
            _write(smt2 / f"{query.name}.smt2", text)
        if not solve:
            continue
        for options in TRIES:
            said, solver = _ask(text, options | (CERTIFIED if certificates is not None else {}))
            if said in ("sat", "unsat"):
                break
        if said == "unsat":
            if certificates is not None:
                holes += _certificate(solver, certificates / f"{query.name}.cpc")
        elif said == "sat":
            status, reason = REFUTED, ""
        elif status == PROVED:
            status, reason = UNKNOWN, said
    return status, reason, holes


def _certificate(solver: Any, path: File) -> int:
    """Write the proof of what was just found unsatisfiable; how many of its steps are taken on trust."""
    proof = solver.proofToString(solver.getProof()[0], _cvc5().ProofFormat.CPC)
    text = proof.decode() if isinstance(proof, bytes) else str(proof)
    _write(path, text)
    return text.count(":rule trust")


def _write(path: File, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from None


def _work(
    where: str, name: str, statements: frozenset[str] | None, smt2: File | None, certificates: File | None, solve: bool
) -> list[Answer]:
    return _of(prover(where, True), name, statements, smt2, certificates, solve)


def _of(
    asked: Prover, name: str, statements: frozenset[str] | None, smt2: File | None, certificates: File | None, solve: bool
) -> list[Answer]:
    answers = []
    for o, found in queries(asked, name, statements):
        check_interrupted()
        began = monotonic()
        status, reason, holes = _answer(found, smt2, certificates, solve)
        told = holes if certificates is not None and found else None
        answers.append(Answer(name, o.exit, o.statement, status, len(found), monotonic() - began, reason, told))
    return answers


def second_answers(
    spec: Spec,
    *,
    chosen_operations: tuple[str, ...] = (),
    chosen_statements: tuple[str, ...] = (),
    jobs: int = 1,
    smt2: File | None = None,
    certificates: File | None = None,
    solve: bool = True,
    progress: Callable[[str, list[Answer]], None] | None = None,
) -> list[Answer]:
    """Ask cvc5 of every obligation of a spec, or those chosen as in `prove`; a refusal that has no effect is none.

    `smt2` is a folder into which each query is written, `certificates` one for the proofs of those that are answered.  Without
    `solve` the queries are written alone.  Raises SpecError where cvc5 is missing or a file cannot be written.
    """
    if solve:
        version()
    names = operations(spec, chosen_operations)
    statements = frozenset(statement_names(spec, chosen_statements)) if chosen_statements else None
    by_name: dict[str, list[Answer]] = {}

    def took(name: str, answers: list[Answer]) -> None:
        by_name[name] = answers
        if progress:
            progress(name, answers)

    rest = (statements, smt2, certificates, solve)
    with noting_interruptions(Noted()):
        if jobs > 1 and spec.where and len(names) > 1:
            with workers(jobs) as pool:
                waiting = {pool.submit(_work, spec.where, name, *rest): name for name in names}
                for done in as_completed(waiting):
                    took(waiting[done], done.result())
        else:
            own = Prover(spec, alone=True)
            for name in names:
                took(name, _of(own, name, *rest))
    return [answer for name in names for answer in by_name[name]]
