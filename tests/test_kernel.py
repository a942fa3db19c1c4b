"""The kernel of the system control OS: calls that wait, files, mappings, select, and the end of descriptors and processes."""

from __future__ import annotations

import pytest
from machines import DATA, END, SERVICE, TOPOLOGY, Channel, Machine, guest_request

from oneowner.reference_impl import Interface, bugs


def test_a_suspended_accept_is_answered_late_once() -> None:
    at = Machine()
    guest, process = at.guest(), at.process()
    listening = at.listener(process, backlog=0)
    at.suspends("accept_socket", process=process, fd=listening, wait=True)
    assert at.error("socket", process=process, mode="FILE") == "EBUSY"
    assert at.interface.settle() == []
    port = at.connect(guest)
    assert at.interface.settle() == [{"process": process, "ok": 1}]
    assert at.interface.settle() == []
    assert at.used(guest, "MANAGEMENT_MEMORY") == 0
    at.ok("send", caller=guest, port=port, region=None, short="hi")


def test_two_processes_in_accept_are_answered_in_the_order_they_came() -> None:
    at = Machine()
    guest, first, second = at.guest(), at.process(), at.process()
    listening = at.listener(first)
    for process in (second, first):
        at.suspends("accept_socket", process=process, fd=listening, wait=True)
    at.connect(guest)
    at.connect(guest)
    assert at.interface.settle() == [{"process": second, "ok": 1}, {"process": first, "ok": 2}]


def test_a_descriptor_set_aside_for_an_accept_is_no_descriptor_until_it_is_answered() -> None:
    at = Machine()
    process, other = at.process(), at.process()
    listening = at.listener(process)
    at.suspends("accept_socket", process=process, fd=listening, wait=True)
    assert at.error("close", process=other, fd=1) == "EBADF"
    assert at.ok("socket", process=other, mode="FILE") == 2
    at.ok("close", process=other, fd=listening)
    assert at.interface.settle() == [{"process": process, "error": "ECANCELED"}]
    assert at.ok("socket", process=other, mode="FILE") == 0
    assert at.ok("socket", process=other, mode="FILE") == 1
    assert at.used(at.system, "EVENT_PORTS") == 0


def test_a_forbidden_partition_finds_no_service_even_while_accept_waits() -> None:
    at = Machine()
    guest, process, other = at.guest(), at.process(), at.process()
    at.suspends("accept_socket", process=process, fd=at.listener(process), wait=True)
    at.ok("forbid", process=other, service=SERVICE, partition=guest)
    refused = at.error("connect", caller=guest, port=at.port(guest), partition=at.system, service=SERVICE)
    assert refused == "ECONNREFUSED"


def test_forbid_refuses_what_waits_already_and_refunds_it() -> None:
    at = Machine()
    guest, process = at.guest(), at.process()
    listening = at.listener(process, backlog=1)
    at.connect(guest)
    assert at.used(guest, "MANAGEMENT_MEMORY") == 1
    assert at.error("connect", caller=guest, port=at.port(guest), partition=at.system, service=SERVICE) == "ECONNREFUSED"
    at.ok("forbid", process=process, service=SERVICE, partition=guest)
    assert at.used(guest, "MANAGEMENT_MEMORY") == 0
    assert at.error("accept_socket", process=process, fd=listening, wait=False) == "EAGAIN"


@pytest.mark.parametrize(("buffer", "error"), [("SMALL", "EMSGSIZE"), ("BAD", "EFAULT")])
def test_a_message_stays_after_a_read_with_a_wrong_buffer(buffer: str, error: str) -> None:
    at = Channel()
    at.send("kept", DATA)
    assert at.error("read_socket", process=at.p, fd=at.fd, buffer=buffer, wait=True) == error
    message = at.read()
    assert message["short"] == "kept"
    opened = at.ok("open", process=at.p, file=message["file"])
    assert at.ok("read_file", process=at.p, fd=opened, place=0) == {"data": DATA, "end": False}


def test_a_message_goes_to_the_reader_that_waited_longest() -> None:
    at = Channel("MAPPED")
    for process in (at.q, at.p):
        at.suspends("read_socket", process=process, fd=at.fd, buffer="GOOD", wait=True)
    region = at.send(None, DATA)
    late = {"file": None, "address": region, "short": None, "end": False}
    assert at.interface.settle() == [{"process": at.q, "ok": late}]
    assert at.ok("read_mapped", process=at.q, address=region, place=0) == DATA
    at.ok("close_port", caller=at.client, port=at.client_port)
    assert at.interface.settle() == [{"process": at.p, "ok": END}]
    assert at.error("read_mapped", process=at.p, address=region, place=0) == "EFAULT"


