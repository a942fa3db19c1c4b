"""The symbolic reading: Z3 terms over sorts of any size, or of a finite scope, each question followed both ways."""

from .cells import Unknown
from .clauses import clauses, exits
from .finite import Finite, checked, growing_scopes, new_solver, smaller_scope, spoken_of, uniform_scope
from .paths import Path
from .premises import Premises
from .reading import Symbolic
from .state import System, line_counter
from .terms import SubsetTerm, Term

__all__ = [
    "Finite",
    "Path",
    "Premises",
    "SubsetTerm",
    "Symbolic",
    "System",
    "Term",
    "Unknown",
    "checked",
    "clauses",
    "exits",
    "growing_scopes",
    "line_counter",
    "new_solver",
    "smaller_scope",
    "spoken_of",
    "uniform_scope",
]
