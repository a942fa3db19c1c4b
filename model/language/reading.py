"""What a spec may ask, and who answers: the reading in force.

An operation is plain Python; `require`, `forall`, `exists` and counts go to the reading in force, and `if`, `and`, `or`,
`not` to the truth value of what the state answered.  A reading is a class with the methods of `Reading`.
"""

from __future__ import annotations

import linecache
import os
from collections.abc import Callable
from typing import Any, Protocol

from .interruption import is_interruption

OK, SUSPENDED = "ok", "suspended"
EFFECTIVE = (OK, SUSPENDED)
"""The exits of a call that is not refused: its effects stand."""


class SpecError(BaseException):
    """A spec asks something that no reading, or not this one, can answer.  Its text says what and what to do.

    (No Exception: a spec that catches what it should not must not catch this.)  `located` says that the text tells where.
    """

    located = False


ENGINE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of the engine: what goes wrong there is told of the line of a spec that led there."""


def place_of(path: str, line: int) -> str:
    """Where in a file something stands, in words; the path as it is seen from here, if it is within."""
    from_here = os.path.relpath(path) if os.path.isabs(path) else path
    return f"{path if from_here.startswith(os.pardir) else from_here}, line {line}"


def at_fault(name: str, function: Callable[..., Any], error: BaseException) -> SpecError:
    """What went wrong in a spec function, as an error that says in which and in which line."""
    if is_interruption(error):
        raise KeyboardInterrupt from None
    if isinstance(error, SpecError) and error.located:
        return error
    text = str(error) if isinstance(error, SpecError) else f"{type(error).__name__}: {error}"
    code = getattr(function, "__code__", None)
    where = f"{name}, {place_of(code.co_filename, code.co_firstlineno)}" if code else name
    step = error.__traceback__
    while step is not None:
        path = step.tb_frame.f_code.co_filename
        if not path.startswith(ENGINE) and (path in linecache.cache or os.path.exists(path)):
            where = f"{name}, {place_of(path, step.tb_lineno)}"
        step = step.tb_next
    found = SpecError(f"{text} ({where})")
    found.located = True
    return found


class inside:  # noqa: N801
    """`with inside(name, function):` runs a spec function: what goes wrong in it is told as a SpecError that says where."""

    __slots__ = ("function", "name")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name, self.function = name, function

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, *_: object) -> None:
        if isinstance(error, SpecError | Exception):
            found = at_fault(self.name, self.function, error)
            if found is not error:
                raise found from None


class Refusal(BaseException):
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
