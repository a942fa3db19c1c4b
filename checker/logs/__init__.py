"""Conversations that were written down: read back, made again, and judged, overlapping calls too."""

from .judging import Judged, judge
from .reading import Log, is_log, read
from .recorded import recorded

__all__ = [
    "Judged",
    "Log",
    "is_log",
    "judge",
    "read",
    "recorded",
]
