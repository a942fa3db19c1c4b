"""Conversations on disk: read back, made again, and held against the specification.

A log is the protocol's own lines, requests and responses as they passed, from one reset on; docs/protocol.md describes it.
Calls of several actors may overlap: a call takes effect at some moment between its request and its response.  So what is kept
is the set of all states that the lines so far allow, each with the calls that have taken effect in it but are not answered yet
(the just-in-time linearization of Lowe, "Testing for linearizability", 2017).  A response keeps the states in which its call
has come to just that; where it has not taken effect yet, the open calls are tried in every order up to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...model.concrete import Outcome
from ...model.language import (
    OK,
    SUSPENDED,
    Action,
    Late,
    Members,
    Slot,
    Spec,
    SpecError,
    Type,
    is_enumeration,
    is_sort,
    member_type,
)
from ..session import MOST_WORLDS, NEVER, Mismatch, Origin, Recorded, Session, Unknown, World


@dataclass(frozen=True)
class Line:
    """A line of a conversation: its number, and the request or response."""

    number: int
    message: Mapping[str, Any]

    @property
    def is_request(self) -> bool:
        return "method" in self.message


@dataclass(frozen=True)
class Log:
    """The lines since the last reset, that reset first; `heading` is what the checker wrote above, if it was the checker's."""

    path: Path
    heading: Mapping[str, Any]
    lines: list[Line]

    @property
    def topology(self) -> dict[str, int]:
        found: dict[str, int] = self.lines[0].message["params"]["topology"]
        return found


def is_log(path: Path) -> bool:
    """Whether a file looks like a conversation, and not like a trace."""
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline()
        value = json.loads(first)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool({"oneowner", "jsonrpc"} & set(value))


def read(path: Path) -> Log:
    """Read a conversation.  A last line that was cut off is left out.  Raises SpecError, naming the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: {error}") from None
    heading: Mapping[str, Any] = {}
    lines: list[Line] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            message = json.loads(line)
            _check(message)
        except (ValueError, RecursionError) as error:
            if number == text.count("\n") + 1:
                break
            raise SpecError(f"{path}, line {number}: no message of the protocol: {error}") from None
        if "oneowner" in message:
            heading = message["oneowner"]
        elif message.get("method") == "reset":
            lines = [Line(number, message)]
        elif lines:
            lines.append(Line(number, message))
    if not lines:
        raise SpecError(f"{path}: no reset in it: a log begins with the request that sets the system up")
    return Log(path, heading, lines)


def _check(message: Any) -> None:
    if not isinstance(message, dict):
        raise ValueError("not an object")
    if "oneowner" in message:
        if not isinstance(message["oneowner"], dict):
            raise ValueError("its heading is not an object")
        return
    params = message.get("params", {})
    if not isinstance(params, dict):
        raise ValueError("params is not an object")
    if message.get("method") == "reset":
        topology = params.get("topology")
        if not isinstance(topology, dict) or not all(type(size) is int for size in topology.values()):
            raise ValueError("reset needs a topology of whole numbers")
    is_whole = isinstance(params.get("op"), str) and isinstance(params.get("args"), dict) and "actor" in params
    if message.get("method") == "call" and not is_whole:
        raise ValueError("call needs actor, op and args")
    if type(message.get("id")) is not int:
        raise ValueError("id is not a whole number")
    if "method" not in message and ("result" in message) == ("error" in message):
        raise ValueError("a response has one of result and error")


def scope_of(spec: Spec, log: Log, sizes: Mapping[str, int] | None = None) -> dict[str, int]:
    """The scope of a log: that of its heading, else the fuzzing scope with the sizes of its topology; and `sizes` over that."""
    given = log.heading.get("scope")
    if given is None:
        known = spec.scope(spec.fuzz_scope)
        given = known | {name: max(size, 1) for name, size in log.topology.items() if name in known}
    try:
        return spec.scope({str(name): int(size) for name, size in given.items()} | dict(sizes or {}))
    except (AttributeError, TypeError, ValueError) as error:
        raise SpecError(f"{log.path}: the scope in its heading is none: {error}") from None


def opened(spec: Spec, log: Log, sizes: Mapping[str, int] | None = None) -> tuple[Spec, dict[str, int]]:
    """The spec and the scope in which a log is read: with an element for every value of the spec's open data that it has."""
    scope = scope_of(spec, log, sizes)
    encodings = dict(spec.encodings)
    for kind, ordinary in spec.open_data.items():
        encode = spec.encodings[kind]
        values = [encode(scope, number) for number in range(scope[kind.plural])]
        names = [(a.name, s.name) for a in spec.actions.values() for s in a.slots if s.type is kind]
        for line in log.lines:
            params = line.message.get("params", {})
            if line.message.get("method") == "call":
                given = [value for name, value in params["args"].items() if (params["op"], name) in names]
                values += [value for value in given if ordinary(value) and value not in values]
        last = encode(scope, scope[kind.plural])
        values.append(last if last not in values else [])
        scope[kind.plural] = len(values) - 1
        encodings[kind] = _table(values)
    return replace(spec, encodings=encodings), scope


