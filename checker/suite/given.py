"""Sequences for an implementation to which something is given from the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...model.concrete import Model
from ...model.language import EFFECTIVE, Step
from .more import replayed


def given_first(model: Model, calls: Sequence[Step]) -> list[int]:
    """The calls, by number, in an order in which what makes what is given comes before all else: as many as there can be of which
    each comes to the same.  Of what makes it, what is refused is left out."""
    given = model.spec.given
    assert given is not None
    played = _played(model, calls)
    makes = [name in given.operations for name, _, _ in played]
    kept = [n for n, (_, _, exit) in enumerate(played) if not makes[n] or exit in EFFECTIVE]
    order = sorted(kept, key=lambda n: not makes[n])
    if _played(model, [calls[n] for n in order]) == [played[n] for n in order]:
        return order
    begun = makes.index(False)
    late = next(n for n in kept if makes[n] and n > begun)
    return [n for n in kept if n < late]


def _played(model: Model, calls: Sequence[Step]) -> list[tuple[str, dict[str, Any], str]]:
    return [(action.name, given, outcome.exit) for action, _, given, outcome in replayed(model, calls)]
