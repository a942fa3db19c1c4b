"""Linux's own sockets as an implementation: what docs/linux.md says of them is so, and the rest conforms."""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import run
from sampling import EVERY

from oneowner.checker.adapters import reach, stopped
from oneowner.checker.session import read_declared
from oneowner.model.language import load

ROOT = Path(__file__).resolve().parent.parent
LINUX = ROOT / "examples" / "linux"
ADAPTER = f"exec:{shlex.join([sys.executable, str(LINUX / 'adapter.py')])}"
DEVIATIONS = LINUX / "deviations.toml"
DECLARED = {each.clause for each in read_declared(DEVIATIONS)}
PAGE = ROOT / "docs" / "linux.md"


def missing() -> str:
    """What this machine lacks."""
    if sys.platform != "linux":
        return "not Linux"
    try:
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).close()
        Path(f"/proc/{os.getpid()}/task/{os.getpid()}/syscall").read_text(encoding="ascii")
    except OSError as error:
        return f"no AF_UNIX SOCK_SEQPACKET, or no /proc/PID/task/TID/syscall: {error}"
    return ""


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The adapter, reached as the checker does."""
    monkeypatch.syspath_prepend(str(LINUX))
    implementation = reach(load("oneowner.spec:SPEC"), ADAPTER)
    yield implementation
    stopped(implementation)


def connected(linux: Any) -> tuple[str, str, str]:
    """A guest's port is connected to the socket at descriptor 1: the process, the guest and the port."""
    topology = {"partitions": 2, "receivers": 2, "ports": 2, "processes": 2, "fds": 3, "short_limit": 64}
    system = linux.reset(topology)["SYSTEM"]
    guest = linux.call("create_partition", {"caller": system})["ok"]
    receiver = linux.call("create_receiver", {"caller": guest})["ok"]
    port = linux.call("create_port", {"caller": guest, "receiver": receiver})["ok"]
    process = linux.call("create_process", {"caller": system})["ok"]
    assert linux.call("socket", {"process": process, "mode": "FILE"}) == {"ok": 0}
    assert linux.call("bind", {"process": process, "fd": 0, "service": 6001}) == {"ok": None}
    assert linux.call("listen", {"process": process, "fd": 0, "backlog": 1}) == {"ok": None}
    assert linux.call("connect", {"caller": guest, "port": port, "partition": system, "service": 6001}) == {"ok": None}
    assert linux.call("accept_socket", {"process": process, "fd": 0, "wait": True}) == {"ok": 1}
    return process, guest, port


def test_the_fixed_suite_finds_nothing_in_the_core_that_is_not_listed() -> None:
    done = run("conform", ADAPTER, "--time", "0", "--profile", "core", "--format", "json")
    assert done.code == 1, done.out
    failing = {c for c, v in done.json["verdicts"].items() if v["status"] in ("fail", "flaky")}
    assert len(failing) > 9
    assert failing <= DECLARED


@pytest.mark.skipif(not EVERY, reason="takes minutes: made with ONEOWNER_EVERY=1, as in `make fuzz`")
def test_the_fixed_suite_finds_what_is_listed_and_nothing_else() -> None:
    done = run("conform", ADAPTER, "--time", "0", "--deviations", str(DEVIATIONS), "--format", "json")
    assert done.code == 0, done.out
    verdicts = done.json["verdicts"]
    untested = {clause for clause, verdict in verdicts.items() if verdict["status"] == "untested"}
    known = DECLARED
    assert all(any(other in verdicts[clause]["reason"] for other in known) for clause in untested)
    assert {c for c, v in verdicts.items() if v["status"] in ("fail", "flaky")} == DECLARED


def test_every_sequence_of_the_page_still_shows_its_difference(linux: Any) -> None:
    import differences

    made = differences.page(load("oneowner.spec:SPEC"), linux)
    assert made == PAGE.read_text(encoding="utf-8"), "run `python examples/linux/differences.py page > docs/linux.md`"


def test_what_is_listed_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sections = dict(part.split("\n", 1) for part in page.split("\n## ")[1:])
    clauses = {name: set(re.findall(r"^`(\w+/[\w-]+)`", text, re.MULTILINE)) for name, text in sections.items()}
    assert all(clauses.values())
    # what the walks of the suite found is listed with its reason, and has no sequence on the page yet
    full = ("create_port", "create_receiver", "connect", "accept_socket", "connect_socket")
    walked = {"accept/ok", *(f"{operation}/ENOMEM" for operation in full)}
    assert DECLARED - set().union(*clauses.values()) == walked


def test_a_read_into_a_bad_buffer_loses_the_message(linux: Any) -> None:
    process, guest, port = connected(linux)
    for short in ("first", "second"):
        assert linux.call("send", {"caller": guest, "port": port, "region": None, "short": short}) == {"ok": None}
    read = {"process": process, "fd": 1, "wait": False}
    assert linux.call("read_socket", {**read, "buffer": "BAD"}) == {"error": "EFAULT"}
    assert linux.call("read_socket", {**read, "buffer": "GOOD"})["ok"]["short"] == "second"


def test_closing_a_descriptor_wakes_nobody_and_the_message_still_comes(linux: Any) -> None:
    reader, guest, port = connected(linux)
    closer = linux.call("create_process", {"caller": "SYSTEM"})["ok"]
    assert linux.call("read_socket", {"process": reader, "fd": 1, "buffer": "GOOD", "wait": True}) == {"suspended": None}
    assert linux.call("close", {"process": closer, "fd": 1}) == {"ok": None}
    assert linux.settle() == []
    assert linux.call("send", {"caller": guest, "port": port, "region": None, "short": "late"}) == {"ok": None}
    (late,) = linux.settle()
    assert late["ok"]["short"] == "late"


def test_nothing_is_left_when_the_adapter_stops(linux: Any) -> None:
    import psutil

    process, _, _ = connected(linux)
    linux.call("read_socket", {"process": process, "fd": 1, "buffer": "GOOD", "wait": True})
    adapter = psutil.Process(linux.line.pid)
    children = [adapter, *adapter.children(recursive=True)]
    assert len(children) >= 2
    linux.stop()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
