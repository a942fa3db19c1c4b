"""The museum: real bugs planted one by one, each to be caught by the checker that must catch it."""

from .exhibits import STEPS, catalogue, museum, plant

__all__ = ["STEPS", "catalogue", "museum", "plant"]
