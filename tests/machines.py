"""What the tests of the machine share: a machine behind its interface, with guests and sockets."""

from __future__ import annotations

from typing import Any

from oneowner.reference_impl import Interface, Policy, ResourceRequest, SystemControlProgram, implementation

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


def guest_request(at: Machine) -> tuple[str, str, int, str]:
    """A process suspended in connect_socket, and the signal that the guest took."""
    guest, process = at.guest(), at.process()
    fd = at.ok("socket", process=process, mode="FILE")
    at.suspends("connect_socket", process=process, fd=fd, partition=guest, service=1)
    taken = at.ok("take_signal", caller=guest)
    assert (taken["kind"], taken["source"]) == ("CHANNEL", at.system)
    return guest, process, fd, taken["signal"]
