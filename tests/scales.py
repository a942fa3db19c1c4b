"""A specification for tests of arguments that are large numbers, or truth values."""

from __future__ import annotations

import sys

from oneowner.model import Map, Sort, Spec, State, action, invariant, negation, require
from oneowner.model.spec import Exploration


class Scale(Sort):
    """Weighs two things."""


class Scales(State):
    tipped: Map[Scale, bool]


@action()
def weigh(scales: Scales, scale: Scale, left: int, right: int, locked: bool) -> None:
    require(negation(locked), "LOCKED")
    require(left + right > 40_000, "LIGHT")
    scales.tipped[scale] = True


@invariant()
def nothing_tips(scales: Scales, scale: Scale) -> bool:
    """Nothing is as heavy as that."""
    return negation(scales.tipped[scale])


SCALES = Spec(
    "scales",
    Scales,
    (sys.modules[__name__],),
    lambda scales: None,
    explorations={"heavy": Exploration({"scales": 2}, arguments={"left": (20_000, 40_000), "right": (0, 1, 20_001)})},
    where="scales:SCALES",
)
