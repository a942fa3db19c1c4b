"""A third, tiny specification: listeners wait until a bell is rung.  Here calls are suspended and answered late, there are
outputs and sets of things, numbers are taken away, and names never run out.

Below it an implementation in a few lines, `flaw` wrong in one way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from oneowner.model import (
    Call,
    Enumeration,
    Fresh,
    Map,
    Output,
    Parameter,
    Sort,
    Spec,
    State,
    Subset,
    action,
    exists,
    forall,
    implies,
    invariant,
    lemma,
    negation,
    none,
    require,
    step_property,
    subset,
    suspend,
    unused,
)
from oneowner.model.language import Exploration, Late, Members, Scope


class Listener(Sort):
    pass


class Bell(Sort, handles=False):
    """A number from 0, the least free one first."""


class Letter(Sort, endless=True):
    """What a ring is told by."""


class Life(Enumeration):
    AWAY = 0
    HERE = 1
    WAITING = 2


class Woken(Enumeration):
    NOT_WOKEN = 0
    RUNG = 1
    GONE = 2


AWAY, HERE, WAITING = Life
NOT_WOKEN, RUNG, GONE = Woken


class Tower(State):
    life: Map[Listener, Life]
    hung: Map[Bell, bool]
    unheard: Map[Bell, int]
    """How often a bell was rung and nobody listened."""
    listens: Map[tuple[Listener, Bell], bool]
    letter_of: Map[Letter, Bell]
    most: Parameter
    woken: Output[Listener, Woken]
    heard: Output[tuple[Listener, Bell], bool]
    brought: Output[Listener, Letter]


class Heard(NamedTuple):
    """Which bells were rung, and the letter that came with it, or none."""

    bells: Subset[Bell]
    letter: Letter


@unused
def away(tower: Tower, listener: Listener) -> bool:
    return tower.life[listener] == AWAY


@unused
def not_hung(tower: Tower, bell: Bell) -> bool:
    return negation(tower.hung[bell])


@unused
def unwritten(tower: Tower, letter: Letter) -> bool:
    return tower.letter_of[letter] == none


@action()
def come(tower: Tower, listener: Fresh[Listener]) -> Listener:
    """Somebody comes."""
    require(listener != none, "FULL")
    tower.life[listener] = HERE
    return listener


@action()
def hang(tower: Tower, bell: Fresh[Bell]) -> Bell:
    """Hang a bell, at the first free place."""
    require(bell != none, "FULL")
    tower.hung[bell] = True
    return bell


@action()
def wait(tower: Tower, listener: Listener, bells: Subset[Bell]) -> Heard:
    """Which of `bells` have been rung unheard; with none, the listener is suspended until one is rung."""
    require(tower.life[listener] != AWAY, "STRANGER")
    require(tower.life[listener] == HERE, "BUSY")
    require(forall(Bell, lambda bell: implies(bells[bell], tower.hung[bell])), "NO_BELL")
    require(exists(Bell, lambda bell: bells[bell]), "NOTHING")

    if not exists(Bell, lambda bell: bells[bell] & (tower.unheard[bell] > 0)):
        tower.listens.where(lambda other, bell: (other == listener) & bells[bell], True)
        tower.life[listener] = WAITING
        suspend()
    return Heard(subset(Bell, lambda bell: bells[bell] & (tower.unheard[bell] > 0)), none)


@action()
def ring(tower: Tower, bell: Bell, letter: Fresh[Letter]) -> None:
    """Ring a bell: whoever listens to it is told by a letter, and the letter before is burnt; with nobody there, the ring is kept
    in mind, `most` times at most."""
    require(tower.hung[bell], "NO_BELL")
    someone = exists(Listener, lambda listener: tower.listens[listener, bell])
    require(someone | (tower.unheard[bell] < tower.most), "ENOUGH")

    if not someone:
        tower.unheard[bell] = tower.unheard[bell] + 1
        return
    before = tower.before
    tower.letter_of.where(lambda other: before.letter_of[other] == bell, none)
    tower.letter_of[letter] = bell
    tower.life.where(lambda listener: before.listens[listener, bell], HERE)
    tower.listens.where(lambda listener, other: before.listens[listener, bell], False)
    tower.woken.where(lambda listener: before.listens[listener, bell], RUNG)
    tower.heard.where(lambda listener, other: before.listens[listener, bell] & (other == bell), True)
    tower.brought.where(lambda listener: before.listens[listener, bell], letter)


@action()
def forget(tower: Tower, bell: Bell, times: int) -> None:
    """Forget so many rings that nobody heard."""
    require(times <= tower.unheard[bell], "TOO_MANY")
    tower.unheard[bell] = tower.unheard[bell] - times


@action()
def burn(tower: Tower, letter: Letter) -> Bell:
    """Burn a letter, which tells of a bell."""
    require(tower.letter_of[letter] != none, "NO_LETTER")
    bell = tower.letter_of[letter]
    tower.letter_of[letter] = none
    return bell


@action()
def take_down(tower: Tower, bell: Bell) -> None:
    """Take a bell down: who listens to it is told that it is gone, and letters about it are burnt."""
    require(tower.hung[bell], "NO_BELL")
    before = tower.before
    tower.hung[bell] = False
    tower.unheard[bell] = 0
    tower.letter_of.where(lambda letter: before.letter_of[letter] == bell, none)
    tower.life.where(lambda listener: before.listens[listener, bell], HERE)
    tower.listens.where(lambda listener, other: before.listens[listener, bell], False)
    tower.woken.where(lambda listener: before.listens[listener, bell], GONE)


@invariant()
def no_missed_ring(tower: Tower, listener: Listener, bell: Bell) -> bool:
    """Nobody listens to a bell that was rung, or is not there."""
    return implies(tower.listens[listener, bell], (tower.unheard[bell] == 0) & tower.hung[bell])


@invariant()
def who_waits_listens(tower: Tower, listener: Listener) -> bool:
    """A listener waits exactly while there is a bell that it listens to."""
    return (tower.life[listener] == WAITING) == exists(Bell, lambda bell: tower.listens[listener, bell])


@invariant()
def not_too_many(tower: Tower, bell: Bell) -> bool:
    """Of a bell that hangs at most the most is kept in mind, of another nothing."""
    return (tower.unheard[bell] <= tower.most) & implies(tower.unheard[bell] > 0, tower.hung[bell])


@lemma("so that letters go with their bell")
def letters_are_of_bells(tower: Tower, letter: Letter) -> bool:
    bell = tower.letter_of[letter]
    return (bell == none) | tower.hung[bell]


@step_property()
def waiting_until_answered(before: Tower, after: Tower, call: Call, listener: Listener, bell: Bell) -> bool:
    """Who waits does so for the same bells until answered, and only who waited is answered."""
    waited, told = before.life[listener] == WAITING, after.woken[listener] != NOT_WOKEN
    same = (after.life[listener] == WAITING) & (after.listens[listener, bell] == before.listens[listener, bell])
    return implies(told, waited & (after.life[listener] == HERE)) & implies(waited & negation(told), same)


@step_property()
def told_of_what_was_rung(before: Tower, after: Tower, call: Call, listener: Listener, bell: Bell) -> bool:
    """Who is told of a bell listened to it, it was rung now, and a letter says so."""
    rung = (call.operation == "ring") & (call.bell == bell) & before.listens[listener, bell]
    letter = after.letter_of[after.brought[listener]] == bell
    return after.heard[listener, bell] == (rung & letter & (after.woken[listener] == RUNG))


def late(before: Any, after: Any, scope: Scope) -> Iterator[Late]:
    """The answers to suspended calls that a step brings."""
    for listener in range(1, scope["listeners"] + 1):
        if after.woken[listener] == RUNG:
            bells: Any = Members(bell for bell in range(1, scope["bells"] + 1) if after.heard[listener, bell])
            yield Late(Listener, listener, "wait", "ok", Heard(bells, after.brought[listener]))
        elif after.woken[listener] == GONE:
            yield Late(Listener, listener, "wait", "GONE")


BELLS = Spec(
    name="bells",
    state=Tower,
    modules=(sys.modules[__name__],),
    initial=lambda tower: None,
    explorations={
        "two bells": Exploration(
            {"listeners": 2, "bells": 2, "letters": 3},
            only=("wait", "ring", "forget", "take_down"),
            arguments={"times": (1,)},
            opening="two listen",
        ),
        "one bell": Exploration({"listeners": 1, "bells": 1, "letters": 2, "most": 2, "numbers": 2}),
    },
    fuzz_scope={"listeners": 3, "bells": 3, "letters": 4, "numbers": 2, "most": 2},
    encodings={Bell: lambda scope, bell: bell - 1 if bell else None},
    late=late,
    late_exits={"wait": ("ok", "GONE")},
    waiter="listener",
    openings={
        "two listen": [
            *(("come", {}), ("come", {}), ("hang", {}), ("hang", {})),
            ("wait", {"listener": 1, "bells": Members([1])}),
            ("wait", {"listener": 2, "bells": Members([1, 2])}),
        ]
    },
)


class Refused(Exception):
    pass


class Machine:
    """An implementation of the tower."""

    def __init__(self, flaw: str = "") -> None:
        self.flaw = flaw

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        self.size = topology
        self.listeners: dict[str, set[int] | None] = {}
        self.unheard: dict[int, int] = {}
        self.letters: dict[str, int] = {}
        self.written = 0
        self.late: list[dict[str, Any]] = []
        return {}

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = getattr(self, operation)(**arguments)
        except Refused as refused:
            return {"error": str(refused)}
        return {"suspended": None} if answer == "suspended" else {"ok": answer}

    def settle(self) -> list[dict[str, Any]]:
        late, self.late = self.late, []
        return late

    def need(self, condition: object, error: str) -> None:
        if not condition:
            raise Refused(error)

    def come(self) -> str:
        self.need(len(self.listeners) < self.size["listeners"], "FULL")
        name = f"listener{len(self.listeners)}"
        self.listeners[name] = None
        return name

    def hang(self) -> int:
        free = [bell for bell in range(self.size["bells"]) if bell not in self.unheard]
        self.need(free, "FULL")
        self.unheard[free[-1 if self.flaw == "highest bell" else 0]] = 0
        return free[-1 if self.flaw == "highest bell" else 0]

    def wait(self, listener: str, bells: list[int]) -> Any:
        self.need(listener in self.listeners, "STRANGER")
        self.need(self.listeners[listener] is None, "BUSY")
        self.need(all(bell in self.unheard for bell in bells), "NO_BELL")
        self.need(bells, "NOTHING")
        rung = [bell for bell in bells if self.unheard[bell]]
        if rung or self.flaw == "never waits":
            return "suspended" if self.flaw == "always waits" else {"bells": rung, "letter": None}
        self.listeners[listener] = set(bells)
        return "suspended"

    def ring(self, bell: int) -> None:
        self.need(bell in self.unheard, "NO_BELL")
        told = [name for name, bells in self.listeners.items() if bells and bell in bells]
        self.need(told or self.unheard[bell] < self.size["most"], "ENOUGH")
        if self.flaw == "wakes all":
            told = [name for name, bells in self.listeners.items() if bells]
        if not told:
            self.unheard[bell] += 1
            return
        letter = self.write(bell)
        for name in told[1:] if self.flaw == "wakes the second" else told:
            rung = sorted(self.listeners[name] or ()) if self.flaw == "all its bells" else [bell]
            late = {"listener": name, "ok": {"bells": rung, "letter": letter}}
            self.late += [late, late] if self.flaw == "twice" else [late]
            self.listeners[name] = None

    def write(self, bell: int) -> str:
        self.letters = {letter: other for letter, other in self.letters.items() if other != bell}
        self.written += self.flaw != "same letter"
        letter = f"letter{self.written}"
        self.letters[letter] = bell
        return letter

    def forget(self, bell: int, times: int) -> None:
        self.need(times <= self.unheard.get(bell, 0), "TOO_MANY")
        if times:
            self.unheard[bell] -= times

    def burn(self, letter: str) -> int:
        self.need(letter in self.letters, "NO_LETTER")
        return self.letters[letter] if self.flaw == "burns nothing" else self.letters.pop(letter)

    def take_down(self, bell: int) -> None:
        self.need(bell in self.unheard, "NO_BELL")
        del self.unheard[bell]
        self.letters = {letter: other for letter, other in self.letters.items() if other != bell}
        for name, bells in self.listeners.items():
            if bells and bell in bells:
                self.listeners[name] = None
                gone = {"ok": {"bells": [], "letter": None}} if self.flaw == "gone is fine" else {"error": "GONE"}
                self.late.append({"listener": name, **gone})


class Silent:
    """An implementation of the tower that has no way to answer late."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.reset, self.call = self.machine.reset, self.machine.call


def implementation() -> Machine:
    return Machine()


def burns_nothing() -> Machine:
    return Machine("burns nothing")


def twice() -> Machine:
    return Machine("twice")
