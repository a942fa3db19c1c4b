"""A real control OS in small: page tables over one memory mapping, quotas by counters, queues, event bits.

`implementation()` makes one behind the conformance interface; the connection string is `py:oneowner.reference_impl`.
"""

from .control_os import ControlOS, Interface


def implementation() -> Interface:
    """A fresh, unset machine behind the conformance interface."""
    return Interface(ControlOS)


__all__ = ["ControlOS", "Interface", "implementation"]
