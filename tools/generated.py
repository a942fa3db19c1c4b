"""What is generated from the specification, and kept: pages, counts, the suite, figures in the documentation.

`make generated` writes all of it.  tests/test_generated.py makes each again and says which one is stale.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from oneowner.checker.explore import ExploreReport, explore_all
from oneowner.checker.pages import show_flow, show_rooms
from oneowner.checker.prove import planned
from oneowner.checker.suite import Sequence, generate, head, known_causes, of, read, recorded, write
from oneowner.model import load
from oneowner.model.symbolic import clauses
from oneowner.reference_impl import implementation

SUITE = "spec/scenes/suite.jsonl"
ANSWERS = "spec/scenes/answers.jsonl"
DRAWN = "tools/suite.drawn"
"""Where it is kept what the stored suite and its answers were made from."""

ROOT = Path(__file__).resolve().parent.parent
SPEC = load("oneowner.spec:SPEC")
JOBS = 2


def text_of(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


@cache
def reports() -> list[ExploreReport]:
    """What the explorations of the specification come to."""
    return explore_all(SPEC, jobs=JOBS, count_causes=True)


@cache
def counts() -> dict[str, Any]:
    """What is counted of the specification.  A change is a change of what it says: know why before you keep it."""
    obligations = planned(SPEC)
    known = known_causes(SPEC, SPEC.actions)
    return {
        "operations": len(SPEC.actions),
        "clauses": len(clauses(SPEC)),
        "obligations": len(obligations),
        "exits": len({(operation, exit) for operation, exit, _ in obligations} - {("initially", "ok")}),
        "causes": [len({cause for r in reports() for cause in r.causes} & set(known)), len(known)],
        "explorations": {r.name: [r.states, r.transitions, r.depth] for r in reports()},
    }


def pinned(_: str) -> str:
    """tests/counts.json: an exploration has its states, transitions and depth; of causes it is how many explorations come to, and
    how many are known."""
    lines = json.dumps(counts(), indent=1)
    return re.sub(r"\[[\s\d,]+\]", lambda numbers: json.dumps(json.loads(numbers[0])), lines) + "\n"


def rooms(_: str) -> str:
    return text_of(show_rooms(SPEC, JOBS)[0])


def flows(now: str) -> str:
    """The page of flows: what stands above the first of them is written by hand."""
    return now[: now.index("\n## ") + 1] + text_of(show_flow(SPEC, None, JOBS)[0])


def suite(now: str) -> str:
    """The suite takes minutes to draw: what was drawn from just what is there now is not drawn again.  What was found by seeking
    is not sought here: what of it shows something is kept."""
    return now if is_drawn(now) and not os.environ.get("ONEOWNER_EVERY") else drawn(of(SPEC), seeking=False)


def drawn(kept: list[Sequence], *, seeking: bool) -> str:
    return write(SPEC, generate(SPEC, jobs=JOBS, scouting=True, kept=kept, seeking=seeking))


def answers(now: str) -> str:
    """The right answers to the suite: those of the reference implementation, judged by the specification."""
    if is_drawn((ROOT / SUITE).read_text(encoding="utf-8")) and not os.environ.get("ONEOWNER_EVERY"):
        # what the specification's modules say is told from their comments here
        return head(SPEC) + now[now.index("\n") :]
    numbered = [replace(sequence, number=number) for number, sequence in enumerate(read(SPEC, ROOT / SUITE))]
    return recorded(SPEC, implementation(), numbered)


def is_drawn(suite: str) -> bool:
    kept = ROOT / DRAWN
    return kept.exists() and kept.read_text(encoding="utf-8").strip() == drawn_from(suite)


def sought() -> None:
    """Seek what the stored suite does not come to or notice, and store what is found with it."""
    path = ROOT / SUITE
    path.write_text(drawn(of(SPEC), seeking=True), encoding="utf-8")
    before, now = "", path.read_text(encoding="utf-8")
    while now != before:
        # what was found last may do without what was found before, and what is left then without something else
        before, now = now, drawn(read(SPEC, path), seeking=False)
        path.write_text(now, encoding="utf-8")


def drawn_from(suite: str) -> str:
    """A fingerprint of a suite, of its answers, and of all the code that draws one, but for its comments and its docstrings."""
    listing = "import sys, oneowner.checker.suite, oneowner.spec; print(*(m for m in sys.modules if m.startswith('oneowner.')))"
    names = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    found = hashlib.sha256(suite.encode())
    found.update((ROOT / ANSWERS).read_bytes() if (ROOT / ANSWERS).exists() else b"")
    for name in sorted(names):
        path = ROOT.joinpath(*name.split(".")[1:])
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        found.update(f"{name}\0{said(path.read_text(encoding='utf-8'))}".encode())
    return found.hexdigest()


def said(text: str) -> str:
    """What Python makes of a module's text."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            told = [n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
            node.body = told or [ast.Pass()]
    return ast.unparse(tree)


def readme(now: str) -> str:
    """The summary of `make check` that README shows; how many calls and causes fuzzing came to differs from run to run and stays,
    and so does how many causes were proved possible."""
    told = counts()
    explored = told["explorations"].values()
    states, transitions = (sum(row[at] for row in explored) for at in (0, 1))
    of = "{0} of {0}".format
    lines = {
        r"prove    .*( and \d+ causes) .*": f"prove    {of(told['obligations'])} obligations proved for any size and depth, "
        rf"{of(told['exits'])} exits\1 shown possible  [holds]",
        r"explore  .*": f"explore  {states} states, {transitions} transitions: all reachable states of {len(explored)} small "
        f"scopes, {of(told['clauses'])} clauses and {told['causes'][0]} of {told['causes'][1]} causes reached  [holds]",
        r"(fuzz     \d+ calls to \S+), .*( and \d+) of .*": rf"\1, {of(told['clauses'])} clauses\2 of {told['causes'][1]} causes "
        "exercised, 0 failures  [holds]",
    }
    for pattern, line in lines.items():
        now, times = re.subn(f"^{pattern}$", line, now, flags=re.MULTILINE)
        assert times == 1, pattern
    return now


def first_adapter(now: str) -> str:
    """How many operations there are to support, wherever it is said."""
    return re.sub(r"(?<=^[01] of )\d+(?= operations are supported)", str(len(SPEC.actions)), now, flags=re.MULTILINE)


GENERATED: dict[str, Callable[[str], str]] = {
    SUITE: suite,
    ANSWERS: answers,
    "tests/counts.json": pinned,
    "docs/rooms.md": rooms,
    "docs/flows.md": flows,
    "docs/first-adapter.md": first_adapter,
    "README.md": readme,
}
"""By file, what makes its text out of the text that it has now; in an order in which what is read is written before."""


def made(name: str) -> tuple[str, str]:
    """A generated file's text as it is, and as it should be."""
    path = ROOT / name
    now = path.read_text(encoding="utf-8") if path.exists() else ""
    return now, GENERATED[name](now)


def main() -> None:
    if not is_drawn((ROOT / SUITE).read_text(encoding="utf-8")):
        sought()
    for name in GENERATED:
        now, wanted = made(name)
        if now != wanted:
            (ROOT / name).write_text(wanted, encoding="utf-8")
            print(f"wrote {name}", file=sys.stderr)
    (ROOT / DRAWN).write_text(drawn_from((ROOT / SUITE).read_text(encoding="utf-8")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
