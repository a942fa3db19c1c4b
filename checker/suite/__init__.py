"""The fixed conformance suite: few and short sequences of calls, drawn from the explored graphs."""

from .chart import chart
from .cycles import returns
from .more import causes_of, named
from .scout import together
from .stored import digest, known_causes, of, read, write
from .suite import OFTEN, Sequence, Walk, generate, walks, ways, within
from .tours import LONGEST, Ground

__all__ = [
    "LONGEST",
    "OFTEN",
    "Ground",
    "Sequence",
    "Walk",
    "causes_of",
    "chart",
    "digest",
    "generate",
    "known_causes",
    "named",
    "of",
    "read",
    "returns",
    "together",
    "walks",
    "ways",
    "within",
    "write",
]
