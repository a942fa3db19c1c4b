"""The specification and an implementation in lock-step: every answer is compared with what the spec permits.

The model's elements and the implementation's handles are tied as answers show them.  A handle whose element died stays known
as dead, and is used on purpose; for the model a handle that was never given out or is dead is an element that never lives.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model.concrete import Model, Outcome, Vector
from ..model.reading import EFFECTIVE, OK, SUSPENDED, reading
from ..model.spec import Action, Spec
from ..model.trace import value_name
from ..model.vocabulary import Slot, Type, answer_fields, is_enumeration, is_sort, is_subset, member_type
from .adapter import AdapterError, Implementation

NEVER = "never-given-out"
"""A handle that no implementation has given out; one that does breaks the protocol."""


LATE = "to a suspended call"
"""What stands in the text of a mismatch that is about a late answer, and not about that of the call itself."""

FEW = 24
"""Up to how many calls a failure is also shrunk by pairs."""

EVERY = 10
"""After how many refused calls all probes are made."""


@dataclass(frozen=True)
class Origin:
    """Where a handle came from: the `call`-th recorded call's answer, at `field`; call -1 is reset."""

    call: int
    field: str


@dataclass(frozen=True)
class Recorded:
    """A call as it can be made again: handles by origin, data by the model's values, `never` for a handle not given out."""

    operation: str
    arguments: dict[str, Origin | int | str | None]
    exit: str = ""
    answer: Any = None


class Mismatch(Exception):
    """The implementation did what the specification does not permit.  `clause` is what it broke."""

    def __init__(self, clause: str, text: str) -> None:
        super().__init__(text)
        self.clause, self.text = clause, text


@dataclass
class Names:
    """The handles of one sort: by living element, the living elements by handle, and all ever given out, dead ones apart."""

    handle: dict[int, str] = field(default_factory=dict)
    element: dict[str, int] = field(default_factory=dict)
    origin: dict[str, Origin] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)


