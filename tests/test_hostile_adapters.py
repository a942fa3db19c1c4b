"""An adapter that dies, hangs, babbles or lies never hangs or crashes the checker, and never passes."""

from __future__ import annotations

import json
import random
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from hostile import WRONGS
from sampling import one_in

from oneowner.checker import AdapterError, AdapterFault
from oneowner.checker.adapters import MARK, Budgets, Remote, Server, connect
from oneowner.checker.conform import FAIL, FLAKY, Conformance
from oneowner.checker.session import Mismatch, Session
from oneowner.checker.suite import of, within
from oneowner.spec import SPEC

HOSTILE = Path(__file__).with_name("hostile.py")
QUICK = Budgets(must_return=2.0, must_not_return=0.1, patience=0.1)
SUITE = within(of(SPEC), SPEC.profile("core"))
ACTORS = {name: action.slots[0].name for name, action in SPEC.actions.items()}


def where(what: str, number: int = 1) -> str:
    return f"exec:{shlex.join([sys.executable, str(HOSTILE), what, str(number)])}"


def reach(what: str, number: int = 1, log: Path | None = None) -> Any:
    heading = {"connection": where(what, number), "spec": "oneowner.spec:SPEC"}
    return connect(where(what, number), waiting=frozenset(SPEC.late_exits), budgets=QUICK, log=log, heading=heading)


def processes_of(implementation: Any) -> list[int]:
    return carrying(implementation.line.mark)


