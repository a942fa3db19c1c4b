"""Histories of overlapping calls drawn at random, right ones and wrong ones, and a judge of them that tries everything.

The judge shares with `check-log` the concrete reading and nothing else: it lets every open call take effect at every moment, in
every order, goes on from each place once, and knows things by the handles that answers gave them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from oneowner.model.concrete import Model
from oneowner.model.language import (
    OK,
    SUSPENDED,
    Action,
    Members,
    Spec,
    answer_fields,
    is_sort,
    is_subset,
    member_type,
    reading,
)

Message = dict[str, Any]


class Reader:
    """A spec's concrete reading with one more thing of each sort that has handles, which stands for all that is not there."""

    def __init__(self, spec: Spec, scope: Mapping[str, int]) -> None:
        self.spec, self.scope = spec, spec.scope(scope)
        self.kinds = [kind for kind in spec.unused if kind.handles]
        self.model = Model(spec, self.scope | {kind.plural: self.scope[kind.plural] + 1 for kind in self.kinds})

    def stranger(self, kind: Any) -> int:
        return self.scope[kind.plural] + 1

    def fresh(self, action: Action, vector: Any) -> dict[str, int]:
        return {s.name: self.model.fresh(vector, s.type, int(s.type in self.kinds)) for s in action.slots if s.fresh}

    def is_used(self, kind: Any, element: int, vector: Any) -> bool:
        with reading(self.model):
            return not self.spec.unused[kind].function(self.model.system(vector), element)

    def late(self, before: Any, outcome: Any) -> list[Any]:
        if self.spec.late is None or outcome.shown is outcome.state:
            return []
        with reading(self.model):
            return list(self.spec.late(self.model.system(before), self.model.system(outcome.shown), self.model.scope))

    def wire(self, kind: Any, value: Any) -> Any:
        if is_subset(kind):
            return [self.wire(member_type(kind), element) for element in sorted(value)]
        if is_sort(kind):
            return self.spec.encodings[kind](self.scope, value) if kind in self.spec.encodings else value or None
        return value if kind in (int, bool) else kind(value).name

    def parts(self, action: Action, answer: Any, exit: str) -> list[tuple[str, Any, Any]]:
        """An answer, part by part: its name, type and value."""
        fields = answer_fields(action.answer) if exit == OK else ()
        return [(name, kind, getattr(answer, name) if name else answer) for name, kind in fields]


@dataclass(frozen=True)
class Place:
    """A moment in a history, as the judge that tries everything knows it."""

    vector: Any
    handle: Mapping[tuple[Any, int], str] = field(default_factory=dict)
    given: frozenset[tuple[Any, str]] = frozenset()
    unnamed: frozenset[tuple[Any, int, bool]] = frozenset()
    open: frozenset[int] = frozenset()
    ended: frozenset[int] = frozenset()
    waits: Mapping[tuple[str, int], int] = field(default_factory=dict)

    def but(self, **other: Any) -> Place:
        return Place(**{**self.__dict__, **other})


