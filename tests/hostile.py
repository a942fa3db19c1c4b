"""An adapter that does wrong on purpose: `python hostile.py WHAT [N]` behaves until the N-th call, then does WHAT."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from oneowner.checker.adapters import MARK, connect


class Hostile:
    def __init__(self, what: str, number: int) -> None:
        self.what, self.number, self.calls = what, number, 0
        self.machine = connect("py:oneowner.reference_impl")
        self.out = os.fdopen(os.dup(1), "wb", buffering=0)

    def say(self, text: str | bytes) -> None:
        self.out.write(text if isinstance(text, bytes) else text.encode())

    def respond(self, number: int, result: Any) -> None:
        self.say(json.dumps({"jsonrpc": "2.0", "id": number, "result": result}) + "\n")

    def run(self) -> None:
        for line in sys.stdin.buffer:
            asked = json.loads(line)
            number, method, params = asked["id"], asked["method"], asked["params"]
            if method == "initialize":
                capabilities = {"settle": self.what != "never settles"}
                about = {"protocol": 1, "name": "hostile", "profiles": ["all"], "capabilities": capabilities}
                self.respond(number, {"protocol": 2} if self.what == "another version" else about)
            elif method == "reset":
                self.respond(number, self.machine.reset(params["topology"]))
            elif method == "call":
                self.calls += 1
                parameter = "process" if params["actor"].startswith("process") else "caller"
                answer = self.machine.call(params["op"], {parameter: params["actor"], **params["args"]})
                getattr(self.machine, "settle", list)()
                if self.calls == self.number:
                    WRONGS[self.what](self, number, answer)
                elif "suspended" not in answer:
                    self.respond(number, answer)
            else:
                self.respond(number, {})


def _sleep(self: Hostile, number: int, answer: Any) -> None:
    time.sleep(60)


def _children(count: int) -> None:
    """Leave children that have left the session, and die."""
    for _ in range(count):
        subprocess.Popen(["sleep", "61"], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os._exit(3)


def _hide(name: str) -> None:
    """Leave a child that nothing in its session, environment or parents tells from a stranger."""
    if os.fork() == 0:
        subprocess.Popen([f"{name}-{os.environ[MARK]}", "61"], executable="sleep", env={}, start_new_session=True)
        os._exit(0)
    os.wait()


def _hide_and_die(name: str) -> None:
    _hide(name)
    os._exit(3)


def _shout(text: bytes, times: int) -> None:
    for _ in range(times):
        os.write(2, text)
    os._exit(3)


WRONGS: dict[str, Callable[[Hostile, int, Any], None]] = {
    "another version": lambda self, number, answer: self.respond(number, answer),
    "never settles": lambda self, number, answer: None,
    "hangs": _sleep,
    "is killed": lambda self, number, answer: os.kill(os.getpid(), signal.SIGKILL),
    "leaves a child": lambda self, number, answer: _children(1),
    "leaves many children": lambda self, number, answer: _children(30),
    "leaves a hidden child": lambda self, number, answer: _hide_and_die("hidden"),
    "kills its keeper": lambda self, number, answer: (os.kill(os.getppid(), signal.SIGKILL), _children(3))[0],
    "shouts": lambda self, number, answer: _shout(b"it hurts " * 1000, 10_000),
    "paints": lambda self, number, answer: _shout(b"\x1b[2J\x1b]0;mine\x07\xc2\x9b31m\xe2\x80\xaered\r\x00 done", 1),
    "closes stdout": lambda self, number, answer: (os.close(self.out.fileno()), time.sleep(60))[0],
    "prints": lambda self, number, answer: (self.say("here I am\n"), self.respond(number, answer))[0],
    "prints half a line": lambda self, number, answer: (self.say('{"jsonrpc":"2.0","id'), os._exit(0))[0],
    "prints without end": lambda self, number, answer: self.say(b"x" * (3 << 20)),
    "prints for ever": lambda self, number, answer: [self.say(b"spam\n" * 1000) for _ in range(10**6)] and None,
    "answers twice": lambda self, number, answer: (self.respond(number, answer), self.respond(number, answer))[0],
    "answers another id": lambda self, number, answer: self.respond(number + 1000, answer),
    "answers no id": lambda self, number, answer: self.say('{"jsonrpc":"2.0","id":null,"result":{"ok":null}}\n'),
    "answers both": lambda self, number, answer: self.respond(number, {"ok": None, "error": "EPERM"}),
    "answers neither": lambda self, number, answer: self.respond(number, {}),
    "answers a list": lambda self, number, answer: self.respond(number, []),
    "answers deeply": lambda self, number, answer: self.say(
        f'{{"jsonrpc":"2.0","id":{number},"result":{"[" * 100000}{"]" * 100000}}}\n'
    ),
    "answers a huge number": lambda self, number, answer: self.say(
        f'{{"jsonrpc":"2.0","id":{number},"result":{{"ok":{"9" * 5000}}}}}\n'
    ),
    "answers bytes that are no text": lambda self, number, answer: self.say(
        b'{"jsonrpc":"2.0","id":%d,"result":{"error":"\xff\xfe"}}\n' % number
    ),
    "answers half a pair": lambda self, number, answer: self.say(
        b'{"jsonrpc":"2.0","id":%d,"result":{"error":"\\ud800"}}\n' % number
    ),
    "answers with a wrong type": lambda self, number, answer: self.respond(number, {"ok": [True, {"a": 1}]}),
    "fails": lambda self, number, answer: self.say(
        f'{{"jsonrpc":"2.0","id":{number},"error":{{"code":-32603,"message":"oops"}}}}\n'
    ),
}


if __name__ == "__main__":
    Hostile(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1).run()
