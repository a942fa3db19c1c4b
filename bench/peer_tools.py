"""Other tools on the same small core, modelled in bench/peers/: each is run in a folder of its own, timed, and ended at a limit.

A machine may lack a peer (`missing`), and a peer's model may not reach a scope or a planted bug (`unfit`).

usage: python bench/peer_tools.py N M NQ K [BUG [SECONDS [PEER...]]]
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import psutil

MODELS = Path(__file__).with_name("peers")
ABC = "abc" if shutil.which("abc") and not shutil.which("berkeley-abc") else "berkeley-abc"


class Scope(NamedTuple):
    """How many of each there are, and how many regions a queue holds."""

    partitions: int
    regions: int
    ports: int
    bound: int


@dataclass(frozen=True)
class Run:
    """What one peer did with one scope; `finished` says that it came to a verdict, which `violation` gives.

    `seconds` is the wall time of the check alone, `preparing` that of generating and compiling before it. `states` are the
    distinct ones, as far as the search went, None where a tool tells none. A run that is neither finished nor stopped at the
    limit went wrong, as `note` says.
    """

    peer: str
    scope: Scope
    bug: int
    states: int | None
    seconds: float
    preparing: float
    finished: bool
    stopped: bool
    violation: str | None
    steps: int | None
    note: str
    peak_mb: int | None


class Job(NamedTuple):
    """The command of a check, and the script of what is made before it."""

    command: Sequence[str | Path]
    before: str = ""


class Found(NamedTuple):
    """What an output says; with neither a proof nor a violation, it holds no verdict."""

    proved: bool
    violation: str | None = None
    steps: int | None = None
    states: int | None = None
    note: str = ""


class Child(NamedTuple):
    """What an ended process left."""

    text: str
    code: int
    seconds: float
    stopped: bool
    peak_mb: int


def resident(pid: int) -> int:
    """Bytes that a process and its descendants hold now, shared memory counted once."""
    alone, shared = 0, 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for memory in [one.memory_info() for one in (process, *process.children(recursive=True))]:
            common = getattr(memory, "shared", 0)
            alone, shared = alone + memory.rss - common, max(shared, common)
    return alone + shared


def end(group: int, how: signal.Signals) -> None:
    """Send a process group a signal, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, how)


def child(command: Sequence[str | Path], folder: Path, limit: float) -> Child:
    """Run a command to its end, or to the limit, where its whole process group is ended."""
    ended, stopped, peak = threading.Event(), False, 0

    def watch() -> None:
        nonlocal peak, stopped
        pause = 0.005
        while not ended.wait(max(min(pause, began + limit - time.perf_counter()), 0)):
            peak = max(peak, resident(process.pid))
            pause = min(pause * 1.5, 0.2)
            if time.perf_counter() - began >= limit:
                stopped = True
                # an interrupted tool says how far it came, and gives back the shared memory that it took
                end(process.pid, signal.SIGINT)
                if not ended.wait(10):
                    end(process.pid, signal.SIGKILL)
                return

    written = folder / "output"
    with written.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        # waiting with a timeout would poll, and add up to a poll's pause to the time
        process.wait()
        seconds = time.perf_counter() - began
    finally:
        ended.set()
        watcher.join()
        end(process.pid, signal.SIGKILL)
        process.wait()
    text = re.sub(r"\x1b\[[0-9;]*m", "", written.read_text(errors="replace"))
    return Child(text, process.returncode, seconds, stopped, peak >> 20)


def last(pattern: str, text: str) -> int | None:
    """The last number that a pattern's group matches, thousands marked by commas or not."""
    found = re.findall(pattern, text)
    return int(found[-1].replace(",", "")) if found else None


def settings(template: str, between: str, scope: Scope, bug: int) -> str:
    """The parameters by the names that most models give them."""
    pairs = zip(("N", "M", "NQ", "K", "BUG"), (*scope, bug), strict=True)
    return between.join(template.format(*pair) for pair in pairs)


