"""The plain search of a small scope, in the concrete reading: what every faster one is held against."""

from .plain import Graph, Judge, Violation, explore, run, with_fresh_names

__all__ = [
    "Graph",
    "Judge",
    "Violation",
    "explore",
    "run",
    "with_fresh_names",
]
