"""How tests run the command line: as a process of its own, in a folder of its own.

Hundreds do, and starting Python and reading the specification takes longer than most of what they ask for.  So one process beside
each that runs tests has done that, and is forked for each command.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT = 300
"""Seconds that a command may take."""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """`oneowner ARGUMENTS`, and what it came to.  A traceback shown to a user fails the test that sees it."""
    with tempfile.TemporaryDirectory() as folder:
        whole = {**os.environ, **(env or {})}
        own = any(name.startswith("PYTHON") and name != "PYTHONPATH" for name in env or {})
        done = (started if own else forked)(arguments, whole, cwd or folder)
    assert "Traceback" not in done.err + done.out, done.err
    return done


def started(arguments: Sequence[str], env: dict[str, str], cwd: Path | str) -> Ran:
    """A command in a Python of its own."""
    command = [sys.executable, "-m", "oneowner", *arguments]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=LIMIT, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def forked(arguments: Sequence[str], env: dict[str, str], cwd: Path | str) -> Ran:
    """A command in a copy of the process that has read the specification."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = (str(Path(folder) / name) for name in ("out", "err"))
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        asked = {"arguments": arguments, "env": env, "cwd": str(cwd), "out": out, "err": err}
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], LIMIT)[0]:
            _end(server)
            _server.cache_clear()
            raise subprocess.TimeoutExpired(list(arguments), LIMIT)
        code = int(server.stdout.readline())
        return Ran(code, *(Path(each).read_text(encoding="utf-8") for each in (out, err)))


@functools.cache
def _server() -> subprocess.Popen[str]:
    """What is forked."""
    command, pipe = [sys.executable, __file__], subprocess.PIPE
    server = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    """End it, with the command that it may be waiting for."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def serve() -> None:
    """Run commands as they are asked for, each in a copy of this process."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from oneowner.checker import command_line
    from oneowner.checker.suite import answers, of
    from oneowner.model.language import load
    from oneowner.model.symbolic import clauses

    spec = load("oneowner.spec:SPEC")
    assert command_line
    assert clauses(spec)
    assert of(spec)
    assert answers(spec)
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become(**asked)
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(arguments: list[str], env: dict[str, str], cwd: str, out: str, err: str) -> None:
    """Be the process of a command."""
    from oneowner.__main__ import main

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path[0] = cwd
    sys.path[1:1] = [each for each in env.get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.argv = ["oneowner", *arguments]
    flags = os.O_WRONLY | os.O_CREAT
    for number, (path, how) in enumerate(((os.devnull, os.O_RDONLY), (out, flags), (err, flags))):
        opened = os.open(path, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0)
    code: Any = 0
    try:
        main()
    except SystemExit as done:
        code = done.code
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    # what was read is not taken apart again
    os._exit(code)


if __name__ == "__main__":
    serve()