class Everything:
    """The judge that tries everything."""

    def __init__(self, spec: Spec, scope: Mapping[str, int], lines: list[Message]) -> None:
        self.reader = Reader(spec, scope)
        self.spec, self.lines = spec, lines
        self.steps = 0

    def first_wrong(self) -> int:
        """The number of the first line that nothing explains, or 0."""
        numbers = [n for n, line in enumerate(self.lines, 1) if "result" in line and n > 2]
        return next((n for n in numbers if not self.explains(n)), 0)

    def explains(self, until: int) -> bool:
        self.until = until
        self.asked = {line["id"]: n for n, line in enumerate(self.lines[:until], 1) if "method" in line}
        self.answers = {line["id"]: n for n, line in enumerate(self.lines[:until], 1) if "method" not in line}
        self.handles = {text for line in self.lines[2:until] if "result" in line for text in strings(line["result"])}
        handle = {}
        for kind in self.reader.kinds:
            for constant in kind.constants:
                handle[kind, int(constant)] = self.lines[1]["result"][constant.name]
        place = Place(self.reader.model.initial(), handle, frozenset((kind, text) for (kind, _), text in handle.items()))
        self.dead: set[Any] = set()
        return self._from(3, place)

    def _from(self, number: int, place: Place) -> bool:
        self.steps += 1
        if number > self.until:
            return True
        key = number, *(frozenset(part.items()) if isinstance(part, dict) else part for part in place.__dict__.values())
        if key in self.dead:
            return False
        if any(self._from(number, after) for after in self._effects(place)) or self._past(number, place):
            return True
        self.dead.add(key)
        return False

    def _past(self, number: int, place: Place) -> bool:
        line = self.lines[number - 1]
        name = line["id"]
        if "method" in line:
            return self._from(number + 1, place.but(open=place.open | {name}))
        if "error" in line:
            return self._from(number + 1, place)
        return name in place.ended and self._from(number + 1, place)

    def _effects(self, place: Place) -> Iterator[Place]:
        for name in sorted(place.open):
            asked = self.lines[self.asked[name] - 1]
            if self._is_failed(name, -32001):
                continue
            if asked["method"] == "settle":
                if self._is_quiet(name, place):
                    yield place.but(open=place.open - {name}, ended=place.ended | {name})
                continue
            for values, known in self._readings(place, asked["params"]):
                after = self._after(name, known, values)
                if after is not None:
                    yield after

    def _is_quiet(self, name: int, place: Place) -> bool:
        """Whether all that was asked before a settle and is not answered by its end is suspended."""
        for other, asked in self.asked.items():
            is_call = self.lines[asked - 1]["method"] == "call"
            is_due = self.answers.get(other, self.until + 1) > self.answers.get(name, self.until + 1)
            has_ended = other in place.ended and not is_due
            is_sure = not self._is_failed(other, -32001, -32002)
            if is_call and asked < self.asked[name] and is_sure and not has_ended and other not in place.waits.values():
                return False
        return name in self.answers

    def _is_failed(self, name: int, *codes: int) -> bool:
        answer = next((line for line in self.lines if line["id"] == name and "method" not in line), {})
        return answer.get("error", {}).get("code") in codes

    def _readings(self, place: Place, params: Message) -> Iterator[tuple[dict[str, Any], Place]]:
        """What the arguments of a call may stand for: a handle that nobody was told of may be that of a thing without one."""
        action = self.spec.actions[params["op"]]
        slots = [s for s in action.slots if not s.fresh]
        given = {action.slots[0].name: params["actor"], **params["args"]}
        ways: list[tuple[dict[str, Any], Place]] = [({}, place)]
        for slot in slots:
            value = given[slot.name]
            longer = []
            for values, known in ways:
                if slot.type not in self.reader.kinds:
                    longer.append((values | {slot.name: self._data(slot, value)}, known))
                    continue
                of = {h: element for (kind, element), h in known.handle.items() if kind is slot.type}
                element = 0 if value is None else of.get(value, self.reader.stranger(slot.type))
                longer.append((values | {slot.name: element}, known))
                if value is not None and (slot.type, value) not in known.given:
                    for kind, thing, is_answered in known.unnamed:
                        if kind is slot.type and (value in self.handles or not is_answered):
                            longer.append((values | {slot.name: thing}, self._named(known, kind, thing, value)))
            ways = longer
        yield from ways

    def _data(self, slot: Any, value: Any) -> Any:
        if slot.subset:
            return Members(bell + 1 for bell in value)
        if is_sort(slot.type):
            return 0 if value is None else value + 1
        return value

    def _named(self, place: Place, kind: Any, element: int, handle: str) -> Place:
        unnamed = frozenset(t for t in place.unnamed if t[:2] != (kind, element))
        return place.but(handle={**place.handle, (kind, element): handle}, given=place.given | {(kind, handle)}, unnamed=unnamed)

    def _after(self, name: int, place: Place, values: dict[str, Any]) -> Place | None:
        reader = self.reader
        action = self.spec.actions[self.lines[self.asked[name] - 1]["params"]["op"]]
        fresh = reader.fresh(action, place.vector)
        outcome = reader.model.step(action, place.vector, values | fresh)
        after: Place | None = place.but(open=place.open - {name})
        assert after is not None
        if outcome.exit == SUSPENDED:
            after = after.but(waits={**after.waits, (action.name, values[self.spec.waiter]): name})
        else:
            after = self._answered(after, name, action, outcome.exit, outcome.answer)
        for late in reader.late(place.vector, outcome):
            if after is None:
                return None
            who = after.waits[late.operation, late.waiter]
            left = {key: other for key, other in after.waits.items() if other != who}
            after = self._answered(after.but(waits=left), who, self.spec.actions[late.operation], late.exit, late.answer)
        if after is None:
            return None
        handle = {key: text for key, text in after.handle.items() if reader.is_used(*key, outcome.state)}
        unnamed = {t for t in after.unnamed if reader.is_used(*t[:2], outcome.state)}
        for slot in action.slots:
            key = (slot.type, fresh.get(slot.name, 0))
            is_new = slot.fresh and slot.type in reader.kinds and key[1] and key not in handle and outcome.effective
            if is_new and reader.is_used(*key, outcome.state):
                unnamed.add((*key, name in self.answers and "result" in self.lines[self.answers[name] - 1]))
        return after.but(vector=outcome.state, handle=handle, unnamed=frozenset(unnamed))

    def _answered(self, place: Place, name: int, action: Action, exit: str, answer: Any) -> Place | None:
        """A call has come to an end: what is known then, or None if something else was answered."""
        place = place.but(ended=place.ended | {name})
        line = self.lines[self.answers[name] - 1] if name in self.answers else {}
        if "result" not in line:
            return place
        result = line["result"]
        if exit != OK:
            return place if result == {"error": exit} else None
        if list(result) != ["ok"]:
            return None
        parts = self.reader.parts(action, answer, exit)
        names = {part for part, _, _ in parts if part}
        if (not parts and result["ok"] is not None) or (
            names and not (isinstance(result["ok"], dict) and set(result["ok"]) == names)
        ):
            return None
        for part, kind, value in parts:
            got = result["ok"][part] if part else result["ok"]
            if kind not in self.reader.kinds:
                if got != self.reader.wire(kind, value):
                    return None
                continue
            known = place.handle.get((kind, value)) if value else None
            is_new = value and known is None and isinstance(got, str) and (kind, got) not in place.given
            if (not is_new and got != known) or (value and got is None):
                return None
            if value and known is None:
                place = self._named(place, kind, value, got)
        return place


