"""The search for speed, in the batch reading; and what its graph says of rest and of what comes about at last."""

from ..compiled import CPU, CUDA, EMULATED
from .compiled import CompiledExplorer
from .device import KEEPS_NO_TRANSITIONS, DeviceExplorer
from .expansion import WELL_DEFINED, Expander, Expansion, hash_of
from .explorer import Explorer
from .frontier import Frontier
from .limits import Limits
from .liveness import StateGraph, can_return, helping, leads_to
from .memory import budget
from .outcome import Search
from .pool import Pool
from .processes import WORTH_SHARING, workers
from .readings import AUTO, BATCH, COMPILED, READINGS, Together, begun, explored, explored_of
from .seen import Seen
from .store import Store
from .symmetry import Symmetry
from .table import Table

__all__ = [
    "AUTO",
    "BATCH",
    "COMPILED",
    "CPU",
    "CUDA",
    "EMULATED",
    "KEEPS_NO_TRANSITIONS",
    "READINGS",
    "WELL_DEFINED",
    "WORTH_SHARING",
    "CompiledExplorer",
    "DeviceExplorer",
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
    "Table",
    "Together",
    "begun",
    "budget",
    "can_return",
    "explored",
    "explored_of",
    "hash_of",
    "helping",
    "leads_to",
    "workers",
]