def carrying(mark: str) -> list[int]:
    """The processes that have a mark in their environment or their name."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark or any(mark in word for word in process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def drive(implementation: Any, scope: Any, calls: Any) -> None:
    session = Session(SPEC, implementation, scope, probing=False)
    for name, arguments in calls:
        session.compare_values(name, arguments)
    implementation.finish()


@pytest.mark.parametrize("what", one_in(2, [w for w in WRONGS if w != "another version"]))
def test_it_ends_in_a_failed_clause_and_leaves_no_process(what: str) -> None:
    implementation = reach(what, 3)
    try:
        with pytest.raises((Mismatch, AdapterError)) as raised:
            drive(implementation, SPEC.fuzz_scope, [("create_partition", {"caller": 1})] * 4)
        assert len(str(raised.value)) < 3000
        assert all(c.isprintable() or c == "\n" for c in str(raised.value))
    finally:
        implementation.stop()
    assert processes_of(implementation) == []


def test_what_an_adapter_writes_on_a_terminal_is_shown_and_not_done() -> None:
    with pytest.raises(Mismatch) as raised:
        drive(reach("paints", 3), SPEC.fuzz_scope, [("create_partition", {"caller": 1})] * 4)
    assert r"\x1b[2J\x1b]0;mine\x07\x9b31m\u202ered\r\x00 done" in str(raised.value)


def test_who_is_killed_takes_its_adapters_with_it() -> None:
    script = f"""if True:
    import os, signal
    from oneowner.checker.adapters import connect
    made = connect({where("leaves a hidden child", 9)!r})
    print(made.line.mark, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == -signal.SIGKILL
    until = time.monotonic() + 10
    while carrying(ran.stdout.strip()) and time.monotonic() < until:
        time.sleep(0.01)
    assert carrying(ran.stdout.strip()) == []


def test_what_does_not_die_at_once_is_killed_until_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    kill, met = psutil.Process.kill, set()

    def late(process: psutil.Process) -> None:
        if process.pid in met:
            kill(process)
        met.add(process.pid)

    monkeypatch.setattr(psutil.Process, "kill", late)
    implementation = reach("kills its keeper", 3)
    with pytest.raises(Mismatch, match="the adapter is gone"):
        drive(implementation, SPEC.fuzz_scope, [("create_partition", {"caller": 1})] * 4)
    implementation.stop()
    assert met
    assert processes_of(implementation) == []


def test_another_version_of_the_protocol_is_an_adapter_that_cannot_be_used() -> None:
    with pytest.raises(AdapterError, match="initialize"):
        reach("another version")


def test_a_command_that_is_not_there_is_said_so() -> None:
    with pytest.raises(AdapterError, match="cannot be started"):
        connect("exec:./no-such-adapter")


def test_the_words_of_a_crash_are_quoted() -> None:
    with pytest.raises(AdapterFault, match="no-such-file"):
        connect(f"exec:{sys.executable} no-such-file.py")


@pytest.mark.parametrize("number", [1, 2, 5, 9])
def test_a_kill_at_any_call_leaves_a_conversation_that_replays(number: int, tmp_path: Path) -> None:
    from oneowner.checker.logs import read
    from oneowner.checker.traces import replay_log

    log = tmp_path / "conversation.jsonl"
    implementation = reach("is killed", number, log)
    sequence = max(SUITE, key=lambda s: len(s.calls))
    with pytest.raises(Mismatch, match="SIGKILL"):
        drive(implementation, sequence.sizes(SPEC), sequence.calls)
    read_back = read(log)
    assert sum(line.message.get("method") == "call" for line in read_back.lines) == number
    again = replay_log(SPEC, read_back, where("is killed", number), reach("is killed", number))
    assert again.shown
    assert "SIGKILL" in again.verdict
    right = replay_log(SPEC, read_back, "right", connect("py:oneowner.reference_impl"))
    assert not right.shown


def test_a_conformance_run_restarts_a_crashing_adapter_and_says_deterministic() -> None:
    implementation = reach("is killed", 2)
    try:
        report = Conformance(
            SPEC, implementation, "hostile", SUITE, profiles=("core",), patterns=("free/ok",), shortest=True
        ).run()
    finally:
        implementation.stop()
    failed = report.having(FAIL, FLAKY)
    assert failed
    assert all("SIGKILL" in v.reason for v in failed)
    assert all(v.status == FAIL for v in failed)
    assert any("each time in a fresh process" in v.failure.freshly for v in failed if v.failure is not None)


class Garbled:
    """A line to an adapter in this process whose bytes pass through `garble`."""

    def __init__(self, garble: Any) -> None:
        self.garble = garble

    def open(self) -> tuple[int, int]:
        self.ours, theirs = socket.socketpair()
        threading.Thread(target=self._serve, args=(theirs,), daemon=True).start()
        return self.ours.fileno(), self.ours.fileno()

    def _serve(self, theirs: socket.socket) -> None:
        garble = self.garble

        class Writing:
            def write(self, data: bytes) -> None:
                for part in garble(data):
                    theirs.sendall(part)

            def flush(self) -> None:
                pass

        writing: Any = Writing()
        with theirs, theirs.makefile("rb") as reading:
            try:
                Server(connect("py:oneowner.reference_impl"), writing, SPEC.waiter, ACTORS).run(reading)
            except (OSError, ConnectionError):
                return

    def end(self) -> str:
        self.ours.close()
        return ""


def random_line(chance: random.Random) -> bytes:
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(chance.randrange(60)).replace(b"\n", b"")
    if kind == 1:
        return "".join(chance.choices('{}[]",:0123456789.-truefalsnul\\ eE', k=chance.randrange(40))).encode()
    scalars = [None, True, 0, -1, 10**30, 1.5, "", "EPERM", "p1", "\x00"]
    value: Any = chance.choice([*scalars, [], {}, [1, "a"], {"ok": chance.choice(scalars)}, {"error": chance.choice(scalars)}])
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": chance.choice([1, 2, 3, None, "1", 2**70]), "result": value}
    if kind == 2:
        message.pop(chance.choice(list(message)))
    if kind == 3:
        message[chance.choice(["error", "method", "extra", "jsonrpc"])] = value
    return json.dumps(message).encode()


def test_100000_random_lines_are_each_a_response_or_refused() -> None:
    from oneowner.checker.adapters import protocol as wire

    chance, taken, refused = random.Random(5), 0, set()
    for _ in range(100_000):
        try:
            wire.parse(random_line(chance))
            taken += 1
        except ValueError as error:
            refused.add(str(error))
    assert taken > 1000
    assert len(refused) > 10
    assert "" not in refused


def wrongs(chance: random.Random, data: bytes) -> list[bytes]:
    """A response that is not the one that was due."""
    message = json.loads(data)
    kind = chance.randrange(7)
    if kind == 0:
        return [data[: chance.randrange(len(data) - 1)] + b"\n"]
    if kind == 1:
        return [data, data]
    if kind == 2:
        return [random_line(chance) + b"\n", data]
    if kind == 3:
        message["id"] = message["id"] + chance.choice([-2, -1, 1, 2, 10**6])
    elif kind == 4:
        message["result"] = {"error": chance.choice(["ENOSUCH", "", "ok"])}
    elif kind == 5:
        message["result"] = {"ok": chance.choice([10**9, [], {"a": 1}, 1.5])}
    else:
        del message["result"]
    return [json.dumps(message).encode() + b"\n"]


@pytest.mark.parametrize("seed", range(100))
def test_one_wrong_answer_anywhere_is_never_a_pass(seed: int) -> None:
    chance = random.Random(seed)
    sequence = chance.choice(SUITE)
    # the first two answers are those of initialize and reset
    at, seen = chance.randrange(2, 2 + len(sequence.calls)), 0

    def garble(data: bytes) -> list[bytes]:
        nonlocal seen
        seen += 1
        return wrongs(chance, data) if seen == at + 1 else [data]

    implementation = Remote("garbled", Garbled(garble), waiting=frozenset(SPEC.late_exits), budgets=Budgets(1.0, 0.1, 0.1))
    with pytest.raises((Mismatch, AdapterError)):
        drive(implementation, sequence.sizes(SPEC), sequence.calls)
    implementation.stop()
