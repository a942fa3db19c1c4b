"""The system control OS of the reference implementation, and the program that runs a system on it by a policy."""

from __future__ import annotations

import pytest
from machines import AtMostTwo, Machine, ask, ask_by_message, started

from oneowner.reference_impl import Policy, SystemControlProgram


def test_the_default_policy_boots_every_guest_in_its_order() -> None:
    machine, program = started(Policy(boot_order=("one", "two", "three")))
    assert list(program.partitions) == ["one", "two", "three"]
    for partition in program.partitions.values():
        assert machine.error("boot", caller=machine.system, partition=partition) == "EALREADY"


def test_the_caps_of_the_policy_bind_a_guest() -> None:
    machine, program = started(Policy(caps={"guest A": {"PROGRAM_MEMORY": 1}}))
    capped, free = program.partitions.values()
    machine.ok("allocate", caller=capped)
    assert machine.error("allocate", caller=capped) == "ENOMEM"
    machine.ok("allocate", caller=free)
    machine.ok("allocate", caller=free)


def test_what_the_policy_reserves_for_one_guest_is_not_granted_to_another() -> None:
    machine, program = started(Policy(reserves={"guest A": {"CACHE": 5}}))
    assert ask(machine, program, "guest B", "CACHE", 4) == {"granted": False, "amount": 0}
    assert ask(machine, program, "guest B", "CACHE", 3) == {"granted": True, "amount": 3}
    assert ask(machine, program, "guest A", "CACHE", 5) == {"granted": True, "amount": 5}


def test_the_default_policy_grants_what_is_asked_for() -> None:
    machine, program = started(Policy())
    assert ask(machine, program, "guest A", "PROCESSOR_TIME", 3) == {"granted": True, "amount": 3}
    assert machine.used(program.partitions["guest A"], "PROCESSOR_TIME") == 3


def test_a_replaced_policy_lowers_a_grant() -> None:
    machine, program = started(AtMostTwo())
    assert ask(machine, program, "guest A", "PROCESSOR_TIME", 3) == {"granted": True, "amount": 2}


def test_a_replaced_policy_rejects_a_request() -> None:
    machine, program = started(AtMostTwo())
    assert ask(machine, program, "guest A", "DEVICES", 1) == {"granted": False, "amount": 0}


def test_a_resource_request_sent_as_a_message_gets_its_verdict_as_a_message() -> None:
    machine, program = started(AtMostTwo())
    answers = ask_by_message(machine, program, "guest B", "PROCESSOR_TIME 3", "DEVICES 1", "CACHE 1")
    assert answers == ["GRANTED 2", "REJECTED", "GRANTED 1"]


def test_what_is_granted_by_message_is_kept_for_the_guest_that_asked() -> None:
    machine, program = started(Policy())
    assert ask_by_message(machine, program, "guest B", "BUS 6") == ["GRANTED 6"]
    assert ask(machine, program, "guest A", "BUS", 3)["granted"] is False
    assert ask(machine, program, "guest B", "BUS", 6) == {"granted": True, "amount": 6}


@pytest.mark.parametrize("text", ["", "GOLD 1", "CACHE", "CACHE -1", "CACHE 99", "PROGRAM_MEMORY 1"])
def test_a_message_that_asks_for_nothing_one_can_have_is_rejected(text: str) -> None:
    machine, program = started(Policy())
    assert ask_by_message(machine, program, "guest A", text) == ["REJECTED"]


def test_a_guest_may_not_use_the_service_of_another() -> None:
    machine, program = started(Policy())
    guest = program.partitions["guest A"]
    refused = {"caller": guest, "partition": machine.system, "service": program.policy.service_of("guest B")}
    assert machine.error("connect", port=machine.port(guest), **refused) == "ECONNREFUSED"


def test_the_program_gives_every_descriptor_and_region_of_a_finished_connection_back() -> None:
    machine, program = started(Policy())
    before = [machine.used(machine.system, kind) for kind in ("EVENT_PORTS", "PROGRAM_MEMORY", "MANAGEMENT_MEMORY")]
    guest = program.partitions["guest A"]
    for _ in range(10):
        port = machine.connect(guest, program.policy.service_of("guest A"))
        program.run()
        region = machine.ok("allocate", caller=guest)
        machine.ok("send", caller=guest, port=port, region=region, short="x")
        program.run()
        machine.ok("close_port", caller=guest, port=port)
        program.run()
    after = [machine.used(machine.system, kind) for kind in ("EVENT_PORTS", "PROGRAM_MEMORY", "MANAGEMENT_MEMORY")]
    assert after == before


def test_a_connection_beyond_the_descriptors_is_served_when_another_ends() -> None:
    machine = Machine(fds=2)
    program = SystemControlProgram(machine.interface, Policy(boot_order=("one",)))
    program.start(machine.system)
    guest, service = program.partitions["one"], program.policy.service_of("one")
    ports = []
    for _ in range(2):
        ports.append(machine.connect(guest, service))
        program.run()
    machine.ok("send", caller=guest, port=ports[0], region=None, short="BUS 1")
    assert machine.error("send", caller=guest, port=ports[1], region=None, short="BUS 1") == "ENOTCONN"
    machine.ok("close_port", caller=guest, port=ports[0])
    program.run()
    machine.ok("send", caller=guest, port=ports[1], region=None, short="BUS 1")
    program.run()
    assert machine.ok("receive", caller=guest, port=ports[1])["short"] == "GRANTED 1"


def test_a_guest_that_does_not_take_its_answers_holds_up_no_other() -> None:
    machine, program = started(Policy())
    slow = program.partitions["guest A"]
    port = machine.connect(slow, program.policy.service_of("guest A"))
    program.run()
    for _ in range(4):
        machine.ok("send", caller=slow, port=port, region=None, short="x")
        program.run()
    assert ask_by_message(machine, program, "guest B", "BUS 1") == ["GRANTED 1"]
    for _ in range(4):
        assert machine.ok("receive", caller=slow, port=port)["short"] == "REJECTED"
        program.run()
