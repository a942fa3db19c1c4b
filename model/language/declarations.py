"""The declarations of a specification: operations and statements, each marked by a decorator where it stands."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, TypeVar

from . import vocabulary
from .reading import SpecError, current, place_of
from .vocabulary import Chosen, Members, Slot, Type

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

    @cached_property
    def answer(self) -> Type:
        """The type of its answer (see `vocabulary.returned`)."""
        return vocabulary.returned(self.function)

    @cached_property
    def takes_subsets(self) -> bool:
        """Whether a parameter is a subset."""
        return any(slot.subset for slot in self.slots)


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
        self._identity: tuple[Any, ...] | None = None

    def __getattr__(self, name: str) -> Any:
        value = self._arguments.get(name, vocabulary.none)
        return Chosen(value) if type(value) is Members else value


def gives(call: Call, name: str) -> bool:
    """Whether the operation of a call has a parameter of that name: settled by the operation, in every reading."""
    return name in call._arguments


def identity_of(call: Call) -> tuple[Any, ...]:
    """A call as something to compare, in the concrete reading."""
    if call._identity is None:
        call._identity = call.operation, *call._arguments.values()
    return call._identity


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def action(bare: None = None, /, *, seed: str = "", step: str = "") -> Callable[[F], F]:
    """Mark an operation of the spec.  `seed` and `step` name, separated by blanks, what it carries."""
    _without_brackets(bare, "@action()")

    def mark(function: F) -> F:
        made = Action(function.__name__, function, vocabulary.slots(function, 1), _words(seed), _words(step))
        vocabulary.returned(function)
        return _mark(function, made)

    return mark


def invariant(bare: None = None, /, *, seed: str = "", step: str = "") -> Callable[[F], F]:
    """Mark a theorem about every state: what users of the spec care about."""
    _without_brackets(bare, "@invariant()")

    def mark(function: F) -> F:
        slots = vocabulary.slots(function, 1)
        return _mark(function, Invariant(function.__name__, function, slots, _words(seed), _words(step)))

    return mark


def lemma(purpose: str) -> Callable[[F], F]:
    """Mark an invariant that only helps the induction; `purpose` says for what."""
    _without_brackets(purpose, "@lemma('what it is there for')")

    def mark(function: F) -> F:
        slots = vocabulary.slots(function, 1)
        return _mark(function, Invariant(function.__name__, function, slots, purpose=purpose))

    return mark


def step_property(bare: None = None, /, *, seed: str = "", step: str = "") -> Callable[[F], F]:
    """Mark a theorem about every step."""
    _without_brackets(bare, "@step_property()")

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
    made = Counter(function.__name__, function, vocabulary.slots(function, 1))
    _register(made)
    return made


def unused(function: F) -> F:
    """Mark the test of which elements of a sort are free to be given out as fresh names."""
    return _mark(function, Unused(function.__name__, function, vocabulary.slots(function, 1)))


def _mark(function: F, made: Declaration) -> F:
    for slot in made.slots:
        if not isinstance(made, Action) and (slot.fresh or slot.optional):
            raise SpecError(f"{made.name}({slot.name}): only an operation has Fresh or Option parameters")
        if isinstance(made, Action) and (slot.name == "operation" or slot.name.startswith("_")):
            raise SpecError(f"{made.name}({slot.name}): call.{slot.name} means something else: give the parameter another name")
    _register(made)
    function.__declaration__ = made  # type: ignore[attr-defined]
    return function


REGISTER = "__declared__"
"""Under which name a module keeps what was declared in it."""


def _register(made: Declaration) -> None:
    """Take note of a declaration in its module.  Raises SpecError where one of that name stands there already."""
    function = made.function
    module = sys.modules.get(function.__module__)
    if module is None or "<locals>" in function.__qualname__:
        return
    known: dict[str, Declaration] = vars(module).setdefault(REGISTER, {})
    code = function.__code__
    earlier = known.get(made.name)
    if earlier is not None and made.name in vars(module):
        first = earlier.function.__code__
        if (first.co_filename, first.co_firstlineno) != (code.co_filename, code.co_firstlineno):
            where = place_of(code.co_filename, code.co_firstlineno)
            raise SpecError(f"{made.name} is declared twice, in line {first.co_firstlineno} and here ({where}): rename one")
    known[made.name] = made


def _without_brackets(given: object, how: str) -> None:
    """Raise SpecError for a decorator that was written without its brackets: what it stands on would be lost."""
    if callable(given):
        function: Any = given
        at = place_of(function.__code__.co_filename, function.__code__.co_firstlineno) if hasattr(function, "__code__") else ""
        raise SpecError(f"{function.__name__}: write {how} above it ({at})")


def declared(module: ModuleType) -> list[Declaration]:
    """What a module declares, in the order in which it stands there.  Raises SpecError where something declared is there no more
    under its name: it would be lost."""
    names = vars(module)
    for name, made in names.get(REGISTER, {}).items():
        now = names.get(name)
        if not isinstance(made, Counter) and getattr(now, "__declaration__", None) is not made:
            code = made.function.__code__
            raise SpecError(
                f"{name} is declared ({place_of(code.co_filename, code.co_firstlineno)}), and is something else further down"
            )
    found = (getattr(value, "__declaration__", None) for value in names.values() if callable(value))
    return [d for d in found if isinstance(d, Declaration) and d.function.__module__ == module.__name__]