def test_a_file_that_was_sent_is_stale_for_whoever_has_it_open() -> None:
    at = Channel()
    at.send(None, DATA)
    file = at.read()["file"]
    opened = at.ok("open", process=at.q, file=file)
    at.ok("write_file", process=at.q, fd=opened, place=8, data=DATA[::-1])
    at.ok("send_file", process=at.p, fd=at.fd, file=file, short=None)
    assert at.error("read_file", process=at.q, fd=opened, place=0) == "ESTALE"
    assert at.error("write_file", process=at.q, fd=opened, place=0, data=DATA) == "ESTALE"
    assert at.error("open", process=at.q, file=file) == "ENOENT"
    at.ok("close", process=at.q, fd=opened)
    region = at.ok("receive", caller=at.client, port=at.client_port)["region"]
    assert at.ok("read_memory", caller=at.client, region=region, place=8) == DATA[::-1]


def test_a_region_that_was_sent_is_mapped_in_no_process() -> None:
    at = Channel("MAPPED")
    at.send(None, DATA)
    address = at.read()["address"]
    assert at.error("send_mapped", process=at.q, fd=at.fd, address=address, short=None) == "EINVAL"
    at.ok("send_mapped", process=at.p, fd=at.fd, address=address, short=None)
    assert at.error("read_mapped", process=at.p, address=address, place=0) == "EFAULT"
    assert at.error("read_memory", caller=at.system, region=address, place=0) == "EFAULT"


def test_an_unlinked_file_is_there_until_its_last_close() -> None:
    at = Channel()
    at.send(None, DATA)
    file = at.read()["file"]
    opened = [at.ok("open", process=process, file=file) for process in (at.p, at.q)]
    at.ok("unlink", process=at.p, file=file)
    assert at.error("open", process=at.p, file=file) == "ENOENT"
    assert at.error("send_file", process=at.p, fd=at.fd, file=file, short=None) == "ENOENT"
    at.ok("close", process=at.p, fd=opened[0])
    assert at.ok("read_file", process=at.q, fd=opened[1], place=0)["data"] == DATA
    assert at.used(at.system, "PROGRAM_MEMORY") == 1
    at.ok("close", process=at.p, fd=opened[1])
    assert at.used(at.system, "PROGRAM_MEMORY") == 0


def test_a_file_ends_where_its_region_does() -> None:
    at = Machine()
    process = at.process()
    file = at.ok("create_file", process=process)
    opened = at.ok("open", process=process, file=file)
    last = 2 * 64 - 8
    at.ok("write_file", process=process, fd=opened, place=last, data=DATA)
    assert at.ok("read_file", process=process, fd=opened, place=last) == {"data": DATA, "end": False}
    for past in (last + 8, None):
        assert at.error("write_file", process=process, fd=opened, place=past, data=DATA) == "ENOSPC"
        assert at.ok("read_file", process=process, fd=opened, place=past) == {"data": "00" * 8, "end": True}


def test_what_the_kernel_has_is_not_freed_as_a_region() -> None:
    at = Channel("MAPPED")
    at.send(None, DATA)
    address = at.read()["address"]
    assert at.error("free", caller=at.system, region=address) == "EBUSY"
    assert at.ok("read_memory", caller=at.system, region=address, place=0) == DATA
    at.ok("release", process=at.p, address=address)
    assert at.error("free", caller=at.system, region=address) == "EFAULT"


def test_every_select_that_watches_is_woken_and_takes_nothing() -> None:
    at = Channel()
    for process in (at.p, at.q):
        at.suspends("select", process=process, reading=[at.fd, at.listening], writing=[], wait=True)
    at.send("news")
    ready = {"reading": [at.fd], "writing": []}
    assert at.interface.settle() == [{"process": at.p, "ok": ready}, {"process": at.q, "ok": ready}]
    assert at.read()["short"] == "news"


def test_what_one_call_ends_at_once_is_told_at_once() -> None:
    at = Channel()
    at.connect(at.client)
    other = int(at.ok("accept_socket", process=at.p, fd=at.listening, wait=False))
    at.suspends("select", process=at.p, reading=[at.fd, other], writing=[], wait=True)
    at.ok("terminate", caller=at.system, partition=at.client)
    assert at.interface.settle() == [{"process": at.p, "ok": {"reading": [at.fd, other], "writing": []}}]


