"""The concrete reading: small integers, one answer to a question, the judge of all others; names and traces of its states."""

from .footprints import Cell, Footprints, Notes, Question, earlier
from .model import Model, Outcome, picked
from .state import Vector
from .trace import SENSELESS, answer_names, argument_names, call_text, differences, nondefaults, run, to_itf, value_name, value_of

__all__ = [
    "SENSELESS",
    "Cell",
    "Footprints",
    "Model",
    "Notes",
    "Outcome",
    "Question",
    "Vector",
    "answer_names",
    "argument_names",
    "call_text",
    "differences",
    "earlier",
    "nondefaults",
    "picked",
    "run",
    "to_itf",
    "value_name",
    "value_of",
]
