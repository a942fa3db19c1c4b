"""A fourth, tiny specification, in which the order of calls shows: numbers on shelves, written over and copied, and slips piled
on them."""

from __future__ import annotations

import sys

from oneowner.model import Fresh, Map, Queue, Sort, Spec, State, action, none, require, unused


class Shelf(Sort, handles=False, plural="shelves"):
    """A number from 0."""


class Slip(Sort):
    pass


class Store(State):
    number: Map[Shelf, int]
    pile: Queue[Shelf, Slip]
    lies_on: Map[Slip, Shelf]


@unused
def nowhere(store: Store, slip: Slip) -> bool:
    return store.lies_on[slip] == none


@action()
def write(store: Store, shelf: Shelf, number: int) -> None:
    """Write a number on a shelf, over the one before."""
    store.number[shelf] = number


@action()
def look(store: Store, shelf: Shelf) -> int:
    """The number on a shelf."""
    return store.number[shelf]


@action()
def copy(store: Store, shelf: Shelf, other: Shelf) -> None:
    """Write the number of one shelf on another that has another."""
    require(store.number[shelf] != store.number[other], "SAME")
    store.number[other] = store.number[shelf]


@action()
def lay(store: Store, shelf: Shelf, slip: Fresh[Slip]) -> Slip:
    """Lay a new slip on the pile."""
    require(slip != none, "FULL")
    store.pile[shelf].push(slip)
    store.lies_on[slip] = shelf
    return slip


@action()
def take(store: Store, shelf: Shelf) -> Slip:
    """Take the slip that has lain longest."""
    require(not store.pile[shelf].empty, "EMPTY")
    slip = store.pile[shelf].pop()
    store.lies_on[slip] = none
    return slip


@action()
def height(store: Store, shelf: Shelf) -> int:
    """How many slips lie on a shelf."""
    return store.pile[shelf].length


def initial(store: Store) -> None:
    """All shelves are empty, and say 0."""


SHELF = Spec(
    name="shelf",
    state=Store,
    modules=(sys.modules[__name__],),
    initial=initial,
    explorations={},
    fuzz_scope={"shelves": 2, "slips": 3, "numbers": 2},
    encodings={Shelf: lambda scope, shelf: shelf - 1 if shelf else None},
)