def test_select_for_writing_wakes_when_the_guest_takes_a_message() -> None:
    at = Channel(queue_depth=1)
    at.ok("send_file", process=at.p, fd=at.fd, file=None, short="a")
    at.suspends("select", process=at.p, reading=[], writing=[at.fd], wait=True)
    assert at.error("send_file", process=at.q, fd=at.fd, file=None, short="b") == "EAGAIN"
    at.ok("receive", caller=at.client, port=at.client_port)
    assert at.interface.settle() == [{"process": at.p, "ok": {"reading": [], "writing": [at.fd]}}]


def test_a_message_that_a_reader_takes_wakes_no_select() -> None:
    at = Channel()
    at.suspends("select", process=at.p, reading=[at.fd], writing=[], wait=True)
    at.suspends("read_socket", process=at.q, fd=at.fd, buffer="GOOD", wait=True)
    at.send("once")
    assert [late["process"] for late in at.interface.settle()] == [at.q]


def test_closing_a_descriptor_cancels_whoever_waits_on_it() -> None:
    at = Channel()
    other = at.process()
    at.suspends("select", process=at.p, reading=[at.listening, at.fd], writing=[], wait=True)
    at.suspends("read_socket", process=at.q, fd=at.fd, buffer="GOOD", wait=True)
    at.ok("close", process=other, fd=at.fd)
    cancelled = sorted((late["process"], late["error"]) for late in at.interface.settle())
    assert cancelled == sorted([(at.p, "ECANCELED"), (at.q, "ECANCELED")])
    assert at.error("send", caller=at.client, port=at.client_port, region=None, short=None) == "EPIPE"


def test_a_socket_is_connected_when_the_guest_accepts() -> None:
    at = Machine()
    guest, process, fd, signal = guest_request(at)
    port = at.port(guest)
    at.ok("accept", caller=guest, signal=signal, port=port)
    assert at.interface.settle() == [{"process": process, "ok": None}]
    at.ok("send_file", process=process, fd=fd, file=None, short="hello")
    assert at.ok("receive", caller=guest, port=port)["short"] == "hello"


@pytest.mark.parametrize("ends", [False, True])
def test_a_refused_socket_is_as_new(ends: bool) -> None:
    at = Machine()
    guest, process, fd, signal = guest_request(at)
    if ends:
        at.ok("terminate", caller=guest, partition=guest)
    else:
        at.ok("refuse", caller=guest, signal=signal)
    assert at.interface.settle() == [{"process": process, "error": "ECONNREFUSED"}]
    assert [at.used(at.system, kind) for kind in ("EVENT_PORTS", "MANAGEMENT_MEMORY")] == [0, 0]
    at.ok("bind", process=process, fd=fd, service=1)


def test_exit_gives_everything_back_that_the_process_had() -> None:
    at = Channel("MAPPED")
    at.send(None, DATA)
    at.read()
    at.send("unread", DATA)
    at.connect(at.client)
    at.ok("exit", process=at.p)
    assert at.error("socket", process=at.p, mode="FILE") == "ESRCH"
    assert [at.used(at.system, kind) for kind in ("EVENT_PORTS", "PROGRAM_MEMORY")] == [0, 0]
    assert at.used(at.client, "MANAGEMENT_MEMORY") == 0
    assert at.ok("socket", process=at.q, mode="FILE") == 0


def test_a_system_call_needs_a_process_and_a_hypercall_a_partition() -> None:
    at = Machine()
    process = at.process()
    assert at.error("socket", caller=at.system, mode="FILE") == "ESRCH"
    assert at.error("allocate", process=process) == "ESRCH"
    with pytest.raises(ValueError, match="no mode of a socket"):
        at.call("socket", process=process, mode="PIPE")
    with pytest.raises(ValueError, match="takes"):
        at.call("socket", process=process, mode="FILE", fd=1)


@pytest.mark.parametrize("name", sorted(bugs.BUGS))
def test_every_planted_bug_is_a_machine_that_runs(name: str) -> None:
    interface = Interface(bugs.BUGS[name])
    system = interface.reset(TOPOLOGY)["SYSTEM"]
    process = interface.call("create_process", {"caller": system})["ok"]
    assert "ok" in interface.call("socket", {"process": process, "mode": "FILE"})
