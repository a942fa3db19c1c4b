"""From a Z3 solution in a finite scope to a concrete state and call, as plain as they come.

A counterexample or a witness is useful when it is small: the scope is made small, then every cell that can be at its
default is put there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import z3

from ..concrete import Model, Vector
from ..language import Action, Members, Scope, Slot, Sort, Spec, Type, is_sort
from .cells import Unknown
from .reading import Symbolic


def new_solver() -> z3.Solver:
    """A solver that leaves interruptions from the keyboard to those who note them."""
    solver = z3.Solver()
    solver.set("ctrl_c", False)
    return solver


def checked(solver: z3.Solver) -> z3.CheckSatResult:
    """What the solver says.  Raises KeyboardInterrupt where it was interrupted, which it takes for itself."""
    answer = solver.check()
    if answer == z3.unknown and "interrupted" in solver.reason_unknown():
        raise KeyboardInterrupt
    return answer


class Finite:
    """A spec in a finite scope, read symbolically for the solver and concretely to check what the solver says."""

    def __init__(self, symbolic: Symbolic) -> None:
        if symbolic.world.scope is None:
            raise ValueError("a finite scope is needed")
        self.symbolic = symbolic
        self.model = Model(symbolic.spec, symbolic.world.scope)

    def _values(self, kind: Type) -> list[z3.ExprRef]:
        listed = list(self.symbolic.world.elements(kind) or [])
        return [self.symbolic.world.none(kind), *listed] if is_sort(kind) else listed

    def _number(self, term: z3.ExprRef, kind: Type) -> int:
        if z3.is_int_value(term):
            return int(term.as_long())
        for number, value in enumerate(self._values(kind)):
            if value.eq(term):
                return bool(number) if kind is bool else number
        raise ValueError(f"{term} is no value of {kind}")

    def _cells(self) -> Iterator[tuple[z3.ExprRef, z3.ExprRef, Type]]:
        """Every cell of the state that may vary: its term, its default, its type."""
        symbolic = self.symbolic
        for name, part, kinds, value in symbolic.parts():
            if symbolic.components[name].kind in ("map", "queue", "rigid") and kinds and not part.endswith(".ticket"):
                cells: Unknown = symbolic.state._parts[part]
                component = symbolic.components[name]
                if component.kind != "queue":
                    keys: Iterator[tuple[int, ...]] = self.model.keys(component)
                else:
                    keys = ((element,) for element in self.model.domain(component.value))
                for key in keys:
                    lifted = tuple(symbolic.world.lift(k, v) for k, v in zip(kinds, key, strict=True))
                    yield cells.read(lifted), symbolic.world.default(value), value

    def smallest(self, solver: z3.Solver, action: Action | None) -> tuple[Vector, dict[str, Any]]:
        """A state and arguments that satisfy what `solver` holds (it must be satisfiable), with defaults wherever one after the
        other can be had."""
        held = solver.num_scopes()
        solver.push()
        solution = self._solution(solver)
        for term, default, _ in self._cells():
            if not solution.eval(term, model_completion=True).eq(default):
                solver.push()
                solver.add(term == default)
                if checked(solver) == z3.sat:
                    solution = solver.model()
                else:
                    solver.pop()
                    continue
            else:
                solver.add(term == default)
        solution = self._solution(solver)
        found = self._state(solution), self._arguments(solution, action)
        solver.pop(solver.num_scopes() - held)
        return found

    def solution(self, solver: z3.Solver, action: Action) -> tuple[Vector, dict[str, Any]]:
        """Any state and arguments that satisfy what `solver` holds (it must be satisfiable)."""
        solution = self._solution(solver)
        return self._state(solution), self._arguments(solution, action)

    def _solution(self, solver: z3.Solver) -> z3.ModelRef:
        if checked(solver) != z3.sat:
            raise ValueError("the solver has no solution to show")
        return solver.model()

    def initial(self, solver: z3.Solver) -> Vector:
        """The initial state with rigid maps that satisfy what `solver` holds (it must be satisfiable)."""
        state = self._state(self._solution(solver))
        given = {i for i, c in enumerate(self.model.components) if c.kind == "rigid"}
        blank = self.model.blank()
        return self.model.initial(tuple(state[i] if i in given else part for i, part in enumerate(blank)))

    def _read(self, solution: z3.ModelRef, part: str, kinds: Sequence[Type], value: Type, key: Sequence[int]) -> int:
        world = self.symbolic.world
        lifted = tuple(world.lift(k, v) for k, v in zip(kinds, key, strict=True))
        term = self.symbolic.state._parts[part].read(lifted)
        return self._number(solution.eval(term, model_completion=True), value)

    def _state(self, solution: z3.ModelRef) -> Vector:
        vector = list(self.model.blank())
        for position, component in enumerate(self.model.components):
            if component.kind == "queue":
                elements = self.model.domain(component.value)
                lines: list[list[tuple[int, int]]] = [[] for _ in vector[position]]
                for element in elements:
                    name, kind = component.name, component.value
                    line = self._read(solution, f"{name}.place", [kind], component.keys[0], [element])
                    ticket = self._read(solution, f"{name}.ticket", [kind], int, [element])
                    if line:
                        lines[line].append((ticket, element))
                vector[position] = tuple(tuple(e for _, e in sorted(line)) for line in lines)
            elif component.kind in ("map", "rigid"):
                cells = list(vector[position])
                for key in self.model.keys(component):
                    at = self.model.index(component, key)
                    cells[at] = self._read(solution, component.name, component.keys, component.value, key)
                vector[position] = tuple(cells)
        return tuple(vector)

    def _arguments(self, solution: z3.ModelRef, action: Action | None) -> dict[str, Any]:
        if action is None:
            return {}
        terms = self.symbolic.arguments(action)
        return {slot.name: self._argument(solution, slot, terms[slot.name]) for slot in action.slots}

    def _argument(self, solution: z3.ModelRef, slot: Slot, term: Any) -> Any:
        if not slot.subset:
            return self._number(solution.eval(term.expr, model_completion=True), slot.type)
        inside = ((e, term.holds(self.symbolic.world.lift(slot.type, e))) for e in self.model.domain(slot.type))
        return Members(e for e, held in inside if z3.is_true(solution.eval(held, model_completion=True)))


def growing_scopes(spec: Spec, largest: int = 3) -> Iterator[dict[str, int]]:
    """Scopes in which to look for a state, small ones first: every sort of size 1, then 2, then 2 but one sort of 1, then 3;
    parameters 1, and as large as the sorts."""
    for size in range(1, largest + 1):
        yield uniform_scope(spec, size, 1)
        if size > 1:
            yield uniform_scope(spec, size, size)
        if size == 2:
            for kind in spec.sorts:
                yield uniform_scope(spec, 2, 1) | {kind.plural: max(1, len(kind.constants))}


def uniform_scope(spec: Spec, size: int, parameter: int) -> dict[str, int]:
    """The scope with so many elements of every sort, more where its constants alone are as many, and parameters of one value."""
    sizes = {k.plural: max(size, len(k.constants) + size - 1) for k in spec.sorts}
    parameters = {c.name: parameter for c in spec.components if c.kind == "parameter"}
    return spec.scope(sizes | parameters | {"numbers": size})


def smaller_scope(spec: Spec, scope: Scope, kind: type[Sort]) -> dict[str, int] | None:
    """`scope` with one element less of a sort, or None where it has to keep them."""
    if scope[kind.plural] <= max(1, len(kind.constants)):
        return None
    return {**scope, kind.plural: scope[kind.plural] - 1}


def spoken_of(model: Model, vectors: Iterable[Vector], values: Iterable[tuple[Type, Any]]) -> dict[str, int]:
    """The model's scope with room for no more elements than states, where they are not at their defaults, and values speak of."""
    sizes = {kind.plural: max(1, len(kind.constants)) for kind in model.spec.sorts}

    def see(kind: Type, value: Any) -> None:
        if is_sort(kind):
            for element in value if isinstance(value, Members) else [value]:
                sizes[kind.plural] = max(sizes[kind.plural], int(element))

    for kind, value in values:
        see(kind, value)
    for vector in vectors:
        for component, part in zip(model.components, vector, strict=True):
            if component.kind in ("rigid", "parameter"):
                continue
            for key in model.keys(component):
                value = part[model.index(component, key)]
                if value:
                    for kind, element in zip(component.keys, key, strict=True):
                        see(kind, element)
                    for element in value if component.kind == "queue" else [value]:
                        see(component.value, element)
    return {**model.scope, **sizes}