def strings(value: Any) -> Iterator[str]:
    """The strings in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)


def drawn(spec: Spec, scope: Mapping[str, int], chance: random.Random, calls: int, *, wide: bool = False) -> list[Message]:
    """A history that is right, of so many calls: some overlap (`wide`: the first half wholly, the others not), some are never
    answered, some settle."""
    reader = Reader(spec, scope)
    vector, names = reader.model.initial(), {}
    lines: list[Message] = [
        {"id": 1, "method": "reset", "params": {"topology": spec.topology(spec.scope(scope))}},
        {"id": 1, "result": {}},
    ]
    gone: list[str] = []
    for kind in reader.kinds:
        for constant in kind.constants:
            names[kind, int(constant)] = lines[1]["result"][constant.name] = f"{kind.__name__.lower()}0"
    number, made = 1, len(names)
    asked: dict[int, tuple[Action, dict[str, Any], Message]] = {}
    ended: dict[int, Message] = {}
    waits: dict[tuple[str, int], int] = {}
    lost = not wide and chance.random() < 0.3

    def argument(slot: Any) -> tuple[Any, Any]:
        if slot.type in reader.kinds:
            some = [(text, element) for (kind, element), text in names.items() if kind is slot.type]
            strange = [(text, reader.stranger(slot.type)) for text in (*gone[-2:], "nobody")]
            return chance.choice(some * 4 + strange)
        if slot.subset:
            bells = sorted(chance.sample(range(scope["bells"]), chance.randint(0, 2)))
            return bells, Members(b + 1 for b in bells)
        values = reader.model.choices(slot)
        value = chance.choice([v for v in values if v])
        return (value - 1 if is_sort(slot.type) else value), value

    def takes_effect(name: int) -> None:
        nonlocal vector, made
        action, values, _ = asked.pop(name)
        fresh = reader.fresh(action, vector)
        if any(s.fresh and s.type.endless and not fresh[s.name] for s in action.slots):
            ended[name] = {"id": name, "error": {"code": -32001}}
            return
        outcome = reader.model.step(action, vector, values | fresh)
        ends = [] if outcome.exit == SUSPENDED else [(name, action, outcome.exit, outcome.answer)]
        if outcome.exit == SUSPENDED:
            waits[action.name, values[spec.waiter]] = name
        for late in reader.late(vector, outcome):
            ends.append((waits.pop((late.operation, late.waiter)), spec.actions[late.operation], late.exit, late.answer))
        for which, of, exit, answer in ends:
            told = {}
            for part, kind, value in reader.parts(of, answer, exit):
                if kind in reader.kinds and value and (kind, value) not in names:
                    names[kind, value] = f"{kind.__name__.lower()}{made}"
                    made += 1
                told[part] = names.get((kind, value)) if kind in reader.kinds else reader.wire(kind, value)
            result = {"error": exit} if exit != OK else {"ok": told.get("", told or None)}
            ended[which] = {"id": which, "result": result}
        vector = outcome.state
        for key in [k for k in names if not reader.is_used(*k, vector)]:
            gone.append(names.pop(key))

    while number <= calls or asked or ended:
        what = chance.random()
        if wide:
            asks = number <= calls // 2 or not (asked or ended)
            what = chance.uniform(0, 0.45) if asks else chance.uniform(0.45, 0.93)
        if what < 0.45 and number <= calls and (wide or len(asked) < 4):
            number += 1
            action = chance.choice(list(spec.actions.values()))
            slots = [s for s in action.slots if not s.fresh]
            given = {s.name: argument(s) for s in slots}
            if not slots:
                given[action.slots[0].name] = ("nobody", 0)
            (_, (actor, _)), *rest = given.items()
            params = {"actor": actor, "op": action.name, "args": {name: text for name, (text, _) in rest}}
            line = {"id": number, "method": "call", "params": params}
            asked[number] = action, {name: value for name, (_, value) in given.items() if slots}, line
            lines.append(line)
        elif what < 0.7 and asked:
            takes_effect(chance.choice(list(asked)))
        elif what < 0.93 and ended:
            line = ended.pop(chance.choice(list(ended)))
            if not lost or chance.random() < 0.7:
                lines.append(line if chance.random() < 0.95 else {"id": line["id"], "error": {"code": -32002}})
        elif what > 0.97 and number <= calls and not asked and not ended and not lost:
            number += 1
            lines += [{"id": number, "method": "settle", "params": {}}, {"id": number, "result": {}}]
    return lines


def spoiled(lines: list[Message], chance: random.Random) -> list[Message]:
    """A history with something changed in it, which may be right all the same."""
    lines = [dict(line) for line in lines]
    ends = [n for n, line in enumerate(lines) if n > 1 and "result" in line and line["result"]]
    if not ends:
        return lines
    at = chance.choice(ends)
    handles = sorted({text for n in ends for text in strings(lines[n]["result"]) if text[-1].isdigit()})
    what = chance.randrange(5)
    if what == 0:
        other = chance.choice(ends)
        lines[at]["result"], lines[other]["result"] = lines[other]["result"], lines[at]["result"]
    elif what == 1 and isinstance(lines[at]["result"].get("ok"), str):
        lines[at]["result"] = {"ok": chance.choice([*handles, "another0"])}
    elif what == 2:
        names = [line["result"]["error"] for line in lines if "error" in line.get("result", {})]
        lines[at]["result"] = {"error": chance.choice([*names, "FULL"])}
    elif what == 3:
        line = lines.pop(at)
        request = next(n for n, asked in enumerate(lines) if asked["id"] == line["id"])
        lines.insert(chance.randint(request + 1, len(lines)), line)
    else:
        number = max(line["id"] for line in lines) + 1
        place = chance.randint(2, len(lines))
        lines.insert(place, {"id": number, "method": "settle", "params": {}})
        lines.insert(chance.choice([place + 1, chance.randint(place + 1, len(lines))]), {"id": number, "result": {}})
    return lines
