"""The command line: a command a file."""

from .conform import FUZZING
from .entry import main
from .explore import exploration_code

__all__ = ["FUZZING", "exploration_code", "main"]
