"""What an implementation may have from the start: partitions, and channels between them as connected pairs of ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...model.language import Given, Scope, Sort
from ..names import ACTIVE, Partition, Port


def _given(system: Any, scope: Scope, handle: Callable[[type[Sort], int], str]) -> dict[str, Any] | None:
    """`partitions`, and `channels`: of each its two ports, by the partitions that hold them.  A port that is not connected and a
    request that is under way cannot be given."""
    partitions = [p for p in range(1, scope["partitions"] + 1) if system.status[p] == ACTIVE]
    channels = []
    for port in range(1, scope["ports"] + 1):
        holder, peer = system.port_owner[port], system.peer[port]
        if holder and not peer:
            return None
        if holder and port < peer:
            ends = (holder, port), (system.port_owner[peer], peer)
            channels.append({handle(Partition, int(one)): handle(Port, int(end)) for one, end in ends})
    if any(system.signal_at[signal] for signal in range(1, scope["signals"] + 1)):
        return None
    return {"partitions": [handle(Partition, p) for p in partitions], "channels": channels}


GIVEN = Given(frozenset(["create_partition", "create_receiver", "create_port", "connect", "take_signal", "accept"]), _given)
