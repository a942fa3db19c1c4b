"""The kits of `oneowner new adapter`: each is copied, builds, speaks the protocol as it is, and is hard to break."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command import run

from oneowner.checker.command_line import new as new_adapter
from oneowner.model import SpecError
from oneowner.spec import SPEC

BUILDERS = {"c": ("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", "adapter", "adapter.c")}
BUILDERS["rust"] = ("cargo", "build", "--offline", "--quiet")
BUILDERS["python"] = (sys.executable, "-m", "py_compile", "adapter.py", "oneowner_adapter.py")
BUILDERS["javascript"] = ("node", "--check", "adapter.mjs")
STARTED = {"c": ("./adapter",), "rust": ("target/debug/adapter",), "python": (sys.executable, "adapter.py")}
STARTED["javascript"] = ("node", "adapter.mjs")
SOURCES = {"c": "adapter.c", "rust": "src/main.rs", "python": "adapter.py", "javascript": "adapter.mjs"}


def works(command: str) -> bool:
    """Whether a builder is there and runs: a cargo without a toolchain does not."""
    if shutil.which(command) is None:
        return False
    return subprocess.run([command, "--version"], capture_output=True, check=False).returncode == 0


LANGUAGES = [
    pytest.param(
        language,
        marks=pytest.mark.skipif(not works(builder[0]), reason=f"{builder[0]} is not on PATH, or does not run here"),
    )
    for language, builder in BUILDERS.items()
]


@dataclass(frozen=True)
class Kit:
    language: str
    folder: Path

    @property
    def connection(self) -> str:
        return "exec:" + " ".join(STARTED[self.language])

    def build(self) -> None:
        built = subprocess.run(BUILDERS[self.language], cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
        assert built.returncode == 0, built.stderr
        assert not built.stderr

    def edited(self, folder: Path, old: str, new: str) -> Kit:
        """A copy, its one file to fill in changed, and built."""
        shutil.copytree(self.folder, folder)
        source = folder / SOURCES[self.language]
        text = source.read_text(encoding="utf-8")
        assert text.count(old) == 1
        source.write_text(text.replace(old, new), encoding="utf-8")
        kit = Kit(self.language, folder)
        kit.build()
        return kit

    def said(self, lines: Sequence[bytes]) -> tuple[list[Any], str]:
        """What it answers to lines, and what it prints on stderr.  It must end by itself, with 0."""
        done = subprocess.run(
            STARTED[self.language], cwd=self.folder, input=b"\n".join(lines) + b"\n", capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


@pytest.fixture(scope="module", params=LANGUAGES)
def kit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kit:
    folder = tmp_path_factory.mktemp("kits") / "of mine" / request.param
    made = run("new", "adapter", "--lang", request.param, str(folder))
    assert made.code == 0, made
    found = Kit(request.param, folder)
    found.build()
    return found


def request(number: int, method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


def call(number: int, op: str, **args: Any) -> bytes:
    return request(number, "call", actor="a", op=op, args=args)


def test_it_speaks_the_protocol(kit: Kit) -> None:
    ran = run("smoke", kit.connection, cwd=kit.folder)
    assert ran.code == 0, ran
    assert f"0 of {len(SPEC.actions)} operations are supported" in ran.out


@pytest.mark.parametrize("profiles", [(), ("--profile", "core")])
def test_nothing_could_be_tested(kit: Kit, profiles: tuple[str, ...]) -> None:
    ran = run("conform", kit.connection, *profiles, "--deviations", "deviations.toml", cwd=kit.folder)
    assert ran.code == 5, ran
    assert "nothing could be tested" in ran.out


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on PATH")
def test_it_is_tried_without_oneowner(kit: Kit) -> None:
    tried = subprocess.run(
        ["make", "--silent", "try", f"PYTHON={sys.executable}", "ONEOWNER=false"],
        cwd=kit.folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    answers = [json.loads(line) for line in tried.stdout.splitlines()]
    asked = (kit.folder / "session.jsonl").read_text(encoding="utf-8").splitlines()
    assert [a["id"] for a in answers] == [json.loads(line)["id"] for line in asked]
    assert answers[0]["result"]["capabilities"] == {"settle": True}
    assert {a["error"]["code"] for a in answers if "error" in a} == {-32001}


MALFORMED = [
    b"nonsense",
    b"{",
    b"[",
    b"null",
    b"[]",
    b"{}",
    b"1e999",
    b"-",
    b'"',
    b'"\\',
    b'"\\u12',
    b'"\\ud800\\u0041"',
    b'{"id":7,"method":"settle"} trailing',
    b'{"id":7}',
    b'{"method":"settle"}',
    b'{"id":"7","method":"settle","params":{}}',
    b'{"id":true,"method":"settle","params":{}}',
    b'{"id":7.5,"method":"settle","params":{}}',
    b'{"id":123456789012345678901234567890,"method":"nothing","params":{}}',
    b'{"id":7,"method":"nothing","params":{}}',
    b'{"id":7,"method":"\\u0000","params":{}}',
    b'{"id":7,"method":8,"params":{}}',
    b'{"id":7,"method":"initialize","params":[]}',
    b'{"id":7,"method":"initialize","params":{"protocol":[2]}}',
    b'{"id":7,"method":"reset"}',
    b'{"id":7,"method":"reset","params":{"topology":null}}',
    b'{"id":7,"method":"reset","params":{"topology":{"partitions":"many"}}}',
    b'{"id":7,"method":"reset","params":{"topology":{"partitions":-1}}}',
    b'{"id":7,"method":"call","params":null}',
    b'{"id":7,"method":"call","params":{"actor":1,"op":"send","args":{}}}',
    b'{"id":7,"method":"call","params":{"actor":"p1","op":"send","args":[]}}',
    b'{"id":7,"method":"call","params":{"actor":"p1","op":"send"}}',
    b"\xff\xfe",
    b'{"id":7,"method":"\xc0\x80","params":{}}',
    b"{}\x00{}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'"' + b"x" * (1 << 21),
    b"x" * ((1 << 20) + 1),
]


def test_malformed_lines_are_answered(kit: Kit) -> None:
    blank = [b"", b"  "]
    last = [request(8, "settle"), request(9, "shutdown"), b"after the end"]
    answers, errors = kit.said([*MALFORMED, *blank, *last])
    assert len(answers) == len(MALFORMED) + 2
    for line, answer in zip(MALFORMED, answers, strict=False):
        assert answer["error"]["code"] in (-32700, -32600, -32601, -32602), (line[:80], answer)
        assert answer["id"] in (None, 7, 123456789012345678901234567890), (line[:80], answer)
    assert answers[-2:] == [{"jsonrpc": "2.0", "id": n, "result": {}} for n in (8, 9)]
    assert not errors


def test_a_line_may_have_a_mebibyte(kit: Kit) -> None:
    empty = len(request(1, "settle", pad=""))
    whole = request(1, "settle", pad="x" * ((1 << 20) - empty))
    assert len(whole) == 1 << 20
    assert kit.said([whole])[0] == [{"jsonrpc": "2.0", "id": 1, "result": {}}]


PRINTS = {
    "c": ("static void reset(oo_call *call) {\n", 'printf("stray\\n");\n'),
    "rust": ("-> Result<Handles, Error> {\n", 'println!("stray");\n'),
    "python": ("-> dict[str, str]:\n", '        print("stray")\n'),
    "javascript": ("  reset(topology) {\n", '    console.log("stray");\n'),
}


def test_a_stray_print_does_no_harm(kit: Kit, tmp_path: Path) -> None:
    before, statement = PRINTS[kit.language]
    printing = kit.edited(tmp_path / "printing", before, before + statement)
    answers, errors = printing.said([request(1, "reset", topology={})])
    assert answers == [{"jsonrpc": "2.0", "id": 1, "result": {"SYSTEM": "p1"}}]
    assert errors == "stray\n"
    assert run("smoke", printing.connection, cwd=printing.folder).code == 0


WAITING = {
    "c": """#include "oneowner.h"
