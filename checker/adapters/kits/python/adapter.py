"""START HERE: the adapter between `oneowner conform` and your implementation.

1. Try it as it is: `make try`.  Every call is answered "unsupported".
2. Let `reset` start your system afresh.
3. Write a method for an operation and give it a line in `operations`: create_partition and allocate are good first ones.
   `oneowner show operations` lists all, with arguments and outcomes.
4. `make smoke` after each one, `make conform` when several are there.

A method looks like this one, which answers with a handle: a string that you pick, and never pick again.

    def create_port(self, call: Call, receiver: str) -> str:
        error, port = my_create_port(call.actor, receiver)
        if error:
            raise Outcome(error)  # "EBADF", "EISCONN", "ENOMEM"
        return port

README.md says how to answer in other ways.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oneowner_adapter import run


class Adapter:
    """TODO: your implementation, or what reaches it."""

    name = "my implementation"
    version = ""

    # TODO: the profiles that you mean to support, such as "core".
    profiles: list[str] = []

    # TODO: the most that your system can have of a thing, such as {"partitions": 8}; what is not here is not limited.
    limits: dict[str, int] = {}

    def __init__(self) -> None:
        self.operations: dict[str, Callable[..., Any]] = {
            # "create_port": self.create_port,
        }

    def reset(self, topology: dict[str, int]) -> dict[str, str]:
        # TODO: forget everything, and make a new system with the sizes that were asked for: topology["partitions"], ...
        return {"SYSTEM": "p1"}


if __name__ == "__main__":
    run(Adapter())
