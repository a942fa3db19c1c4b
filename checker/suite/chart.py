"""Charts: the explored graph of a scope in numbers, for who looks for ways through it; a part of one needs no exploring."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ...model.concrete import Model, Outcome, Vector
from ...model.graph import explore, with_fresh_names
from ...model.language import EFFECTIVE, Spec, Step, Type, answer_fields, reading

ELSEWHERE = -1
"""The number of a state that is not in the graph: the opening may pass through such."""

Element = tuple[Type, int]
Result = tuple[tuple[str, ...], Vector]
"""What a call comes to: its clauses and the state after it."""


@dataclass(frozen=True)
class Move:
    """A call, its clauses (its own, then those of the late answers that it brings) and the state that it leads to."""

    call: Step
    clauses: tuple[str, ...]
    after: int

    @property
    def clause(self) -> str:
        """Its own clause."""
        return self.clauses[0]

    @property
    def refused(self) -> bool:
        """Whether it is refused, and so leads to where it is made."""
        return self.clause.partition("/")[2] not in EFFECTIVE


@dataclass(frozen=True)
class Chart:
    """A scope's graph: `opening` leads from the state `first` to state 0; the states are numbered in the order of discovery.

    `moves` are those of each state: of all calls with the same clauses to the same state, the first one whose handles have been
    shown.  Without such a one, a refusal is taken that a handle which was never given out is to come to as well.
    """

    opening: tuple[Move, ...]
    first: int
    moves: tuple[tuple[Move, ...], ...]

    def part(self, operations: Collection[str]) -> Chart:
        """The chart of what is reached with these operations alone, as exploring with them would give it."""
        number, order = {0: 0}, [0]
        for state in order:
            for move in self.moves[state]:
                if move.call[0] in operations and move.after not in number:
                    number[move.after] = len(order)
                    order.append(move.after)

        def kept(moves: Iterable[Move]) -> tuple[Move, ...]:
            return tuple(replace(m, after=number.get(m.after, ELSEWHERE)) for m in moves if m.call[0] in operations)

        return Chart(kept(self.opening), number.get(self.first, ELSEWHERE), tuple(kept(self.moves[state]) for state in order))

    def shortest(self) -> list[tuple[Move, ...]]:
        """A shortest way to each state, the opening's calls first."""
        ways, order = {0: self.opening}, [0]
        for state in order:
            for move in self.moves[state]:
                if move.after not in ways:
                    ways[move.after] = (*ways[state], move)
                    order.append(move.after)
        return [ways[state] for state in range(len(self.moves))]


def chart(spec: Spec, name: str) -> Chart:
    """The chart of a scope, by the name of its exploration."""
    exploration = spec.explorations[name]
    model = Model(spec, exploration.sizes, exploration.arguments)
    opening = spec.opening(exploration)
    handles = _Handles(model)
    calls: dict[Vector, dict[Result, Step]] = {}
    doubtful: dict[Vector, dict[Result, Step]] = {}

    def tried(before: Vector, call: Step, outcome: Outcome) -> None:
        clauses = handles.after(before, call, outcome)
        known = handles.known(before, call)
        if known or not outcome.effective:
            (calls if known else doubtful).setdefault(before, {}).setdefault((clauses, outcome.state), call)

    passed, leading = [model.initial()], []
    for call in with_fresh_names(model, opening):
        outcome = model.step(spec.actions[call[0]], passed[-1], call[1])
        leading.append((call, handles.after(passed[-1], call, outcome)))
        passed.append(outcome.state)
    graph = explore(model, without=spec.left_out(exploration), opening=opening, statements=frozenset(), tried=tried)
    number = {vector: index for index, vector in enumerate(graph.parents)}
    moves = tuple(
        tuple(Move(call, clauses, number[after]) for (clauses, after), call in each.items())
        for each in (doubtful.get(vector, {}) | calls.get(vector, {}) for vector in graph.parents)
    )
    to = [number.get(vector, ELSEWHERE) for vector in passed]
    whole = Chart(tuple(Move(*move, after) for move, after in zip(leading, to[1:], strict=True)), to[0], moves)
    # without the states to which no call leads that can be made
    return whole.part(spec.actions)


class _Handles:
    """Which elements have a handle that was shown, on the first way to each state: a call cannot name any other that lives."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.sorts = [kind for kind in model.spec.unused if kind.handles]
        self.hidden: dict[Vector, set[Element]] = {model.initial(): set()}

    def known(self, vector: Vector, call: Step) -> bool:
        """Whether a call names none that is hidden."""
        hidden, (name, arguments) = self.hidden[vector], call
        return not hidden or not any((s.type, arguments[s.name]) in hidden for s in self.model.spec.actions[name].slots)

    def after(self, before: Vector, call: Step, outcome: Outcome) -> tuple[str, ...]:
        """Take note of what a call shows, itself or by the late answers that it brings; its clauses."""
        spec, (name, _) = self.model.spec, call
        late = []
        if spec.late is not None and outcome.shown is not outcome.state:
            late = list(spec.late(self.model.system(before), self.model.system(outcome.shown), self.model.scope))
        if outcome.state not in self.hidden:
            answers = [(name, outcome.answer), *((each.operation, each.answer) for each in late)]
            hidden = self._living(outcome.state) - (self._living(before) - self.hidden[before])
            self.hidden[outcome.state] = hidden.difference(*(self._shown(*answer) for answer in answers))
        return f"{name}/{outcome.exit}", *(each.clause for each in late)

    def _living(self, vector: Vector) -> set[Element]:
        system = self.model.system(vector)
        with reading(self.model):
            return {
                (kind, element)
                for kind in self.sorts
                for element in self.model.domain(kind)
                if not self.model.spec.unused[kind].function(system, element)
            }

    def _shown(self, operation: str, answer: Any) -> list[Element]:
        if answer is None:
            return []
        fields = answer_fields(self.model.spec.actions[operation].answer)
        return [(kind, answer[at] if name else answer) for at, (name, kind) in enumerate(fields) if kind in self.sorts]
