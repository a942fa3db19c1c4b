"""The specification for other trees and tools: an oracle in C."""

from .c import export_c

__all__ = ["export_c"]
