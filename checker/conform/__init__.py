"""A conformance run: smoke, the fixed suite, fuzzing; a verdict for every clause."""

from .run import Conformance, smoke
from .verdicts import (
    FAIL,
    FLAKY,
    PASS,
    PERMITTED,
    STATUSES,
    UNKNOWN,
    UNSUPPORTED,
    UNTESTED,
    Report,
    Verdict,
    code_of,
    matches,
)

__all__ = [
    "FAIL",
    "FLAKY",
    "PASS",
    "PERMITTED",
    "STATUSES",
    "UNKNOWN",
    "UNSUPPORTED",
    "UNTESTED",
    "Conformance",
    "Report",
    "Verdict",
    "code_of",
    "matches",
    "smoke",
]