static oo_ticket waiting[9];
static size_t count;
static void reset(oo_call *call) { oo_begin(call); oo_field_str(call, "SYSTEM", "p1"); oo_end(call); }
static void wait_(oo_call *call) { waiting[count++] = oo_suspend(call); }
static void wake(oo_call *call) {
    long long fd = oo_int(call, "fd");
    while (count && !call->fault)
        oo_late_ok_int(waiting[--count], fd);
    oo_ok_null(call);
}
static void stop(oo_call *call) { oo_late_error(waiting[--count], "ECANCELED"); oo_error(call, "EAGAIN"); }
static void forget(oo_call *call) { (void)call; }
static const oo_operation operations[] = {{"wait", wait_}, {"wake", wake}, {"stop", stop}, {"forget", forget}, {NULL, NULL}};
int main(void) {
    static const oo_adapter adapter = {.name = "waiting", .reset = reset, .operations = operations};
    return oo_run(&adapter);
}
""",
    "rust": """#[macro_use]
mod oneowner;
use oneowner::{error, later, ok, run, About, Adapter, Args, Call, Error, Handles, Operation, Reply, Ticket};
struct Mine(Vec<Ticket>);
impl Mine {
    fn wait(&mut self, call: &Call) -> Reply { self.0.push(call.suspend()); later() }
    fn wake(&mut self, call: &Call) -> Reply {
        let fd = call.args.int("fd")?;
        while let Some(ticket) = self.0.pop() { ticket.ok(fd); }
        ok(())
    }
    fn stop(&mut self, _: &Call) -> Reply { self.0.pop().unwrap().error("ECANCELED"); error("EAGAIN") }
    fn forget(&mut self, _: &Call) -> Reply { later() }
}
impl Adapter for Mine {
    const ABOUT: About = About { name: "waiting", version: "", profiles: &[], limits: &[] };
    const OPERATIONS: &'static [(&'static str, Operation<Self>)] =
        &[("wait", Mine::wait), ("wake", Mine::wake), ("stop", Mine::stop), ("forget", Mine::forget)];
    fn reset(&mut self, _: &Args) -> Result<Handles, Error> { Ok(vec![("SYSTEM", "p1".to_string())]) }
}
fn main() { run(Mine(vec![])); }
""",
    "python": """from oneowner_adapter import SUSPENDED, Outcome, run
