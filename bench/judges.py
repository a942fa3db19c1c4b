"""What the reference implementation's mutants are held against: the fixed suite as `oneowner conform` runs it, and fuzzing as
`oneowner fuzz` does, both up to the first wrong answer and without making it short."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from held import Judge, Package, watch
from mutation import Mutant, TreeMutant

from oneowner.checker import AdapterError
from oneowner.checker.conform import smoke
from oneowner.checker.fuzz import fuzz
from oneowner.checker.session import Mismatch, Session, have_built, model
from oneowner.checker.suite import OFTEN, Resumed, Sequence, answers, of
from oneowner.model.compiled import CompiledModel
from oneowner.model.language import Spec

ROOT = Path(__file__).resolve().parent.parent
JUDGED_BY = (
    "reference_impl",
    "spec",
    "model",
    "checker/session",
    "checker/suite",
    "checker/fuzz",
    "checker/conform",
    "checker/adapters",
    "checker/prove",
)
"""The folders that a verdict depends on, beside this tool itself."""

ONE_CALL = 2.0
"""How many seconds of a processor a call may take."""

STEPS = 100
BUILDING = 200.0
"""How many seconds are waited for the specification to be built in C, before fuzzing starts without."""


def digest() -> str:
    """A fingerprint of all that a verdict depends on."""
    found = hashlib.sha256()
    here = [
        Path(__file__).with_name(f"{name}.py")
        for name in ("mutation", "held", "judges", "c_mutation", "c_judges", "spec_mutation")
    ]
    for path in here + sorted(path for folder in JUDGED_BY for path in (ROOT / folder).rglob("*")):
        if path.suffix in (".py", ".jsonl", ".h", ".c"):
            found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return found.hexdigest()[:16]


class Watched:
    """An implementation that ends the process when a call does not end."""

    def __init__(self, implementation: Any) -> None:
        self._implementation = implementation

    def _timed(self, work: Callable[..., Any], *given: Any) -> Any:
        watch(ONE_CALL)
        try:
            return work(*given)
        finally:
            watch(0)

    def reset(self, topology: dict[str, Any]) -> Any:
        return self._timed(self._implementation.reset, topology)

    def call(self, operation: str, arguments: dict[str, Any]) -> Any:
        return self._timed(self._implementation.call, operation, arguments)

    def settle(self) -> Any:
        return self._timed(self._implementation.settle)


class Coverage:
    """Which lines of the package are executed by which sequences of the suite, and which by fuzzing for a while."""

    def __init__(self, by_suite: dict[str, list[int]], by_fuzz: Iterable[str] = ()) -> None:
        self.by_suite, self.by_fuzz = by_suite, set(by_fuzz)

    def sequences(self, mutant: Mutant) -> set[int] | None:
        """The sequences that come to a mutant; None where all do, as it is made at import."""
        if mutant.lines is None:
            return None
        return {number for line in mutant.lines for number in self.by_suite.get(f"{mutant.file}:{line}", ())}

    def is_fuzzed(self, mutant: Mutant) -> bool:
        """Whether fuzzing comes to a mutant."""
        return mutant.lines is None or any(f"{mutant.file}:{line}" in self.by_fuzz for line in mutant.lines)


@contextmanager
def noting_lines(package: Package, lines: set[str]) -> Iterator[None]:
    """Take note of the lines of a package that are executed."""
    files = {str(path): path.name for path in package.files}
    known: dict[CodeType, set[int]] = {}

    def in_function(frame: FrameType, event: str, _: Any) -> Any:
        known[frame.f_code].add(frame.f_lineno)
        return in_function

    def anywhere(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        known.setdefault(frame.f_code, set()).add(frame.f_lineno)
        return in_function

    sys.settrace(anywhere)
    try:
        yield
    finally:
        sys.settrace(None)
        lines |= {f"{files[code.co_filename]}:{line}" for code, at in known.items() for line in at}


def run_sequence(
    spec: Spec, implementation: Any, sequence: Sequence, without: Collection[str] = (), *, times: int = OFTEN
) -> None:
    """Make the calls of a sequence, its cycle so often, and no probes by what is `without`.  Raises Mismatch at the first wrong
    answer."""
    sizes = sequence.sizes(spec)
    if times == OFTEN and (known := answers(spec)) is not None:
        made, told = known.play(sequence, implementation, sizes, without, set())
        if made is not None:
            return
        implementation = Resumed(implementation, told)
    session = Session(spec, implementation, sizes)
    session.unsupported |= set(without)
    furthest = -1
    for at, (name, arguments) in sequence.played(times):
        session.probing, furthest = at > furthest, max(at, furthest)
        session.compare_values(name, arguments, probe=sequence.is_probe(spec, at))


def covered(spec: Spec, package: Package, folder: Path) -> Coverage:
    """What the suite executes of the package as it is, which must answer rightly; kept in `folder`."""
    kept = folder / f"coverage-{digest()}.json"
    if kept.exists():
        return Coverage(json.loads(kept.read_text(encoding="utf-8")))
    suite = of(spec)
    imported: set[str] = set()
    with noting_lines(package, imported):
        implementation = package.renewed().implementation()
    by_suite = {line: list(range(len(suite))) for line in imported}
    for number, sequence in enumerate(suite):
        lines: set[str] = set()
        with noting_lines(package, lines):
            run_sequence(spec, implementation, sequence, times=1)
        for line in lines - imported:
            by_suite.setdefault(line, []).append(number)
    kept.write_text(json.dumps(by_suite), encoding="utf-8")
    return Coverage(by_suite)


def suite_judge(spec: Spec, coverage: Coverage) -> Judge:
    """Holds a mutant against the sequences of the suite that come to it: in the others it answers as if it were none.  What is
    done over and over comes last, as it takes longest."""
    suite = of(spec)

    def judge(module: ModuleType, mutant: TreeMutant) -> str:
        implementation = Watched(module.implementation())
        numbers = coverage.sequences(mutant)
        chosen = suite if numbers is None else [suite[number] for number in sorted(numbers)]
        try:
            for sequence in sorted(chosen, key=lambda each: each.cycle is not None):
                run_sequence(spec, implementation, sequence)
        except Mismatch as mismatch:
            return mismatch.clause
        except AdapterError as error:
            return f"the interface is not kept to: {error}"
        return _smoked(spec, implementation)

    return judge


def _smoked(spec: Spec, implementation: Any) -> str:
    try:
        smoke(spec, implementation, spec.fuzz_scope, spec.actions)
    except Mismatch:
        # told, but no clause fails of it
        return ""
    except AdapterError as error:
        return f"the interface is not kept to: {error}"
    return ""


def fuzz_judge(spec: Spec, seconds: float, seed: int) -> Judge:
    """Fuzzes a mutant for so many seconds, or until it answers wrongly."""

    def judge(module: ModuleType, mutant: TreeMutant) -> str:
        implementation = Watched(module.implementation())
        try:
            report = fuzz(spec, implementation, seconds=seconds, steps=STEPS, seed=seed, shrink=False)
        except AdapterError as error:
            return f"the interface is not kept to: {error}"
        return report.failures[0].clause if report.failures else ""

    return judge


def fuzzed(spec: Spec, package: Package, seconds: float, seed: int) -> set[str]:
    """Fuzz the package as it is, which must answer rightly: the lines that are executed."""
    lines: set[str] = set()
    with noting_lines(package, lines):
        report = fuzz(spec, package.renewed().implementation(), seconds=seconds, steps=STEPS, seed=seed, shrink=False)
    if report.failures:
        raise SystemExit(f"unchanged, it fails: {report.failures[0].text}")
    return lines


def prepare(spec: Spec) -> None:
    """Load what judging needs, the specification in C too, so that no child does it again."""
    import hypothesis.stateful  # noqa: F401

    scope = Session.with_strangers(spec, spec.fuzz_scope)
    if have_built(spec, scope):
        return  # it cannot be built here
    until = time.monotonic() + BUILDING
    while not isinstance(model(spec, scope), CompiledModel) and time.monotonic() < until:
        time.sleep(0.2)
