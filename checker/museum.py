"""The museum: real bugs planted one by one, each to be caught by the checker that must catch it."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..model.reading import SpecError
from ..model.spec import Spec, load
from .adapter import connect
from .fuzz import fuzz
from .prove import REFUTED, prove

VARIANTS = "py:oneowner.reference_impl.bugs"
SPEC_VARIANTS = "oneowner.spec.bugs"


@dataclass(frozen=True)
class Exhibit:
    """A planted bug: where it is planted, and where it was real."""

    name: str
    source: str
    planted: str
    checker: str
    operation: str = ""


@dataclass(frozen=True)
class Catch:
    """What came of planting a bug: whether it was caught, by which clause or statement, in how many calls."""

    exhibit: Exhibit
    caught: bool
    clause: str
    calls: int
    seconds: float
    text: str


def catalogue(spec: Spec, chosen: Iterable[str] = ()) -> list[Exhibit]:
    """The planted bugs that stand beside the specification.  Raises SpecError for a name that there is not."""
    if spec.requirements is None or not (path := Path(spec.requirements).with_name("museum.toml")).exists():
        raise SpecError(f"{spec.name} has no museum")
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["bug"]
    found = [
        Exhibit(r["name"], r["source"], r["planted"], "prove" if r["in"] == "spec" else "fuzz", r.get("operation", ""))
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
        report = fuzz(spec, connect(f"{VARIANTS}:{exhibit.name}"), seconds=seconds, seed=seed)
        took = time.monotonic() - started
        if not report.failures:
            return Catch(exhibit, False, "", 0, took, f"{report.calls} calls found nothing")
        failure = report.failures[0]
        return Catch(exhibit, True, failure.clause, len(failure.calls), took, failure.text)
    proof = prove(load(f"{SPEC_VARIANTS}:{exhibit.name}"), chosen_operations=[exhibit.operation])
    took = time.monotonic() - started
    refuted = [o for o in proof.obligations if o.status == REFUTED and o.counterexample]
    if not refuted:
        return Catch(exhibit, False, "", 0, took, f"{len(proof.obligations)} obligations, none refuted")
    example = refuted[0].counterexample
    assert example is not None
    return Catch(exhibit, True, refuted[0].statement, len(example.trace or [()]), took, example.text)


def museum(
    spec: Spec,
    chosen: Iterable[str] = (),
    *,
    seconds: float = 60.0,
    seed: int | None = None,
    progress: Callable[[Catch], None] | None = None,
) -> list[Catch]:
    """Plant every bug."""
    found = []
    for exhibit in catalogue(spec, list(chosen)):
        found.append(plant(spec, exhibit, seconds=seconds, seed=seed))
        if progress:
            progress(found[-1])
    return found
