"""The compiled reading: the recording printed as C, built, and called."""

from .building import Building, NoCompiler, compiler, kept_in
from .library import Library
from .model import CompiledModel
from .packing import Packing
from .printer import Printer, printed
from .searching import FRESH_BITS, SearchPrinter, fresh_sorts

__all__ = [
    "FRESH_BITS",
    "Building",
    "CompiledModel",
    "Library",
    "NoCompiler",
    "Packing",
    "Printer",
    "SearchPrinter",
    "compiler",
    "fresh_sorts",
    "kept_in",
    "printed",
]
