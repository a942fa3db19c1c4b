"""Failures on disk: stored, replayed, shortened, and told as a program."""

from .program import program
from .replay import replay_implementation, replay_log, replay_model
from .shortest import by_the_graph, way_to
from .store import file_name, how_again, model_steps, read, recorded_calls, replay_command, save_failure, save_model_trace

__all__ = [
    "by_the_graph",
    "file_name",
    "how_again",
    "model_steps",
    "program",
    "read",
    "recorded_calls",
    "replay_command",
    "replay_implementation",
    "replay_log",
    "replay_model",
    "save_failure",
    "save_model_trace",
    "way_to",
]
