"""The fixed conformance suite: few and short sequences of calls, drawn from the explored graphs."""

from .answers import ANSWERS, Answers, Resumed, Ways, answers, further, head, recorded
from .chart import chart
from .cycles import returns
from .deviations import Deviations
from .given import given_first
from .histories import Histories
from .more import alone, causes_of, given_to, named, replayed
from .remade import mixed, renamed
from .stored import digest, known_causes, of, read, stored_suite, write
from .suite import OFTEN, Sequence, Walk, generate, walks, ways, within
from .tours import LONGEST, Ground

__all__ = [
    "ANSWERS",
    "LONGEST",
    "OFTEN",
    "Answers",
    "Deviations",
    "Ground",
    "Histories",
    "Resumed",
    "Sequence",
    "Walk",
    "Ways",
    "alone",
    "answers",
    "causes_of",
    "chart",
    "digest",
    "further",
    "generate",
    "given_first",
    "given_to",
    "head",
    "known_causes",
    "mixed",
    "named",
    "of",
    "read",
    "recorded",
    "renamed",
    "replayed",
    "returns",
    "stored_suite",
    "walks",
    "ways",
    "within",
    "write",
]
