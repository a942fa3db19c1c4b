"""What the right answers to a suite are, written down: an implementation that answers so need not be held against the model.

The judgement of a sequence depends on nothing but what was answered.  So one that is answered as a run that was judged right is
right too, whatever its handles are called; calls are compared in a few microseconds each.  From the first difference on, which
may still be permitted, the `Session` judges: it is given what was answered so far, and then asks on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

from ...model.language import (
    OK,
    SUSPENDED,
    Action,
    Spec,
    SpecError,
    Type,
    is_subset,
    late_clause,
    member_type,
    once,
)
from ...model.recording import causes
from ..adapters import Implementation
from ..session import NEVER, Session, World, answered, have_built
from .stored import digest
from .suite import Sequence as Calls

ANSWERS = "answers.jsonl"
"""The file beside a stored suite."""

DEAD = -1
"""In place of an element: the handle that died last, or one that was never given out."""

Ways = set[int]
"""After which calls from the beginning on, told by their hash, all was looked at: sequences begin alike."""


def further(way: int, name: str, arguments: Mapping[str, Any]) -> int:
    """The hash of a way that goes on by a call."""
    return hash((way, name, *arguments.items()))


class Late(NamedTuple):
    """The answer that a suspended call gets: of which sort and element who waits is, of which operation, to which exit, and the
    values of its fields."""

    sort: int
    waiter: int
    operation: str
    exit: str
    values: tuple[Any, ...]


class Call(NamedTuple):
    """One call as it is made and answered: arguments as they are sent, or elements; `values` are those of the answer's fields,
    an element where it is a handle.  `came` are its causes by bit, `dies` whose handles are dead afterwards.  What `looks` was
    made by the session itself, and `ties` a handle to an element, or changes the state."""

    operation: str
    arguments: tuple[Any, ...]
    exit: str
    values: tuple[Any, ...]
    late: tuple[Late, ...]
    came: int
    dies: tuple[tuple[int, int], ...]
    looks: bool
    ties: bool


@dataclass
class Told:
    """What an implementation told in a sequence: the handles of its constants, by call its operation, its answer, and what came
    late; an exception in place of either."""

    constants: Any = None
    calls: list[tuple[str, Any, Any]] = field(default_factory=list)


class Resumed:
    """An implementation of which the first answers are known: those are told again, then it is asked."""

    def __init__(self, implementation: Implementation, told: Told) -> None:
        self._implementation, self._told, self._at = implementation, told, -1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._implementation, name)

    def reset(self, topology: dict[str, Any]) -> Any:
        return _again(self._told.constants)

    def call(self, operation: str, arguments: dict[str, Any]) -> Any:
        self._at += 1
        if self._at >= len(self._told.calls):
            return self._implementation.call(operation, arguments)
        known, answer, _ = self._told.calls[self._at]
        assert operation == known, f"{operation} is asked where {known} was"
        return _again(answer)

    def settle(self) -> Any:
        if self._at >= len(self._told.calls):
            return self._implementation.settle()  # type: ignore[attr-defined]
        return _again(self._told.calls[self._at][2])


def _again(told: Any) -> Any:
    if isinstance(told, BaseException):
        raise told
    return told


class Differs(Exception):
    """An answer is not the one that is written down."""


class Answers:
    """The right answers to the sequences of a suite: `rows` are numbers of `calls`, of which those that are made again and not
    looked at are inverted (`~`)."""

    def __init__(self, spec: Spec, calls: Sequence[Call], rows: Sequence[Sequence[int]]) -> None:
        self.spec, self.calls, self.rows = spec, calls, rows
        self.clauses = [(f"{c.operation}/{c.exit}", *(late_clause(e.operation, e.exit) for e in c.late)) for c in calls]
        """The clauses that each call comes to."""
        self.sorts = [kind for kind in spec.unused if kind.handles]
        number = {kind: at for at, kind in enumerate(self.sorts)}
        actions = spec.actions.items()
        self.fields = {name: [(n, number.get(kind)) for n, kind in each] for name, each in answered(spec).items()}
        self.slots = {name: [(s.name, number.get(s.type)) for s in a.slots if not s.fresh] for name, a in actions}
        """By operation the fields of its answer, and its arguments: each with the number of its sort, None where it is data."""

    def play(
        self,
        sequence: Calls,
        implementation: Implementation,
        sizes: Mapping[str, int],
        without: Collection[str],
        looked: Ways,
    ) -> tuple[list[int] | None, Told]:
        """Make the calls of a sequence: those that were made, by number, if all were answered as it is written down, else None;
        and what was told.  Operations in `without` are not used to look, nor is it looked where it was (`looked`)."""
        scope, told = self.spec.scope(sizes), Told()
        heading = getattr(implementation, "heading", None)
        if isinstance(heading, dict):
            heading["scope"] = scope
        try:
            told.constants = implementation.reset(self.spec.topology(scope))
        except Exception as error:
            told.constants = error
            return None, told
        made: list[int] = []
        ways: Ways = set()
        try:
            named = _Named(self, told.constants)
            for number in self._chosen(sequence, hash(tuple(sizes.items())), without, looked, ways, named):
                self._make(self.calls[number], implementation, named, told)
                made.append(number)
        except Differs:
            return None, told
        looked |= ways
        return made, told

    def _chosen(
        self, sequence: Calls, way: int, without: Collection[str], looked: Ways, ways: Ways, named: _Named
    ) -> Iterator[int]:
        """The calls that are made, by number; adds to `ways` where all was looked at."""
        own = sequence.played()
        looking = False
        dies: tuple[tuple[int, int], ...] = ()
        for signed in self.rows[sequence.number]:
            first, number = signed >= 0, max(signed, ~signed)
            call = self.calls[number]
            if call.looks:
                if looking and call.operation not in without:
                    yield number
                elif call.ties:
                    raise Differs
                continue
            if looking:
                ways.add(way)
            named.bury(dies)
            dies = call.dies
            _, (name, arguments) = next(own)
            way = further(way, name, arguments)
            looking = first and way not in looked
            yield number
        if looking:
            ways.add(way)

    def _make(self, call: Call, implementation: Implementation, named: _Named, told: Told) -> None:
        wire = named.arguments(call)
        answer: Any
        late: Any = []
        try:
            answer = implementation.call(call.operation, wire)
        except Exception as error:
            answer = error
        if self.spec.late is not None and not isinstance(answer, Exception):
            try:
                late = implementation.settle()  # type: ignore[attr-defined]
            except Exception as error:
                late = error
        told.calls.append((call.operation, answer, late))
        named.compare(call, answer)
        if call.late or late.__class__ is not list or late:
            named.compare_late(call, late)

    def causes(self, made: Mapping[int, int]) -> Counter[str]:
        """How often causes were come to by calls that were made so many times, by number."""
        found: Counter[str] = Counter()
        known = causes(self.spec)
        for number, times in made.items():
            call = self.calls[number]
            for cause in known[call.operation].named(call.came) if call.came else ():
                found[cause] += times
        return found

    def come_to(self, sequence: Calls, clauses: Set[str]) -> set[str]:
        """Which of some clauses a sequence comes to, and for which of their causes; looking apart."""
        made = {max(number, ~number) for number in self.rows[sequence.number]}
        own = {number: 1 for number in made if not self.calls[number].looks and not clauses.isdisjoint(self.clauses[number])}
        return {c for number in own for c in self.clauses[number]} & clauses | set(self.causes(own))


class _Named:
    """By sort the handles of the elements that live, all that were given out, and the one that died last."""

    def __init__(self, answers: Answers, constants: Any) -> None:
        self._answers = answers
        self._handles: list[dict[int, str]] = []
        for kind in answers.sorts:
            found: dict[int, str] = {}
            for constant in kind.constants:
                handle = constants.get(constant.name) if isinstance(constants, dict) else None
                if not isinstance(handle, str):
                    raise Differs
                found[int(constant)] = handle
            self._handles.append(found)
        self._given = [set(found.values()) for found in self._handles]
        self._dead = [NEVER for _ in answers.sorts]

    def bury(self, dies: Iterable[tuple[int, int]]) -> None:
        for sort, element in dies:
            self._dead[sort] = self._handles[sort].pop(element)

    def arguments(self, call: Call) -> dict[str, Any]:
        wire: dict[str, Any] = {}
        for (name, sort), value in zip(self._answers.slots[call.operation], call.arguments, strict=True):
            if sort is None:
                wire[name] = list(value) if value.__class__ is list else value
            elif value == DEAD:
                wire[name] = self._dead[sort]
            else:
                wire[name] = self._handles[sort][value] if value else None
        return wire

    def compare(self, call: Call, answer: Any) -> None:
        """Raises Differs where a call is answered otherwise, and ties new handles."""
        if answer.__class__ is not dict or len(answer) != 1:
            raise Differs
        if call.exit == OK:
            self._compare_values(call.operation, call.values, answer.get("ok", Differs))
        elif call.exit == SUSPENDED:
            if "suspended" not in answer:
                raise Differs
        elif answer.get("error") != call.exit:
            raise Differs

    def compare_late(self, call: Call, late: Any) -> None:
        who = self._answers.spec.waiter
        if not isinstance(late, list) or len(late) != len(call.late) or not all(isinstance(one, dict) for one in late):
            raise Differs
        for each in call.late:
            handle = self._handles[each.sort].get(each.waiter, Differs)
            came = [{key: value for key, value in one.items() if key != who} for one in late if one.get(who) == handle]
            if len(came) != 1 or list(came[0]) != ["ok" if each.exit == OK else "error"]:
                raise Differs
            if each.exit == OK:
                self._compare_values(each.operation, each.values, came[0]["ok"])
            elif came[0]["error"] != each.exit:
                raise Differs

    def _compare_values(self, operation: str, values: tuple[Any, ...], got: Any) -> None:
        fields = self._answers.fields[operation]
        if not fields:
            if got is not None:
                raise Differs
            return
        each = [got]
        if fields[0][0]:
            if got.__class__ is not dict or len(got) != len(fields):
                raise Differs
            each = [got.get(name, Differs) for name, _ in fields]
        for (_, sort), value, one in zip(fields, values, each, strict=True):
            if sort is None:
                if one != value or one.__class__ is not value.__class__:
                    raise Differs
            elif not value:
                if one is not None:
                    raise Differs
            elif value in self._handles[sort]:
                if one != self._handles[sort][value]:
                    raise Differs
            elif not isinstance(one, str) or one in self._given[sort] or one == NEVER:
                raise Differs
            else:
                self._handles[sort][value] = one
                self._given[sort].add(one)


class _Recording(Session):
    """A session that writes down what is answered."""

    def __init__(self, spec: Spec, implementation: Implementation, scope: Mapping[str, int]) -> None:
        super().__init__(spec, implementation, scope)
        self.sorts = {kind: at for at, kind in enumerate(self.handle_sorts)}
        self.rows: list[Call] = []
        self.own = 0
        """Where the last call that is of the sequence stands."""
        self.died: list[tuple[int, int]] = []

    def compare(self, operation: str, arguments: Mapping[str, Any], *, look: bool = False, probe: bool = False) -> str:
        self.own = len(self.rows)
        self.died = []
        exit = super().compare(operation, arguments, look=look, probe=probe)
        self.rows[self.own] = self.rows[self.own]._replace(dies=tuple(self.died))
        return exit

    def bury(self, world: World, number: int) -> None:
        before = {kind: dict(names.handle) for kind, names in world.names.items()}
        super().bury(world, number)
        for kind, names in world.names.items():
            self.died += [(self.sorts[kind], element) for element in before[kind] if element not in names.handle]

    def _go_on(self, action: Action, foreseen: Any, answer: dict[str, Any], late: Any, index: int, came: int) -> None:
        ((world, values, outcome),) = foreseen
        before = world.vector, sum(len(names.origin) for names in world.names.values())
        sides, _ = self._sides_of(action)
        sent = tuple(self._sent(kind, stranger, values[name]) for name, kind, stranger, _ in sides)
        expected: list[Late] = []
        if self.spec.late is not None and outcome.shown is not outcome.state:
            systems = self.model.system(world.vector), self.model.system(outcome.shown)
            for each in self.spec.late(*systems, self.model.scope):
                shown = self._shown(each.operation, each.answer) if each.exit == OK else ()
                expected.append(Late(self.sorts[each.sort], int(each.waiter), each.operation, each.exit, shown))
        super()._go_on(action, foreseen, answer, late, index, came)
        shown = self._shown(action.name, outcome.answer) if outcome.exit == OK else ()
        ties = before != (self.vector, sum(len(names.origin) for names in world.names.values()))
        looks = len(self.rows) > self.own
        self.rows.append(Call(action.name, sent, outcome.exit, shown, tuple(expected), came, (), looks, ties))

    def _sent(self, kind: Type, stranger: int, value: Any) -> Any:
        return self.encoded(kind, value) if not stranger else DEAD if value == stranger else int(value)

    def _shown(self, operation: str, expected: Any) -> tuple[Any, ...]:
        found: list[Any] = []
        for at, (name, kind) in enumerate(answered(self.spec)[operation]):
            value = expected[at] if name else expected
            if kind in self.sorts:
                found.append(int(value))
            else:
                found.append(self.encoded(member_type(kind), value) if is_subset(kind) else self.encoded(kind, int(value)))
        return tuple(found)


def recorded(spec: Spec, implementation: Implementation, suite: Iterable[Calls]) -> str:
    """The right answers to a suite as text: what they are of, then the calls, then by sequence which calls it has.

    Raises Mismatch for a wrong answer.
    """
    have_built(spec, Session.with_strangers(spec, spec.fuzz_scope))
    numbers: dict[str, int] = {}
    rows: list[list[int]] = []
    for sequence in suite:
        session = _Recording(spec, implementation, sequence.sizes(spec))
        furthest, row = -1, []
        for at, (name, arguments) in sequence.played():
            first, furthest = at > furthest, max(at, furthest)
            session.probing = first
            made = len(session.rows)
            session.compare_values(name, arguments, probe=sequence.is_probe(spec, at))
            for call in session.rows[made:]:
                text = json.dumps([*call[:-2], int(call.looks), int(call.ties)], separators=(",", ":"))
                number = numbers.setdefault(text, len(numbers))
                row.append(number if first else ~number)
        rows.append(row)
    return "\n".join([head(spec), *numbers, *(json.dumps(row, separators=(",", ":")) for row in rows), ""])


def head(spec: Spec) -> str:
    """What answers are of, as text: fingerprints of the specification's modules and of the suite."""
    return json.dumps({"spec": text_of(spec), "suite": digest(spec)})


