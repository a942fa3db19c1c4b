"""The fewest calls that still show a failure, each with the simplest arguments.

Calls are taken out as long as that can be done.  Then two handles become one, and each argument an earlier handle, a smaller
number or none: what a call needs no more may be taken out after that.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...model.language import Members, Slot, Spec, Type
from ..adapters import Implementation
from .again import again, same, without
from .handles import NEVER, Origin, Recorded
from .session import Session
from .wrong import Mismatch

FEW = 24
"""Up to how many calls a failure is also shrunk by pairs, and all that may make an argument simpler is tried."""

SOME = 64
"""Up to how many runs of calls of one length are all tried without; of more some, to see whether any can be done without.  And
of many calls, how many simpler ones are tried; of more than that many no handles are made one."""

SHRINKING = 60.0
"""Seconds for shrinking a failure: an adapter that hangs takes long to show it again."""


def minimise(
    spec: Spec,
    implementation: Implementation,
    scope: Mapping[str, int],
    calls: list[Recorded],
    wanted: Mismatch,
    *,
    strict: bool = False,
    anew: bool = False,
) -> list[Recorded]:
    """The fewest and simplest of `calls` found in `SHRINKING` seconds that still show what is `wanted`; `anew`, each time in a
    process started for it."""
    return _Shrinking(spec, implementation, scope, calls, wanted, strict, anew, time.monotonic() + SHRINKING).run()


class _Shrinking:
    """One failure as it is shrunk: `kept` are the calls that showed it last, and `session` that in which they did."""

    def __init__(
        self,
        spec: Spec,
        implementation: Implementation,
        scope: Mapping[str, int],
        calls: list[Recorded],
        wanted: Mismatch,
        strict: bool,
        anew: bool,
        until: float,
    ) -> None:
        self.spec, self.implementation, self.scope, self.strict, self.anew = spec, implementation, scope, strict, anew
        self.wanted, self.until = wanted, until
        self.kept = calls
        self.session: Session | None = None
        self.numbers = list(
            dict.fromkeys(s.type for a in spec.actions.values() for s in a.slots if s.fresh and not s.type.handles)
        )
        """The sorts of which names are given out that are no handles: which one a call gets is told by those before it."""

    def run(self) -> list[Recorded]:
        """The calls that are left."""
        self.shows(self.kept)
        self.take_out()
        while (self.merge() | self.simplify() or self.trade()) and len(self.kept) <= SOME:
            self.take_out()
        return self.kept

    def shows(self, tried: list[Recorded]) -> bool:
        """Whether other calls show the failure; if so, they are what is kept."""
        if time.monotonic() > self.until:
            return False
        session, mismatch = again(self.spec, self.implementation, self.scope, tried, strict=self.strict, anew=self.anew)
        if mismatch is None or not same(mismatch, self.wanted):
            return False
        self.kept, self.session = session.recorded, session
        return True

    def take_out(self) -> None:
        """Try without runs of calls, then without single ones, last first; when few are left, without pairs too, for a call that
        only undoes another.  Of pairs only those are tried whose handles no other call uses: without them it would not do what
        it is there for.  Of many runs of one length some are tried first, and the others only if one of those is not needed: of
        what takes hundreds of calls to show mostly all are."""
        size = max(1, len(self.kept) // 2)
        while True:
            before = len(self.kept)
            self._sample(size)
            end = len(self.kept) if len(self.kept) < before or len(self.kept) // size <= SOME else 0
            while end > 0:
                start = max(0, end - size)
                self._shows_without(range(start, end))
                end = min(start, len(self.kept))
            if size > 1 or len(self.kept) < before:
                size = max(1, size // 2)
                continue
            pairs = itertools.combinations(range(len(self.kept) - 1), 2) if len(self.kept) <= FEW else ()
            if not any(self._shows_without(pair) for pair in pairs if not _used_elsewhere(self.kept, pair)):
                return

    def _sample(self, size: int) -> None:
        """Try without some runs of a length, where there are many, that lie evenly in between, up to the first that is not
        needed."""
        calls = self.kept
        if len(calls) // size > SOME:
            ends = range(len(calls), size, -(len(calls) // SOME))
            any(self.shows(without(calls, range(end - size, end))) for end in ends)

    def _shows_without(self, out: Collection[int]) -> bool:
        """Try without some calls; and once more with the numbers that others get then."""
        calls = self.kept
        left = without(calls, out)
        if self.shows(left):
            return True
        moved = without(self._moved_down(out), out) if len(calls) <= SOME else left
        return moved != left and self.shows(moved)

    def _moved_down(self, out: Collection[int]) -> list[Recorded]:
        """The calls, with what was given out as a number after calls that are to be taken out as one less."""
        calls = list(self.kept)
        for number in sorted(out, reverse=True):
            for kind, element in self._given_by(number):
                for at in range(number + 1, len(calls)):
                    slots = {s.name: s for s in self.spec.actions[calls[at].operation].slots}
                    arguments = {
                        name: _lowered(value, element) if slots[name].type is kind else value
                        for name, value in calls[at].arguments.items()
                    }
                    calls[at] = replace(calls[at], arguments=arguments)
        return calls

    def _given_by(self, number: int) -> Iterator[tuple[Type, int]]:
        """What a call has given out that is no handle."""
        if self.session is None or number + 1 >= len(self.session.vectors):
            return
        before, after = (self.session.model.unused(self.session.vectors[n]) for n in (number, number + 1))
        for kind in self.numbers:
            if not kind.endless:
                gone = before[kind] & ~after[kind]
                yield from ((kind, element) for element in range(gone.bit_length()) if gone >> element & 1)

    def merge(self) -> bool:
        """Try each handle, last first, as an earlier one wherever it is used, without the call that it came from or with it;
        whether any can be."""
        merged = False
        while len(self.kept) <= SOME and any(self._shows_merged(*pair) for pair in _some(self._pairs(), self.kept)):
            merged = True
        return merged

    def _pairs(self) -> list[tuple[Origin, Origin]]:
        """The handles that calls use, last first, each with those that came before it, constants first."""
        used: dict[Origin, Slot] = {}
        for call in self.kept:
            for slot in self.spec.actions[call.operation].slots:
                argument = call.arguments.get(slot.name)
                if isinstance(argument, Origin):
                    used.setdefault(argument, slot)
        last_first = sorted(used.items(), key=lambda each: -each[0].call)
        return [(one, other) for one, slot in last_first for other in self._handles(slot, one.call) if other != one]

    def _shows_merged(self, origin: Origin, earlier: Origin) -> bool:
        calls = [replace(c, arguments=_with(c.arguments, origin, earlier)) for c in self.kept]
        alone = not _used_elsewhere(calls, [origin.call])
        return (alone and self.shows(without(calls, [origin.call]))) or self.shows(calls)

    def simplify(self) -> bool:
        """Try each argument, that of the last call first, as a simpler one; whether any can be."""
        simpler = False
        tried = _some([(number, name) for number, call in enumerate(self.kept) for name in call.arguments][::-1], self.kept)
        most = None if len(self.kept) <= FEW else 1
        for number, name in tried:
            if number < len(self.kept) and name in self.kept[number].arguments:
                simpler |= any(self.shows(calls) for calls in itertools.islice(self._simpler(number, name), most))
        return simpler

    def trade(self) -> bool:
        """Try without one call and with one number less, where few are left: what the call has added to, the number counts.
        Whether that can be."""
        if len(self.kept) > FEW:
            return False
        left = ((out, number, name) for out, number, name in self._numbers() if out != number)
        return any(self.shows(without(calls, [out])) for out, number, name in left for calls in self._simpler(number, name))

    def _numbers(self) -> list[tuple[int, int, str]]:
        """Each call but the last, and each argument that is a number, last first."""
        calls = list(enumerate(self.kept))
        numbers = [(n, name) for n, call in calls for name, value in call.arguments.items() if isinstance(value, int)]
        return [(out, *at) for at in numbers[::-1] for out, _ in calls[-2::-1]]

    def _simpler(self, number: int, name: str) -> Iterator[list[Recorded]]:
        """The calls with one argument simpler, simplest first."""
        calls = self.kept
        call = calls[number]
        slot = next(s for s in self.spec.actions[call.operation].slots if s.name == name)
        for value in self._values(slot, call.arguments[name], number):
            changed = replace(call, arguments={**call.arguments, name: value})
            yield [*calls[:number], changed, *calls[number + 1 :]]

    def _values(self, slot: Slot, value: Any, number: int) -> Iterator[Any]:
        """What is simpler than an argument of a call, simplest first."""
        if isinstance(value, Members):
            yield from (Members(value - {element}) for element in sorted(value, reverse=True))
            yield from (Members((value - {e}) | {less}) for e in sorted(value) for less in range(1, e) if less not in value)
        elif self.session is not None and slot.type in self.session.names:
            handles: list[Origin | str | None] = [None] if slot.optional else []
            handles += [*self._handles(slot, -1), NEVER, *self._handles(slot, number - 1)]
            yield from itertools.takewhile(lambda other: other != value, dict.fromkeys(handles))
        elif self.session is not None:
            choices: Sequence[Any] = self.session.model.choices(slot)
            yield from itertools.takewhile(lambda other: other != value, choices[:SOME])

    def _handles(self, slot: Slot, last: int) -> list[Origin]:
        """The handles of a sort that came from calls up to the `last`, constants first."""
        known = self.session.names[slot.type].origin.values() if self.session is not None else ()
        return sorted((origin for origin in known if origin.call <= last), key=lambda origin: origin.call)


def _some(tries: list[Any], calls: list[Recorded]) -> list[Any]:
    """All that could be tried of few calls; of many some, that lie evenly in between."""
    return tries if len(calls) <= FEW else tries[:: max(1, len(tries) // SOME)]


def _with(arguments: Mapping[str, Any], one: Origin, other: Origin) -> dict[str, Any]:
    """Arguments with another handle in place of one."""
    return {name: other if value == one else value for name, value in arguments.items()}


def _lowered(value: Any, above: int) -> Any:
    """A number, or some, as one less where they are more."""
    if isinstance(value, Members):
        return Members(element - (element > above) for element in value)
    return value - (value > above) if isinstance(value, int) else value


def _used_elsewhere(calls: list[Recorded], some: Collection[int]) -> bool:
    """Whether a call uses a handle that one of `some`, the numbers of others, has given."""
    others = (call for number, call in enumerate(calls) if number not in some)
    return any(isinstance(a, Origin) and a.call in some for call in others for a in call.arguments.values())
