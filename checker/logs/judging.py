"""Conversations on disk: read back, made again, and held against the specification.

A log is the protocol's own lines, requests and responses as they passed, from one reset on; docs/protocol.md describes it.
Calls of several actors may overlap: a call takes effect at some moment between its request and its response.  So what is kept
is the set of all states that the lines so far allow, each with the calls that have taken effect in it but are not answered yet
(the just-in-time linearization of Lowe, "Testing for linearizability", 2017).  A response keeps the states in which its call
has come to just that; where it has not taken effect yet, the open calls are tried in every order up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...model.concrete import Outcome
from ...model.language import (
    OK,
    SUSPENDED,
    Action,
    Late,
    Spec,
    SpecError,
)
from ..adapters import INDETERMINATE, METHOD_NOT_FOUND, UNSUPPORTED
from ..session import MOST_WORLDS, Mismatch, Session, Unknown, World
from .reading import Log, opened
from .values import Wire, action_of, argument_at, given_to, slot_of


@dataclass
class _Silent:
    """Stands for the implementation whose log is read."""

    handles: dict[str, str]

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        return self.handles

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError("a log is only read")

    def settle(self) -> list[dict[str, Any]]:
        return []


@dataclass(frozen=True)
class _Open:
    """A call that has not taken effect yet."""

    action: Action
    given: Mapping[str, Any]
    line: int


@dataclass(frozen=True)
class _Done:
    """A call that has taken effect, in the world `at`: what it is to answer."""

    action: Action
    values: Mapping[str, Any]
    exit: str
    answer: Any
    at: World
    late: Late | None = None


@dataclass
class _Possible:
    """One way in which what the lines say can be: a state, and what has become of the calls that are not answered."""

    world: World
    calls: dict[int, _Open | _Done]

    def copy(self) -> _Possible:
        return _Possible(_copied(self.world), dict(self.calls))


def _copied(world: World) -> World:
    return World(world.vector, {kind: names.copy() for kind, names in world.names.items()})


@dataclass(frozen=True)
class Judged:
    """What became of a log: how many calls it has, of how many the answers were judged, to which clauses these came, how many
    pairs of calls overlapped; and the first line that no behaviour of the specification explains."""

    calls: int
    judged: int = 0
    clauses: tuple[str, ...] = ()
    overlaps: int = 0
    line: int = 0
    clause: str = ""
    text: str = ""

    @property
    def accepted(self) -> bool:
        """Whether something was judged, and all of it can be explained."""
        return not self.line and self.judged > 0

    def __add__(self, other: Judged) -> Judged:
        clauses = tuple(dict.fromkeys([*self.clauses, *other.clauses]))
        counts = (self.calls + other.calls, self.judged + other.judged, clauses, self.overlaps + other.overlaps)
        return Judged(*counts, other.line, other.clause, other.text)


def judge_all(spec: Spec, logs: Sequence[Log], *, strict: bool = False, sizes: Mapping[str, int] | None = None) -> Judged:
    """Hold every part of a conversation against the specification, up to the first that is wrong.  Raises as `judge`."""
    whole = Judged(0)
    for log in logs:
        whole += judge(spec, log, strict=strict, sizes=sizes)
        if whole.line:
            break
    return whole


def judge(spec: Spec, log: Log, *, strict: bool = False, sizes: Mapping[str, int] | None = None) -> Judged:
    """Hold a log against the specification.  Raises SpecError for one that cannot be read, Unknown for one too wide."""
    return _Judge(spec, log, strict, sizes).run()


NOT_MADE = (UNSUPPORTED, METHOD_NOT_FOUND)


class _Judge:
    came_to = ""
    """To which clause the call came that was answered last."""

    def __init__(self, spec: Spec, log: Log, strict: bool, sizes: Mapping[str, int] | None) -> None:
        spec, scope = opened(spec, log, sizes)
        self.spec, self.log = spec, log
        self.wire = Wire(spec, scope)
        first, *self.lines = log.lines
        answer = next((r for r in self.lines if not r.is_request and r.message["id"] == first.message["id"]), None)
        if answer is None or not isinstance(answer.message.get("result"), dict):
            raise SpecError(f"{log.path}, line {first.number}: the reset is not answered with handles")
        self.reset_id = first.message["id"]
        self.session = Session(spec, _Silent(answer.message["result"]), scope, strict=strict, probing=False)

    def run(self) -> Judged:
        possible = [_Possible(self.session.worlds[0], {})]
        calls = judged = overlaps = 0
        waits: dict[int, Action] = {}
        clauses: dict[str, None] = {}

        def told(line: int = 0, clause: str = "", text: str = "") -> Judged:
            return Judged(calls, judged, tuple(clauses), overlaps, line, clause, text)

        for line in self.lines:
            number, message = line.message["id"], line.message
            if message.get("method") == "call":
                calls += 1
                overlaps += len(waits)
                action = waits[number] = action_of(self.spec, self.log, line)
                given = given_to(action, message["params"])
                values = {s.name: argument_at(self.log, line, self.wire, s, given) for s in action.slots if not s.fresh}
                for each in possible:
                    each.calls[number] = _Open(action, values, line.number)
            elif not line.is_request and number in waits:
                action = waits.pop(number)
                if "error" in message:
                    code = message["error"].get("code") if isinstance(message["error"], dict) else None
                    if code not in (*NOT_MADE, INDETERMINATE):
                        judged += 1
                        return told(line.number, "", f"{action.name}: the adapter failed: {message['error']!r}")
                    possible = self._failed(possible, number, code)
                    continue
                judged += 1
                kept, wrong = self._answered(possible, number, message["result"])
                if not kept:
                    assert wrong is not None
                    return told(line.number, wrong.clause, wrong.text)
                if len(kept) > MOST_WORLDS:
                    raise Unknown(f"{self.log.path}, line {line.number}: more than {MOST_WORLDS} states are possible")
                possible = kept
                clauses[self.came_to] = None
        return told()

    def _failed(self, possible: list[_Possible], number: int, code: int) -> list[_Possible]:
        """A call that the adapter did not make, or of which it does not know: then it stays open for ever."""
        if code not in NOT_MADE:
            return possible
        for each in possible:
            each.calls.pop(number, None)
        return possible

    def _answered(self, possible: list[_Possible], number: int, result: Any) -> tuple[list[_Possible], Mismatch | None]:
        kept: dict[Any, _Possible] = {}
        wrong: Mismatch | None = None
        for each in self._done(possible, number):
            if isinstance(each, Mismatch):
                wrong = wrong or each
                continue
            done = each.calls[number]
            assert isinstance(done, _Done)
            try:
                self.compare_outcome(each, done, number, result)
            except Mismatch as mismatch:
                wrong = wrong or mismatch
                continue
            del each.calls[number]
            kept[_key(each)] = each
            self.came_to = done.late.clause if done.late else f"{done.action.name}/{done.exit}"
        return list(kept.values()), wrong

    def _done(self, possible: Iterable[_Possible], number: int) -> Iterator[_Possible | Mismatch]:
        """The ways in which a call has come to an end, open calls taking effect in any order up to it."""
        todo = [each for each in possible if number in each.calls]
        seen, made = set(), set()
        kept_alive = []
        while todo:
            each = todo.pop()
            done = each.calls[number]
            if isinstance(done, _Done) and done.exit != SUSPENDED:
                # one that was made here is nobody else's
                yield each if id(each) in made else each.copy()
                continue
            if isinstance(done, _Done):
                # it is suspended: only another call can bring its answer
                yield Mismatch(f"{done.action.name}/{SUSPENDED}", f"{done.action.name} must be suspended; it is answered")
            for other, call in each.calls.items():
                if isinstance(call, _Open):
                    after = self._applied(each, other, call)
                    if (key := _key(after)) not in seen:
                        seen.add(key)
                        made.add(id(after))
                        kept_alive.append(after)
                        todo.append(after)
            if len(seen) > MOST_WORLDS * MOST_WORLDS:
                raise Unknown(f"{self.log.path}: too many calls overlap to try all their orders")

    def _applied(self, possible: _Possible, number: int, call: _Open) -> _Possible:
        session, world = self.session, possible.world
        values = {
            name: session.element(world, slot.type, value) if (slot := slot_of(call.action, name)).type in world.names else value
            for name, value in call.given.items()
        } | session.fresh(call.action, world)
        outcome: Outcome = session.model.step(call.action, world.vector, values)
        after = possible.copy()
        before = World(world.vector, after.world.names)
        after.calls[number] = _Done(call.action, values, outcome.exit, outcome.answer, before)
        after.world.vector = outcome.state
        if self.spec.late is not None and outcome.shown is not outcome.state:
            seen = session.model.system(world.vector), session.model.system(outcome.shown)
            for late in self.spec.late(*seen, session.model.scope):
                self._bring(after, late)
        return after

    def _bring(self, possible: _Possible, late: Late) -> None:
        for number, call in possible.calls.items():
            waits = isinstance(call, _Done) and call.exit == SUSPENDED and call.action.name == late.operation
            if waits and isinstance(call, _Done) and call.values[self.spec.waiter] == late.waiter:
                possible.calls[number] = replace(call, exit=late.exit, answer=late.answer, late=late)

    def compare_outcome(self, possible: _Possible, done: _Done, number: int, result: Any) -> None:
        if not isinstance(result, dict) or list(result) not in (["ok"], ["error"]):
            raise Mismatch(f"{done.action.name}/{done.exit}", f"{done.action.name} answers {result!r}, which is no outcome")
        session = self.session
        if done.late is None:
            at = World(done.at.vector, possible.world.names)
            session.compare_outcome(at, done.action, dict(done.values), done.exit, done.answer, result, number)
        elif done.exit != OK:
            if result != {"error": done.exit}:
                raise Mismatch(
                    done.late.clause, f"{done.action.name}, suspended, must be answered with {done.exit}; it is {result!r}"
                )
        elif "ok" not in result:
            raise Mismatch(done.late.clause, f"{done.action.name}, suspended, must succeed; the answer is {result!r}")
        else:
            session.compare_answer(possible.world, done.late.clause, done.action, done.answer, result["ok"], "", number)
        session.bury(possible.world)


def _key(possible: _Possible) -> Any:
    calls = tuple(
        sorted((n, c.exit if isinstance(c, _Done) else "", repr(getattr(c, "answer", ""))) for n, c in possible.calls.items())
    )
    names = tuple((kind.__name__, tuple(sorted(names.handle.items()))) for kind, names in possible.world.names.items())
    return possible.world.vector, calls, names
