"""Our own side of the comparison: the core explored, or proved, in a process of its own.

usage: python bench/ours.py explore N M NQ K BUG JOBS [symmetry]
       python bench/ours.py build N M NQ K BUG JOBS [symmetry]
       python bench/ours.py prove BUG
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

from oneowner.model.concrete import Model
from oneowner.model.language import load
from oneowner.model.search import CompiledExplorer, explored

sys.path.insert(0, str(Path(__file__).parent))
from core import BUGS, THEOREMS, scope


def searched(given: list[str]) -> tuple[Model, bool]:
    """The model whose states are asked for, and whether with symmetry."""
    symmetry = "symmetry" in given
    return Model(load(f"core:{BUGS[int(given[4])]}{'' if symmetry else '_ORDERED'}"), scope(*map(int, given[:4]))), symmetry


def explore(given: list[str]) -> None:
    model, symmetry = searched(given)
    found = explored(model, statements=THEOREMS, symmetry=symmetry, jobs=int(given[5])).search
    for violation in found.violations:
        print(f"VIOLATED {violation.statement.name}, {len(violation.trace)} steps")
    if found.complete:
        print("no violation")
    print(f"states {found.states} transitions {found.transitions} depth {found.depth} search {found.seconds:.2f} s")


def build(given: list[str]) -> None:
    """Build what a search is made in, and keep it."""
    model, symmetry = searched(given)
    CompiledExplorer(model, statements=THEOREMS, symmetry=symmetry)


def prove(given: list[str]) -> None:
    from oneowner.checker.prove import PROVED
    from oneowner.checker.prove import prove as run

    report = run(load(f"core:{BUGS[int(given[0])]}"))
    for obligation in report.obligations:
        if obligation.status != PROVED:
            print(f"VIOLATED {obligation.statement} by {obligation.operation}")
    if report.count(PROVED) == len(report.obligations) and not report.vacuous:
        print(f"no violation: {len(report.obligations)} obligations proved for any size")


if __name__ == "__main__":
    {"explore": explore, "build": build, "prove": prove}[sys.argv[1]](sys.argv[2:])
