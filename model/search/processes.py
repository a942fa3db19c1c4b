"""Processes that share out work, and are gone at once when it is interrupted."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

WORTH_SHARING = 1.0
"""For how many seconds work goes on in one process before it is shared out: about what others take to begin."""

ENDING = 1.0
"""Seconds for which the end of a pool is waited for."""


class _Worker(SpawnProcess):
    def start(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with self._put_off():
                super().start()  # what is blocked is inherited, so that no moment of its beginning is open to an interruption
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @contextlib.contextmanager
    def _put_off(self) -> Iterator[None]:
        """An interruption that another thread gets is raised here after the block: who is half begun by then is told nothing any
        more, and says so.  Whom nobody knows of because it is raised is killed."""
        handler = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or not callable(handler):
            yield
            return
        came: list[Any] = []
        signal.signal(signal.SIGINT, lambda *given: came.append(given))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)
            try:
                if came:
                    handler(*came[0])
            except BaseException:
                if self.pid is not None:
                    self.kill()
                raise


class _Context(SpawnContext):
    Process = _Worker


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
    pool = ProcessPoolExecutor(jobs, _Context(), begin, arguments)
    try:
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.kill()
        with _quiet(pool._executor_manager_thread):
            pool.shutdown(wait=False)
        raise
    pool.shutdown(cancel_futures=True)