def _table(values: list[Any]) -> Callable[[Mapping[str, int], int], Any]:
    return lambda scope, element: values[element]


@dataclass
class Wire:
    """The values of data sorts as a log has them, as elements of the model."""

    spec: Spec
    scope: dict[str, int]
    elements: dict[Type, dict[Any, int]] = field(default_factory=dict)

    def value(self, slot: Slot, given: Any) -> Any:
        """An argument of the wire's as `Session` takes it: handles as they are.  Raises SpecError for what is out of scope."""
        if slot.subset:
            if not isinstance(given, list):
                raise SpecError(f"{slot.name} is {given!r}, and must be a list")
            return Members(self._element(member_type(slot.type) if not is_sort(slot.type) else slot.type, g, slot) for g in given)
        if is_sort(slot.type) and slot.type in self.spec.unused and slot.type.handles:
            if given is not None and not isinstance(given, str):
                raise SpecError(f"{slot.name} is {given!r}, and must be a handle, which is a string")
            return given
        return self._element(slot.type, given, slot)

    def _element(self, kind: Type, given: Any, slot: Slot) -> Any:
        if is_enumeration(kind):
            named = {member.name: member for member in kind}
            if given not in named:
                raise SpecError(f"{slot.name} is {given!r}, and must be one of {', '.join(named)}")
            return int(named[given])
        if kind is bool or kind is int:
            if type(given) is not kind:
                raise SpecError(f"{slot.name} is {given!r}, and must be {'a boolean' if kind is bool else 'a whole number'}")
            return given
        if given is None:
            return 0
        table = self.elements.get(kind)
        if table is None:
            encode = self.spec.encodings[kind]
            numbers = range(1, self.scope[kind.plural] + 1)
            known = {number: encode(self.scope, number) for number in [*numbers, 0]}
            table = self.elements[kind] = {value: n for n, value in known.items() if not isinstance(value, list)}
        ordinary = self.spec.open_data.get(kind)
        if ordinary is not None and not isinstance(given, list | dict) and not ordinary(given):
            return self.scope[kind.plural]
        if isinstance(given, list | dict) or given not in table:
            shown = ", ".join(repr(value) if len(repr(value)) < 24 else repr(value)[:20] + "..." for value in list(table)[:8])
            raise SpecError(f"{slot.name} is {given!r}, which this scope ({shown}) does not have: give a larger --scope")
        return table[given]


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


def recorded(spec: Spec, log: Log) -> tuple[Spec, dict[str, int], list[Recorded]]:
    """The calls of a log with their handles by origin, to be made again, and the spec and the scope in which it is read."""
    spec, scope = opened(spec, log)
    wire = Wire(spec, scope)
    origins: dict[str, Origin] = {}
    calls: list[Recorded] = []
    index_of: dict[int, int] = {}
    late: dict[int, int] = {}
    for line in log.lines:
        message = line.message
        if message.get("method") == "call":
            action = _action(spec, log, line)
            given = _given(action, message["params"])
            arguments: dict[str, Any] = {}
            for slot in (s for s in action.slots if not s.fresh):
                value = _at(log, line, wire, slot, given)
                is_handle = is_sort(slot.type) and slot.type in spec.unused and slot.type.handles
                arguments[slot.name] = origins.get(value, NEVER) if is_handle and value is not None else value
            index_of[message["id"]] = len(calls)
            calls.append(Recorded(action.name, arguments))
        elif not line.is_request and "result" in message:
            own = index_of.get(message["id"], -1)
            at, prefix = own, ""
            if own >= 0 and own != len(calls) - 1:
                at, prefix = len(calls) - 1, f"late {late.get(len(calls) - 1, 0)} "
                late[at] = late.get(at, 0) + 1
            for name, value in _strings(message["result"], own < 0):
                origins.setdefault(value, Origin(at, f"{prefix}{name}".strip()))
    return spec, scope, calls


def _strings(result: Any, constants: bool) -> Iterator[tuple[str, str]]:
    answer = result if constants else result.get("ok") if isinstance(result, dict) else None
    if isinstance(answer, str):
        yield "", answer
    elif isinstance(answer, dict):
        yield from ((name, value) for name, value in answer.items() if isinstance(value, str))


