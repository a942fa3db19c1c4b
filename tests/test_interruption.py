"""Who interrupts a command from the keyboard gets what was found by then, the exit code 130, and no traceback."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from token_ring import RING

from oneowner.checker.explore import ExploreReport, scopes
from oneowner.checker.prove import prove
from oneowner.checker.prove import prover as proving
from oneowner.model.compiled import Building
from oneowner.model.concrete import Model
from oneowner.model.language import holding_interruptions, inside, load
from oneowner.model.search import CompiledExplorer, Explorer, Frontier, explored, readings, workers


@pytest.mark.parametrize(
    ("arguments", "begun", "told"),
    [
        ("prove", "proved", "interrupted: this is what was found of the "),
        ("prove --jobs 1", "proved", "interrupted: this is what was found of the "),
        ("explore", "states", "interrupted: this is how far it was"),
        ("explore --jobs 1", "states", "interrupted: this is how far it was"),
        ("explore --scope partitions=2,ports=2", "depth", "interrupted: this is how far it was"),
        ("check", "proved", "interrupted: this is what was found of the "),
    ],
)
def test_what_was_found_is_told(arguments: str, begun: str, told: str, tmp_path: Path) -> None:
    code, out, err = interrupted(arguments, begun, tmp_path)
    assert code == 130, (out, err)
    assert told in out
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", ["suite", "show rooms", "museum", "conform py:oneowner.reference_impl"])
def test_whatever_a_command_is_at_it_ends_with_130_and_no_traceback(arguments: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "oneowner", *arguments.split()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, text=True, start_new_session=True, **pipes) as process:  # type: ignore[call-overload]
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err


@pytest.mark.parametrize("module", ["oneowner.checker", "click", "z3", "oneowner.checker.command_line.entry"])
def test_so_it_is_while_the_command_is_still_imported(module: str, tmp_path: Path) -> None:
    finds = f"""if True:
    import signal, sys
    from importlib.abc import MetaPathFinder

    class Interrupting(MetaPathFinder):
        def find_spec(self, name, *_):
            if name == {module!r}:
                signal.raise_signal(signal.SIGINT)

    sys.meta_path.insert(0, Interrupting())
    """
    (tmp_path / "sitecustomize.py").write_text(finds)
    ran = subprocess.run(
        [sys.executable, "-m", "oneowner", "show", "steps"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "interrupted\n")


def test_so_it_is_where_it_came_while_a_text_was_executed(tmp_path: Path) -> None:
    """As that of a dataclass is, which is imported only when it is wanted."""
    (tmp_path / "stopped.py").write_text("""if True:
    import click
    from oneowner.checker.command_line import entry

    @click.command
    def stop():
        try:
            exec("raise KeyboardInterrupt")
        except KeyboardInterrupt:
            raise click.exceptions.Exit(130)

    entry.cli.add_command(stop)
    entry.main(["stop"])
    """)
    ran = subprocess.run([sys.executable, "-m", "stopped"], cwd=tmp_path, check=False, timeout=60)
    assert ran.returncode == 130


class _Dying:
    """Sends an interruption while it is taken away, where Python has nobody to raise it to."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def _in_a_destructor() -> None:
    _Dying()


