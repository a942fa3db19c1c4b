"""Exhaustive search in the compiled reading: the same answers as the batch reading's, at the speed of C.

A level is expanded by threads that share one table; what they do is in `model/compiled/search.h`.  States are kept packed, for
the level at hand and the next only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Any

import numpy as np

from ..batch import Block, Fingerprints
from ..compiled import FRESH_BITS, Building, SearchPrinter, fresh_sorts
from ..concrete import Model, Vector
from ..language import Action, Rest, SpecError, Step
from .expansion import WELL_DEFINED, Broken, Expansion, told_apart
from .explorer import Explorer
from .frontier import Frontier
from .linking import declare
from .memory import give_back
from .symmetry import Symmetry
from .table import PLACE, Table
from .worker import TABLE_FULL, Piece, Sizes, Worker

AT_ONCE, LONGEST = 1 << 10, 0.05
"""How many states are expanded at once at first; and about how many seconds a thread is left to itself."""


class CompiledExplorer(Explorer):
    """A search as `Explorer` is one, with the same options, in a library that was built for it.

    Raises SpecError for what the compiled reading has no room for, and where there is no compiler; `building` is a library of the
    same search that is already being built.
    """

    reading = "compiled"
    level_part = 20

    def __init__(self, model: Model, *, building: Building | None = None, **options: Any) -> None:
        self._building = building
        super().__init__(model, **options)

    @staticmethod
    def printer(explorer: Explorer) -> SearchPrinter:
        """What prints the search of an explorer, in whatever reading that is.

        It does not depend on which names the explorer leaves alone; and one that keeps its transitions and judges nothing is
        printed as the one that judges everything.  So one library serves for the states of a scope and for what is to come about
        in it.
        """
        spec, expander, wanted = explorer.model.spec, explorer.expander, set(explorer.statements)
        if expander.keep_edges and not wanted:
            wanted = {*spec.invariants, *spec.step_properties}
        symmetry = Symmetry(expander.layout) if expander.symmetry and expander.fixed else expander.symmetry
        return SearchPrinter(
            explorer.model,
            explorer.beginning,
            explorer.actions,
            [s for s in spec.invariants.values() if s.name in wanted],
            [s for s in spec.step_properties.values() if s.name in wanted],
            free=symmetry.free if symmetry else None,
        )

    def _begin(self) -> None:
        self._printer = self.printer(self)
        self.packing = self._printer.packing
        self.search.exact = self.packing.words == 1 and not self._printer.naming
        building = self._building or Building(self._printer.printed())
        self.library = building.library()
        for name in ("oo_begin", "oo_marked", "oo_like", "oo_found"):
            getattr(self.library, name).restype = ctypes.c_uint64
        for name, kinds in (
            ("oo_expand", "p"),
            ("oo_begin", "pp"),
            ("oo_marked", "pp"),
            ("oo_move", "ppuppu"),
            ("oo_like", "puupu"),
            ("oo_found", "puu"),
            ("oo_resting", "upup"),
        ):
            taken = {"p": ctypes.c_void_p, "u": ctypes.c_uint64}
            getattr(self.library, name).argtypes = [taken[kind] for kind in kinds]
        self._reached = np.zeros(max(1, len(self._printer.clauses)), np.uint8)
        self._stop = np.zeros(1, np.int32)
        declare(self.library)
        self._ready: list[Worker] = []
        self._kept: list[Fingerprints] = []
        self._rate = 0.0
        fixed, naming = self.expander.fixed, self._printer.naming
        symmetry = self.expander.symmetry
        self._most = self._printer.most_calls_with(fixed)
        self._own = np.array([*self._printer.own(fixed), 0], np.uint64)
        self._colours = naming.colours(symmetry.free) if naming and symmetry else None
        whole, words = self.packing.whole, self.packing.words
        self._late_masks = np.zeros((2, whole), np.uint64)
        self._late_masks[1, words:] = 2**64 - 1
        self._late_asked: tuple[set[int], set[int]] = (set(), set())
        self._forget()
        worker = Worker(self._sizes())
        words_of = np.array(self.packing.packed(self.beginning), np.uint64)
        worker.point(self.seen)
        self.first = int(self.library.oo_begin(ctypes.byref(worker.work), words_of.ctypes.data))
        self.seen.count = 1
        if worker.work.found_count:
            self.todo.add(worker.taken("found").copy())
        else:
            self.todo.add(np.empty((0, words), np.uint64))
        self.broken += [Broken(name, mark, 0, False) for name, mark in worker.broken_states()]
        worker.reset()
        self._ready.append(worker)

    def _sizes(self, *, alone: bool = False) -> Sizes:
        """What a thread is told; one that is `alone` keeps transitions, of a single state."""
        return Sizes(
            self.library,
            self._most,
            self._own,
            self._colours,
            bool(self.statements),
            self.packing.words,
            self.packing.whole,
            [s.name for s in self._printer.invariants],
            len(self._printer.steps),
            alone or self.expander.keep_edges,
            self.model.spec.late is not None and not alone,
            self._late_masks,
            self._reached,
            self._stop,
            self.jobs > 1,
        )

    def _forget(self) -> None:
        self.seen: Table = Table(self.library)
        self.todo, self.following = Frontier(axis=0), Frontier(axis=0)

    def _interrupt(self) -> None:
        self._stop[0] = 1

    def _finish(self) -> None:
        return

    def _is_full(self) -> bool:
        used: int = self._used()
        return used > self.memory

    def _level(self, stack: ExitStack, seconds: float) -> Generator[Expansion, None, None]:
        threads = stack.enter_context(ThreadPoolExecutor(self.jobs))
        running: dict[Future[Piece], Worker] = {}
        self._stop[0] = self._held.seen
        wants_room = self.seen.room < self._needed
        try:
            while (self.todo and not self._stop[0]) or running:
                if wants_room and not running:
                    if not self._grown():
                        self.search.stopped = "memory"
                        return
                    wants_room = False
                while self.todo and len(running) < self.jobs and not wants_room and not self._stop[0]:
                    worker = self._ready.pop() if self._ready else Worker(self._sizes())
                    data = self.todo.take(self._size())
                    worker.point(self.seen, max(0, self.seen.room) // self.jobs)
                    running[threads.submit(worker.expanded, data)] = worker
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    worker = running.pop(future)
                    piece = future.result()
                    wants_room = self._took(worker, piece) or wants_room
                    yield piece.expansion
            if self._held.seen:
                self.search.stopped = "interrupted"
        finally:
            self._stop[0] = 1
            wait(running)
            for future, worker in running.items():
                piece = future.result()
                self._took(worker, piece)
                self._take(piece.expansion)
            threads.shutdown()

    @property
    def _needed(self) -> int:
        """For how many states there must be room to expand one, in each thread."""
        return self.jobs * (2 * self._most + 256)

    def _size(self) -> int:
        wanted = int(self._rate * LONGEST) or AT_ONCE
        return max(1, min(wanted, -(-self.todo.size // self.jobs)))

    def _grown(self) -> bool:
        """Have a larger table, if there is memory for one."""
        least: int = self.seen.count + self._needed
        wanted = self.seen.room_for(max(self._needed, self.seen.count // 8))
        give_back()
        # a twentieth is left for what is not the table
        free: int = (self.memory - self._used()) * 19 // 20
        most = self.seen.places + free // PLACE
        if wanted > most:
            # not as large as it should be, but as large as it can be, if that is worth moving for
            wanted = most if most * 0.75 > max(least, 1.05 * self.seen.count) else 0
        if not wanted:
            return self.seen.room >= self._needed
        self.seen.grow(wanted)
        return True

    def _took(self, worker: Worker, piece: Piece) -> bool:
        """Take what a thread has come to; whether the table has no room for what it left."""
        self._ready.append(worker)
        self.seen.count += piece.entered
        for data in piece.found:
            self.following.add(data)
        if piece.done < len(piece.data):
            self.todo.add(piece.data[piece.done :])
        found = piece.expansion
        self._tell(found, piece.misnamed, piece.steps, piece.coming)
        if piece.done >= AT_ONCE // 2:
            self._rate = piece.done / piece.seconds
        self._late(worker, piece)
        if self.expander.keep_edges:
            found.kept = piece.data[: piece.done]
            self._kept.append(piece.marks)
        return bool(piece.full & TABLE_FULL)

    def _tell(self, found: Expansion, misnamed: int, steps: Sequence[int], coming: Sequence[int]) -> None:
        """Put into an expansion what statements were broken, by the least fingerprints if not 0, and what clauses were reached.
        Raises SpecError where names are told apart that are taken for equal."""
        if misnamed:
            raise told_apart(self._printer.given_out[misnamed - 1])
        depth, names = self.search.depth, [*(s.name for s in self._printer.steps), WELL_DEFINED]
        found.broken += [Broken(name, mark, depth, True) for name, mark in zip(names, steps, strict=True) if mark]
        invariants = zip(self._printer.invariants, coming, strict=True)
        self.coming += [Broken(s.name, mark, depth + 1, False) for s, mark in invariants if mark]
        for number in np.flatnonzero(self._reached).tolist():
            found.clauses[self._printer.clauses[number]] = depth

    def _asks_more(self, found: Expansion, late: Any) -> bool:
        """Take the answers to suspended calls that some calls with outputs brought; whether more was asked of the states before
        and after them than is told apart, which it is from now on."""
        answers, news = self.model.spec.late, False
        assert answers is not None
        for words in late.tolist():
            states = [self.packing.unpacked(w) for w in (words[: self.packing.whole], words[self.packing.whole :])]
            systems = [self.model.system(vector) for vector in states]
            for each in answers(systems[0], systems[1], self.model.scope):
                found.clauses.setdefault(each.clause, self.search.depth)
            for asked, system in zip(self._late_asked, systems, strict=True):
                news = news or not asked.issuperset(system._asked())
                asked.update(system._asked())
        if news:
            for mask, asked in zip(self._late_masks, self._late_asked, strict=True):
                for field in self.packing.moving:
                    if field.position in asked:
                        for word, bit in map(field.at, range(field.count)):
                            mask[word] |= np.uint64(((1 << field.width) - 1) << bit)
        return news

    def _late(self, worker: Worker, piece: Piece) -> None:
        """The answers to suspended calls that were brought; where more was asked than was told apart, the states are looked at
        once more."""
        while len(piece.late) and self._asks_more(piece.expansion, piece.late):
            self._ready.remove(worker)
            worker.forget_late()
            # all that they lead to is entered already, so that a table without room is no reason to stop
            worker.point(self.seen)
            again = worker.expanded(piece.data[: piece.done], whole=True)
            self._ready.append(worker)
            piece.late = again.late

    def block(self) -> Block:
        return Block(self.expander.layout, self.packing.cells(self.expander.layout, self._words()))

    def numbered(self) -> tuple[Fingerprints, Any]:
        return np.concatenate([np.empty(0, np.uint64), *self._kept]), self._depths([len(kept) for kept in self._kept])

    def _words(self) -> Any:
        return np.ascontiguousarray(np.concatenate([np.empty((0, self.packing.words), np.uint64), *self.search.kept]))

    def resting(self, statement: Rest) -> Any:
        """Which of the states that were expanded keep a statement of what rest is."""
        words = self._words()
        found = np.empty(len(words), np.uint8)
        self.library.oo_resting(self._printer.rests.index(statement), words.ctypes.data, len(words), found.ctypes.data)
        return found.astype(np.bool_)

    def way(self, mark: int) -> tuple[list[Step], Vector]:
        """As in `Explorer`.  Half of a parent's fingerprint is known: of several states that have it, one leads here."""
        marks, choices = [mark], [iter(self._parents(mark))]
        while True:
            way = self._led(marks[::-1]) if marks[-1] == self.first else None
            if way is not None:
                return way
            parent = None
            while choices and (parent := next(choices[-1], None)) is None:
                choices.pop()
                marks.pop()
            if not choices:
                raise SpecError("a way that was gone cannot be found again; please report it")
            if parent is not None and parent not in marks:
                marks.append(parent)
                choices.append(iter(self._parents(parent)))

    def _parents(self, mark: int) -> list[int]:
        return [] if mark == self.first else self.seen.parents_of(mark)

    def _led(self, marks: list[int]) -> tuple[list[Step], Vector] | None:
        steps, vector = [], self.beginning
        for wanted in marks[1:]:
            found = self._step_to(vector, wanted)
            if found is None:
                return None
            steps.append(found[0])
            vector = found[1]
        return steps, vector

    def mark_of(self, vector: Vector) -> int:
        words = np.array(self.packing.packed(vector), np.uint64)
        worker = Worker(self._sizes(alone=True))
        return int(self.library.oo_marked(ctypes.byref(worker.work), words.ctypes.data))

    def step_to(self, vector: Vector, wanted: int) -> tuple[Step, Vector]:
        found = self._step_to(vector, wanted)
        if found is None:
            raise SpecError("a way that was gone cannot be found again; please report it")
        return found

    def _step_to(self, vector: Vector, wanted: int) -> tuple[Step, Vector] | None:
        for action, arguments, mark in self._calls_in(vector):
            if mark == wanted:
                return (action.name, arguments), self.model.step(action, vector, arguments).state
        return None

    def _calls_in(self, vector: Vector) -> Iterator[tuple[Action, dict[str, Any], int]]:
        """The calls that change a state, with the fingerprints of those after."""
        worker = Worker(self._sizes(alone=True))
        scratch = Table(self.library, 4 * (2 * self._most + 256))
        worker.point(scratch, scratch.room)
        worker.expanded(np.array([self.packing.packed(vector)], np.uint64), whole=True, keep=True)
        for _, after, call in worker.taken("edges").tolist():
            action, arguments = self.expander.numbered[call & 0xFFFFFFFF]
            mask = (1 << FRESH_BITS) - 1
            names = {kind: call >> 32 + FRESH_BITS * at & mask for at, kind in enumerate(fresh_sorts(action))}
            yield action, {s.name: names[s.type] if s.fresh else arguments[s.name] for s in action.slots}, after
