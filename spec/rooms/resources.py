"""Resources: what is charged to a partition never exceeds its limit, and what is kept for others is not given away (seed
0048-0055).

Three kinds are taken and given back without asking; their use is counted from what a partition holds.  The others are granted
on request: SYSTEM's policy inspects a request and grants it, grants less, or rejects it.  Of those kinds a machine has
`capacity` units each, held by partitions, kept for partitions (reserved), or in the pool.
"""

from __future__ import annotations

from ..words import *
from .common import *


class Resources(State):
    limited: Map[tuple[Partition, Kind], bool]
    limit: Map[tuple[Partition, Kind], int]
    capacity: Parameter
    """How many units of each granted kind there are."""
    pool: Map[Kind, int]
    reserve: Map[tuple[Partition, Kind], int]
    held: Map[tuple[Partition, Kind], int]
    requests: Queue[Partition, Request]
    """Requests that wait for a verdict, in order of arrival; kept under SYSTEM."""
    requester: Map[Request, Partition]
    request_kind: Map[Request, Kind]
    request_amount: Map[Request, int]
    """How much is asked, and after the verdict how much was granted."""
    verdict: Map[Request, Verdict]


class Asked(NamedTuple):
    """A request for a resource as SYSTEM sees it."""

    request: Request
    source: Partition
    kind: Kind
    amount: int


class Judged(NamedTuple):
    """A verdict as the partition that asked sees it."""

    granted: bool
    amount: int


@unused
def request_unused(system: System, request: Request) -> bool:
    return system.requester[request] == none


@counter
def regions_owned(system: System, partition: Partition, region: Region) -> bool:
    return system.owner[region] == partition


@counter
def shared_owned(system: System, partition: Partition, shared: Shared) -> bool:
    return system.shared_owner[shared] == partition


@counter
def signals_paid(system: System, partition: Partition, signal: Signal) -> bool:
    return system.payer[signal] == partition


@counter
def requests_made(system: System, partition: Partition, request: Request) -> bool:
    return system.requester[request] == partition


@counter
def receivers_owned(system: System, partition: Partition, receiver: Receiver) -> bool:
    return system.receiver_owner[receiver] == partition


@counter
def senders_owned(system: System, partition: Partition, sender: Sender) -> bool:
    return system.sender_owner[sender] == partition


def used(system: System, partition: Partition, kind: Kind) -> int:
    """What is charged to `partition`: regions, shared ones too, to program memory; signals and requests to management memory;
    receivers and senders to event ports; each counts one.  Of the granted kinds, what it holds."""
    if kind == PROGRAM_MEMORY:
        return regions_owned(system, partition) + shared_owned(system, partition)
    if kind == MANAGEMENT_MEMORY:
        return signals_paid(system, partition) + requests_made(system, partition)
    if kind == EVENT_PORTS:
        return receivers_owned(system, partition) + senders_owned(system, partition)
    return system.held[partition, kind]


def is_granted(kind: Kind) -> bool:
    """Whether a kind is granted on request."""
    return (kind != PROGRAM_MEMORY) & (kind != MANAGEMENT_MEMORY) & (kind != EVENT_PORTS)


def room_for_one(system: System, partition: Partition, kind: Kind) -> bool:
    """One more of `kind` keeps `partition` within its limit."""
    free = used(system, partition, kind) < system.limit[partition, kind]
    return negation(system.limited[partition, kind]) | free


@action(seed="RES-3 LAYER-4")
def set_limit(system: System, caller: Partition, partition: Partition, kind: Kind, amount: int) -> None:
    """Cap what `partition` may use of `kind`, at no less than what it uses."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    require(used(system, partition, kind) <= amount, EBUSY)

    system.limited[partition, kind] = True
    system.limit[partition, kind] = amount


@action(seed="RES-1 RES-3")
def query_usage(system: System, caller: Partition, partition: Partition, kind: Kind) -> int:
    """What is charged to `partition` of `kind`; one's own, or anyone's for SYSTEM.

    The seed does not name this call; without it a charge could be seen only by running into a limit.
    """
    standing(system, caller)
    require((caller == partition) | (caller == SYSTEM), EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    return used(system, partition, kind)


@action(seed="RES-4")
def reserve_resource(system: System, caller: Partition, partition: Partition, kind: Kind, amount: int) -> None:
    """Keep `amount` more units of a granted kind for `partition`, out of the pool."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.status[partition] == ACTIVE, ESRCH)
    require(is_granted(kind), EINVAL)
    require(amount <= system.pool[kind], ENOMEM)

    system.pool[kind] = system.pool[kind] - amount
    system.reserve[partition, kind] = system.reserve[partition, kind] + amount


@action(seed="RES-2")
def request_resource(system: System, caller: Partition, kind: Kind, amount: int, request: Fresh[Request]) -> Request:
    """Ask for `amount` units of a granted kind.  The request waits for SYSTEM's verdict, charged to management memory."""
    standing(system, caller)
    require(is_granted(kind), EINVAL)
    require(room_for_one(system, caller, MANAGEMENT_MEMORY), ENOMEM)
    require(request != none, ENOMEM)

    system.requests[SYSTEM].push(request)
    system.requester[request] = caller
    system.request_kind[request] = kind
    system.request_amount[request] = amount
    system.verdict[request] = WAITING
    return request


