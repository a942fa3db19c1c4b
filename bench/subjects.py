"""What is changed in one place at a time: two implementations, and the specification."""

from __future__ import annotations

import json
from pathlib import Path

from c_judges import c_fuzz, c_suite, mutants_of_core
from held import Hold, Package, imported
from judges import ROOT, covered, digest, fuzz_judge, fuzzed, prepare, suite_judge
from mutation import Mutant
from spec_mutation import contradicted, refuted, spec_mutants

from oneowner.spec import SPEC

PROOF, SUITE, FUZZING = "proof", "the suite", "fuzzing"
WRONG = "the first wrong answer, one that does not keep to the interface, or a call that does not end"


class InPython:
    """The reference implementation in Python."""

    what = "the reference implementation in Python"
    killed_by = WRONG
    page = ROOT / "docs" / "teeth.md"
    stages = SUITE, FUZZING
    left_out = {
        "bugs.py": "variants of the implementation, which is none of them",
        "newer_bugs.py": "variants of the implementation, which is none of them",
        "variants.py": "variants of the implementation, which is none of them",
        "policy.py": "a part of the program",
        "program.py": "a client of the implementation, which calls it and is not called",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = Package("oneowner.reference_impl")
        self.mutants = self.package.mutants()

    def first(self) -> Hold:
        self.coverage = covered(SPEC, self.package, self.folder)
        prepare(SPEC)
        return imported(self.package, suite_judge(SPEC, self.coverage))

    def second(self, seconds: float, seed: int) -> Hold:
        """Also sees what is executed by fuzzing, and has everything loaded that children need."""
        kept = self.folder / f"fuzzed-{digest()}-{seed}-{seconds:g}.json"
        if not kept.exists():
            kept.write_text(json.dumps(sorted(fuzzed(SPEC, self.package, seconds, seed))), encoding="utf-8")
        self.coverage.by_fuzz = set(json.loads(kept.read_text(encoding="utf-8")))
        prepare(SPEC)
        return imported(self.package, fuzz_judge(SPEC, seconds, seed))

    def executed(self, mutant: Mutant, second: bool) -> tuple[str, ...] | None:
        by_suite = self.coverage.sequences(mutant) != set()
        return (SUITE,) * by_suite + (FUZZING,) * (second and self.coverage.is_fuzzed(mutant))


class InC:
    """The implementation in C."""

    what = "the implementation of the core profile in C"
    killed_by = WRONG
    page = ROOT / "docs" / "teeth-c.md"
    stages = SUITE, FUZZING
    left_out = {"checked.c": "the implementation holding itself against the oracle"}

    def __init__(self, folder: Path) -> None:
        self.mutants = mutants_of_core()

    def first(self) -> Hold:
        prepare(SPEC)
        return c_suite(SPEC)

    def second(self, seconds: float, seed: int) -> Hold:
        prepare(SPEC)
        return c_fuzz(SPEC, seconds, seed)

    def executed(self, mutant: Mutant, second: bool) -> tuple[str, ...] | None:
        return None


class InSpec:
    """The specification itself."""

    what = "the specification"
    killed_by = (
        "what is refuted, an exit that is not shown possible, or an answer of the reference implementation that is wrong now"
    )
    page = ROOT / "docs" / "teeth-spec.md"
    stages = PROOF, SUITE
    left_out: dict[str, str] = {}

    def __init__(self, folder: Path) -> None:
        self.mutants = spec_mutants()

    def first(self) -> Hold:
        return refuted(SPEC)

    def second(self, seconds: float, seed: int) -> Hold:
        return contradicted(SPEC, Package("oneowner.reference_impl").renewed().implementation())

    def executed(self, mutant: Mutant, second: bool) -> tuple[str, ...] | None:
        return None


Subject = InPython | InC | InSpec
SUBJECTS: dict[str, type[Subject]] = {"python": InPython, "c": InC, "spec": InSpec}
