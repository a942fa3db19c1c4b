"""TLC on the modules that `oneowner export tla` writes, scope by scope, beside our own exploration of the same scopes.

usage: python bench/rooms.py >> docs/benchmarks.md

Where TLC is not there it says so.  A time is that of a whole process; a ratio is to ours in the same row.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from peer_tools import PEERS, Child, checking, child, last

from oneowner.model import Spec
from oneowner.model.search import Explorer
from oneowner.model.tla import Module
from oneowner.spec import SPEC
from oneowner.spec.museum import BUGS

LIMIT = 180.0


class Told(NamedTuple):
    """What one of them says of a scope: how much of it there is, or what is broken after how many calls."""

    states: int | None
    transitions: int | None
    depth: int | None
    broken: str = ""
    calls: int = 0


def ours(name: str, folder: Path) -> tuple[Told, Child]:
    """What our exploration says of a scope."""
    whole = [sys.executable, "-m", "oneowner", "explore", "--name", name, "--jobs", "1", "--format", "json"]
    done = child(whole, folder, LIMIT)
    one = json.loads(done.text[done.text.index("{") :])["scopes"][0]
    return Told(one["states"], one["transitions"], one["depth"]), done


def tlc(spec: Spec, name: str, folder: Path) -> tuple[Told, Child]:
    """What TLC says of the module for a scope."""
    module = Module(spec, name, spec.explorations[name])
    (folder / f"{module.name}.tla").write_text(module.text)
    (folder / f"{module.name}.cfg").write_text(module.configuration)
    done = child(checking(module.name, folder, workers=1), folder, LIMIT)
    return told(done.text), done


def told(text: str) -> Told:
    """What an output of TLC says.  It counts the state where it begins as a transition, and a level; an assertion ends a trace
    before the call that breaks it."""
    generated, depth = last(r"([\d,]+) states generated", text), last(r"search is (\d+)", text)
    steps = last(r"(?m)^State (\d+):", text) or 1
    invariant = re.search(r"Invariant (\w+) is violated|invariant of (\w+) is equal to FALSE", text)
    asserted = re.search(r'evaluated to FALSE; the second argument was:\n"(?:(\w+): )?', text)
    if invariant:
        return Told(None, None, None, invariant[1] or invariant[2], steps - 1)
    if asserted:
        return Told(None, None, None, asserted[1] or "well_defined", steps)
    if "No error has been found" not in text:
        return Told(None, None, None, f"went wrong: {text.strip()[-300:]}")
    return Told(last(r"([\d,]+) distinct states found", text), (generated or 0) - 1, (depth or 0) - 1)


def scopes(folder: Path) -> Iterator[str]:
    yield "| scope | states | transitions | depth | TLC says | TLC |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name in SPEC.explorations:
        (we, own), (they, theirs) = ours(name, folder), tlc(SPEC, name, folder)
        says = "the same" if we == they else f"otherwise: {they}"
        yield f"| {name} | {we.states:,} | {we.transitions:,} | {we.depth} | {says} | **{theirs.seconds / own.seconds:.1f}** |"


def bugs(folder: Path) -> Iterator[str]:
    yield "| planted bug | scope | broken here | calls | TLC breaks | calls |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for bug, planted in BUGS.items():
        spec = planted.spec
        for name, exploration in spec.explorations.items():
            if planted.operation in spec.left_out(exploration):
                continue
            search = Explorer.of(spec, exploration).run()
            if search.violations:
                names = sorted({violation.statement.name for violation in search.violations})
                calls = min(len(violation.trace) for violation in search.violations) - len(search.opening)
                they, _ = tlc(spec, name, folder)
                says = they.broken if they.broken in names else f"otherwise: {they}"
                yield f"| {bug} | {name} | {', '.join(names)} | {calls} | {says} | {they.calls} |"
                break
        else:
            yield f"| {bug} | none | | | | |"


def main() -> None:
    print(HEAD)
    lacking = next(peer for peer in PEERS if peer.name == "tlc").missing()
    if lacking:
        print(f"tlc skipped: {lacking}")
        return
    with tempfile.TemporaryDirectory(prefix="peer-") as name:
        for title, rows in (("", scopes), (BROKEN, bugs)):
            print(title, end="")
            for row in rows(Path(name)):
                print(row, flush=True)


HEAD = """
## TLC in the rooms' own scopes

`oneowner export tla` prints each exploration of the specification as a module of TLA+, from the trees that are recorded of the
operations, and TLC, with one worker, counts its states and judges its invariants and what every step has to keep. Each was run
once, as a whole process; a bold figure is TLC's time as a ratio to ours in the same row.
"""
BROKEN = """
With a bug of the museum planted in the specification, the first scope that shows it: which statements are broken after the
fewest calls, and which of them TLC names.

"""

if __name__ == "__main__":
    main()
