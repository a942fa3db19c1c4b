"""An implementation and the specification in lock-step: every answer compared; a failure made again and shrunk."""

from .again import again, same, without
from .ahead import Ahead
from .declared import Declared, declared, read_declared
from .epilogue import Epilogue, Most, kinds
from .failure import Failure, by_itself, smallest_failure, tried_afresh
from .handles import MOST_WORLDS, NEVER, Origin, Recorded, World
from .oracle import fast_model, have_built, model, stop_building
from .reasons import Reason, reasons
from .session import Session
from .shared import answered
from .wrong import LATE, Mismatch, Unknown

__all__ = [
    "LATE",
    "MOST_WORLDS",
    "NEVER",
    "Ahead",
    "Declared",
    "Epilogue",
    "Failure",
    "Mismatch",
    "Most",
    "Origin",
    "Reason",
    "Recorded",
    "Session",
    "Unknown",
    "World",
    "again",
    "answered",
    "by_itself",
    "declared",
    "fast_model",
    "have_built",
    "kinds",
    "model",
    "read_declared",
    "reasons",
    "same",
    "smallest_failure",
    "stop_building",
    "tried_afresh",
    "without",
]
