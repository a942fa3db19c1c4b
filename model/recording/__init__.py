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
    const,
    eq,
    negated,
)
from .recorder import Recorder
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
    "Place",
    "Recorder",
    "Write",
    "causes",
    "const",
    "eq",
    "negated",
    "shown",
    "tree",
]
