"""What a proof is told of counts: how each after a step is tied to the one before it, and what a count of none says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import z3

from ...model.language import Action
from ...model.symbolic import Path, Symbolic, Term

Inside = Callable[[Any], Any]
"""Whether an element is counted; none may be inside and is never counted."""


def facts_of_two(
    before: Inside, after: Inside, old: Any, new: Any, hands: Sequence[Any], is_thing: Inside, witness: Callable[[], Any]
) -> list[z3.BoolRef]:
    """What is so of the numbers `old` and `new` of things inside before and after.

    A set within another is no larger; within another and one element more, larger by one at most (both said of after within
    before, and of before within after), and by one exactly if that element, one of `hands`, is a thing that did come or go.
    "Within" is denied by a witness of its own.
    """

    def came(but: Sequence[Any] = ()) -> z3.BoolRef:
        one = witness()
        return z3.And(is_thing(one), after(one), z3.Not(before(one)), *(one != each for each in but))

    def gone(but: Sequence[Any] = ()) -> z3.BoolRef:
        one = witness()
        return z3.And(is_thing(one), before(one), z3.Not(after(one)), *(one != each for each in but))

    found = [old >= 0, new >= 0, z3.Or(came(), new <= old), z3.Or(gone(), new >= old)]
    for hand in hands:
        nothing = z3.Not(is_thing(hand))
        found += [z3.Or(came([hand]), new <= old + 1), z3.Or(gone([hand]), new >= old - 1)]
        found.append(z3.Or(nothing, came(), z3.Not(before(hand)), after(hand), new <= old - 1))
        found.append(z3.Or(nothing, gone(), before(hand), z3.Not(after(hand)), new >= old + 1))
    return found


def fact_of_few(inside: Inside, number: Any, named: Sequence[Any], is_thing: Inside, witness: Callable[[], Any]) -> z3.BoolRef:
    """If nothing is inside but what is `named`, the number of things inside is no larger than theirs."""
    one = witness()
    return z3.Or(z3.And(is_thing(one), inside(one), *(one != each for each in named)), number <= len(named))


def fact_of_none(inside: Inside, number: Any, every: Callable[[Inside], Any]) -> z3.BoolRef:
    """If the number of things inside is 0, there is none; and it is never less.  `every` quantifies over things."""
    return z3.And(number >= 0, z3.Or(number > 0, every(lambda e: z3.Not(inside(e)))))


def count_ties(symbolic: Symbolic, action: Action | None, path: Path) -> list[z3.BoolRef]:
    """The facts about what the statement that was denied last counts after a step, and before it.

    Elements in hand are those that the operation was given, found at the head of a line, or wrote at.
    """
    world, state = symbolic.world, symbolic.state
    hands: list[tuple[Any, z3.ExprRef]] = []
    if action is not None:
        hands += [(t.type, t.expr) for t in symbolic.arguments(action).values() if isinstance(t, Term)]
    hands += [(symbolic.components[h.queue].value, h.term) for h in path.heads]
    hands += path.after.written_at()
    hands = list({(kind, term.get_id()): (kind, term) for kind, term in hands}.values())
    ties: list[z3.BoolRef] = []
    for counter, key, system in symbolic.counted:
        kind = counter.slots[-1].type
        old, new = symbolic.count_function(counter, "")(*key), symbolic.count_function(counter, "'")(*key)
        sets = (_inside(symbolic, counter, state, key), _inside(symbolic, counter, system, key))
        is_thing, witness = _things(symbolic, kind)
        ties += facts_of_two(*sets, old, new, [term for hand, term in hands if hand is kind], is_thing, witness)
        named = [world.lift(kind, c) for c in kind.constants] if action is None else []
        ties.append(fact_of_few(sets[1], new, named, is_thing, witness))
    return ties


def emptiness(symbolic: Symbolic, path: Path) -> list[z3.BoolRef]:
    """What a count of 0 says, of all that was counted on a path and in the statement denied last.  Quantified, so that it is told
    only where a proof does not come about without it."""
    counted = [(counter, key, symbolic.state, "") for counter, key in path.counts]
    counted += [(counter, key, symbolic.state, "") for counter, key, _ in symbolic.counted]
    counted += [(counter, key, system, "'") for counter, key, system in symbolic.counted]
    found = []
    for counter, key, system, label in counted:
        kind = counter.slots[-1].type
        number = symbolic.count_function(counter, label)(*key)
        found.append(fact_of_none(_inside(symbolic, counter, system, key), number, _every(symbolic, kind)))
    return found


def _inside(symbolic: Symbolic, counter: Any, system: Any, key: tuple[z3.ExprRef, ...]) -> Inside:
    return lambda element: symbolic.member(counter, system, key, element)


def _things(symbolic: Symbolic, kind: Any) -> tuple[Inside, Callable[[], Any]]:
    return lambda term: symbolic.world.is_thing(kind, term), lambda: symbolic.world.fresh(kind, "w")


def _every(symbolic: Symbolic, kind: Any) -> Callable[[Inside], Any]:
    return lambda body: symbolic.world.quantified(True, [kind], body)
