"""Figure 6 of the seed, step by step: a guest sends a message region to another (S101 to S112)."""

from __future__ import annotations

from typing import Any

from oneowner.model.concrete import Model
from oneowner.model.language import OK
from oneowner.spec import CHANNEL, CONNECTED, FREE, PEER_CLOSED, SPEC, SYSTEM
from oneowner.spec.scenes import CLIENT, SERVER

SCOPE = {"partitions": 3, "receivers": 2, "ports": 2, "messages": 2, "data": 1}
REGION, DATA = 1, 1
CLIENT_PORT, SERVER_PORT = 1, 2
CLIENT_RECEIVER, SERVER_RECEIVER = 1, 2


class Machine:
    """The model, called with fresh names filled in."""

    def __init__(self) -> None:
        self.model = Model(SPEC, SCOPE)
        self.vector = self.model.initial()

    def __getattr__(self, operation: str) -> Any:
        action = SPEC.actions[operation]

        def call(**given: int) -> Any:
            fresh = {s.name: self.model.fresh(self.vector, s.type) for s in action.slots if s.fresh}
            outcome = self.model.step(action, self.vector, given | fresh)
            if outcome.exit != OK:
                assert outcome.state == self.vector
                return outcome.exit
            assert list(self.model.violations(self.vector, action, given | fresh, outcome.state)) == []
            self.vector = outcome.state
            return outcome.answer

        return call

    @property
    def now(self) -> Any:
        return self.model.system(self.vector)


def test_figure_6_from_connection_to_disconnection() -> None:
    machine = Machine()
    assert machine.create_partition(caller=SYSTEM) == CLIENT
    assert machine.create_partition(caller=SYSTEM) == SERVER
    machine.boot(caller=SYSTEM, partition=CLIENT)
    machine.boot(caller=SYSTEM, partition=SERVER)
    machine.create_receiver(caller=CLIENT)
    machine.create_port(caller=CLIENT, receiver=CLIENT_RECEIVER)
    machine.create_receiver(caller=SERVER)
    machine.create_port(caller=SERVER, receiver=SERVER_RECEIVER)

    # S101: the client asks for a connection; S102: by way of the control OS
    machine.connect(caller=CLIENT, port=CLIENT_PORT, partition=SERVER, service=1)
    signal = machine.take_signal(caller=SERVER)
    assert (signal.kind, signal.source) == (CHANNEL, CLIENT)

    # S103: the server permits it, and the channel stands with a message port at each end
    machine.accept(caller=SERVER, signal=signal.signal, port=SERVER_PORT)
    assert machine.now.port_status[CLIENT_PORT] == machine.now.port_status[SERVER_PORT] == CONNECTED

    # S104: each OS is told by the event receive port of its message port
    assert machine.read_event(caller=CLIENT, receiver=CLIENT_RECEIVER)
    assert machine.read_event(caller=SERVER, receiver=SERVER_RECEIVER)

    # S105: the client prepares a region; S106: it is mapped into its partition address space
    assert machine.allocate(caller=CLIENT) == REGION
    machine.write_memory(caller=CLIENT, region=REGION, place=1, data=DATA)
    assert machine.read_memory(caller=SERVER, region=REGION, place=1) == "EFAULT"

    # S107: unmapped at the client, mapped at the server, in one step
    machine.send(caller=CLIENT, port=CLIENT_PORT, region=REGION, short=0)
    assert not machine.now.mapped[CLIENT, REGION]
    assert machine.now.mapped[SERVER, REGION]
    assert machine.read_memory(caller=CLIENT, region=REGION, place=1) == "EFAULT"

    # S108: the server is told, and reads the message through its own address space
    assert machine.read_event(caller=SERVER, receiver=SERVER_RECEIVER)
    assert machine.receive(caller=SERVER, port=SERVER_PORT).region == REGION
    assert machine.read_memory(caller=SERVER, region=REGION, place=1) == DATA

    # S109: the server destroys the region; S110: and its message port
    machine.free(caller=SERVER, region=REGION)
    machine.close_port(caller=SERVER, port=SERVER_PORT)
    assert machine.now.port_status[SERVER_PORT] == FREE

    # S111: the client is told by an event
    assert machine.read_event(caller=CLIENT, receiver=CLIENT_RECEIVER)
    assert machine.now.port_status[CLIENT_PORT] == PEER_CLOSED

    # S112: and destroys its own port; with that the channel is gone
    machine.close_port(caller=CLIENT, port=CLIENT_PORT)
    assert machine.now.port_status[CLIENT_PORT] == FREE
