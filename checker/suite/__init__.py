"""The fixed conformance suite: few and short sequences of calls, drawn from the explored graphs."""

from .chart import chart
from .scout import together
from .stored import digest, of, read, write
from .suite import Sequence, Walk, generate, walks, ways, within
from .tours import LONGEST, Ground

__all__ = [
    "LONGEST",
    "Ground",
    "Sequence",
    "Walk",
    "chart",
    "digest",
    "generate",
    "of",
    "read",
    "together",
    "walks",
    "ways",
    "within",
    "write",
]
