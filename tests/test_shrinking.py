"""A failure has the simplest arguments, and with them fewer calls; and it is told which of these made the answer due."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import run
from conforming import Around

from oneowner.checker.adapters import connect
from oneowner.checker.session import Failure, Mismatch, Origin, Recorded, again, reasons, smallest_failure
from oneowner.checker.traces import program, read, replay_implementation, save_failure
from oneowner.model.language import Members
from oneowner.reference_impl import Interface
from oneowner.spec import SPEC

SYSTEM = Origin(-1, "SYSTEM")
MANAGEMENT_MEMORY = 3


class Wrong(Around):
    """Answers wrongly where it is told to."""

    wrong: Callable[[Any, str, dict[str, Any], dict[str, Any]], dict[str, Any]]

    def __init__(self, wrong: Callable[[Any, str, dict[str, Any], dict[str, Any]], dict[str, Any]]) -> None:
        super().__init__()
        self.wrong = wrong

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return self.wrong(self.machine, operation, arguments, super().call(operation, arguments))


def shrunk(implementation: Any, calls: list[Recorded]) -> Failure:
    """What is left of calls the last of which is answered wrongly."""
    session, mismatch = again(SPEC, implementation, SPEC.fuzz_scope, calls)
    assert mismatch is not None
    assert len(session.recorded) == len(calls)
    return smallest_failure(SPEC, implementation, session.scope, session.recorded, mismatch)


def no_limit(_: Any, operation: str, arguments: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {"error": "EBUSY"} if operation == "set_limit" else right


def no_limit_that_is_reached(machine: Any, operation: str, arguments: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    if operation != "set_limit" or "ok" not in right:
        return right
    asked = {"caller": arguments["caller"], "partition": arguments["partition"], "kind": arguments["kind"]}
    return {"error": "EBUSY"} if machine.call("query_usage", asked)["ok"] == arguments["amount"] else right


class OnlyOneMode:
    """Binds sockets of the first mode that a socket had, and no others."""

    def __init__(self) -> None:
        self.mode: dict[int, str] = {}

    def __call__(self, _: Any, operation: str, arguments: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        if operation == "socket" and "ok" in right:
            self.mode[right["ok"]] = arguments["mode"]
        return {"error": "EINVAL"} if operation == "bind" and self.mode[arguments["fd"]] != "FILE" else right


def selects_nothing(_: Any, operation: str, arguments: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {"error": "EINVAL"} if operation == "select" and arguments["reading"] else right


def test_an_argument_becomes_an_earlier_handle_and_a_number_a_smaller_one() -> None:
    failure = shrunk(
        Wrong(no_limit),
        [
            Recorded("create_partition", {"caller": SYSTEM}),
            Recorded("set_limit", {"caller": SYSTEM, "partition": Origin(0, ""), "kind": MANAGEMENT_MEMORY, "amount": 2}),
        ],
    )
    (call,) = failure.calls
    assert call.arguments == {"caller": SYSTEM, "partition": SYSTEM, "kind": 0, "amount": 0}


def test_two_handles_become_one_wherever_they_are_used() -> None:
    def no_writing(_: Any, operation: str, arguments: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        return {"error": "EFAULT"} if operation == "write_memory" and "ok" in right else right

    guest, region = Origin(0, ""), Origin(1, "")
    failure = shrunk(
        Wrong(no_writing),
        [
            Recorded("create_partition", {"caller": SYSTEM}),
            Recorded("allocate", {"caller": guest}),
            Recorded("write_memory", {"caller": guest, "region": region, "place": 2, "data": 2}),
        ],
    )
    # neither call alone can be another's: SYSTEM may not write to what a guest has allocated
    assert [(call.operation, call.arguments) for call in failure.calls] == [
        ("allocate", {"caller": SYSTEM}),
        ("write_memory", {"caller": SYSTEM, "region": Origin(0, ""), "place": 1, "data": 1}),
    ]


def test_a_call_that_others_have_their_numbers_from_is_taken_out_with_these_moved_down() -> None:
    process = Origin(0, "")
    failure = shrunk(
        Wrong(OnlyOneMode()),
        [
            Recorded("create_process", {"caller": SYSTEM}),
            Recorded("socket", {"process": process, "mode": 0}),
            Recorded("socket", {"process": process, "mode": 1}),
            Recorded("bind", {"process": process, "fd": 2, "service": 1}),
        ],
    )
    assert [call.operation for call in failure.calls] == ["create_process", "socket", "bind"]
    assert failure.calls[-1].arguments["fd"] == 1


def test_a_call_that_a_number_counts_is_taken_out_with_that_less() -> None:
    limit = {"caller": SYSTEM, "partition": SYSTEM, "kind": MANAGEMENT_MEMORY, "amount": 1}
    failure = shrunk(
        Wrong(no_limit_that_is_reached),
        [Recorded("request_resource", {"caller": SYSTEM, "kind": 0, "amount": 0}), Recorded("set_limit", limit)],
    )
    assert len(failure.calls) == 1
    assert failure.calls[0].arguments["amount"] == 0


def test_a_subset_becomes_smaller() -> None:
    process = Origin(0, "")
    failure = shrunk(
        Wrong(selects_nothing),
        [
            Recorded("create_process", {"caller": SYSTEM}),
            Recorded("socket", {"process": process, "mode": 0}),
            Recorded("socket", {"process": process, "mode": 0}),
            Recorded("bind", {"process": process, "fd": 1, "service": 1}),
            Recorded("bind", {"process": process, "fd": 2, "service": 2}),
            Recorded("listen", {"process": process, "fd": 1, "backlog": 1}),
            Recorded("listen", {"process": process, "fd": 2, "backlog": 1}),
            Recorded("select", {"process": process, "reading": Members([1, 2]), "writing": Members(), "wait": True}),
        ],
    )
    assert failure.calls[-1].arguments["reading"] == Members([1])
    assert [call.operation for call in failure.calls] == ["create_process", "socket", "bind", "listen", "select"]


def test_it_comes_out_the_same_every_time() -> None:
    calls = [
        Recorded("create_partition", {"caller": SYSTEM}),
        Recorded("create_partition", {"caller": SYSTEM}),
        Recorded("set_limit", {"caller": SYSTEM, "partition": Origin(1, ""), "kind": 2, "amount": 3}),
    ]
    assert shrunk(Wrong(no_limit), calls) == shrunk(Wrong(no_limit), calls)


CHANNEL = [
    Recorded("create_partition", {"caller": SYSTEM}),
    Recorded("create_process", {"caller": SYSTEM}),
    Recorded("create_receiver", {"caller": Origin(0, "")}),
    Recorded("create_port", {"caller": Origin(0, ""), "receiver": Origin(2, "")}),
    Recorded("socket", {"process": Origin(1, ""), "mode": 0}),
    Recorded("bind", {"process": Origin(1, ""), "fd": 1, "service": 1}),
    Recorded("listen", {"process": Origin(1, ""), "fd": 1, "backlog": 1}),
    Recorded("connect", {"caller": Origin(0, ""), "port": Origin(3, ""), "partition": SYSTEM, "service": 1}),
    Recorded("accept_socket", {"process": Origin(1, ""), "fd": 1, "wait": False}),
]
SENT = [
    *CHANNEL,
    Recorded("allocate", {"caller": Origin(0, "")}),
    Recorded("send", {"caller": Origin(0, ""), "port": Origin(3, ""), "region": Origin(9, ""), "short": 0}),
]
CLOSED = [
    Recorded("create_receiver", {"caller": SYSTEM}),
    Recorded("create_port", {"caller": SYSTEM, "receiver": Origin(0, "")}),
    Recorded("close_port", {"caller": SYSTEM, "port": Origin(1, "")}),
]
WAITING = [
    Recorded("create_process", {"caller": SYSTEM}),
    *[Recorded(c.operation, {**c.arguments, "process": Origin(0, "")}) for c in CHANNEL[4:7]],
    Recorded("accept_socket", {"process": Origin(0, ""), "fd": 1, "wait": True}),
    Recorded("create_process", {"caller": SYSTEM}),
]


def does_everything(_: Any, operation: str, arguments: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {"ok": None} if operation in ("write_memory", "close_port") else right


def does_not_see_events(_: Any, operation: str, arguments: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {"ok": False} if operation == "read_event" and "ok" in right else right


class NeverWakes(Around):
    """What waits is never told anything."""

    def settle(self) -> list[dict[str, Any]]:
        super().settle()
        return []


WRITE = Recorded("write_memory", {"caller": Origin(0, ""), "region": Origin(9, ""), "place": 1, "data": 1})


@pytest.mark.parametrize(
    ("implementation", "calls", "says"),
    [
        (Wrong(does_everything), [*SENT, WRITE], ["since call 11 (send) mapped[its caller, its region] is False"]),
        (
            Wrong(does_not_see_events),
            [*CHANNEL, Recorded("read_event", {"caller": Origin(0, ""), "receiver": Origin(2, "")})],
            ["since call 9 (accept_socket) pending[its receiver] is True"],
        ),
        (Wrong(does_everything), [*CLOSED, CLOSED[-1]], ["since call 3 (close_port) its port is gone"]),
        (
            NeverWakes(),
            [*WAITING, Recorded("close", {"process": Origin(5, ""), "fd": 1})],
            [
                "since call 6 (create_process) life[its process] is RUNNING",
                "since call 5 (accept_socket) waiters[fd1] has the process of call 1",
            ],
        ),
        (Wrong(no_limit), [Recorded("set_limit", {"caller": SYSTEM, "partition": SYSTEM, "kind": 0, "amount": 0})], []),
    ],
    ids=["refused", "answered", "of a handle that is gone", "late", "without a cause"],
)
def test_it_is_told_which_call_made_the_answer_due(implementation: Any, calls: list[Recorded], says: list[str]) -> None:
    session, mismatch = again(SPEC, implementation, SPEC.fuzz_scope, calls)
    assert mismatch is not None
    failure = Failure(mismatch.clause, mismatch.text, session.recorded, session.scope, reasons=tuple(reasons(session, mismatch)))
    assert [str(reason) for reason in failure.reasons] == says
    assert len(failure.calls) == len(calls)
    for reason in failure.reasons:
        assert failure.calls[reason.call - 1].operation == reason.operation
        assert f"  # call {reason.call}\n" in program(SPEC, "py:nowhere", failure, implementation)


def test_nothing_is_told_where_it_is_not_known_what_has_happened() -> None:
    def maybe(_: Any, operation: str, arguments: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        return {"indeterminate": None} if operation == "allocate" else does_everything(_, operation, arguments, right)

    session, mismatch = again(SPEC, Wrong(maybe), SPEC.fuzz_scope, [*CLOSED, *SENT[9:10], CLOSED[-1]])
    assert mismatch is not None
    assert reasons(session, mismatch) == []


def test_the_reasons_are_told_when_it_is_replayed(tmp_path: Path) -> None:
    where = "py:oneowner.reference_impl.bugs:late_invalidation"
    session, mismatch = again(SPEC, connect(where), SPEC.fuzz_scope, [*SENT, Recorded("read_memory", {**_place(WRITE)})])
    assert mismatch is not None
    failure = smallest_failure(SPEC, connect(where), session.scope, session.recorded, mismatch)
    path = tmp_path / "trace.itf.json"
    assert not save_failure(path, SPEC, where, failure, connect(where))
    told = "since call 11 (send) mapped[its caller, its region] is False"
    assert [str(reason) for reason in replay_implementation(SPEC, read(path), where, connect(where)).reasons] == [told]
    assert run("replay", str(path)).out.splitlines()[-1] == f"  {told}"
    assert run("replay", str(path), "--format", "json").json["reasons"] == [
        {"call": 11, "operation": "send", "text": "mapped[its caller, its region] is False"}
    ]


def _place(call: Recorded) -> dict[str, Any]:
    return {name: value for name, value in call.arguments.items() if name != "data"}


def test_of_several_wrong_parts_of_an_answer_that_is_told_which_says_most() -> None:
    class NoEnd(Interface):
        """Does not tell that nothing comes any more, and makes up a file."""

        def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            answer = super().call(operation, arguments)
            if operation == "read_socket" and "ok" in answer:
                return {"ok": {**answer["ok"], "file": "file-0099", "end": not answer["ok"]["end"]}}
            return answer

    calls = [
        *CHANNEL,
        Recorded("terminate", {"caller": SYSTEM, "partition": Origin(0, "")}),
        Recorded("read_socket", {"process": Origin(1, ""), "fd": 2, "buffer": 0, "wait": False}),
    ]
    _, mismatch = again(SPEC, NoEnd(), SPEC.fuzz_scope, calls)
    assert isinstance(mismatch, Mismatch)
    assert mismatch.text == "read_socket: its end must be True; the implementation answers False"
    assert mismatch.part == "end"
