"""The specification as a Hypothesis state machine, for people who test with Hypothesis: a bundle a sort, a rule an operation.

`oneowner.machine` makes one.  Hypothesis draws, shrinks and remembers as everywhere; what each call must come to is the
specification's.  Draws are even, so that it gets less deep than `oneowner fuzz` in the same time; what it gives is the freedom to
subclass it, with rules of one's own.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from ...model.language import ALL, Action, Slot, Spec, Type, answer_fields, load
from ..adapters import Implementation, reach
from ..errors import Unsupported
from ..session import NEVER, Epilogue, Most, Session

LOOKED = Most(looks=1)
"""How much is looked at after each step."""


@dataclass(frozen=True)
class Handle:
    """A handle that the implementation gave, and of which sort."""

    sort: str
    text: str


class Conforming(RuleBasedStateMachine):
    """What `machine` makes: `session` is the implementation beside the model (see `session.Session`)."""

    spec: Spec
    profile: frozenset[str]
    scope: Mapping[str, int]
    strict: bool
    connected: Callable[[], Implementation]

    def __init__(self) -> None:
        super().__init__()
        without = set(self.spec.actions) - self.profile
        self.session = Session(self.spec, type(self).connected(), self.scope, strict=self.strict, without=without)
        self._known: set[tuple[Type, str]] = set()

    def new_handles(self) -> Any:
        """The handles that came since it was asked last, for the bundles."""
        now = {(kind, handle) for kind, names in self.session.names.items() for handle in names.origin}
        new, self._known = now - self._known, now
        return multiple(*(Handle(kind.__name__, handle) for kind, handle in sorted(new, key=lambda each: each[1])))

    def call(self, operation: str, arguments: Mapping[str, Any]) -> None:
        """Make a call, and compare what it comes to.  Raises Mismatch."""
        given = {name: value.text if isinstance(value, Handle) else value for name, value in arguments.items()}
        with contextlib.suppress(Unsupported):
            self.session.compare(operation, given)

    @invariant()
    def looks(self) -> None:
        """What changes nothing is asked, and answers as the specification says."""
        Epilogue(self.session, random.Random(len(self.session.recorded)), LOOKED).look()


def machine(
    connection: str,
    *,
    spec: str | Spec = "oneowner.spec:SPEC",
    profile: str = ALL,
    scope: Mapping[str, int] | None = None,
    strict: bool = False,
) -> type[Conforming]:
    """A state machine that holds the implementation at a connection string against a specification:

        TestMine = oneowner.machine("exec:./adapter", profile="core").TestCase

    `scope` are sizes by sort, those for fuzzing if none are given; `strict` takes the first error that applies only.  The
    implementation is reached when the first example begins.  Raises SpecError for a spec or a profile that there is not.
    """
    whole = load(spec) if isinstance(spec, str) else spec
    reached: list[Implementation] = []

    def connected() -> Implementation:
        if not reached:
            reached.append(reach(whole, connection))
        return reached[0]

    operations = whole.profile(profile)
    bundles = {kind: Bundle(kind.plural) for kind in whole.unused if kind.handles}
    body: dict[str, Any] = {
        "spec": whole,
        "profile": operations,
        "scope": whole.scope(scope or whole.fuzz_scope),
        "strict": strict,
        "connected": staticmethod(connected),
        "__doc__": f"{whole.name} at {connection}, {profile}.",
    }
    body |= {kind.plural: bundle for kind, bundle in bundles.items()}
    late = {kind for name in whole.late_exits if name in operations for kind in _given(whole.actions[name])}

    def constants(self: Conforming) -> Any:
        return self.new_handles()

    body["constants"] = initialize(targets=tuple(bundles.values()))(constants)
    for name, action in whole.actions.items():
        if name in operations:
            targets = tuple(bundles[kind] for kind in bundles if kind in {*_given(action), *late})
            drawn: dict[str, Any] = {s.name: _strategy(whole, body["scope"], s, bundles) for s in action.slots if not s.fresh}
            options: Any = {"targets": targets} if targets else {}
            ruled: Any = rule(**(options | drawn))
            body[name] = ruled(_caller(name, bool(targets)))
    return type("Machine", (Conforming,), body)


def _caller(name: str, gives: bool) -> Callable[..., Any]:
    def called(self: Conforming, **arguments: Any) -> Any:
        self.call(name, arguments)
        return self.new_handles() if gives else None

    called.__name__ = name
    return called


def _given(action: Action) -> list[Type]:
    """The sorts of the handles that an operation answers."""
    return [kind for _, kind in answer_fields(action.answer)]


def _strategy(spec: Spec, scope: Mapping[str, int], slot: Slot, bundles: Mapping[Type, Any]) -> st.SearchStrategy[Any]:
    from ..session import model

    if slot.type not in bundles or slot.subset:
        return st.sampled_from(model(spec, Session.with_strangers(spec, scope)).choices(slot))
    sort = slot.type.__name__
    known: st.SearchStrategy[Any] = bundles[slot.type].filter(lambda handle: handle.sort == sort)
    never = st.just(NEVER)
    return st.one_of(known, never, st.none()) if slot.optional else st.one_of(known, never)
