"""Fuzzing in several processes, each with an implementation and draws of its own."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from queue import Empty
from typing import Any

from ...model.language import Spec, load
from ...model.search import workers
from ..adapters import afresh, finished, reach, stopped
from ..errors import AdapterFault
from ..session import Session, have_built
from .run import PATIENCE, WORTH_BUILDING, FuzzReport, fuzz

TOLD = 0.25
"""Every how many seconds a process tells how far it is."""

APART = 1 << 24
"""How far the seeds of processes lie apart: each begins with its own and counts on."""


def fuzz_beside(
    spec: Spec,
    implementation: str,
    *,
    jobs: int,
    scope: Mapping[str, int] | None = None,
    seconds: float = 20.0,
    wanted: Collection[str] = (),
    progress: Callable[[FuzzReport], None] | None = None,
    seed: int | None = None,
    without: Collection[str] = (),
    **options: Any,
) -> FuzzReport:
    """Fuzz what `implementation` reaches in so many processes at once, until one of them finds a failure; else as `fuzz`.

    They draw from seeds of their own, of which `seed` is the first.  The spec is one that was loaded by its name.  Raises
    AdapterError.
    """
    sizes = spec.scope(scope or spec.fuzz_scope)
    started = time.monotonic()
    first = random.SystemRandom().randrange(2**32) if seed is None else seed
    merged = FuzzReport(without=frozenset(without), seed=first)
    if seconds >= WORTH_BUILDING:
        merged.slower = have_built(spec, Session.with_strangers(spec, sizes), now=True)
    context = get_context("spawn")
    told, enough = context.Queue(), context.Event()
    given = {**options, "scope": sizes, "seconds": seconds * (1 + PATIENCE if wanted else 1), "without": tuple(without)}
    until, reports = 0.0, dict[int, FuzzReport]()
    try:
        with workers(jobs, _begin, told, enough) as pool:
            asked = [pool.submit(_work, spec.where, implementation, job, first + job * APART, given) for job in range(jobs)]
            while not all(each.done() for each in asked):
                with contextlib.suppress(Empty):
                    job, report = told.get(timeout=TOLD)
                    # the time to start is not the time to fuzz
                    until = until or time.monotonic() + seconds
                    reports[job] = report
                    _merge(merged, reports)
                    if progress:
                        progress(merged)
                over = until and time.monotonic() >= until and all(merged.clauses[clause] for clause in wanted)
                if over or merged.failures or any(each.done() for each in asked):
                    enough.set()
            for job, each in enumerate(asked):
                reports[job] = each.result()
    except BrokenProcessPool:
        raise AdapterFault(f"{implementation}: a process ended while it was called in it: it exits, or crashes") from None
    except KeyboardInterrupt:
        merged.interrupted = True
    _merge(merged, reports)
    merged.seconds = time.monotonic() - started
    return merged


def _merge(merged: FuzzReport, reports: Mapping[int, FuzzReport]) -> None:
    """Count what all have done."""
    merged.calls = sum(each.calls for each in reports.values())
    merged.runs = sum(each.runs for each in reports.values())
    merged.clauses.clear()
    merged.causes.clear()
    merged.known.clear()
    for each in reports.values():
        merged.clauses.update(each.clauses)
        merged.causes.update(each.causes)
        merged.known.update(each.known)
    # the first is enough: others may be the same, and each was made short by itself
    merged.failures = next((each.failures for _, each in sorted(reports.items()) if each.failures), [])


_told: Any = None
_enough: Any = None


def _begin(told: Any, enough: Any) -> None:
    global _told, _enough
    _told, _enough = told, enough


def _work(where: str, implementation: str, job: int, seed: int, given: dict[str, Any]) -> FuzzReport:
    spec = load(where)
    reached = reach(spec, implementation)
    last = [time.monotonic()]

    def progress(report: FuzzReport) -> None:
        if time.monotonic() - last[0] >= TOLD:
            last[0] = time.monotonic()
            _told.put((job, report))

    try:
        found = fuzz(
            spec, reached, seed=seed, progress=progress, enough=_enough.is_set, fresh=afresh(spec, implementation), **given
        )
        finished(reached)
    finally:
        stopped(reached)
    return found
