"""Implementations for tests of conformance: the reference implementation, with something else about it."""

from __future__ import annotations

from typing import Any

from oneowner.checker import Unsupported
from oneowner.checker.adapters import connect


class Around:
    """The reference implementation, to be changed in one respect."""

    def __init__(self) -> None:
        self.machine: Any = connect("py:oneowner.reference_impl")

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        handles: dict[str, str] = self.machine.reset(topology)
        return handles

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.machine.call(operation, arguments)
        return answer

    def settle(self) -> list[dict[str, Any]]:
        late: list[dict[str, Any]] = self.machine.settle()
        return late


class WithoutFree(Around):
    """Has no free()."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if operation == "free":
            raise Unsupported("free")
        return super().call(operation, arguments)


class WithoutGuests(Around):
    """Has no create_partition(), without which there is little to test."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if operation == "create_partition":
            raise Unsupported("create_partition")
        return super().call(operation, arguments)


class Nothing(Around):
    """Has no operation."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        raise Unsupported(operation)


class AnotherOrder(Around):
    """Tells a terminated partition that memory is used up, if it is: another error that applies."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        if operation == "allocate" and answer == {"error": "ESRCH"}:
            return {"error": "ENOMEM"} if self.full else answer
        if operation == "allocate":
            self.full = answer == {"error": "ENOMEM"}
        return answer

    full = False


class OneError(Around):
    """Refuses everything with one error."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"error": "EINVAL"} if "error" in answer else answer


class Flaky(Around):
    """Allocates wrongly the first time after it was made, then never again."""

    done = False

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        if operation == "allocate" and "ok" in answer and not Flaky.done:
            Flaky.done = True
            return {"error": "ENOMEM"}
        return answer


class Indeterminate(Around):
    """Does not know of every third allocation and of every free whether it happened; of those it does every other one."""

    count = 0

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if operation not in ("allocate", "free", "close_port"):
            return super().call(operation, arguments)
        self.count += 1
        if self.count % 3:
            return super().call(operation, arguments)
        if self.count % 2:
            super().call(operation, arguments)
        return {"indeterminate": None}


class ForgetsTheIndeterminate(Indeterminate):
    """And frees a region twice for good measure: no possibility explains it."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"ok": None} if operation == "free" and answer == {"error": "EFAULT"} else answer


class ForgetsHalf(Around):
    """Does not create every second partition that it says it has created."""

    count = 0

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        if operation == "create_partition" and "ok" in answer:
            self.count += 1
            if self.count % 2 == 0:
                self.machine.call("terminate", {"caller": arguments["caller"], "partition": answer["ok"]})
        return answer
