"""The reference implementation as a system in which partitions and connected ports are there from the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oneowner.checker import Unsupported
from oneowner.checker.adapters import Capabilities, Introduction, connect
from oneowner.spec import SPEC

assert SPEC.given
MAKE = SPEC.given.operations
HAS = SPEC.profile("transfer") - MAKE


def introduction(*profiles: str) -> Any:
    return Introduction(1, "paired", "7", profiles=list(profiles), capabilities=Capabilities(given=True))


class Paired:
    """What makes channels is called here, not by the checker; `variant` is a broken one, say."""

    def __init__(self, variant: str = "") -> None:
        self.machine: Any = connect(f"py:oneowner.reference_impl{variant}")
        self.introduction = introduction("transfer")
        self.handles: dict[str, str] = {}
        self.given: dict[str, Any] = {}

    def reset(self, topology: dict[str, Any], given: dict[str, Any]) -> dict[str, str]:
        system = self.machine.reset(topology)["SYSTEM"]
        self.given, self.handles = given, {"SYSTEM": system}
        for name in given["partitions"]:
            if name not in self.handles:
                self.handles[name] = self._do("create_partition", caller=system)
        for channel in given["channels"]:
            ends = sorted(channel.items(), key=lambda end: end[0] != "SYSTEM")
            for partition, port in ends:
                caller = self.handles[partition]
                self.handles[port] = self._do("create_port", caller=caller, receiver=self._do("create_receiver", caller=caller))
            (asks, mine), (grants, theirs) = ((self.handles[one], self.handles[end]) for one, end in ends)
            self._do("connect", caller=asks, port=mine, partition=grants, service=1)
            signal = self._do("take_signal", caller=grants)
            self._do("accept", caller=grants, signal=signal["signal"], port=theirs)
        return {"SYSTEM": "SYSTEM"}

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if operation not in HAS:
            raise Unsupported(operation)
        known = {name: self.handles.get(v, v) if isinstance(v, str) else v for name, v in arguments.items()}
        answer: dict[str, Any] = self.machine.call(operation, known)
        return answer

    def settle(self) -> list[dict[str, Any]]:
        late: list[dict[str, Any]] = self.machine.settle()
        return late

    def _do(self, operation: str, **arguments: Any) -> Any:
        return self.machine.call(operation, arguments)["ok"]


def implementation() -> Paired:
    return Paired()


def __getattr__(name: str) -> Callable[[], Paired]:
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda: Paired(f".bugs:{name}")
