"""The search on a GPU: what it counts held against what is known, and how many states it sees in a second.

usage: python bench/card.py [emulated]

It needs nvcc, a C compiler, Python and this package, and takes about two minutes, most of them building; `emulated` plays the GPU
on the CPU, in small scopes.  It ends with 1 where something is counted that is not so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from oneowner.model.compiled import card, state_bytes
from oneowner.model.concrete import Model
from oneowner.model.language import SpecError, load
from oneowner.model.search import CUDA, EMULATED, DeviceExplorer

sys.path.insert(0, str(Path(__file__).parent))
from core import THEOREMS, scope


class Known(NamedTuple):
    """A scope of the core, its states, and its transitions if they are known."""

    sizes: tuple[int, int, int, int]
    symmetry: bool
    states: int
    transitions: int | None = None


SMALL = [Known((2, 2, 4, 1), False, 67_881), Known((2, 2, 4, 2), True, 1_103)]
CHECKED = [
    *SMALL,
    Known((2, 2, 4, 2), False, 80_009),
    Known((2, 4, 4, 2), False, 4_280_049, 45_113_604),
    Known((3, 3, 4, 2), False, 5_204_320, 51_838_848),
    Known((3, 3, 4, 2), True, 8_141),
]
MEASURED = [Known((3, 4, 4, 2), False, 44_221_120), Known((2, 4, 6, 2), False, 1_132_245_871)]
BUG_CALLS = 5
"""How many calls show the planted bug, a queue that takes one more, in the smallest scope."""

REPEATS = 3
HEAD = """
## On a GPU

`oneowner explore --device cuda` searches on a GPU: the same C, printed once, a thread a state, the table and the levels in its
memory, of which a state takes 19.2 bytes at 3, 3, 4, 2 and 22.4 at 3, 4, 4, 2 and 2, 4, 6, 2. `bench/card.py` holds what it
counts against what is known, and tells how fast it is: the search alone, the fastest of three runs.
"""
TABLE = """| core | states | million states a second | bytes a state |
| --- | --- | --- | --- |"""
NOT_YET = """\
It has been built by nvcc, and the tests run its kernels on a GPU that two threads of the CPU play. On a GPU it has never been run
yet, so nothing is said of its speed: `python bench/card.py` on a machine that has one prints this section."""


def explorer_of(known: Known, device: str, spec: str = "CORE") -> DeviceExplorer:
    """A search of the core that is still to be made."""
    ordered = "" if known.symmetry else "_ORDERED"
    model = Model(load(f"core:{spec}{ordered}"), scope(*known.sizes))
    return DeviceExplorer(model, device=device, statements=THEOREMS, symmetry=known.symmetry)


def wrong(known: Known, device: str) -> Iterator[str]:
    """What is counted otherwise than it is known to be."""
    found = explorer_of(known, device).run()
    told = f"{known.sizes}{', symmetry' * known.symmetry}: {found.states} states, {found.transitions} transitions"
    if not found.complete or found.violations or found.states != known.states:
        yield f"{told}, stopped: {found.stopped or 'no'}, {len(found.violations)} violations; there are {known.states} states"
    elif known.transitions not in (None, found.transitions):
        yield f"{told}; there are {known.transitions} transitions"


def wrong_about_the_bug(device: str) -> Iterator[str]:
    """What is told of a planted bug that is not so."""
    violations = explorer_of(SMALL[0], device, "OFF_BY_ONE").run().violations
    told = [(v.statement.name, len(v.trace)) for v in violations]
    if told != [("queue_bound", BUG_CALLS)]:
        yield f"a queue that takes one more: {told}; it is queue_bound that breaks, after {BUG_CALLS} calls"


def measured(known: Known, device: str) -> str:
    """A row of the table, of a scope as fast as it was searched."""
    fastest, why = 0.0, ""
    explorer = None
    for _ in range(REPEATS):
        # the memory of the one before is given back first
        del explorer
        explorer = explorer_of(known, device)
        found = explorer.run()
        fastest = max(fastest, found.states / found.seconds)
        if found.states != known.states:
            why = f" (stopped: {found.stopped or 'no'}; there are {known.states:,})"
    assert explorer is not None
    sizes = ", ".join(map(str, known.sizes))
    return f"| {sizes} | {found.states:,}{why} | **{fastest / 1e6:.1f}** | {state_bytes(explorer.packing.words):.1f} |"


def main(device: str) -> int:
    """Print the section; 1 where something was counted that is not so."""
    print(HEAD)
    try:
        name = "the emulated one" if device == EMULATED else card().name
    except SpecError:
        print(NOT_YET)
        return 0
    faults = []
    for known in SMALL if device == EMULATED else CHECKED:
        faults += wrong(known, device)
    faults += wrong_about_the_bug(device)
    for fault in faults:
        print(f"WRONG: {fault}", flush=True)
    if not faults:
        print(f"Counted as known on {name}.", flush=True)
    print(f"\n{TABLE}")
    for known in SMALL[:1] if device == EMULATED else MEASURED:
        print(measured(known, device), flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(EMULATED if sys.argv[1:] == [EMULATED] else CUDA))
