"""Processes that share out work, and are gone at once when it is interrupted."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext, SpawnProcess
from signal import SIG_BLOCK, SIG_SETMASK, SIGINT, pthread_sigmask
from typing import Any

from ..language import putting_off_interruptions

WORTH_SHARING = 1.0
"""For how many seconds work goes on in one process before it is shared out: about what others take to begin."""

ENDING = 1.0
"""Seconds for which the end of a pool is waited for."""


class _Worker(SpawnProcess):
    def start(self) -> None:
        before = pthread_sigmask(SIG_BLOCK, {SIGINT})
        try:
            with putting_off_interruptions():
                super().start()  # what is blocked is inherited, so that no moment of its beginning is open to an interruption
        finally:
            pthread_sigmask(SIG_SETMASK, before)


class _Context(SpawnContext):
    """Knows of each process from before it is begun.  The pool hears of it later, and an interruption may come in between."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[_Worker] = []

    def Process(self, *arguments: Any, **named: Any) -> _Worker:  # type: ignore[override]  # noqa: N802
        self.made.append(_Worker(*arguments, **named))
        return self.made[-1]


@contextlib.contextmanager
def _quiet(manager: Any) -> Iterator[None]:
    """The end of a pool whose processes were killed.  It tells all that wait, and falls over what is cancelled by then."""
    told = threading.excepthook
    threading.excepthook = lambda what: None if what.thread is manager else told(what)
    try:
        yield
        if manager is not None:
            manager.join(ENDING)
    finally:
        threading.excepthook = told


@contextlib.contextmanager
def workers(jobs: int, begin: Callable[..., None] | None = None, *arguments: Any) -> Iterator[ProcessPoolExecutor]:
    """So many processes for the block, each of which begins with a call.

    An interruption from the keyboard, which all of a group get, is left to this process.  If the block ends by one, or by
    another exception, they are killed, whatever they are at.
    """
    context = _Context()
    pool = ProcessPoolExecutor(jobs, context, begin, arguments)
    try:
        yield pool
    except BaseException:
        for process in context.made:
            if process.pid is not None:
                process.kill()
        with _quiet(pool._executor_manager_thread):
            pool.shutdown(wait=False)
        raise
    pool.shutdown(cancel_futures=True)