@action(seed="RES-2 LAYER-4")
def next_request(system: System, caller: Partition) -> Asked:
    """The oldest request that waits for a verdict, to be inspected; it stays where it is."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(negation(system.requests[SYSTEM].empty), EAGAIN)

    request = system.requests[SYSTEM].head
    return Asked(request, system.requester[request], system.request_kind[request], system.request_amount[request])


@action(seed="RES-2 RES-3 RES-4 LAYER-4")
def grant(system: System, caller: Partition, request: Request, amount: int) -> None:
    """Grant a request, or as much of it as the policy allows: first out of what is kept for who asked, then from the pool."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.verdict[request] == WAITING, EBADF)
    require(amount <= system.request_amount[request], EINVAL)
    partition, kind = system.requester[request], system.request_kind[request]
    holds, kept = system.held[partition, kind], system.reserve[partition, kind]
    require(negation(system.limited[partition, kind]) | (holds + amount <= system.limit[partition, kind]), EBUSY)
    require(amount <= kept + system.pool[kind], ENOMEM)

    if amount <= kept:
        system.reserve[partition, kind] = kept - amount
    else:
        system.pool[kind] = system.pool[kind] + kept - amount
        system.reserve[partition, kind] = 0
    system.held[partition, kind] = holds + amount
    system.request_amount[request] = amount
    system.verdict[request] = GRANTED
    system.requests.remove(request)


@action(seed="RES-2 LAYER-4")
def reject(system: System, caller: Partition, request: Request) -> None:
    """Reject a request."""
    standing(system, caller)
    require(caller == SYSTEM, EPERM)
    require(system.verdict[request] == WAITING, EBADF)

    system.request_amount[request] = 0
    system.verdict[request] = REJECTED
    system.requests.remove(request)


@action(seed="RES-2")
def take_verdict(system: System, caller: Partition, request: Request) -> Judged:
    """What became of a request of the caller's; with that it is gone, and its memory is given back."""
    standing(system, caller)
    require(system.requester[request] == caller, EBADF)
    require(system.verdict[request] != WAITING, EAGAIN)

    judged = Judged(system.verdict[request] == GRANTED, system.request_amount[request])
    system.requester[request] = none
    system.request_kind[request] = PROCESSOR_TIME
    system.request_amount[request] = 0
    system.verdict[request] = NO_REQUEST
    return judged


@action(seed="RES-2")
def release_resource(system: System, caller: Partition, kind: Kind, amount: int) -> None:
    """Give units of a granted kind back to the pool."""
    standing(system, caller)
    require(is_granted(kind), EINVAL)
    require(amount <= system.held[caller, kind], EINVAL)

    system.held[caller, kind] = system.held[caller, kind] - amount
    system.pool[kind] = system.pool[kind] + amount


@invariant(seed="RES-3")
def limit_respected(system: System, partition: Partition, kind: Kind) -> bool:
    """What is used never exceeds a limit."""

    def within(which: Kind) -> bool:
        return implies(system.limited[partition, which], used(system, partition, which) <= system.limit[partition, which])

    taken = within(PROGRAM_MEMORY) & within(MANAGEMENT_MEMORY) & within(EVENT_PORTS)
    bounded = negation(system.limited[partition, kind]) | (system.held[partition, kind] <= system.limit[partition, kind])
    return taken & implies(is_granted(kind), bounded)


@step_property(seed="RES-4")
def reserve_respected(before: System, after: System, call: Call, partition: Partition, kind: Kind) -> bool:
    """What is kept for a partition becomes less only by a grant to that partition, or with its end."""
    taken_up = (call.operation == "grant") & (before.requester[call.request] == partition)
    ended = (call.operation == "terminate") & (call.partition == partition)
    return (before.reserve[partition, kind] <= after.reserve[partition, kind]) | taken_up | ended


@step_property(seed="RES-1 RES-4")
def resources_conserved(before: System, after: System, call: Call, first: Partition, second: Partition, kind: Kind) -> bool:
    """Units of a granted kind go between the pool and one partition; none is made, none is lost."""

    def share(system: System, partition: Partition) -> int:
        return system.held[partition, kind] + system.reserve[partition, kind]

    def same(partition: Partition) -> bool:
        return share(after, partition) == share(before, partition)

    def balanced(partition: Partition) -> bool:
        return after.pool[kind] + share(after, partition) == before.pool[kind] + share(before, partition)

    steady = after.pool[kind] == before.pool[kind]
    one = (first == second) | same(first) | same(second)
    return (steady | exists(Partition, lambda p: balanced(p) & negation(same(p)))) & (same(first) | balanced(first)) & one


@step_property(seed="RES-2")
def grant_is_within_the_request(before: System, after: System, call: Call, partition: Partition, kind: Kind) -> bool:
    """A partition comes to hold more only by a grant of SYSTEM's, of its own request and of no more than it asked."""
    asked = (before.requester[call.request] == partition) & (before.request_kind[call.request] == kind)
    within = after.held[partition, kind] <= before.held[partition, kind] + before.request_amount[call.request]
    granted = (call.operation == "grant") & (call.caller == SYSTEM) & asked & within
    return (after.held[partition, kind] <= before.held[partition, kind]) | granted


@rest
def nothing_is_granted(system: System, partition: Partition, kind: Kind, request: Request) -> bool:
    """All that is granted is back in the pool, and nobody asks for more."""
    nothing = (system.held[partition, kind] == 0) & (system.reserve[partition, kind] == 0)
    full = negation(is_granted(kind)) | (system.pool[kind] == system.capacity)
    return nothing & full & (system.requester[request] == none)


@leads_to(by="reject", seed="RES-2")
def requests_are_judged(system: System, call: Call, request: Request) -> tuple[bool, bool, bool]:
    """A request for a resource has its verdict, or ends with who asked, if SYSTEM does not sit on it."""
    waits = system.verdict[request] == WAITING
    return waits, system.verdict[request] != WAITING, call.request == request
