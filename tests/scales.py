"""A specification for tests of arguments that are large numbers, truth values, or sets of things."""

from __future__ import annotations

import sys

from oneowner.model import Map, Sort, Spec, State, Subset, action, invariant, negation, require
from oneowner.model.language import Exploration


class Scale(Sort, handles=False):
    """Weighs two things."""


class Scales(State):
    tipped: Map[Scale, bool]
    beside: Map[Scale, Scale]


@action()
def weigh(scales: Scales, scale: Scale, left: int, right: int, locked: bool) -> None:
    require(negation(locked), "LOCKED")
    require(left + right > 40_000, "LIGHT")
    scales.tipped[scale] = True


@action()
def move(scales: Scales, scale: Scale, to: Scale, away: Subset[Scale]) -> None:
    require(away[scale], "STAYS")
    require(negation(away[to] | away[scales.beside[to]]), "GOES_ITSELF")
    scales.beside[scale] = to


@invariant()
def nothing_tips(scales: Scales, scale: Scale) -> bool:
    """Nothing is as heavy as that."""
    return negation(scales.tipped[scale])


SCALES = Spec(
    "scales",
    Scales,
    (sys.modules[__name__],),
    lambda scales: None,
    explorations={
        "heavy": Exploration({"scales": 2}, only=("weigh",), arguments={"left": (20_000, 40_000), "right": (0, 1, 20_001)}),
        "moved": Exploration({"scales": 3}, only=("move",)),
    },
    where="scales:SCALES",
)
