"""How many elements a counter counts is what going through them one by one comes to, whatever it counts them by."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from oneowner.model import Enumeration, Map, Sort, Spec, State, counter, none
from oneowner.model.concrete import Model
from oneowner.model.language import reading


class Thing(Sort):
    pass


class Shade(Enumeration):
    DARK = 0
    GREY = 1
    LIGHT = 2


class Shelf(State):
    of_shade: Map[Shade, Thing]
    near: Map[Thing, Thing]
    lit: Map[Thing, bool]
    shade: Map[Thing, Shade]


def initial(shelf: Shelf) -> None:
    shelf.near[1] = 2
    shelf.lit[3] = True
    shelf.shade[2] = Shade.GREY


@counter
def shades_of(shelf: Shelf, thing: Thing, shade: Shade) -> bool:
    return shelf.of_shade[shade] == thing


@counter
def near_to(shelf: Shelf, other: Thing, thing: Thing) -> bool:
    return shelf.near[thing] == other


@counter
def lit_so(shelf: Shelf, lit: bool, thing: Thing) -> bool:
    return shelf.lit[thing] == lit


@counter
def of_a_shade(shelf: Shelf, shade: Shade, thing: Thing) -> bool:
    return shelf.shade[thing] == shade


SHELF = Spec("shelf", Shelf, (sys.modules[__name__],), initial, {})


@pytest.mark.parametrize(
    ("counts", "values"),
    [(shades_of, (none, 1)), (near_to, (none, 1, 2)), (lit_so, (False, True)), (of_a_shade, tuple(Shade))],
)
def test_a_count_is_what_one_by_one_comes_to(counts: Any, values: tuple[Any, ...]) -> None:
    model = Model(SHELF, {"things": 3, "numbers": 1})
    shelf = model.system(model.initial())
    with reading(model):
        for value in values:
            one_by_one = sum(1 for each in model.domain(counts.slots[-1].type) if counts.function(shelf, value, each))
            assert counts(shelf, value) == one_by_one
