"""What is done with a specification: proof, exploration, fuzzing, conformance, reports, and the command line.

Each folder here is a room with a door of its own; `errors` is what any of them may raise on the way to an implementation.
"""

from pathlib import Path

from .errors import AdapterError, AdapterFault, Unsupported

TRACES = Path(".oneowner")
"""Where what was found is kept, if nothing else is said."""

__all__ = ["TRACES", "AdapterError", "AdapterFault", "Unsupported"]
