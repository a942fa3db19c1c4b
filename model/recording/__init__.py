"""The recording of a specification: every operation and statement as a tree, to be printed or asked."""

from .nodes import (
    AFTER,
    BEFORE,
    NOW,
    READS,
    TRUE,
    Block,
    Branch,
    Cause,
    Check,
    Leaf,
    Let,
    Node,
    Place,
    Write,
    causes,
    conjuncts,
    disjuncts,
)
from .recorder import Recorder
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
    "Check",
    "Leaf",
    "Let",
    "Node",
    "OfLate",
    "Place",
    "Recorder",
    "Still",
    "Survey",
    "Write",
    "causes",
    "conjuncts",
    "disjuncts",
    "shown",
    "tree",
    "without_unread",
]
