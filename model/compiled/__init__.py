"""The compiled reading: the recording printed as C, built, and called; and an oracle of it for somebody's own tree."""

from .building import Building, NoCompiler, compiler, kept_in, nvcc
from .cells import c_name
from .deviating import INHERITED, DeviatingModel, Deviation
from .device import CPU, CUDA, DEVICES, EMULATED, Card, Device, Outgrown, card, device_building, state_bytes
from .header import comment, header
from .library import Library
from .model import CompiledModel
from .oracle import Oracle
from .packing import Packing
from .printer import Printer, printed
from .searching import FRESH_BITS, SearchPrinter, fresh_sorts

__all__ = [
    "CPU",
    "CUDA",
    "DEVICES",
    "EMULATED",
    "FRESH_BITS",
    "INHERITED",
    "Building",
    "Card",
    "CompiledModel",
    "DeviatingModel",
    "Deviation",
    "Device",
    "Library",
    "NoCompiler",
    "Oracle",
    "Outgrown",
    "Packing",
    "Printer",
    "SearchPrinter",
    "c_name",
    "card",
    "comment",
    "compiler",
    "device_building",
    "fresh_sorts",
    "header",
    "kept_in",
    "nvcc",
    "printed",
    "state_bytes",
]
