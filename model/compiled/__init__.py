"""The compiled reading: the recording printed as C, built, and called; and an oracle of it for somebody's own tree."""

from .building import Building, NoCompiler, compiler, kept_in
from .cells import c_name
from .header import comment, header
from .library import Library
from .model import CompiledModel
from .oracle import Oracle
from .packing import Packing
from .printer import Printer, printed
from .searching import FRESH_BITS, SearchPrinter, fresh_sorts

__all__ = [
    "FRESH_BITS",
    "Building",
    "CompiledModel",
    "Library",
    "NoCompiler",
    "Oracle",
    "Packing",
    "Printer",
    "SearchPrinter",
    "c_name",
    "comment",
    "compiler",
    "fresh_sorts",
    "header",
    "kept_in",
    "printed",
]
