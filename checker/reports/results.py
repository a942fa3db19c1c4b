"""Statements of several systems as one HTML page that needs nothing else: what each does, clause by clause.

As the results of conformance suites that many implementations run are shown: Bowtie's report, the Autobahn test suite's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...model.language import Spec, SpecError
from ..conform import FAIL, FLAKY, PASS, PERMITTED, STATUSES, UNSUPPORTED
from ..suite import digest
from .template import filled

RIGHT, WRONG = (PASS, PERMITTED), (FAIL, FLAKY)


@dataclass(frozen=True)
class Cell:
    """The verdicts of a system in a room: how many clauses are right, wrong, open, and not supported."""

    right: int
    wrong: int
    open: int
    unsupported: int

    @property
    def kind(self) -> str:
        """The status whose mark it has; none where nothing was asked for."""
        kinds = {"fail": self.wrong, "untested": self.open, "pass": self.right, "unsupported": self.unsupported}
        return next((kind for kind, count in kinds.items() if count), "")

    @property
    def text(self) -> str:
        if not self.right + self.wrong + self.open:
            return "not supported" if self.unsupported else "not asked for"
        whole = self.right + self.wrong + self.open
        said = [f"{self.right} of {whole} right" if self.right < whole else f"all {whole} right"]
        said += [f"{self.wrong} wrong"] if self.wrong else []
        return ", ".join(said + ([f"{self.open} open"] if self.open else []))


@dataclass(frozen=True)
class System:
    """What a statement says: of which system, held against which specification, and by room."""

    title: str
    about: str
    is_current: bool
    statement: Mapping[str, Any]
    cells: Mapping[str, Cell]


def read_statement(path: Path) -> dict[str, Any]:
    """A statement as `conform --report statement=FILE` writes it.  Raises SpecError for a file that is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    how = "`oneowner conform CONNECTION --report statement=FILE` writes one"
    try:
        about, verdicts = found["implementation"], found["verdicts"]
        strings = [*(about[name] for name in ("name", "version", "language", "connection")), found["specification"]["digest"]]
        strings += [text for v in verdicts.values() for text in (v["status"], v["reason"], *v.get("calls", ()))]
        listed = [*found["profiles"], *found["known_failing"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise SpecError(f"{path}: no statement: {type(error).__name__} at {error}; {how}") from None
    if not all(isinstance(text, str) for text in [*strings, *listed]):
        raise SpecError(f"{path}: no statement: a text is of another type; {how}")
    odd = next((clause for clause, v in verdicts.items() if v["status"] not in STATUSES), None)
    if odd is not None:
        raise SpecError(f"{path}: {odd}: no verdict is {verdicts[odd]['status']!r}; there are {', '.join(STATUSES)}")
    return dict(found)


def results(spec: Spec, statements: Sequence[Mapping[str, Any]]) -> str:
    """Statements as a page: a row a system, a column a room; then by room the clauses, and by system what fails, each with the
    fewest calls.  Raises SpecError for a clause of no operation of the spec."""
    rooms: dict[str, dict[str, None]] = {}
    for statement in statements:
        for clause in statement["verdicts"]:
            rooms.setdefault(_room(spec, clause), {})[clause] = None
    order = {name: at for at, name in enumerate(spec.actions)}
    in_order = {
        room: sorted(clauses, key=lambda c: (order[c.partition("/")[0]], c))
        for room, clauses in sorted(rooms.items(), key=lambda each: min(order[c.partition("/")[0]] for c in each[1]))
    }
    systems = [_system(spec, statement, list(in_order)) for statement in statements]
    return filled("results.html.j2", spec=spec, systems=systems, rooms=in_order, wrong=WRONG)


def _room(spec: Spec, clause: str) -> str:
    operation = clause.partition("/")[0]
    if operation not in spec.actions:
        raise SpecError(f"{clause}: {spec.name} has no operation {operation!r}; name the specification with --spec")
    return spec.room(operation)


def _system(spec: Spec, statement: Mapping[str, Any], rooms: Sequence[str]) -> System:
    about = statement["implementation"]
    cells = {}
    for room in rooms:
        found = [v["status"] for clause, v in statement["verdicts"].items() if _room(spec, clause) == room]
        right, wrong = (sum(status in kinds for status in found) for kinds in (RIGHT, WRONG))
        lacks = found.count(UNSUPPORTED)
        cells[room] = Cell(right, wrong, len(found) - right - wrong - lacks, lacks)
    title = f"{about['name'] or about['connection']} {about['version']}".strip()
    told = ", ".join(text for text in (about["language"], f"profile {', '.join(statement['profiles']) or 'none named'}") if text)
    return System(title, told, statement["specification"]["digest"] == digest(spec), statement, cells)