class Session:
    """One run of an implementation beside the model, from reset on.

    `strict` takes the canonical error only; otherwise any error whose condition applies is permitted.  `probing` makes the
    spec's probes after every step.  Raises Mismatch from `call`, AdapterError where the interface is not kept to.
    """

    def __init__(
        self,
        spec: Spec,
        implementation: Implementation,
        scope: Mapping[str, int],
        *,
        strict: bool = False,
        probing: bool = True,
    ) -> None:
        self.spec, self.strict, self.probing = spec, strict, probing
        self.implementation = implementation
        self.scope = spec.scope(scope)
        self.handle_sorts = [kind for kind in spec.unused if kind.handles]
        strangers = {kind.plural: self.scope[kind.plural] + 1 for kind in self.handle_sorts}
        self.model = model(spec, self.scope | strangers)
        self.names = {kind: Names() for kind in self.handle_sorts}
        self.vector = self.model.initial()
        self.clauses: Counter[str] = Counter()
        self.recorded: list[Recorded] = []
        self.vectors: list[Vector] = [self.vector]
        self.actions = spec.actions
        self.came_late: set[int] = set()
        """The calls, by number, that brought answers to suspended ones."""
        self._refused = 0
        self._reset()

    def _reset(self) -> None:
        try:
            constants = self.implementation.reset(self.spec.topology(self.scope))
        except Exception as error:
            raise AdapterError(f"reset failed: {type(error).__name__}: {error}") from error
        for kind in self.handle_sorts:
            for constant in kind.constants:
                handle = constants.get(constant.name) if isinstance(constants, dict) else None
                if not isinstance(handle, str):
                    raise AdapterError(f"reset answers {constants!r}, without a handle for {constant.name}")
                self._bind(kind, int(constant), handle, Origin(-1, constant.name))

    def _bind(self, kind: Type, element: int, handle: str, origin: Origin) -> None:
        names = self.names[kind]
        names.handle[element], names.element[handle], names.origin[handle] = handle, element, origin

    def stranger(self, kind: Type) -> int:
        """The element that stands for every handle that is dead or was never given out."""
        return self.model.scope[kind.plural]

    def element(self, kind: Type, handle: str | None) -> int:
        """The model's element for a handle."""
        return 0 if handle is None else self.names[kind].element.get(handle, self.stranger(kind))

    def fresh(self, action: Action) -> dict[str, int]:
        """The fresh arguments of a call now: the least names not in use."""
        return {s.name: self.model.fresh(self.vector, s.type, int(s.type in self.names)) for s in action.slots if s.fresh}

    def call(self, operation: str, arguments: Mapping[str, Any], *, look: bool = False) -> str:
        """Make a call: handles as strings (None for none), data as the model's values.  Returns the exit.

        A refused call must have changed nothing: with `look`, and after every tenth anyway, all probes are made as if the
        whole state had just come.
        """
        before = self.vector
        exit = self._judge(operation, arguments)
        if self.probing and self.spec.probes:
            if self.vector is not before:
                self._probe(before)
            elif exit not in EFFECTIVE:
                self._refused += 1
                if look or self._refused % EVERY == 0:
                    self._probe(self.model.blank())
        self._bury()
        return exit

    def _probe(self, before: Vector) -> None:
        assert self.spec.probes is not None
        with reading(self.model):
            calls = list(self.spec.probes(self.model.system(before), self.model.system(self.vector), self.scope))
        for operation, values in calls:
            slots = {s.name: s for s in self.actions[operation].slots}
            given = {name: self.argument(slots[name], value) for name, value in values.items()}
            if all(g is not None for g in given.values()):
                self._judge(operation, given)

    def call_model(self, operation: str, values: Mapping[str, int]) -> str:
        """Make a call whose arguments are all the model's values; its handles must have been shown."""
        slots = {s.name: s for s in self.actions[operation].slots}
        return self.call(operation, {name: self.argument(slots[name], value) for name, value in values.items()})

    def argument(self, slot: Slot, value: int) -> Any:
        """A model value as `call` takes it; None also where the element has no handle that was shown."""
        return self.names[slot.type].handle.get(value) if slot.type in self.names else value

    def _judge(self, operation: str, arguments: Mapping[str, Any]) -> str:
        action = self.actions[operation]
        slots = [s for s in action.slots if not s.fresh]
        values = {
            s.name: self.element(s.type, arguments[s.name]) if s.type in self.names else arguments[s.name] for s in slots
        } | self.fresh(action)
        outcome = self.model.call(action, self.vector, values)
        self.clauses[f"{operation}/{outcome.exit}"] += 1
        index = len(self.recorded)
        self.recorded.append(Recorded(operation, self._by_origin(slots, arguments), outcome.exit))
        self.vectors.append(outcome.state)
        wire = {s.name: self.encoded(s.type, arguments[s.name]) for s in slots}
        answer = self._ask(operation, wire, outcome.exit)
        self.recorded[index] = Recorded(operation, self.recorded[index].arguments, outcome.exit, answer)
        self._compare(action, values, outcome.exit, outcome.answer, answer, index)
        self._settle(operation, outcome, index)
        self.vector = outcome.state
        return outcome.exit

    def _settle(self, operation: str, outcome: Outcome, index: int) -> None:
        """Compare the answers that suspended calls get now with those that they must get."""
        if self.spec.late is None:
            return
        before, shown = self.model.system(self.vector), self.model.system(outcome.shown)
        expected = list(self.spec.late(before, shown, self.model.scope)) if outcome.shown is not outcome.state else []
        given: dict[str, dict[str, Any]] = {}
        for handle, answer in self._late_answers():
            if handle in given:
                text = f"{operation} must bring one answer {LATE} of {handle}; the implementation answers twice"
                raise Mismatch(f"{operation}/{outcome.exit}", text)
            given[handle] = answer
        if expected:
            self.came_late.add(index)
        for number, late in enumerate(expected):
            handle = self.names[late.sort].handle[late.waiter]
            self.clauses[late.clause] += 1
            what = f"{late.operation}, suspended, of {handle}"
            if handle not in given:
                wanted = "its answer" if late.exit == OK else late.exit
                raise Mismatch(late.clause, f"{operation} must bring {what}, {wanted}; nothing comes")
            answer = given.pop(handle)
            if late.exit != OK and answer != {"error": late.exit}:
                raise Mismatch(late.clause, f"{what} must be answered with {late.exit}; the implementation answers {answer!r}")
            if late.exit == OK and "ok" not in answer:
                raise Mismatch(late.clause, f"{what} must succeed; the implementation answers {answer!r}")
            if late.exit == OK:
                action = self.actions[late.operation]
                self._compare_answer(late.clause, action, late.answer, answer["ok"], f"late {number}", index)
        if given:
            handle, answer = next(iter(given.items()))
            text = f"{operation} must bring no answer {LATE} of {handle}; the implementation answers {answer!r}"
            raise Mismatch(f"{operation}/{outcome.exit}", text)

    def _late_answers(self) -> list[tuple[str, dict[str, Any]]]:
        """Who is answered now, and with what."""
        settle = getattr(self.implementation, "settle", None)
        if settle is None:
            raise AdapterError("an implementation whose calls may be suspended needs settle(), which answers what came late")
        try:
            who = self.spec.waiter
            came = [(late[who], {key: value for key, value in late.items() if key != who}) for late in settle()]
        except Exception as error:
            raise AdapterError(f"settle() failed or answers something odd: {type(error).__name__}: {error}") from error
        for handle, answer in came:
            if not isinstance(handle, str) or list(answer) not in (["ok"], ["error"]):
                shape = f'{{"{who}": handle, "ok": value}} or {{"{who}": handle, "error": name}}'
                raise AdapterError(f"settle() answers {answer!r} to {handle!r}; a late answer is {shape}")
        return came

    def _by_origin(self, slots: Iterable[Slot], arguments: Mapping[str, Any]) -> dict[str, Origin | int | str | None]:
        return {
            s.name: (
                self.names[s.type].origin.get(arguments[s.name], NEVER)
                if s.type in self.names and arguments[s.name] is not None
                else arguments[s.name]
            )
            for s in slots
        }

    def _ask(self, operation: str, wire: dict[str, Any], expected: str) -> dict[str, Any]:
        try:
            answer = self.implementation.call(operation, wire)
        except Exception as error:
            text = f"the implementation failed with {type(error).__name__}: {error}"
            raise Mismatch(f"{operation}/{expected}", f"{operation}: {text}; {expected} was expected") from error
        if not isinstance(answer, dict) or len(answer) != 1 or next(iter(answer)) not in ("ok", "error", "suspended"):
            shapes = '{"ok": value}, {"error": name} or {"suspended": null}'
            raise AdapterError(f"{operation}: answers {answer!r}; an answer is {shapes}")
        return answer

    def _compare(
        self, action: Action, values: dict[str, int], exit: str, expected: Any, answer: dict[str, Any], index: int
    ) -> None:
        clause = f"{action.name}/{exit}"
        told = f"answers {answer['error']}" if "error" in answer else "does it" if "ok" in answer else "suspends the call"
        if exit == SUSPENDED:
            if "suspended" not in answer:
                raise Mismatch(clause, f"{action.name} must be suspended; the implementation {told}")
            return
        if exit != OK:
            if answer.get("error") == exit:
                return
            permitted = [exit] if self.strict else self.model.permitted(action, self.vector, values)
            if answer.get("error") in permitted:
                return
            wanted = exit if len(permitted) == 1 else f"{', '.join(permitted)} ({exit} first)"
            raise Mismatch(clause, f"{action.name} must be refused with {wanted}; the implementation {told}")
        if "ok" not in answer:
            raise Mismatch(clause, f"{action.name} must succeed; the implementation {told}")
        self._compare_answer(clause, action, expected, answer["ok"], "", index)

    def _compare_answer(self, clause: str, action: Action, expected: Any, got: Any, late: str, index: int) -> None:
        fields = answer_fields(action.answer)
        if fields and fields[0][0] and not (isinstance(got, dict) and set(got) == {name for name, _ in fields}):
            raise AdapterError(f"{action.name}: answers {got!r}; its fields are {', '.join(name for name, _ in fields)}")
        for position, (name, kind) in enumerate(fields):
            value = expected[position] if name else expected
            origin = Origin(index, f"{late} {name}".strip())
            self._compare_value(clause, name, kind, value, got[name] if name else got, origin)
        if not fields and got is not None:
            raise AdapterError(f"{action.name}: answers {got!r}; it has no answer, so null")

    def _compare_value(self, clause: str, name: str, kind: Type, value: Any, got: Any, origin: Origin) -> None:
        what = f"{clause.partition('/')[0]}: its {name or 'answer'}"
        if is_subset(kind):
            wanted = self.encoded(member_type(kind), value)
            if got != wanted:
                raise Mismatch(clause, f"{what} must be {wanted!r}; the implementation answers {got!r}")
            return
        value = int(value)
        if kind not in self.names or not value:
            wanted = self.encoded(kind, value) if kind not in self.names else None
            if got != wanted or isinstance(got, bool) != isinstance(wanted, bool):
                raise Mismatch(clause, f"{what} must be {wanted!r}; the implementation answers {got!r}")
            return
        names = self.names[kind]
        if not isinstance(got, str):
            raise Mismatch(clause, f"{what} must be a {kind.__name__.lower()}; the implementation answers {got!r}")
        known = names.handle.get(value)
        if known is not None and got != known:
            raise Mismatch(clause, f"{what} must be {known!r}; the implementation answers {got!r}")
        if known is None:
            if got in names.origin:
                use = "in use" if got in names.element else "dead, and never given out again"
                raise Mismatch(clause, f"{what} must be new; the implementation answers {got!r}, which is {use}")
            if got == NEVER:
                raise AdapterError(f"{what} is {NEVER!r}, which this checker keeps for itself")
            self._bind(kind, value, got, origin)

    def encoded(self, kind: Type, value: Any) -> Any:
        """A model's value, or a handle, as the implementation takes and gives it."""
        if kind in self.names:
            return value
        if isinstance(value, frozenset):
            return [self.encoded(kind, element) for element in sorted(value)]
        if is_sort(kind):
            if kind in self.spec.encodings:
                return self.spec.encodings[kind](self.scope, value)
            return value_name(kind, value) if value else None
        return kind(value).name if is_enumeration(kind) else kind(value)

    def _bury(self) -> None:
        system = self.model.system(self.vector)
        with reading(self.model):
            for kind, names in self.names.items():
                test = self.spec.unused[kind].function
                gone = [e for e in names.handle if test(system, e) and e > len(kind.constants)]
                for element in gone:
                    handle = names.handle.pop(element)
                    del names.element[handle]
                    names.dead.append(handle)


