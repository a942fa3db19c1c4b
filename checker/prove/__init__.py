"""Proof: every obligation of a specification asked of Z3, and what is refuted shown in the smallest state."""

from .counting import fact_of_few, fact_of_none, facts_of_two
from .obligations import IDENTITY, PROVED, REFUTED, Counterexample, Disagreement, Obligation, Report
from .proof import planned, prove
from .second import Answer, second_answers, version
from .shortest import shortest_trace

__all__ = [
    "IDENTITY",
    "PROVED",
    "REFUTED",
    "Answer",
    "Counterexample",
    "Disagreement",
    "Obligation",
    "Report",
    "fact_of_few",
    "fact_of_none",
    "facts_of_two",
    "planned",
    "prove",
    "second_answers",
    "shortest_trace",
    "version",
]