@dataclass(frozen=True)
class Peer:
    """A tool that is held against ours."""

    name: str
    programs: ClassVar[tuple[str, ...]] = ()
    counts_states: ClassVar[bool] = False

    def missing(self) -> str:
        """What this machine lacks for the tool, or nothing."""
        lacking = [program for program in self.programs if not shutil.which(program)]
        return f"{' and '.join(lacking)} not on PATH" if lacking else ""

    def unfit(self, scope: Scope, bug: int) -> str:
        """Why the tool's model does not reach a scope or a planted bug, or nothing."""
        return "" if min(scope) >= 1 and bug in (0, 1, 2) else "no such scope or planted bug"

    def job(self, folder: Path, scope: Scope, bug: int) -> Job:
        raise NotImplementedError

    def read(self, text: str) -> Found:
        raise NotImplementedError

    def run(self, scope: Scope, bug: int = 0, limit: float = 300) -> Run:
        """Check once; the limit is for what is made before and for the check, each by itself."""
        if why := self.missing() or self.unfit(scope, bug):
            raise LookupError(f"{self.name}: {why}")
        with tempfile.TemporaryDirectory(prefix="peer-") as name:
            folder, preparing = Path(name), 0.0
            job = self.job(folder, scope, bug)
            if job.before:
                done = child(["sh", "-c", job.before], folder, limit)
                preparing, found = done.seconds, Found(False)
            if not job.before or done.code == 0:
                done = child(job.command, folder, limit)
                found = self.read(done.text)
        proved = found.proved and done.code == 0 and not done.stopped
        finished = (proved or found.violation is not None) and not (self.counts_states and found.states is None)
        if not finished:
            tail = f"exit status {done.code}, the output ends: {done.text.strip()[-600:]}"
            note = "stopped at the time limit" if done.stopped else tail
            found = Found(False, states=found.states, note=note)
        stopped = done.stopped and not finished
        return Run(
            self.name, scope, bug, found.states, done.seconds, preparing, finished, stopped,
            found.violation, found.steps, found.note, done.peak_mb or None,
        )  # fmt: skip


@dataclass(frozen=True)
class Spin(Peer):
    """Spin, breadth first; on two cores it keeps only hashes of states, and may lose some."""

    parallel: bool = False
    programs = ("spin", "cc")
    counts_states = True

    def unfit(self, scope: Scope, bug: int) -> str:
        within = scope.partitions in (2, 3) and scope.regions in (2, 3, 4) and scope.ports in (2, 4, 6)
        return super().unfit(scope, bug) or ("" if within else "core.pml has 2-3 partitions, 2-4 regions, and 2, 4 or 6 ports")

    def job(self, folder: Path, scope: Scope, bug: int) -> Job:
        shutil.copy(MODELS / "core.pml", folder)
        search = "-DBFS_PAR" if self.parallel else "-DBFS"
        compiling = f"cc -O2 -DSAFETY -DNOREDUCE {search} -DMEMLIM=20000 -o pan pan.c"
        generating = f"spin {settings('-D{}={}', ' ', scope, bug)} -a core.pml"
        return Job(["./pan", "-w24", *(["-u2"] if self.parallel else [])], f"{generating} && {compiling}")

    def read(self, text: str) -> Found:
        broken = re.search(r"pan:\d+: (assertion violated .*) \(at depth (\d+)\)", text)
        lost = re.search(r".*states lost.*", text)
        proved = "errors: 0" in text and "Search not completed" not in text
        violation, steps = (broken[1][:80], int(broken[2])) if broken else (None, None)
        notes = [match[0].strip() for match in (lost, re.search(r"elapsed time.*", text)) if match]
        return Found(proved, violation, steps, last(r"(\d+) states, stored", text), "; ".join(notes))


