"""What the C implementation's mutants are held against: built, and reached by their adapter, as `oneowner conform` and `oneowner
fuzz` do, up to the first wrong answer."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from c_mutation import TextMutant, c_mutants
from held import KILLED, STILLBORN, SURVIVED, Hold
from judges import ONE_CALL, ROOT, STEPS, run_sequence

from oneowner.checker import AdapterError, Unsupported
from oneowner.checker.adapters import limited, reach, stopped
from oneowner.checker.fuzz import fuzz
from oneowner.checker.session import Mismatch
from oneowner.checker.suite import of, within
from oneowner.model.language import Spec

SOURCE = ROOT / "reference_impl" / "c" / "core.c"
KIT = ROOT / "checker" / "adapters" / "kits" / "c"
PROFILE = "core"
FLAGS = ("-std=c11", "-O0", "-w", f"-I{KIT}", f"-I{SOURCE.parent}")


def mutants_of_core() -> list[TextMutant]:
    """The mutants of the C implementation."""
    return c_mutants(SOURCE.name, SOURCE.read_text(encoding="utf-8"))


@contextmanager
def built(source: str) -> Iterator[str]:
    """The connection string of an implementation that is built for it; empty where it cannot be."""
    with tempfile.TemporaryDirectory(prefix="oneowner-") as folder:
        path = Path(folder) / "core.c"
        path.write_text(source, encoding="utf-8")
        program = path.with_suffix("")
        failed = subprocess.run(["cc", *FLAGS, "-o", program, path], capture_output=True, check=False).returncode
        yield "" if failed else f"exec:{program}"


def _held(spec: Spec, judge: Callable[[Any, frozenset[str]], str]) -> Hold:
    source = SOURCE.read_text(encoding="utf-8")
    without = frozenset(spec.actions) - frozenset(spec.profile(PROFILE))

    def hold(mutant: TextMutant) -> tuple[str, str]:
        with built(mutant.applied(source)) as where:
            if not where:
                return STILLBORN, "it does not compile"
            try:
                implementation = reach(spec, where, must_return=ONE_CALL)
            except AdapterError as error:
                return KILLED, f"no handshake: {error}"
            try:
                by = judge(implementation, without)
            except Mismatch as mismatch:
                by = mismatch.clause
            except (AdapterError, Unsupported) as error:
                by = f"the interface is not kept to: {error}"
            finally:
                stopped(implementation)
        return (KILLED if by else SURVIVED), by

    return hold


def c_suite(spec: Spec) -> Hold:
    """Holds a mutant against the sequences of the suite that are of its profile."""
    suite = within(of(spec), spec.profile(PROFILE))

    def judge(implementation: Any, without: frozenset[str]) -> str:
        for sequence in suite:
            run_sequence(spec, implementation, sequence, without)
        return ""

    return _held(spec, judge)


def c_fuzz(spec: Spec, seconds: float, seed: int) -> Hold:
    """Fuzzes a mutant for so many seconds, or until it answers wrongly."""

    def judge(implementation: Any, without: frozenset[str]) -> str:
        scope = limited(spec.fuzz_scope, implementation)
        found = fuzz(spec, implementation, scope=scope, seconds=seconds, steps=STEPS, seed=seed, without=without, shrink=False)
        return found.failures[0].clause if found.failures else ""

    return _held(spec, judge)
