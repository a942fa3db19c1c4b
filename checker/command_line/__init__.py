"""The command line: a command a file."""

from .entry import main

__all__ = ["main"]
