"""What once made the prover say more than is so, or fall over: each a spec that is wrong in a way that must be seen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oneowner.checker.explore import explore_scope
from oneowner.checker.prove import prove
from oneowner.model import (
    Map,
    Parameter,
    Queue,
    Sort,
    Spec,
    SpecError,
    State,
    action,
    constant,
    counter,
    exists,
    forall,
    implies,
    invariant,
    negation,
    none,
    require,
)
from oneowner.model.concrete import Model
from oneowner.model.language import Exploration


class Shelf(Sort, plural="shelves"):
    pass


class Book(Sort):
    pass


TOP = constant("TOP", Shelf)
FIRST = constant("FIRST", Book)


class Room(State):
    at: Map[Book, Shelf]
    busy: Map[Shelf, bool]
    level: Map[Shelf, int]
    line: Queue[Shelf, Book]
    most: Parameter


@counter
def held(room: Room, shelf: Shelf, book: Book) -> bool:
    return room.at[book] == shelf


@action()
def touch(room: Room, shelf: Shelf, book: Book) -> None:
    """Replaced in each test."""


@invariant()
def sound(room: Room, shelf: Shelf) -> bool:
    """Replaced in each test."""
    return room.busy[shelf] == room.busy[shelf]


ROOM = Spec(
    name="room",
    state=Room,
    modules=(sys.modules[__name__],),
    initial=lambda room: None,
    explorations={"small": Exploration({"shelves": 2, "books": 2, "most": 2})},
)


def verdicts(spec: Spec) -> dict[str, str]:
    """By operation/statement, the verdict."""
    return {f"{o.operation}/{o.statement}": o.status for o in prove(spec).obligations}


def at_most(room: Room, shelf: Shelf) -> bool:
    return held(room, shelf) <= room.most


def never_busy(room: Room, shelf: Shelf) -> bool:
    return negation(room.busy[shelf])


def test_a_count_within_a_bulk_update_is_the_count_before_the_step() -> None:
    def put(room: Room, shelf: Shelf, book: Book) -> None:
        require(room.at[book] == none, "TAKEN")
        room.busy.where(lambda s: held(room, s) > 0, True)
        room.at[book] = shelf

    def busy_if_held(room: Room, shelf: Shelf) -> bool:
        return implies(held(room, shelf) > 0, room.busy[shelf])

    spec = ROOM.replace(touch=put, sound=busy_if_held)
    assert explore_scope(spec, "small", spec.explorations["small"]).violations
    assert verdicts(spec)["touch/sound"] == "refuted"


def test_a_count_within_a_quantifier_of_an_operation_is_the_count_before_the_step() -> None:
    def put(room: Room, shelf: Shelf, book: Book) -> None:
        require(forall(Shelf, lambda s: held(room, s) < room.most), "FULL")
        room.at[book] = shelf

    def fewer(room: Room, shelf: Shelf) -> bool:
        return held(room, shelf) < room.most

    assert verdicts(ROOM.replace(touch=put, sound=fewer))["touch/sound"] == "refuted"


def _sink(room: Room, shelf: Shelf, book: Book) -> None:
    room.level[shelf] = room.level[shelf] - 1


def _sink_where_busy(room: Room, shelf: Shelf, book: Book) -> None:
    room.level.where(lambda other: room.busy[other], room.level[shelf] - 1)


def _sink_by_adding(room: Room, shelf: Shelf, book: Book) -> None:
    room.level[shelf] = room.level[shelf] + -1


@pytest.mark.parametrize("sink", [_sink, _sink_where_busy, _sink_by_adding])
def test_a_number_below_zero_is_refuted_where_it_is_written(sink: Callable[..., Any]) -> None:
    spec = ROOM.replace(touch=sink)
    assert verdicts(spec)["touch/well_defined"] == "refuted"
    model = Model(spec, {"shelves": 1, "books": 1})
    with pytest.raises(SpecError, match="numbers count from 0"):
        model.step(spec.actions["touch"], model.initial(), {"shelf": 1, "book": 1})


def test_a_number_taken_away_is_proved_not_to_go_below_zero_where_it_is_asked_before() -> None:
    def lower(room: Room, shelf: Shelf, book: Book) -> None:
        require(room.level[shelf] - 1 >= 0, "EMPTY")
        room.level[shelf] = 3 - 2 + room.level[shelf] - 2

    assert verdicts(ROOM.replace(touch=lower))["touch/well_defined"] == "proved"


def test_a_parameter_above_one_is_tried() -> None:
    def wake(room: Room, shelf: Shelf, book: Book) -> None:
        if room.most > 1:
            room.busy[shelf] = True

    assert verdicts(ROOM.replace(touch=wake, sound=never_busy))["touch/sound"] == "refuted"


def test_a_write_at_none_is_refuted_whether_or_not_a_trace_is_looked_for() -> None:
    def lose(room: Room, shelf: Shelf, book: Book) -> None:
        room.busy[room.at[book]] = True

    assert verdicts(ROOM.replace(touch=lose))["touch/well_defined"] == "refuted"


def test_a_count_that_is_not_zero_initially_can_be_bounded() -> None:
    def start(room: Room) -> None:
        room.at[FIRST] = TOP

    spec = replace(ROOM.replace(sound=at_most), initial=start)
    assert verdicts(spec)["initially/sound"] == "proved"

    def none_held(room: Room, shelf: Shelf) -> bool:
        return held(room, shelf) <= 0

    assert verdicts(replace(spec.replace(sound=none_held), initial=start))["initially/sound"] == "refuted"


def _before(room: Room, shelf: Shelf) -> bool:
    return negation(room.busy[shelf] & room.before.busy[shelf])


def _over_numbers(room: Room, shelf: Shelf) -> bool:
    return exists(int, lambda number: room.level[shelf] == number)


def _tilde(room: Room, shelf: Shelf, book: Book) -> None:
    require(bool(~room.busy[shelf]), "BUSY")


def _times(room: Room, shelf: Shelf, book: Book) -> None:
    room.level[shelf] = room.level[shelf] * 2


def _loop(room: Room, shelf: Shelf, book: Book) -> None:
    for _ in range(99):
        if not room.line[shelf].empty:
            room.line[shelf].pop()


def _ok(room: Room, shelf: Shelf, book: Book) -> None:
    require(room.busy[shelf], "ok")


def _namesake() -> Any:
    def held(room: Room, shelf: Shelf, book: Book) -> bool:
        return room.at[book] != shelf

    return counter(held)


OTHER = _namesake()


def _two_counters(room: Room, shelf: Shelf, book: Book) -> None:
    require(OTHER(room, shelf) + held(room, shelf) < room.most, "FULL")


class Stranger(Sort):
    pass


def _unknown_sort(room: Room, shelf: Shelf) -> bool:
    return exists(Stranger, lambda stranger: stranger != none)


@pytest.mark.parametrize(
    ("replaced", "says"),
    [
        ({"sound": _before}, "system.before in a statement"),
        ({"sound": _over_numbers}, "not over numbers"),
        ({"sound": _unknown_sort}, "Stranger is in no component"),
        ({"touch": _tilde}, "~ is no negation"),
        ({"touch": _times}, "added, subtracted and compared, nothing else"),
        ({"touch": _loop}, "no loop over the state"),
        ({"touch": _ok}, "cannot be called 'ok'"),
        ({"touch": _two_counters}, "two counters are called held"),
    ],
)
def test_what_the_readings_would_take_differently_is_refused(replaced: dict[str, Callable[..., Any]], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        prove(ROOM.replace(**replaced))


def test_two_constants_of_one_name_are_refused() -> None:
    class Cup(Sort):
        pass

    constant("BEST", Cup)
    with pytest.raises(SpecError, match="two constants called BEST"):
        constant("BEST", Cup)
