"""What planted bugs have in common: each makes a control OS that is wrong in one way, and is reached by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .control_os import ControlOS, Interface
from .kernel import Kernel

Variant = Callable[[dict[str, int]], ControlOS]
"""What makes a control OS of a topology."""


def with_kernel(kernel: type[Kernel]) -> Variant:
    """The control OS as it is, above which another kernel runs."""
    return lambda topology: ControlOS(topology, kernel)


def behind(bugs: Mapping[str, Variant], name: str) -> Callable[[], Interface]:
    """What makes the variant `name` behind the interface, for connection strings.  Raises AttributeError where there is none, as
    a module does."""
    if name not in bugs:
        raise AttributeError(name)
    return lambda: Interface(bugs[name])
