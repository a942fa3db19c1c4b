"""What can go wrong on the way to an implementation."""

from __future__ import annotations


class AdapterError(Exception):
    """The implementation cannot be reached, or does not keep to the interface; says what to do."""


class AdapterFault(AdapterError):
    """The adapter died, hung, or does not keep to the protocol, in the middle of something."""


class Unsupported(Exception):
    """The implementation says that it does not have an operation, or cannot be made so large."""

    def __init__(self, operation: str, text: str = "") -> None:
        super().__init__(f"{operation} is not supported{': ' + text if text else ''}")
        self.operation = operation
