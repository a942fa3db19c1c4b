"""What no reading can see is refused when a specification is made, with file, line and what to write instead."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import run
from sampling import one_in

from oneowner.model import SpecError

HEAD = """
from __future__ import annotations

import random
import sys

from oneowner.model import *

class Shelf(Sort, plural="shelves"):
    pass

class Fd(Sort, handles=False):
    pass

class Colour(Enumeration):
    RED = 0
    BLUE = 1

class Room(State):
    busy: Map[Shelf, bool]
    colour: Map[Shelf, Colour]
    next: Map[Shelf, Shelf]
    level: Map[Shelf, int]
    given: Rigid[Shelf, int]
    line: Queue[Shelf, Shelf]
    use: Map[Fd, bool]

SEEN = []
NAMES = {1: "one"}

def helper(room: Room, shelf: Shelf) -> bool:
    return room.busy[shelf] is True
"""

TAIL = """
@invariant()
def fine(room: Room, shelf: Shelf) -> bool:
    return room.busy[shelf] | negation(room.busy[shelf])

SPEC = Spec("m", Room, (sys.modules[__name__],), lambda room: None, explorations={"s": Exploration({"shelves": 2, "fds": 2})})
"""

TOUCH = "@action()\ndef touch(room: Room, shelf: Shelf, some: Subset[Fd]) -> None:\n"
STATEMENT = "@invariant()\ndef stated(room: Room, shelf: Shelf) -> bool:\n"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder from which modules can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("mine", None)


def line_of(text: str, words: str) -> int:
    """The last line with these words: what comes before it is the head."""
    return max(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def load(folder: Path, body: str, head: str = HEAD, tail: str = TAIL) -> str:
    """Import a specification with this body; its text."""
    text = head + body + tail
    (folder / "mine.py").write_text(text)
    importlib.import_module("mine")
    return text


REFUSED = {
    "is": ("    if room.busy[shelf] is True:\n        room.busy[shelf] = False", "is True", "write =="),
    "is not": ("    if room.next[shelf] is not none:\n        room.busy[shelf] = True", "is not", "write !="),
    "match": (
        "    match room.busy[shelf]:\n        case True:\n            room.busy[shelf] = False",
        "match",
        "behind the reading's back",
    ),
    "isinstance": (
        "    if isinstance(room.busy[shelf], bool):\n        return",
        "isinstance",
        "isinstance(...) is none of the engine's words",
    ),
    "str": ("    if str(room.level[shelf]) == '1':\n        return", "str(", "str(...) is none of"),
    "f-string": ("    require(f'{shelf}' != '1', 'E')", "f'", "a text made of values"),
    "hasattr": ("    if hasattr(room.next[shelf], 'expr'):\n        return", "hasattr", "hasattr(...) is none of"),
    "except": (
        "    try:\n        n = room.level[shelf] + 1\n    except Exception:\n        return",
        "try",
        "would catch what the engine",
    ),
    "module state": ("    SEEN.append(shelf)", "SEEN.append", "SEEN is a list that can change"),
    "global": ("    global SEEN\n    SEEN = [shelf]", "global", "a component of the state"),
    "random": ("    if random.random() < 0.5:\n        return", "random.random", "random.random(...) is none of"),
    "a generator": ("    yield room.busy[shelf]", "yield", "a generator is no operation"),
    "own exceptions": ("    if room.busy[shelf]:\n        raise ValueError('busy')", "raise", "refuses with require"),
    "assert": ("    assert not room.busy[shelf]", "assert", "refuses with require"),
    "in a set": ("    if room.colour[shelf] in {Colour.RED, Colour.BLUE}:\n        return", "in {", "looks something up"),
    "in a subset": ("    if 1 in some:\n        return", "in some", "some[element]"),
    "a dictionary": ("    require(NAMES[room.level[shelf]] == 'one', 'E')", "NAMES", "a look-up in what is no part of the state"),
    "a dictionary made here": ("    require({1: True}[room.level[shelf]], 'E')", "{1: True}", "a dictionary looks its keys up"),
    "len": ("    if len(some) == 1:\n        return", "len(some)", "len(...) is none of"),
    "a helper": ("    if helper(room, shelf):\n        return", "return room.busy[shelf] is True", "(helper, mine.py"),
    "a lambda": ("    room.busy.where(lambda s: room.next[s] is none, True)", "is none", "write =="),
    "an attribute": ("    helper.count = 1", "helper.count", "helper.count = ...: what a step remembers"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_with_its_line_and_what_to_write_instead(what: str, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body, words, says = REFUSED[what]
    monkeypatch.chdir(made)
    text = HEAD + TOUCH + body + "\n" + TAIL
    with pytest.raises(SpecError) as refused:
        load(made, TOUCH + body + "\n")
    assert says in str(refused.value)
    assert f"mine.py, line {line_of(text, words)})" in str(refused.value)


def test_async_operations_are_refused(made: Path) -> None:
    with pytest.raises(SpecError, match="happens in one step"):
        load(made, "@action()\nasync def touch(room: Room, shelf: Shelf) -> None:\n    room.busy[shelf] = True\n")


@pytest.mark.parametrize("what", ["is", "a lambda", "a dictionary"])
def test_statements_are_walked_too(what: str, made: Path) -> None:
    statement = {
        "is": "    return room.busy[shelf] is True\n",
        "a lambda": "    return forall(Shelf, lambda s: room.next[s] is shelf)\n",
        "a dictionary": "    return {True: False}[room.busy[shelf]]\n",
    }
    with pytest.raises(SpecError, match=r"stated, .*mine.py, line \d+\)"):
        load(made, STATEMENT + statement[what])


RUNS = {
    "not of a subset": ("    if not some:\n        room.busy[shelf] = True", "a subset is no value"),
    "comparing subsets": ("    require(some == some, 'E')", "a subset is no value"),
    "requiring a subset": ("    require(some, 'E')", "a subset is no value"),
    "looping over a subset": ("    for fd in some:\n        room.busy[shelf] = True", "a subset is no value"),
    "comparing maps": ("    require(room.busy == room.level, 'E')", "is no value"),
    "a map as a condition": ("    if room.busy:\n        return", "is no value"),
    "where with a function": ("    room.level.where(lambda s: True, lambda s: 1)", ""),
    "forall over two": ("    require(forall((Shelf, Colour), lambda s: True), 'E')", "range over a sort or an enumeration"),
    "a rigid map written": ("    room.given.where(lambda s: True, 1)", "rigid"),
    "a map that there is not": ("    room.levle[shelf] = 1", "the state has no 'levle'"),
    "too many keys": ("    room.busy[shelf, shelf] = True", ""),
}


@pytest.mark.parametrize("command", ["prove", "explore"])
@pytest.mark.parametrize("what", RUNS)
def test_what_shows_itself_in_a_run_only_is_told_with_operation_and_line(what: str, command: str, made: Path) -> None:
    body, says = RUNS[what]
    text = HEAD + TOUCH + body + "\n" + TAIL
    (made / "mine.py").write_text(text)
    ran = run(command, "--spec", "mine:SPEC", cwd=made)
    assert ran.code == 2, ran
    assert says in ran.err
    assert f"(touch, mine.py, line {line_of(text, body.strip().splitlines()[0])})" in ran.err


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (STATEMENT + "    return True\n\n" + STATEMENT + "    return room.busy[shelf]\n", "stated is declared twice"),
        (TOUCH + "    room.busy[shelf] = True\n\n" + TOUCH + "    pass\n", "touch is declared twice"),
        (STATEMENT + "    return True\nstated = 3\n", "stated is declared .*, and is something else further down"),
        ("@lemma\ndef helps(room: Room, shelf: Shelf) -> bool:\n    return True\n", "helps: write @lemma"),
        ("@invariant\ndef holds(room: Room, shelf: Shelf) -> bool:\n    return True\n", r"holds: write @invariant\(\)"),
        ("@action\ndef do(room: Room, shelf: Shelf) -> None:\n    pass\n", r"do: write @action\(\)"),
        ("@action()\ndef do(room: Room, operation: Shelf) -> None:\n    pass\n", "call.operation means something else"),
    ],
)
def test_nothing_that_is_declared_is_lost(body: str, says: str, made: Path) -> None:
    with pytest.raises(SpecError, match=says):
        load(made, body)


def test_a_parameter_may_be_called_key(made: Path) -> None:
    body = "@action()\ndef do(room: Room, key: Shelf) -> None:\n    room.busy[key] = True\n"
    body += "@step_property()\ndef by_key(before: Room, after: Room, call: Call, shelf: Shelf) -> bool:\n"
    body += "    return implies(after.busy[shelf] & negation(before.busy[shelf]), call.key == shelf)\n"
    (made / "mine.py").write_text(HEAD + body + TAIL)
    for command in ("prove", "explore"):
        assert run(command, "--spec", "mine:SPEC", cwd=made).code == 0


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("@action()\ndef do(room: Room, shelf: Shelf) -> bool:\n    return room.next[shelf]\n", "Shelf"),
        ("@action()\ndef do(room: Room, shelf: Shelf) -> Shelf:\n    return None\n", "None"),
        ("@action()\ndef do(room: Room, shelf: Shelf) -> None:\n    return room.busy[shelf]\n", "nothing"),
        (STATEMENT + "    return room.next[shelf]\n", "a Shelf where a bool is wanted (stated, mine.py"),
        (STATEMENT + "    room.busy[shelf]\n", "None"),
    ],
)
def test_an_answer_of_another_type_is_refused_by_the_proof(body: str, says: str, made: Path) -> None:
    (made / "mine.py").write_text(HEAD + body + TAIL)
    ran = run("prove", "--spec", "mine:SPEC", cwd=made)
    assert ran.code == 2, ran
    assert says in ran.err
    assert "do" in ran.err or "stated" in ran.err


def test_a_refusal_in_initial_is_told_as_that(made: Path) -> None:
    tail = TAIL.replace("lambda room: None", "begin")
    body = "def begin(room: Room) -> None:\n    require(False, 'NEVER')\n"
    (made / "mine.py").write_text(HEAD + body + tail)
    for command in ("prove", "explore"):
        ran = run(command, "--spec", "mine:SPEC", cwd=made)
        assert ran.code == 2, ran
        assert "initial refuses with NEVER" in ran.err


@pytest.mark.parametrize(
    ("rigid", "says"),
    [
        ('{"given": lambda scope, shelf: -shelf}', "given[1] is given as -1, which is no int"),
        ('{"given": lambda scope, shelf: "x"}', "given[1] is given as 'x'"),
        ('{"givne": lambda scope, shelf: 1}', "rigid gives values for 'givne', which is no rigid map of m; it has given"),
        ('{"given": lambda scope, shelf: 1 // 0}', "ZeroDivisionError"),
    ],
)
def test_what_is_given_for_rigid_maps_is_checked(rigid: str, says: str, made: Path) -> None:
    tail = TAIL.replace("explorations=", f"rigid={rigid}, explorations=")
    (made / "mine.py").write_text(HEAD + TOUCH + "    room.busy[shelf] = True\n" + tail)
    for command in ("prove", "explore"):
        ran = run(command, "--spec", "mine:SPEC", cwd=made)
        assert ran.code == 2, ran
        assert says in ran.err


def test_a_proof_does_not_take_what_a_scope_gives_for_all_that_there_can_be(made: Path) -> None:
    """In the scopes every shelf's number is 1; a system may give others."""
    body = "@action()\ndef touch(room: Room, shelf: Shelf) -> None:\n    room.level[shelf] = room.given[shelf]\n"
    body += STATEMENT + "    return room.level[shelf] <= 1\n"
    tail = TAIL.replace("explorations=", 'rigid={"given": lambda scope, shelf: 1}, explorations=')
    (made / "mine.py").write_text(HEAD + body + tail)
    assert run("explore", "--spec", "mine:SPEC", cwd=made).code == 0
    ran = run("prove", "--spec", "mine:SPEC", cwd=made)
    assert ran.code == 1
    assert "REFUTED touch/ok breaks stated" in ran.out
    assert "given[shelf1] = 2" in ran.out


