"""The symbolic reading: a state is Z3 functions over sorts of any size, a question is followed both ways.

Maps are functions and updates are definitions by cases over them, so no array theory is needed: reading a cell after
writes gives `If(key is the written one, value, cell before)`.  An operation is run once a path: every `if` or `require` that the
path so far does not settle takes one side, and the function runs again from its start for the other (no fork, no
copy of the interpreter).  Decisions are not asked of the solver; a path that cannot be is harmless in a proof and is found
where every exit must be shown possible.

The same code serves a finite scope: sorts are enumerations, quantifiers are written out, counts are sums.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import z3

from ..language import (
    SUSPENDED,
    Action,
    Call,
    Declaration,
    Refusal,
    Scope,
    Slot,
    Spec,
    SpecError,
    StepProperty,
    Type,
    answer_fields,
    inside,
    is_sort,
    is_subset,
    member_type,
    reading,
)
from ..recording import Node, asked
from .cells import Blank, Cells, Unknown
from .made import all_of, any_of, chosen, implied, negated
from .paths import Follower, Path
from .state import System
from .terms import SubsetTerm, Term, conjunction, same

MAX_PATHS = 4096


class Symbolic(Follower):
    """A spec in the symbolic reading, in a world."""

    def __init__(self, spec: Spec, scope: Scope | None = None) -> None:
        super().__init__(spec, scope)
        self._reads: dict[tuple[str, str | None], set[str]] = {}
        self._denials: dict[tuple[str, str, int], list[tuple[list[Any], z3.BoolRef]]] = {}
        self.state = self._unknown_state()

    def _unknown_state(self) -> System:
        parts: dict[str, Any] = {}
        for _, part, kinds, value in self.parts():
            if self.components[part.partition(".")[0]].kind == "output":
                parts[part] = Blank(self.world.default(value))
            elif not kinds:
                parts[part] = self.world.variable(value, f"part {part}")
            else:
                domain = [self.world.sort(k) for k in kinds]
                parts[part] = Unknown(z3.Function(f"part {part}!{self.world._mark}", *domain, self.world.sort(value)))
        return System(self, parts, "")

    def blank_state(self) -> System:
        """The state that holds defaults only, to be written by the spec's `initial`."""
        parts = dict(self.state._parts)
        for name, part, kinds, value in self.parts():
            if self.components[name].kind not in ("rigid", "parameter"):
                default = self.world.default(value)
                parts[part] = Blank(default) if kinds else default
        return System(self, parts, "'", before=self.state)

    def axioms(self) -> list[z3.BoolRef]:
        """What holds of any state by how states are made: default at none, numbers not negative, parameters positive.

        In a finite scope also that numbers stay in it, so that every solution is a state that can be shown.
        """
        found = list(self.world.distinct)
        for name, part, kinds, value in self.parts():
            cells = self.state._parts[part]
            component = self.components[name]
            if component.kind == "parameter":
                exact = None if self.world.scope is None else self.world.scope[name]
                found.append(cells >= 1 if exact is None else cells == exact)
                continue
            if component.kind == "output":
                continue
            if not kinds:
                found.append(cells >= 0)
                continue
            for position, kind in enumerate(kinds):
                if is_sort(kind):
                    found.append(self._default_at_none(cells, kinds, position, self.world.default(value)))
            if value is int:
                bounded = component.kind == "map"
                found.append(self.world.quantified(True, kinds, lambda *key, c=cells, b=bounded: self._number(c.read(key), b)))
        return found

    def _number(self, term: z3.ExprRef, bounded: bool) -> z3.BoolRef:
        return self.world.is_thing(int, term) if bounded else term >= 0

    def _default_at_none(self, cells: Cells, kinds: tuple[Type, ...], position: int, default: z3.ExprRef) -> z3.BoolRef:
        others = [k for i, k in enumerate(kinds) if i != position]
        here = self.world.none(kinds[position])

        def body(*key: z3.ExprRef) -> z3.BoolRef:
            whole = (*key[:position], here, *key[position:])
            return same(cells.read(whole), default)

        bound: list[z3.ExprRef] = []
        ranges = []
        for kind in others:
            listed = self.world.elements(kind)
            if listed is None:
                bound.append(variable := self.world.fresh(kind, "x"))
                listed = [variable]
            elif is_sort(kind):
                listed = [self.world.none(kind), *listed]
            ranges.append(listed)
        inside = conjunction([body(*values) for values in itertools.product(*ranges)])
        return z3.ForAll(bound, inside) if bound else inside

    def order(self, system: System) -> Iterator[tuple[str, z3.BoolRef]]:
        """By queue, that its tickets order it: each element's below the clock, no two of one line the same.

        What makes the least ticket the oldest element.  Proved of every operation like any invariant.
        """
        for name, c in self.components.items():
            if c.kind != "queue":
                continue
            place, ticket, clock = (system._parts[f"{name}.{part}"] for part in ("place", "ticket", "clock"))
            nowhere = self.world.none(c.keys[0])

            def below(e: z3.ExprRef, place=place, ticket=ticket, clock=clock, nowhere=nowhere) -> z3.BoolRef:  # type: ignore[no-untyped-def]
                return any_of([same(place.read((e,)), nowhere), ticket.read((e,)) < clock])

            def apart(e: z3.ExprRef, f: z3.ExprRef, place=place, ticket=ticket, nowhere=nowhere) -> z3.BoolRef:  # type: ignore[no-untyped-def]
                there = place.read((e,))
                together = all_of([same(there, place.read((f,))), negated(same(there, nowhere))])
                return implied(all_of([together, same(ticket.read((e,)), ticket.read((f,)))]), same(e, f))

            yield (
                name,
                all_of(
                    [
                        self.world.quantified(True, [c.value], below),
                        self.world.quantified(True, [c.value, c.value], apart),
                    ]
                ),
            )

    def arguments(self, action: Action) -> dict[str, Any]:
        """The operation's arguments, as variables; a subset as an unknown predicate."""
        return {s.name: self._argument(f"argument {s.name} of {action.name}", s) for s in action.slots}

    def _argument(self, name: str, slot: Slot) -> Any:
        if not slot.subset:
            return Term(self, self.world.variable(slot.type, name), slot.type)
        inside = z3.Function(f"{name}!{self.world._mark}", self.world.sort(slot.type), z3.BoolSort())
        return SubsetTerm(self, slot.type, inside)

    def call_assumptions(self, action: Action) -> list[z3.BoolRef]:
        """What holds of any call's arguments: none only where it may be, fresh names fresh."""
        found = []
        arguments = self.arguments(action)
        for slot in action.slots:
            if slot.subset:
                found.append(negated(arguments[slot.name].holds(self.world.none(slot.type))))
                continue
            term = arguments[slot.name].expr
            thing = self.world.is_thing(slot.type, term)
            if slot.fresh:
                free = self._is_free(slot.type, term)
                taken = self.world.quantified(True, [slot.type], lambda e, k=slot.type: negated(self._is_free(k, e)))
                found.append(all_of([thing, free]) if slot.type.endless else chosen(thing, free, taken))
            elif not slot.optional:
                found.append(thing)
        return found

    def _is_free(self, kind: Type, term: z3.ExprRef) -> z3.BoolRef:
        test = self.spec.unused[kind]
        with reading(self), self.stating(), inside(test.name, test.function):
            free = self.world.lift(bool, test.function(self.state, Term(self, term, kind)))
        return conjunction([free, *(negated(same(term, self.world.lift(kind, c))) for c in kind.constants)])

    def paths(self, action: Action) -> list[Path]:
        """Every path through an operation, from any state.  Raises SpecError beyond MAX_PATHS."""
        found: list[Path] = []
        pending: list[list[bool]] = [[]]
        while pending:
            prefix = pending.pop()
            path = self._follow(action, prefix)
            found.append(path)
            if len(found) > MAX_PATHS:
                raise SpecError(f"{action.name} has over {MAX_PATHS} paths; join conditions with & and |, or split it")
            for index in range(len(prefix), len(path.decisions)):
                pending.append([*path.decisions[:index], not path.decisions[index]])
        return found

    def _follow(self, action: Action, prefix: list[bool]) -> Path:
        self._path, self._prefix, self._known = Path(), prefix, {}
        system = System(self, dict(self.state._parts), "'", before=self.state)
        self.deciding, self.running = True, system
        try:
            with reading(self), inside(action.name, action.function):
                self._path.answer = action.function(system, **self.arguments(action))
                self._check_answer(action, self._path)
        except Refusal as refusal:
            self._path.exit = refusal.error
            if system._changed:
                raise SpecError(
                    f"{action.name} refuses with {refusal.error} after an effect on {', '.join(sorted(system._changed))}: "
                    "put every require before the first write"
                ) from None
        finally:
            self.deciding, self.running = False, None
        self._path.after = system
        return self._path

    def _check_answer(self, action: Action, path: Path) -> None:
        """Raise SpecError for an answer that is not of the type that the operation says."""
        kind, answer = action.answer, path.answer
        if path.exit == SUSPENDED and answer is None:
            return
        fields = answer_fields(kind)
        if (kind is None and answer is not None) or (fields and fields[0][0] and not isinstance(answer, kind)):
            raise SpecError(f"answers {answer!r}, where its text says {'nothing' if kind is None else kind.__name__}")
        for (_, part), value in zip(fields, answer if fields and fields[0][0] else (answer,), strict=False):
            if is_subset(part) and not (isinstance(value, SubsetTerm) and value.type is member_type(part)):
                raise SpecError(f"answers {value!r} where a set of {member_type(part).__name__} is said")
            if not is_subset(part):
                self.world.lift(part, value)

    def condition(self, action: Action, condition: Node) -> list[z3.BoolRef]:
        """What a recorded condition says of the state that an operation finds, and of its arguments.  Raises SpecError where it
        asks for the head of a line under a quantifier."""
        self._path, self._prefix, self._known = Path(), [], {}
        self.deciding = True
        try:
            with reading(self), inside(action.name, action.function):
                found = self.lift(bool, asked(condition, self.state, self.arguments(action)))
        finally:
            self.deciding = False
        return [found, *self._path.assumptions]

    def initial(self) -> Path:
        """The initial state, as a path of no operation."""
        self._path, self._prefix, self._known = Path(), [], {}
        system = self.running = self.blank_state()
        try:
            with reading(self), inside("initial", self.spec.initial):
                self.spec.initial(system)
        except Refusal as refusal:
            raise SpecError(
                f"initial refuses with {refusal.error}: it writes the first state, and nobody is there to be refused"
            ) from None
        finally:
            self.running = None
        self._path.after = system
        return self._path

    def statement(self, declaration: Declaration, *states: Any) -> z3.BoolRef:
        """A statement, for all values of its parameters."""
        kinds = [s.type for s in declaration.slots]
        return self.world.quantified(True, kinds, lambda *terms: self._instance(declaration, states, terms))

    def instance(self, declaration: Declaration, *states: Any) -> tuple[dict[str, z3.ExprRef], z3.BoolRef]:
        """A statement at one unknown binding of its parameters: the binding, and binding in range implies statement.

        To refute the statement is to satisfy the negation of that.
        """
        binding = {s.name: self.world.variable(s.type, f"bound {s.name} of {declaration.name}") for s in declaration.slots}
        guards = [self.world.is_thing(s.type, binding[s.name]) for s in declaration.slots]
        body = self._instance(declaration, states, tuple(binding.values()))
        return binding, implied(conjunction(guards), body)

    def _instance(self, declaration: Declaration, states: Any, terms: tuple[z3.ExprRef, ...]) -> z3.BoolRef:
        wrapped = [Term(self, t, s.type) for t, s in zip(terms, declaration.slots, strict=True)]
        with reading(self), inside(declaration.name, declaration.function):
            return self.world.lift(bool, declaration.function(*states, *wrapped))

    def reads(self, statement: Declaration, action: Action | None = None) -> set[str]:
        """The parts of the state that an invariant, or a step property for the calls of `action`, speaks of: always the same,
        because a statement cannot branch on the state.

        What changes none of them preserves an invariant.
        """
        key = statement.name, action.name if action else None
        if key not in self._reads:
            self.read_parts, self._noting = set(), True
            if action is None:
                self.instance(statement, self.state)
            else:
                self.instance(statement, self.state, self.state, Call(action.name, self.arguments(action)))
            self._reads[key], self._noting = self.read_parts, False
        return self._reads[key]

    def denial(self, statement: Declaration, action: Action | None, path: Path) -> z3.BoolRef:
        """That a statement does not hold after a path, at an unknown binding.  What is counted after the step is in `counted`.

        Paths that leave alike what the statement speaks of share the term.
        """
        step = action is not None and isinstance(statement, StepProperty)
        cells = [path.after._parts[part] for part in sorted(self.reads(statement, action if step else None))]
        key = statement.name, action.name if step and action else "", len(cells)
        for known, term in self._denials.get(key, []):
            if all(here is there for here, there in zip(cells, known, strict=True)):
                self.counted = []
                return term
        self.counted = []
        assert action is not None or not step
        states = self.of_step(action, path) if step and action else (path.after,)
        term = negated(self.instance(statement, *states)[1])
        if not self.counted:
            self._denials.setdefault(key, []).append((cells, term))
        return term

    def of_step(self, action: Action, path: Path) -> tuple[System, System, Call]:
        """What a step property takes before its parameters, for a path."""
        return self.state, path.after, Call(action.name, self.arguments(action))
