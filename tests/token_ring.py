"""A second, tiny specification: stations in a ring, one token, messages queued behind it.  It shares the engine, no word.

Below it an implementation in a few lines, and specs that are wrong in one way each.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from oneowner.model import (
    Enumeration,
    Fresh,
    Map,
    Parameter,
    Queue,
    Sort,
    Spec,
    State,
    action,
    constant,
    counter,
    implies,
    invariant,
    none,
    require,
    step_property,
    unused,
)
from oneowner.model.language import Call, Exploration


class Station(Sort):
    pass


class Parcel(Sort):
    pass


FIRST = constant("FIRST", Station)


class Mood(Enumeration):
    QUIET = 0
    BUSY = 1


class Ring(State):
    member: Map[Station, bool]
    token_at: Map[Station, bool]
    mood: Map[Station, Mood]
    outbox: Queue[Station, Parcel]
    made_by: Map[Parcel, Station]
    most: Parameter


def initial(ring: Ring) -> None:
    ring.member[FIRST] = True
    ring.token_at[FIRST] = True


@unused
def outside(ring: Ring, station: Station) -> bool:
    return ring.member[station] == False  # noqa: E712


@unused
def unmade(ring: Ring, parcel: Parcel) -> bool:
    return ring.made_by[parcel] == none


@counter
def made(ring: Ring, station: Station, parcel: Parcel) -> bool:
    return ring.made_by[parcel] == station


@action()
def join(ring: Ring, station: Fresh[Station]) -> Station:
    """A station joins the ring."""
    require(station != none, "FULL")
    ring.member[station] = True
    return station


@action()
def make(ring: Ring, station: Station, parcel: Fresh[Parcel]) -> Parcel:
    """A station makes a parcel, of at most `most` at a time."""
    require(ring.member[station], "STRANGER")
    require(made(ring, station) < ring.most, "ENOUGH")
    require(parcel != none, "FULL")
    ring.made_by[parcel] = station
    ring.outbox[station].push(parcel)
    ring.mood[station] = Mood.BUSY
    return parcel


@action()
def give(ring: Ring, station: Station, to: Station) -> None:
    """Hand the token on."""
    require(ring.token_at[station], "NO_TOKEN")
    require(ring.member[to], "STRANGER")
    ring.token_at[station] = False
    ring.token_at[to] = True


@action()
def deliver(ring: Ring, station: Station) -> Parcel:
    """The holder of the token delivers its oldest parcel, which is no more."""
    require(ring.token_at[station], "NO_TOKEN")
    require(not ring.outbox[station].empty, "EMPTY")
    parcel = ring.outbox[station].pop()
    ring.made_by[parcel] = none
    if ring.outbox[station].empty:
        ring.mood[station] = Mood.QUIET
    return parcel


@invariant()
def one_token(ring: Ring, one: Station, other: Station) -> bool:
    """There is at most one token."""
    return implies(ring.token_at[one] & ring.token_at[other], one == other)


@invariant()
def token_in_the_ring(ring: Ring, station: Station) -> bool:
    """The token is with a member."""
    return implies(ring.token_at[station], ring.member[station])


@invariant()
def enough(ring: Ring, station: Station) -> bool:
    """Nobody has made more than the most."""
    return made(ring, station) <= ring.most


@invariant()
def parcels_wait_where_made(ring: Ring, parcel: Parcel) -> bool:
    """A parcel waits at who made it."""
    return ring.outbox.of(parcel) == ring.made_by[parcel]


@step_property()
def nobody_leaves(before: Ring, after: Ring, call: Call, station: Station) -> bool:
    """A member stays one."""
    return implies(before.member[station], after.member[station])


RING = Spec(
    name="ring",
    state=Ring,
    modules=(sys.modules[__name__],),
    initial=initial,
    explorations={
        "small": Exploration({"stations": 2, "parcels": 2, "most": 1}),
        "short of parcels": Exploration({"stations": 2, "parcels": 1, "most": 1}),
    },
    fuzz_scope={"stations": 3, "parcels": 3, "most": 2},
)


def give_and_keep(ring: Ring, station: Station, to: Station) -> None:
    require(ring.token_at[station], "NO_TOKEN")
    require(ring.member[to], "STRANGER")
    ring.token_at[to] = True


def give_never(ring: Ring, station: Station, to: Station) -> None:
    require(ring.token_at[station], "NO_TOKEN")
    require(ring.member[to], "STRANGER")
    require(ring.token_at[station] == False, "NEVER")  # noqa: E712
    ring.token_at[to] = True


def give_late_refusal(ring: Ring, station: Station, to: Station) -> None:
    ring.token_at[station] = False
    require(ring.member[to], "STRANGER")


def give_at_none(ring: Ring, station: Station, to: Station) -> None:
    require(ring.token_at[station], "NO_TOKEN")
    ring.token_at[ring.made_by[none]] = True


def give_counting(ring: Ring, station: Station, to: Station) -> None:
    ring.token_at[station] = False
    if made(ring, station) > 0:
        ring.token_at[to] = True


def branching_statement(ring: Ring, one: Station, other: Station) -> bool:
    return bool(not (ring.token_at[one] and ring.token_at[other]) or one == other)


def numbering(ring: Ring, station: Station, to: Station) -> None:
    require([1, 2, 3][station] > 1, "NO_TOKEN")


KEEPS = RING.replace(give=give_and_keep)
NEVER = RING.replace(give=give_never)
LATE = RING.replace(give=give_late_refusal)
AT_NONE = RING.replace(give=give_at_none)
COUNTS = RING.replace(give=give_counting)
BRANCHES = RING.replace(one_token=branching_statement)
NUMBERS = RING.replace(give=numbering)


class Machine:
    """An implementation of the ring; `flaw` makes it wrong in one way."""

    def __init__(self, flaw: str = "") -> None:
        self.flaw = flaw

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        self.size, self.most, self.parcels = topology["stations"], topology["most"], topology["parcels"]
        self.token = "s1"
        self.outbox: dict[str, list[str]] = {"s1": []}
        self.made = 0
        return {"FIRST": "s1"}

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if self.flaw == "crash" and operation == "deliver":
            raise ZeroDivisionError("oops")
        if self.flaw == "leaves":
            os._exit(7)
        if self.flaw == "protocol":
            return {"okay": 1}
        done = getattr(self, operation)(**arguments)
        return {"error": done[1:]} if isinstance(done, str) and done.startswith("!") else {"ok": done}

    def join(self) -> str:
        if len(self.outbox) == self.size:
            return "!FULL"
        name = f"s{len(self.outbox) + 1}"
        self.outbox[name] = []
        return name

    def make(self, station: str) -> str:
        if station not in self.outbox:
            return "!STRANGER"
        if len(self.outbox[station]) >= self.most:
            return "!ENOUGH"
        if sum(map(len, self.outbox.values())) >= self.parcels:
            return "!FULL"
        self.made += 1
        name = "p1" if self.flaw == "same name" else f"p{self.made}"
        self.outbox[station].insert(0 if self.flaw == "order" else len(self.outbox[station]), name)
        return name

    def give(self, station: str, to: str) -> str | None:
        if station != self.token:
            return "!NO_TOKEN"
        if to not in self.outbox:
            return "!STRANGER"
        self.token = to
        return None

    def deliver(self, station: str) -> str:
        if station != self.token:
            return "!NO_TOKEN"
        return self.outbox[station].pop(0) if self.outbox[station] else "!EMPTY"


def implementation() -> Machine:
    return Machine()


def crash() -> Machine:
    return Machine("crash")


def leaves() -> Machine:
    return Machine("leaves")


def protocol() -> Machine:
    return Machine("protocol")
