"""Why a place is a dead end: what of the state it depends on, so that a place that is the same in this is known for one too.

What a call comes to depends on what it reads.  So a dead end depends on what the calls read that were tried in it, and on what
the dead ends behind them depend on, but for what the calls themselves have written (the nogoods of backjumping: Prosser, "Hybrid
algorithms for the constraint satisfaction problem", 1993).
"""

from __future__ import annotations

from typing import Any

from ...model.concrete import Vector, earlier
from .trying import Gone, Tried, Trying

MANY = 600
"""With how many reasons a dead end counts as depending on all."""

Reason = tuple[Any, ...]
"""A cell, a question about one, ("unused", sort, element), or ("pool", sort): the names that are not in use."""


def of(here: Trying, tried: Tried) -> set[Reason]:
    """What it depends on what a call comes to."""
    found: set[Reason] = {cell for cell in tried.notes.read if cell[0] is not here.pools}
    for questions in tried.notes.asked.values():
        found.update(questions)
    for kind in tried.scarce:
        found.add(("pool", kind))
    for name, kind in tried.call.fresh:
        if kind not in tried.scarce:
            found.add(("unused", kind, tried.names[name]))
    for (where, key), value in tried.notes.read.items():
        if where in here.living and value is not None:
            kind, is_handle = here.living[where]
            found.add(("unused", kind, key if is_handle else value))
    return found


def now(here: Trying, reason: Reason) -> Any:
    """What a reason comes to in the state at hand."""
    what = reason[0]
    if type(what) is int:
        return here.vector[what][reason[1]]
    if what == "unused":
        return reason[2] in here.pool(reason[1])
    if what == "pool":
        return tuple(here.pool(reason[1]))
    if type(what) is str:
        return here.model.answer(reason, here.vector)
    return what.plain(reason[1])


def before(here: Trying, reasons: set[Reason], tried: Tried, gone: list[Gone], vector: Vector) -> set[Reason] | None:
    """What reasons after a call depend on before it; `gone` are the things that are no more by it, `vector` is the state after.
    None for: on all."""
    notes = tried.notes
    found: set[Reason] = set()
    dead: set[Reason] = set()
    for kind, element, handle in gone:
        dead |= {(here.names[kind].handle, element), (here.names[kind].element, handle)}
        found.update(_unwritten(here, kind, element, tried, vector))
    for reason in reasons - dead:
        what = reason[0]
        if what == "unused":
            cells = here.cells_of_use(reason[1], reason[2], vector)
            is_same = notes.written.keys().isdisjoint(cells)
            found.update([reason] if is_same else _unwritten(here, reason[1], reason[2], tried, vector))
        elif what == "pool":
            if not _keeps_pool(here, reason[1], tried):
                return None
            found.add(reason)
            for name, kind in tried.call.fresh:
                if kind is reason[1]:
                    found.update(_unwritten(here, kind, tried.names[name], tried, vector))
        elif what == "member":
            cell = reason[4]
            if cell not in notes.written:
                found.add(reason)
            elif cell in notes.moved:
                found.add(cell)
        elif type(what) is str:
            cell = reason[1:3]
            if cell not in notes.written:
                found.add(reason)
            elif cell in notes.moved:
                found.add(earlier(reason, notes.moved[cell], here.vector[cell[0]][cell[1]]) or cell)
        elif reason not in notes.written or reason in notes.moved:
            found.add(reason)
    return found


def _unwritten(here: Trying, kind: Any, element: int, tried: Tried, vector: Vector) -> set[Reason]:
    """The cells that say whether a name is in use but for those that a call has written."""
    cells = here.cells_of_use(kind, element, vector)
    return {cell for cell in cells if cell not in tried.notes.written or cell in tried.notes.moved}


def _keeps_pool(here: Trying, kind: Any, tried: Tried) -> bool:
    """Whether a call changes nothing of which names are not in use, but for its own fresh ones."""
    own = [tried.names[name] for name, other in tried.call.fresh if other is kind]
    for cell in tried.notes.written:
        if type(cell[0]) is not int or cell[0] not in here.asked_by_pool(kind):
            continue
        if cell in tried.notes.moved:
            if any(move[0] == "pop" or move[1] not in own for move in tried.notes.moved[cell]):
                return False
        elif cell[1] not in own or len(here.model.shape(here.model.components[cell[0]])) != 1:
            return False
    return True
