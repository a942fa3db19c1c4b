"""Late answers said of one waiter at a time, so that they can be recorded as operations are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import vocabulary
from .reading import SpecError, reading
from .scenes import Late, Scope
from .vocabulary import Members


class EachWaiter:
    """A spec's `late`, made of a function that says what a step answers to one waiter: (before, after with outputs, waiter) ->
    Late, or None where it stays suspended.  It branches with `if`, and writes subsets with `subset`."""

    def __init__(self, function: Callable[..., Late | None]) -> None:
        self.function = function
        slots = vocabulary.slots(function, 2)
        if len(slots) != 1 or not vocabulary.is_sort(slots[0].type):
            raise SpecError(f"{function.__name__}: late answers are said of one waiter, an element of a sort")
        self.slot = slots[0]

    def __call__(self, before: Any, after: Any, scope: Scope) -> Iterator[Late]:
        for waiter in range(1, scope[self.slot.type.plural] + 1):
            with reading(_Told(scope)):
                found = self.function(before, after, waiter)
            if found is not None:
                yield found


def each_waiter(function: Callable[..., Late | None]) -> EachWaiter:
    """Make of what is said of one waiter the late answers of a step (see `Spec.late`)."""
    return EachWaiter(function)


class _Told:
    """Answers `subset` of a state that is known: all that is asked of late answers."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def collect(self, sort: Any, body: Callable[..., Any]) -> Members:
        return Members(element for element in range(1, self.scope[sort.plural] + 1) if body(element))

    def _refuse(self, *_: Any) -> Any:
        raise SpecError("late answers are told with `if` and `subset` alone")

    require = quantify = count = suspend = _refuse
