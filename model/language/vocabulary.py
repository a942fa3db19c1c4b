"""The words in which a specification is written: sorts, enumerations, maps, queues, parameters.

Everything here is a declaration.  The values behind the declarations come from a reading (`concrete`, `symbolic`):
in the concrete one a name of a sort is a small integer, in the symbolic one it is a term.  For the type checker they are
what the declaration says, so that a spec is ordinary typed Python.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar

from .reading import SpecError

S = TypeVar("S")
K = TypeVar("K")
V = TypeVar("V")
E = TypeVar("E")


class _Nothing(int):
    def __repr__(self) -> str:
        return "none"


none: Any = _Nothing(0)
"""The element that stands for nothing.  Every sort has it; every map is the default there and is never written there."""


class Sort:
    """A set of names with no structure but equality; `class Station(Sort)` declares one.

    `plural` is the name under which a scope gives its size (default: the class name in lower case plus "s").
    `endless` says that fresh names of it never run out: operations that take one need no clause for their shortage.
    `handles=False` says that its elements are no handles that an implementation mints: they are never shown, or they are
    numbers, of which a fresh one is the least that is free (file descriptors), and which are given out again.
    """

    plural: ClassVar[str]
    endless: ClassVar[bool]
    handles: ClassVar[bool]
    constants: ClassVar[list[Constant]]

    def __init_subclass__(cls, *, plural: str | None = None, endless: bool = False, handles: bool = True) -> None:
        cls.plural = plural or cls.__name__.lower() + "s"
        cls.endless, cls.handles = endless, handles
        cls.constants = []


class Enumeration(IntEnum):
    """A closed list of values; the first is what an unwritten cell of a map holds."""


class Constant(int):
    """A named element of a sort that is there in every system, such as the first station of a ring."""

    name: str
    sort: type[Sort]

    def __new__(cls, name: str, sort: type[Sort]) -> Constant:
        if any(name == other.name for other in sort.constants):
            raise SpecError(f"{sort.__name__} has two constants called {name}: rename one")
        element = super().__new__(cls, len(sort.constants) + 1)
        element.name, element.sort = name, sort
        sort.constants.append(element)
        return element

    def __repr__(self) -> str:
        return self.name


def constant(name: str, sort: type[S]) -> S:
    """Declare a named element of `sort`.  In a scope it takes the first free index, so a scope needs room for it."""
    return typing.cast(S, Constant(name, typing.cast("type[Sort]", sort)))


class Map(Generic[K, V]):
    """A total map of the state, all cells at their type's default (none, False, 0, first of an enumeration) unless set."""

    if TYPE_CHECKING:

        def __getitem__(self, key: K) -> V: ...

        def __setitem__(self, key: K, value: V) -> None: ...

        def where(self, condition: Callable[..., bool], value: V) -> None:
            """Set every cell whose key satisfies `condition` to `value`, at once; keys with a none in them are left."""


class Output(Map[K, V]):
    """A map that says what a call does beside its answer: blank before every call, and no part of the state.

    Step properties may read it in the state after; operations write it, nobody else asks.
    """


class Rigid(Generic[K, V]):
    """A total map that never changes: what is given from outside (which distances are too long, say)."""

    if TYPE_CHECKING:

        def __getitem__(self, key: K) -> V: ...


class Parameter(int):
    """A whole number of at least 1 that never changes, given by the scope under its own name; in a proof, any."""


class Line(Generic[E]):
    """One queue of a `Queue`, oldest first."""

    if TYPE_CHECKING:

        @property
        def empty(self) -> bool: ...

        @property
        def length(self) -> int:
            """How many elements it holds: counted from the state, never stored."""

        @property
        def head(self) -> E:
            """The oldest element, or none.  In operations only, not in statements."""

        def push(self, element: E) -> None:
            """Enter `element`, which must be in no line, as the newest."""

        def pop(self) -> E:
            """Take the oldest out; the line must not be empty."""


class Queue(Generic[K, E]):
    """First-in first-out lines of elements, one line a key.  An element is in one line at most, and may leave from
    anywhere (a request is cancelled, its sender dies).

    Symbolically: a map element -> line and a ticket per element, oldest = least ticket.  Concretely: tuples.
    """

    if TYPE_CHECKING:

        def __getitem__(self, key: K) -> Line[E]: ...

        def of(self, element: E) -> K:
            """In which line `element` stands, or none."""

        def ahead(self, first: E, second: E) -> bool:
            """Both stand in one line, `first` before `second`."""

        def remove(self, element: E) -> None:
            """Take `element` out of wherever it stands, if anywhere."""

        def drop(self, condition: Callable[[E], bool]) -> None:
            """Take out every element that satisfies `condition`, at once."""


