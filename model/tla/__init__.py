"""The recording printed as TLA+ for one scope, so that TLC, a model checker of others, counts its states and judges it."""

from .module import MARK, Module

__all__ = ["MARK", "Module"]
