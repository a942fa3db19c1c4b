"""Which causes the calls of a search come to, in the batch reading."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..batch import Batch, Part
from ..language import Action
from ..recording import Cause, causes


class Reached:
    """The causes of some operations that no call has come to yet."""

    def __init__(self, batch: Batch, actions: Sequence[Action]) -> None:
        self.batch = batch
        self.left: dict[tuple[str, str], list[Cause]] = {}
        known = causes(batch.model.spec)
        for action in actions:
            for cause in known[action.name].all:
                self.left.setdefault((action.name, cause.exit), []).append(cause)

    def by(self, part: Part) -> list[str]:
        """The names of those that what a call came to has for the first time."""
        left = self.left.get((part.operation, part.exit))
        if not left or not len(part.rows):
            return []
        held = self.batch.held([cause.condition for cause in left], part)
        found = [cause for cause, rows in zip(left, held, strict=True) if np.any(rows)]
        for cause in found:
            left.remove(cause)
        return [str(cause) for cause in found]
