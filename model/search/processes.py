"""Processes that share out work, and are gone at once when it is interrupted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext, SpawnProcess
from signal import SIG_BLOCK, SIG_SETMASK, SIGINT, pthread_sigmask
from typing import Any


class _Worker(SpawnProcess):
    def start(self) -> None:
        before = pthread_sigmask(SIG_BLOCK, {SIGINT})
        try:
            super().start()  # what is blocked is inherited, so that no moment of its beginning is open to an interruption
        finally:
            pthread_sigmask(SIG_SETMASK, before)


class _Context(SpawnContext):
    Process = _Worker


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
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown(cancel_futures=True)
