"""Logs held against the specification: is there a behaviour of it that explains all answers, and if not, which is the first that
none explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.language import Spec, SpecError
from ..errors import quoted
from ..session import Mismatch, Session
from .history import Called, history
from .reading import Log, opened
from .search import Search
from .values import Wire

MOST = 1_000_000
"""How many other ways than the first are tried to explain answers before a log is given up as too wide."""

PATIENCE = 1000
"""After how many dead ends it is looked whether the answers up to there are wrong by themselves: that is as a rule so."""


class _Silent:
    """Stands for the implementation whose log is read."""

    def __init__(self, handles: dict[str, str]) -> None:
        self.handles = handles

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        return self.handles

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError("a log is only read")

    def settle(self) -> list[dict[str, Any]]:
        return []


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


def judge_all(
    spec: Spec, logs: Sequence[Log], *, strict: bool = False, sizes: Mapping[str, int] | None = None, most: int = MOST
) -> Judged:
    """Hold every part of a conversation against the specification, up to the first that is wrong.  Raises as `judge`."""
    whole = Judged(0)
    for log in logs:
        whole += judge(spec, log, strict=strict, sizes=sizes, most=most)
        if whole.line:
            break
    return whole


def judge(spec: Spec, log: Log, *, strict: bool = False, sizes: Mapping[str, int] | None = None, most: int = MOST) -> Judged:
    """Hold a log against the specification.  Raises SpecError for one that cannot be read, Unknown for one that `most`
    tries cannot settle."""
    return _Judge(spec, log, strict, sizes, most).run()


class _Judge:
    def __init__(self, spec: Spec, log: Log, strict: bool, sizes: Mapping[str, int] | None, most: int) -> None:
        self.spec, self.scope = opened(spec, log, sizes)
        self.log, self.strict, self.most = log, strict, most
        self.handles = _constants(log)
        self.history = history(self.spec, log, Wire(self.spec, self.scope))

    def run(self) -> Judged:
        told = self.history
        last = max((line for line, _ in told.events), default=0)
        search = self._search(last)
        found = search.run(PATIENCE)
        if search.until < last and not found:
            return self._wrong(search.until, search)
        if search.until < last:
            search = self._search(last)
            found = search.run()
        if found:
            line, text = told.failed or (0, "")
            return Judged(told.calls, told.judged, tuple(dict.fromkeys(search.clauses)), told.overlaps, line, "", text)
        return self._wrong(*self._first_wrong(search))

    def _wrong(self, line: int, search: Search) -> Judged:
        told = self.history
        why = search.why if search.furthest == line else self._in_no_order(line)
        judged = sum(isinstance(item, Called) and item.answered == at <= line for at, item in told.events)
        calls = sum(isinstance(item, Called) and item.asked == at <= line for at, item in told.events)
        return Judged(calls, judged, tuple(dict.fromkeys(search.clauses)), told.overlaps, line, why.clause, why.text)

    def _in_no_order(self, line: int) -> Mismatch:
        item = next(item for at, item in self.history.events if at == line)
        what = f"{item.action.name}: {quoted(item.result)}" if isinstance(item, Called) else "that the settle is answered"
        return Mismatch("", f"{what} fits no order of the calls that overlap")

    def _search(self, until: int) -> Search:
        session = Session(self.spec, _Silent(self.handles), self.scope, strict=self.strict, probing=False)
        return Search(session, self.history, until, self.most)

    def _first_wrong(self, failed: Search) -> tuple[int, Search]:
        """The first line that no behaviour explains, and a search that found none up to there.  The search that failed knew what
        is answered later: it came to its end at that line or before, so that from there on lines are looked for up to which there
        is a witness, in growing steps."""
        ends = [at for at, item in self.history.events if failed.furthest <= at and at != item.asked]
        low, high, step = 0, len(ends) - 1, 1
        while low < high:
            middle = min(low + step - 1, high - 1) if step else (low + high) // 2
            search = self._search(ends[middle])
            if search.run():
                low, step = middle + 1, 2 * step
            else:
                high, step, failed = middle, 0, search
        return ends[high], failed


def _constants(log: Log) -> dict[str, str]:
    """What the reset of a log was answered with.  Raises SpecError where that is nothing."""
    first, *lines = log.lines
    answer = next((r for r in lines if not r.is_request and r.message["id"] == first.message["id"]), None)
    if answer is None or not isinstance(answer.message.get("result"), dict):
        raise SpecError(f"{log.path}, line {first.number}: the reset is not answered with handles")
    handles: dict[str, str] = answer.message["result"]
    return handles
