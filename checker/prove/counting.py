"""What a proof is told of counts: how each after a step is tied to the one before it."""

from __future__ import annotations

from typing import Any

import z3

from ...model.language import (
    Action,
)
from ...model.symbolic import Path, Symbolic, Term


def count_ties(symbolic: Symbolic, action: Action | None, path: Path) -> list[z3.BoolRef]:
    """What ties each count asked for after a step to the count before it.

    A count is a function symbol before and one after.  Three facts about sets are all that is said of them: a set within
    another is no larger; within another and one element more, larger by one at most (both said of after within before, and
    of before within after), and by one exactly if that element did come or go; and an empty set has none.  The one element is
    any that the operation has in hand.  "Within" is denied by a witness of its own.
    """
    world, before = symbolic.world, symbolic.state
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

        def outside(but: list[z3.ExprRef], counter=counter, key=key, system=system, kind=kind) -> z3.BoolRef:  # type: ignore[no-untyped-def]
            witness = world.fresh(kind, "w")
            inside_after = symbolic.member(counter, system, key, witness)
            inside_before = symbolic.member(counter, before, key, witness)
            return z3.And(inside_after, z3.Not(inside_before), *(witness != e for e in but))

        def gone(but: list[z3.ExprRef], counter=counter, key=key, system=system, kind=kind) -> z3.BoolRef:  # type: ignore[no-untyped-def]
            witness = world.fresh(kind, "w")
            inside_after = symbolic.member(counter, system, key, witness)
            inside_before = symbolic.member(counter, before, key, witness)
            return z3.And(inside_before, z3.Not(inside_after), *(witness != e for e in but))

        ties += [z3.Or(outside([]), new <= old), z3.Or(gone([]), new >= old)]
        ties += [z3.Or(outside([term]), new <= old + 1) for hand, term in hands if hand is kind]
        ties += [z3.Or(gone([term]), new >= old - 1) for hand, term in hands if hand is kind]
        for hand, term in hands:
            if hand is kind:
                was, now = symbolic.member(counter, before, key, term), symbolic.member(counter, system, key, term)
                ties.append(z3.Or(outside([]), z3.Not(was), now, new <= old - 1))
                ties.append(z3.Or(gone([]), was, z3.Not(now), new >= old + 1))
        named = [world.lift(kind, c) for c in kind.constants] if action is None else []
        witness = world.fresh(kind, "w")
        others = z3.And(symbolic.member(counter, system, key, witness), *(witness != c for c in named))
        ties.append(z3.Or(others, new <= len(named)))
    return ties