def checking(module: str, folder: Path, *, workers: int) -> list[str]:
    """The command with which TLC checks a module, with its configuration, in a folder; it is to ask nothing of the network."""
    (folder / ".tlaplus").mkdir(exist_ok=True)
    (folder / ".tlaplus" / "esc.txt").write_text("NO_STATISTICS\n")
    # touching a large young generation for the first time cost short runs about a fifth of their time
    collector = "Parallel" if workers > 1 else "Serial"
    machine = ["java", f"-XX:+Use{collector}GC", "-Xmn256m", f"-Djava.io.tmpdir={folder}", f"-Duser.home={folder}"]
    machine += ["-Dtlc2.TLC.progressInterval=5", "-cp", os.environ["TLA2TOOLS"], "tlc2.TLC"]
    return [*machine, "-workers", str(workers), "-noGenerateSpecTE", "-nowarning", module]


@dataclass(frozen=True)
class Tlc(Peer):
    """TLC with two workers; with symmetry it keeps one state of those that renaming makes equal."""

    symmetry: bool = False
    programs = ("java",)
    counts_states = True

    def missing(self) -> str:
        there = Path(os.environ.get("TLA2TOOLS", "")).is_file()
        return super().missing() or ("" if there else "the variable TLA2TOOLS names no tla2tools.jar")

    def job(self, folder: Path, scope: Scope, bug: int) -> Job:
        model = (MODELS / "Core.tla").read_text()
        (folder / "Core.tla").write_text(model)
        sets = [f"{x} = {{{', '.join(f'{x}{i}' for i in range(size))}}}" for x, size in zip("PRQ", scope[:3], strict=True)]
        constants = ["CONSTANTS", *sets, f"K = {scope.bound}", "None = None", f"Bug = {bug}"]
        invariants = ["INVARIANTS", *re.findall(r"(?m)^(I\d_\w+) *==", model)]
        rest = ["SPECIFICATION Spec", "CHECK_DEADLOCK FALSE", *(["SYMMETRY Symmetry"] if self.symmetry else [])]
        (folder / "Core.cfg").write_text("\n".join(constants + invariants + rest))
        return Job(checking("Core", folder, workers=2))

    def read(self, text: str) -> Found:
        broken, end = re.search(r"Error: Invariant (\w+) is violated", text), last(r"(?m)^State (\d+):", text)
        violation, steps = (broken[1], end - 1) if broken and end else (None, None)
        proved = "Model checking completed. No error has been found." in text
        return Found(proved, violation, steps, last(r"([\d,]+) distinct states found", text))


@dataclass(frozen=True)
class Mypyvy(Peer):
    """mypyvy, which holds the inductive invariants against each transition, at any size."""

    def missing(self) -> str:
        there = Path(os.environ.get("MYPYVY", "/nowhere"), "src", "mypyvy.py").is_file()
        return "" if there else "the variable MYPYVY names no checkout of mypyvy"

    def unfit(self, scope: Scope, bug: int) -> str:
        return super().unfit(scope, bug) or ("core.pyv has no bound of a queue that could be off by one" if bug == 2 else "")

    def job(self, folder: Path, scope: Scope, bug: int) -> Job:
        model, unmapping = (MODELS / "core.pyv").read_text(), " & !(P = p & R = r) | P = t & R = r"
        if model.count(unmapping) != 1:
            raise ValueError("core.pyv has no one place for the planted bug")
        (folder / "core.pyv").write_text(model.replace(unmapping, " | P = t & R = r") if bug else model)
        return Job([sys.executable, Path(os.environ["MYPYVY"], "src", "mypyvy.py"), "verify", "core.pyv"])

    def read(self, text: str) -> Found:
        broken = re.search(r"invariant \w+ is not preserved by transition \w+", text)
        return Found("all ok!" in text, broken[0] if broken else None, note="at any size")


