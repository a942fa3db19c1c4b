"""The specification of the system that the seed describes; `SPEC` is the whole of it.  Reads from `system` on."""

from .system import SPEC

__all__ = ["SPEC"]
