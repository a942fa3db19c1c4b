"""Ways to look at the system: openings, explorations, flows, phases, profiles, and the suite that is drawn from them."""

from .explorations import EXPLORATIONS, FUZZ_SCOPE, LARGE, with_the_rest
from .flows import CLIENT, FLOWS, SERVER, STEPS, in_order
from .given import GIVEN
from .openings import OPENINGS
from .phases import PHASES
from .profiles import PARTS, PROFILES

__all__ = [
    "CLIENT",
    "EXPLORATIONS",
    "FLOWS",
    "FUZZ_SCOPE",
    "GIVEN",
    "LARGE",
    "OPENINGS",
    "PARTS",
    "PHASES",
    "PROFILES",
    "SERVER",
    "STEPS",
    "in_order",
    "with_the_rest",
]
