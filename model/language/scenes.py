"""What is looked at in a specification: calls, scopes, explorations, flows, phases, and late answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .reading import SpecError
from .vocabulary import Members, Sort

ALL = "all"
Scope = Mapping[str, int]
"""How many elements a finite reading has of each sort (under its plural), the parameters' values, and under `numbers`
the largest whole number used as an argument."""

Step = tuple[str, dict[str, Any]]
"""An operation's name and its arguments, as the concrete reading has them."""


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
class Given:
    """What an implementation may have from the start, in place of the `operations` that make it.  `of(system, sizes, handle)`
    says in JSON what a state has of it, concretely, with `handle(sort, element)` for the name of a thing; None where there is
    more than can be given."""

    operations: frozenset[str]
    of: Callable[[Any, Scope, Callable[[type[Sort], int], str]], dict[str, Any] | None]


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
    waiter: Any
    operation: str
    exit: str
    answer: Any = None

    @property
    def clause(self) -> str:
        return late_clause(self.operation, self.exit)


def late_clause(operation: str, exit: str) -> str:
    """The clause of a suspended call's answer."""
    return f"{operation}/late-{exit}"


def parse_scope(text: str) -> dict[str, int]:
    """Read "stations=2,parcels=3".  Raises SpecError, saying what is malformed."""
    sizes: dict[str, int] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, number = (p.strip() for p in part.partition("="))
        if not (name and equals and number.isdecimal()):
            raise SpecError(f"scope: {part!r} is not of the form name=number")
        if name in sizes:
            raise SpecError(f"scope: {name} is given twice")
        if len(number) > 20:
            raise SpecError(f"scope: {name} has {len(number)} digits, which is too large")
        sizes[name] = int(number)
    if not sizes:
        raise SpecError("scope: empty; write for example stations=2,parcels=1")
    return sizes
