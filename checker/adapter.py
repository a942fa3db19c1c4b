"""How an implementation is reached: a connection string, and its methods.

    reset(topology) -> {"SYSTEM": handle, ...}      start afresh; answers the handles of the constants
    call(operation, arguments) -> answer            {"ok": value}, {"error": name} or {"suspended": None}
    settle() -> [answer]                            what suspended calls got since: {waiter: handle, "ok" or "error": ...}

Handles are strings that the implementation mints; everything else is plain data.  `py:module` reaches a Python
implementation in this process: `module.implementation()`, or `py:module:name` for another callable that makes one.  `exec:`,
`tcp:` and `unix:` reach one that speaks the protocol of docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..model.spec import import_here


class AdapterError(Exception):
    """The implementation cannot be reached, or does not keep to the interface; says what to do."""


class AdapterFault(AdapterError):
    """The adapter died, hung, or does not keep to the protocol, in the middle of something."""


class Unsupported(Exception):
    """The implementation says that it does not have an operation, or cannot be made so large."""

    def __init__(self, operation: str, text: str = "") -> None:
        super().__init__(f"{operation} is not supported{': ' + text if text else ''}")
        self.operation = operation


class Implementation(Protocol):
    """What is behind a connection string."""

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        """Start afresh with the resources of `topology`."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Do one operation."""


def connect(where: str, **options: Any) -> Implementation:
    """Reach the implementation at a connection string; `options` are those of `remote.Remote`.  Raises AdapterError."""
    scheme, _, rest = where.partition(":")
    if scheme != "py" or not rest:
        from .remote import Remote, open_line

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
