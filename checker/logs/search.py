"""A witness for a log: an order in which its calls can have taken effect, each between its request and its answer.

The search goes through the answers in their order, depth first: before each, its call must have taken effect (Wing and Gong,
"Testing and verifying concurrent objects", 1993), and what led nowhere is remembered with the calls that are open and the state
up to the names of fresh things (Lowe, "Testing for linearizability", 2017), or with what of the state it depends on.  Calls whose
footprints show that they commute are left unordered: before an answer only those are tried of which its call depends.  All
answers are known from the start, so that a handle is tied to its thing, for good, by the first call that shows it, in whatever
order the answers came.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...model.language import SUSPENDED
from ..session import Mismatch, Session, Unknown
from . import reasons
from .dependence import needed
from .history import Called, History, Settled
from .likeness import Likeness, Place
from .trying import SUSPENDED_NOW, Gone, Moment, Tried, Trying

REMEMBERED = 100_000
"""How many dead ends are remembered with all that they could depend on; the oldest are forgotten."""

LEARN_AFTER = 200
"""After how many ways that led nowhere it is worth to find out what the next ones depend on."""


@dataclass
class _Node:
    """A place in the search: an answer that is to be explained; the moves that are left to try, and whether those are all, as
    first only the call itself that is answered is tried; the move made last; what it depends on that all led nowhere, None for:
    on all."""

    event: int
    moment: Moment
    left: list[Tried]
    whole: bool
    because: set[Any] | None
    known: bool = False
    move: Tried | None = None
    gone: list[Gone] = field(default_factory=list)


class Search(Trying):
    """The search for a witness of a history, of the answers up to line `until`: those after it count as not given.

    `most` is how many other ways than the first may be tried to explain an answer, of all answers together.  Raises Unknown
    beyond that, and SpecError where the scope is too small.
    """

    def __init__(self, session: Session, history: History, until: int, most: int) -> None:
        super().__init__(session, history, until)
        self.most = most
        self.furthest, self.why = 0, Mismatch("", "")
        self._likeness = Likeness(self)
        self._ends: dict[int, list[Place | bytes]] = {}
        self._nogoods: dict[Any, dict[frozenset[Any], tuple[tuple[Any, ...], set[Any]]]] = {}
        self._collected: set[Any] | None = None
        self._last = -1
        self._others_tried = self._ends_since = self._ends_before = 0
        self._start = self.moment()

    def run(self, patience: int = 0) -> bool:
        """Whether there is a witness.  If not, `furthest` is the last line that a way led to, and `why` what is wrong there.

        With `patience`, after so many dead ends since the furthest line was come to, `until` becomes that line."""
        stack: list[_Node] = []
        event = 0
        while True:
            node = self._forward(event)
            if node is None:
                return True
            stack.append(node)
            while stack:
                node = stack[-1]
                self.back_to(node.moment)
                if not node.left and not node.whole:
                    node.left, node.whole = self._others(node), True
                if node.left:
                    node.move = node.left.pop(0)
                    self.apply(node.move)
                    node.gone = self.gone
                    if self.unnamed_others:
                        node.because = None
                    event = node.event
                    break
                self._remember(node)
                stack.pop()
                if stack:
                    self._blame(stack[-1], node)
                self._ends_since += 1
                if self._ends_since == patience and self.until > self.furthest:
                    event = self._shorten(stack)
                    break
            else:
                return False

    def _shorten(self, stack: list[_Node]) -> int:
        """Go on with the answers up to the furthest line alone, from before the first call that is answered later was asked; from
        the start if anything was given up before that line was come to.  Returns the event to go on with."""
        self.until = self.furthest
        later = [c.asked for _, c in self.history.events if isinstance(c, Called) and c.asked < self.until < c.answered]
        first = min(later, default=self.until)
        gone = next((n for n, node in enumerate(stack) if self.history.events[node.event][0] > first), len(stack) - 1)
        if self._ends_before or gone < 0:
            gone, event, moment = 0, 0, self._start
        else:
            event, moment = stack[gone].event, stack[gone].moment
        self.back_to(moment)
        del stack[gone:]
        self._ends.clear()
        self._nogoods.clear()
        self._tried.clear()
        self.furthest = 0
        return event

    def _forward(self, event: int) -> _Node | None:
        """Go on to the first answer that is not explained; None if there is none."""
        self._settle()
        for number in range(event, len(self.history.events)):
            line, item = self.history.events[number]
            if line > self.until:
                break
            if isinstance(item, Settled) and line == item.asked:
                if self.settling.plain(item) is None:
                    self.settling[item] = False
                    self._settle()
                continue
            if isinstance(item, Called) and line == item.asked:
                if not self.is_open(item) and self.status.plain(item) is None:
                    self.open[item] = True
                    self._scarce_now = None
                continue
            if isinstance(item, Called) and self.status.plain(item) not in (None, SUSPENDED_NOW):
                continue
            if isinstance(item, Settled) and self.settling.plain(item):
                continue
            if line > self.furthest:
                self.furthest, self.why = line, self._unexplained(item)
                self._ends_before, self._ends_since = self._ends_before + self._ends_since, 0
            return self._node(number, item)
        return None

    def _settle(self) -> None:
        """Take note of which settles can have come to their end here: where they can, nothing is lost by it."""
        for settle, is_done in self.settling.now():
            are_suspended = all(self.status.plain(call) == SUSPENDED_NOW for call in settle.due)
            if not is_done and are_suspended and all(self.status.plain(call) is not None for call in settle.others):
                self.settling[settle] = True

    def _node(self, event: int, item: Called | Settled) -> _Node:
        if event <= self._last:
            self._others_tried += 1
            if self._others_tried > self.most:
                line = self.history.events[event][0]
                raise Unknown(f"line {line}: {self.most} other ways tried, and there are more; --most allows more")
        self._last = max(self._last, event)
        known, because = self._is_known(event)
        if known:
            return _Node(event, self.moment(), [], True, because, known)
        because = self._collected = set() if self._others_tried > LEARN_AFTER else None
        own = self._possible(item) if isinstance(item, Called) and self.is_open(item) else []
        self._collected = None
        return _Node(event, self.moment(), own, False, because)

    def tries(self, call: Called) -> list[Tried]:
        """What a call can come to now; what that depends on is taken note of where a dead end is to be explained."""
        found = super().tries(call)
        if self._collected is not None:
            self._collected.update(*(reasons.of(self, tried) for tried in found))
        return found

    def _possible(self, call: Called) -> list[Tried]:
        return [tried for tried in self.tries(call) if tried.wrong is None]

    def _others(self, node: _Node) -> list[Tried]:
        """What else may take effect first, so that an answer can be explained."""
        target = self.history.events[node.event][1]
        self._collected = node.because
        calls = sorted(needed(self, target), key=lambda c: (not c.answered, c.answered, c.asked))
        self._collected = None
        return [tried for call in calls if call is not target for tried in self._possible(call)]

    def _unexplained(self, item: Called | Settled) -> Mismatch:
        if isinstance(item, Settled):
            call = next((c for c in item.due if self.status.plain(c) != SUSPENDED_NOW), None)
            if call is None:
                return Mismatch("", "at no moment since the settle was asked was all that was asked before ended or suspended")
            clause = self.status.plain(call) or self.tries(call)[0].clause
            text = f"{call.action.name} of line {call.asked} must be answered by now, as nothing suspends it; it is not"
            return Mismatch(clause, text)
        if self.status.plain(item) == SUSPENDED_NOW:
            name = item.action.name
            return Mismatch(f"{name}/{SUSPENDED}", f"{name} must be suspended; it is answered")
        return next((t.wrong for t in self.tries(item) if t.wrong), Mismatch("", ""))

    def _is_known(self, event: int) -> tuple[bool, set[Any] | None]:
        """Whether this place is a dead end that is remembered, and what that depends on."""
        for keys, (order, values) in self._nogoods.get(self._where(event), {}).items():
            if tuple(reasons.now(self, reason) for reason in order) in values:
                return True, set(keys)
        ends = self._ends.get(hash(self._where(event)))
        if not ends:
            return False, None
        here = self._likeness.of(self._place())
        for number, end in enumerate(ends):
            if isinstance(end, Place):
                ends[number] = self._likeness.of(end)
            if ends[number] == here:
                return True, None
        return False, None

    def _where(self, event: int) -> tuple[Any, ...]:
        settling = frozenset(self.settling.now())
        return event, frozenset(dict.keys(self.open)), frozenset(dict.values(self.waits)), settling

    def _place(self) -> Place:
        handles = tuple((kind, names.handle.now()) for kind, names in self.names.items())
        known = tuple(store.now() for store in (self.waits, self.unnamed, self.guessed, self.open, self.settling))
        return Place(self.vector, handles, *known)

    def _remember(self, node: _Node) -> None:
        """Remember a dead end."""
        if node.known:
            return
        where = self._where(node.event)
        if node.because is not None and len(node.because) <= reasons.MANY:
            keys = frozenset(node.because)
            order, values = self._nogoods.setdefault(where, {}).setdefault(keys, (tuple(keys), set()))
            values.add(tuple(reasons.now(self, reason) for reason in order))
            return
        node.because = None
        if len(self._ends) > REMEMBERED:
            del self._ends[next(iter(self._ends))]
        ends = self._ends.setdefault(hash(where), [])
        ends.append(self._likeness.of(self._place()) if ends else self._place())

    def _blame(self, node: _Node, dead: _Node) -> None:
        """A move led to a dead end: what that depends on, as it was before the move."""
        if node.because is None:
            return
        vector, self.vector = self.vector, node.moment.vector
        found = None
        if dead.because is not None and node.move is not None:
            found = reasons.before(self, dead.because, node.move, node.gone, vector)
        node.because = None if found is None else node.because | found
