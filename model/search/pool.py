"""Processes that expand the levels of a search together."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..batch import Cells
from ..concrete import Model
from ..language import Scope, Type, load
from .expansion import Expander, Expansion, WorkerGone
from .frontier import Frontier
from .processes import workers
from .seen import Seen


@dataclass(frozen=True)
class Task:
    """What a process needs to make an expander of its own."""

    where: str
    scope: Scope
    arguments: Any
    actions: tuple[str, ...]
    statements: tuple[str, ...]
    symmetry: bool
    fixed: Mapping[Type, Collection[int]]
    keep_edges: bool
    count_causes: bool


class Pool:
    """Workers for a search; to be entered and left."""

    def __init__(self, task: Task, jobs: int) -> None:
        self.task, self.jobs = task, jobs
        self._processes = ExitStack()

    def __enter__(self) -> Pool:
        self._executor = self._processes.enter_context(workers(self.jobs, _begin, self.task))
        return self

    @property
    def processes(self) -> list[int]:
        """The workers, by their numbers."""
        return list(self._executor._processes or {})

    def __exit__(self, *exception: Any) -> None:
        self._processes.__exit__(*exception)

    def expanded(self, level: Frontier, depth: int, seen: Seen, size: int) -> Generator[Expansion, None, None]:
        """What follows the states of a level, in blocks of `size`; a few of them are under way at a time.

        The first is half as large: blocks that end at one time do not know of each other, and make states twice.
        Raises WorkerGone; then the blocks that were under way are back in the level.
        """
        running: dict[Future[Expansion], Cells] = {}
        half = True
        try:
            while level or running:
                while level and len(running) <= self.jobs:
                    data = level.take((size + 1) // 2 if half else size)
                    half = False
                    try:
                        running[self._executor.submit(_expand, data, depth, seen.path)] = data
                    except BaseException:
                        level.add(data)
                        raise
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    found = future.result()
                    del running[future]
                    yield found
        except BrokenProcessPool:
            raise WorkerGone from None
        finally:
            for data in running.values():
                level.add(data)


_expander: Expander | None = None
_seen: Seen | None = None


def _begin(task: Task) -> None:
    global _expander  # noqa: PLW0603  (one a process)
    spec = load(task.where)
    model = Model(spec, task.scope, task.arguments)
    actions = [spec.actions[name] for name in task.actions]
    _expander = Expander(
        model,
        actions,
        task.statements,
        symmetry=task.symmetry,
        fixed=task.fixed,
        keep_edges=task.keep_edges,
        count_causes=task.count_causes,
    )


def _expand(data: Cells, depth: int, path: Path) -> Expansion:
    global _seen  # noqa: PLW0603
    assert _expander is not None
    if _seen is None or _seen.path != path:
        # a table that has grown since is found again with the next call; until then states may be sent that are known
        with suppress(FileNotFoundError):
            _seen = Seen.attach(path)
    return _expander.finish(_expander.expand(data, depth, _seen or Seen()))
