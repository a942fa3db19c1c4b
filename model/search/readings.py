"""Which reading a search is made in: the batch reading for what is soon done, the compiled one for the rest.

To print a search takes milliseconds, to build it seconds, unless it was built before and kept.  So a search begins in the batch
reading; when it has gone on for as long as printing takes, it is asked whether there is a library for it; when it has gone on for
longer, one is built beside it.  In the library the search begins anew, which is sooner done than the rest of it would be.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from ..compiled import CPU, Building, compiler
from ..concrete import Model
from ..language import Exploration, Spec, SpecError, holding_interruptions
from .compiled import CompiledExplorer
from .device import DeviceExplorer
from .explorer import Explorer
from .limits import Limits
from .outcome import Search
from .store import Store

PRINTING = 0.002
"""Seconds that it takes about to print an operation."""

WORTH_BUILDING = 1.0
"""Seconds that searches are likely to go on in the batch reading, at least, if a library is built for them."""

ASKED = 0.5
"""How often it is asked whether the library is there."""

class Together:
    """Searches of one scope, one after the other, which one library serves; with what there is of it a context that ends its
    building.  `searches` is how many are likely to come, `seconds` how long they have gone on in the batch reading."""

    def __init__(self, searches: int = 1) -> None:
        self.searches, self.seconds = searches, 0.0
        self.building: Building | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the library is there."""
        return self.building is not None and self.building.is_kept

    @property
    def enough(self) -> float:
        """How many seconds the next may go on before a library begins to be built: each is likely to take as long."""
        return max(0.0, WORTH_BUILDING - self.seconds) / self.searches

    def count(self, search: Search) -> None:
        """Count how long a search has gone on."""
        self.seconds += search.seconds

    def __enter__(self) -> Together:
        return self

    def __exit__(self, *_: object) -> None:
        if self.building is not None:
            self.building.stop()


AUTO, BATCH, COMPILED = READINGS = ("auto", "batch", "compiled")

NO_COMPILER = "there is no C compiler (cc) on this machine, so the search went on in the batch reading, which is slower"


def begun(model: Model, *, reading: str = AUTO, device: str = CPU, memory: int | None = None, **options: Any) -> Explorer:
    """A search in a reading, `options` as for `Explorer`; on a GPU, with so many bytes of its memory, in the compiled one.

    Raises SpecError where it has to be the compiled one and cannot be.
    """
    if device != CPU:
        if reading == BATCH:
            raise SpecError("a GPU searches in the compiled reading: leave out --device, or --reading batch")
        return DeviceExplorer(model, device=device, memory=memory, **options)
    return CompiledExplorer(model, **options) if reading == COMPILED else Explorer(model, **options)


def explored_of(spec: Spec, exploration: Exploration, limits: Limits = Limits(), **options: Any) -> Explorer:  # noqa: B008
    """The search of an exploration of a spec; the rest as for `explored`."""
    model = Model(spec, exploration.sizes, exploration.arguments)
    return explored(model, limits, without=spec.left_out(exploration), opening=spec.opening(exploration), **options)


def explored(
    model: Model,
    limits: Limits = Limits(),  # noqa: B008
    *,
    reading: str = AUTO,
    device: str = CPU,
    stop_at_violation: bool = True,
    progress: Callable[[Search], None] | None = None,
    store: Store | None = None,
    together: Together | None = None,
    **options: Any,
) -> Explorer:
    """Search until all states are seen or a limit is met; `options` as for `Explorer`.  What `store` holds is gone on with, in
    the reading in which it was begun; one of the compiled reading may be gone on with on another device.  `together` are the
    searches of the same operations and beginning before it.

    `explorer.slower` says why it was not made in the compiled reading, where that would have been better.  Raises SpecError as
    `begun` does.
    """
    if store is not None and store.holds_one:
        reading = store.read()[0].get("reading", BATCH)
        if device != CPU and reading == BATCH:
            raise SpecError(f"{store.folder}: the search stored there is in the batch reading: go on with it without --device")
    if reading == AUTO and device == CPU and together is not None and together.is_kept:
        reading = COMPILED
        options = {**options, "building": together.building}
    explorer = begun(model, reading=reading, device=device, memory=limits.memory, **options)
    if store is not None and store.holds_one:
        explorer.load(store)

    def on(seconds: float | None) -> Search:
        """Go on, until the search has taken so many seconds."""
        both = [s for s in (seconds, limits.seconds) if s is not None]
        jobs, explorer.jobs = explorer.jobs, explorer.jobs if seconds is None else 1
        try:
            return explorer.run(
                replace(limits, seconds=min(both, default=None)), stop_at_violation=stop_at_violation, progress=progress
            )
        finally:
            explorer.jobs = jobs

    def is_over(search: Search) -> bool:
        return search.stopped != "time" or (limits.seconds is not None and search.seconds > limits.seconds)

    def waited(building: Building) -> bool:
        """Wait for a library, a little; whether the search may go on."""
        began, search = time.monotonic(), explorer.search
        building.wait(ASKED)
        search.seconds += time.monotonic() - began
        return not was_interrupted() and not is_over(search)

    def was_interrupted() -> bool:
        if held.seen:
            explorer.search.stopped, held.told = "interrupted", True
        return held.seen

    def to_its_end(slower: str = "") -> Explorer:
        explorer.slower = slower
        on(None)
        return explorer

    if reading != AUTO or device != CPU:
        return to_its_end()
    with ExitStack() as stack:
        held = stack.enter_context(holding_interruptions())
        together = together or stack.enter_context(Together())
        stack.callback(together.count, explorer.search)
        # printed for several searches it is worth its time even if the first is soon done
        if together.searches == 1 and is_over(on(PRINTING * len(explorer.actions))):
            return explorer
        try:
            building = together.building = together.building or Building(CompiledExplorer.printer(explorer).printed())
        except SpecError as error:
            return to_its_end(str(error))
        if not building.is_kept:
            if is_over(on(together.enough)):
                return explorer
            if compiler() is None:
                return to_its_end(NO_COMPILER)
            building.start()
            while not building.is_done:
                if explorer.jobs == 1:
                    # on one core it is sooner done if the search waits
                    if not waited(building):
                        return explorer
                elif is_over(on(explorer.search.seconds + ASKED)):
                    return explorer
        began, spent = time.monotonic(), explorer.search.seconds
        if was_interrupted():
            return explorer
        try:
            compiled = CompiledExplorer(model, building=building, **options)
        except SpecError as error:
            return to_its_end(str(error))
        explorer = compiled
        explorer.search.seconds = spent + time.monotonic() - began
        return to_its_end()
