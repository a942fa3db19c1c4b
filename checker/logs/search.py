"""A witness for a log: an order in which its calls can have taken effect, each between its request and its answer.

The search goes through the answers in their order, depth first: before each, its call must have taken effect (Wing and Gong,
"Testing and verifying concurrent objects", 1993), and what led nowhere is remembered with the calls that are open and the state
up to the names of fresh things (Lowe, "Testing for linearizability", 2017).  Calls whose footprints show that they commute are
left unordered: before an answer only those are tried of which its call depends.  All answers are known from the start, so that
a handle is tied to its thing, for good, by the first call that shows it, in whatever order the answers came.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...model.concrete import Cell, Footprints, Notes, Vector
from ...model.language import OK, SUSPENDED, Late, SpecError, Type, answer_fields, is_subset, member_type, reading
from ..errors import AdapterError
from ..session import NEVER, Mismatch, Origin, Session, Unknown, World
from .history import Called, History, Settled
from .likeness import Place, likeness

TOGETHER = 100
"""How many ways to order calls that depend on each other, and on no others, are looked at before they are taken to depend on all."""

SUSPENDED_NOW = "suspended"
"""What is known of a call that waits; of one that has come to an end, to which clause."""


class Store(dict[Any, Any]):
    """What is known beside the state, cell by cell: reads and writes are noted, and writes can be taken back."""

    def __init__(self, search: Search) -> None:
        super().__init__()
        self.search = search
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
            self._now = tuple(super().items())
        return self._now

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key)
        self.search.model.notes.see((self, key), found)
        return default if found is None else found

    def __contains__(self, key: Any) -> bool:
        return self.get(key) is not None

    def __getitem__(self, key: Any) -> Any:
        return self.get(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.search.trail.append((self, key, super().get(key)))
        self.search.model.notes.written[self, key] = value
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

    def __init__(self, search: Search) -> None:
        self.handle, self.element, self.origin = Store(search), Store(search), Store(search)


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


@dataclass
class _Group:
    """Calls that depend on each other: what they may read and write, however they are ordered."""

    calls: list[Called]
    read: set[Cell] = field(default_factory=set)
    counted: dict[Cell, list[Any]] = field(default_factory=dict)
    written: dict[Cell, list[Any]] = field(default_factory=dict)

    def add(self, tried: Tried) -> None:
        self.read.update(tried.notes.read)
        for cell, tests in tried.notes.counted.items():
            self.counted.setdefault(cell, []).extend(tests)
        if tried.wrong is None:
            for cell, value in tried.notes.written.items():
                self.written.setdefault(cell, []).append(value)

    def take(self, other: _Group) -> None:
        self.calls += other.calls
        self.read |= other.read
        for cell, tests in other.counted.items():
            self.counted.setdefault(cell, []).extend(tests)
        for cell, values in other.written.items():
            self.written.setdefault(cell, []).extend(values)


@dataclass
class _Node:
    """A place in the search: an answer that is to be explained, the moves that are left to try, and whether those are all: first
    only the call itself that is answered is tried."""

    event: int
    left: list[Tried]
    whole: bool
    vector: Vector
    mark: int
    clauses: int


class Search:
    """The search for a witness of a history, of the answers up to line `until`: those after it count as not given.

    `most` is how many other ways than the first may be tried to explain an answer, of all answers together.  Raises Unknown beyond that, and SpecError where the scope is too small.
    """

    def __init__(self, session: Session, history: History, until: int, most: int) -> None:
        self.session, self.history, self.until, self.most = session, history, until, most
        self.plain = session.model
        self.model = Footprints(session.spec, session.model.scope)
        session.model = self.model
        self.trail: list[tuple[Store, Any, Any]] = []
        self.names: dict[Type, Names] = {kind: Names(self) for kind in session.handle_sorts}
        self.open, self.status, self.waits, self.unnamed, self.guessed, self.pools = (Store(self) for _ in range(6))
        self.vector: Vector = session.vector
        self.blank = self.plain.blank()
        for kind, names in session.names.items():
            for element, handle in names.handle.items():
                self._bind(kind, element, handle)
        self.clauses: list[str] = []
        self.furthest, self.why = 0, Mismatch("", "")
        self.facts: dict[tuple[int, int], tuple[Any, list[Any]]] = {}
        self._ends: dict[int, list[Place | bytes]] = {}
        self._last = -1
        self._others_tried = 0
        self._tried: dict[Any, Tried] = {}
        self.ordered = _ordered(session)
        self._reserved: dict[tuple[Called, str], int] = {}
        self._reserved_for: dict[tuple[Type, int], Called] = {}
        self._pools: dict[Type, tuple[list[int], list[Any], dict[int, None]]] = {}

    def run(self) -> bool:
        """Whether there is a witness.  If not, `furthest` is the last line that a way led to, and `why` what is wrong there."""
        stack: list[_Node] = []
        event = 0
        while True:
            node = self._forward(event)
            if node is None:
                return True
            stack.append(node)
            while stack:
                node = stack[-1]
                self._back(node)
                if not node.left and not node.whole:
                    node.left, node.whole = self._others(self.history.events[node.event][1]), True
                if node.left:
                    self._apply(node.left.pop(0))
                    event = node.event
                    break
                self._remember(node)
                stack.pop()
            else:
                return False

    def _forward(self, event: int) -> _Node | None:
        """Go on to the first answer that is not explained; None if there is none."""
        for number in range(event, len(self.history.events)):
            line, item = self.history.events[number]
            if line > self.until:
                break
            if isinstance(item, Called) and line == item.asked:
                if not self._is_open(item) and self.status.plain(item) is None:
                    self.open[item] = True
                continue
            if isinstance(item, Called) and self.status.plain(item) not in (None, SUSPENDED_NOW):
                continue
            if isinstance(item, Settled) and all(self.status.plain(c) == SUSPENDED_NOW for c in item.due):
                continue
            if line > self.furthest:
                self.furthest, self.why = line, self._unexplained(item)
            known = self._is_known(number)
            own = [] if known or not isinstance(item, Called) or not self._is_open(item) else self._possible(item)
            return _Node(number, own, known, self.vector, len(self.trail), len(self.clauses))
        return None

    def _is_open(self, call: Called) -> bool:
        return self.open.plain(call) is not None

    def _possible(self, call: Called) -> list[Tried]:
        return [tried for tried in self._tries(call) if tried.wrong is None]

    def _others(self, target: Called | Settled) -> list[Tried]:
        """What else may take effect first, so that `target` can be explained."""
        needed = sorted(self._needed(target), key=lambda c: (not c.answered, c.answered, c.asked))
        return [tried for call in needed if call is not target for tried in self._possible(call)]

    def _back(self, node: _Node) -> None:
        self._undo(node.mark)
        self.vector = node.vector
        del self.clauses[node.clauses :]

    def _undo(self, mark: int) -> None:
        while len(self.trail) > mark:
            store, key, value = self.trail.pop()
            store.put_back(key, value)

    def _unexplained(self, item: Called | Settled) -> Mismatch:
        if isinstance(item, Settled):
            call = next(c for c in item.due if self.status.plain(c) != SUSPENDED_NOW)
            clause = self.status.plain(call) or self._tries(call)[0].clause
            text = f"{call.action.name} of line {call.asked} must be answered by now, as nothing suspends it; it is not"
            return Mismatch(clause, text)
        if self.status.plain(item) == SUSPENDED_NOW:
            name = item.action.name
            return Mismatch(f"{name}/{SUSPENDED}", f"{name} must be suspended; it is answered")
        return next((t.wrong for t in self._tries(item) if t.wrong), Mismatch("", ""))

    def _is_known(self, event: int) -> bool:
        """Whether this place is a dead end that is remembered."""
        if event <= self._last:
            self._others_tried += 1
            if self._others_tried > self.most:
                line = self.history.events[event][0]
                raise Unknown(f"line {line}: {self.most} other ways tried, and there are more; --most allows more")
        self._last = max(self._last, event)
        ends = self._ends.get(self._key(event))
        if not ends:
            return False
        here = likeness(self, self._place())
        for number, end in enumerate(ends):
            if isinstance(end, Place):
                end = ends[number] = likeness(self, end)
            if end == here:
                return True
        return False

    def _key(self, event: int) -> int:
        return hash((event, frozenset(dict.keys(self.open))))

    def _place(self) -> Place:
        handles = tuple((kind, names.handle.now()) for kind, names in self.names.items())
        known = tuple(store.now() for store in (self.waits, self.unnamed, self.guessed, self.open))
        return Place(self.vector, handles, *known)

    def _remember(self, node: _Node) -> None:
        ends = self._ends.setdefault(self._key(node.event), [])
        ends.append(likeness(self, self._place()) if ends else self._place())

    def _tries(self, call: Called) -> list[Tried]:
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
        scarce = self._scarce()
        if known is not None and self._still(known, scarce):
            return known
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
            if kind not in scarce and tried.names[name] not in self._pool(kind):
                return False
        same = tried.at is self.vector
        for (where, key), value in tried.notes.read.items():
            if type(where) is not int:
                if where.plain(key) != value:
                    return False
            elif not same and self.vector[where][key] != value:
                return False
        with reading(self.model):
            return same or all(
                self.vector[where][key] == tried.at[where][key] or all(test(self.vector) == held for test, held in tests)
                for (where, key), tests in tried.notes.counted.items()
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
            if kind in self.names and outcome.effective and element and self.names[kind].handle.plain(element) is None:
                if element not in self._pool(kind, outcome.state):
                    self.unnamed[kind] = (*(self.unnamed.get(kind) or ()), (element, self._is_answered(call)))

    def _is_answered(self, call: Called) -> bool:
        return 0 < call.answered <= self.until

    def _compare(self, call: Called, world: World, values: dict[str, Any], exit: str, answer: Any) -> None:
        if not self._is_answered(call):
            return
        result = call.result
        if not isinstance(result, dict) or list(result) not in (["ok"], ["error"]):
            raise Mismatch(f"{call.action.name}/{exit}", f"{call.action.name} answers {result!r}, which is no outcome")
        self.session.compare_outcome(world, call.action, values, exit, answer, result, call.asked)
        self._tell(world)

    def _tell(self, world: World) -> None:
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
                raise Mismatch(late.clause, f"{name}, suspended, must be answered with {late.exit}; it is {result!r}")
        elif not isinstance(result, dict) or "ok" not in result:
            raise Mismatch(late.clause, f"{name}, suspended, must succeed; the answer is {result!r}")
        else:
            self.session.compare_answer(world, late.clause, call.action, late.answer, result["ok"], "", call.asked)
            self._tell(world)
        tried.clauses += (late.clause,)

    def _bind(self, kind: Type, element: int, handle: str) -> None:
        names = self.names[kind]
        names.handle[element], names.element[handle], names.origin[handle] = handle, element, Origin(-1, handle)
        some = self.unnamed.get(kind)
        if some:
            self.unnamed[kind] = tuple(pair for pair in some if pair[0] != element)

    def _apply(self, tried: Tried) -> None:
        """Let a call take effect."""
        self._tried.pop((tried.call, tried.guess), None)
        self.model.notes = Notes()
        if tried.at is self.vector:
            self.vector = tried.after
        else:
            written = {cell: value for cell, value in tried.notes.written.items() if type(cell[0]) is int}
            self.vector = self.model.put(self.vector, written)
        for store, key, value in tried.beside:
            store[key] = value
        self.clauses += tried.clauses
        for kind, names in self.names.items():
            if not dict.__len__(names.handle):
                continue
            pool = self._pool(kind)
            gone = [element for element in dict.keys(names.handle) if element in pool]
            for element in gone:
                names.element[names.handle.plain(element)] = None
                names.handle[element] = None
            some = self.unnamed.plain(kind)
            if some and any(element in pool for element, _ in some):
                self.unnamed[kind] = tuple(pair for pair in some if pair[0] not in pool)

    def _pool(self, kind: Type, vector: Vector | None = None) -> dict[int, None]:
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
        return frozenset(kind for kind, n in wanted.items() if kind in self.ordered or n > len(self._pool(kind)))

    def _fresh(self, call: Called, scarce: frozenset[Type]) -> dict[str, int]:
        """The fresh arguments of a call: of what is not scarce, names that no other call will be given meanwhile."""
        found: dict[str, int] = {}
        for name, kind in call.fresh:
            pool = self._pool(kind)
            if kind in scarce:
                self.pools.get(kind)
                taken = [found[n] for n, k in call.fresh if k is kind and n in found]
                found[name] = next((e for e in pool if e not in taken), 0)
                if not found[name] and kind.endless:
                    raise SpecError(f"line {call.asked}: this scope has no {kind.__name__.lower()} left: give a larger --scope {kind.plural}=N")
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
        if holder is None or not self._is_open(holder):
            return False
        return any(self._reserved.get((holder, name)) == element for name, other in holder.fresh if other is kind)

    def _note_pools(self, tried: Tried) -> None:
        for kind in tried.scarce:
            if list(self._pool(kind)) != list(self._pool(kind, tried.after)):
                self.pools[kind] = object()

    def _needed(self, target: Called | Settled) -> list[Called]:
        """The open calls on which it may depend whether `target` can be explained: those that cannot be shown to commute with it,
        and with all that it needs."""
        calls = list(dict.keys(self.open))
        if len(calls) <= 1:
            return calls
        own = _Group([])
        for call in target.due if isinstance(target, Settled) else (target,):
            own.read.add((self.status, call))
        groups = [own]
        for call in calls:
            group = _Group([call])
            for tried in self._tries(call):
                group.add(tried)
            groups.append(group)
        while True:
            merged = self._merged(groups)
            if len(merged) == len(groups):
                return own.calls
            for group in merged:
                if len(group.calls) == len(calls):
                    return calls
                if len(group.calls) > 1 and not self._explore(group):
                    return calls
            groups = merged

    def _merged(self, groups: list[_Group]) -> list[_Group]:
        """Groups that do not commute, made one."""
        writers: dict[Cell, list[int]] = {}
        for number, group in enumerate(groups):
            for cell in group.written:
                writers.setdefault(cell, []).append(number)
        of = list(range(len(groups)))

        def root(number: int) -> int:
            while of[number] != number:
                number = of[number]
            return number

        for number, group in enumerate(groups):
            for cell in (*group.read, *group.written):
                for writer in writers.get(cell, ()):
                    if (one := root(writer)) != (other := root(number)):
                        of[max(one, other)] = min(one, other)
            for cell, tests in group.counted.items():
                for writer in writers.get(cell, ()):
                    if (one := root(writer)) != (other := root(number)) and self._changes(cell, groups[writer].written[cell], tests):
                        of[max(one, other)] = min(one, other)
        for number, group in enumerate(groups):
            if of[number] != number:
                groups[root(number)].take(group)
        return [group for number, group in enumerate(groups) if of[number] == number]

    def _changes(self, cell: Cell, values: list[Any], tests: list[Any]) -> bool:
        """Whether one of `values` in a cell changes what counting found there."""
        for value in values:
            other = self.model.put(self.vector, {cell: value})
            self.model.notes = Notes()
            with reading(self.model):
                if any(test(other) != held for test, held in tests):
                    return True
        return False

    def _explore(self, group: _Group) -> bool:
        """Note what the calls of a group may read and write in any order.  False if there are too many."""
        left = TOGETHER
        vector = self.vector

        def go(calls: list[Called]) -> bool:
            nonlocal left
            for call in calls:
                for tried in self._tries(call):
                    left -= 1
                    if left < 0:
                        return False
                    group.add(tried)
                    if tried.wrong is None:
                        mark, here, told = len(self.trail), self.vector, len(self.clauses)
                        self._apply(tried)
                        whole = go([c for c in calls if c is not call])
                        self._undo(mark)
                        self.vector = here
                        del self.clauses[told:]
                        if not whole:
                            return False
            return True

        done = go(list(group.calls))
        self.vector = vector
        return done


def _ordered(session: Session) -> frozenset[Type]:
    """The sorts without handles whose names show, in an argument or an answer: as numbers, say."""
    shown: set[Type] = set()
    for action in session.spec.actions.values():
        shown.update(slot.type for slot in action.slots if not slot.fresh)
        shown.update(member_type(kind) if is_subset(kind) else kind for _, kind in answer_fields(action.answer))
    return frozenset(kind for kind in session.spec.unused if kind in shown and not kind.handles)
