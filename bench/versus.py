"""The core of the system, by this tool and by its peers, on one machine in one run: what `docs/benchmarks.md` says.

usage: python bench/versus.py [--limit SECONDS] [--small] > docs/benchmarks.md

A figure is a ratio to one of ours in the same run; figures of two runs cannot be compared.  A peer
that the machine lacks is named and skipped.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from peer_tools import PEERS, Found, Job, Peer, Run, Scope, last

OURS = Path(__file__).with_name("ours.py")
SCOPES = (Scope(2, 2, 4, 1), Scope(2, 2, 4, 2), Scope(3, 3, 4, 2), Scope(3, 4, 6, 2))
LIMIT, LARGEST_LIMIT = 180.0, 90.0
"""Seconds that each has; and that a peer has at the largest scope."""

SHORT, REPEATS = 5.0, 5
"""A run of fewer seconds is made so many times, and the one in the middle is told."""

LARGEST = SCOPES[-1]
NAME = "oneowner"


@dataclass(frozen=True)
class Oneowner(Peer):
    """This tool, as a peer of the others: its time is that of the whole process, Python's start included; what a search is built
    into is made before it, as of the others, and kept in the run's own folder."""

    jobs: int = 1
    symmetry: bool = False
    proof: bool = False

    def job(self, folder: Path, scope: Scope, bug: int) -> Job:
        if self.proof:
            return Job([sys.executable, OURS, "prove", str(bug)])
        given = [*map(str, scope), str(bug), str(self.jobs), *(["symmetry"] if self.symmetry else [])]
        kept = ["env", f"XDG_CACHE_HOME={folder}", sys.executable, str(OURS)]
        return Job([*kept, "explore", *given], shlex.join([*kept, "build", *given]))

    def read(self, text: str) -> Found:
        broken = re.search(r"VIOLATED ([^,\n]*)(?:, (\d+) steps)?", text)
        steps = int(broken[2]) if broken and broken[2] else None
        search = re.search(r"search [\d.]+ s", text)
        found = last(r"states (\d+)", text)
        return Found("no violation" in text, broken[1] if broken else None, steps, found, search[0] if search else "")


@dataclass(frozen=True)
class Table:
    """One comparison: who takes part, in which scopes, with which planted bug."""

    title: str
    text: str
    who: tuple[Peer, ...]
    scopes: tuple[Scope, ...]
    bug: int = 0


def peers(*names: str) -> tuple[Peer, ...]:
    return tuple(peer for peer in PEERS if peer.name in names)


EXPLORERS = (
    Oneowner(NAME),
    Oneowner(f"{NAME}, 2 cores", jobs=2),
    *peers("spin", "spin, 2 cores", "tlc", "plain python"),
    Oneowner(f"{NAME}, symmetry", symmetry=True),
    Oneowner(f"{NAME}, symmetry, 2 cores", symmetry=True, jobs=2),
    *peers("tlc, symmetry"),
)
TABLES = (
    Table(
        "Every reachable state",
        "The same operations and the same five invariants. Without symmetry all count the same states. Time is that of the whole "
        "check; generating and compiling the checker (Spin and ours) is not in it and stands beside it.",
        EXPLORERS,
        SCOPES,
    ),
    Table(
        "Time to a planted bug",
        "A send that takes one message more than the bound.",
        (*EXPLORERS, *peers("abc", "quint")),
        (Scope(2, 2, 4, 1), Scope(3, 3, 4, 2)),
        2,
    ),
    Table(
        "One proof for any size against ever larger runs",
        "`oneowner prove` and mypyvy's `verify` speak of any number of everything; ABC's PDR proves one size, the others see "
        "every state of one size.",
        (Oneowner(f"{NAME} prove", proof=True), *peers("mypyvy", "abc")),
        SCOPES[:3],
    ),
)
NOT_RUN = {SCOPES[2]: ("plain python",), LARGEST: (NAME, f"{NAME}, 2 cores", "spin, 2 cores", "plain python")}
"""Who is not run at a scope that takes too long."""


def rows(table: Table, limit: float) -> Iterable[str]:
    ran: dict[str, dict[Scope, Run | str]] = {}
    for scope in table.scopes:
        for peer in table.who:
            row = ran.setdefault(peer.name, {})
            if why := peer.missing() or peer.unfit(scope, table.bug):
                row[scope] = why
            elif peer.name in NOT_RUN.get(scope, ()):
                row[scope] = "not run"
            else:
                short = scope == LARGEST and not isinstance(peer, Oneowner)
                row[scope] = measured(peer, scope, table.bug, LARGEST_LIMIT if short else limit)
            print(f"{table.title}: {scope} {peer.name}: {row[scope]}", file=sys.stderr, flush=True)
    yield f"| | {' | '.join(', '.join(map(str, scope)) for scope in table.scopes)} |"
    yield f"| --- |{' --- |' * len(table.scopes)}"
    for name, row in ran.items():
        yield f"| {name} | {' | '.join(cell(row[s], first(ran, s)) for s in table.scopes)} |"


