"""The process between this checker and an adapter that it starts: it keeps the adapter's whole tree together.

    python -I -S keeper.py CONTROL STATUS COMMAND ...

It makes itself the reaper of its descendants (Linux, PR_SET_CHILD_SUBREAPER), so that whatever the adapter starts stays
below it, even in a session of its own and with an environment of its own.  Input and output go past it.  When CONTROL is
closed, by the checker or by its death, all that stands below it is killed.

To STATUS it writes "pid N" or "failed ERRNO" first, "ended STATUS" when the adapter has ended, and last "words" and the end of
what was said on stderr, of which it keeps no more.  It imports little, since it starts with every adapter.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time

LAST_WORDS = 2000
"""How many bytes of stderr are kept."""

STUBBORN = 2.0
"""Seconds for which what is below it is killed, until nothing is: a signal takes effect a little later than it
is sent, and what is killed may have begun something else."""

PR_SET_CHILD_SUBREAPER = 36


def main(control: int, status: int, command: list[str]) -> None:
    """Start the adapter, wait for the end, and kill what is left."""
    os.set_inheritable(control, False)
    os.set_inheritable(status, False)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    words, words_in = os.pipe()
    child = _start(command, status, words_in)
    os.close(words_in)
    # the adapter alone holds its ends, so that they close with it
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    said = _watch(control, status, woken, words, child)
    _kill_all()
    _reap(child, status)
    os.write(status, b"words\n" + said[-LAST_WORDS:])


def _start(command: list[str], status: int, stderr: int) -> int:
    failed, failing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.dup2(stderr, 2)
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.execvp(command[0], command)
        except OSError as error:
            os.write(failing, str(error.errno).encode())
        os._exit(127)
    os.close(failing)
    errno = os.read(failed, 16).decode()
    os.write(status, f"failed {errno}\n".encode() if errno else f"pid {child}\n".encode())
    return child


def _watch(control: int, status: int, woken: int, words: int, child: int) -> bytes:
    """Wait until control is closed; the end of what was said on stderr."""
    poll = select.poll()
    for each in (control, woken, words):
        poll.register(each, select.POLLIN)
    said = b""
    while True:
        ready = {number for number, _ in poll.poll()}
        if woken in ready:
            os.read(woken, 4096)
            _reap(child, status)
        if words in ready:
            more = os.read(words, 65536)
            said = (said + more)[-LAST_WORDS:]
            if not more:
                poll.unregister(words)
        if control in ready:
            os.set_blocking(words, False)
            with contextlib.suppress(BlockingIOError):
                while more := os.read(words, 65536):
                    said = (said + more)[-LAST_WORDS:]
            return said


def _reap(child: int, status: int) -> None:
    while True:
        try:
            pid, how = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid == child:
            os.write(status, f"ended {os.waitstatus_to_exitcode(how)}\n".encode())


def _kill_all() -> None:
    until = time.monotonic() + STUBBORN
    while (below := _below()) and time.monotonic() < until:
        for pid in below:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def _below() -> set[int]:
    """The living processes below this one, as far as the system says."""
    parents = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if state not in (b"Z", b"X"):
                parents[int(name)] = int(parent)
    below: set[int] = set()
    found = {os.getpid()}
    while found:
        found = {pid for pid, parent in parents.items() if parent in found} - below
        below |= found
    return below


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
