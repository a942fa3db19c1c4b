"""A conformance run: smoke, the fixed suite, fuzzing; a verdict for every clause."""

from .against import Against, Difference, against
from .run import Conformance, smoke, taken_as_given
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
    "Against",
    "Conformance",
    "Difference",
    "Report",
    "Verdict",
    "against",
    "code_of",
    "matches",
    "smoke",
    "taken_as_given",
]
