"""A specification: its operations, its statements, and where each comes from.

A room of a spec is a Python module; the decorators here mark what belongs to the spec, and `Spec` collects it.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from . import vocabulary
from .reading import SpecError, current
from .vocabulary import Component, Members, Slot, Sort, State, Type

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


Step = tuple[str, dict[str, Any]]
"""An operation's name and its arguments, as the concrete reading has them."""

ALL = "all"

Scope = Mapping[str, int]
"""How many elements a finite reading has of each sort (under its plural), the parameters' values, and under `numbers`
the largest whole number used as an argument."""


@dataclass(frozen=True)
class Exploration:
    """What is explored by default under one name: a scope, and what keeps it small.

    `only` names the operations that are called (default: all but those in `without`), `arguments` the values that are tried for
    parameters of a name, `opening` the sequence of calls (of the spec's openings) after which the search begins.
    `stays` says in words why the system cannot always get back to rest here, if it cannot: then it is not asked whether it can.
    """

    sizes: Scope
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    arguments: Mapping[str, tuple[int | Members, ...]] = field(default_factory=dict)
    opening: str = ""
    stays: str = ""


@dataclass(frozen=True)
class Stage:
    """One call of a scenario, with the seed's steps that it carries out (or "") and what it must come to."""

    step: str
    operation: str
    arguments: Mapping[str, Any]
    exit: str = "ok"


@dataclass(frozen=True)
class Flow:
    """A scenario: calls in order; fresh names are the least free ones.  `seed` are the rows that the whole carries, `actors`
    names who takes part, by the parameter that names the caller and its value."""

    name: str
    title: str
    seed: tuple[str, ...]
    actors: Mapping[tuple[str, int], str]
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Phases:
    """What states the elements of `sort` go through: `of(system, element)` names the one that an element is in, concretely."""

    title: str
    sort: type[Sort]
    of: Callable[[Any, int], str]


@dataclass(frozen=True)
class Late:
    """The answer to a suspended call, brought by another call: to `waiter`, an element of `sort`, what its call of `operation`
    comes to (`exit`, `answer`)."""

    sort: type[Sort]
    waiter: int
    operation: str
    exit: str
    answer: Any = None

    @property
    def clause(self) -> str:
        return late_clause(self.operation, self.exit)


def late_clause(operation: str, exit: str) -> str:
    """The clause of a suspended call's answer."""
    return f"{operation}/late-{exit}"


@dataclass(frozen=True)
class Spec:
    """A whole specification, and what a checker needs to know to run it.

    state: the class of its state.  modules: its rooms, in the order in which they are shown.
    initial: writes the initial state into one that holds defaults only.
    explorations: by name, what is explored; together they reach every clause.  fuzz_scope: the scope for fuzzing.
    large: explorations that take minutes: what matters to a room is there at least twice.
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
    seldom: operations that undo much, which a fuzzer tries now and then only.
    late: the answers to suspended calls that a step brings: (before, after with outputs, scope) -> [Late].
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
    seldom: frozenset[str] = frozenset()
    replaced: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    where: str = ""

    def __post_init__(self) -> None:
        names: dict[str, str] = {}
        for module in self.modules:
            for found in _declarations(module):
                if found.name in names:
                    raise SpecError(f"{found.name} stands in {names[found.name]} and in {module.__name__}: rename one")
                names[found.name] = module.__name__
        unknown = set(self.replaced) - set(names)
        if unknown:
            raise SpecError(f"nothing called {', '.join(sorted(unknown))} to replace in {self.name}")

    def _all(self, kind: type[Any]) -> dict[str, Any]:
        found = (d for module in self.modules for d in _declarations(module) if isinstance(d, kind))
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
        """The operations of a profile, `all` being every one.  Raises SpecError for a name that there is not."""
        if name == ALL:
            return frozenset(self.actions)
        if name not in self.profiles:
            raise SpecError(f"no profile is called {name!r}; there are {', '.join([*self.profiles, ALL])}")
        return self.profiles[name]

    def room(self, name: str) -> str:
        """The room (last part of the module's name) in which operation or statement `name` stands."""
        for module in self.modules:
            if any(d.name == name for d in _declarations(module)):
                return module.__name__.rpartition(".")[2]
        raise SpecError(f"nothing is called {name} in {self.name}")

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
        for name, size in (given or {}).items():
            if name not in sizes:
                raise SpecError(f"a scope has no {name!r}; it has {', '.join(sizes)}")
            least = next((len(kind.constants) for kind in self.sorts if kind.plural == name), 0)
            if any(c.kind == "parameter" and c.name == name for c in self.components):
                least = 1
            if size < least:
                raise SpecError(f"{name}={size} is too small: at least {least}")
            sizes[name] = size
        return sizes


def _declarations(module: ModuleType) -> list[Declaration]:
    found = (getattr(value, "__declaration__", None) for value in vars(module).values() if callable(value))
    return [d for d in found if isinstance(d, Declaration) and d.function.__module__ == module.__name__]


def import_here(name: str) -> ModuleType:
    """Import a module by name, from the working folder too, where users keep theirs.  Raises what the import raises."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    return importlib.import_module(name)


def load(where: str) -> Spec:
    """The spec called `where`, "module:NAME".  Raises SpecError, saying which part was not found."""
    module_name, colon, name = where.partition(":")
    if not (module_name and colon and name):
        raise SpecError(f"{where!r} is not of the form module:NAME")
    try:
        module = import_here(module_name)
    except ModuleNotFoundError as error:
        raise SpecError(f"{where}: no module {error.name!r} here (looked where Python imports from)") from None
    found = getattr(module, name, None)
    if not isinstance(found, Spec):
        raise SpecError(f"{where}: {module_name} has no Spec called {name!r}")
    return replace(found, where=where)


def parse_scope(text: str) -> dict[str, int]:
    """Read "stations=2,parcels=3".  Raises SpecError, saying what is malformed."""
    sizes: dict[str, int] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, number = (p.strip() for p in part.partition("="))
        if not (name and equals and number.isdecimal()):
            raise SpecError(f"scope: {part!r} is not of the form name=number")
        if name in sizes:
            raise SpecError(f"scope: {name} is given twice")
        sizes[name] = int(number)
    if not sizes:
        raise SpecError("scope: empty; write for example stations=2,parcels=1")
    return sizes
