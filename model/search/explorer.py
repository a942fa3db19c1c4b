"""Exhaustive breadth-first search in the batch reading: every reachable state of a scope, level by level, every statement judged.

Of a state that was seen, its fingerprint is kept and that of the state before it, which is enough to find the way to it again;
the states themselves are kept for the level at hand and the next only.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..batch import Block, Fingerprints, fingerprints
from ..concrete import Model, Vector
from ..graph import Violation, run, with_fresh_names
from ..language import (
    EFFECTIVE,
    Action,
    Call,
    Declaration,
    Exploration,
    Held,
    Spec,
    SpecError,
    Step,
    Type,
    check_interrupted,
    holding_interruptions,
)
from .expansion import JUDGED_AT_ONCE, WELL_DEFINED, Broken, Expander, Expansion, WorkerGone
from .frontier import Frontier
from .identity import texts_of
from .limits import Limits
from .memory import PER_CELL, UNLIMITED, budget, used
from .outcome import Search
from .pool import Pool, Task
from .seen import PLACE, Seen
from .store import Store

CELLS, FEWEST = 1 << 22, 1 << 12
"""How many cells the states have that are expanded at once; and how many states are at least."""

WORTH_SHARING, WORTH_STARTING = 1 << 13, 0.4
"""How many states a level has at least that is shared out to processes; and how many seconds it must be likely to take by itself
when there are none yet."""

A_PROCESS = 150 << 20
"""Bytes that a process needs that shares the work, before it does any."""

MEMORY_FILES = Path("/dev/shm")

STORED = ("transitions", "depth", "clauses", "cut", "seconds", "dead")


class Explorer:
    """A search as it goes on.

    `without` names operations that are not called, `statements` those to judge (default: all).  With `jobs` above 1, large levels
    are expanded by so many processes, each with a copy of the spec from `spec.where`; without that, by this one alone.
    `keep_edges` has all states and transitions kept, `fixed` gives elements that symmetry leaves alone,
    `count_causes` has it told which causes calls come to (in the batch reading alone).
    """

    reading = "batch"
    level_part = 8
    """What part of the memory each of the levels at hand has, beyond which it lies in files."""
    slower = ""
    """Why the search was not made in a reading that would have been faster."""
    outgrown = ""
    """What was too small for the search, and what to do."""

    def __init__(
        self,
        model: Model,
        *,
        without: Collection[str] = (),
        opening: Sequence[Step] = (),
        statements: Collection[str] | None = None,
        symmetry: bool = False,
        fixed: Mapping[Type, Collection[int]] | None = None,
        keep_edges: bool = False,
        count_causes: bool = False,
        jobs: int = 1,
    ) -> None:
        spec = model.spec
        self.model = model
        self.actions = [a for a in spec.actions.values() if a.name not in without]
        every = [*spec.invariants, *spec.step_properties]
        self.statements = tuple(every if statements is None else statements)
        judged: dict[str, Any] = {"symmetry": symmetry, "fixed": fixed, "keep_edges": keep_edges, "count_causes": count_causes}
        self.expander = Expander(model, self.actions, self.statements, **judged)
        self.search = Search(model, with_fresh_names(model, opening), symmetry)
        self.jobs = jobs
        self.broken: list[Broken] = []
        self.coming: list[Broken] = []
        """What is broken in states of the next level that are not gone beyond, where that is known before they are expanded."""
        self._waiting: list[Expansion] = []
        self._held = Held()
        self.memory = UNLIMITED
        """Bytes that the search may have, with its processes."""
        self._workers: Pool | None = None
        self._piece = 0
        """Bytes that are needed for the states that are expanded at once."""
        self._homes: list[TemporaryDirectory[str]] = []
        self._folder: Path | None = None
        self.beginning = run(model, self.search.opening)
        self._begin()

    def _begin(self) -> None:
        """Enter the state in which the search begins."""
        if not self.model.spec.where:
            self.jobs = 1
        self.seen: Any = Seen()
        self.todo, self.following = Frontier(), Frontier()
        data, marks = self.expander.fingerprints(self.expander.layout.block([self.beginning]).data)
        self.seen.add(marks, np.zeros(1, np.uint64))
        self.todo.add(data)

    @classmethod
    def of(cls, spec: Spec, exploration: Exploration, **options: Any) -> Explorer:
        """The search of an exploration of a spec, with the other `options` as they are given above."""
        model = Model(spec, exploration.sizes, exploration.arguments)
        return cls(model, without=spec.left_out(exploration), opening=spec.opening(exploration), **options)

    def run(
        self,
        limits: Limits = Limits(),  # noqa: B008
        *,
        stop_at_violation: bool = True,
        progress: Callable[[Search], None] | None = None,
    ) -> Search:
        """Go on until all states are seen, or a limit is met; at a violation, until its level is done."""
        search, started = self.search, time.monotonic() - self.search.seconds
        search.stopped = ""
        self.memory = limits.memory or budget()
        with ExitStack() as stack:
            self._folder = self._home()
            self.todo.folder = self.following.folder = self._folder
            self.todo.room = self.following.room = self.memory // self.level_part if limits.level is None else limits.level
            self._enter()

            try:
                with holding_interruptions(self._interrupt) as self._held:
                    self._go_on(stack, limits, started, stop_at_violation, progress)
                    self._held.told = search.stopped == "interrupted"
            except KeyboardInterrupt:
                search.stopped = "interrupted"
            except WorkerGone:
                search.stopped = "a process that died; was there memory for it?"
            self._finish()
            search.finished = not (self.todo or self.following or self.coming or self._waiting or search.stopped)
            search.violations = self._violations()
            self._workers = None
        search.states, search.seconds = self.seen.count, time.monotonic() - started
        return search

    def _go_on(
        self,
        stack: ExitStack,
        limits: Limits,
        started: float,
        stop_at_violation: bool,
        progress: Callable[[Search], None] | None,
    ) -> None:
        search = self.search

        def spent() -> str:
            search.states, search.seconds = self.seen.count, time.monotonic() - started
            check_interrupted()
            if self._held.seen:
                return "interrupted"
            if limits.seconds is not None and search.seconds > limits.seconds:
                return "time"
            if limits.states is not None and search.states >= limits.states:
                return "states"
            return search.stopped

        while not search.stopped:
            if not self.todo:
                if not (self.following or self.coming):
                    break
                self.todo, self.following = self.following, self.following.like()
                search.depth += 1
                if stop_at_violation and self.broken:
                    break
                self.broken, self.coming = self.broken + self.coming, []
            if limits.depth is not None and search.depth >= limits.depth:
                search.stopped = "depth"
                break
            expanded = self._level(stack, time.monotonic() - started)
            try:
                for found in expanded:
                    self._take(found)
                    search.stopped = spent()
                    if not search.stopped and self._is_full():
                        search.stopped = "memory"
                    if progress:
                        search.frontier = self.todo.size + self.following.size
                        progress(search)
                    if search.stopped:
                        break
            finally:
                expanded.close()

    def _interrupt(self) -> None:
        """What is done at once when an interruption comes."""

    def _level(self, stack: ExitStack, seconds: float) -> Generator[Expansion, None, None]:
        """Expand the level at hand piece by piece, when the search has gone on for so many seconds; nothing where there is no
        memory for a piece."""
        if self._workers is None and self._worth_sharing(seconds):
            self._workers = stack.enter_context(self._pool())
        pool, width = self._workers, self.expander.layout.width
        cells = min(CELLS, self.memory // 20 // PER_CELL // (self.jobs if pool else 1))
        self.expander.judged_at_once = min(JUDGED_AT_ONCE, max(1, cells // width))
        size = max(FEWEST if cells == CELLS else 1, cells // width)
        if pool:
            size = min(size, max(WORTH_SHARING // 4, self.todo.size // (3 * self.jobs)))
        self._piece = size * width * PER_CELL
        if self._is_full():
            self.search.stopped = "memory"
            return _nothing()
        return pool.expanded(self.todo, self.search.depth, self.seen, size) if pool else self._expanded(size)

    def _finish(self) -> None:
        """Judge what still waits to be judged."""
        self._take(self.expander.finish(self.expander.nothing()))

    def _worth_sharing(self, seconds: float) -> bool:
        """Whether the level at hand is large enough for processes, as the search has gone for so many seconds."""
        expanded = self.seen.count - self.todo.size
        likely = self.todo.size * seconds / expanded if expanded else 0.0
        has_room = used([]) + self.jobs * (A_PROCESS + self.memory // 20) < self.memory
        return self.jobs > 1 and self.todo.size >= WORTH_SHARING and likely >= WORTH_STARTING and has_room

    def _expanded(self, size: int) -> Generator[Expansion, None, None]:
        while self.todo:
            data = self.todo.take(size)
            try:
                found = self.expander.expand(data, self.search.depth, self.seen)
            except KeyboardInterrupt:
                self.todo.add(data)
                raise
            yield found

    def _pool(self) -> Pool:
        """Workers; the table is put where they see it: in memory if there is a file system there that has room."""
        assert self._folder is not None
        folder = self._folder
        if MEMORY_FILES.is_dir() and disk_usage(MEMORY_FILES).free > self.memory // 2:
            folder = self._home(MEMORY_FILES)
        self.seen.grow(self.seen.places, folder)
        expander = self.expander
        task = Task(
            self.model.spec.where,
            self.model.scope,
            self.model.tried,
            tuple(a.name for a in self.actions),
            self.statements,
            expander.symmetry is not None,
            expander.fixed,
            expander.keep_edges,
            expander.causes is not None,
        )
        return Pool(task, self.jobs)

    def _home(self, within: Path | None = None) -> Path:
        """A folder for files that are needed for as long as the search is."""
        folder = TemporaryDirectory(prefix="oneowner-", dir=within, ignore_cleanup_errors=True)
        self._homes.append(folder)
        return Path(folder.name)

    def _is_full(self) -> bool:
        """Whether the bytes for another piece, for each process that expands states, are more than the search may have."""
        return self._used() + self._piece * (self.jobs if self._workers else 1) > self.memory

    def _used(self) -> int:
        return used(self._workers.processes if self._workers else [])

    def _take(self, found: Expansion) -> None:
        search = self.search
        search.transitions += found.transitions
        search.cut += found.cut
        for clause, depth in found.clauses.items():
            search.clauses[clause] = min(depth, search.clauses.get(clause, depth))
        search.causes.update(found.causes)
        search.dead += found.dead
        search.edges += found.edges
        if found.kept is not None:
            search.kept.append(found.kept)
            search.kept_at.append(search.depth)
        self.broken += found.broken
        if len(found.found):
            self._waiting.append(found)
            self._enter()

    def _enter(self) -> None:
        """Enter the states that wait to be entered as seen; where there is no memory for a larger table, they go on waiting."""
        while self._waiting:
            found = self._waiting[-1]
            places = self.seen.room_for(len(found.found))
            if places != self.seen.places:
                if self._used() + places * PLACE > self.memory:
                    self.search.stopped = "memory"
                    return
                self.seen.grow(places)
            self._waiting.pop()
            new = self.seen.add(found.found, found.parents)
            if new.any():
                self.following.add(found.data if new.all() else found.data[:, new])

    def _violations(self) -> list[Violation]:
        """Of every statement that was broken, in the states of the first level where one was or by a step from them, a shortest
        way to it; shortest first."""
        first: dict[str, Broken] = {}
        for broken in sorted(self.broken, key=lambda b: (b.depth + b.step, b.at)):
            first.setdefault(broken.statement, broken)
        return [self._violation(b) for b in first.values()]

    def _violation(self, broken: Broken) -> Violation:
        spec, model = self.model.spec, self.model
        way, vector = self.way(broken.at)
        if not broken.step:
            statement: Declaration = spec.invariants[broken.statement]
            binding = model.broken(statement, model.system(vector))
            assert binding is not None
            return Violation(statement, binding, [*self.search.opening, *way])
        for action in self.actions:
            for arguments in model.calls(action, vector):
                found = None if arguments is None else self._broken_by(broken.statement, vector, action, arguments)
                if arguments is not None and found is not None:
                    return Violation(found[0], found[1], [*self.search.opening, *way, (action.name, arguments)])
        raise SpecError(f"{broken.statement}: the batch reading sees it broken and the concrete one does not; please report it")

    def _broken_by(
        self, name: str, vector: Vector, action: Action, arguments: dict[str, Any]
    ) -> tuple[Declaration, dict[str, int]] | None:
        """The statement of a step that has a name, with the binding, if a call breaks it."""
        model = self.model
        try:
            outcome = model.step(action, vector, arguments)
        except SpecError as error:
            return (_ill_defined(str(error)), {}) if name == WELL_DEFINED else None
        if name == WELL_DEFINED or not outcome.effective:
            return None
        statement = model.spec.step_properties[name]
        systems = model.system(vector), model.system(outcome.shown)
        binding = model.broken(statement, *systems, Call(action.name, arguments))
        return None if binding is None else (statement, binding)

    def save(self, store: Store) -> None:
        """Store a search that was stopped.  Raises SpecError for one that keeps its transitions, or that cannot be written."""
        if self.expander.keep_edges:
            raise SpecError("a search that keeps its transitions cannot be stored")
        self.memory = UNLIMITED
        self._enter()
        search = self.search
        arrays: dict[str, Iterator[Any]] = {"seen": (np.array(piece) for piece in self.seen.items())}
        arrays |= {"todo": self.todo.blocks(), "following": self.following.blocks()}
        told = {name: getattr(search, name) for name in STORED}
        broken, coming = ([(b.statement, b.at, b.depth, b.step) for b in some] for some in (self.broken, self.coming))
        store.write({"reading": self.reading, "of": self.identity, **told, "broken": broken, "coming": coming}, arrays)

    def load(self, store: Store) -> None:
        """Go on from a stored search.  Raises SpecError for one of something else, and for one that is damaged."""
        told, arrays = store.read()
        if told.get("of") != self.identity:
            what = "of another specification, scope or set of operations, or by another version of the engine"
            raise SpecError(f"{store.folder}: the search stored there is {what}: begin anew in another folder")
        for name in STORED:
            setattr(self.search, name, told[name])
        self.broken, self.coming = ([Broken(*each) for each in told[name]] for name in ("broken", "coming"))
        self._forget()
        for keys, parents in arrays["seen"]:
            if (places := self.seen.room_for(len(keys))) != self.seen.places:
                self.seen.grow(places)
            self.seen.add(keys, parents)
        folder = self._home()
        for frontier in (self.todo, self.following):
            frontier.folder, frontier.room = folder, 0
        for name, frontier in (("todo", self.todo), ("following", self.following)):
            for data in arrays[name]:
                frontier.add(data)

    def _forget(self) -> None:
        """Forget all states, the first as well."""
        self.seen, self.todo, self.following = Seen(), self.todo.like(), self.following.like()

    @property
    def identity(self) -> str:
        """What a search is of, as a digest: the text of the spec and the engine, its scope, its operations and statements."""
        import hashlib

        model = self.model
        tried = {name: [str(v) for v in values] for name, values in model.tried.items()}
        actions = [action.name for action in self.actions]
        given = [self.reading, model.scope, tried, actions, self.statements, self.search.symmetry, str(self.search.opening)]
        return hashlib.sha256(json.dumps([texts_of(model.spec), given]).encode()).hexdigest()

    def way(self, mark: int) -> tuple[list[Step], Vector]:
        """A shortest way from the beginning to the state with a fingerprint, and the state that it leads to (with symmetry, a
        renaming of the one that was seen)."""
        marks = [mark]
        while parent := self.seen.parent(marks[-1]):
            marks.append(parent)
        steps, vector = [], self.beginning
        for wanted in marks[-2::-1]:
            step, vector = self.step_to(vector, wanted)
            steps.append(step)
        return steps, vector

    def block(self) -> Block:
        """All states that were expanded by a search that keeps its transitions."""
        return Block(self.expander.layout, np.concatenate(self.search.kept, axis=1))

    def numbered(self) -> tuple[Fingerprints, Any]:
        """The fingerprints and the depths of the states of `block`."""
        return self.block().fingerprints, self._depths([kept.shape[1] for kept in self.search.kept])

    def _depths(self, sizes: Sequence[int]) -> Any:
        return np.repeat(self.search.kept_at, sizes)

    def mark_of(self, vector: Vector) -> int:
        """The fingerprint of a state."""
        return int(self.expander.fingerprints(self.expander.layout.block([vector]).data)[1][0])

    def step_to(self, vector: Vector, wanted: int) -> tuple[Step, Vector]:
        """A call that leads from a state to the one with a fingerprint (with symmetry, up to a renaming), and that state."""
        expander, model = self.expander, self.model
        block = expander.layout.block([vector])
        for action in self.actions:
            named = [names for names, having in expander.fresh(action, block, {}) if having is None]
            for fixed, fresh in itertools.product(expander.batch.calls(action), named):
                for part in expander.batch.parts(action, block, fixed | fresh):
                    if part.exit in EFFECTIVE:
                        marks: Any = fingerprints(part, part.parts())
                        if expander.symmetry:
                            _, marks = expander.fingerprints(part.after(np.arange(1)))
                        if int(marks[0]) == wanted:
                            arguments = {s.name: part.argument(s.name, 0) for s in action.slots}
                            return (action.name, arguments), model.step(action, vector, arguments).state
        raise SpecError("a way that was gone cannot be found again; please report it")


def _nothing() -> Generator[Expansion, None, None]:
    yield from ()


def _ill_defined(text: str) -> Declaration:
    def told() -> None:
        """See the name."""

    told.__doc__ = text
    return Declaration(WELL_DEFINED, told, ())
