"""The system control OS of the reference implementation, and the program that runs a system on it by a policy."""

from __future__ import annotations

from typing import Any

import pytest

from oneowner.reference_impl import Interface, Policy, SystemControlProgram, implementation
from oneowner.reference_impl.bugs import BUGS
from oneowner.reference_impl.policy import ResourceRequest

TOPOLOGY = {
    "partitions": 4,
    "regions": 4,
    "pages_per_region": 2,
    "page_size": 64,
    "receivers": 12,
    "senders": 4,
    "ports": 12,
    "signals": 6,
    "queue_depth": 2,
    "short_limit": 16,
    "fds": 8,
    "capacity": 8,
}
SERVICE = 7
END = {"file": None, "address": None, "short": None, "end": True}


class Machine:
    """An interface with the calls of a test: `ok` for what must succeed, `error` for what must not."""

    def __init__(self, **sizes: int) -> None:
        self.interface: Interface = implementation()
        self.system = self.interface.reset(TOPOLOGY | sizes)["SYSTEM"]

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self.interface.call(operation, arguments)

    def ok(self, operation: str, **arguments: Any) -> Any:
        answer = self.call(operation, **arguments)
        assert "ok" in answer, (operation, answer)
        return answer["ok"]

    def error(self, operation: str, **arguments: Any) -> str:
        answer = self.call(operation, **arguments)
        assert "error" in answer, (operation, answer)
        return str(answer["error"])

    def suspends(self, operation: str, **arguments: Any) -> None:
        assert self.call(operation, **arguments) == {"suspended": None}

    def guest(self) -> str:
        return str(self.ok("create_partition", caller=self.system))

    def process(self) -> str:
        return str(self.ok("create_process", caller=self.system))

    def port(self, guest: str) -> str:
        receiver = self.ok("create_receiver", caller=guest)
        return str(self.ok("create_port", caller=guest, receiver=receiver))

    def connect(self, guest: str, service: int = SERVICE) -> str:
        port = self.port(guest)
        self.ok("connect", caller=guest, port=port, partition=self.system, service=service)
        return port

    def listener(self, process: str, mode: str = "FILE", backlog: int = 2) -> int:
        fd = int(self.ok("socket", process=process, mode=mode))
        self.ok("bind", process=process, fd=fd, service=SERVICE)
        self.ok("listen", process=process, fd=fd, backlog=backlog)
        return fd

    def used(self, partition: str, kind: str) -> int:
        return int(self.ok("query_usage", caller=self.system, partition=partition, kind=kind))


class Channel(Machine):
    """A machine where a guest's port is connected to a socket of a process."""

    def __init__(self, mode: str = "FILE", **sizes: int) -> None:
        super().__init__(**sizes)
        self.client, self.p, self.q = self.guest(), self.process(), self.process()
        self.listening = self.listener(self.p, mode)
        self.client_port = self.connect(self.client)
        self.fd = int(self.ok("accept_socket", process=self.p, fd=self.listening, wait=False))

    def send(self, short: str | None = None, data: str | None = None) -> str | None:
        region = None
        if data is not None:
            region = self.ok("allocate", caller=self.client)
            self.ok("write_memory", caller=self.client, region=region, place=0, data=data)
        self.ok("send", caller=self.client, port=self.client_port, region=region, short=short)
        return region

    def read(self, process: str | None = None) -> Any:
        return self.ok("read_socket", process=process or self.p, fd=self.fd, buffer="GOOD", wait=False)


DATA = "0123456789abcdef"


def started(policy: Policy) -> tuple[Machine, SystemControlProgram]:
    machine = Machine()
    program = SystemControlProgram(machine.interface, policy)
    program.start(machine.system)
    program.run()
    return machine, program


def ask(machine: Machine, program: SystemControlProgram, guest: str, kind: str, amount: int) -> Any:
    """What the program answers a request made by hypercall."""
    partition = program.partitions[guest]
    request = machine.ok("request_resource", caller=partition, kind=kind, amount=amount)
    program.run()
    return machine.ok("take_verdict", caller=partition, request=request)


def ask_by_message(machine: Machine, program: SystemControlProgram, guest: str, *texts: str) -> list[str]:
    """What the program answers messages over one channel."""
    partition = program.partitions[guest]
    port = machine.connect(partition, program.policy.service_of(guest))
    program.run()
    answers = []
    for text in texts:
        machine.ok("send", caller=partition, port=port, region=None, short=text)
        program.run()
        answers.append(machine.ok("receive", caller=partition, port=port)["short"])
    machine.ok("close_port", caller=partition, port=port)
    program.run()
    return answers


