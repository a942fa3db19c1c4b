"""Ways of the suite gone from where a run is: what takes many calls in the right order is seldom drawn one by one."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from ...model.language import Step, Type
from ..session import Session
from ..suite import replayed
from .lives import Lives

AMONG = 12
"""Among how many ways one is chosen."""

SHARED = 1 / 2
"""How often a sort of what a way would be given is what the run was given before, by the same operation."""


class Detours:
    """Ways that a run may go; `lives` knows and makes its calls."""

    def __init__(self, session: Session, chance: random.Random, ways: Sequence[Sequence[Step]], lives: Lives) -> None:
        self.session, self.chance, self.ways, self.lives = session, chance, ways, lives

    def go(self, had: Mapping[str, int]) -> None:
        """Go a way with an operation that has succeeded least often, as `had` counts them; what is refused is left out."""
        if not self.ways:
            return
        among = [self.chance.choice(self.ways) for _ in range(AMONG)]
        way = min(among, key=lambda each: min((had.get(name, 0) for name, _ in each), default=0))
        names: dict[tuple[Type, int], int] = {}
        kinds = sorted(self.session.spec.unused, key=lambda kind: kind.__name__)
        shared = {kind for kind in kinds if self.chance.random() < SHARED}
        steps = [(action, arguments) for action, _, arguments, outcome in replayed(self.session.model, way) if outcome.effective]
        for action, arguments in steps:
            fresh = [s for s in action.slots if s.fresh]
            if len(fresh) == 1 and fresh[0].type in shared:
                taken = {element for (kind, _), element in names.items() if kind is fresh[0].type}
                known = [e for e in self.lives.given(action.name, fresh[0]) if e not in taken]
                if known:
                    names[fresh[0].type, arguments[fresh[0].name]] = self.chance.choice(known)
                    continue
            self.lives.again(action.name, arguments, names)