def _at_once() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("how", [_at_once, _in_a_destructor])
@pytest.mark.parametrize(
    ("reading", "owner", "method"),
    [
        ("batch", Frontier, "like"),
        ("batch", Frontier, "add"),
        ("batch", Explorer, "_take"),
        ("compiled", Frontier, "like"),
        ("compiled", Frontier, "take"),
        ("compiled", Explorer, "_take"),
        ("compiled", CompiledExplorer, "_took"),
        ("auto", Building, "__init__"),
        ("kept", Building, "__init__"),
        ("auto", Building, "start"),
        ("auto", Building, "wait"),
        ("auto", CompiledExplorer, "__init__"),
        ("auto", CompiledExplorer, "_begin"),
    ],
)
def test_a_search_is_interrupted_at_whatever_moment_it_comes(
    reading: str, owner: type, method: str, how: Callable[[], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for seconds in ("PRINTING", "WORTH_BUILDING", "ASKED"):
        monkeypatch.setattr(readings, seconds, 0.0)
    model, original, came = Model(RING, next(iter(RING.explorations.values())).sizes), getattr(owner, method), []
    if reading == "kept":
        explored(model, reading="compiled")

    def sends(*arguments: Any, **named: Any) -> Any:
        # not the first time, which may be before the search
        came.append(method)
        if len(came) == 2 or reading in ("auto", "kept"):
            how()
        return original(*arguments, **named)

    monkeypatch.setattr(owner, method, sends)
    explorer = explored(model, reading="auto" if reading == "kept" else reading)
    assert came
    assert explorer.search.stopped == "interrupted"
    assert explorer.todo or explorer.following, "it went on"
    if owner is Building:
        assert type(explorer) is Explorer, "what was found in the batch reading was thrown away"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interruption_that_nobody_told_of_is_raised_in_the_end() -> None:
    def held_back() -> None:
        with holding_interruptions() as held:
            signal.raise_signal(signal.SIGINT)
            assert held.seen

    with pytest.raises(KeyboardInterrupt):
        held_back()
    with holding_interruptions() as held:
        signal.raise_signal(signal.SIGINT)
        held.told = True


def test_a_second_interruption_is_raised_at_once() -> None:
    stopped = []

    def twice() -> None:
        with holding_interruptions(), holding_interruptions(lambda: stopped.append(True)):
            signal.raise_signal(signal.SIGINT)
            assert stopped
            signal.raise_signal(signal.SIGINT)
            stopped.clear()

    with pytest.raises(KeyboardInterrupt):
        twice()
    assert stopped


def test_nobody_says_of_a_search_that_was_interrupted_that_a_clause_is_not_reached(tmp_path: Path) -> None:
    code, out, _ = interrupted("explore --jobs 1", "", tmp_path)
    assert code == 130, out
    assert "no scope reaches" not in out


def test_one_that_comes_when_the_time_is_over_for_one_process_alone_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    explore, spec = scopes.explore_scope, load("oneowner.spec:SPEC")

    def interrupted(*given: Any, **named: Any) -> ExploreReport:
        time.sleep(0.1)
        return replace(explore(*given, **named), stopped="interrupted")

    monkeypatch.setattr(scopes, "WORTH_SHARING", 0.1)
    monkeypatch.setattr(scopes, "explore_scope", interrupted)
    wanted = {name: spec.explorations[name] for name in ("limits", "partitions")}
    assert [report.stopped for report in scopes.explore_all(spec, wanted, jobs=2)] == ["interrupted", "interrupted"]


def test_a_proof_that_was_interrupted_is_not_whole() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    assert prove(RING, progress=interrupt).interrupted
    assert not prove(RING).interrupted


@pytest.mark.parametrize("where", ["_ask", "ways", "_possible"])
def test_an_interruption_that_the_solver_takes_for_a_wrong_argument_is_one(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def handed(*_: object) -> None:
        raise ctypes.ArgumentError("argument 3: KeyboardInterrupt: ")

    monkeypatch.setattr(proving.Prover, where, handed)
    assert prove(RING).interrupted


def test_so_it_is_in_the_text_of_a_specification() -> None:
    def give(*_: object, **__: object) -> None:
        raise ctypes.ArgumentError("argument 3: KeyboardInterrupt: ")

    with pytest.raises(KeyboardInterrupt), inside("give", give):
        give()


def test_an_interruption_goes_to_the_one_that_has_workers_and_not_to_them() -> None:
    script = """if True:
    from signal import SIG_BLOCK, pthread_sigmask
    from oneowner.model.search import workers
    with workers(2) as pool:
        print(*{tuple(blocked) for blocked in pool.map(pthread_sigmask, [SIG_BLOCK] * 50, [[]] * 50)})
    print(*pthread_sigmask(SIG_BLOCK, []))
    """
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "(<Signals.SIGINT: 2>,)\n\n"


def test_workers_are_gone_at_once_when_the_block_is_interrupted() -> None:
    pids: list[int] = []

    def at_work() -> None:
        with workers(1) as pool:
            pool.submit(_sleep)
            pids.extend(pool._processes)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        at_work()
    assert pids
    patience = time.monotonic() + 20
    while any(map(_lives, pids)) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not any(map(_lives, pids))


@pytest.mark.parametrize("gets_it", ["another thread", "the one that begins the worker, in which it is blocked till then"])
def test_a_worker_that_is_half_begun_when_an_interruption_comes_says_nothing_and_is_gone(gets_it: str) -> None:
    send = "signal.raise_signal(" if gets_it == "another thread" else "signal.pthread_kill(threading.main_thread().ident, "
    script = f"SEND = '{send}signal.SIGINT)'" + """
if True:
    import multiprocessing.util as util, os, signal, threading
    from oneowner.model.search import workers

    now, sent, pids, begin = threading.Event(), threading.Event(), [], util.spawnv_passfds

    def send():
        now.wait()
        eval(SEND)
        sent.set()

    def begun(*given):
        pid = begin(*given)
        if "spawn_main" in str(given):
            pids.append(pid)
            now.set()
            sent.wait()
        return pid

    threading.Thread(target=send, daemon=True).start()
    util.spawnv_passfds = begun
    try:
        with workers(2) as pool:
            pool.submit(abs, 1).result()
    except KeyboardInterrupt:
        print("interrupted")
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    """
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("interrupted\n", "")


def _lives(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def _sleep() -> None:
    threading.Event().wait(600)


def interrupted(arguments: str, begun: str, cwd: Path) -> tuple[int, str, str]:
    """What a command comes to that is interrupted, with all its processes, when it has told something with `begun` in it."""
    command = [sys.executable, "-m", "oneowner", *arguments.split()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=cwd, text=True, start_new_session=True, **pipes) as process:  # type: ignore[call-overload]
        for line in process.stderr:
            if begun in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err
