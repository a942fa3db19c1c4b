"""Mutants, each held in a forked child against a judge; what was judged is kept and not repeated.

A child shares all that its parent has imported, so that a mutant of a Python package costs the import of that package alone.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import psutil
from mutation import Mutant, TreeMutant, mutants

MEMORY = 512 << 20
"""How much a child may take beyond what it begins with, in bytes."""

KILLED, SURVIVED, UNDECIDED, STILLBORN = "killed", "survived", "undecided", "stillborn"
"""What becomes of a mutant: undecided where the judge itself failed, stillborn where a compiler does not take it."""

Hold = Callable[[Any], tuple[str, str]]
"""Takes a mutant, in a child; says what becomes of it, and by what."""

Judge = Callable[[ModuleType, TreeMutant], str]
"""Takes the package with the mutant in it; says what killed it, and nothing where it survives."""


class Package(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """A package, or a single module, as syntax trees, so that it can be imported anew with one of them changed."""

    def __init__(self, name: str) -> None:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise ImportError(f"there is no package {name}")
        self.name = name
        folders = list(found.submodule_search_locations or [])
        self.files = sorted(Path(folders[0]).glob("*.py")) if folders else [Path(found.origin)]
        self.sources = {path.name: path.read_text(encoding="utf-8") for path in self.files}
        self.trees = {path.name: ast.parse(self.sources[path.name]) for path in self.files}
        self.modules = {self._module(path) if folders else name: path for path in self.files}
        self._codes: dict[str, CodeType] = {}
        for module, path in self.modules.items():
            self._compile(module, path)

    def _module(self, path: Path) -> str:
        return self.name if path.name == "__init__.py" else f"{self.name}.{path.stem}"

    def _compile(self, module: str, path: Path) -> None:
        self._codes[module] = compile(ast.fix_missing_locations(self.trees[path.name]), str(path), "exec")

    def mutants(self) -> list[TreeMutant]:
        """The mutants of all its files."""
        return [mutant for name, tree in self.trees.items() for mutant in mutants(name, tree)]

    def renewed(self, mutant: TreeMutant | None = None) -> ModuleType:
        """The package imported anew, with a mutant's change in it.  It stays changed: call this in a child."""
        if mutant is not None:
            mutant.apply()
            for module, path in self.modules.items():
                if path.name == mutant.file:
                    self._compile(module, path)
        for module in [name for name in sys.modules if name == self.name or name.startswith(f"{self.name}.")]:
            del sys.modules[module]
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        return importlib.import_module(self.name)

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """Find a module among the trees."""
        if fullname not in self._codes:
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=self.modules[fullname].name == "__init__.py")

    def exec_module(self, module: ModuleType) -> None:
        """Run what was compiled."""
        exec(self._codes[module.__name__], module.__dict__)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant, and `by` what."""

    id: str
    stage: str
    seconds: float
    digest: str
    verdict: str
    by: str
    took: float

    @property
    def key(self) -> tuple[str, str, float, str]:
        return self.id, self.stage, self.seconds, self.digest


class Results:
    """Verdicts in a file of JSON lines, to which more are appended."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "results.jsonl"
        self.known: dict[tuple[str, str, float, str], Verdict] = {}
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            # the last line may be cut off, if its writer was
            with contextlib.suppress(ValueError, TypeError):
                verdict = Verdict(**json.loads(line))
                self.known[verdict.key] = verdict

    def add(self, verdict: Verdict) -> None:
        """Take note of a verdict, at once."""
        self.known[verdict.key] = verdict
        whole = not self.path.exists() or self.path.read_bytes()[-1:] in (b"", b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * (not whole) + json.dumps(asdict(verdict)) + "\n")


def watch(seconds: float) -> None:
    """End this process by SIGVTALRM when it has computed for so long; with 0, do not."""
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def imported(package: Package, judge: Judge) -> Hold:
    """Imports a package with a mutant in it, and asks a judge."""

    def hold(mutant: TreeMutant) -> tuple[str, str]:
        watch(5)
        try:
            module = package.renewed(mutant)
        except Exception as error:
            return KILLED, f"import: {type(error).__name__}: {error}"
        watch(0)
        by = judge(module, mutant)
        return (KILLED if by else SURVIVED), by

    return hold


def judged(
    chosen: Sequence[Mutant],
    hold: Hold,
    results: Results,
    *,
    stage: str,
    digest: str,
    seconds: float = 0.0,
    longest: float = 60.0,
    jobs: int = 1,
) -> Iterator[Verdict]:
    """The verdicts on mutants, as they come: those that are known at once, the others from children, of which `jobs` run at a
    time and none for longer than `longest` seconds."""
    waiting = []
    for mutant in chosen:
        known = results.known.get((mutant.id, stage, seconds, digest))
        if known is None:
            waiting.append(mutant)
        else:
            yield known
    waiting.reverse()
    running: dict[int, tuple[int, Mutant, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                mutant = waiting.pop()
                pid, pipe = _started(mutant, hold)
                running[pipe] = pid, mutant, time.monotonic()
            soonest = min(began for _, _, began in running.values()) + longest - time.monotonic()
            ready = select.select(list(running), [], [], max(0.0, soonest))[0]
            late = [pipe for pipe, (_, _, began) in running.items() if time.monotonic() - began >= longest]
            for pipe in {*ready, *late}:
                pid, mutant, began = running.pop(pipe)
                if pipe not in ready:
                    os.kill(pid, signal.SIGKILL)
                said = _ended(pid, pipe, killed=pipe not in ready)
                verdict = Verdict(mutant.id, stage, seconds, digest, *said, round(time.monotonic() - began, 3))
                results.add(verdict)
                yield verdict
    finally:
        for pipe, (pid, _, _) in running.items():
            os.kill(pid, signal.SIGKILL)
            _ended(pid, pipe, killed=True)


def _started(mutant: Mutant, hold: Hold) -> tuple[int, int]:
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        os.close(reading)
        os.write(writing, json.dumps(_verdict(mutant, hold)).encode())
    finally:
        os._exit(0)


def _verdict(mutant: Mutant, hold: Hold) -> tuple[str, str]:
    """What becomes of a mutant, in the child."""
    most = psutil.Process().memory_info().vms + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    try:
        verdict, by = hold(mutant)
    except BaseException:
        return UNDECIDED, traceback.format_exc()[-1500:]
    return verdict, by[:500]


def _ended(pid: int, pipe: int, *, killed: bool) -> tuple[str, str]:
    said = b""
    while more := os.read(pipe, 65536):
        said += more
    os.close(pipe)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if said and not code:
        verdict, by = json.loads(said)
        return verdict, by
    if killed or code == -signal.SIGVTALRM:
        return KILLED, "timeout"
    return KILLED, f"the process ended with {code}"