class Subset(Generic[E]):
    """A parameter, or a part of an answer, that is any set of elements of a sort; `some[element]` is whether it is in."""

    if TYPE_CHECKING:

        def __getitem__(self, element: E) -> bool: ...


class Members(frozenset[int]):
    """A subset in the concrete reading."""

    def __getitem__(self, element: int) -> bool:
        return element in self

    def __repr__(self) -> str:
        return f"{{{', '.join(map(str, sorted(self)))}}}"


class NoValue:
    """What a spec speaks of and cannot compute with: a whole state, map, queue or line, a subset.  Each reading's own are this,
    so that they are refused alike where a value is wanted."""

    __slots__ = ()
    called = "a whole map, queue or state"

    def _refuse(self, *_: Any) -> Any:
        raise SpecError(
            f"{self.called} is no value: it is not compared, counted, looped over or asked whether it is; ask its cells"
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = __bool__ = __len__ = __iter__ = __contains__ = __index__ = __str__ = __format__ = _refuse
    __and__ = __or__ = __rand__ = __ror__ = __add__ = __sub__ = __radd__ = __rsub__ = __invert__ = _refuse


class Chosen(NoValue):
    """A subset as spec functions see it in the concrete reading: asked for one element at a time."""

    __slots__ = ("members",)
    called = "a subset"

    def __init__(self, members: Members) -> None:
        self.members = members

    def __getitem__(self, element: int) -> bool:
        return element in self.members


class _Fresh:
    pass


class _Option:
    pass


Fresh = Annotated[S, _Fresh]
"""A parameter that the implementation picks: a name not in use (see `unused`), or none where there is none left."""

Option = Annotated[S, _Option]
"""A parameter that may be none."""


class State:
    """Base of a spec's state; its annotated attributes are the components.  Rooms declare theirs and a class inherits
    them all."""

    if TYPE_CHECKING:
        before: typing.Self
        """The state that the operation found, to read from while it writes."""


Type = Any
"""What a cell or a parameter may hold: a Sort, an Enumeration, int (a whole number from 0) or bool."""


@dataclass(frozen=True)
class Component:
    """One component of a state: `kind` is "map", "output", "rigid", "queue" or "parameter"; a queue's `value` is its elements'
    sort."""

    name: str
    kind: str
    keys: tuple[Type, ...]
    value: Type


@dataclass(frozen=True)
class Slot:
    """One parameter of an operation: its name, its type, and whether it is fresh, optional, or a subset of its type."""

    name: str
    type: Type
    fresh: bool = False
    optional: bool = False
    subset: bool = False


def is_sort(kind: Type) -> bool:
    """Whether a type is a Sort."""
    return isinstance(kind, type) and issubclass(kind, Sort)


def is_enumeration(kind: Type) -> bool:
    """Whether a type is an Enumeration."""
    return isinstance(kind, type) and issubclass(kind, Enumeration)


def check_type(kind: Type, where: str) -> Type:
    """Return `kind`, or raise SpecError where no reading could hold a value of it."""
    if is_enumeration(kind) and [int(member) for member in kind] != list(range(len(kind))):
        raise SpecError(f"{where}: the members of {kind.__name__} must be numbered from 0, one by one")
    if is_sort(kind) or is_enumeration(kind) or kind in (int, bool):
        return kind
    raise SpecError(f"{where}: {kind!r} is not a Sort, an Enumeration, int or bool")


def check_range(kind: Type) -> None:
    """Raise SpecError for what forall, exists and subset cannot range over."""
    if not (is_sort(kind) or is_enumeration(kind)):
        what = "numbers" if kind is int else repr(kind)
        raise SpecError(f"forall, exists and subset range over a sort or an enumeration, not over {what}; one at a time")


def default(kind: Type) -> int:
    """What an unwritten cell holds, as the concrete reading has it."""
    return bool(0) if kind is bool else 0


def components(state: type[State]) -> tuple[Component, ...]:
    """The components that `state` and its bases declare, in order of declaration, bases first."""
    return tuple(_components(state))


def _bases_first(cls: type[Any]) -> Iterator[type[Any]]:
    """A class's bases as they are listed, each with its own before it, then the class; one may come twice."""
    for base in cls.__bases__:
        yield from _bases_first(base)
    yield cls


def _components(state: type[State]) -> Iterator[Component]:
    seen: set[str] = set()
    for cls in dict.fromkeys(_bases_first(state)):
        own = inspect.get_annotations(cls)
        scope = vars(sys.modules[cls.__module__])
        for name, annotation in own.items():
            if name == "before" or cls is State:
                continue
            where = f"{cls.__name__}.{name}"
            if name.startswith("_"):
                raise SpecError(f"{where}: a component's name begins with a letter")
            if name in seen:
                raise SpecError(f"{where} is declared twice: rooms share one state, so pick another name")
            seen.add(name)
            yield _component(name, _evaluate(annotation, scope, where), where)


def _component(name: str, annotation: Any, where: str) -> Component:
    if annotation is Parameter:
        return Component(name, "parameter", (), int)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    kinds = {Map: "map", Output: "output", Rigid: "rigid", Queue: "queue"}
    if origin not in kinds:
        raise SpecError(f"{where}: declare it as Map[...], Output[...], Rigid[...], Queue[...] or Parameter, not {annotation!r}")
    key = typing.get_args(args[0]) if typing.get_origin(args[0]) is tuple else (args[0],)
    for part in key:
        if check_type(part, where) in (int, bool):
            raise SpecError(f"{where}: a key is a Sort or an Enumeration, not {part.__name__}")
    if origin is Queue and not (len(key) == 1 and is_sort(key[0]) and is_sort(args[1])):
        raise SpecError(f"{where}: a queue is of one sort, keyed by one sort")
    return Component(name, kinds[origin], key, check_type(args[1], where))


def slots(function: Callable[..., Any], skip: int) -> tuple[Slot, ...]:
    """The parameters of a spec function after the first `skip` (the state), from its annotations."""
    scope = vars(sys.modules[function.__module__])
    annotations = inspect.get_annotations(function)
    found = []
    for name in list(inspect.signature(function).parameters)[skip:]:
        where = f"{function.__name__}({name})"
        if name not in annotations:
            raise SpecError(f"{where}: needs an annotation, the sort that it ranges over")
        kind = _evaluate(annotations[name], scope, where)
        marks = typing.get_args(kind)[1:] if typing.get_origin(kind) is Annotated else ()
        subset = typing.get_origin(kind) is Subset
        if marks or subset:
            kind = typing.get_args(kind)[0]
        if (marks or subset) and not is_sort(kind):
            raise SpecError(f"{where}: only an element of a Sort can be fresh or none or in a subset")
        if subset and kind.handles:
            raise SpecError(f"{where}: a subset is of a sort without handles (see Sort), not of {kind.__name__}")
        found.append(Slot(name, check_type(kind, where), _Fresh in marks, _Option in marks, subset))
    return tuple(found)


def returned(function: Callable[..., Any]) -> Type:
    """The type of a spec function's answer: None, a cell type, or a NamedTuple of cell types."""
    scope = vars(sys.modules[function.__module__])
    where = f"{function.__name__} -> ..."
    kind = _evaluate(inspect.get_annotations(function).get("return"), scope, where)
    if kind is None:
        return None
    for _, part in answer_fields(kind):
        check_type(member_type(part), where)
    return kind


def member_type(kind: Type) -> Type:
    """What a part of an answer is made of: the sort of a subset, else the type itself."""
    return typing.get_args(kind)[0] if is_subset(kind) else kind


def is_subset(kind: Type) -> bool:
    """Whether a part of an answer is a subset."""
    origin: Any = typing.get_origin(kind)
    return origin is Subset


def answer_fields(kind: Type) -> tuple[tuple[str, Type], ...]:
    """The parts of an answer of type `kind`, by name; an answer that is one value is one part without a name."""
    if kind is None:
        return ()
    if hasattr(kind, "_fields"):
        scope = vars(sys.modules[kind.__module__])
        annotations = inspect.get_annotations(kind)
        return tuple((name, _evaluate(annotations[name], scope, kind.__name__)) for name in kind._fields)
    return (("", kind),)


def _evaluate(annotation: Any, scope: dict[str, Any], where: str) -> Any:
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, scope)  # what typing.get_type_hints does; it cannot leave out the state's own type
    except NameError as error:
        raise SpecError(f"{where}: {error} at run time; import it outside `if TYPE_CHECKING`") from None