_models: dict[tuple[int, tuple[tuple[str, int], ...]], Model] = {}


def model(spec: Spec, scope: Mapping[str, int]) -> Model:
    """The concrete reading of a scope, made once: a fuzz run has thousands of sessions."""
    key = id(spec), tuple(scope.items())
    found = _models.get(key)
    if found is None or found.spec is not spec:
        found = _models[key] = Model(spec, scope)
    return found


def again(
    spec: Spec,
    implementation: Implementation,
    scope: Mapping[str, int],
    calls: Iterable[Recorded],
    *,
    strict: bool = False,
) -> tuple[Session, Mismatch | None]:
    """Make recorded calls again, from reset, without probes.  Stops at the first mismatch.

    A handle whose origin did not show one this time is one that was never given out.
    """
    session = Session(spec, implementation, scope, strict=strict, probing=False)
    try:
        for call in calls:
            slots = {s.name: s for s in session.actions[call.operation].slots}
            given = {n: _resolved(session, slots[n], a) for n, a in call.arguments.items()}
            session.call(call.operation, given)
    except Mismatch as mismatch:
        return session, mismatch
    return session, None


def _resolved(session: Session, slot: Slot, argument: Origin | int | str | None) -> Any:
    if isinstance(argument, Origin):
        origins = session.names[slot.type].origin
        return next((handle for handle, origin in origins.items() if origin == argument), NEVER)
    return argument


