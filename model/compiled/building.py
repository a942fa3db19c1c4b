"""Text built with the machine's C compiler, or with that for a GPU, once for what it says, and kept."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..language import SpecError

FLAGS = ("-std=gnu11", "-march=native", "-shared", "-fPIC", "-w")
LEVELS = ((200_000, "-O3"), (300_000, "-O2"), (1 << 62, "-O1"))
"""Up to how many characters a text is built how well: a long one takes longer to be built well than it is run."""

MOST_KEPT = 200
"""How many libraries are kept; of more the ones that were not used for longest go."""


class NoCompiler(SpecError):
    """There is nothing on this machine that makes C into a program."""


def compiler() -> str | None:
    """The C compiler, by its path."""
    return shutil.which(os.environ.get("CC") or "cc")


def nvcc() -> str | None:
    """The compiler for a GPU, by its path: its toolkit puts it where nothing else is looked for."""
    if named := os.environ.get("NVCC"):
        return shutil.which(named)
    return shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")


def kept_in() -> Path:
    """The folder in which libraries are kept: `oneowner` in the user's folder for what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "oneowner"


def _name(text: str, flags: Sequence[str], given: str) -> str:
    """What a text is kept under: another for another text, compiler, processor, or other flags."""
    made = os.stat(given).st_mtime_ns if given else 0
    machine = [platform.machine(), _processor()]
    whole = "\0".join([text, *flags, given, str(made), *machine])
    return hashlib.sha256(whole.encode()).hexdigest()[:40]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return "".join(next((line for line in lines if line.startswith(what)), "") for what in ("model name", "flags", "Features"))


class Building:
    """A library on its way: built beside what else is done, or there already.

    It is built as C with the flags that suit its size and `more`, or with the flags given, or `for_gpu` by nvcc with the flags
    given.
    """

    def __init__(self, text: str, flags: Sequence[str] | None = None, *, more: Sequence[str] = (), for_gpu: bool = False) -> None:
        flags = (*FLAGS, next(level for size, level in LEVELS if len(text) < size), *more) if flags is None else flags
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._flags, self._text, self._for_gpu = flags, text, for_gpu
        self._by = nvcc() if for_gpu else compiler()
        self.path = kept_in() / f"{_name(text, flags, self._by or '')}.so"
        self.is_kept = self.path.exists()

    def start(self) -> None:
        """Begin to build, where it is not there yet.  Raises NoCompiler."""
        if self.is_kept or self._process is not None:
            return
        if self._by is None:
            raise NoCompiler(f"there is no {'compiler for a GPU (nvcc)' if self._for_gpu else 'C compiler (cc)'} on this machine")
        self._scratch = tempfile.TemporaryDirectory(prefix="oneowner-", ignore_cleanup_errors=True)
        source = Path(self._scratch.name) / "search.c"
        source.write_text(self._text, encoding="utf-8")
        self._built, self._said = source.with_suffix(".so"), source.with_suffix(".txt")
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [self._by, *self._flags, "-o", str(self._built), str(source)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be waited for."""
        return self.is_kept or (self._process is not None and self._process.poll() is not None)

    def wait(self, seconds: float) -> None:
        """Wait until it is built, so many seconds at most."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)

    def library(self) -> ctypes.CDLL:
        """The library, when it is built.  Raises SpecError where the compiler does not take the text."""
        if not self.is_kept:
            self.start()
            assert self._process is not None
            try:
                code = self._process.wait()
            except BaseException:
                self.stop()
                raise
            if code:
                said = self._said.read_text(encoding="utf-8", errors="replace")[:2000]
                self.stop()
                raise SpecError(f"{self._by} does not take what was printed: {said}")
            self._keep()
        found = ctypes.CDLL(str(self.path))
        if self.is_kept:
            _touch(self.path)
        self.stop()
        return found

    def _keep(self) -> None:
        """Put what was built where it is kept; where nothing can be kept, it is used from where it was made."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, suffix=".part")
            os.close(handle)
            shutil.copyfile(self._built, name)
            os.replace(name, self.path)
            self.is_kept = True
            _tidy(self.path.parent)
        except OSError:
            self.path = self._built

    def stop(self) -> None:
        """Build no further, and leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except OSError:
        return


def _tidy(folder: Path) -> None:
    """Leave the libraries that were used last."""
    found = sorted(folder.glob("*.so"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[MOST_KEPT:]:
        path.unlink(missing_ok=True)