@dataclass(frozen=True)
class Abc(Peer):
    """ABC's property-directed reachability on the circuit that yosys makes."""

    programs = ("yosys", ABC)

    def unfit(self, scope: Scope, bug: int) -> str:
        within = all(size <= most for size, most in zip(scope, (3, 4, 6, 3 - (bug == 2)), strict=True))
        return super().unfit(scope, bug) or ("" if within else "core.v has at most 3 partitions, 4 regions, 6 ports, 3 cells")

    def job(self, folder: Path, scope: Scope, bug: int) -> Job:
        shutil.copy(MODELS / "core.v", folder)
        reading = f"read_verilog -sv core.v; chparam {settings('-set {} {}', ' ', scope, bug)} core; hierarchy -top core"
        passes = "proc; flatten; opt; memory; setundef -zero; opt; techmap; opt; dffunmap; aigmap; write_aiger -zinit core.aig"
        return Job([ABC, "-c", "read core.aig; print_stats; scorr; dc2; pdr"], f"yosys -q -p '{reading}; {passes}'")

    def read(self, text: str) -> Found:
        frame, latches = last(r"was asserted in frame (\d+)", text), last(r"lat = +(\d+)", text)
        violation = None if frame is None else "an invariant, it does not say which"
        return Found("Property proved." in text, violation, frame, note=f"{latches} latches")


@dataclass(frozen=True)
class Quint(Peer):
    """Quint's random simulation, which can find a planted bug and prove nothing."""

    programs = ("quint",)

    def unfit(self, scope: Scope, bug: int) -> str:
        return super().unfit(scope, bug) or ("" if bug else "simulation proves nothing, so only planted bugs are tried")

    def job(self, folder: Path, scope: Scope, bug: int) -> Job:
        here = f"module here {{ import core({settings('{} = {}', ', ', scope, bug)}).* }}\n"
        (folder / "core.qnt").write_text((MODELS / "core.qnt").read_text() + here)
        tries = ["--max-samples=10000000", "--max-steps=30", "--seed=1"]
        return Job(["quint", "run", "core.qnt", "--main=here", "--backend=typescript", "--invariant=safe", *tries])

    def read(self, text: str) -> Found:
        found, steps = "[violation] Found an issue" in text, last(r"(?m)^\[State (\d+)\]", text)
        violation = "safe" if found and steps is not None else None
        return Found(False, violation, steps, note="random traces of 30 steps, seed 1")


@dataclass(frozen=True)
class Plain(Peer):
    """A straightforward breadth-first search in Python."""

    counts_states = True

    def job(self, folder: Path, scope: Scope, bug: int) -> Job:
        return Job([sys.executable, MODELS / "core_bfs.py", *map(str, scope), str(bug)])

    def read(self, text: str) -> Found:
        broken = re.search(r"VIOLATED (.*), (\d+) steps", text)
        violation, steps = (broken[1], int(broken[2])) if broken else (None, None)
        return Found("no violation" in text, violation, steps, last(r"states (\d+) transitions", text))


PEERS = (
    Spin("spin"), Spin("spin, 2 cores", parallel=True), Tlc("tlc"), Tlc("tlc, symmetry", symmetry=True),
    Mypyvy("mypyvy"), Abc("abc"), Quint("quint"), Plain("plain python"),
)  # fmt: skip


def main() -> None:
    """Print a line for each peer, or for those that are named."""
    given = sys.argv[1:]
    scope, bug = Scope(*map(int, given[:4])), int(given[4]) if given[4:] else 0
    limit = float(given[5]) if given[5:] else 300.0
    for peer in PEERS:
        if given[6:] and peer.name not in given[6:]:
            continue
        if why := peer.missing() or peer.unfit(scope, bug):
            print(f"{peer.name:14} skipped: {why}")
            continue
        run = peer.run(scope, bug, limit)
        verdict = f"{run.violation}, {run.steps} steps" if run.violation else "no violation" if run.finished else "no verdict"
        times = f"{run.seconds:8.2f} s, before it {run.preparing:.2f} s, {run.peak_mb} MB"
        print(f"{peer.name:14} {run.states or '-':>10} states {times}: {verdict}{run.note and f' ({run.note})'}", flush=True)


if __name__ == "__main__":
    main()
