"""The probes of a specification: what it has looked at after a step, though nobody asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...model.concrete import Model, Vector
from ...model.language import reading

Calls = list[tuple[str, dict[str, int]]]

MOST = 50_000
"""Of how many steps the probes are known at a time."""


class Probes:
    """The probes of steps in one scope; those of steps that agree in the components that were asked for are the same.

    Steps are told by a hash of these.  If two had one, the calls that look at the first would be made after the other, and be
    judged as any calls are.
    """

    def __init__(self) -> None:
        self._asked: tuple[list[int], list[int]] = ([], [])
        self._known: dict[int, Calls] = {}
        self._last: tuple[Any, Any] = (None, None)

    def of(self, model: Model, scope: Mapping[str, int], before: Vector, after: Vector) -> Calls:
        """The probes of a step, as operations with the model's values."""
        assert model.spec.probes is not None
        known = self._known.get(self._key(before, after))
        if known is not None:
            return known
        last, system = self._last
        systems = system if last is before else model.system(before), model.system(after)
        self._last = after, systems[1]
        with reading(model):
            calls = list(model.spec.probes(*systems, scope))
        first, second = (sorted({*old, *system._asked()}) for old, system in zip(self._asked, systems, strict=True))
        if (first, second) != self._asked or len(self._known) >= MOST:
            self._asked, self._known = (first, second), {}
        self._known[self._key(before, after)] = calls
        return calls

    def _key(self, before: Vector, after: Vector) -> int:
        first, second = self._asked
        return hash((*[before[at] for at in first], *[after[at] for at in second]))
