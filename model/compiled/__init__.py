"""The compiled reading: the recording printed as C, built, and called."""

from .library import Library
from .printer import Printer, printed

__all__ = ["Library", "Printer", "printed"]
