"""The batch reading: columns of numpy, a value a state, parted by their answers."""

from .columns import Column
from .layout import Block, Cells, Fingerprints, Index, Layout, random_numbers
from .part import Part, fingerprints
from .reading import Batch
from .state import Collected
from .tables import argument_kind
from .verdicts import FACTORS, Remembered, Verdicts

__all__ = [
    "FACTORS",
    "Batch",
    "Block",
    "Cells",
    "Collected",
    "Column",
    "Fingerprints",
    "Index",
    "Layout",
    "Part",
    "Remembered",
    "Verdicts",
    "argument_kind",
    "fingerprints",
    "random_numbers",
]