class AtMostTwo(Policy):
    """A policy that lowers what is asked for, and rejects what is asked for devices."""

    def verdict(self, request: ResourceRequest) -> int | None:
        return None if request.kind == "DEVICES" else min(2, request.amount)


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


def test_a_suspended_accept_is_answered_late_once() -> None:
    at = Machine()
    guest, process = at.guest(), at.process()
    listening = at.listener(process, backlog=0)
    at.suspends("accept_socket", process=process, fd=listening, wait=True)
    assert at.error("socket", process=process, mode="FILE") == "EBUSY"
    assert at.interface.settle() == []
    port = at.connect(guest)
    assert at.interface.settle() == [{"process": process, "ok": 1}]
    assert at.interface.settle() == []
    assert at.used(guest, "MANAGEMENT_MEMORY") == 0
    at.ok("send", caller=guest, port=port, region=None, short="hi")


def test_two_processes_in_accept_are_answered_in_the_order_they_came() -> None:
    at = Machine()
    guest, first, second = at.guest(), at.process(), at.process()
    listening = at.listener(first)
    for process in (second, first):
        at.suspends("accept_socket", process=process, fd=listening, wait=True)
    at.connect(guest)
    at.connect(guest)
    assert at.interface.settle() == [{"process": second, "ok": 1}, {"process": first, "ok": 2}]


def test_a_descriptor_set_aside_for_an_accept_is_no_descriptor_until_it_is_answered() -> None:
    at = Machine()
    process, other = at.process(), at.process()
    listening = at.listener(process)
    at.suspends("accept_socket", process=process, fd=listening, wait=True)
    assert at.error("close", process=other, fd=1) == "EBADF"
    assert at.ok("socket", process=other, mode="FILE") == 2
    at.ok("close", process=other, fd=listening)
    assert at.interface.settle() == [{"process": process, "error": "ECANCELED"}]
    assert at.ok("socket", process=other, mode="FILE") == 0
    assert at.ok("socket", process=other, mode="FILE") == 1
    assert at.used(at.system, "EVENT_PORTS") == 0


def test_a_forbidden_partition_finds_no_service_even_while_accept_waits() -> None:
    at = Machine()
    guest, process, other = at.guest(), at.process(), at.process()
    at.suspends("accept_socket", process=process, fd=at.listener(process), wait=True)
    at.ok("forbid", process=other, service=SERVICE, partition=guest)
    refused = at.error("connect", caller=guest, port=at.port(guest), partition=at.system, service=SERVICE)
    assert refused == "ECONNREFUSED"


def test_forbid_refuses_what_waits_already_and_refunds_it() -> None:
    at = Machine()
    guest, process = at.guest(), at.process()
    listening = at.listener(process, backlog=1)
    at.connect(guest)
    assert at.used(guest, "MANAGEMENT_MEMORY") == 1
    assert at.error("connect", caller=guest, port=at.port(guest), partition=at.system, service=SERVICE) == "ECONNREFUSED"
    at.ok("forbid", process=process, service=SERVICE, partition=guest)
    assert at.used(guest, "MANAGEMENT_MEMORY") == 0
    assert at.error("accept_socket", process=process, fd=listening, wait=False) == "EAGAIN"


@pytest.mark.parametrize(("buffer", "error"), [("SMALL", "EMSGSIZE"), ("BAD", "EFAULT")])
def test_a_message_stays_after_a_read_with_a_wrong_buffer(buffer: str, error: str) -> None:
    at = Channel()
    at.send("kept", DATA)
    assert at.error("read_socket", process=at.p, fd=at.fd, buffer=buffer, wait=True) == error
    message = at.read()
    assert message["short"] == "kept"
    opened = at.ok("open", process=at.p, file=message["file"])
    assert at.ok("read_file", process=at.p, fd=opened, place=0) == {"data": DATA, "end": False}


def test_a_message_goes_to_the_reader_that_waited_longest() -> None:
    at = Channel("MAPPED")
    for process in (at.q, at.p):
        at.suspends("read_socket", process=process, fd=at.fd, buffer="GOOD", wait=True)
    region = at.send(None, DATA)
    late = {"file": None, "address": region, "short": None, "end": False}
    assert at.interface.settle() == [{"process": at.q, "ok": late}]
    assert at.ok("read_mapped", process=at.q, address=region, place=0) == DATA
    at.ok("close_port", caller=at.client, port=at.client_port)
    assert at.interface.settle() == [{"process": at.p, "ok": END}]
    assert at.error("read_mapped", process=at.p, address=region, place=0) == "EFAULT"


