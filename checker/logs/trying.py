"""Calls tried in a state and made in it: what is known beside the state is noted and can be taken back.

Each call is tried with what it read and wrote noted; what a call comes to is the same as long as all that it read is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...model.concrete import Cell, Footprints, Notes, Vector
from ...model.language import OK, SUSPENDED, Late, SpecError, Type, answer_fields, is_subset, member_type, reading
from ..errors import AdapterError, quoted
from ..session import NEVER, Mismatch, Origin, Session, World
from .history import Called, History

SUSPENDED_NOW = "suspended"
"""What is known of a call that waits; of one that has come to an end, to which clause."""

REMEMBERED = 4096
"""Of how many calls it is remembered what they came to when they were tried."""

Gone = tuple[Type, int, str]
"""A thing that is no more: its sort, element and handle."""


class Store(dict[Any, Any]):
    """What is known beside the state, cell by cell: reads and writes are noted, and writes can be taken back."""

    def __init__(self, here: Trying) -> None:
        super().__init__()
        self.here = here
        self._now: tuple[tuple[Any, Any], ...] | None = ()

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other

    def plain(self, key: Any) -> Any:
        """What a cell holds, unnoted."""
        return super().get(key)

    def now(self) -> tuple[tuple[Any, Any], ...]:
        """All that is known now, unnoted."""
        if self._now is None:
            self._now = tuple(dict.items(self))
        return self._now

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key)
        self.here.model.notes.see((self, key), found)
        return default if found is None else found

    def __contains__(self, key: Any) -> bool:
        return self.get(key) is not None

    def __getitem__(self, key: Any) -> Any:
        return self.get(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.here.trail.append((self, key, super().get(key)))
        self.here.model.notes.written[self, key] = value
        self.put_back(key, value)

    def put_back(self, key: Any, value: Any) -> None:
        """Set a cell, unnoted, for good; None is nothing."""
        self._now = None
        if value is None:
            super().pop(key, None)
        else:
            super().__setitem__(key, value)


class Names:
    """The handles of one sort, as `Session` asks for them."""

    def __init__(self, here: Trying) -> None:
        self.handle, self.element, self.origin = Store(here), Store(here), Store(here)


@dataclass
class Tried:
    """What a call comes to in a state: the state after, its notes and writes, or why it cannot be what was answered."""

    call: Called
    at: Vector
    notes: Notes
    guess: tuple[tuple[Type, int, str], ...]
    names: dict[str, int]
    scarce: frozenset[Type]
    after: Vector = ()
    beside: list[tuple[Store, Any, Any]] = field(default_factory=list)
    clause: str = ""
    clauses: tuple[str, ...] = ()
    wrong: Mismatch | None = None
    alone: Any = None
    """What others remember of it."""

    @property
    def key(self) -> tuple[Called, Any]:
        """Which way of making which call this is."""
        return self.call, self.guess


class Moment(NamedTuple):
    """To where a search goes back: the state, how much was written beside it, and how many clauses were come to."""

    vector: Vector
    mark: int
    clauses: int


class Trying:
    """Where a search is: the state, and what is known beside it; the calls of a history as they can be made there, of which the
    answers up to line `until` count.  Raises SpecError where the scope is too small."""

    def __init__(self, session: Session, history: History, until: int) -> None:
        self.session, self.history, self.until = session, history, until
        self.plain = session.model
        self.model = Footprints(session.spec, session.model.scope)
        session.model = self.model
        self.trail: list[tuple[Store, Any, Any]] = []
        self.names: dict[Type, Names] = {kind: Names(self) for kind in session.handle_sorts}
        self.living = {names.handle: (kind, True) for kind, names in self.names.items()}
        self.living |= {names.element: (kind, False) for kind, names in self.names.items()}
        """Where the things are that live: by element (True) or by handle."""
        self.open, self.status, self.waits, self.unnamed, self.guessed, self.pools = (Store(self) for _ in range(6))
        self.settling = Store(self)
        """The settles that were asked and are not answered: whether all that is due was suspended at some moment since."""
        self.vector: Vector = session.vector
        for kind, names in session.names.items():
            for element, handle in names.handle.items():
                self._bind(kind, element, handle)
        self.clauses: list[str] = []
        self.gone: list[Gone] = []
        self.unnamed_others = False
        """What is no more by the call made last, and whether it changed of which things no answer told yet."""
        self.ordered = _ordered(session)
        self._tried: dict[Any, Tried] = {}
        self._scarce_now: frozenset[Type] | None = None
        self._reserved: dict[tuple[Called, str], int] = {}
        self._reserved_for: dict[tuple[Type, int], Called] = {}
        self._pools: dict[Type, tuple[list[int], list[Any], dict[int, None]]] = {}

    def is_open(self, call: Called) -> bool:
        return self.open.plain(call) is not None

    def open_calls(self) -> list[Called]:
        """The calls that were asked and have not taken effect."""
        return list(dict.keys(self.open))

    def moment(self) -> Moment:
        """Where the search is."""
        return Moment(self.vector, len(self.trail), len(self.clauses))

    def back_to(self, moment: Moment) -> None:
        """Go back to where the search was."""
        self._undo(moment.mark)
        self.vector = moment.vector
        del self.clauses[moment.clauses :]

    def _undo(self, mark: int) -> None:
        while len(self.trail) > mark:
            store, key, value = self.trail.pop()
            store.put_back(key, value)
        self._scarce_now = None

    def tries(self, call: Called) -> list[Tried]:
        """What a call can come to now: one way, or more where a handle may be that of a thing of which no answer told yet."""
        found = [self._try(call, ())]
        for kind, handle in self._untold(call):
            for element, is_answered in self.unnamed.plain(kind) or ():
                if handle in self.history.named or not is_answered:
                    found.append(self._try(call, ((kind, element, handle),)))
        return found

    def _untold(self, call: Called) -> list[tuple[Type, str]]:
        """The handles among a call's arguments of which nobody was told yet."""
        given = [(kind, call.given[name]) for name, kind in call.handles]
        return [(k, h) for k, h in given if h is not None and h != NEVER and self.names[k].origin.plain(h) is None]

    def _try(self, call: Called, guess: tuple[tuple[Type, int, str], ...]) -> Tried:
        known = self._tried.get((call, guess))
        if self._scarce_now is None:
            self._scarce_now = self._scarce()
        scarce = self._scarce_now
        if known is not None and self._still(known, scarce):
            return known
        if len(self._tried) > REMEMBERED:
            self._tried.clear()
        mark, vector = len(self.trail), self.vector
        self.model.notes = notes = Notes()
        fresh = self._fresh(call, scarce)
        tried = self._tried[call, guess] = Tried(call, vector, notes, guess, fresh, scarce)
        for kind, _ in self._untold(call):
            self.unnamed.get(kind)
        try:
            for kind, element, handle in guess:
                self._bind(kind, element, handle)
                self.guessed[kind, handle] = True
            self._make(tried)
        except Mismatch as mismatch:
            tried.wrong = mismatch
        except AdapterError as error:
            tried.wrong = Mismatch(f"{call.action.name}/{OK}", str(error))
        tried.beside = [(store, key, store.plain(key)) for store, key, _ in self.trail[mark:]]
        self._undo(mark)
        return tried

    def _still(self, tried: Tried, scarce: frozenset[Type]) -> bool:
        """Whether a call comes to the same as when it was tried: all that it read is the same."""
        if tried.scarce != scarce or (scarce and tried.at is not self.vector):
            return False
        for name, kind in tried.call.fresh:
            if kind not in scarce and tried.names[name] not in self.pool(kind):
                return False
        same = tried.at is self.vector
        for (where, key), value in tried.notes.read.items():
            if type(where) is not int:
                if where.plain(key) != value:
                    return False
            elif not same and self.vector[where][key] != value:
                return False
        if same:
            return True
        for where, key in tried.notes.moved:
            if self.vector[where][key] != tried.at[where][key]:
                return False
        return all(
            self.vector[where][key] == tried.at[where][key]
            or all(self.model.answer(question, self.vector) == answer for question, answer in questions.items())
            for (where, key), questions in tried.notes.asked.items()
        )

    def _make(self, tried: Tried) -> None:
        """Make a call in the state at hand.  Raises Mismatch where it comes to what was not answered."""
        call, session = tried.call, self.session
        action = call.action
        world = World(self.vector, self.names)  # type: ignore[arg-type]
        elements = {name: session.element(world, kind, call.given[name]) for name, kind in call.handles}
        values = {**call.given, **elements, **tried.names}
        outcome = self.model.step(action, self.vector, values)
        tried.after, tried.clause = outcome.state, f"{action.name}/{outcome.exit}"
        if outcome.exit == SUSPENDED:
            self.waits[action.name, values[session.spec.waiter]] = call
            self.status[call] = SUSPENDED_NOW
        else:
            self._compare(call, world, values, outcome.exit, outcome.answer)
            self.status[call] = tried.clause
        tried.clauses = (tried.clause,) if self._is_answered(call) and outcome.exit != SUSPENDED else ()
        self.open[call] = None
        if session.spec.late is not None and outcome.shown is not outcome.state:
            seen = self.model.system(self.vector), self.model.system(outcome.shown)
            with reading(self.model):
                brought = list(session.spec.late(*seen, self.model.scope))
            for late in brought:
                self._bring(tried, late, world)
        if tried.scarce:
            self._note_pools(tried)
        for name, kind in call.fresh:
            element = tried.names[name]
            is_unnamed = kind in self.names and outcome.effective and element and self.names[kind].handle.plain(element) is None
            if is_unnamed and element not in self.pool(kind, outcome.state):
                self.unnamed[kind] = (*(self.unnamed.get(kind) or ()), (element, self._is_answered(call)))

    def _is_answered(self, call: Called) -> bool:
        return 0 < call.answered <= self.until

    def _compare(self, call: Called, world: World, values: dict[str, Any], exit: str, answer: Any) -> None:
        if not self._is_answered(call):
            return
        result = call.result
        if not isinstance(result, dict) or list(result) not in (["ok"], ["error"]):
            raise Mismatch(f"{call.action.name}/{exit}", f"{call.action.name} answers {quoted(result)}, which is no outcome")
        self.session.compare_outcome(world, call.action, values, exit, answer, result, call.asked)
        self._tell()

    def _tell(self) -> None:
        """Take note of which things have names now."""
        for kind, names in self.names.items():
            some = self.unnamed.plain(kind)
            if some and any(names.handle.plain(element) for element, _ in some):
                self.unnamed[kind] = tuple(pair for pair in some if not names.handle.plain(pair[0]))

    def _bring(self, tried: Tried, late: Late, world: World) -> None:
        """A suspended call gets its answer now."""
        key = late.operation, late.waiter
        call = self.waits.get(key)
        if call is None:
            return
        self.waits[key] = None
        self.status[call] = late.clause
        if not self._is_answered(call):
            return
        name, result = call.action.name, call.result
        if late.exit != OK:
            if result != {"error": late.exit}:
                raise Mismatch(late.clause, f"{name}, suspended, must be answered with {late.exit}; it is {quoted(result)}")
        elif not isinstance(result, dict) or "ok" not in result:
            raise Mismatch(late.clause, f"{name}, suspended, must succeed; the answer is {quoted(result)}")
        else:
            self.session.compare_answer(world, late.clause, call.action, late.answer, result["ok"], "", call.asked)
            self._tell()
        tried.clauses += (late.clause,)

    def _bind(self, kind: Type, element: int, handle: str) -> None:
        names = self.names[kind]
        names.handle[element], names.element[handle], names.origin[handle] = handle, element, Origin(-1, handle)
        self._tell()

    def apply(self, tried: Tried) -> None:
        """Let a call take effect."""
        self._tried.pop(tried.key, None)
        self.model.notes = Notes()
        if tried.at is self.vector:
            self.vector = tried.after
        else:
            written = {cell: value for cell, value in tried.notes.written.items() if type(cell[0]) is int}
            self.vector = self.model.put(self.vector, written)
        for store, key, value in tried.beside:
            store[key] = value
        self.clauses += tried.clauses
        self._scarce_now = None
        self.gone = []
        self.unnamed_others = any(store is self.unnamed for store, _, _ in tried.beside)
        for kind, names in self.names.items():
            pool = self.pool(kind)
            gone = [element for element in dict.keys(names.handle) if element in pool]
            for element in gone:
                handle = names.handle.plain(element)
                self.gone.append((kind, element, handle))
                names.element[handle] = names.handle[element] = None
            some = self.unnamed.plain(kind) or ()
            left = tuple(pair for pair in some if pair[0] not in pool)
            if left != some:
                self.unnamed[kind] = left
                self.unnamed_others = True

    def cells_of_use(self, kind: Type, element: int, vector: Vector) -> list[Cell]:
        """The cells that say whether a name is in use."""
        self.model.notes = Notes()
        with reading(self.model):
            self.session.spec.unused[kind].function(self.model.system(vector), element)
        return [*self.model.notes.read, *self.model.notes.asked]

    def asked_by_pool(self, kind: Type) -> list[int]:
        """The components that say which names of a sort are in use."""
        self.pool(kind)
        return self._pools[kind][0]

    def pool(self, kind: Type, vector: Vector | None = None) -> dict[int, None]:
        """The names of a sort that are not in use, but the last of those with handles, which stands for strangers."""
        vector = vector or self.vector
        known = self._pools.get(kind)
        if known is not None and all(vector[p] is part for p, part in zip(known[0], known[1], strict=True)):
            return known[2]
        test = self.session.spec.unused[kind].function
        system = self.plain.system(vector)
        last = self.plain.scope[kind.plural] - (kind in self.names)
        with reading(self.plain):
            pool = {e: None for e in range(len(kind.constants) + 1, last + 1) if test(system, e)}
        asked = system._asked()
        self._pools[kind] = asked, [vector[p] for p in asked], pool
        return pool

    def _scarce(self) -> frozenset[Type]:
        """The sorts of which it matters who is given a name first: those with names that one can see, the least always first, and
        those of which there are not names enough for all calls that are open."""
        wanted: dict[Type, int] = {}
        for call in dict.keys(self.open):
            for _, kind in call.fresh:
                wanted[kind] = wanted.get(kind, 0) + 1
        return frozenset(kind for kind, n in wanted.items() if kind in self.ordered or n > len(self.pool(kind)))

    def _fresh(self, call: Called, scarce: frozenset[Type]) -> dict[str, int]:
        """The fresh arguments of a call: of what is not scarce, names that no other call will be given meanwhile."""
        found: dict[str, int] = {}
        for name, kind in call.fresh:
            pool = self.pool(kind)
            if kind in scarce:
                self.pools.get(kind)
                taken = [found[n] for n, k in call.fresh if k is kind and n in found]
                found[name] = next((e for e in pool if e not in taken), 0)
                if not found[name] and kind.endless:
                    raise SpecError(f"line {call.asked}: the scope has no {kind.plural} left: give more, --scope {kind.plural}=N")
                continue
            element = self._reserved.get((call, name), 0)
            if element not in pool or self._reserved_for.get((kind, element)) is not call:
                element = next(e for e in pool if not self._is_reserved(kind, e))
                self._reserved[call, name] = element
                self._reserved_for[kind, element] = call
            found[name] = element
        return found

    def _is_reserved(self, kind: Type, element: int) -> bool:
        """Whether an open call is to be given a name."""
        holder = self._reserved_for.get((kind, element))
        if holder is None or not self.is_open(holder):
            return False
        return any(self._reserved.get((holder, name)) == element for name, other in holder.fresh if other is kind)

    def _note_pools(self, tried: Tried) -> None:
        for kind in tried.scarce:
            if list(self.pool(kind)) != list(self.pool(kind, tried.after)):
                self.pools[kind] = object()


def _ordered(session: Session) -> frozenset[Type]:
    """The sorts without handles whose names show, in an argument or an answer: as numbers, say."""
    shown: set[Type] = set()
    for action in session.spec.actions.values():
        shown.update(slot.type for slot in action.slots if not slot.fresh)
        shown.update(member_type(kind) if is_subset(kind) else kind for _, kind in answer_fields(action.answer))
    return frozenset(kind for kind in session.spec.unused if kind in shown and not kind.handles)
