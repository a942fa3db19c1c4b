"""The start of a system in which something is given: partitions that are there, channels that are connected.

What makes that is done in the model alone; with the first call of anything else the implementation starts with what has come of
it, under the names that the checker has given it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ...model.concrete import Model, Outcome, Vector
from ...model.language import EFFECTIVE, OK, SUSPENDED, Action, Sort, Spec, Type, is_subset
from ..adapters import Implementation, is_given
from ..errors import AdapterError, Unsupported, quoted
from .handles import Names, Recorded
from .shared import answered


class Started(Protocol):
    """What a start knows of its session."""

    spec: Spec
    implementation: Implementation
    scope: dict[str, int]
    model: Model
    handle_sorts: list[type[Sort]]
    recorded: list[Recorded]

    @property
    def vector(self) -> Vector: ...

    @property
    def names(self) -> dict[Type, Names]: ...

    def encoded(self, kind: Type, value: Any) -> Any: ...


class Start:
    """Of a session.  `begun` says whether the implementation has started, `found` with what, and `made` by call and field of its
    answer the names of what was given."""

    def __init__(self, session: Started) -> None:
        self.session = session
        self.given = session.spec.given if is_given(session.implementation) else None
        self.begun = self.given is None
        self.found: dict[str, Any] = {}
        self.made: dict[tuple[int, str], str] = {}
        self._withheld: frozenset[str] = frozenset()
        """The names of what was made and is not given, which the implementation has never heard of."""

    def reset(self) -> Mapping[str, str]:
        """The handles of the constants, of an implementation that starts now unless something is given."""
        if self.given is None:
            return self._reset()
        return {c.name: c.name for kind in self.session.handle_sorts for c in kind.constants}

    def _reset(self, *given: dict[str, Any]) -> Mapping[str, str]:
        session = self.session
        try:
            return session.implementation.reset(session.spec.topology(session.scope), *given)
        except (AdapterError, Unsupported):
            raise
        except Exception as error:
            raise AdapterError(f"reset failed: {type(error).__name__}: {error}") from error

    def answer(self, action: Action, outcome: Outcome, wire: Mapping[str, Any]) -> dict[str, Any] | None:
        """What a call comes to that makes what is given; None where the implementation is to be asked, which has started then.

        Raises Unsupported where it cannot start with that, and for what comes after the start.
        """
        if self.given is None:
            return None
        if action.name not in self.given.operations:
            if not self.begun:
                self._begin(action.name)
            if unknown := self._withheld.intersection(v for v in wire.values() if isinstance(v, str)):
                raise Unsupported(action.name, f"{min(unknown)} is not given")
            return None
        if self.begun or outcome.exit == SUSPENDED:
            raise Unsupported(action.name, "what it makes is there from the start")
        if outcome.exit not in EFFECTIVE:
            return {"error": outcome.exit}
        told = {
            name: self._shown(name, kind, outcome.answer[at] if name else outcome.answer)
            for at, (name, kind) in enumerate(answered(self.session.spec)[action.name])
        }
        return {OK: told.get("", told or None)}

    def _shown(self, field: str, kind: Type, value: Any) -> Any:
        session = self.session
        if is_subset(kind) or kind not in session.names:
            return session.encoded(kind, value)
        names = session.names[kind]
        if not value or value in names.handle:
            return names.handle.get(value)
        handle = self.made[len(session.recorded), field] = f"{kind.__name__.lower()}-{len(names.origin) + 1}"
        return handle

    def _begin(self, operation: str) -> None:
        assert self.given is not None
        session, told_of = self.session, set[str]()

        def handle(kind: type[Sort], element: int) -> str:
            told_of.add(session.names[kind].handle[element])
            return session.names[kind].handle[element]

        found = self.given.of(session.model.system(session.vector), session.model.scope, handle)
        if found is None:
            raise Unsupported(operation, "what was made before it cannot be given")
        constants = self.reset()
        told = self._reset(found)
        if not isinstance(told, dict) or any(told.get(name) != handle for name, handle in constants.items()):
            raise AdapterError(f"reset answers {quoted(told)}; what is given keeps its name, and so {', '.join(constants)} too")
        self.begun, self.found = True, found
        self._withheld = frozenset(self.made.values()) - told_of
