"""The proof: everything is proved for any size, and what is wrong is refuted in words."""

from __future__ import annotations

import pytest
from planting import changed
from token_ring import AT_NONE, BRANCHES, COUNTS, LATE, NUMBERS, RING

from oneowner.checker.explore import story
from oneowner.checker.prove import Obligation, prove
from oneowner.checker.report import refutation
from oneowner.model.reading import SpecError
from oneowner.model.spec import Spec
from oneowner.spec import SPEC

DELETIONS = {
    "the unmapping in send": ("send", "system.mapped[caller, region] = False"),
    "the scrub in free": ("free", "system.content.where(lambda r, place: r == region, none)"),
    "the pending event in accept": ("accept", "raise_event(system, system.port_receiver[client])"),
    "the refund in refuse": ("refuse", "refund(system, signal)"),
}


def without(operation: str, line: str, instead: str = "pass") -> Spec:
    return SPEC.replace(**{operation: changed(SPEC.actions[operation].function, line, instead)})


def refuted(spec: Spec, operation: str, *, traces: bool = False) -> list[Obligation]:
    report = prove(spec, chosen_operations=[operation], traces=traces)
    assert report.count("unknown") == 0
    return [o for o in report.obligations if o.status == "refuted"]


def test_every_invariant_is_proved_for_any_size_and_every_exit_is_possible() -> None:
    report = prove(SPEC)
    assert {o.status for o in report.obligations} == {"proved"}
    assert report.vacuous == []
    assert report.exits == 121
    assert set(report.paths) == {"initially", *SPEC.actions}


def test_every_operation_meets_every_statement() -> None:
    report = prove(SPEC, chosen_operations=["send", "terminate"])
    for operation in ("send", "terminate"):
        met = {o.statement for o in report.obligations if o.operation == operation}
        assert {*SPEC.invariants, *SPEC.step_properties, "well_defined", "refusal_is_identity"} <= met


@pytest.mark.parametrize("what", DELETIONS)
def test_deleting_it_is_refuted_with_a_trace_of_at_most_12_calls_in_words(what: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    operation, line = DELETIONS[what]
    spec = without(operation, line)
    found = refuted(spec, operation, traces=True)
    assert found
    example = found[0].counterexample
    assert example is not None
    assert example.trace is not None
    assert len(example.trace) <= 12
    assert example.trace[-1][0] == operation
    told = "\n".join(refutation(spec, found[0], tmp_path))
    statement = {**SPEC.invariants, **SPEC.step_properties}[found[0].statement]
    assert statement.text in told
    assert story(spec, example.trace_scope or {}, example.trace)[0].split()[1].startswith("create_") or operation == "free"


GUARDS = [
    ("send", "require(system.carried_by[region] == none, EBUSY)"),
    ("send", "require(system.inbox[peer].length < system.queue_depth, EAGAIN)"),
    ("send", "require((region == none) | room_for_one(system, receiver, PROGRAM_MEMORY), ENOMEM)"),
    ("accept", "require(may_connect(system, port), EISCONN)"),
    ("accept_event", "require(unserving(system, receiver), EISCONN)"),
    ("connect", "require(partition != caller, EINVAL)"),
    ("create_receiver", "require(room_for_one(system, caller, EVENT_PORTS), ENOMEM)"),
    ("request_event", "require(room_for_one(system, caller, MANAGEMENT_MEMORY), ENOMEM)"),
    ("destroy_receiver", "require((system.served_port[receiver] == none) & negation(system.serves_signals[receiver]), EBUSY)"),
    ("free", "require(system.carried_by[region] == none, EBUSY)"),
    ("boot", "require(system.boot_order[SYSTEM].head == partition, EBUSY)"),
    ("set_limit", "require(used(system, partition, kind) <= amount, EBUSY)"),
    ("set_limit", "require(caller == SYSTEM, EPERM)"),
    ("terminate", "require(partition != SYSTEM, EPERM)"),
    ("read_memory", "require(system.mapped[caller, region], EFAULT)"),
]

EFFECTS = [
    ("send", "system.inbox[peer].push(message)"),
    ("receive", "system.carried_by[region] = none"),
    ("receive", "message = system.inbox[port].pop()"),
    ("close_port", "system.owner.where(lambda region: before.inbox.of(before.carried_by[region]) == port, none)"),
    ("close_port", "system.port_status[peer] = PEER_CLOSED"),
    ("close_port", "refund(system, signal)"),
    ("cancel", "withdraw(system, signal)"),
    ("take_signal", "signal = system.signals[caller].pop()"),
    ("destroy_sender", "refund(system, signal)"),
    ("terminate", "_close_ports(system, before, partition)"),
    ("terminate", "_drop_signals(system, before, partition)"),
    ("terminate", "_free_regions(system, before, partition)"),
    ("terminate", "_drop_events(system, before, partition)"),
    ("terminate", "system.limited.where(lambda p, kind: p == partition, False)"),
    ("terminate", "system.boot_order.remove(partition)"),
]


@pytest.mark.parametrize(("operation", "line"), GUARDS, ids=lambda v: v[:40])
def test_an_operation_without_one_of_its_guards_is_refuted(operation: str, line: str) -> None:
    assert refuted(without(operation, line), operation)


@pytest.mark.parametrize(("operation", "line"), EFFECTS, ids=lambda v: v[:40])
def test_an_operation_without_one_of_its_effects_is_refuted(operation: str, line: str) -> None:
    instead = line.replace(".pop()", ".head") if ".pop()" in line else "pass"
    assert refuted(without(operation, line, instead), operation)


def test_a_selection_proves_what_it_names_and_no_more() -> None:
    report = prove(SPEC, chosen_operations=["send"], chosen_statements=["exclusive_mapping"])
    assert [(o.operation, o.statement, o.status) for o in report.obligations] == [("send", "exclusive_mapping", "proved")]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (LATE, "refuses with STRANGER after an effect"),
        (COUNTS, "counted after an effect"),
        (BRANCHES, "a statement .* branches on the state"),
        (NUMBERS, "wants the number behind a name"),
    ],
)
def test_a_spec_that_the_reading_cannot_answer_is_told_what_to_do(spec: Spec, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        prove(spec)


def test_a_write_at_none_is_refuted_as_not_well_defined() -> None:
    report = prove(AT_NONE, chosen_operations=["give"], traces=False)
    assert "well_defined" in {o.statement for o in report.obligations if o.status == "refuted"}


def test_an_operation_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(SpecError, match="no operation is called 'steal'; there are initially, join"):
        prove(RING, chosen_operations=["steal"])
