"""A log is accepted if some behaviour of the specification explains it, and rejected at the first line that none does."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from command import run
from conversations import conversation

from oneowner.checker.logs import Judged, judge, judge_all, read, sections
from oneowner.checker.session import Unknown
from oneowner.model.language import SpecError
from oneowner.spec import SPEC

SIZES = {"partitions": 3, "regions": 2, "receivers": 4, "ports": 4, "signals": 2, "processes": 2, "fds": 4, "queue_depth": 2}


class Log:
    """Writes a log, a line a message."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.ask("reset", topology=SIZES)
        self.answer(1, {"SYSTEM": "p1"})

    def ask(self, method: str, **params: Any) -> int:
        number = sum("method" in line for line in self.lines) + 1
        self.lines.append({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    def call(self, actor: str, op: str, **args: Any) -> int:
        return self.ask("call", actor=actor, op=op, args=args)

    def answer(self, number: int, result: Any) -> None:
        self.lines.append({"jsonrpc": "2.0", "id": number, "result": result})

    def done(self, answer: Any, actor: str, op: str, **args: Any) -> None:
        result = answer if isinstance(answer, dict) and set(answer) <= {"ok", "error"} else {"ok": answer}
        self.answer(self.call(actor, op, **args), result)

    def write(self, path: Path) -> Path:
        path.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        return path


@pytest.fixture
def log() -> Log:
    return Log()


def accepted(log: Log, path: Path) -> Any:
    return judge(SPEC, read(log.write(path / "log.jsonl")))


def test_what_the_specification_permits_is_accepted(log: Log, tmp_path: Path) -> None:
    log.done("r1", "p1", "allocate")
    log.done("0000000000000000", "p1", "read_memory", region="r1", place=0)
    log.done(None, "p1", "free", region="r1")
    log.done({"error": "EFAULT"}, "p1", "free", region="r1")
    judged = accepted(log, tmp_path)
    assert judged.accepted
    assert judged.calls == 4


def test_the_first_line_that_nothing_explains_is_named(log: Log, tmp_path: Path) -> None:
    log.done("r1", "p1", "allocate")
    log.done(None, "p1", "free", region="r1")
    log.done(None, "p1", "free", region="r1")
    log.done(None, "p1", "free", region="r1")
    judged = accepted(log, tmp_path)
    assert (judged.line, judged.clause) == (8, "free/EFAULT")


def test_a_handle_given_out_twice_is_rejected(log: Log, tmp_path: Path) -> None:
    log.done("r1", "p1", "allocate")
    log.done("r1", "p1", "allocate")
    assert "must be new" in accepted(log, tmp_path).text


def test_overlapping_calls_may_take_effect_in_any_order(log: Log, tmp_path: Path) -> None:
    """Two regions: of three overlapping allocations any may be the one that gets none."""
    first, second, third = (log.call("p1", "allocate") for _ in range(3))
    log.answer(third, {"ok": "r1"})
    log.answer(first, {"error": "ENOMEM"})
    log.answer(second, {"ok": "r2"})
    assert accepted(log, tmp_path).accepted


def test_overlapping_calls_take_effect_in_one_order(log: Log, tmp_path: Path) -> None:
    """Of two regions three calls that overlap cannot all get one."""
    numbers = [log.call("p1", "allocate") for _ in range(3)]
    for number in numbers:
        log.answer(number, {"ok": f"r{number}"})
    judged = accepted(log, tmp_path)
    assert judged.line == 8


def test_a_call_takes_effect_after_its_request_and_before_its_response(log: Log, tmp_path: Path) -> None:
    """What was answered before another call was made took effect before it."""
    log.done("r1", "p1", "allocate")
    freeing = log.call("p1", "free", region="r1")
    log.done("0000000000000000", "p1", "read_memory", region="r1", place=0)
    log.done({"error": "EFAULT"}, "p1", "read_memory", region="r1", place=0)
    log.answer(freeing, {"ok": None})
    assert accepted(log, tmp_path).accepted
    log.done("0000000000000000", "p1", "read_memory", region="r1", place=0)
    assert not accepted(log, tmp_path).accepted


def test_a_call_without_an_answer_may_or_may_not_have_happened(log: Log, tmp_path: Path) -> None:
    log.done("r1", "p1", "allocate")
    log.call("p1", "free", region="r1")
    log.done("0000000000000000", "p1", "read_memory", region="r1", place=0)
    log.done({"error": "EFAULT"}, "p1", "read_memory", region="r1", place=0)
    assert accepted(log, tmp_path).accepted
    log.done("0000000000000000", "p1", "read_memory", region="r1", place=0)
    assert not accepted(log, tmp_path).accepted


def a_process_waits_in_accept(log: Log) -> int:
    log.done("g1", "p1", "create_partition")
    log.done("c1", "p1", "create_process")
    log.done(0, "c1", "socket", mode="FILE")
    log.done(None, "c1", "bind", fd=0, service=6001)
    log.done(None, "c1", "listen", fd=0, backlog=1)
    log.done("e1", "g1", "create_receiver")
    log.done("t1", "g1", "create_port", receiver="e1")
    return log.call("c1", "accept_socket", fd=0, wait=True)


def test_a_suspended_call_is_answered_after_the_call_that_brings_it(log: Log, tmp_path: Path) -> None:
    waiting = a_process_waits_in_accept(log)
    log.done(None, "g1", "connect", port="t1", partition="p1", service=6001)
    log.answer(waiting, {"ok": 1})
    assert accepted(log, tmp_path).accepted


def test_a_suspended_call_cannot_be_answered_before(log: Log, tmp_path: Path) -> None:
    waiting = a_process_waits_in_accept(log)
    log.answer(waiting, {"ok": 1})
    assert accepted(log, tmp_path).line == len(log.lines)


def test_data_messages_and_services_of_any_value_are_told_apart(log: Log, tmp_path: Path) -> None:
    log.done("r1", "p1", "allocate")
    for data in ("00000000cafebabe", "0123456789abcdef", "0000000000000000"):
        log.done(None, "p1", "write_memory", region="r1", place=0, data=data)
        log.done(data, "p1", "read_memory", region="r1", place=0)
    waiting = a_process_waits_in_accept(log)
    log.done({"error": "ECONNREFUSED"}, "g1", "connect", port="t1", partition="p1", service=80)
    log.done(None, "g1", "connect", port="t1", partition="p1", service=6001)
    log.answer(waiting, {"ok": 1})
    log.done(None, "g1", "send", port="t1", region=None, short="any text at all")
    log.done({"error": "EMSGSIZE"}, "g1", "send", port="t1", region=None, short="x" * 65)
    log.done({"error": "EMSGSIZE"}, "g1", "send", port="t1", region=None, short="y" * 99)
    got = {"file": None, "address": None, "short": "any text at all", "end": False}
    log.done({"ok": got}, "c1", "read_socket", fd=1, buffer="GOOD", wait=False)
    judged = accepted(log, tmp_path)
    assert judged.accepted
    assert (judged.calls, judged.judged) == (21, 21)
    log.lines[-1]["result"]["ok"]["short"] = "another text"
    assert "must be 'any text at all'" in accepted(log, tmp_path).text


def test_a_log_that_the_checker_wrote_is_accepted_and_a_changed_one_is_not(tmp_path: Path) -> None:
    path = conversation(tmp_path / "log.jsonl", "two guests are connected to sockets, and nobody listens")
    assert run("check-log", str(path)).code == 0
    lines = path.read_text().splitlines()
    rejected = 0
    answers = [n for n, line in enumerate(lines) if '"result":' in line and '"ok":' in line.replace(" ", "")][::9]
    for number in answers:
        message = json.loads(lines[number])
        message["result"] = {"error": "ENOSUCH"}
        changed = [*lines[:number], json.dumps(message), *lines[number + 1 :]]
        path.write_text("\n".join(changed) + "\n")
        judged = judge(SPEC, read(path))
        rejected += judged.line == number + 1
    assert answers
    assert rejected == len(answers)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["spam"], "line 1: no message of the protocol"),
        (['{"jsonrpc":"2.0","id":1,"result":{}}'], "no reset in it"),
        (['{"id":1,"method":"reset","params":{"topology":{"regions":"two"}}}'], "topology of whole numbers"),
        (['{"id":1,"method":"reset","params":{"topology":{}}}'], "the reset is not answered"),
        (['{"id":1,"method":"reset","params":[]}'], "params is not an object"),
    ],
)
def test_a_file_that_is_no_log_is_said_so(lines: Iterable[str], says: str, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(line + "\n" for line in lines))
    ran = run("check-log", str(path))
    assert ran.code == 2
    assert says in ran.err


