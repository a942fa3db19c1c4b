"""What is done with a specification: proof, exploration, fuzzing, conformance, reports, and the command line."""

from pathlib import Path

TRACES = Path(".oneowner")
"""Where what was found is kept, if nothing else is said."""

__all__ = ["TRACES"]
