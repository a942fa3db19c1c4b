"""The museum: real bugs planted one by one, each to be caught by the checker that must catch it."""

from .exhibits import STEPS, VARIANTS, catalogue, museum, plant

__all__ = ["STEPS", "VARIANTS", "catalogue", "museum", "plant"]
