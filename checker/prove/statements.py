"""What obligations are about: how a statement is denied on a path, and how it is seen to fail concretely."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import z3

from ...model.concrete import Model, Vector
from ...model.language import (
    Action,
    Declaration,
    Invariant,
    Spec,
    StepProperty,
)
from ...model.symbolic import Path, Symbolic
from .counting import count_ties
from .obligations import DEFINED, Counterexample


@dataclass(frozen=True)
class Statement:
    """What an obligation is about: how to deny it on a path, and how to see it fail concretely."""

    name: str
    refutation: Callable[[Symbolic, Action | None, Path], list[z3.BoolRef] | None]
    broken: Callable[[Model, Vector | None, Action | None, dict[str, int], str, Vector], Counterexample | None]


def statements_of(
    spec: Spec, action: Action | None, components: Iterable[Any], chosen: frozenset[str] | None
) -> Iterator[Statement]:
    """What is asked of a call of `action` that takes effect (None: of the initial state); `chosen` by name, or all."""
    declared: list[Declaration] = list(spec.invariants.values())
    if action is not None:
        declared += spec.step_properties.values()
    for declaration in declared:
        if chosen is None or declaration.name in chosen:
            yield _declared(declaration)
    for component in components:
        if component.kind == "queue" and (chosen is None or f"{component.name}.order" in chosen):
            yield _order(component.name)
    if chosen is None or DEFINED in chosen:
        yield Statement(DEFINED, _undefined, lambda *_: None)


def _declared(declaration: Declaration) -> Statement:
    def refutation(symbolic: Symbolic, action: Action | None, path: Path) -> list[z3.BoolRef] | None:
        if action is not None and isinstance(declaration, Invariant) and not symbolic.reads(declaration) & path.changed:
            return None
        denied = symbolic.denial(declaration, action, path)
        return [denied] if symbolic.world.scope is not None else [denied, *count_ties(symbolic, action, path)]

    def broken(
        model: Model, before: Vector | None, action: Action | None, arguments: dict[str, int], exit: str, after: Vector
    ) -> Counterexample | None:
        states: tuple[Any, ...] = (model.system(after),)
        if isinstance(declaration, StepProperty):
            assert before is not None
            assert action is not None
            states = model.of_step(before, action, arguments, after)
        binding = model.broken(declaration, *states)
        if binding is None:
            return None
        return Counterexample(model.scope, before, arguments, exit, after, binding, declaration.text)

    return Statement(declaration.name, refutation, broken)


def _order(name: str) -> Statement:
    def refutation(symbolic: Symbolic, action: Action | None, path: Path) -> list[z3.BoolRef] | None:
        changed = any(part.startswith(f"{name}.") for part in path.changed)
        return [z3.Not(dict(symbolic.order(path.after))[name])] if changed else None

    return Statement(f"{name}.order", refutation, lambda *_: None)


def _undefined(symbolic: Symbolic, action: Action | None, path: Path) -> list[z3.BoolRef] | None:
    return [z3.Or([z3.Not(condition) for condition, _ in path.checks])] if path.checks else None
