"""How an implementation is reached: a connection string, and its methods.

    reset(topology) -> {"SYSTEM": handle, ...}      start afresh; answers the handles of the constants
    call(operation, arguments) -> answer            {"ok": value}, {"error": name} or {"suspended": None}
    settle() -> [answer]                            what suspended calls got since: {waiter: handle, "ok" or "error": ...}

Handles are strings that the implementation mints; everything else is plain data.  `py:module` reaches a Python
implementation in this process: `module.implementation()`, or `py:module:name` for another callable that makes one.  `exec:`,
`tcp:` and `unix:` reach one that speaks the protocol of docs/protocol.md.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from ...model.language import Spec, import_here
from ..errors import AdapterError
from .line import Process, open_line
from .remote import Budgets, Remote


class Implementation(Protocol):
    """What is behind a connection string."""

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        """Start afresh with the resources of `topology`."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Do one operation."""


def limited(scope: Mapping[str, int], implementation: Implementation) -> dict[str, int]:
    """A scope cut to what an implementation can have."""
    introduction = getattr(implementation, "introduction", None)
    limits = introduction.limits if introduction else {}
    return {name: min(size, limits.get(name, size)) for name, size in scope.items()}


def is_given(implementation: Implementation) -> bool:
    """Whether an implementation takes with reset what there is from the start, in place of the calls that make it."""
    introduction = getattr(implementation, "introduction", None)
    return introduction is not None and introduction.capabilities.given


def connect(where: str, **options: Any) -> Implementation:
    """Reach the implementation at a connection string; `options` are those of `remote.Remote`.  Raises AdapterError."""
    scheme, _, rest = where.partition(":")
    if scheme != "py" or not rest:
        return Remote(where, open_line(where), **options)
    module_name, _, name = rest.partition(":")
    try:
        module = import_here(module_name)
    except Exception as error:
        raise AdapterError(f"{where}: cannot import {module_name}: {type(error).__name__}: {error}") from error
    make: Callable[[], Implementation] | None = getattr(module, name or "implementation", None)
    if not callable(make):
        raise AdapterError(f"{where}: {module_name} has no callable {name or 'implementation'!r} that makes an implementation")
    try:
        made = make()
    except Exception as error:
        raise AdapterError(f"{where}: making it failed: {type(error).__name__}: {error}") from error
    for method in ("reset", "call"):
        if not callable(getattr(made, method, None)):
            raise AdapterError(f"{where}: what it makes has no method {method}()")
    return made


def reach(
    spec: Spec, where: str, must_return: float = 10.0, must_not_return: float = 0.2, log: Path | None = None
) -> Implementation:
    """Connect to an implementation for this spec.  Raises AdapterError."""
    if where.startswith("py:"):
        return connect(where)
    return connect(
        where,
        waiting=frozenset(spec.late_exits),
        waiter=spec.waiter,
        budgets=Budgets(must_return, must_not_return),
        log=log,
        heading={"connection": where, "spec": spec.where},
    )


def afresh(
    spec: Spec, where: str, must_return: float = 10.0, must_not_return: float = 0.2
) -> Callable[[], Implementation] | None:
    """What reaches the same implementation in a process started for it; None where it is somebody else who starts it, or where
    no command can load the spec."""
    scheme = where.partition(":")[0]
    if scheme not in ("py", "exec") or not spec.where:
        return None
    serving = [sys.executable, "-m", "oneowner", "serve", where, "--spec", spec.where]
    command = f"exec:{shlex.join(serving)}" if scheme == "py" else where
    return lambda: reach(spec, command, must_return, must_not_return)


def restarts(implementation: Implementation) -> bool:
    """Whether an adapter that is stopped is started anew by the next reset: where it is we who start it."""
    return isinstance(implementation, Remote) and isinstance(implementation.line, Process)


def finished(implementation: Implementation) -> None:
    """Take leave.  Raises AdapterFault where the adapter does not."""
    finish = getattr(implementation, "finish", None)
    if finish:
        finish()


def stopped(implementation: Implementation) -> None:
    """End the adapter, if there is one."""
    stop = getattr(implementation, "stop", None)
    if stop:
        stop()
