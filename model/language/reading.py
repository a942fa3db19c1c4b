"""What a spec may ask, and who answers: the reading in force.

An operation is plain Python; `require`, `forall`, `exists` and counts go to the reading in force, and `if`, `and`, `or`,
`not` to the truth value of what the state answered.  A reading is a class with the methods of `Reading`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

OK, SUSPENDED = "ok", "suspended"
EFFECTIVE = (OK, SUSPENDED)
"""The exits of a call that is not refused: its effects stand."""


class SpecError(Exception):
    """A spec asks something that no reading, or not this one, can answer.  Its text says what and what to do."""


class Refusal(Exception):
    """An operation was refused; `error` is the name of the error."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Reading(Protocol):
    """Who answers the questions of a spec."""

    def require(self, condition: Any, error: str) -> None:
        """Raise Refusal(error) unless `condition` holds."""

    def quantify(self, universal: bool, sort: Any, body: Callable[..., Any]) -> Any:
        """The truth value of "for all" (or "for some") elements of `sort` but none, `body`."""

    def count(self, counter: Any, system: Any, arguments: tuple[Any, ...]) -> Any:
        """How many elements `counter` counts in the state `system` under `arguments`."""

    def suspend(self) -> None:
        """The call has no answer yet."""

    def collect(self, sort: Any, body: Callable[..., Any]) -> Any:
        """The subset of the elements that satisfy `body`."""


_current: list[Reading] = []


def current() -> Reading:
    """The reading in force.  Raises SpecError outside of any."""
    if not _current:
        raise SpecError("a spec function was called outside a reading: call it through Model.step, or a checker")
    return _current[-1]


class reading:  # noqa: N801
    """`with reading(r):` puts `r` in force for the block.  (A class: exploration enters it millions of times.)"""

    __slots__ = ("which",)

    def __init__(self, which: Reading) -> None:
        self.which = which

    def __enter__(self) -> None:
        _current.append(self.which)

    def __exit__(self, *_: object) -> None:
        _current.pop()


def require(condition: bool, error: str) -> None:
    """Refuse the operation with `error` unless `condition` holds.  All requires stand before the first effect."""
    if error in EFFECTIVE:
        raise SpecError(f"an error cannot be called {error!r}, which names an exit that takes effect")
    _current[-1].require(condition, error)


def suspend() -> None:
    """The call takes effect and has no answer yet: its exit is "suspended".  A later call brings the answer."""
    current().suspend()


def subset(sort: type[Any], body: Callable[..., bool]) -> Any:
    """The elements of `sort` that satisfy `body`, as part of an answer."""
    return current().collect(sort, body)


def forall(sort: type[Any], body: Callable[..., bool]) -> bool:
    """`body` holds for every element of `sort` but none.  In statements only."""
    return current().quantify(True, sort, body)  # type: ignore[no-any-return]


def exists(sort: type[Any], body: Callable[..., bool]) -> bool:
    """`body` holds for some element of `sort` that is not none.  In statements only."""
    return current().quantify(False, sort, body)  # type: ignore[no-any-return]


def negation(statement: Any) -> bool:
    """Not `statement`.  Statements cannot use `not`, which must decide, nor `~`, which on a plain bool gives -1 or -2."""
    if isinstance(statement, bool):
        return not statement
    if isinstance(statement, int):
        raise SpecError(f"negation of {statement!r}, which is a number and not a truth value")
    return statement.negated()  # type: ignore[no-any-return]


def implies(premise: bool, conclusion: bool) -> bool:
    """If `premise` then `conclusion`, in every reading."""
    return negation(premise) | conclusion