@pytest.mark.parametrize(
    ("op", "args", "says"),
    [
        ("steal", {}, "no operation 'steal'"),
        ("free", {}, "gives no region"),
        ("free", {"region": 7}, "must be a handle"),
        ("read_memory", {"region": "r1", "place": 12}, "give a larger --scope"),
        ("socket", {"mode": "HALF"}, "must be one of FILE, MAPPED"),
    ],
)
def test_a_call_that_cannot_be_is_said_with_its_line(op: str, args: Any, says: str, log: Log, tmp_path: Path) -> None:
    log.call("p1", op, **args)
    with pytest.raises(SpecError, match=f"line 3: .*{says}"):
        accepted(log, tmp_path)


def test_a_last_line_that_was_cut_off_is_left_out(log: Log, tmp_path: Path) -> None:
    log.done("r1", "p1", "allocate")
    path = log.write(tmp_path / "log.jsonl")
    path.write_text(path.read_text() + '{"jsonrpc":"2.0","id":3,"met')
    assert judge(SPEC, read(path)).accepted


def check(log: Log, path: Path, *more: str) -> Any:
    return run("check-log", str(log.write(path / "log.jsonl")), *more)


def test_a_part_before_another_reset_is_judged_too(log: Log, tmp_path: Path) -> None:
    log.done({"error": "EFAULT"}, "p1", "allocate")
    log.answer(log.ask("reset", topology=SIZES), {"SYSTEM": "p1"})
    log.done("r1", "p1", "allocate")
    ran = check(log, tmp_path)
    assert ran.code == 1
    assert "line 4: no behaviour" in ran.out
    assert judge(SPEC, read(tmp_path / "log.jsonl")).accepted


