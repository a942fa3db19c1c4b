"""An implementation and the specification in lock-step: every answer compared; a failure made again and shrunk."""

from .session import (
    LATE,
    MOST_WORLDS,
    NEVER,
    Mismatch,
    Origin,
    Recorded,
    Session,
    Unknown,
    World,
    again,
    minimise,
    model,
    without,
)

__all__ = [
    "LATE",
    "MOST_WORLDS",
    "NEVER",
    "Mismatch",
    "Origin",
    "Recorded",
    "Session",
    "Unknown",
    "World",
    "again",
    "minimise",
    "model",
    "without",
]
