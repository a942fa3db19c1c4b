"""A failure as a sequence diagram."""

from __future__ import annotations

from dataclasses import dataclass

from .told import SYSTEM, Told
from .words import clean

CHARACTER = 7.3
"""How wide a character of a picture's text is."""

ROW, TOP = 26, 46
LONGEST = 96
WRONG = "✗ "


@dataclass(frozen=True)
class Arrow:
    """One arrow of a sequence diagram: from one life line to another, with its text, which begins at the caller's."""

    y: int
    start: int
    end: int
    at: int
    text: str
    kind: str


@dataclass
class Diagram:
    """A sequence diagram: life lines by place, the arrows, and what is said of the wrong call."""

    lines: list[tuple[int, str]]
    arrows: list[Arrow]
    width: int
    height: int
    note: str
    note_at: tuple[int, int]


def diagram(told: Told) -> Diagram:
    """The calls of a failure as a sequence diagram; what is wrong with the last is marked and said."""
    at: dict[str, int] = {}
    x = 20
    actors = dict.fromkeys(who for call in told.calls for who in (call.who, *(waiter for waiter, _ in call.late)))
    for actor in actors:
        half = max(45, wide(actor) // 2 + 10)
        x += half
        at[actor] = x
        x += half + 10
    note = WRONG + clipped(told.text)
    rows: list[tuple[str, str, str, bool]] = []
    for call in told.calls:
        asked, answered, brought = (call.wrong, call.wrong and not told.late, call.wrong and told.late)
        rows.append((call.who, WRONG * asked + call.text, "call" + " wrong" * asked, True))
        rows.append((call.who, WRONG * answered + call.answer, "answer" + " wrong" * answered, False))
        must = f"{WRONG * brought}must come: " if call.wrong else "late, "
        rows += [(who, must + text, "late" + " wrong" * brought, False) for who, text in call.late]
    rows = [(who, clipped(text), kind, asks) for who, text, kind, asks in rows]
    system = max([x + 20, *(at[who] + wide(text) + 30 for who, text, _, _ in rows)])
    arrows = []
    for number, (who, shown, kind, asks) in enumerate(rows, 1):
        start, end = (at[who], system) if asks else (system, at[who])
        arrows.append(Arrow(TOP + ROW * number, start, end, at[who] + 10, shown, kind))
    bottom = TOP + ROW * (len(rows) + 1)
    last = at[told.calls[-1].who]
    width = max(system + 60, last + wide(note) + 40)
    lines = [*((place, name) for name, place in at.items()), (system, SYSTEM)]
    return Diagram(lines, arrows, width, bottom + 20, note, (last + 10, bottom))


def clipped(text: str) -> str:
    """`text` on one line, no longer than a picture can hold."""
    line = " ".join(clean(text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def wide(text: str) -> int:
    """How wide a text is in a picture, in pixels."""
    return round(len(text) * CHARACTER)
