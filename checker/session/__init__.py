"""An implementation and the specification in lock-step: every answer compared; a failure made again and shrunk."""

from .again import again, without
from .failure import Failure, by_itself, smallest_failure, tried_afresh
from .handles import MOST_WORLDS, NEVER, Origin, Recorded, World
from .session import Session, model
from .wrong import LATE, Mismatch, Unknown

__all__ = [
    "LATE",
    "MOST_WORLDS",
    "NEVER",
    "Failure",
    "Mismatch",
    "Origin",
    "Recorded",
    "Session",
    "Unknown",
    "World",
    "again",
    "by_itself",
    "model",
    "smallest_failure",
    "tried_afresh",
    "without",
]
