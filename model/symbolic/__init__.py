"""The symbolic reading: Z3 terms over sorts of any size, or of a finite scope, each question followed both ways."""

from .finite import Finite, growing_scopes, smaller_scope, spoken_of
from .reading import Path, SubsetTerm, Symbolic, System, Term, Unknown, line_counter

__all__ = [
    "Finite",
    "Path",
    "SubsetTerm",
    "Symbolic",
    "System",
    "Term",
    "Unknown",
    "growing_scopes",
    "line_counter",
    "smaller_scope",
    "spoken_of",
]
