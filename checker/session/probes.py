"""The probes of a specification: what it has looked at after a step, though nobody asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...model.concrete import Model, Vector
from ...model.language import reading

Calls = list[tuple[str, dict[str, int]]]


class Probes:
    """The probes of the steps of one session; those of steps that agree in the components that were asked for are the same."""

    def __init__(self, model: Model, scope: Mapping[str, int]) -> None:
        self.model, self.scope = model, scope
        self._asked: tuple[list[int], list[int]] = ([], [])
        self._known: dict[tuple[int, ...], tuple[Any, Calls]] = {}
        self._last: tuple[Any, Any] = (None, None)

    def of(self, before: Vector, after: Vector) -> Calls:
        """The probes of a step, as operations with the model's values."""
        spec = self.model.spec
        assert spec.probes is not None
        known = self._known.get(self._key(before, after))
        if known is not None:
            return known[1]
        last, system = self._last
        systems = system if last is before else self.model.system(before), self.model.system(after)
        self._last = after, systems[1]
        with reading(self.model):
            calls = list(spec.probes(*systems, self.scope))
        first, second = (sorted({*old, *system._asked()}) for old, system in zip(self._asked, systems, strict=True))
        if (first, second) != self._asked:
            self._asked, self._known = (first, second), {}
        # what a key speaks of is kept, so that it goes on speaking of that
        self._known[self._key(before, after)] = (before, after), calls
        return calls

    def _key(self, before: Vector, after: Vector) -> tuple[int, ...]:
        first, second = self._asked
        return (*(id(before[at]) for at in first), *(id(after[at]) for at in second))