class Mine:
    name, version, profiles, limits = "waiting", "", [], {}
    def __init__(self):
        self.waiting = []
        self.operations = {"wait": self.wait, "wake": self.wake, "stop": self.stop, "forget": self.forget}
    def reset(self, topology):
        return {"SYSTEM": "p1"}
    def wait(self, call):
        self.waiting.append(call)
        return SUSPENDED
    def wake(self, call, fd):
        while self.waiting:
            self.waiting.pop().ok(fd)
    def stop(self, call):
        self.waiting.pop().error("ECANCELED")
        raise Outcome("EAGAIN")
    def forget(self, call):
        return object()
run(Mine())
""",
    "javascript": """import { Outcome, run, SUSPENDED } from "./oneowner.mjs";
const waiting = [];
const operations = {
  wait(call) { waiting.push(call); return SUSPENDED; },
  async wake(call, { fd }) { while (waiting.length) waiting.pop().ok(fd); },
  stop() { waiting.pop().error("ECANCELED"); throw new Outcome("EAGAIN"); },
  forget() { return Symbol("nothing"); },
};
await run({ name: "waiting", operations, reset: () => ({ SYSTEM: "p1" }) });
""",
}


def test_suspended_calls_are_answered_late_and_forgotten_by_a_reset(kit: Kit, tmp_path: Path) -> None:
    source = (kit.folder / SOURCES[kit.language]).read_text(encoding="utf-8")
    waiting = kit.edited(tmp_path / "waiting", source, WAITING[kit.language])
    answers, _ = waiting.said(
        [
            *(request(1, "reset", topology={}), call(2, "wait"), call(3, "wait"), request(4, "settle"), call(5, "wake", fd=3)),
            *(call(6, "wait"), call(7, "stop"), call(8, "wait"), request(9, "reset", topology={}), call(10, "wake", fd=3)),
            *(call(11, "wake"), call(12, "forget"), request(13, "settle")),
        ]
    )
    found = {a["id"]: a.get("result", a.get("error", {}).get("code")) for a in answers}
    assert len(found) == len(answers)
    assert found == {
        **{1: {"SYSTEM": "p1"}, 3: {"ok": 3}, 2: {"ok": 3}, 4: {}, 5: {"ok": None}},
        **{6: {"error": "ECANCELED"}, 7: {"error": "EAGAIN"}, 9: {"SYSTEM": "p1"}, 10: {"ok": None}},
        **{11: -32602, 12: -32603, 13: {}},
    }
    order = [a["id"] for a in answers]
    assert order.index(4) < order.index(2)
    assert order[-1] == 13


BEHIND = """from oneowner.reference_impl import implementation
from oneowner.spec import SPEC
from oneowner_adapter import SUSPENDED, Outcome, run