def _action(spec: Spec, log: Log, line: Line) -> Action:
    name = line.message["params"]["op"]
    if name not in spec.actions:
        raise SpecError(f"{log.path}, line {line.number}: {spec.name} has no operation {name!r}")
    return spec.actions[name]


def _given(action: Action, params: Mapping[str, Any]) -> dict[str, Any]:
    return {action.slots[0].name: params["actor"], **params["args"]}


def _at(log: Log, line: Line, wire: Wire, slot: Slot, given: Mapping[str, Any]) -> Any:
    if slot.name not in given:
        raise SpecError(f"{log.path}, line {line.number}: the call gives no {slot.name}")
    try:
        return wire.value(slot, given[slot.name])
    except SpecError as error:
        raise SpecError(f"{log.path}, line {line.number}: {error}") from None


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
    """What became of a log: how many calls it has, and the first line that no behaviour of the specification explains."""

    calls: int
    line: int = 0
    clause: str = ""
    text: str = ""

    @property
    def accepted(self) -> bool:
        return not self.line


def judge(spec: Spec, log: Log, *, strict: bool = False, sizes: Mapping[str, int] | None = None) -> Judged:
    """Hold a log against the specification.  Raises SpecError for one that cannot be read, Unknown for one too wide."""
    return _Judge(spec, log, strict, sizes).run()


class _Judge:
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
        count = 0
        for line in self.lines:
            number, message = line.message["id"], line.message
            if message.get("method") == "call":
                count += 1
                action = _action(self.spec, self.log, line)
                given = _given(action, message["params"])
                values = {s.name: _at(self.log, line, self.wire, s, given) for s in action.slots if not s.fresh}
                for each in possible:
                    each.calls[number] = _Open(action, values, line.number)
            elif not line.is_request and any(number in each.calls for each in possible):
                if "error" in message:
                    possible = self._failed(possible, number, message["error"])
                    continue
                kept, wrong = self._answered(possible, number, message["result"])
                if not kept:
                    assert wrong is not None
                    return Judged(count, line.number, wrong.clause, wrong.text)
                if len(kept) > MOST_WORLDS:
                    raise Unknown(f"{self.log.path}, line {line.number}: more than {MOST_WORLDS} states are possible")
                possible = kept
            elif (
                not line.is_request and number != self.reset_id and isinstance(message.get("result"), dict) and message["result"]
            ):
                return Judged(count, line.number, "", f"answers id {number}, which no call waits for")
        return Judged(count)

    def _failed(self, possible: list[_Possible], number: int, error: Any) -> list[_Possible]:
        """A call that the adapter did not make (unsupported), or of which it does not know: then it stays open for ever."""
        code = error.get("code") if isinstance(error, dict) else None
        if code not in (-32001, -32601):
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
                self._compare(each, done, number, result)
            except Mismatch as mismatch:
                wrong = wrong or mismatch
                continue
            del each.calls[number]
            kept[_key(each)] = each
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
            name: session._element(world, slot.type, value) if (slot := _slot(call.action, name)).type in world.names else value
            for name, value in call.given.items()
        } | session.fresh(call.action, world)
        outcome: Outcome = session.model.call(call.action, world.vector, values)
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

    def _compare(self, possible: _Possible, done: _Done, number: int, result: Any) -> None:
        if not isinstance(result, dict) or list(result) not in (["ok"], ["error"]):
            raise Mismatch(f"{done.action.name}/{done.exit}", f"{done.action.name} answers {result!r}, which is no outcome")
        session = self.session
        if done.late is None:
            at = World(done.at.vector, possible.world.names)
            session._compare(at, done.action, dict(done.values), done.exit, done.answer, result, number)
        elif done.exit != OK:
            if result != {"error": done.exit}:
                raise Mismatch(
                    done.late.clause, f"{done.action.name}, suspended, must be answered with {done.exit}; it is {result!r}"
                )
        elif "ok" not in result:
            raise Mismatch(done.late.clause, f"{done.action.name}, suspended, must succeed; the answer is {result!r}")
        else:
            session._compare_answer(possible.world, done.late.clause, done.action, done.answer, result["ok"], "", number)
        session.bury(possible.world)


def _slot(action: Action, name: str) -> Slot:
    return next(slot for slot in action.slots if slot.name == name)


def _key(possible: _Possible) -> Any:
    calls = tuple(
        sorted((n, c.exit if isinstance(c, _Done) else "", repr(getattr(c, "answer", ""))) for n, c in possible.calls.items())
    )
    names = tuple((kind.__name__, tuple(sorted(names.handle.items()))) for kind, names in possible.world.names.items())
    return possible.world.vector, calls, names