def test_a_file_that_was_sent_is_stale_for_whoever_has_it_open() -> None:
    at = Channel()
    at.send(None, DATA)
    file = at.read()["file"]
    opened = at.ok("open", process=at.q, file=file)
    at.ok("write_file", process=at.q, fd=opened, place=8, data=DATA[::-1])
    at.ok("send_file", process=at.p, fd=at.fd, file=file, short=None)
    assert at.error("read_file", process=at.q, fd=opened, place=0) == "ESTALE"
    assert at.error("write_file", process=at.q, fd=opened, place=0, data=DATA) == "ESTALE"
    assert at.error("open", process=at.q, file=file) == "ENOENT"
    at.ok("close", process=at.q, fd=opened)
    region = at.ok("receive", caller=at.client, port=at.client_port)["region"]
    assert at.ok("read_memory", caller=at.client, region=region, place=8) == DATA[::-1]


def test_a_region_that_was_sent_is_mapped_in_no_process() -> None:
    at = Channel("MAPPED")
    at.send(None, DATA)
    address = at.read()["address"]
    assert at.error("send_mapped", process=at.q, fd=at.fd, address=address, short=None) == "EINVAL"
    at.ok("send_mapped", process=at.p, fd=at.fd, address=address, short=None)
    assert at.error("read_mapped", process=at.p, address=address, place=0) == "EFAULT"
    assert at.error("read_memory", caller=at.system, region=address, place=0) == "EFAULT"


def test_an_unlinked_file_is_there_until_its_last_close() -> None:
    at = Channel()
    at.send(None, DATA)
    file = at.read()["file"]
    opened = [at.ok("open", process=process, file=file) for process in (at.p, at.q)]
    at.ok("unlink", process=at.p, file=file)
    assert at.error("open", process=at.p, file=file) == "ENOENT"
    assert at.error("send_file", process=at.p, fd=at.fd, file=file, short=None) == "ENOENT"
    at.ok("close", process=at.p, fd=opened[0])
    assert at.ok("read_file", process=at.q, fd=opened[1], place=0)["data"] == DATA
    assert at.used(at.system, "PROGRAM_MEMORY") == 1
    at.ok("close", process=at.p, fd=opened[1])
    assert at.used(at.system, "PROGRAM_MEMORY") == 0


def test_a_file_ends_where_its_region_does() -> None:
    at = Machine()
    process = at.process()
    file = at.ok("create_file", process=process)
    opened = at.ok("open", process=process, file=file)
    last = 2 * 64 - 8
    at.ok("write_file", process=process, fd=opened, place=last, data=DATA)
    assert at.ok("read_file", process=process, fd=opened, place=last) == {"data": DATA, "end": False}
    for past in (last + 8, None):
        assert at.error("write_file", process=process, fd=opened, place=past, data=DATA) == "ENOSPC"
        assert at.ok("read_file", process=process, fd=opened, place=past) == {"data": "00" * 8, "end": True}


def test_what_the_kernel_has_is_not_freed_as_a_region() -> None:
    at = Channel("MAPPED")
    at.send(None, DATA)
    address = at.read()["address"]
    assert at.error("free", caller=at.system, region=address) == "EBUSY"
    assert at.ok("read_memory", caller=at.system, region=address, place=0) == DATA
    at.ok("release", process=at.p, address=address)
    assert at.error("free", caller=at.system, region=address) == "EFAULT"


def test_every_select_that_watches_is_woken_and_takes_nothing() -> None:
    at = Channel()
    for process in (at.p, at.q):
        at.suspends("select", process=process, reading=[at.fd, at.listening], writing=[], wait=True)
    at.send("news")
    ready = {"reading": [at.fd], "writing": []}
    assert at.interface.settle() == [{"process": at.p, "ok": ready}, {"process": at.q, "ok": ready}]
    assert at.read()["short"] == "news"


def test_select_for_writing_wakes_when_the_guest_takes_a_message() -> None:
    at = Channel(queue_depth=1)
    at.ok("send_file", process=at.p, fd=at.fd, file=None, short="a")
    at.suspends("select", process=at.p, reading=[], writing=[at.fd], wait=True)
    assert at.error("send_file", process=at.q, fd=at.fd, file=None, short="b") == "EAGAIN"
    at.ok("receive", caller=at.client, port=at.client_port)
    assert at.interface.settle() == [{"process": at.p, "ok": {"reading": [], "writing": [at.fd]}}]


