"""Message channels of JavaScript as an implementation: examples/messageport says what is otherwise there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from command import run

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "examples" / "messageport"
RUNTIMES = {"node": ["node"], "bun": ["bun"], "deno": ["deno", "run", "-A"]}
PRESENT = [name for name in RUNTIMES if shutil.which(name)]
BY_DESIGN = {"allocate/ENOMEM", "send/EAGAIN", "send/EMSGSIZE"}
KIT = "../../checker/adapters/kits/javascript/oneowner.mjs"

pytestmark = pytest.mark.skipif(not PRESENT, reason="no Node.js, Bun or Deno")


def conform(adapter: Path, runtime: str, *options: str) -> set[str]:
    """The clauses that fail and are not declared."""
    where = f"exec:{shlex.join([*RUNTIMES[runtime], str(adapter)])}"
    ran = run("conform", where, "--format", "json", "--time", "0", *options)
    assert ran.code in (0, 1), ran.err
    known = set(ran.json["known_failing"])
    return {clause for clause, verdict in ran.json["verdicts"].items() if verdict["status"] in ("fail", "flaky")} - known


@pytest.mark.parametrize("runtime", PRESENT)
def test_only_what_is_declared_is_otherwise(runtime: str) -> None:
    declared = HERE / ("deno.toml" if runtime == "deno" else "deviations.toml")
    assert conform(HERE / "adapter.mjs", runtime, "--deviations", str(declared)) == set()


@pytest.mark.parametrize("runtime", PRESENT)
def test_what_is_declared_is_so(runtime: str) -> None:
    without_end = {"send/EPIPE", "receive/EPIPE"} if runtime == "deno" else set()
    assert conform(HERE / "adapter.mjs", runtime) == BY_DESIGN | without_end


@pytest.mark.parametrize("runtime", PRESENT)
def test_the_program_shows_whether_the_end_is_told(runtime: str) -> None:
    done = subprocess.run([*RUNTIMES[runtime], str(HERE / "closed.mjs")], check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:-1] == ["message: the last one", *["close"] * (runtime != "deno")]


@pytest.mark.parametrize(
    ("right", "wrong", "clause"),
    [
        ("buffer ? [buffer] : []", "[]", "send/ok"),
        ("structuredClone(buffer, { transfer: [buffer] });\n    }", "}", "free/ok"),
        ('if (buffer && unread(region)) fail("EBUSY");', "", "send/EBUSY"),
    ],
)
def test_the_suite_sees_what_is_broken_in_it(tmp_path: Path, right: str, wrong: str, clause: str) -> None:
    assert clause in conform(broken(tmp_path, right, wrong), PRESENT[0], "--deviations", str(HERE / "deviations.toml"))


def test_fuzzing_sees_that_a_closed_port_is_used(tmp_path: Path) -> None:
    adapter = broken(tmp_path, "ports.delete(port);", "")
    found = conform(adapter, PRESENT[0], "--deviations", str(HERE / "deviations.toml"), "--time", "30", "--seed", "1")
    assert [clause.partition("/")[2] for clause in found] == ["EBADF"]


def broken(folder: Path, right: str, wrong: str) -> Path:
    source = (HERE / "adapter.mjs").read_text(encoding="utf-8")
    assert source.count(right) == 1
    made = folder / "adapter.mjs"
    made.write_text(source.replace(right, wrong).replace(KIT, str(HERE / KIT)), encoding="utf-8")
    return made


def test_the_command_of_the_page_is_right() -> None:
    (command,) = re.findall(r"```sh\n(.*)\n```", (HERE / "README.md").read_text(encoding="utf-8"))
    arguments = shlex.split(command)
    if "node" not in PRESENT:
        pytest.skip("no Node.js")
    assert run(*arguments[1:], "--time", "1", cwd=ROOT).code == 0
