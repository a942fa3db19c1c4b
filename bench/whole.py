"""What `make check` and `make large` spend their time on: the figures that were asked for are missed, and this says by what.

usage: python bench/whole.py
"""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

from oneowner.checker.prove import prove
from oneowner.spec import SPEC

CHECK, FIRST, KEPT = 30.0, 60.0, 15.0
"""Seconds that were asked for: of `make check`, and of `make large` the first time and when what it builds is kept."""

EVERY = 4
"""Every so manieth operation is profiled."""

PARTS = {
    "the solver": ("z3core.py", "Z3_solver_check"),
    "holding what is said against states": ("beside.py", "disagreements"),
    "which causes are possible": ("causes.py", "judged"),
}
HEAD = """
## What the whole commands cost

| what | beside | ratio |
| --- | --- | --- |"""
FOOT = """
`make check` asks more than when its figure was set: which of the causes are possible, and every verdict of the solver is held
against states that were reached and against others. What is left of a proof makes Z3's terms in Python. The solver alone, on two
cores, takes more than half of the time that was asked for the whole; the rest cannot be spared with the same claims, but could be
made in C. A `make large` with nothing kept waits for the C compiler, which makes a search for each of the scopes; with all
kept the two largest searches take half of the time of all searches."""


def timed(*arguments: str, cache: str) -> tuple[float, Any]:
    """How many seconds a command takes, and what it says."""
    began = time.monotonic()
    command = [sys.executable, "-m", "oneowner", *arguments, "--format", "json"]
    ran = subprocess.run(command, env={**os.environ, "XDG_CACHE_HOME": cache}, capture_output=True, text=True, check=True)
    return time.monotonic() - began, json.loads(ran.stdout)


def main() -> None:
    """Print a row a measure."""
    print(HEAD)
    with tempfile.TemporaryDirectory() as cache:
        seconds, said = timed("check", cache=cache)
        print(f"| `make check` | what was asked for | **{seconds / CHECK:.1f}** |")
        for part in ("prove", "explore", "fuzz"):
            print(f"| of it `{part}` | the whole | **{said[part]['seconds'] / seconds:.2f}** |", flush=True)
        large = ("explore", "--large", "--symmetry", "--can-return", "--leads-to", "--deadlock")
        first, kept = timed(*large, cache=cache)[0], timed(*large, cache=cache)[0]
        print(f"| `make large`, the first time | what was asked for | **{first / FIRST:.1f}** |")
        print(f"| the same, what was built kept | what was asked for | **{kept / KEPT:.1f}** |")
        print(f"| the same, what was built kept | the first time | **{kept / first:.2f}** |", flush=True)
    profiled()
    print(FOOT)


def profiled() -> None:
    """Print what the proofs of some operations spend their time on."""
    profile, operations = cProfile.Profile(), list(SPEC.actions)[::EVERY]
    profile.runcall(prove, SPEC, chosen_operations=operations)
    whole = pstats.Stats(profile)
    for part, (file, function) in PARTS.items():
        spent = sum(s[3] for (path, _, name), s in whole.stats.items() if path.endswith(file) and name.startswith(function))  # type: ignore[attr-defined]
        share = spent / whole.total_tt  # type: ignore[attr-defined]
        print(f"| in a profile of the proofs of {len(operations)} operations: {part} | the proofs | **{share:.2f}** |")


if __name__ == "__main__":
    main()
