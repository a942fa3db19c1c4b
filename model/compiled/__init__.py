"""The compiled reading: the recording printed as C, built, and called; and an oracle of it for somebody's own tree."""

from .header import comment, header
from .library import Library
from .oracle import Oracle
from .printer import Printer, c_name, printed

__all__ = ["Library", "Oracle", "Printer", "c_name", "comment", "header", "printed"]
