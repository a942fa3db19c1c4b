"""What a run came to, for people and for other tools: lines of text, JUnit, HTML, SARIF, a statement with a badge."""

from .page import Told, badge, html, junit, rooms, sarif, statement, write
from .text import (
    clause_depths,
    exploration,
    exploration_violation,
    failure_lines,
    fuzz_failure,
    parameter,
    part,
    proof_matrix,
    proof_summary,
    refutation,
)

__all__ = [
    "Told",
    "badge",
    "clause_depths",
    "exploration",
    "exploration_violation",
    "failure_lines",
    "fuzz_failure",
    "html",
    "junit",
    "parameter",
    "part",
    "proof_matrix",
    "proof_summary",
    "refutation",
    "rooms",
    "sarif",
    "statement",
    "write",
]
