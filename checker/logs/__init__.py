"""Conversations that were written down: read back, made again, and judged, overlapping calls too."""

from .judging import Judged, Log, is_log, judge, read, recorded

__all__ = ["Judged", "Log", "is_log", "judge", "read", "recorded"]
