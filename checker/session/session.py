"""The specification and an implementation in lock-step: every answer is compared with what the spec permits.

The model's elements and the implementation's handles are tied as answers show them.  A handle whose element died stays known
as dead, and is used on purpose; for the model a handle that was never given out or is dead is an element that never lives.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from ...model.concrete import Outcome, Vector, value_name
from ...model.language import (
    EFFECTIVE,
    OK,
    SUSPENDED,
    Action,
    Spec,
    Type,
    is_enumeration,
    is_sort,
    is_subset,
    member_type,
)
from ...model.recording import causes
from ..adapters import Implementation
from ..errors import AdapterError, AdapterFault, Unsupported, named, quoted
from .ahead import Ahead
from .handles import MOST_WORLDS, NEVER, Names, Origin, Recorded, World, bind
from .oracle import model
from .shared import Side, answered, shared
from .start import Start
from .wrong import LATE, Mismatch, Unknown

ANSWERS = ("ok", "error", "suspended", "indeterminate")
EVERY = 10
"""After how many refused calls all probes are made."""


class Session(Ahead):
    """One run of an implementation beside the model, from reset on.

    `strict` takes the canonical error only; otherwise any error whose condition applies is permitted.  `probing` makes the
    spec's probes after every step.  Raises Mismatch from `compare`, AdapterError where the interface is not kept to, Unsupported
    where the implementation does not have the operation.

    After a call of which the implementation cannot say whether it happened there are several `worlds`; an answer that does
    not fit one of them rules that one out, and one that fits none is a mismatch.  `vector` and `names` are those of the first.
    Operations in `without` are never called.
    """

    def __init__(
        self,
        spec: Spec,
        implementation: Implementation,
        scope: Mapping[str, int],
        *,
        strict: bool = False,
        probing: bool = True,
        without: Collection[str] = (),
    ) -> None:
        self.spec, self.strict, self.probing = spec, strict, probing
        self.implementation = implementation
        self.scope = spec.scope(scope)
        self.handle_sorts = [kind for kind in spec.unused if kind.handles]
        self.model = model(spec, self.with_strangers(spec, scope))
        self.worlds = [World(self.model.initial(), {kind: Names() for kind in self.handle_sorts})]
        self.clauses: Counter[str] = Counter()
        self.causes = causes(spec)
        self.came: Counter[tuple[str, int]] = Counter()
        """How often calls that were right had these causes: by operation, bits in the order of `causes`."""
        self._had = self.had_last = 0
        """The causes, by bit, of the last call that was no probe, where it was right."""
        self.buried: list[tuple[Type, str]] = []
        """The handles that died by the last call that was no probe."""
        self.ended: dict[str, tuple[int, int]] = {}
        """By handle that is dead the call, by number, by which it died, and the element that it stood for."""
        self.permitted: Counter[str] = Counter()
        """The clauses, by number of times, in place of which another permitted error came."""
        self.unsupported = set(without)
        self.recorded: list[Recorded] = []
        self.vectors: list[Vector] = [self.vector]
        self.actions = {name: action for name, action in spec.actions.items() if name not in without}
        self._fields, self._shared = answered(spec), shared(spec, self.scope)
        self.came_late: set[int] = set()
        """The calls, by number, that brought answers to suspended ones."""
        self._probed = ""
        """What the last call that was no probe came to."""
        self._refused = 0
        self._coming: tuple[str, int] = "", 0
        """The operation of the last call that was no probe, and its causes by bit, as they are due."""
        self.start = Start(self)
        self._reset()

    @staticmethod
    def with_strangers(spec: Spec, scope: Mapping[str, int]) -> dict[str, int]:
        """A scope with one element more of each sort of which there are handles, for those that no element has; without what is
        varied, of which no state depends."""
        whole = {name: size for name, size in spec.scope(scope).items() if name not in spec.varied}
        return whole | {kind.plural: whole[kind.plural] + 1 for kind in spec.unused if kind.handles}

    def had(self) -> Counter[str]:
        """How often calls that were right had each cause, by its name."""
        found: Counter[str] = Counter()
        for (operation, came), times in self.came.items():
            for name in self.causes[operation].named(came):
                found[name] += times
        return found

    def _sides_of(self, action: Action) -> tuple[list[Side], bool]:
        slots = [s for s in action.slots if not s.fresh]
        strangers = [self.stranger(s.type) if s.type in self.handle_sorts else 0 for s in slots]
        sides: list[Side] = [(s.name, s.type, stranger, {}) for s, stranger in zip(slots, strangers, strict=True)]
        return self._shared.sides.setdefault(action.name, (sides, len(slots) < len(action.slots)))

    def _reset(self) -> None:
        heading = getattr(self.implementation, "heading", None)
        if isinstance(heading, dict):
            heading["scope"] = self.scope
        constants = self.start.reset()
        for kind in self.handle_sorts:
            for constant in kind.constants:
                handle = constants.get(constant.name) if isinstance(constants, dict) else None
                if not isinstance(handle, str):
                    raise AdapterError(f"reset answers {quoted(constants)}, without a handle for {constant.name}")
                bind(self.names[kind], int(constant), handle, Origin(-1, constant.name))

    def compare(self, operation: str, arguments: Mapping[str, Any], *, look: bool = False, probe: bool = False) -> str:
        """Make a call and compare what it comes to.  Handles are strings (None for none), data the model's values.  Returns the
        exit.

        A refused call must have changed nothing: with `look`, and after every tenth anyway, all probes are made as if the
        whole state had just come.  The call may itself be a `probe` of the last one that was none.
        """
        before, number = self.vector, len(self.recorded)
        if not probe:
            self.buried.clear()
            self._had = 0
        try:
            if probe:
                exit = self._judge_probe(operation, arguments)
            else:
                exit = self._judge(operation, arguments)
                self.had_last = self._had
                self._probed = f"{operation}/{exit}"
            refused = exit not in EFFECTIVE and not probe
            self._refused += refused
            if self.probing and self.spec.probes and not probe and self.start.begun:
                if self.vector is not before:
                    self._probe(before)
                elif refused and (look or self._refused % EVERY == 0):
                    self._probe(self.model.blank())
        except Mismatch as mismatch:
            name, came = self._coming
            if mismatch.clause.startswith(f"{name}/"):
                mismatch.causes = frozenset(self.causes[name].named(came))
            raise
        if self.vector is not before or len(self.worlds) > 1:
            for world in self.worlds:
                self.bury(world, number)
        return exit

    def _probe(self, before: Vector) -> None:
        for operation, values in self._shared.probes.of(self.model, self.scope, before, self.vector):
            if operation in self.unsupported:
                continue
            slots = {s.name: s for s in self.actions[operation].slots}
            given = {name: self.argument(slots[name], value) for name, value in values.items()}
            if all(g is not None for g in given.values()):
                with contextlib.suppress(Unsupported):
                    self._judge_probe(operation, given)

    def _judge_probe(self, operation: str, arguments: Mapping[str, Any]) -> str:
        try:
            return self._judge(operation, arguments, probe=bool(self._probed))
        except Mismatch as mismatch:
            if not self._probed:
                raise
            text = f"after {self._probed}, {mismatch.text}"
            raise Mismatch(self._probed, text, mismatch.clause, mismatch.part) from mismatch

    def compare_values(self, operation: str, values: Mapping[str, int], *, probe: bool = False) -> str:
        """The same for a call whose arguments are all the model's values; for an element that is not live, a handle that is dead
        or, if there is none, was never given out."""
        slots = {s.name: s for s in self.actions[operation].slots}
        given = {name: self.argument(slots[name], value) for name, value in values.items()}
        for name, value in values.items():
            kind = slots[name].type
            if given[name] is None and value and kind in self.names:
                given[name] = (self.names[kind].dead or [NEVER])[-1]
        return self.compare(operation, given, probe=probe)

    def _judge(self, operation: str, arguments: Mapping[str, Any], *, probe: bool = False) -> str:
        action = self.actions[operation]
        sides, fresh = self._shared.sides.get(operation) or self._sides_of(action)
        foreseen = []
        for world in self.worlds:
            values = {}
            for name, kind, stranger, _ in sides:
                value = arguments[name]
                if stranger:
                    value = 0 if value is None else world.names[kind].element.get(value, stranger)
                values[name] = value
            if fresh:
                values |= self.fresh(action, world)
            foreseen.append((world, values, self.model.step(action, world.vector, values)))
        outcome = foreseen[0][2]
        exit = outcome.exit
        # of one that may be in several states it is not known why
        came = self.model.came(action, self.vector, foreseen[0][1], exit) if len(foreseen) == 1 else 0
        if not probe:
            self._coming = operation, came
        index = len(self.recorded)
        wire: dict[str, Any] = {}
        origins: dict[str, Origin | int | str | None] = {}
        names = self.names
        for name, kind, stranger, encoded in sides:
            value = arguments[name]
            if stranger:
                wire[name] = value
                origins[name] = None if value is None else names[kind].origin.get(value, NEVER)
            else:
                origins[name] = value
                wire[name] = encoded[value] if value in encoded else self.encoded(kind, value)
                # a list is made anew each time: it may be used up
                if not isinstance(wire[name], list | dict):
                    encoded[value] = wire[name]
        self.vectors.append(outcome.state)
        try:
            told = self.start.answer(action, outcome, wire)
            answer = self._ask(operation, wire, exit) if told is None else told
        except Unsupported:
            self.unsupported.add(operation)
            self.vectors.pop()
            raise
        except BaseException:
            self.recorded.append(Recorded(operation, origins, exit, None, probe))
            raise
        self.recorded.append(Recorded(operation, origins, exit, answer, probe))
        late = self._late_answers(operation, exit) if told is None else []
        if "indeterminate" in answer:
            self._branch(foreseen)
        else:
            self._go_on(action, foreseen, answer, late, index, came)
        return exit

    def _branch(self, foreseen: list[tuple[World, dict[str, Any], Outcome]]) -> None:
        """The call may have happened or not."""
        self.worlds = [world for world, _, _ in foreseen] + [
            World(outcome.state, {kind: names.copy() for kind, names in world.names.items()})
            for world, _, outcome in foreseen
            if outcome.effective
        ]
        if len(self.worlds) > MOST_WORLDS:
            raise Unknown(f"more than {MOST_WORLDS} states are possible after so many indeterminate calls")

    def _go_on(
        self,
        action: Action,
        foreseen: list[tuple[World, dict[str, Any], Outcome]],
        answer: dict[str, Any],
        late: list[tuple[str, dict[str, Any]]],
        index: int,
        came: int,
    ) -> None:
        """Keep the worlds that the answers fit, and count the clauses that were come to in all of them, and the causes.

        Raises Mismatch, about the first, if there is none.
        """
        kept: list[World] = []
        come_to: list[list[str]] = []
        as_permitted: list[str] = []
        wrong: Mismatch | None = None
        for world, values, outcome in foreseen:
            clause = f"{action.name}/{outcome.exit}"
            try:
                first = self.compare_outcome(world, action, values, outcome.exit, outcome.answer, answer, index)
                come_to.append([clause, *self._settle(world, action.name, outcome, late, index)])
            except Mismatch as mismatch:
                wrong = wrong or mismatch
            else:
                world.vector = outcome.state
                kept.append(world)
                as_permitted += [] if first else [clause]
        if not kept:
            assert wrong is not None
            raise wrong
        self.worlds = kept
        if came and not as_permitted:
            self.came[action.name, came] += 1
        self._had = 0 if as_permitted else came
        for clause in come_to[0]:
            if all(clause in others for others in come_to):
                self.clauses[clause] += 1
                if clause in as_permitted:
                    self.permitted[clause] += 1

    def element(self, world: World, kind: Type, handle: str | None) -> int:
        """The model's element for a handle."""
        return 0 if handle is None else world.names[kind].element.get(handle, self.stranger(kind))

    def _settle(
        self, world: World, operation: str, outcome: Outcome, came: list[tuple[str, dict[str, Any]]], index: int
    ) -> list[str]:
        """Compare the answers that suspended calls get now with those that they must get; the clauses that these come to."""
        if self.spec.late is None:
            return []
        before, shown = self.model.system(world.vector), self.model.system(outcome.shown)
        expected = list(self.spec.late(before, shown, self.model.scope)) if outcome.shown is not outcome.state else []
        given: dict[str, dict[str, Any]] = {}
        for handle, answer in came:
            if handle in given:
                text = f"{operation} must bring one answer {LATE} of {named(handle)}; the implementation answers twice"
                raise Mismatch(f"{operation}/{outcome.exit}", text)
            given[handle] = answer
        if expected:
            self.came_late.add(index)
        for number, late in enumerate(expected):
            handle = world.names[late.sort].handle[late.waiter]
            what = f"{late.operation}, suspended, of {named(handle)}"
            if handle not in given:
                wanted = "its answer" if late.exit == OK else late.exit
                raise Mismatch(late.clause, f"{operation} must bring {what}, {wanted}; nothing comes")
            answer = given.pop(handle)
            if late.exit != OK and answer != {"error": late.exit}:
                text = f"{what} must be answered with {late.exit}; the implementation answers {quoted(answer)}"
                raise Mismatch(late.clause, text)
            if late.exit == OK and "ok" not in answer:
                raise Mismatch(late.clause, f"{what} must succeed; the implementation answers {quoted(answer)}")
            if late.exit == OK:
                action = self.actions[late.operation]
                self.compare_answer(world, late.clause, action, late.answer, answer["ok"], f"late {number}", index)
        if given:
            handle, answer = next(iter(given.items()))
            text = f"{operation} must bring no answer {LATE} of {named(handle)}; the implementation answers {quoted(answer)}"
            raise Mismatch(f"{operation}/{outcome.exit}", text)
        return [late.clause for late in expected]

    def _late_answers(self, operation: str, expected: str) -> list[tuple[str, dict[str, Any]]]:
        """Who is answered now, and with what."""
        if self.spec.late is None:
            return []
        settle = getattr(self.implementation, "settle", None)
        if settle is None:
            raise AdapterError("an implementation whose calls may be suspended needs settle(), which answers what came late")
        try:
            who = self.spec.waiter
            came = [(late[who], {key: value for key, value in late.items() if key != who}) for late in settle()]
        except AdapterFault as error:
            raise Mismatch(f"{operation}/{expected}", f"after {operation}, {error}") from error
        except Exception as error:
            raise AdapterError(f"settle() failed or answers something odd: {type(error).__name__}: {error}") from error
        for handle, answer in came:
            if not isinstance(handle, str) or list(answer) not in (["ok"], ["error"]):
                shape = f'{{"{who}": handle, "ok": value}} or {{"{who}": handle, "error": name}}'
                raise AdapterError(f"settle() answers {quoted(answer)} to {quoted(handle)}; a late answer is {shape}")
        return came

    def _ask(self, operation: str, wire: dict[str, Any], expected: str) -> dict[str, Any]:
        try:
            answer = self.implementation.call(operation, wire)
        except Unsupported:
            raise
        except AdapterFault as error:
            raise Mismatch(f"{operation}/{expected}", f"{operation}: {error}; {expected} was expected") from error
        except Exception as error:
            text = f"the implementation failed with {type(error).__name__}: {error}"
            raise Mismatch(f"{operation}/{expected}", f"{operation}: {text}; {expected} was expected") from error
        shaped = isinstance(answer, dict) and len(answer) == 1 and next(iter(answer)) in ANSWERS
        if not shaped or not isinstance(answer.get("error", ""), str):
            shapes = '{"ok": value}, {"error": name} or {"suspended": null}'
            raise AdapterError(f"{operation}: answers {quoted(answer)}; an answer is {shapes}")
        return answer

    def compare_outcome(
        self, world: World, action: Action, values: dict[str, int], exit: str, expected: Any, answer: dict[str, Any], index: int
    ) -> bool:
        """Hold what a call came to against what it must come to in a world.  Raises Mismatch; whether it is just that, and not
        another error that applies too."""
        clause = f"{action.name}/{exit}"
        told = f"answers {named(answer['error'])}" if "error" in answer else "does it" if "ok" in answer else "suspends the call"
        if exit == SUSPENDED:
            if "suspended" not in answer:
                raise Mismatch(clause, f"{action.name} must be suspended; the implementation {told}")
            return True
        if exit != OK:
            if answer.get("error") == exit:
                return True
            permitted = [exit] if self.strict else self.model.permitted(action, world.vector, values)
            if answer.get("error") in permitted:
                return False
            wanted = exit if len(permitted) == 1 else f"{', '.join(permitted)} ({exit} first)"
            raise Mismatch(clause, f"{action.name} must be refused with {wanted}; the implementation {told}")
        if "ok" not in answer:
            raise Mismatch(clause, f"{action.name} must succeed; the implementation {told}")
        self.compare_answer(world, clause, action, expected, answer["ok"], "", index)
        return True

    def compare_answer(self, world: World, clause: str, action: Action, expected: Any, got: Any, late: str, index: int) -> None:
        fields = self._fields[action.name]
        if fields and fields[0][0] and not (isinstance(got, dict) and set(got) == {name for name, _ in fields}):
            raise AdapterError(f"{action.name}: answers {quoted(got)}; its fields are {', '.join(name for name, _ in fields)}")
        wrong: list[tuple[int, Mismatch]] = []
        for position, (name, kind) in enumerate(fields):
            value = expected[position] if name else expected
            origin = Origin(index, f"{late} {name}".strip())
            try:
                self._compare_value(world, clause, name, kind, value, got[name] if name else got, origin)
            except Mismatch as mismatch:
                mismatch.part = name or "answer"
                wrong.append((self._says(kind), mismatch))
        if wrong:
            raise max(wrong, key=lambda each: each[0])[1]
        if not fields and got is not None:
            raise AdapterError(f"{action.name}: answers {quoted(got)}; it has no answer, so null")

    def _says(self, kind: Type) -> int:
        """How much a wrong value of a type says: which of a few states it is most, which handle it is least."""
        if kind is bool or is_enumeration(kind):
            return 2
        return 0 if kind in self.names else 1

    def _compare_value(self, world: World, clause: str, name: str, kind: Type, value: Any, got: Any, origin: Origin) -> None:
        if value.__class__ is int and not value and got is None and kind in self.names:
            return
        what = f"{clause.partition('/')[0]}: its {name or 'answer'}"
        if is_subset(kind):
            wanted = self.encoded(member_type(kind), value)
            if got != wanted:
                raise Mismatch(clause, f"{what} must be {wanted!r}; the implementation answers {quoted(got)}")
            return
        value = int(value)
        if kind not in self.names or not value:
            wanted = self.encoded(kind, value) if kind not in self.names else None
            if got != wanted or isinstance(got, bool) != isinstance(wanted, bool):
                raise Mismatch(clause, f"{what} must be {wanted!r}; the implementation answers {quoted(got)}")
            return
        names = world.names[kind]
        if not isinstance(got, str):
            raise Mismatch(clause, f"{what} must be a {kind.__name__.lower()}; the implementation answers {quoted(got)}")
        known = names.handle.get(value)
        if known is not None and got != known:
            raise Mismatch(clause, f"{what} must be {known!r}; the implementation answers {quoted(got)}")
        if known is None:
            if got in names.origin:
                use = "in use" if got in names.element else "dead, and never given out again"
                raise Mismatch(clause, f"{what} must be new; the implementation answers {quoted(got)}, which is {use}")
            if got == NEVER:
                raise AdapterError(f"{what} is {NEVER!r}, which this checker keeps for itself")
            bind(names, value, got, origin)

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

    def bury(self, world: World, number: int) -> None:
        """Take note of whose handles are dead now, by a call."""
        unused = self.model.unused(world.vector)
        for kind, names in world.names.items():
            free = unused[kind]
            for element in [e for e in names.handle if free >> e & 1 and e > len(kind.constants)]:
                handle = names.handle.pop(element)
                del names.element[handle]
                names.dead.append(handle)
                if world is self.worlds[0]:
                    self.buried.append((kind, handle))
                    self.ended[handle] = number, element
