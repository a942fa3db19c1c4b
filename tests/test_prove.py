"""The proof: everything is proved for any size, and what is wrong is refuted in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from counted import COUNTED
from planting import changed
from sampling import one_in
from token_ring import AT_NONE, BRANCHES, COUNTS, LATE, NUMBERS, RING

from oneowner.checker.explore import story
from oneowner.checker.prove import Obligation, planned, prove
from oneowner.checker.reports import refutation
from oneowner.model.language import Spec, SpecError, load
from oneowner.model.symbolic import clauses
from oneowner.spec import SPEC

DELETIONS = {
    "the unmapping in send": ("send", "hand_over", "system.mapped[sender, region] = False"),
    "the scrub in free": ("free", "", "system.content.where(lambda r, place: r == region, none)"),
    "the pending event in accept": ("accept", "join", "raise_event(system, system.port_receiver[client])"),
    "the refund in refuse": ("refuse", "withdraw_all", "system.payer.where(gone, none)"),
}


def without(operation: str, within: str, line: str, instead: str = "pass") -> Spec:
    """The specification with `line` of an operation, or of a function that it calls, left out."""
    return SPEC.replace(**{operation: changed(SPEC.actions[operation].function, line, instead, within=within)})


def refuted(spec: Spec, operation: str, *statements: str, traces: bool = False) -> list[Obligation]:
    report = prove(spec, chosen_operations=[operation], chosen_statements=statements, traces=traces, alone=True)
    assert report.count("unknown") == 0
    return [o for o in report.obligations if o.status == "refuted"]


def test_every_invariant_is_proved_for_any_size_and_every_exit_is_possible() -> None:
    report = prove(load("oneowner.spec:SPEC"), jobs=2, alone=True)
    assert {o.status for o in report.obligations} == {"proved"}
    assert report.vacuous == []
    assert report.exits == COUNTED["exits"]
    assert [(o.operation, o.exit, o.statement) for o in report.obligations] == planned(SPEC)
    assert len(report.obligations) == COUNTED["obligations"]
    assert set(report.paths) == {"initially", *SPEC.actions}
    met: dict[str, set[str]] = {}
    for o in report.obligations:
        met.setdefault(o.operation, set()).add(o.statement)
    refusing = {clause.partition("/")[0] for clause in clauses(SPEC) if "/E" in clause}
    for operation in SPEC.actions:
        every = {*SPEC.invariants, *SPEC.step_properties, "well_defined"}
        assert met[operation] - {f"{c.name}.order" for c in SPEC.components} == every | (
            {"refusal_is_identity"} if operation in refusing else set()
        )


@pytest.mark.parametrize("what", one_in(2, DELETIONS))
def test_deleting_it_is_refuted_with_a_trace_of_at_most_12_calls_in_words(what: str, tmp_path: Path) -> None:
    operation, within, line = DELETIONS[what]
    spec = without(operation, within, line)
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
    ("send", "", "require(unheld(system, region), EBUSY)", "queued_once"),
    ("send", "", "require(system.inbox[peer].length < system.queue_depth, EAGAIN)", "queue_bound"),
    ("send", "", "require((region == none) | room_for_one(system, receiver, PROGRAM_MEMORY), ENOMEM)", "limit_respected"),
    ("send", "", "require(system.port_status[port] != PEER_CLOSED, EPIPE)", "messages_wait_at_open_ports"),
    ("accept", "", "require(may_connect(system, port), EISCONN)", "connecting_has_a_request"),
    ("accept_event", "", "require(unserving(system, receiver), EISCONN)", "sender_one_to_one"),
    ("connect", "", "require(partition != caller, EINVAL)", "peers_symmetric"),
    ("connect", "", " & negation(system.forbidden[service, caller])", "permission_respected"),
    ("connect", "", "(place | (system.waiters[listener].head != none))", "backlog_bound_respected"),
    ("create_receiver", "", "require(room_for_one(system, caller, EVENT_PORTS), ENOMEM)", "limit_respected"),
    ("request_event", "", "require(room_for_one(system, caller, MANAGEMENT_MEMORY), ENOMEM)", "limit_respected"),
    (
        "destroy_receiver",
        "",
        "require((system.served_port[receiver] == none) & negation(system.serves_signals[receiver]), EBUSY)",
        "every_port_has_a_receiver",
    ),
    ("free", "", "require(unheld(system, region), EBUSY)", "process_mapping_within"),
    ("boot", "", "require(system.boot_order[SYSTEM].head == partition, EBUSY)", "boot_order"),
    ("set_limit", "", "require(used(system, partition, kind) <= amount, EBUSY)", "limit_respected"),
    ("set_limit", "", "require(caller == SYSTEM, EPERM)", "layer_respected"),
    ("terminate", "", "require(partition != SYSTEM, EPERM)", "system_is_active"),
    ("read_memory", "", "require(system.mapped[caller, region], EFAULT)", "no_access_after_unmap"),
    ("allocate", "standing", "require(system.status[caller] == ACTIVE, ESRCH)", "terminated_is_empty"),
    ("take_region", "", "require(system.kept_for[region] == caller, EFAULT)", "set_aside_stays"),
    ("release_processor", "", "require(negation(system.processor_runs[processor]), EBUSY)", "processors_run_in_the_living"),
    ("stop_processor", "", "require(may_run(system, caller, processor), EBADF)", "processor_integrity"),
    ("grant", "", "require(amount <= system.request_amount[request], EINVAL)", "grant_is_within_the_request"),
    ("grant", "", "require(amount <= kept + system.pool[kind], ENOMEM)", "well_defined"),
    ("detach", "", "require(system.shared_owner[shared] != caller, EBUSY)", "attached_to_what_is_there"),
    ("write_shared", "", "require(system.attached[caller, shared], EFAULT)", "shared_content_flow"),
    ("accept_attach", "", "require(taken(system, caller, signal), EBADF)", "attached_by_consent"),
    ("bind", "", "require(system.bound_at[service] == none, EADDRINUSE)", "service_unique"),
    ("listen", "", "require(system.backlog[fd].length <= backlog, EBUSY)", "backlog_bound_respected"),
    ("accept_socket", "", "require(room_for_one(system, SYSTEM, EVENT_PORTS), ENOMEM)", "limit_respected"),
    ("connect_socket", "", "require(room_for_one(system, SYSTEM, MANAGEMENT_MEMORY), ENOMEM)", "limit_respected"),
    ("read_socket", "running", "require(system.life[process] == RUNNING, EBUSY)", "suspended_until_answered"),
    ("send_file", "", " & negation(system.unlinked[file])", "unlinked_is_open"),
    ("send_file", "_has_room", "require(system.inbox[peer].length < system.queue_depth, EAGAIN)", "queue_bound"),
    ("send_mapped", "", "require((address == none) | system.process_mapped[process, address], EINVAL)", "transfer_is_whole"),
    ("open", "", "require(named(system, file), ENOENT)", "file_table"),
    ("read_file", "", "require(system.fd_file[fd] != none, ESTALE)", "no_access_after_unmap"),
    ("write_mapped", "", "require(system.process_mapped[process, address], EFAULT)", "content_flow"),
]
"""What an operation asks (with what it asks it through, if not itself), and a statement that does not hold without."""

EFFECTS = [
    ("send", "enqueue", "system.inbox[port].push(message)", "messages_wait_at_open_ports"),
    ("send", "", "wake_readers_of(system, socket)", "no_missed_resume"),
    ("send", "", "system.waiters.remove(process)", "suspended_where"),
    ("send", "wake_readers_of", "wake_all(system, lambda process: before.watching[process, fd], COMPLETED)", "no_missed_resume"),
    ("receive", "dequeue", "system.carried_by[region] = none", "carried_links"),
    ("receive", "dequeue", "message = system.inbox[port].pop()", "received_once"),
    ("receive", "", "wake_writers_of(system, system.port_fd[system.peer[port]])", "no_missed_resume"),
    ("close_port", "destroy_ports", "free_regions(system, inside)", "carried_links"),
    ("close_port", "destroy_ports", "withdraw_all(system, lambda signal: gone(before.signal_port[signal]))", "signal_shape"),
    ("close_port", "destroy_ports", "system.port_status.where(left, PEER_CLOSED)", "peers_symmetric"),
    (
        "close_port",
        "destroy_ports",
        "system.pending.where(lambda receiver: left(before.served_port[receiver]), True)",
        "no_lost_wakeup",
    ),
    ("close_port", "destroy_ports", "_end_of_channel(system, lambda fd: left(before.socket_port[fd]))", "no_missed_resume"),
    ("close_port", "_end_of_channel", "wake_all(system, watched, COMPLETED)", "no_missed_resume"),
    ("close", "destroy_ports", "system.receiver_owner.where(kernels, none)", "pending_stays_until_read"),
    ("close", "destroy_ports", "system.port_fd.where(gone, none)", "socket_links"),
    ("cancel", "", "withdraw(system, signal)", "connecting_has_a_request"),
    ("take_signal", "", "signal = system.signals[caller].pop()", "a_taken_signal_leaves"),
    ("destroy_sender", "", "refund(system, signal)", "charge_exact"),
    ("refuse", "refuse_all", "system.port_status.where(asked, REFUSED)", "connecting_has_a_request"),
    ("refuse", "refuse_all", "system.descriptor.where(turned_down, CREATED)", "socket_states"),
    ("connect", "_arrive", "system.set_aside[process] = none", "set_aside_links"),
    ("connect", "_arrive", "wake_readers_of(system, listener)", "no_missed_resume"),
    ("accept", "", "wake_all(system, lambda process: before.waiters.of(process) == socket, COMPLETED)", "no_missed_resume"),
    ("accept_socket", "", "system.set_aside[process] = new", "set_aside_links"),
    ("accept_socket", "", "system.waiters[fd].push(process)", "suspended_where"),
    ("accept_socket", "", "join(system, client, port)", "connecting_has_a_request"),
    ("destroy_shared", "", "refuse_all(system, lambda signal: before.signal_shared[signal] == shared)", "attach_requests_stand"),
    ("reserve_resource", "", "system.pool[kind] = system.pool[kind] - amount", "resources_conserved"),
    ("take_region", "", "system.kept_for[region] = none", "only_free_memory_is_set_aside"),
    ("send_file", "", "system.fd_file.where(lambda other: before.fd_file[other] == file, none)", "file_table"),
    ("send_mapped", "", "system.process_mapped.where(lambda other, region: region == address, False)", "transfer_is_whole"),
    ("release", "free_regions", "system.content.where(lambda region, place: gone(region), none)", "free_is_scrubbed"),
    (
        "release",
        "free_regions",
        "system.process_mapped.where(lambda process, region: gone(region), False)",
        "process_mapping_within",
    ),
    ("unlink", "free_regions", "system.file_region.where(lambda file: gone(before.file_region[file]), none)", "file_links"),
    ("close", "close_descriptors", "refuse_all(system, lambda signal: closed(before.backlog.of(signal)))", "backlog_permitted"),
    ("close", "close_descriptors", "destroy_ports(system, lambda port: gone(before.port_fd[port]))", "descriptor_table"),
    ("close", "close_descriptors", "free_regions(system, last)", "unlinked_is_open"),
    ("close", "close_descriptors", "wake_all(system, waiting, CANCELED)", "suspended_where"),
    (
        "close",
        "close_descriptors",
        "system.set_aside.where(lambda process: closed(before.waiters.of(process)), none)",
        "set_aside_links",
    ),
    (
        "close",
        "close_descriptors",
        "system.bound_at.where(lambda service: closed(before.bound_at[service]), none)",
        "service_links",
    ),
    ("close", "close_descriptors", "system.service.where(closed, none)", "service_links"),
    ("close", "close_descriptors", "system.backlog_bound.where(closed, 0)", "descriptor_table"),
    ("close", "close_descriptors", "system.fd_file.where(closed, none)", "descriptor_table"),
    ("close", "close_descriptors", "system.fd_maker.where(gone, none)", "descriptor_table"),
    ("close", "close_descriptors", "system.mode.where(gone, FILE)", "descriptor_table"),
    ("close", "close_descriptors", "system.descriptor.where(gone, FREE_FD)", "descriptor_table"),
    ("exit", "", "free_regions(system, lambda region: before.region_process[region] == process)", "process_mapping_within"),
    *(
        ("terminate", within, line, "terminated_is_empty")
        for within, line in (
            ("", "destroy_ports(system, lambda port: before.port_owner[port] == partition)"),
            ("", "refuse_all(system, lambda signal: before.signal_at[signal] == partition)"),
            ("", "withdraw_all(system, lambda signal: before.signal_source[signal] == partition)"),
            ("", "free_regions(system, lambda region: before.owner[region] == partition)"),
            ("", "system.kept_for.where(lambda region: before.kept_for[region] == partition, none)"),
            ("_drop_events", "system.receiver_owner.where(my_receiver, none)"),
            ("_drop_events", "system.sender_owner.where(my_sender, none)"),
            ("_drop_shared", "system.shared_owner.where(mine, none)"),
            ("_drop_shared", "system.attached.where(lambda other, shared: mine(shared) | (other == partition), False)"),
            ("_drop_resources", "system.held.where(lambda other, kind: other == partition, 0)"),
            ("_drop_resources", "system.reserve.where(lambda other, kind: other == partition, 0)"),
            ("_drop_resources", "system.limited.where(lambda other, kind: other == partition, False)"),
            ("_drop_resources", "system.requester.where(mine, none)"),
            ("", "system.processor_of.where(lambda processor: before.processor_of[processor] == partition, none)"),
            ("", "system.forbidden.where(lambda service, other: other == partition, False)"),
            ("", "system.boot_order.remove(partition)"),
            ("", "system.booted[partition] = False"),
        )
    ),
    (
        "terminate",
        "",
        "system.carried_on.where(lambda processor, physical: before.processor_of[processor] == partition, False)",
        "only_assigned_are_carried",
    ),
    (
        "terminate",
        "",
        "system.processor_runs.where(lambda processor: before.processor_of[processor] == partition, False)",
        "processors_run_in_the_living",
    ),
    (
        "terminate",
        "_drop_events",
        "system.target.where(lambda sender: my_sender(sender) | my_receiver(before.target[sender]), none)",
        "sender_links",
    ),
    (
        "terminate",
        "_drop_shared",
        "system.shared_content.where(lambda shared, place: mine(shared), none)",
        "free_shared_is_scrubbed",
    ),
    ("terminate", "_drop_resources", "system.pool[kind] = system.pool[kind] + back", "resources_conserved"),
    ("terminate", "_drop_resources", "system.requests.drop(mine)", "request_shape"),
]
"""What an operation does (with what it does it through, if not itself), and a statement that does not hold without."""


def instead_of(line: str) -> str:
    if line.endswith(".pop()"):
        return line.replace(".pop()", ".head")
    if line.startswith(" & "):
        return ""
    return "True" if line.startswith("(") else "pass"


@pytest.fixture
def as_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counterexamples are left as they are found: that there is one is all that is asked."""
    monkeypatch.setattr("oneowner.checker.prove.prover.Prover._smallest", lambda prover, found, *rest: found)


@pytest.mark.usefixtures("as_found")
@pytest.mark.parametrize(("operation", "within", "line", "statement"), one_in(9, GUARDS), ids=lambda v: v[:40])
def test_an_operation_without_one_of_its_guards_is_refuted(operation: str, within: str, line: str, statement: str) -> None:
    assert refuted(without(operation, within, line, instead_of(line)), operation, statement)


@pytest.mark.usefixtures("as_found")
@pytest.mark.parametrize(("operation", "within", "line", "statement"), one_in(11, EFFECTS), ids=lambda v: v[:40])
def test_an_operation_without_one_of_its_effects_is_refuted(operation: str, within: str, line: str, statement: str) -> None:
    assert refuted(without(operation, within, line, instead_of(line)), operation, statement)


def test_a_selection_proves_what_it_names_and_no_more() -> None:
    report = prove(SPEC, chosen_operations=["send"], chosen_statements=["exclusive_mapping"])
    assert [(o.operation, o.statement, o.status) for o in report.obligations] == [("send", "exclusive_mapping", "proved")]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (LATE, "refuses with STRANGER after an effect"),
        (COUNTS, "counted after an effect"),
        (BRANCHES, "a statement .* branches on the state"),
        (NUMBERS, "is wanted as a number"),
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