def test_what_an_accepted_log_came_to_is_told(log: Log, tmp_path: Path) -> None:
    first, second = log.call("p1", "allocate"), log.call("p1", "allocate")
    log.answer(first, {"ok": "r1"})
    log.answer(second, {"ok": "r2"})
    log.answer(log.ask("reset", topology=SIZES), {"SYSTEM": "p1"})
    log.done({"error": "EFAULT"}, "p1", "free", region="r9")
    ran = check(log, tmp_path)
    assert ran.code == 0
    assert "3 answers judged in 2 parts, 2 clauses, 1 pairs of calls that overlap" in ran.out
    judged = judge_all(SPEC, sections(tmp_path / "log.jsonl"))
    assert judged == Judged(3, 3, ("allocate/ok", "free/EFAULT"), 1)


@pytest.mark.parametrize("answer", [None, {"code": -32001, "message": "no"}, {"code": -32601, "message": "no"}, {"code": -32002}])
def test_a_log_of_which_nothing_was_judged_is_not_accepted(answer: Any, log: Log, tmp_path: Path) -> None:
    for _ in range(3):
        number = log.call("p1", "allocate")
        if answer:
            log.lines.append({"jsonrpc": "2.0", "id": number, "error": answer})
    ran = check(log, tmp_path, "--format", "json")
    assert ran.code == 5
    assert ran.json["accepted"] is False
    assert "nothing was judged: of 3 calls" in check(log, tmp_path).out


