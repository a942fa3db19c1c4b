"""Conversations that were written down: read back, made again, and judged, overlapping calls too."""

from .judging import Judged, judge, judge_all
from .reading import Log, is_log, read, sections
from .recorded import recorded

__all__ = [
    "Judged",
    "Log",
    "is_log",
    "judge",
    "judge_all",
    "read",
    "recorded",
    "sections",
]
