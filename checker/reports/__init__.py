"""What a run came to, for people and for other tools: lines of text, JUnit, HTML, SARIF, a statement with a badge."""

from .exploration import clause_depths, exploration, exploration_violation
from .failures import failure_lines, fuzz_failure
from .files import put, write
from .junit import junit
from .page import html
from .proof import disagreement, proof_matrix, proof_summary, refutation
from .results import read_statement, results
from .sarif import sarif
from .statement import badge, statement
from .told import Told
from .words import causes_told, rooms

__all__ = [
    "Told",
    "badge",
    "causes_told",
    "clause_depths",
    "disagreement",
    "exploration",
    "exploration_violation",
    "failure_lines",
    "fuzz_failure",
    "html",
    "junit",
    "proof_matrix",
    "proof_summary",
    "put",
    "read_statement",
    "refutation",
    "results",
    "rooms",
    "sarif",
    "statement",
    "write",
]