class Behind:
    name, version, profiles, limits = "the reference implementation", "", ["sockets-file"], {}

    def __init__(self):
        self.system, self.waiting = implementation(), {}
        self.reset = self.system.reset
        self.operations = {name: self.operation(action) for name, action in SPEC.actions.items()}

    def operation(self, action):
        def method(call, **arguments):
            print("stray")
            answer = self.system.call(action.name, {action.slots[0].name: call.actor, **arguments})
            if "suspended" in answer:
                self.waiting[call.actor] = call
            for late in self.system.settle():
                who = self.waiting.pop(late["process"])
                who.error(late["error"]) if "error" in late else who.ok(late["ok"])
            if "error" in answer:
                raise Outcome(answer["error"])
            return SUSPENDED if "suspended" in answer else answer["ok"]

        return method


run(Behind())
"""


def test_an_implementation_behind_the_python_kit_conforms(tmp_path: Path) -> None:
    new_adapter.copy("python", tmp_path)
    (tmp_path / "adapter.py").write_text(BEHIND, encoding="utf-8")
    ran = run("conform", f"exec:{sys.executable} adapter.py", "--time", "0", "--profile", "sockets-short", cwd=tmp_path)
    assert ran.code == 0, ran
    assert "every clause that is supported is right" in ran.out


@pytest.mark.parametrize("language", new_adapter.LANGUAGES)
def test_a_folder_that_is_full_is_left_alone(language: str, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    refused = run("new", "adapter", "--lang", language, str(tmp_path))
    assert refused.code == 2
    assert "exists and is not an empty folder: name a new one" in refused.err
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("mine", "kept")]
    assert run("new", "adapter", "--lang", language, str(tmp_path / "mine")).code == 2
    assert run("new", "adapter", "--lang", language, str(tmp_path / "mine" / "inside")).code == 2


def test_another_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there are c, rust, python, javascript"):
        new_adapter.copy("cobol", tmp_path / "new")
    assert run("new", "adapter", "--lang", "cobol", str(tmp_path / "new")).code == 2
    assert not list(tmp_path.iterdir())


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("language", new_adapter.LANGUAGES)
def test_a_kit_is_complete_and_what_was_built_in_it_stays_behind(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_adapter.copy(language, tmp_path / "kits" / language)
    clean = names(tmp_path / "kits" / language)
    shared = ("Makefile", "README.md", "deviations.toml", "session.jsonl", ".gitignore", ".github/workflows/ci.yml")
    assert set(clean) > {*shared, SOURCES[language]}
    for built in (
        "adapter",
        "adapter.o",
        "Cargo.lock",
        "target/debug/adapter",
        "__pycache__/a.pyc",
        ".oneowner/conversation.jsonl",
    ):
        path = tmp_path / "kits" / language / built
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("built")
    monkeypatch.setattr(new_adapter, "KITS", tmp_path / "kits")
    new_adapter.copy(language, tmp_path / "again")
    assert names(tmp_path / "again") == clean


def test_no_kit_names_a_host() -> None:
    for path in new_adapter.KITS.rglob("*"):
        if path.is_file() and not {"target", "__pycache__", ".oneowner"} & set(path.parts) and path.name != "adapter":
            assert "://" not in path.read_text(encoding="utf-8"), path
