"""The declarations of a specification: operations and statements, each marked by a decorator where it stands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from . import vocabulary
from .reading import SpecError, current
from .vocabulary import Slot, Type

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Declaration:
    """What all parts of a spec have: a name, the function, its parameters after the state, and its source.

    `seed` are the rows of the requirements that it carries, `steps` the steps of the seed's figures.
    """

    name: str
    function: Callable[..., Any]
    slots: tuple[Slot, ...]
    seed: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The docstring, first paragraph, on one line."""
        return " ".join((inspect.getdoc(self.function) or "").split("\n\n")[0].split())


@dataclass(frozen=True)
class Action(Declaration):
    """An operation.  Its function takes the state and the arguments, refuses with `require`, then writes the state."""

    @property
    def answer(self) -> Type:
        """The type of its answer (see `vocabulary.returned`)."""
        return vocabulary.returned(self.function)


@dataclass(frozen=True)
class Invariant(Declaration):
    """A statement of every reachable state, for all elements (not none) of its parameters' sorts.

    A lemma is there to make the induction go through; `purpose` says what for.  A theorem has no purpose but itself.
    """

    purpose: str = ""


@dataclass(frozen=True)
class StepProperty(Declaration):
    """A statement of every step: takes the state before, the state after, and the `Call`, then bound parameters.

    A refused call changes nothing and is no step.
    """


@dataclass(frozen=True)
class Rest(Declaration):
    """A statement of a state at rest, for all elements of its parameters' sorts: nothing is held, nothing waits.

    From every reachable state the system is to be able to get back to one in which all of them hold: nothing leaks.
    """


@dataclass(frozen=True)
class LeadsTo(Declaration):
    """For every element: whenever the first of the three truth values that its function answers holds, the second holds then or
    later, if those who are to act do: of each operation in `by`, if one of the calls for which the third value holds stays
    possible, one is made at last (weak fairness).  The function takes the state, the `Call`, and one element of a sort.
    """

    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counter(Declaration):
    """How many elements of the last parameter's sort satisfy it, given the parameters before it."""

    def __call__(self, system: Any, *arguments: Any) -> int:
        return current().count(self, system, arguments)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Unused(Declaration):
    """Which elements of its one parameter's sort an implementation may give out as fresh."""


class Call:
    """The call of a step, as a step property sees it: `call.operation` is its name, `call.to` its argument of that
    name (none where the operation has no such parameter)."""

    def __init__(self, operation: str, arguments: Mapping[str, Any]) -> None:
        self.operation = operation
        self._arguments = arguments
        self._key: tuple[Any, ...] | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """The call as something to compare, in the concrete reading."""
        if self._key is None:
            self._key = self.operation, *self._arguments.values()
        return self._key

    def __getattr__(self, name: str) -> Any:
        return self._arguments.get(name, vocabulary.none)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def action(*, seed: str = "", step: str = "") -> Callable[[F], F]:
    """Mark an operation of the spec.  `seed` and `step` name, separated by blanks, what it carries."""

    def mark(function: F) -> F:
        made = Action(function.__name__, function, vocabulary.slots(function, 1), _words(seed), _words(step))
        vocabulary.returned(function)
        return _mark(function, made)

    return mark


def invariant(*, seed: str = "", step: str = "") -> Callable[[F], F]:
    """Mark a theorem about every state: what users of the spec care about."""

    def mark(function: F) -> F:
        slots = vocabulary.slots(function, 1)
        return _mark(function, Invariant(function.__name__, function, slots, _words(seed), _words(step)))

    return mark


def lemma(purpose: str) -> Callable[[F], F]:
    """Mark an invariant that only helps the induction; `purpose` says for what."""

    def mark(function: F) -> F:
        slots = vocabulary.slots(function, 1)
        return _mark(function, Invariant(function.__name__, function, slots, purpose=purpose))

    return mark


def step_property(*, seed: str = "", step: str = "") -> Callable[[F], F]:
    """Mark a theorem about every step."""

    def mark(function: F) -> F:
        slots = vocabulary.slots(function, 3)
        return _mark(function, StepProperty(function.__name__, function, slots, _words(seed), _words(step)))

    return mark


def rest(function: F) -> F:
    """Mark a statement of a system at rest (see `Rest`)."""
    return _mark(function, Rest(function.__name__, function, vocabulary.slots(function, 1)))


def leads_to(*, by: str, seed: str = "") -> Callable[[F], F]:
    """Mark what is to come about at last (see `LeadsTo`); `by` names operations, separated by blanks."""

    def mark(function: F) -> F:
        slots = vocabulary.slots(function, 2)
        if len(slots) != 1 or not vocabulary.is_sort(slots[0].type):
            raise SpecError(f"{function.__name__}: what comes about at last is said of one element of a sort")
        return _mark(function, LeadsTo(function.__name__, function, slots, _words(seed), by=_words(by)))

    return mark


def counter(function: Callable[..., bool]) -> Counter:
    """Make of a membership test the count of its last parameter.  Counted from the state, never stored."""
    return Counter(function.__name__, function, vocabulary.slots(function, 1))


def unused(function: F) -> F:
    """Mark the test of which elements of a sort are free to be given out as fresh names."""
    return _mark(function, Unused(function.__name__, function, vocabulary.slots(function, 1)))


def _mark(function: F, made: Declaration) -> F:
    for slot in made.slots:
        if not isinstance(made, Action) and (slot.fresh or slot.optional):
            raise SpecError(f"{made.name}({slot.name}): only an operation has Fresh or Option parameters")
    function.__declaration__ = made  # type: ignore[attr-defined]
    return function


def declared(module: ModuleType) -> list[Declaration]:
    """What a module declares, in the order in which it stands there."""
    found = (getattr(value, "__declaration__", None) for value in vars(module).values() if callable(value))
    return [d for d in found if isinstance(d, Declaration) and d.function.__module__ == module.__name__]
