"""Which elements have a handle that was shown, along a way: nobody can name another one that lives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...model.concrete import Model, Outcome, Vector
from ...model.language import Action, Type, answer_fields

Element = tuple[Type, int]


class Shown:
    """The elements of a way whose handles were shown; `model` says which of them live."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.sorts = [kind for kind in model.spec.unused if kind.handles]
        self.known: set[Element] = {(kind, int(constant)) for kind in self.sorts for constant in kind.constants}

    def after(self, action: Action, before: Vector, outcome: Outcome) -> None:
        """Take note of what a call shows, itself or by the late answers that it brings; and of what has died."""
        if not outcome.effective:
            return
        spec, model = self.model.spec, self.model
        answers = [(action.name, outcome.answer)]
        if spec.late is not None and outcome.shown is not outcome.state:
            late = spec.late(model.system(before), model.system(outcome.shown), model.scope)
            answers += [(each.operation, each.answer) for each in late]
        unused = model.unused(outcome.state)
        self.known = {(kind, element) for kind, element in self.known if not unused[kind] >> element & 1}
        self.known.update(element for answer in answers for element in self._in(*answer))

    def _in(self, operation: str, answer: Any) -> Iterator[Element]:
        if answer is None:
            return
        fields = answer_fields(self.model.spec.actions[operation].answer)
        for at, (name, kind) in enumerate(fields):
            element = answer[at] if name else answer
            if kind in self.sorts and element:
                yield kind, element

    def calls(self, action: Action, vector: Vector, unused: Mapping[Type, int]) -> dict[str, list[Any]]:
        """By argument what it may be in a state: as in `choices`, with strangers, and of fresh names the least."""
        fresh = {s.name: [self.model.fresh(vector, s.type)] for s in action.slots if s.fresh}
        return self.choices(action, unused, strangers=True) | fresh

    def choices(self, action: Action, unused: Mapping[Type, int], *, strangers: bool) -> dict[str, list[Any]]:
        """By argument that is no fresh name, what it may be where some elements are `unused`, by bit: of handles those that are
        known and live, and with `strangers` one that does not."""
        found: dict[str, list[Any]] = {}
        for slot in action.slots:
            kind = slot.type
            if slot.fresh:
                continue
            if kind not in self.sorts or slot.subset:
                found[slot.name] = list(self.model.choices(slot))
                continue
            live = sorted(element for sort, element in self.known if sort is kind)
            dead = [e for e in self.model.domain(kind) if unused[kind] >> e & 1][-1:] if strangers else []
            found[slot.name] = [*([0] if slot.optional else []), *live, *dead]
        return found
