"""The recording of a specification: every operation and statement as a tree, to be printed or asked."""

from .asking import asked
from .causes import Cause, Causes, Way, causes, every, ways
from .nodes import (
    AFTER,
    BEFORE,
    NOW,
    READS,
    TRUE,
    Block,
    Branch,
    Check,
    Leaf,
    Let,
    Node,
    Place,
    Write,
    conjuncts,
    const,
    disjuncts,
    eq,
    negated,
)
from .recorder import Recorder, trees
from .still import OfLate, Still, Survey, without_unread
from .text import shown, tree

__all__ = [
    "AFTER",
    "BEFORE",
    "NOW",
    "READS",
    "TRUE",
    "Block",
    "Branch",
    "Cause",
    "Causes",
    "Check",
    "Leaf",
    "Let",
    "Node",
    "OfLate",
    "Place",
    "Recorder",
    "Still",
    "Survey",
    "Way",
    "Write",
    "asked",
    "causes",
    "conjuncts",
    "const",
    "disjuncts",
    "eq",
    "every",
    "negated",
    "shown",
    "tree",
    "trees",
    "ways",
    "without_unread",
]
