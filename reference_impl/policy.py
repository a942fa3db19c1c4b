"""The policy of a system: what its system control program decides by (seed 0048-0049).  Replace it to run another system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FIRST_SERVICE = 1


@dataclass(frozen=True)
class ResourceRequest:
    """What a guest asks for, by a hypercall or in a message."""

    guest: str
    kind: str
    amount: int


@dataclass
class Policy:
    """Which guests there are and what each may have.  A guest is known by a name that the policy gives it.

    `boot_order` names them in the order in which they are booted; `caps` limits what a guest uses, by kind of resource;
    `reserves` keeps some of a granted kind for a guest.  To decide otherwise, override `verdict` and `permitted`.
    """

    boot_order: Sequence[str] = ("guest A", "guest B")
    caps: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reserves: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    backlog: int = 1

    def verdict(self, request: ResourceRequest) -> int | None:
        """How much of what is asked for is granted, or None to reject the request."""
        return request.amount

    def service_of(self, guest: str) -> int:
        """The service at which the program serves a guest."""
        return FIRST_SERVICE + list(self.boot_order).index(guest)

    def permitted(self, service: int, partition: str) -> bool:
        """Whether the guest of that name may use a service.

        Each has its own to itself, so that what one guest asks for waits in no queue of another's.
        """
        return service == self.service_of(partition)
