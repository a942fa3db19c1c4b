"""Which methods are calls that an OS can make: each registers itself where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])

HYPERCALLS: set[str] = set()
"""The names of the hypercalls: methods of the control OS that take the calling partition first."""

SYSTEM_CALLS: set[str] = set()
"""The names of the system calls: methods of the kernel that take the calling process first."""


def hypercall(method: Method) -> Method:
    """Mark a method of the control OS as a hypercall of its name."""
    HYPERCALLS.add(method.__name__)
    return method


def system_call(method: Method) -> Method:
    """Mark a method of the kernel as a system call of its name."""
    SYSTEM_CALLS.add(method.__name__)
    return method
