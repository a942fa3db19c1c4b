"""The concrete reading: a state is a tuple of tuples of small integers, a question has the one answer there is.

It is the oracle for fuzzing and replay and what exploration steps with.  An element of a sort is its index, 0 is none,
constants come first.  A state never changes; an operation writes to a copy of the components that it touches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..language import (
    EFFECTIVE,
    OK,
    SUSPENDED,
    Action,
    Call,
    Chosen,
    Component,
    Counter,
    Declaration,
    Members,
    Refusal,
    Scope,
    Slot,
    Spec,
    SpecError,
    Type,
    answer_fields,
    at_fault,
    check_range,
    default,
    inside,
    is_enumeration,
    is_sort,
    is_subset,
    reading,
)
from ..recording import causes, tallies
from .printed import Answer, exits
from .state import Vector, _Cells, _FlatMap, _Map, _Peek, _Queue, _Rigid, _System


@dataclass(frozen=True)
class Outcome:
    """What a call came to: `exit` is "ok", "suspended" or the error's name, `state` the state after, `answer` what it returned.

    `shown` is the state after with the outputs that the call wrote, for step properties and for who compares answers.
    """

    exit: str
    state: Vector
    answer: Any = None
    shown: Vector = ()

    @property
    def effective(self) -> bool:
        """Whether the call was not refused."""
        return self.exit in EFFECTIVE


MOST_CELLS = 10_000_000
"""How many cells a state has at most."""


def picked(values: Mapping[str, Sequence[Any]], number: int) -> dict[str, Any]:
    """The arguments that a number picks: its last digits, in the base of how many values there are, that of the first."""
    arguments = {}
    for name, choices in values.items():
        number, index = divmod(number, len(choices))
        arguments[name] = choices[index]
    return arguments


class Model:
    """A spec in a scope, in the concrete reading: makes states, calls operations, judges statements."""

    def __init__(
        self, spec: Spec, scope: Scope | None = None, arguments: Mapping[str, tuple[int | Members, ...]] | None = None
    ) -> None:
        self.spec = spec
        self.scope = spec.scope(scope)
        self.tried = arguments or {}
        self.components = spec.components
        self.positions = {c.name: i for i, c in enumerate(self.components)}
        self._shapes = [tuple(len(self._indices(k)) for k in c.keys) for c in self.components]
        self._domains = [tuple(self.domain(k) for k in c.keys) for c in self.components]
        cells = sum(math.prod(shape) for shape in self._shapes)
        if cells > MOST_CELLS:
            raise SpecError(f"a state of this scope has {cells} cells; at most {MOST_CELLS} can be held: give a smaller one")
        self.stating = False
        self._suspended = False
        self._blank = self._all_blank()
        self._guards: dict[str, Callable[[Vector, Any], Answer]] = {}
        self._survey: list[str] | None = None
        self._surveyed = 0
        self._tallies = tallies(spec)
        self._running: _System | None = None  # of the last call; calls that wrote nothing share one
        self._bindings: dict[str, list[tuple[int, ...]]] = {}
        self._free_arguments: dict[str, list[dict[str, int]]] = {}
        self._fresh_at: tuple[Vector | None, dict[Type, int]] = (None, {})
        for name, values in self.tried.items():
            self._check_tried(name, values)

    def _check_tried(self, name: str, values: Collection[int | Members]) -> None:
        """Raise SpecError for values that no call could be made with."""
        slots = [s for action in self.spec.actions.values() for s in action.slots if s.name == name and not s.fresh]
        if not slots:
            raise SpecError(f"arguments for {name!r}, which no operation of {self.spec.name} is called with")
        for slot in slots:
            least = int(is_sort(slot.type) and not any(s.optional for s in slots))
            most = max(self.domain(slot.type), default=0) if slot.type is not int else None
            for value in values:
                if slot.subset is not isinstance(value, Members):
                    raise SpecError(f"{name} may not be {value!r}: give {'Members([...])' if slot.subset else 'a number'}")
                for element in value if isinstance(value, Members) else [value]:
                    if not isinstance(element, int) or element < least or (most is not None and element > most):
                        within = f"a number from {least}" + (f" to {most}, as this scope has them" if most is not None else "")
                        raise SpecError(f"{name} may not be {element!r}: it is {within}")

    def domain(self, kind: Type) -> range:
        """The values of a type in this scope, none left out."""
        if is_sort(kind):
            if kind.plural not in self.scope:
                raise SpecError(f"{kind.__name__} is in no component, operation, statement or counter of the spec")
            return range(1, self.scope[kind.plural] + 1)
        if is_enumeration(kind):
            return range(len(kind))
        return range(2) if kind is bool else range(self.scope["numbers"] + 1)

    def _indices(self, kind: Type) -> range:
        """The keys under which a map has a cell: the domain, and none."""
        return range(self.domain(kind).stop)

    def keys(self, component: Component) -> Iterator[tuple[int, ...]]:
        """The keys of a component, none left out, in the order of its cells."""
        return itertools.product(*self._domains[self.positions[component.name]])

    def wrap(self, position: int, vector: Vector, log: list[_Cells]) -> Any:
        """A component as spec functions see it; `log` collects what is written."""
        component, cells, shape = self.components[position], vector[position], self._shapes[position]
        if component.kind == "parameter":
            return cells[0]
        if component.kind == "queue":
            return _Queue(component.name, shape, cells, log)
        if component.kind == "rigid":
            return _Rigid(component.name, shape, cells, log)
        kind = _FlatMap if len(shape) == 1 else _Map
        return kind(component.name, shape, cells, log, self._domains[position])

    def shape(self, component: Component) -> tuple[int, ...]:
        """How many cells a component has along each key, that of none among them."""
        return self._shapes[self.positions[component.name]]

    def index(self, component: Component, key: tuple[int, ...]) -> int:
        """Where in its component's cells the cell of `key` is."""
        position = 0
        for part, size in zip(key, self._shapes[self.positions[component.name]], strict=True):
            position = position * size + part
        return position

    def blank(self) -> Vector:
        """The state in which every map and queue holds its default; rigid maps and parameters as the scope says."""
        return self._blank

    def _all_blank(self) -> Vector:
        parts: list[tuple[Any, ...]] = []
        for position, component in enumerate(self.components):
            shape = self._shapes[position]
            if component.kind == "parameter":
                parts.append((self.scope[component.name],))
            elif component.kind == "queue":
                parts.append(((),) * shape[0])
            else:
                cells = [default(component.value)]
                for size in shape:
                    cells = cells * size
                if component.kind == "rigid" and component.name in self.spec.rigid:
                    for key in self.keys(component):
                        cells[self.index(component, key)] = self._rigid(component, key)
                parts.append(tuple(cells))
        return tuple(parts)

    def _rigid(self, component: Component, key: tuple[int, ...]) -> Any:
        """What the spec gives for a cell of a rigid map.  Raises SpecError for what is no value of it."""
        with inside(f"rigid[{component.name!r}]", self.spec.rigid[component.name]):
            value = self.spec.rigid[component.name](self.scope, *key)
            kind = component.value
            right = isinstance(value, int) and (value >= 0 if kind is int else value == 0 or value in self.domain(kind))
            if not right:
                raise SpecError(f"{component.name}{list(key)} is given as {value!r}, which is no {kind.__name__}")
        return bool(value) if kind is bool else value

    def initial(self, blank: Vector | None = None) -> Vector:
        """The initial state; from another `blank` one, with other values of rigid maps than the spec gives."""
        system = _System(self, blank or self.blank())
        try:
            with reading(self), inside("initial", self.spec.initial):
                self.spec.initial(system)
        except Refusal as refusal:
            raise SpecError(
                f"initial refuses with {refusal.error}: it writes the first state, and nobody is there to be refused"
            ) from None
        return system._after()

    def system(self, vector: Vector) -> Any:
        """`vector` as spec functions see it, to read from."""
        return _System(self, vector)

    def require(self, condition: Any, error: str) -> None:
        if condition:
            return
        if self._running is not None and self._running._log:
            raise SpecError(f"refused with {error} after an effect: put every require before the first write")
        if self._survey is None:
            raise Refusal(error)
        self._survey.append(error)
        if len(self._survey) == self._surveyed:
            raise SpecError("enough of them are known")

    def quantify(self, universal: bool, sort: Any, body: Callable[..., Any]) -> bool:
        check_range(sort)
        found = (body(element) for element in self.domain(sort))
        return all(found) if universal else any(found)

    def suspend(self) -> None:
        self._suspended = True

    def collect(self, sort: Any, body: Callable[..., Any]) -> Chosen:
        check_range(sort)
        return Chosen(Members(element for element in self.domain(sort) if body(element)))

    def count(self, counter: Counter, system: Any, arguments: tuple[Any, ...]) -> int:
        tally = self._tallies.of(counter)
        if tally is not None and len(arguments) == len(counter.slots) - 1:
            name, number = tally
            value = arguments[number]
            # none has a cell too, which holds none
            return getattr(system, name).cells.count(value) - (not value)  # type: ignore[no-any-return]
        member, kind = counter.function, counter.slots[-1].type
        return sum(1 for element in self.domain(kind) if member(system, *arguments, element))

    def step(self, action: Action, vector: Vector, arguments: Mapping[str, int]) -> Outcome:
        """Call an operation.  Raises SpecError where the spec itself is at fault."""
        system = self._running
        if system is None or system._log or system._vector is not vector:
            self._running = system = _System(self, vector)
        self._suspended = False
        try:
            with reading(self):
                answer = action.function(system, **self._given(action, arguments))
            if answer is not None or action.answer is not None:
                answer = self._answered(action, answer)
        except Refusal as refusal:
            return Outcome(refusal.error, vector, None, vector)
        except (SpecError, Exception) as error:
            self._running = None
            raise at_fault(action.name, action.function, error) from None
        except BaseException:
            self._running = None
            raise
        exit = SUSPENDED if self._suspended else OK
        shown = state = system._after()
        if outputs := system._outputs():
            parts = list(shown)
            for position in outputs:
                parts[position] = self._blank[position]
            state = tuple(parts)
        return Outcome(exit, state, answer, shown)

    def _given(self, action: Action, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Arguments as the operation sees them."""
        return {n: Chosen(v) if type(v) is Members else v for n, v in arguments.items()} if action.takes_subsets else arguments

    def _answered(self, action: Action, answer: Any) -> Any:
        """An answer as others see it.  Raises SpecError for one that is not of the type that the operation says."""
        kind = action.answer
        if self._suspended and answer is None:
            return None
        fields = answer_fields(kind)
        if kind is None or (fields[0][0] and not isinstance(answer, kind)):
            raise SpecError(f"answers {answer!r}, where its text says {'nothing' if kind is None else kind.__name__}")
        parts = [self._part(part, value) for (_, part), value in zip(fields, answer if fields[0][0] else (answer,), strict=True)]
        return kind(*parts) if fields[0][0] else parts[0]

    def _part(self, kind: Type, value: Any) -> Any:
        if is_subset(kind) and isinstance(value, Chosen | Members):
            return value.members if isinstance(value, Chosen) else value
        if not is_subset(kind) and isinstance(value, int) and (value == 0 or kind is int or value in self.domain(kind)):
            return value
        raise SpecError(f"answers {value!r} where a {getattr(kind, '__name__', kind)} is said")

    def exit_of(self, action: Action, vector: Vector, arguments: Mapping[str, int]) -> str:
        """What a call comes to, without its effect: quicker than `step`.  Right where no exit depends on a bulk update."""
        self._running = system = _System(self, vector)
        system.__dict__["_log"] = _Peek()
        self._suspended = False
        try:
            with reading(self), inside(action.name, action.function):
                action.function(system, **self._given(action, arguments))
        except Refusal as refusal:
            return refusal.error
        finally:
            self._running = None
        return SUSPENDED if self._suspended else OK

    def foreseen(
        self,
        action: Action,
        vector: Vector,
        values: Mapping[str, Sequence[Any]],
        numbers: Sequence[int],
        wanted: Collection[str],
        because: int | None = None,
    ) -> list[str]:
        """The exits of some calls, up to the first that is wanted, and where causes are given has one of them: each picked by a
        number out of the `values` that the arguments may have, as `picked`."""
        tell, found = self._guards_of(action), []
        for number in numbers:
            given = picked(values, number)
            exit, came = tell(vector, given)
            if not exit:
                exit = self.exit_of(action, vector, given)
                came &= causes(self.spec)[action.name].of_exit.get(exit, 0)
            found.append(exit)
            if exit in wanted and (because is None or came & because):
                break
        return found

    def came(self, action: Action, vector: Vector, arguments: Mapping[str, Any], exit: str) -> int:
        """The causes of a call that comes to an exit, by bit, in the order of `recording.causes`."""
        told, came = self._guards_of(action)(vector, arguments)
        return came if told else came & causes(self.spec)[action.name].of_exit.get(exit, 0)

    def _guards_of(self, action: Action) -> Callable[[Vector, Any], Answer]:
        found = self._guards.get(action.name)
        if found is None:
            found = self._guards[action.name] = exits(self, action)
        return found

    def unused(self, vector: Vector) -> dict[Type, int]:
        """By sort whose names are given out, which are free: bit n stands for element n."""
        found, system = {}, _System(self, vector)
        with reading(self):
            for kind, test in self.spec.unused.items():
                found[kind] = sum(1 << e for e in self.domain(kind) if test.function(system, e))
        return found

    def permitted(self, action: Action, vector: Vector, arguments: Mapping[str, int]) -> list[str]:
        """Every error whose condition applies, in the operation's order; empty where the call succeeds."""
        return list(dict.fromkeys(self.refusals(action, vector, arguments)))

    def refusals(self, action: Action, vector: Vector, arguments: Mapping[str, int], most: int = 0) -> list[str]:
        """The error of every condition that applies, or of the first `most`, found by going on after a refusal up to the first
        effect: maps are total, so every question has an answer."""
        found: list[str] = []
        self._survey, self._surveyed = found, most
        try:
            self.step(action, vector, arguments)
        except SpecError:
            if not found:
                raise
        finally:
            self._survey = None
        return found

    def fresh(self, vector: Vector, kind: Type, reserved: int = 0) -> int:
        """The least name of a sort that is not in use, or 0; the last `reserved` names are never given out."""
        test = self.spec.unused[kind].function
        system = _System(self, vector)
        first = len(kind.constants) + 1
        with reading(self), inside(self.spec.unused[kind].name, self.spec.unused[kind].function):
            for element in range(first, self.scope[kind.plural] + 1 - reserved):
                if test(system, element):
                    return element
        return 0

    def choices(self, slot: Slot) -> list[Any]:
        """Every value that an argument of `slot` may have; a fresh one has no choice, so it is left out.  Of subsets, the empty
        one and those of one element or two: a finite scope shows no more with larger ones."""
        if slot.name in self.tried:
            return [bool(value) if slot.type is bool else value for value in self.tried[slot.name]]
        if slot.type is bool:
            return [False, True]
        if slot.subset:
            sizes = range(min(2, len(self.domain(slot.type))) + 1)
            return [Members(some) for size in sizes for some in itertools.combinations(self.domain(slot.type), size)]
        return [0, *self.domain(slot.type)] if slot.optional else list(self.domain(slot.type))

    def calls(self, action: Action, vector: Vector) -> Iterator[dict[str, int] | None]:
        """Every call of `action` in this scope: fresh names are the least ones (the spec is the same under renaming).

        None stands for calls that the scope cuts off: an endless sort has run out of names in it.
        """
        fresh = {s.name: self._fresh_once(vector, s.type) for s in action.slots if s.fresh}
        if any(s.type.endless and not fresh[s.name] for s in action.slots if s.fresh):
            yield None
            return
        free = self._free_arguments.get(action.name)
        if free is None:
            slots = [s for s in action.slots if not s.fresh]
            names = [s.name for s in slots]
            combinations = itertools.product(*(self.choices(s) for s in slots))
            free = [dict(zip(names, values, strict=True)) for values in combinations]
            self._free_arguments[action.name] = free
        if not fresh:
            yield from free
        else:
            for arguments in free:
                yield arguments | fresh

    def _fresh_once(self, vector: Vector, kind: Type) -> int:
        at, found = self._fresh_at
        if at is not vector:
            found = {}
            self._fresh_at = vector, found
        if kind not in found:
            found[kind] = self.fresh(vector, kind)
        return found[kind]

    def broken(self, statement: Declaration, *states: Any) -> dict[str, int] | None:
        """The first binding of a statement's parameters under which it does not hold, or None where it does.

        `states` is what its function takes before its parameters: a system, or two and a Call.
        """
        bindings = self._bindings.get(statement.name)
        if bindings is None:
            bindings = list(itertools.product(*(self.domain(s.type) for s in statement.slots)))
            self._bindings[statement.name] = bindings
        function = statement.function
        self.stating = True
        try:
            with reading(self):
                for values in bindings:
                    held = function(*states, *values)
                    if held is not True and not isinstance(held, int):
                        raise SpecError(f"comes to {held!r}, which is no truth value")
                    if not held:
                        return dict(zip((s.name for s in statement.slots), values, strict=True))
        except (SpecError, Exception) as error:
            raise at_fault(statement.name, statement.function, error) from None
        finally:
            self.stating = False
        return None

    def of_step(self, before: Vector, action: Action, arguments: Mapping[str, int], after: Vector) -> tuple[Any, Any, Call]:
        """What a step property takes before its parameters."""
        return _System(self, before), _System(self, after), Call(action.name, arguments)

    def violations(
        self, before: Vector | None, action: Action | None, arguments: Mapping[str, int], after: Vector
    ) -> Iterator[tuple[Declaration, dict[str, int]]]:
        """The statements that a successful call breaks, each with a binding; without a call, that a state breaks."""
        statements: list[tuple[Declaration, tuple[Any, ...]]] = [
            (s, (_System(self, after),)) for s in self.spec.invariants.values()
        ]
        if before is not None and action is not None:
            states = self.of_step(before, action, arguments, after)
            statements += [(s, states) for s in self.spec.step_properties.values()]
        for statement, given in statements:
            binding = self.broken(statement, *given)
            if binding is not None:
                yield statement, binding
