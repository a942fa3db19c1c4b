"""The machine by hand, helped: what its author adds on seeing that its examples hardly ever come to a channel that stands, and so
to next to nothing of what channels do.

The two guests are joined from the start, by a port more for each, others by a rule, and rules of its own use what was joined.
"""

from __future__ import annotations

from typing import Any

from by_hand import CALLER, PLACES, SHORT, TOPOLOGY, ByHand, partitions, regions
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, multiple, rule

ends: Bundle[str] = Bundle("ends")


class Joined(ByHand):
    """`ByHand` with channels, the ports of which are in the bundle `ends` too."""

    def __init__(self) -> None:
        super().__init__()
        guests = [port.owner for port in self.ports.values()]
        self.first = self.joined(*guests)

    def joined(self, client: str, server: str) -> tuple[Any, Any]:
        """All that makes a channel of `client` to `server`; both ports."""
        own, other = (self.create_port(by, self.create_receiver(by)) for by in (client, server))
        self.connect(client, own, server, 1)
        self.accept(server, self.take_signal(server), other)
        return own, other

    @initialize(target=ends)
    def first_ends(self) -> Any:
        return multiple(*self.first)

    @rule(target=ends, client=partitions, server=partitions)
    def join(self, client: str, server: str) -> Any:
        """The same if there is room for it, and nothing waits for its answer."""
        tables = (self.receivers, "receivers"), (self.ports, "ports")
        room = all(len(table) + 2 <= TOPOLOGY[name] for table, name in tables) and len(self.requests()) < TOPOLOGY["signals"]
        able = server not in (client, self.system) and self.active.get(client) and self.active.get(server)
        if not room or not able or self.waiting[server]:
            return multiple()
        return multiple(*self.joined(client, server))

    @rule(target=regions, port=ends, place=st.sampled_from(PLACES), data=st.binary(min_size=8, max_size=8), short=SHORT)
    def send_new(self, port: str, place: int, data: bytes, short: str | None) -> Any:
        """A region made by who has a port, written, and sent there."""
        known = self.ports.get(port)
        if known is None:
            return multiple()
        region = self.allocate(known.owner)
        if not isinstance(region, str):
            return multiple()
        self.write_memory(None, region, place, data)
        self.send(None, port, region, short)
        return region

    @rule(caller=CALLER, port=ends, region=st.none() | regions, short=SHORT)
    def send_there(self, caller: str | None, port: str, region: str | None, short: str | None) -> None:
        self.send(caller, port, region, short)

    @rule(caller=CALLER, port=ends)
    def receive_there(self, caller: str | None, port: str) -> None:
        self.receive(caller, port)

    @rule(port=ends)
    def read_event_there(self, port: str) -> None:
        known = self.ports.get(port)
        if known is not None:
            self.read_event(None, known.receiver)

    @rule(caller=CALLER, port=ends)
    def close_there(self, caller: str | None, port: str) -> None:
        self.close_port(caller, port)
