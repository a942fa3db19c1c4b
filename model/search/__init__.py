"""The search for speed, in the batch reading; and what its graph says of rest and of what comes about at last."""

from .expansion import WELL_DEFINED, Expander, Expansion, hash_of
from .explorer import Explorer, Limits, Search
from .frontier import Frontier
from .liveness import StateGraph, can_return, helping, leads_to
from .memory import budget
from .pool import Pool
from .processes import workers
from .seen import Seen
from .store import Store
from .symmetry import Symmetry

__all__ = [
    "WELL_DEFINED",
    "Expander",
    "Expansion",
    "Explorer",
    "Frontier",
    "Limits",
    "Pool",
    "Search",
    "Seen",
    "StateGraph",
    "Store",
    "Symmetry",
    "budget",
    "can_return",
    "hash_of",
    "helping",
    "leads_to",
    "workers",
]
