"""How tests plant a bug: see the engine's own way of doing it."""

from __future__ import annotations

from oneowner.model.language import planted as changed

__all__ = ["changed"]
