"""The reference implementation by itself: real bytes in real frames, reached through page tables alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneowner.reference_impl import HYPERCALLS, SYSTEM_CALLS, AddressSpace, ControlOS, Fault, Interface, PhysicalMemory
from oneowner.spec import SPEC, topology

PAGE = 64


@given(st.integers(0, 5 * PAGE), st.binary(max_size=3 * PAGE), st.permutations(range(6)))
def test_what_is_written_at_an_address_is_read_there_whatever_frames_it_spans(start: int, data: bytes, frames: list[int]) -> None:
    space = AddressSpace(PhysicalMemory(6, PAGE))
    space.map(0, frames)
    if start + len(data) > 6 * PAGE:
        with pytest.raises(Fault):
            space.write(start, data)
        assert space.read(0, 6 * PAGE) == bytes(6 * PAGE)
    else:
        space.write(start, data)
        expected = bytes(start) + data + bytes(6 * PAGE - start - len(data))
        assert space.read(0, 6 * PAGE) == expected


def test_an_unmapped_page_faults_and_its_frame_keeps_what_it_held() -> None:
    memory = PhysicalMemory(2, PAGE)
    one, other = AddressSpace(memory), AddressSpace(memory)
    one.map(0, [0, 1])
    one.write(PAGE - 4, b"abcdefgh")
    one.unmap(0, 2)
    with pytest.raises(Fault):
        one.read(0, 1)
    other.map(10 * PAGE, [0, 1])
    assert other.read(11 * PAGE - 4, 8) == b"abcdefgh"


def machine(pages: int = 2) -> tuple[Interface, ControlOS, Any]:
    made: list[ControlOS] = []

    def make(given: dict[str, int]) -> ControlOS:
        made.append(ControlOS(given))
        return made[0]

    interface = Interface(make)
    sizes = topology(SPEC.scope(SPEC.fuzz_scope)) | {"pages_per_region": pages}
    system = interface.reset(sizes)["SYSTEM"]

    def ok(operation: str, **arguments: Any) -> Any:
        answer = interface.call(operation, arguments)
        assert "ok" in answer, (operation, answer)
        return answer["ok"]

    client, server = ok("create_partition", caller=system), ok("create_partition", caller=system)
    ends = []
    for partition in (client, server):
        receiver = ok("create_receiver", caller=partition)
        ends.append(ok("create_port", caller=partition, receiver=receiver))
    ok("connect", caller=client, port=ends[0], partition=server, service=1)
    ok("accept", caller=server, signal=ok("take_signal", caller=server)["signal"], port=ends[1])
    region = ok("allocate", caller=client)
    things = {"client": client, "server": server, "port": ends[0], "region": region}
    return interface, made[0], {"ok": ok, "system": system, **things}


@pytest.mark.parametrize("pages", [1, 2, 64])
def test_a_transfer_copies_no_byte_whatever_the_size_of_the_region(pages: int) -> None:
    _, control, at = machine(pages)
    at["ok"]("write_memory", caller=at["client"], region=at["region"], place=0, data="ab" * 8)
    touched: list[int] = []
    load, store = control.memory.load, control.memory.store
    control.memory.load = lambda *a: touched.append(1) or load(*a)  # type: ignore[method-assign, func-returns-value]
    control.memory.store = lambda *a: touched.append(1) or store(*a)  # type: ignore[method-assign, func-returns-value]
    at["ok"]("send", caller=at["client"], port=at["port"], region=at["region"], short=None)
    assert touched == []
    assert at["ok"]("read_memory", caller=at["server"], region=at["region"], place=0) == "ab" * 8


def test_running_over_the_end_of_a_region_is_a_fault_not_the_next_region() -> None:
    interface, _, at = machine()
    at["ok"]("allocate", caller=at["client"])
    end = 2 * 4096
    for place, fine in ((end - 8, True), (end - 7, False), (end, False)):
        answer = interface.call("read_memory", {"caller": at["client"], "region": at["region"], "place": place})
        assert ("ok" in answer) == fine


def test_what_is_no_hypercall_raises_and_changes_nothing() -> None:
    interface, control, at = machine()
    before = repr(control.system)
    with pytest.raises(ValueError, match="no hypercall is called 'steal'"):
        interface.call("steal", {"caller": at["system"]})
    with pytest.raises(ValueError, match="no kind of resource"):
        interface.call("set_limit", {"caller": at["system"], "partition": at["client"], "kind": "GOLD", "amount": 1})
    assert interface.call("allocate", {"caller": "nobody"}) == {"error": "ESRCH"}
    assert repr(control.system) == before
    with pytest.raises(ValueError, match="reset first"):
        Interface().call("allocate", {"caller": "x"})


def test_a_physical_processor_that_the_machine_has_not_is_no_argument() -> None:
    interface, _, at = machine()
    processor = at["ok"]("assign_processor", caller=at["system"], partition=at["client"])
    with pytest.raises(ValueError, match="there is no physical processor 99"):
        interface.call("map_processor", {"caller": at["system"], "processor": processor, "physical": 99})


def test_it_has_exactly_the_operations_of_the_specification() -> None:
    assert set(SPEC.actions) == HYPERCALLS | SYSTEM_CALLS
