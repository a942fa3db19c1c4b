"""What a proof by two solvers came to, as a page: `oneowner prove --second-solver cvc5 --format json | tools/cross.py`.

`make cross` writes docs/second-solver.md with it.  Times are told as ratios of one run.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

SLOWEST = 8
BEGINNING = """# A second solver

`make cross` asks two solvers of every obligation of the specification, and writes this page.

A query is the refutation of a statement on one path of an operation, with all that is assumed of the state before; it is
unsatisfiable where the statement holds for any size. Z3 keeps what it has learned from one query to the next; cvc5 reads each
anew, as SMT-LIB 2. `oneowner prove --smt2 DIR` writes them for any other solver, and
`oneowner prove --second-solver cvc5 --certificates DIR` keeps the proofs of cvc5, in its format CPC, for a checker of such
proofs (none is run here). The reading that makes the queries and the facts about counts are told to both alike, so that this
does not bear them out; every proof is held against the concrete reading for that.
"""


def page(told: dict[str, Any]) -> Iterator[str]:
    """The page, line by line."""
    first = {(row["operation"], row["exit"], row["statement"]): row for row in told["matrix"]}
    second = {(row["operation"], row["exit"], row["statement"]): row for row in told["second"]["matrix"]}
    asked = {key: row for key, row in second.items() if row["queries"]}
    pairs = Counter((first[key]["status"], row["status"]) for key, row in asked.items())
    refusals = len(first) - len(second)
    yield BEGINNING
    yield f"With z3 {version('z3-solver')} and {told['second']['solver']}:"
    yield ""
    yield "| obligations | |"
    yield "| --- | --- |"
    yield f"| all | {len(first)} |"
    yield f"| of refusals, which are seen to change nothing without a solver | {refusals} |"
    yield f"| of statements that read nothing that is changed | {len(second) - len(asked)} |"
    yield f"| asked, in {sum(row['queries'] for row in asked.values())} queries | {len(asked)} |"
    for (one, other), count in sorted(pairs.items()):
        yield f"| z3 says {one}, cvc5 {other} | {count} |"
    yield f"| disagreements | {len(told['second']['disagreements'])} |"
    yield ""
    median = statistics.median(row["seconds"] for row in asked.values())
    yield "What took cvc5 longest, as multiples of its median obligation:"
    yield ""
    yield "| obligation | times the median |"
    yield "| --- | --- |"
    for (operation, exit, statement), row in sorted(asked.items(), key=lambda each: -each[1]["seconds"])[:SLOWEST]:
        yield f"| `{operation}/{exit}` against `{statement}` | {row['seconds'] / median:.0f} |"


if __name__ == "__main__":
    print("\n".join(page(json.load(sys.stdin))))
