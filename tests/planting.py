"""How tests plant a bug: see the engine's own way of doing it."""

from __future__ import annotations

from dataclasses import replace

from oneowner.model.language import planted as changed
from oneowner.model.recording import Block, Branch, Write

__all__ = ["changed", "without_writes"]


def without_writes(block: Block, component: str) -> Block:
    """A recorded operation without its writes to a component; the one that is known to others stays as it is."""
    kept = [s for s in block.statements if not (isinstance(s, Write) and s.component == component)]
    end = block.end
    if isinstance(end, Branch):
        end = replace(end, yes=without_writes(end.yes, component), no=without_writes(end.no, component))
    return Block(kept, end)
