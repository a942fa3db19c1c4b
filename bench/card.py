"""The search on a GPU: what it counts held against what is known, and how many states it sees in a second.

usage: python bench/card.py [scopes | emulated]

It prints the section of docs/benchmarks.md about it, in two minutes, or where there is no GPU what `card.md` keeps of one.
`scopes` holds every scope of the specification, with and without symmetry, against what threads find, in two minutes of 16
processors, which nvcc takes; `emulated` plays the GPU on the CPU, in small scopes.  It needs nvcc, a C compiler, Python and this
package, and ends with 1 where something is counted that is not so.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from oneowner.model.compiled import card, nvcc, state_bytes
from oneowner.model.concrete import Model
from oneowner.model.language import SpecError, load
from oneowner.model.search import CUDA, EMULATED, CompiledExplorer, DeviceExplorer
from oneowner.spec import SPEC

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
MEASURED = [
    Known((3, 4, 4, 2), False, 44_221_120),
    Known((4, 4, 4, 2), False, 237_372_081),
    Known((2, 4, 6, 2), False, 1_132_245_874),
]
BUG_CALLS = 5
"""How many calls show the planted bug, a queue that takes one more, in the smallest scope."""

REPEATS = 3
HEAD = """
## On a GPU

`oneowner explore --device cuda` searches on a GPU: the same C, printed once, a thread a state, the table and the levels in its
memory, of which a state takes 19.2 bytes at 3, 3, 4, 2 and 22.4 at 3, 4, 4, 2 and 2, 4, 6, 2. `python bench/card.py` prints this
section on a machine that has one: it holds what is counted against what is known, and tells how fast it is, the search alone, the
fastest of three runs, and as a ratio to the core by hand on the same GPU (`bench/peers/by_hand.cu`: a byte a cell, no way back
kept). `python bench/card.py scopes` holds every scope of the specification, with and without symmetry, against what threads find.
"""
HERE = Path(__file__).parent
KEPT = HERE / "card.md"
TABLE = """| core | states counted | thereof expected lost | million states a second | seconds to by hand | bytes a state |
| --- | --- | --- | --- | --- | --- |"""


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


def by_hand(known: Known, folder: Path) -> float:
    """Seconds that the core by hand takes for a scope, the least of three runs."""
    built = folder / "by_hand"
    sizes = [f"-D{name}={value}" for name, value in zip("NMQK", known.sizes, strict=True)]
    kind = f"-arch=sm_{''.join(map(str, card().capability))}"
    subprocess.run([str(nvcc()), "-O3", kind, *sizes, str(HERE / "peers" / "by_hand.cu"), "-o", str(built)], check=True)
    room = [str((2 * known.states).bit_length()), str(known.states // 4)]
    told = [subprocess.run([built, *room], capture_output=True, text=True, check=True).stdout for _ in range(REPEATS)]
    return min(float(seconds) for each in told for seconds in re.findall(r"search ([\d.]+) s", each))


def measured(known: Known, device: str, folder: Path) -> str:
    """A row of the table, of a scope as fast as it was searched."""
    least, of_all, alike = float("inf"), "", 0.0
    explorer = None
    for _ in range(REPEATS):
        # the memory of the one before is given back first
        del explorer
        explorer = explorer_of(known, device)
        found = explorer.run()
        least = min(least, found.seconds)
        if found.states != known.states:
            of_all = f" of {known.states:,}{', stopped: ' * bool(found.stopped)}{found.stopped}"
        alike = found.taken_for_another
    assert explorer is not None
    each = state_bytes(explorer.packing.words)
    del explorer
    ratio = f"{least / by_hand(known, folder):.2f}" if device == CUDA else "-"
    sizes, rate = ", ".join(map(str, known.sizes)), found.states / least / 1e6
    return f"| {sizes} | {found.states:,}{of_all} | {alike:.1g} | **{rate:.0f}** | {ratio} | {each:.1f} |"


def of_scope(name: str, symmetry: bool) -> str:
    """What a GPU and threads find in a scope of the specification; WRONG where that is not the same."""
    told = []
    for kind, options in ((DeviceExplorer, {"device": CUDA, "memory": 1 << 30}), (CompiledExplorer, {})):
        found = kind.of(SPEC, SPEC.explorations[name], symmetry=symmetry, **options).run()
        violations = sorted((v.statement.name, len(v.trace)) for v in found.violations)
        counted = (found.states, found.transitions, found.depth, found.complete, found.cut)
        told.append((counted, found.clauses, violations, sorted(found.dead)))
    alike = "as threads" if told[0] == told[1] else f"WRONG: threads find {told[1][0]}"
    return f"{name}{', symmetry' * symmetry}: {told[0][0][0]} states, {told[0][0][1]} transitions, {alike}"


def scopes() -> int:
    """Hold every scope of the specification against what threads find; 1 where something differs."""
    every = [(name, symmetry) for name in SPEC.explorations for symmetry in (False, True)]
    with ProcessPoolExecutor() as pool:
        told = list(pool.map(of_scope, *zip(*every, strict=True)))
    print("\n".join(told))
    return int(any("WRONG" in each for each in told))


def main(device: str) -> int:
    """Print the section; 1 where something was counted that is not so."""
    try:
        name = "the emulated one" if device == EMULATED else card().name
    except SpecError:
        print(KEPT.read_text(encoding="utf-8"), end="")
        return 0
    print(HEAD)
    faults = []
    for known in SMALL if device == EMULATED else CHECKED:
        faults += wrong(known, device)
    faults += wrong_about_the_bug(device)
    for fault in faults:
        print(f"WRONG: {fault}", flush=True)
    if not faults:
        print(f"Counted as known on {name}.", flush=True)
    print(f"\n{TABLE}")
    with tempfile.TemporaryDirectory() as folder:
        for known in SMALL[:1] if device == EMULATED else MEASURED:
            print(measured(known, device, Path(folder)), flush=True)
    print()
    return 1 if faults else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["scopes"]:
            sys.exit(scopes())
        case [] | ["emulated"]:
            sys.exit(main(EMULATED if sys.argv[1:] else CUDA))
        case _:
            sys.exit(f"{__doc__}")
