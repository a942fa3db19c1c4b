"""What is looked at after a step though nobody asked: all that the specification says, once for sequences that begin alike."""

from __future__ import annotations

import random
from typing import Any

import conforming

from oneowner.checker.conform import Conformance
from oneowner.checker.session import Session
from oneowner.checker.suite import Sequence, stored_suite
from oneowner.model.language import EFFECTIVE, reading
from oneowner.reference_impl import implementation
from oneowner.spec import SPEC

SUITE = stored_suite(SPEC)


def test_after_each_step_the_probes_are_those_that_the_specification_says_whatever_others_were_asked_before() -> None:
    sequences = [s for s in SUITE if not s.cycle]
    for sequence in random.Random(5).sample(sequences, 60):
        session = Session(SPEC, implementation(), sequence.sizes(SPEC))
        for name, arguments in sequence.calls:
            begins, before, had = len(session.recorded), session.vector, handles(session)
            exit = session.compare_values(name, arguments)
            if exit not in EFFECTIVE:
                continue
            made = [call.operation for call in session.recorded[begins + 1 :]]
            with reading(session.model):
                said = SPEC.probes(session.model.system(before), session.model.system(session.vector), session.scope)
                # what was never shown, as a file's region, nobody can name
                wanted = [operation for operation, values in said if can_be_named(operation, values, had | handles(session))]
            assert made == wanted


def handles(session: Session) -> set[tuple[Any, int]]:
    return {(kind, element) for kind, names in session.names.items() for element in names.handle}


def can_be_named(operation: str, values: dict[str, Any], known: set[tuple[Any, int]]) -> bool:
    sorts = {slot.name: slot.type for slot in SPEC.actions[operation].slots if slot.type in SPEC.unused and slot.type.handles}
    return all((sorts[name], value) in known for name, value in values.items() if name in sorts)


class Counts(conforming.Around):
    """Takes note of all calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        self.calls.append([])
        return super().reset(topology)

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.calls[-1].append(operation)
        return super().call(operation, arguments)


def test_sequences_that_begin_alike_are_looked_at_once_there() -> None:
    steps = next(s for s in SUITE if s.cycle is None and len(s.calls) > 20)
    half = Sequence(steps.scope, steps.calls[:12], steps.clauses)
    counts = Counts()
    Conformance(SPEC, counts, "counts", (half, steps, steps)).run()
    _smoke, first, whole, again = counts.calls
    assert len(first) > 12, "nothing was looked at"
    assert whole[:12] == [name for name, _ in steps.calls[:12]]
    assert len(whole) > len(steps.calls), "what is new was not looked at"
    assert again == [name for name, _ in steps.calls]


def test_the_tenth_refused_call_is_looked_after_wherever_sequences_began_alike() -> None:
    refused = (("free", {"caller": 1, "region": 1}),) * 12
    counts = Counts()
    Conformance(SPEC, counts, "counts", [Sequence("", refused[:n], ("free/EFAULT",)) for n in (6, 12)]).run()
    _smoke, six, twelve = counts.calls
    assert six == ["free"] * 6
    assert twelve[:10] == ["free"] * 10
    assert twelve[10] != "free"
    assert twelve[-2:] == ["free"] * 2


class Consumes(conforming.Around):
    """Uses up the lists that it is given."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        for value in arguments.values():
            if isinstance(value, list):
                value.clear()
        return answer


def test_what_an_implementation_does_with_its_arguments_is_its_own_affair() -> None:
    suite = [s for s in SUITE if "select/ok" in s.clauses][:30]
    report = Conformance(SPEC, Consumes(), "consumes", suite).run()
    assert not report.having("fail", "flaky")
