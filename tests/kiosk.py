"""A specification for tests of what comes about at last: people queue at a kiosk, are served, and leave."""

from __future__ import annotations

import sys

from oneowner.model import Call, Map, Queue, Sort, Spec, State, action, constant, leads_to, negation, none, require, rest
from oneowner.model.language import Exploration, planted


class Counter(Sort):
    """Where people queue."""


class Person(Sort, plural="people"):
    """Who comes and goes."""


HERE = constant("HERE", Counter)


class Kiosk(State):
    line: Queue[Counter, Person]
    served: Map[Person, bool]
    open: Map[Counter, bool]


@action()
def join(kiosk: Kiosk, person: Person) -> None:
    require(kiosk.open[HERE], "CLOSED")
    require(kiosk.line.of(person) == none, "IN_LINE")
    require(negation(kiosk.served[person]), "SERVED")
    kiosk.line[HERE].push(person)


@action()
def serve(kiosk: Kiosk) -> None:
    require(kiosk.open[HERE], "CLOSED")
    require(not kiosk.line[HERE].empty, "NOBODY")
    person = kiosk.line[HERE].pop()
    kiosk.served[person] = True


@action()
def leave(kiosk: Kiosk, person: Person) -> None:
    require(kiosk.served[person], "NOT_SERVED")
    kiosk.served[person] = False


@action()
def close_up(kiosk: Kiosk) -> None:
    require(kiosk.open[HERE], "CLOSED")
    kiosk.open[HERE] = False
    kiosk.line.drop(lambda person: person != none)


@rest
def nobody_is_left(kiosk: Kiosk, person: Person) -> bool:
    """Nobody stands here."""
    return (kiosk.line.of(person) == none) & negation(kiosk.served[person])


@leads_to(by="serve")
def who_queues_is_served(kiosk: Kiosk, call: Call, person: Person) -> tuple[bool, bool, bool]:
    """Who stands in line is served, or sent away."""
    waits = kiosk.line.of(person) == HERE
    return waits, negation(waits), call.operation == "serve"


@leads_to(by="leave")
def who_is_served_leaves(kiosk: Kiosk, call: Call, person: Person) -> tuple[bool, bool, bool]:
    """Who was served makes room."""
    return kiosk.served[person], negation(kiosk.served[person]), call.person == person


def initial(kiosk: Kiosk) -> None:
    kiosk.open[HERE] = True


KIOSK = Spec(
    "kiosk",
    Kiosk,
    (sys.modules[__name__],),
    initial,
    explorations={"three people": Exploration({"people": 3})},
    where="kiosk:KIOSK",
)


def _serve(old: str, new: str) -> Spec:
    return KIOSK.replace(serve=planted(serve, old, new))


SENDS_BACK = _serve(
    "kiosk.served[person] = True",
    """if kiosk.line[HERE].empty:
        kiosk.served[person] = True
    else:
        kiosk.line[HERE].push(person)""",
)
"""Of two who stand in line, each is sent back to its end, for ever."""

SHUTS = _serve('require(kiosk.open[HERE], "CLOSED")', 'require(kiosk.line[HERE].length != 2, "CLOSED")')
"""Nobody is served while two stand in line."""

KEEPS = KIOSK.replace(leave=planted(leave, "kiosk.served[person] = False", "kiosk.served[person] = True"))
"""Nobody ever leaves."""

LOCKED = KIOSK.replace(close_up=planted(close_up, "kiosk.line.drop(lambda person: person != none)"))
"""Who stands in line when it closes stands there for ever."""
