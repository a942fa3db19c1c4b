"""Ways made again with fewer calls, where what is given out has other names."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...model.concrete import Model, Outcome, Vector
from ...model.graph import with_fresh_names
from ...model.language import Action, Members, SpecError, Step, Type
from .more import lent, lives, replayed
from .shown import Shown

Made = tuple[Action, Vector, dict[str, Any], Outcome]
"""A call that was made: the state before it, its arguments, and what it came to."""


def together(model: Model, one: Sequence[Step], other: Sequence[Step]) -> list[Step]:
    """Two ways beside each other: the calls of the one, then those of the other with other names for what they give; without
    those that would be refused then."""
    calls, vector = list[Step](), model.initial()
    for action, _, arguments, outcome in replayed(model, one):
        vector = outcome.state
        calls.append((action.name, arguments))
    names: dict[tuple[Type, int], int] = {}
    for name, arguments in with_fresh_names(model, list(other)):
        action = model.spec.actions[name]
        given = renamed(model, action, vector, arguments, names)
        try:
            outcome = model.step(action, vector, given)
        except SpecError:
            continue  # of what never runs out there may be too little for both
        if outcome.effective:
            vector = outcome.state
            calls.append((name, given))
            names |= {(s.type, arguments[s.name]): given[s.name] for s in action.slots if s.fresh and given[s.name]}
    return calls


SWITCHED, SHARED = 1 / 4, 1 / 2
"""How often ways that are mixed take turns, and how often the one takes what the other was given in place of its own."""


def mixed(model: Model, ways: Sequence[Sequence[Step]], chance: random.Random) -> list[Step]:
    """Ways through each other: each in its order, with other names for what they give; of some sorts they share what the same
    operation gave the one of them that came to it first.  A call that would be refused then waits for the others, since one
    of them may make way for it, and is left out if none does; what was refused in its own way is left out."""
    calls, vector = list[Step](), model.initial()
    left = [[(a.name, given) for a, _, given, outcome in replayed(model, way) if outcome.effective][::-1] for way in ways]
    names: list[dict[tuple[Type, int], int]] = [{} for _ in ways]
    given_by: list[dict[str, list[int]]] = [{} for _ in ways]
    sorts = {s.type for action in model.spec.actions.values() for s in action.slots if s.fresh}
    shared = {kind for kind in model.spec.unused if kind in sorts and chance.random() < SHARED}
    turn, waiting = 0, set[int]()
    while any(left):
        if not left[turn] or turn in waiting or chance.random() < SWITCHED:
            ready = [n for n, calls_left in enumerate(left) if calls_left and n not in waiting]
            if not ready:
                left[min(waiting)].pop()
                waiting.clear()
                continue
            turn = chance.choice(ready)
        name, arguments = left[turn].pop()
        action = model.spec.actions[name]
        fresh = [s for s in action.slots if s.fresh]
        mine = given_by[turn].setdefault(name, [])
        if len(fresh) == 1 and fresh[0].type in shared:
            theirs = max((each.get(name, []) for each in given_by), key=len)
            if len(theirs) > len(mine):
                mine.append(theirs[len(mine)])
                names[turn][fresh[0].type, arguments[fresh[0].name]] = mine[-1]
                continue
        given = renamed(model, action, vector, arguments, names[turn])
        try:
            outcome = model.step(action, vector, given)
        except SpecError:
            continue
        if not outcome.effective:
            left[turn].append((name, arguments))
            waiting.add(turn)
        else:
            waiting.clear()
            vector = outcome.state
            calls.append((name, given))
            mine += [given[s.name] for s in fresh if given[s.name]][:1]
            names[turn] |= {(s.type, arguments[s.name]): given[s.name] for s in fresh if given[s.name]}
    return calls


def remade(model: Model, calls: Sequence[Step]) -> list[Made] | None:
    """Calls made from the initial state on, what they give renamed; None where one names what lives and was never shown."""
    vector, names = model.initial(), dict[tuple[Type, int], int]()
    shown, made = Shown(model), list[Made]()
    for name, arguments in calls:
        action = model.spec.actions[name]
        given = renamed(model, action, vector, arguments, names)
        if _is_hidden(model, action, given, vector, shown):
            return None
        outcome = model.step(action, vector, given)
        made.append((action, vector, given, outcome))
        shown.after(action, vector, outcome)
        vector = outcome.state
        for slot in action.slots:
            if slot.fresh and outcome.effective and given[slot.name]:
                names[slot.type, arguments[slot.name]] = given[slot.name]
    return made


def shortest(model: Model, calls: Sequence[Step], shows: Callable[[list[Made]], bool]) -> list[Made] | None:
    """Calls, each with the names that it gives, without those that are not needed for what they show; None where they do not, or
    name what lives and was never shown."""
    made = remade(model, calls)
    if made is None or not shows(made):
        return None
    kept = list(calls)
    size = max(1, len(kept) // 2)
    while True:
        before, end = len(kept), len(kept) - 1
        while end > 0:
            start = max(0, end - size)
            tried = [*kept[:start], *kept[end:]]
            again = remade(model, tried)
            if again is not None and shows(again):
                kept, made = tried, again
            end = start
        if size == 1 and len(kept) == before:
            return made
        size = max(1, size // 2)


def renamed(
    model: Model, action: Action, vector: Vector, arguments: Mapping[str, Any], names: Mapping[tuple[Type, int], int]
) -> dict[str, Any]:
    """The arguments of a call where what was given out before has other names, and what it gives the least free ones."""
    given = dict(arguments)
    for slot in action.slots:
        if slot.fresh:
            given[slot.name] = model.fresh(vector, slot.type)
        elif slot.subset:
            given[slot.name] = Members(names.get((slot.type, element), element) for element in given[slot.name])
        else:
            given[slot.name] = given[slot.name] and names.get((slot.type, given[slot.name]), given[slot.name])
    return given


def _is_hidden(model: Model, action: Action, given: Mapping[str, Any], vector: Vector, shown: Shown) -> bool:
    """Whether a call names what lives and was never shown."""
    unused = model.unused(vector)
    return any(lives(unused, s, given[s.name]) and (s.type, given[s.name]) not in shown.known for s in lent(model, action))
