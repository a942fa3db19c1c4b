"""The command line: a command a file."""

from .entry import main
from .explore import exploration_code

__all__ = ["exploration_code", "main"]