def test_an_operation_that_never_takes_effect_is_told(made: Path) -> None:
    (made / "mine.py").write_text(
        HEAD + "@action()\ndef touch(room: Room, shelf: Shelf) -> None:\n    require(shelf == none, 'E')\n" + TAIL
    )
    assert "VACUOUS touch/ok" in run("prove", "--spec", "mine:SPEC", cwd=made).out
    (made / "mine.py").write_text(
        HEAD + "@action()\ndef touch(room: Room, shelf: Shelf) -> None:\n    require(False, 'E')\n" + TAIL
    )
    ran = run("prove", "--spec", "mine:SPEC", cwd=made)
    assert ran.code == 1
    assert "VACUOUS touch/ok" in ran.out


def test_what_no_statement_says_is_not_asked_and_not_held(made: Path) -> None:
    (made / "mine.py").write_text(HEAD + TOUCH + "    room.busy[shelf] = True\n" + TAIL)
    ran = run("explore", "--spec", "mine:SPEC", "--can-return", "--leads-to", cwd=made)
    assert "can_return holds" not in ran.out
    assert (
        "not asked: can_return (m has no @rest that says what rest is); what comes about at last (m has no @leads_to)" in ran.out
    )


def test_a_subset_is_what_it_was_when_it_was_made(made: Path) -> None:
    body = "@action()\ndef touch(room: Room, shelf: Shelf) -> None:\n    idle = subset(Shelf, lambda s: negation(room.busy[s]))\n"
    body += "    room.busy.where(lambda s: True, True)\n    room.level.where(lambda s: idle[s], 1)\n"
    body += STATEMENT + "    return room.level[shelf] == 0\n"
    (made / "mine.py").write_text(HEAD + body + TAIL)
    for command in ("prove", "explore"):
        assert run(command, "--spec", "mine:SPEC", cwd=made).code == 1