def measured(peer: Peer, scope: Scope, bug: int, limit: float) -> Run:
    """A run, or of several short ones the one in the middle by its time."""
    runs = [peer.run(scope, bug, limit)]
    if runs[0].finished and runs[0].seconds < SHORT:
        runs += [peer.run(scope, bug, limit) for _ in range(REPEATS - 1)]
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def first(ran: dict[str, dict[Scope, Run | str]], scope: Scope) -> Run | None:
    """The run to which those of a scope are ratios: the first of ours that finished there."""
    done = (row[scope] for name, row in ran.items() if name.startswith(NAME))
    return next((run for run in done if isinstance(run, Run) and run.finished), None)


def cell(run: Run | str, ours: Run | None) -> str:
    if isinstance(run, str):
        return run
    unit = ours.seconds if ours else 1.0
    if run.stopped:
        rate = ""
        if run.states and ours and ours.states:
            rate = f", {run.states / run.seconds / (ours.states / ours.seconds):.3f} times as many a second"
        return f"not finished in {run.seconds / unit:.1f} ({told(run)}{rate})"
    if not run.finished:
        return f"went wrong: {run.note}"
    before = f" + {run.preparing / unit:.2f} before it" if run.preparing > 0.05 else ""
    return f"**{run.seconds / unit:.2f}**{before} ({told(run)})"


def told(run: Run) -> str:
    parts = [f"{run.states:,} states" if run.states else "", f"{run.steps} steps" if run.steps else ""]
    return ", ".join([*filter(None, parts), f"{run.peak_mb} MB"])


def main() -> None:
    limit = float(sys.argv[sys.argv.index("--limit") + 1]) if "--limit" in sys.argv else LIMIT
    # the peers are compiled before they are timed; so is what Python compiles of ours
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print(
        HEAD.format(
            cores=os.cpu_count(), limit=f"{limit:.0f}", largest=f"{LARGEST_LIMIT:.0f}", short=f"{SHORT:.0f}", repeats=REPEATS
        )
    )
    for table in TABLES:
        scopes = table.scopes[:2] if "--small" in sys.argv else table.scopes
        print(f"## {table.title}\n\n{table.text}\n")
        for line in rows(Table(table.title, table.text, table.who, scopes, table.bug), limit):
            print(line, flush=True)
        print()
    print(FOOT, end="")


HEAD = """# Benchmarks

The core of the system (partitions, regions, ports with bounded queues, an event bit a port) as a specification of this tool
(`bench/core.py`) and as models of others (`bench/peers/`), one after the other on one machine with {cores} cores, made by
`make bench`. A column is a scope: partitions, regions, ports, bound of a queue. A bold figure is time as a ratio to the first
row of ours that finished in that column: below 1 is faster than that, above 1 slower. Each had {limit} s, a peer at the
largest scope {largest} s; of runs under {short} s the one in the middle of {repeats} is told.
"""

FOOT = """## How to read this, and what stands in the way

A time is that of a whole process. TLC runs two workers in every row. Of ours a part is Python's start and the import of numpy:
in the small scopes that is most of it. A search begins in the batch reading, with numpy's passes over columns, and goes over to
C, printed from the same text, when it has gone on for as long as printing takes (if it was built before) or for a second; what
was built is kept, so that the first run of a scope takes longer than the next. Spin's parallel search keeps hashes only, and
tells of states that it lost.

What was tried in C and kept: states as bits, without what nothing changes; guards asked as soon as their arguments are chosen; a
small memory of the fingerprints that a thread made last, before the shared table; the sum of what cells say in colours as the
fingerprint of a state and its renamings, so that no form is made. What was tried and not kept: colours summed without branches,
which is slower, as few cells hold anything; one round of refinement, which leaves too many names alike, and three.

What was tried in the batch reading and kept: fingerprints changed by what a call writes, so that most duplicates are never made;
cells that are the same in a whole block as plain numbers; statements judged once for what they read; all calls of an operation
made as one where states are few; blocks as large as their width allows; colours of 32 bits in refinement, names put in order by
exchanging rows. What was tried and not kept: making only one of the calls that differ by names that are twins, which spares an
eighth of the canonical forms here and nothing in the large scopes of the whole system; refining a component's cells together,
which is slower for many states, as columns in which nothing stands can then not be left out; with two processes, handing states
over in files in memory in place of pipes, which gained nothing, and smaller blocks, of which fewer states are made twice and each
costs more."""

if __name__ == "__main__":
    main()
