"""The museum: real bugs planted one by one, each to be caught by the checker that must catch it."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...model.language import Spec, SpecError, load
from ...model.search import workers
from ..adapters import connect
from ..fuzz import fuzz
from ..prove import REFUTED, prove, shortest_trace

VARIANTS = {"": "py:oneowner.reference_impl.bugs", "newer": "py:oneowner.reference_impl.newer_bugs"}
"""Where the variants of the implementation are, by wing."""

SPEC_VARIANTS = "oneowner.spec.museum.bugs"
STEPS = 50
"""How long runs are in which a planted bug is looked for: short, so that there are many, from all openings."""


@dataclass(frozen=True)
class Exhibit:
    """A planted bug: where it is planted, and where it was real.  One in the specification breaks `operation`, so that
    `statement` must be refuted; one in the implementation stands in a `wing`."""

    name: str
    source: str
    planted: str
    checker: str
    operation: str = ""
    statement: str = ""
    wing: str = ""


@dataclass(frozen=True)
class Catch:
    """What came of planting a bug: whether it was caught, by which clause or statement, in how many calls.

    Of a bug in the specification these are the calls of the shortest way from the initial state, found by exploring; 0 where
    none of the scopes has one."""

    exhibit: Exhibit
    caught: bool
    clause: str
    calls: int
    seconds: float
    text: str


def catalogue(spec: Spec, chosen: Iterable[str] = ()) -> list[Exhibit]:
    """The planted bugs that stand beside the specification.  Raises SpecError for a name that there is not."""
    if spec.requirements is None or not (path := Path(spec.requirements).parent / "museum" / "museum.toml").exists():
        raise SpecError(f"{spec.name} has no museum")
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["bug"]
    found = [
        Exhibit(r["name"], r["source"], r["planted"], "prove", r["operation"], r["statement"])
        if r["in"] == "spec"
        else Exhibit(r["name"], r["source"], r["planted"], "fuzz", wing=r.get("wing", ""))
        for r in rows
    ]
    wrong = set(chosen) - {e.name for e in found}
    if wrong:
        raise SpecError(f"no bug is called {min(wrong)!r}; there are {', '.join(dict.fromkeys(e.name for e in found))}")
    return [e for e in found if not chosen or e.name in chosen]


def plant(spec: Spec, exhibit: Exhibit, *, seconds: float, seed: int | None = None) -> Catch:
    """Plant one bug and run its checker, for `seconds` at most where it fuzzes."""
    started = time.monotonic()
    if exhibit.checker == "fuzz":
        report = fuzz(spec, connect(f"{VARIANTS[exhibit.wing]}:{exhibit.name}"), seconds=seconds, steps=STEPS, seed=seed)
        took = time.monotonic() - started
        if not report.failures:
            return Catch(exhibit, False, "", 0, took, f"{report.calls} calls found nothing")
        failure = report.failures[0]
        return Catch(exhibit, True, failure.clause, len(failure.calls), took, failure.text)
    wrong = load(f"{SPEC_VARIANTS}:{exhibit.name}")
    proof = prove(wrong, chosen_operations=[exhibit.operation], chosen_statements=[exhibit.statement], traces=False, alone=True)
    took = time.monotonic() - started
    examples = [o.counterexample for o in proof.obligations if o.status == REFUTED and o.counterexample]
    if not examples:
        return Catch(exhibit, False, "", 0, took, f"{exhibit.operation} is not refuted")
    way = shortest_trace(wrong, exhibit.statement, exhibit.operation, examples[0].scope)
    took = time.monotonic() - started
    return Catch(exhibit, True, exhibit.statement, len(way[0]) if way else 0, took, examples[0].text)


def museum(
    spec: Spec,
    chosen: Iterable[str] = (),
    *,
    seconds: float = 60.0,
    seed: int | None = None,
    jobs: int = 1,
    progress: Callable[[Catch], None] | None = None,
) -> list[Catch]:
    """Plant every bug.  `jobs` processes share them; those of a spec that cannot be loaded by name are planted in this one."""
    found = []
    for catch in _planted(spec, catalogue(spec, chosen), seconds, seed, jobs):
        found.append(catch)
        if progress:
            progress(catch)
    return found


def _planted(spec: Spec, exhibits: list[Exhibit], seconds: float, seed: int | None, jobs: int) -> Iterator[Catch]:
    if jobs > 1 and spec.where and len(exhibits) > 1:
        with workers(jobs) as pool:
            yield from pool.map(partial(_work, spec.where, seconds, seed), exhibits)
    else:
        for exhibit in exhibits:
            yield plant(spec, exhibit, seconds=seconds, seed=seed)


def _work(where: str, seconds: float, seed: int | None, exhibit: Exhibit) -> Catch:
    return plant(load(where), exhibit, seconds=seconds, seed=seed)