@pytest.mark.parametrize("parameter", one_in(2, ["head0", "head", "place", "clock", "x", "k", "e", "w"]))
def test_no_name_of_a_specs_is_taken_for_one_of_the_engines(parameter: str, made: Path) -> None:
    body = "@action()\ndef enter(room: Room, shelf: Shelf, book: Shelf) -> None:\n    require(room.line.of(book) == none, 'IN')\n"
    body += "    room.line[shelf].push(book)\n"
    body += (
        "@action()\ndef take(room: Room, shelf: Shelf, other: Shelf) -> None:\n    require(not room.line[shelf].empty, 'EMPTY')\n"
    )
    body += "    require(other != room.line[shelf].head, 'SAME')\n    room.busy[other] = True\n"
    body += f"@invariant()\ndef line(room: Room, {parameter}: Shelf) -> bool:\n    return negation(room.busy[{parameter}])\n"
    (made / "mine.py").write_text(HEAD + body + TAIL)
    assert run("explore", "--spec", "mine:SPEC", cwd=made).code == 1
    assert run("prove", "--spec", "mine:SPEC", cwd=made).code == 1


def test_a_count_of_none_says_that_there_is_none(made: Path) -> None:
    body = "@counter\ndef busied(room: Room, shelf: Shelf) -> bool:\n    return room.busy[shelf]\n"
    body += TOUCH + "    require(busied(room) == 0, 'SOME')\n    room.level[shelf] = 1\n"
    body += "@step_property()\ndef quiet(before: Room, after: Room, call: Call, shelf: Shelf) -> bool:\n"
    body += "    return implies(after.level[shelf] != before.level[shelf], negation(before.busy[shelf]))\n"
    (made / "mine.py").write_text(HEAD + body + TAIL)
    ran = run("prove", "--spec", "mine:SPEC", cwd=made)
    assert ran.code == 0, ran


@pytest.mark.parametrize("command", ["prove", "explore"])
def test_a_call_that_makes_no_sense_is_a_violation_with_its_trace_and_replays(command: str, made: Path) -> None:
    body = "@action()\ndef leave(room: Room, shelf: Shelf) -> None:\n    room.line[shelf].pop()\n"
    (made / "mine.py").write_text(HEAD + body + TAIL)
    ran = run(command, "--spec", "mine:SPEC", cwd=made)
    assert ran.code == 1, ran
    assert "well_defined" in ran.out
    assert "  1  leave(shelf=shelf1)  -> makes no sense" in ran.out
    (again,) = [line.split("oneowner ")[1] for line in ran.out.splitlines() if "Again: " in line]
    replayed = run(*again.split(), cwd=made)
    assert replayed.code == 1
    assert "violation: well_defined, after 1 calls" in replayed.out
