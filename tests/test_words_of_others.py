"""What adapters and files say reaches a terminal as text, in bounds; and a file does not choose what is run."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import run
from conversations import conversation
from hypothesis import given
from hypothesis import strategies as st

from oneowner.checker import Unsupported, errors
from oneowner.checker.adapters import connect
from oneowner.spec import SPEC

PAINT = "\x1b[2J\x1b]0;mine\x07\x9b31m\u202ered\r\x00"


class Paints:
    """The ring, refusing with a name that would clear the screen."""

    def __init__(self) -> None:
        self.ring: Any = connect("py:token_ring")

    def reset(self, topology: dict[str, Any]) -> dict[str, str]:
        handles: dict[str, str] = self.ring.reset(topology)
        return handles

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = self.ring.call(operation, arguments)
        return {"error": PAINT} if "error" in answer else answer


class Handles(Paints):
    """Gives out handles that would clear the screen."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"ok": PAINT} if operation == "make" else super().call(operation, arguments)


class Endless(Paints):
    """Refuses with very long words."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super().call(operation, arguments)
        return {"error": "E" * 10**5} if "error" in answer else answer


class LongReason(Paints):
    """Does not support an operation, at length and in colours."""

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if operation == "deliver":
            raise Unsupported("deliver", PAINT * 10**4)
        answer: dict[str, Any] = self.ring.call(operation, arguments)
        return answer


HERE = {"PYTHONPATH": str(Path(__file__).parent)}


@pytest.mark.parametrize(
    ("command", "scheme", "name"),
    [
        ("conform {} --time 0", "exec", "Paints"),
        ("conform {} --time 0", "py", "Endless"),
        *(("fuzz {} --time 1", "py", name) for name in ("Paints", "Handles", "Endless", "LongReason")),
        *(("smoke {}", "exec", name) for name in ("Paints", "Handles", "Endless", "LongReason")),
    ],
)
def test_no_command_lets_through_what_controls_a_terminal(command: str, scheme: str, name: str, tmp_path: Path) -> None:
    where = f"py:test_words_of_others:{name}"
    if scheme == "exec":
        served = [sys.executable, "-m", "oneowner", "serve", "--spec", "token_ring:RING", where]
        where = f"exec:{shlex.join(served)}"
    ran = run(*(word.format(where) for word in command.split()), "--spec", "token_ring:RING", env=HERE, cwd=tmp_path)
    for text in (ran.out, ran.err):
        assert all(c.isprintable() or c == "\n" for c in text)
        assert max(map(len, text.split("\n"))) < 21_000


@given(st.text())
def test_what_is_shown_is_printable_and_what_was_so_is_as_it_was(text: str) -> None:
    assert all(c.isprintable() or c in "\n\t" for c in errors.printable(text))
    assert not text.isprintable() or errors.printable(text) == text
    assert errors.printable(text).count("\n") == text.count("\n")
    assert errors.named(text).isprintable()
    assert errors.quoted(text).isprintable()
    assert len(errors.quoted(text * 1000)) < 300


def trace(where: str, folder: Path) -> Path:
    """A stored failure that says that `where` is to be run."""
    calls = [{"operation": "create_partition", "arguments": {"caller": {"call": -1, "field": "SYSTEM"}}}]
    meta = {"kind": "implementation", "spec": "oneowner.spec:SPEC", "scope": {}, "statement": "create_partition/ok"}
    states = [{}, *({"call": call} for call in calls)]
    path = folder / "trace.itf.json"
    path.write_text(json.dumps({"#meta": {**meta, "implementation": where}, "states": states}))
    return path


def said(where: str, folder: Path) -> Path:
    """A log that says the same."""
    path = conversation(folder / "conversation.jsonl", next(iter(SPEC.openings)))
    heading, rest = path.read_text().split("\n", 1)
    path.write_text(json.dumps({"oneowner": {**json.loads(heading)["oneowner"], "connection": where}}) + "\n" + rest)
    return path


@pytest.mark.parametrize("stored", [trace, said])
@pytest.mark.parametrize("command", ["replay", "shrink"])
def test_a_command_that_a_file_names_is_run_only_when_it_is_trusted(command: str, stored: Any, tmp_path: Path) -> None:
    told = tmp_path / "it ran"
    where = f"exec:{shlex.join(['touch', str(told)])}"
    path = stored(where, tmp_path)
    ran = run(command, str(path))
    assert ran.code == 2
    assert where in ran.err
    assert "--trust" in ran.err
    assert not told.exists()
    assert run(command, str(path), "--implementation", "py:oneowner.reference_impl").code == 0
    assert not told.exists()
    run(command, str(path), "--trust")
    assert told.exists()


@pytest.mark.parametrize(("answer", "runs"), [(b"y\n", True), (b"n\n", False), (b"\n", False)])
def test_at_a_terminal_it_is_asked(answer: bytes, runs: bool, tmp_path: Path) -> None:
    told = tmp_path / "it ran"
    path = trace(f"exec:{shlex.join(['touch', str(told)])}", tmp_path)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "oneowner", "replay", str(path)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.write(ours, answer)
        _, err = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert b"Run it?" in err
    assert told.exists() == runs
    assert process.returncode == (4 if runs else 2)
