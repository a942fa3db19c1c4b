"""What a proof is told of counts is so: every fact, of every pair of sets of none and three elements."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import z3

from oneowner.checker.prove import fact_of_few, fact_of_none, facts_of_two

_, (NONE, *THINGS) = z3.EnumSort("Element of a count", ["nothing", "one", "two", "three"])
EVERYTHING = [NONE, *THINGS]
SETS = [some for size in range(5) for some in itertools.combinations(EVERYTHING, size)]


def member(some: tuple[Any, ...]) -> Callable[[Any], Any]:
    return lambda e: z3.Or([e == each for each in some])


def number(some: tuple[Any, ...]) -> Any:
    """How many are counted: none is not."""
    return z3.IntVal(sum(not each.eq(NONE) for each in some))


def is_thing(e: Any) -> Any:
    return e != NONE


def witness() -> Any:
    return z3.FreshConst(NONE.sort(), "w")


def every(body: Callable[[Any], Any]) -> Any:
    return z3.And([body(e) for e in THINGS])


def so(facts: list[Any]) -> bool:
    """Whether facts can hold, each for some witness of its own: then a proof that assumes them has assumed what is so."""
    solver = z3.Solver()
    solver.add(facts)
    return bool(solver.check() == z3.sat)


@pytest.mark.parametrize("hand", EVERYTHING, ids=str)
def test_what_ties_a_count_to_the_one_before_is_so_of_all_pairs_of_sets(hand: Any) -> None:
    for before, after in itertools.product(SETS, SETS):
        facts = facts_of_two(member(before), member(after), number(before), number(after), [hand], is_thing, witness)
        assert so(facts), (before, after)


@pytest.mark.parametrize("named", [(), (THINGS[0],), (THINGS[0], THINGS[2])], ids=str)
def test_what_is_said_of_one_count_is_so_of_all_sets(named: tuple[Any, ...]) -> None:
    for some in SETS:
        assert so([fact_of_few(member(some), number(some), named, is_thing, witness)]), some
        assert so([fact_of_none(member(some), number(some), every)]), some


def test_a_fact_that_is_not_so_is_seen() -> None:
    """As it once stood: that one less is counted when what is in hand has gone, be it none or not."""
    before, after = (NONE,), ()
    assert not so([number(after) <= number(before) - 1])
    wrong = facts_of_two(
        member(before), member(after), number(before), number(after), [NONE], lambda e: z3.BoolVal(True), witness
    )
    assert not so(wrong)


def test_facts_say_enough_to_count_by() -> None:
    """With one element come, it is one more; with one gone, one less; and with none, nothing is inside."""
    old, new = z3.Ints("old new")
    one = THINGS[0]
    came = facts_of_two(member(()), member((one,)), old, new, [one], is_thing, witness)
    assert not so([*came, new != old + 1])
    gone = facts_of_two(member((one,)), member(()), old, new, [one], is_thing, witness)
    assert not so([*gone, new != old - 1])
    assert not so([fact_of_none(member((one,)), old, every), old == 0])
