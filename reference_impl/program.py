"""The system control program: a client of the interface that runs a system by a policy (seed 0048-0049, 0079-0080)."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from .objects import GRANTED
from .policy import Policy, ResourceRequest


class Calls(Protocol):
    """The part of the conformance interface that a program needs: any implementation has it."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One hypercall or system call."""

    def settle(self) -> list[dict[str, Any]]:
        """The late answers since the last settle."""


class CallFailed(Exception):
    """A call was refused that the program cannot do without."""


class SystemControlProgram:
    """Creates and boots the guests, caps them, and answers their requests: those made by hypercall, and those sent as messages.

    A message asks in its short message, as in "PROCESSOR_TIME 3", and is answered "GRANTED 3" or "REJECTED".  What is granted
    so is kept for the guest (reserved): when it then makes its request by hypercall, there is enough for it.

    `start` sets the system up; `run` works until there is nothing to do and leaves the process suspended in select.
    """

    def __init__(self, interface: Calls, policy: Policy) -> None:
        self.interface = interface
        self.policy = policy
        self.system = self.process = ""
        self.partitions: dict[str, str] = {}
        self.listeners: dict[int, str] = {}
        self.connections: dict[int, str] = {}
        self.outgoing: dict[int, deque[str]] = {}
        self.can_accept = True
        self.selecting = False

    # -- the calls --

    def hypercall(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self.interface.call(operation, {"caller": self.system, **arguments})

    def system_call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self.interface.call(operation, {"process": self.process, **arguments})

    def must(self, answer: dict[str, Any]) -> Any:
        if "ok" not in answer:
            raise CallFailed(answer.get("error", "suspended"))
        return answer["ok"]

    # -- the start of the system --

    def start(self, system: str) -> None:
        """Set everything up in the partition `system`, and boot the guests."""
        self.system = system
        self.process = self.must(self.hypercall("create_process"))
        for guest in self.policy.boot_order:
            self.partitions[guest] = self.must(self.hypercall("create_partition"))
            self.set_bounds(guest)
        for guest in self.policy.boot_order:
            self.open_service(guest)
        for partition in self.partitions.values():
            self.must(self.hypercall("boot", partition=partition))

    def set_bounds(self, guest: str) -> None:
        partition = self.partitions[guest]
        for kind, amount in self.policy.caps.get(guest, {}).items():
            self.must(self.hypercall("set_limit", partition=partition, kind=kind, amount=amount))
        for kind, amount in self.policy.reserves.get(guest, {}).items():
            self.must(self.hypercall("reserve_resource", partition=partition, kind=kind, amount=amount))

    def open_service(self, guest: str) -> None:
        service = self.policy.service_of(guest)
        # nobody may get in between listen and forbid, so the permissions are set first
        for other, partition in self.partitions.items():
            if not self.policy.permitted(service, other):
                self.must(self.system_call("forbid", service=service, partition=partition))
        fd = self.must(self.system_call("socket", mode="FILE"))
        self.must(self.system_call("bind", fd=fd, service=service))
        self.must(self.system_call("listen", fd=fd, backlog=self.policy.backlog))
        self.listeners[fd] = guest

    # -- the event loop --

    def run(self) -> None:
        """Do all there is to do."""
        # with no connection whose end could make room, it may have come from elsewhere
        self.can_accept = self.can_accept or not self.connections
        self.decide_requests()
        ready = self.awaited() if self.selecting else self.select()
        while ready is not None:
            for fd in ready["writing"]:
                self.write(fd)
            for fd in ready["reading"]:
                self.read(fd)
            ready = self.select()

    def select(self) -> dict[str, list[int]] | None:
        """What is ready, or None when the process is suspended until something is."""
        # who does not take his answers is not asked for more
        reading = [fd for fd in self.connections if not self.outgoing[fd]]
        if self.can_accept:
            reading += self.listeners
        writing = [fd for fd in self.connections if self.outgoing[fd]]
        answer = self.system_call("select", reading=reading, writing=writing, wait=True)
        self.selecting = "suspended" in answer
        ready: dict[str, list[int]] | None = answer.get("ok")
        return ready

    def awaited(self) -> dict[str, list[int]] | None:
        """The late answer of select, or None while there is none."""
        for late in self.interface.settle():
            if late["process"] == self.process:
                self.selecting = False
                ready: dict[str, list[int]] = self.must(late)
                return ready
        return None

    def read(self, fd: int) -> None:
        if fd in self.listeners:
            self.accept(fd)
            return
        message = self.must(self.system_call("read_socket", fd=fd, buffer="GOOD", wait=False))
        if message["end"]:
            self.hang_up(fd)
            return
        if message["file"] is not None:
            self.must(self.system_call("unlink", file=message["file"]))
        self.outgoing[fd].append(self.answer_message(self.connections[fd], message["short"]))
        self.write(fd)

    def accept(self, fd: int) -> None:
        accepted = self.system_call("accept_socket", fd=fd, wait=False)
        if "ok" not in accepted:
            # out of descriptors or memory: the request waits until a connection ends
            self.can_accept = False
            return
        self.connections[accepted["ok"]] = self.listeners[fd]
        self.outgoing[accepted["ok"]] = deque()

    def write(self, fd: int) -> None:
        """Send what waits to be sent, as far as there is room."""
        waiting = self.outgoing.get(fd)
        while waiting:
            sent = self.system_call("send_file", fd=fd, file=None, short=waiting[0])
            if sent.get("error") == "EAGAIN":
                return
            if sent.get("error") == "EPIPE":
                self.hang_up(fd)
                return
            self.must(sent)
            waiting.popleft()

    def hang_up(self, fd: int) -> None:
        self.must(self.system_call("close", fd=fd))
        del self.connections[fd], self.outgoing[fd]
        self.can_accept = True

    # -- decisions --

    def decide_requests(self) -> None:
        """Answer every request made by hypercall; what the policy grants and the control OS cannot give is rejected."""
        while "ok" in (oldest := self.hypercall("next_request")):
            waiting = oldest["ok"]
            asked = ResourceRequest(self.name_of(waiting["source"]), waiting["kind"], waiting["amount"])
            amount = self.policy.verdict(asked)
            granted = amount is not None and self.hypercall("grant", request=waiting["request"], amount=amount)
            if not granted or "ok" not in granted:
                self.must(self.hypercall("reject", request=waiting["request"]))

    def answer_message(self, guest: str, text: str | None) -> str:
        """The verdict on a request that came as a message (seed 0080)."""
        match (text or "").split():
            case [kind, amount] if kind in GRANTED and amount.isdecimal():
                granted = self.policy.verdict(ResourceRequest(guest, kind, int(amount)))
            case _:
                granted = None
        if granted is None:
            return "REJECTED"
        kept = self.hypercall("reserve_resource", partition=self.partitions[guest], kind=kind, amount=granted)
        return f"GRANTED {granted}" if "ok" in kept else "REJECTED"

    def name_of(self, partition: str) -> str:
        return next((name for name, handle in self.partitions.items() if handle == partition), partition)