def test_a_message_that_a_reader_takes_wakes_no_select() -> None:
    at = Channel()
    at.suspends("select", process=at.p, reading=[at.fd], writing=[], wait=True)
    at.suspends("read_socket", process=at.q, fd=at.fd, buffer="GOOD", wait=True)
    at.send("once")
    assert [late["process"] for late in at.interface.settle()] == [at.q]


def test_closing_a_descriptor_cancels_whoever_waits_on_it() -> None:
    at = Channel()
    other = at.process()
    at.suspends("select", process=at.p, reading=[at.listening, at.fd], writing=[], wait=True)
    at.suspends("read_socket", process=at.q, fd=at.fd, buffer="GOOD", wait=True)
    at.ok("close", process=other, fd=at.fd)
    cancelled = sorted((late["process"], late["error"]) for late in at.interface.settle())
    assert cancelled == sorted([(at.p, "ECANCELED"), (at.q, "ECANCELED")])
    assert at.error("send", caller=at.client, port=at.client_port, region=None, short=None) == "EPIPE"


def guest_request(at: Machine) -> tuple[str, str, int, str]:
    """A process suspended in connect_socket, and the signal that the guest took."""
    guest, process = at.guest(), at.process()
    fd = at.ok("socket", process=process, mode="FILE")
    at.suspends("connect_socket", process=process, fd=fd, partition=guest, service=1)
    taken = at.ok("take_signal", caller=guest)
    assert (taken["kind"], taken["source"]) == ("CHANNEL", at.system)
    return guest, process, fd, taken["signal"]


def test_a_socket_is_connected_when_the_guest_accepts() -> None:
    at = Machine()
    guest, process, fd, signal = guest_request(at)
    port = at.port(guest)
    at.ok("accept", caller=guest, signal=signal, port=port)
    assert at.interface.settle() == [{"process": process, "ok": None}]
    at.ok("send_file", process=process, fd=fd, file=None, short="hello")
    assert at.ok("receive", caller=guest, port=port)["short"] == "hello"


@pytest.mark.parametrize("ends", [False, True])
def test_a_refused_socket_is_as_new(ends: bool) -> None:
    at = Machine()
    guest, process, fd, signal = guest_request(at)
    if ends:
        at.ok("terminate", caller=guest, partition=guest)
    else:
        at.ok("refuse", caller=guest, signal=signal)
    assert at.interface.settle() == [{"process": process, "error": "ECONNREFUSED"}]
    assert [at.used(at.system, kind) for kind in ("EVENT_PORTS", "MANAGEMENT_MEMORY")] == [0, 0]
    at.ok("bind", process=process, fd=fd, service=1)


def test_exit_gives_everything_back_that_the_process_had() -> None:
    at = Channel("MAPPED")
    at.send(None, DATA)
    at.read()
    at.send("unread", DATA)
    at.connect(at.client)
    at.ok("exit", process=at.p)
    assert at.error("socket", process=at.p, mode="FILE") == "ESRCH"
    assert [at.used(at.system, kind) for kind in ("EVENT_PORTS", "PROGRAM_MEMORY")] == [0, 0]
    assert at.used(at.client, "MANAGEMENT_MEMORY") == 0
    assert at.ok("socket", process=at.q, mode="FILE") == 0


def test_a_system_call_needs_a_process_and_a_hypercall_a_partition() -> None:
    at = Machine()
    process = at.process()
    assert at.error("socket", caller=at.system, mode="FILE") == "ESRCH"
    assert at.error("allocate", process=process) == "ESRCH"
    with pytest.raises(ValueError, match="no mode of a socket"):
        at.call("socket", process=process, mode="PIPE")
    with pytest.raises(ValueError, match="takes"):
        at.call("socket", process=process, mode="FILE", fd=1)


@pytest.mark.parametrize("name", sorted(BUGS))
def test_every_planted_bug_is_a_machine_that_runs(name: str) -> None:
    interface = Interface(BUGS[name])
    system = interface.reset(TOPOLOGY)["SYSTEM"]
    process = interface.call("create_process", {"caller": system})["ok"]
    assert "ok" in interface.call("socket", {"process": process, "mode": "FILE"})
