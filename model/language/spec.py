"""A specification: its operations, its statements, and where each comes from.

A room of a spec is a Python module; the decorators here mark what belongs to the spec, and `Spec` collects it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from . import vocabulary
from .checking import check_function
from .declarations import Action, Counter, Declaration, Invariant, LeadsTo, Rest, StepProperty, Unused, declared
from .reading import SpecError
from .scenes import ALL, Exploration, Flow, Given, Late, Phases, Scope, Step
from .vocabulary import Component, Sort, State, Type

LARGEST = 1_000_000
"""How large a sort, a number or a parameter of a scope is at most."""


@dataclass(frozen=True)
class Spec:
    """A whole specification, and what a checker needs to know to run it.

    state: the class of its state.  modules: its rooms, in the order in which they are shown.
    initial: writes the initial state into one that holds defaults only.
    explorations: by name, what is explored; together they reach every clause.  fuzz_scope: the scope for fuzzing.
    large: explorations that take minutes: what matters to a room is there at least twice.
    varied: sizes that a scope may have beside those of its state, for `topology` and `encodings` alone, with the values that they
    have in turn where an implementation is tried; a scope that does not have one means the first.
    rigid: for each rigid map, its value in a finite scope: (scope, *key) -> value.
    encodings: how elements of sorts that are data, not handles, are written to an implementation: (scope, element) ->
    plain data.  open_data: those of them of which a log may have any value, each with the test of an ordinary one; one that is
    not counts as the last element.  topology: what an implementation is told by reset (default: the scope).
    openings: by name, sequences of calls with which a fuzzer may begin a run, to be deep in the system at once.
    flows: the scenarios that it is to carry out.
    phases: by room, what states its things go through, to be drawn.
    suite: the file of its fixed conformance suite, if it is stored.
    requirements: the file of the requirements that `seed` names, if there is one.
    profiles: by name, operations that make sense as a part; `all` is not among them.
    parts: profiles too, but the suite is not drawn for them alone: they have what it does with their operations only.
    given: what an implementation may have from the start.
    seldom: operations that undo much, which a fuzzer tries now and then only.
    late: the answers to suspended calls that a step brings: (before, after with outputs, scope) -> [Late]; with @each_waiter they
    can be exported.
    late_exits: by operation that may be suspended, what its late answers may be.  waiter: the parameter that names who waits.
    probes: calls to make after a step, to see what the step did: (before, after, scope) -> [(operation, arguments)].
    """

    name: str
    state: type[State]
    modules: tuple[ModuleType, ...]
    initial: Callable[[Any], None]
    explorations: Mapping[str, Exploration] = field(default_factory=dict)
    large: Mapping[str, Exploration] = field(default_factory=dict)
    fuzz_scope: Scope = field(default_factory=dict)
    varied: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    rigid: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    encodings: Mapping[type[Sort], Callable[[Scope, int], Any]] = field(default_factory=dict)
    open_data: Mapping[type[Sort], Callable[[Any], bool]] = field(default_factory=dict)
    topology: Callable[[Scope], dict[str, Any]] = dict
    late: Callable[[Any, Any, Scope], Iterable[Late]] | None = None
    late_exits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waiter: str = "process"
    probes: Callable[[Any, Any, Scope], Iterable[tuple[str, dict[str, int]]]] | None = None
    openings: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
    phases: Mapping[str, Phases] = field(default_factory=dict)
    suite: Path | None = None
    requirements: Path | None = None
    profiles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    parts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    given: Given | None = None
    seldom: frozenset[str] = frozenset()
    replaced: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    where: str = ""

    def __post_init__(self) -> None:
        names: dict[str, str] = {}
        for module in self.modules:
            for found in declared(module):
                if found.name in names:
                    raise SpecError(f"{found.name} stands in {names[found.name]} and in {module.__name__}: rename one")
                names[found.name] = module.__name__
        unknown = set(self.replaced) - set(names)
        if unknown:
            raise SpecError(f"nothing called {', '.join(sorted(unknown))} to replace in {self.name}")
        for found in self._all(Declaration).values():
            check_function(found.function)
        check_function(self.initial)
        rigid = [c.name for c in self.components if c.kind == "rigid"]
        strange = set(self.rigid) - set(rigid)
        if strange:
            known = ", ".join(rigid) or "none"
            raise SpecError(f"rigid gives values for {min(strange)!r}, which is no rigid map of {self.name}; it has {known}")

    def _all(self, kind: type[Any]) -> dict[str, Any]:
        found = (d for module in self.modules for d in declared(module) if isinstance(d, kind))
        return {d.name: replace(d, function=self.replaced.get(d.name, d.function)) for d in found}

    @cached_property
    def components(self) -> tuple[Component, ...]:
        return vocabulary.components(self.state)

    @cached_property
    def actions(self) -> dict[str, Action]:
        return self._all(Action)

    @cached_property
    def invariants(self) -> dict[str, Invariant]:
        return self._all(Invariant)

    @cached_property
    def step_properties(self) -> dict[str, StepProperty]:
        return self._all(StepProperty)

    @cached_property
    def rests(self) -> dict[str, Rest]:
        return self._all(Rest)

    @cached_property
    def leads_to(self) -> dict[str, LeadsTo]:
        """What is to come about at last.  Raises SpecError for one that counts on an operation that there is not."""
        found: dict[str, LeadsTo] = self._all(LeadsTo)
        for each in found.values():
            for name in each.by:
                if name not in self.actions:
                    raise SpecError(f"{each.name} counts on {name}, which is no operation of {self.name}")
        return found

    @cached_property
    def unused(self) -> dict[type[Sort], Unused]:
        """By sort, the test of freedom.  Raises SpecError where a Fresh parameter has none."""
        tests = {d.slots[0].type: d for d in self._all(Unused).values()}
        for operation in self.actions.values():
            fresh = [slot.type for slot in operation.slots if slot.fresh]
            if len(set(fresh)) != len(fresh):
                raise SpecError(f"{operation.name}: two fresh parameters of one sort; make it two operations")
            for kind in fresh:
                if kind not in tests:
                    raise SpecError(f"{operation.name} takes a fresh {kind.__name__}: write an @unused test for it")
        return tests

    @cached_property
    def sorts(self) -> tuple[type[Sort], ...]:
        """Every sort that the state, the operations or the statements speak of."""
        return tuple(kind for kind in self.types if vocabulary.is_sort(kind))

    @cached_property
    def types(self) -> tuple[Type, ...]:
        """Every sort and enumeration of the spec.  Raises SpecError where two share a name."""
        used: list[Type] = [part for c in self.components for part in (*c.keys, c.value)]
        counters = [c for module in self.modules for c in vars(module).values() if isinstance(c, Counter)]
        for declaration in (*self._all(Declaration).values(), *counters):
            used += [slot.type for slot in declaration.slots]
        for action in self.actions.values():
            used += [vocabulary.member_type(kind) for _, kind in vocabulary.answer_fields(action.answer)]
        found = tuple(dict.fromkeys(kind for kind in used if kind not in (int, bool)))
        for names in ([k.__name__ for k in found], [k.plural for k in found if vocabulary.is_sort(k)]):
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise SpecError(f"two sorts or enumerations are called {twice[0]}: rename one, or give it another plural")
        return found

    def left_out(self, exploration: Exploration) -> tuple[str, ...]:
        """The operations that an exploration does not call.  Raises SpecError for a name that there is not."""
        unknown = [n for n in (*exploration.without, *exploration.only) if n not in self.actions]
        if unknown:
            raise SpecError(f"no operation is called {unknown[0]!r}; there are {', '.join(self.actions)}")
        only = exploration.only or tuple(self.actions)
        return tuple(name for name in self.actions if name not in only or name in exploration.without)

    def opening(self, exploration: Exploration) -> Sequence[Step]:
        """The calls after which an exploration begins.  Raises SpecError for a name that there is not."""
        if not exploration.opening:
            return ()
        if exploration.opening not in self.openings:
            raise SpecError(f"no opening is called {exploration.opening!r}; there are {', '.join(self.openings) or 'none'}")
        return self.openings[exploration.opening]

    def check_calls(self, steps: Sequence[Step]) -> None:
        """Raise SpecError where a step of an opening names no operation, or not the arguments that it takes."""
        for name, given in steps:
            if name not in self.actions:
                raise SpecError(f"an opening calls {name!r}, which is no operation; there are {', '.join(self.actions)}")
            slots = self.actions[name].slots
            taken = [slot.name for slot in slots if not slot.fresh]
            if not set(taken) <= set(given) <= {slot.name for slot in slots}:
                with_what = ", ".join(given) or "nothing"
                raise SpecError(f"an opening calls {name} with {with_what}; it takes {', '.join(taken) or 'nothing'}")

    def profile(self, name: str) -> frozenset[str]:
        """The operations of a profile, `all` being every one; "one+other" has those of both.  Raises SpecError for a name that
        there is not."""
        if "+" in name:
            return frozenset[str]().union(*(self.profile(part) for part in name.split("+")))
        if name == ALL:
            return frozenset(self.actions)
        known = {**self.profiles, **self.parts}
        if name not in known:
            raise SpecError(f"no profile is called {name!r}; there are {', '.join([*known, ALL])}")
        return known[name]

    def room(self, name: str) -> str:
        """The room (last part of the module's name) in which operation or statement `name` stands."""
        if name not in self._rooms:
            raise SpecError(f"nothing is called {name} in {self.name}")
        return self._rooms[name]

    @cached_property
    def _rooms(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for module in self.modules:
            for declaration in declared(module):
                found.setdefault(declaration.name, module.__name__.rpartition(".")[2])
        return found

    def replace(self, **functions: Callable[..., Any]) -> Spec:
        """This spec with other functions for the named operations or statements: how a bug is planted."""
        return replace(self, replaced={**self.replaced, **functions}, where="")

    def scope(self, given: Mapping[str, int] | None = None) -> dict[str, int]:
        """A whole scope: what `given` says, 1 (or room for the constants) for the rest.

        Raises SpecError for a name that is no sort and no parameter, and for a size that cannot be.
        """
        reserved = {"numbers", *(c.name for c in self.components if c.kind == "parameter")}
        for kind in self.sorts:
            if kind.plural in reserved:
                raise SpecError(f"{kind.__name__}: {kind.plural!r} means something else in a scope; give it another plural")
        sizes = {kind.plural: max(1, len(kind.constants)) for kind in self.sorts}
        sizes |= {c.name: 1 for c in self.components if c.kind == "parameter"}
        sizes["numbers"] = 1
        smallest = {kind.plural: len(kind.constants) for kind in self.sorts}
        smallest |= {c.name: 1 for c in self.components if c.kind == "parameter"}
        for name, size in (given or {}).items():
            if name not in sizes and name not in self.varied:
                raise SpecError(f"a scope has no {name!r}; it has {', '.join([*smallest, 'numbers', *self.varied])}")
            least = smallest.get(name, 0)
            if size < least:
                raise SpecError(f"{name}={size} is too small: at least {least}")
            if size > LARGEST:
                shown = f"{name}={size}" if size < 10**20 else f"{name}, of over 20 digits,"
                raise SpecError(f"{shown} is too large: at most {LARGEST}")
            sizes[name] = size
        return sizes

    def variety(self, number: int) -> dict[str, int]:
        """The `number`-th of the varied sizes that are tried one after the other; of some in a row, each value of each."""
        return {name: values[number % len(values)] for name, values in self.varied.items()}
