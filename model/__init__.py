"""The engine: what makes a specification run.  It knows no term of any particular system.

Declarations are in `vocabulary` and `spec`, the questions a spec asks in `reading`, the readings in `concrete`, `symbolic` and
`batch`; `search` explores with the last of them, and `liveness` asks its graph.
"""

from .reading import SpecError, exists, forall, implies, negation, require, subset, suspend
from .spec import Call, Spec, action, counter, invariant, leads_to, lemma, rest, step_property, unused
from .vocabulary import (
    Enumeration,
    Fresh,
    Map,
    Option,
    Output,
    Parameter,
    Queue,
    Rigid,
    Sort,
    State,
    Subset,
    constant,
    none,
)

__all__ = [
    "Call",
    "Enumeration",
    "Fresh",
    "Map",
    "Option",
    "Output",
    "Parameter",
    "Queue",
    "Rigid",
    "Sort",
    "Spec",
    "SpecError",
    "State",
    "Subset",
    "action",
    "constant",
    "counter",
    "exists",
    "forall",
    "implies",
    "invariant",
    "leads_to",
    "lemma",
    "negation",
    "none",
    "require",
    "rest",
    "step_property",
    "subset",
    "suspend",
    "unused",
]