def minimise(
    spec: Spec,
    implementation: Implementation,
    scope: Mapping[str, int],
    calls: list[Recorded],
    clause: str,
    *,
    strict: bool = False,
) -> list[Recorded]:
    """The fewest of `calls` found that still break `clause`: runs of them, then single ones, are tried without, last first;
    when few are left, pairs too, for a call that only undoes another."""

    def shorter(tried: list[Recorded]) -> list[Recorded] | None:
        session, mismatch = again(spec, implementation, scope, tried, strict=strict)
        return session.recorded if mismatch is not None and mismatch.clause == clause else None

    kept, size = calls, max(1, len(calls) // 2)
    while True:
        before = len(kept)
        end = len(kept)
        while end > 0:
            start = max(0, end - size)
            kept = shorter(without(kept, start, end)) or kept
            end = min(start, len(kept))
        if size > 1 or len(kept) < before:
            size = max(1, size // 2)
            continue
        pairs = itertools.combinations(range(len(kept) - 1), 2) if len(kept) <= FEW else ()
        tried = (without(without(kept, second, second + 1), first, first + 1) for first, second in pairs)
        found = next(filter(None, map(shorter, tried)), None)
        if found is None:
            return kept
        kept = found


def without(calls: list[Recorded], start: int, end: int) -> list[Recorded]:
    """`calls` without those from `start` to before `end`; what came from them becomes a handle that was never given out."""

    def moved(argument: Any) -> Any:
        if not isinstance(argument, Origin) or argument.call < start:
            return argument
        return NEVER if argument.call < end else Origin(argument.call - (end - start), argument.field)

    kept = [*calls[:start], *calls[end:]]
    return [Recorded(c.operation, {n: moved(a) for n, a in c.arguments.items()}) for c in kept]
