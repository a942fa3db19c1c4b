"""Obligations: an operation, one of its exits, a statement; and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...model.concrete import Vector
from ...model.language import (
    Step,
)
from .causes import Judged

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


@dataclass(frozen=True)
class Disagreement:
    """A call of the concrete reading that breaks what the proof calls proved, in a state that satisfies every invariant: a fault
    of this tool.  `after` is None where the call makes no sense; the rest as in a `Counterexample`."""

    operation: str
    exit: str
    statement: str
    text: str
    scope: dict[str, int]
    before: Vector
    arguments: dict[str, int]
    after: Vector | None
    binding: dict[str, int]


@dataclass
class Report:
    """What was proved.  `paths` counts paths by operation; `vacuous` lists the exits (clauses) that could not be shown
    possible, `causes` says which causes are; `tried` counts the
    calls by which proofs were held against the concrete reading, which `disagreements` came of."""

    obligations: list[Obligation] = field(default_factory=list)
    paths: dict[str, int] = field(default_factory=dict)
    exits: int = 0
    vacuous: list[str] = field(default_factory=list)
    causes: Judged = field(default_factory=Judged)
    seconds: float = 0.0
    interrupted: bool = False
    tried: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)

    def count(self, status: str) -> int:
        return sum(o.status == status for o in self.obligations)