def text_of(spec: Spec) -> str:
    """A fingerprint of the package of a specification: of all of it, whatever is loaded."""
    said = [*(a.function for a in spec.actions.values()), *filter(None, (spec.probes, spec.topology, spec.late))]
    folders = {Path(f.__code__.co_filename).parent for f in said if isinstance(f, FunctionType)}
    found = hashlib.sha256()
    for path in sorted(Path(os.path.commonpath(folders)).rglob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


@once
def answers(spec: Spec) -> Answers | None:
    """The right answers to a spec's stored suite, if they are stored, and those of what it says now."""
    if not spec.suite or spec.replaced or not (path := spec.suite.with_name(ANSWERS)).exists():
        return None
    try:
        first, *rest = path.read_text(encoding="utf-8").splitlines()
        if first != head(spec):
            return None
        lines = [json.loads(line) for line in rest]
        calls = [_call(*line) for line in lines if line and line[0].__class__ is str]
        return Answers(spec, calls, lines[len(calls) :])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpecError(f"{path}: no answers: {type(error).__name__} at {error}") from None


def _call(operation: str, arguments: Any, exit: str, values: Any, late: Any, came: int, dies: Any, looks: int, ties: int) -> Call:
    waiting = tuple(Late(sort, who, name, ends, tuple(shown)) for sort, who, name, ends, shown in late)
    return Call(operation, tuple(arguments), exit, tuple(values), waiting, came, dies, bool(looks), bool(ties))