def test_an_adapter_that_failed_is_rejected(log: Log, tmp_path: Path) -> None:
    number = log.call("p1", "allocate")
    log.lines.append({"jsonrpc": "2.0", "id": number, "error": {"code": -32603, "message": "out of luck"}})
    ran = check(log, tmp_path)
    assert ran.code == 1
    assert "allocate: the adapter failed: {'code': -32603, 'message': 'out of luck'}" in ran.out


def _twice(log: Log) -> None:
    number = log.call("p1", "allocate")
    log.answer(number, {"ok": "r1"})
    log.answer(number, {"ok": "r1"})


def _after_a_fault(log: Log) -> None:
    number = log.call("p1", "allocate")
    log.lines.append({"jsonrpc": "2.0", "id": number, "error": {"code": -32603}})
    log.answer(number, {"ok": "r1"})


def _unasked(log: Log) -> None:
    log.done("r1", "p1", "allocate")
    log.answer(99, {"ok": "r2"})


def _one_name_for_two(log: Log) -> None:
    log.call("p1", "allocate")
    log.call("p1", "allocate")
    log.lines[-1]["id"] = log.lines[-2]["id"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (_twice, "line 5: answers 2, and no request of that name waits"),
        (_after_a_fault, "line 5: answers 2, and no request of that name waits"),
        (_unasked, "line 5: answers 99, and no request of that name waits"),
        (_one_name_for_two, "line 4: a second request is called 2, while the one of line 3 waits"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_with_its_line(wrong: Any, says: str, log: Log, tmp_path: Path) -> None:
    wrong(log)
    ran = check(log, tmp_path)
    assert ran.code == 2
    assert says in ran.err


def test_an_answer_to_what_was_open_before_a_reset_says_nothing(log: Log, tmp_path: Path) -> None:
    number = log.call("p1", "allocate")
    log.answer(log.ask("reset", topology=SIZES), {"SYSTEM": "p1"})
    log.answer(number, {"ok": "r1"})
    log.done("r1", "p1", "allocate")
    assert check(log, tmp_path).code == 0


def test_what_unicode_takes_for_a_line_end_is_none(log: Log, tmp_path: Path) -> None:
    path = log.write(tmp_path / "log.jsonl")
    heading = json.dumps({"oneowner": {"note": "one\u2028two\x85three"}}, ensure_ascii=False)
    path.write_text(heading + "\n" + path.read_text(), encoding="utf-8")
    assert len(read(path).lines) == 2


@pytest.mark.parametrize("size", [10**7, 10**30])
def test_a_topology_that_nobody_could_hold_is_refused_at_once(size: int, log: Log, tmp_path: Path) -> None:
    log.lines[0]["params"]["topology"] = {**SIZES, "regions": size}
    log.done("r1", "p1", "allocate")
    ran = check(log, tmp_path)
    assert ran.code == 2
    assert "regions" in ran.err
    assert "too large" in ran.err


def settle(log: Log) -> None:
    log.answer(log.ask("settle"), {})


def a_reader_waits(log: Log) -> int:
    waiting = a_process_waits_in_accept(log)
    log.done(None, "g1", "connect", port="t1", partition="p1", service=6001)
    log.answer(waiting, {"ok": 1})
    return log.call("c1", "read_socket", fd=1, buffer="GOOD", wait=True)


GOT = {"file": None, "address": None, "short": "a", "end": False}


def test_what_is_due_is_answered_before_a_settle_is(log: Log, tmp_path: Path) -> None:
    waiting = a_reader_waits(log)
    settle(log)
    log.done(None, "g1", "send", port="t1", region=None, short="a")
    settle(log)
    judged = accepted(log, tmp_path)
    assert (judged.line, judged.clause) == (len(log.lines), "read_socket/late-ok")
    assert "read_socket of line" in judged.text
    log.lines.insert(-2, {"jsonrpc": "2.0", "id": waiting, "result": {"ok": GOT}})
    assert accepted(log, tmp_path).accepted


def test_a_call_that_cannot_wait_has_ended_when_a_settle_has(log: Log, tmp_path: Path) -> None:
    number = log.call("p1", "allocate")
    settle(log)
    log.answer(number, {"ok": "r1"})
    assert accepted(log, tmp_path).line == 5


def test_a_call_that_is_made_while_it_settles_may_end_later(log: Log, tmp_path: Path) -> None:
    settling = log.ask("settle")
    number = log.call("p1", "allocate")
    log.answer(settling, {})
    log.answer(number, {"ok": "r1"})
    assert accepted(log, tmp_path).accepted


def test_what_was_suspended_while_it_settled_may_be_woken_before_the_settle_is_answered(log: Log, tmp_path: Path) -> None:
    waiting = a_reader_waits(log)
    settling = log.ask("settle")
    log.done(None, "g1", "send", port="t1", region=None, short="a")
    log.answer(settling, {})
    log.answer(waiting, {"ok": GOT})
    assert accepted(log, tmp_path).accepted


def test_the_log_of_an_implementation_that_loses_a_wake_up_is_rejected(tmp_path: Path) -> None:
    """As it is written by the run in which the failure shows."""
    served = f"exec:{sys.executable} -m oneowner serve py:oneowner.reference_impl.bugs:lost_resume"
    assert run("conform", served, "-k", "read_socket/late-ok", cwd=tmp_path).code == 1
    path = tmp_path / ".oneowner" / "conversation.jsonl"
    judged = judge_all(SPEC, sections(path))
    assert judged.line
    assert "must be answered by now" in judged.text


def actors(log: Log, number: int, calls: int) -> list[int]:
    """So many partitions write and read memory of their own, `calls` times each, all at once.  The answers to the last reads."""
    log.lines[0]["params"]["topology"] = {**SIZES, "partitions": number + 1, "regions": number}
    for actor in range(number):
        log.done(f"g{actor}", "p1", "create_partition")
    data = "{:016x}".format
    for actor, asked in enumerate([log.call(f"g{actor}", "allocate") for actor in range(number)]):
        log.answer(asked, {"ok": f"r{actor}"})
    for turn in range(calls // 2):
        made = [log.call(f"g{a}", "write_memory", region=f"r{a}", place=0, data=data(turn * a)) for a in range(number)]
        for asked in reversed(made):
            log.answer(asked, {"ok": None})
        made = [log.call(f"g{a}", "read_memory", region=f"r{a}", place=0) for a in range(number)]
        for actor, asked in enumerate(made):
            log.answer(asked, {"ok": data(turn * actor)})
    return made


def test_actors_that_share_nothing_are_judged_however_many_they_are(log: Log, tmp_path: Path) -> None:
    actors(log, 16, 20)
    assert accepted(log, tmp_path).accepted
    log.lines[-1]["result"] = {"ok": "ffffffffffffffff"}
    assert accepted(log, tmp_path).line == len(log.lines)


def test_a_log_too_wide_for_the_bound_is_not_judged(log: Log, tmp_path: Path) -> None:
    made = [log.call("p1", "allocate") for _ in range(8)]
    for number in made:
        log.answer(number, {"ok": f"r{number}"})
    with pytest.raises(Unknown, match="line 11: 10 other ways tried"):
        judge(SPEC, read(log.write(tmp_path / "log.jsonl")), most=10)
    ran = run("check-log", str(tmp_path / "log.jsonl"), "--most", "10")
    assert ran.code == 3
    assert "not judged: line 11: 10 other ways tried, and there are more; --most allows more" in ran.out
