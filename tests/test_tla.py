"""A scope printed as TLA+: what stands in the module, what is refused, and what TLC says of it where it is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from bells import BELLS
from command import run
from kiosk import KIOSK
from token_ring import AT_NONE, KEEPS, RING

from oneowner.checker.command_line import main
from oneowner.model import Enumeration, Map, Queue, Sort, Spec, SpecError, State, action, constant, invariant
from oneowner.model.language import Exploration, Members
from oneowner.model.tla import Module, formulas, names, operations
from oneowner.spec import SPEC

GOLDEN = Path(__file__).with_name("ring.tla")
HERE = {"PYTHONPATH": str(Path(__file__).parent)}
GIVING_BACK = Exploration({"partitions": 2, "regions": 1}, only=("allocate", "free"))


def module(spec: Spec, name: str) -> Module:
    return Module(spec, name, spec.explorations[name])


def definition(text: str, name: str) -> str:
    """A definition as it stands in a module."""
    found = re.search(rf"(?m)^{name}(\(.*\))? ==", text)
    assert found, name
    return re.split(r"\n\n|\n===", text[found.start() :], maxsplit=1)[0]


def listed(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


@pytest.fixture(scope="module")
def texts() -> Mapping[str, Module]:
    """Of every specification that is at hand, every scope."""
    return {f"{s.name}: {name}": module(s, name) for s in (SPEC, RING, KIOSK, BELLS) for name in s.explorations}


# what stands in a module


def test_the_ring_is_printed_as_it_was_when_tlc_agreed() -> None:
    assert module(RING, "small").text == GOLDEN.read_text(encoding="ascii")


def test_guards_are_conjuncts_with_their_errors_and_a_bulk_update_leaves_what_is_at_none() -> None:
    assert definition(Module(SPEC, "giving back", GIVING_BACK).text, "free").splitlines() == FREE


FREE = r"""
free(caller, region) ==
    /\ status[caller] = "ACTIVE"  \* else ESRCH
    /\ owner[region] = caller  \* else EFAULT
    /\ carried_by[region] = none  \* else EBUSY
    /\ region_file[region] = none  \* else EBUSY
    /\ region_process[region] = none  \* else EBUSY
    /\ owner' = [owner EXCEPT ![region] = none]
    /\ mapped' = [mapped EXCEPT ![caller, region] = FALSE]
    /\ content' = [region_2 \in RegionOrNone, place \in PlaceOrNone |->
                      IF none \notin {region_2, place} /\ region_2 = region
                      THEN none ELSE content[region_2, place]]
    /\ free_keeps(caller, region)
""".strip().splitlines()


def test_what_no_call_of_the_scope_writes_is_a_definition_and_not_a_variable() -> None:
    text = Module(SPEC, "giving back", GIVING_BACK).text
    assert definition(text, "vars") == "vars == <<owner, mapped, content>>"
    assert definition(text, "status").startswith('status == [partition \\in PartitionOrNone |-> IF partition = "SYSTEM" THEN')


def test_it_begins_after_the_opening_and_tries_the_arguments_of_the_scope() -> None:
    text = module(BELLS, "two bells").text
    assert "As it is after come(" in text
    assert 'hung = [bell \\in BellOrNone |-> bell \\in {"bell1", "bell2"}]' in definition(text, "Init")
    following = definition(text, "Next")
    assert "times \\in {1} : forget(bell, times)" in following
    assert "bells \\in {some \\in SUBSET Bell : Cardinality(some) <= 2} : wait(listener, bells)" in following
    one = Exploration({"bells": 2, "listeners": 1}, arguments={"bells": (Members([]), Members([2]))})
    assert 'bells \\in {{}, {"bell2"}}' in definition(Module(BELLS, "one", one).text, "Next")


def test_a_call_for_which_an_endless_sort_has_no_name_left_is_left_out() -> None:
    assert "fresh_Letter # none /\\ ring(bell, fresh_Letter)" in definition(module(BELLS, "two bells").text, "Next")
    assert "\\/ join(fresh_Station)" in definition(module(RING, "small").text, "Next")


def test_every_invariant_is_named_to_tlc_and_every_step_property_asserted(texts: Mapping[str, Module]) -> None:
    for of in texts.values():
        defined = set(re.findall(r"(?m)^(\w+) ==", of.text))
        assert listed(of.configuration.partition("INVARIANTS")[2]) <= defined
    together = "".join(of.text for of in texts.values())
    for each in (*SPEC.step_properties, *RING.step_properties, *BELLS.step_properties):
        assert f'"{each}: ' in together or f'"{each}: "' in together, each


def test_no_two_definitions_of_a_module_share_a_name_and_all_brackets_are_closed(texts: Mapping[str, Module]) -> None:
    for title, of in texts.items():
        plain = re.sub(r'\\\*.*|"[^"]*"', "", of.text)
        defined = re.findall(r"(?m)^(\w+)(?:\([^)]*\))? ==", plain)
        assert len(set(defined)) == len(defined), title
        for opened, closed in ("()", "[]", "{}", ("<<", ">>")):
            assert plain.count(opened) == plain.count(closed), (title, opened)


def test_an_operation_says_of_every_variable_what_it_becomes(texts: Mapping[str, Module]) -> None:
    seen = 0
    for of in texts.values():
        every = listed(definition(of.text, "vars").partition("==")[2])
        for name in of.operations.values():
            text = definition(of.text, name)
            if "IF" in re.findall(r"(?m)^ *(?:/\\ |IN  |THEN |ELSE )*(IF)\b", text):
                continue
            written = set(re.findall(r"(\w+)' =", text))
            kept = listed(" ".join(re.findall(r"UNCHANGED (<<[^>]*>>|\w+)", text)))
            for group in [g for g in kept if g == "vars" or g.endswith("_leaves")]:
                kept = kept - {group} | listed(definition(of.text, group).partition("==")[2])
            assert written | kept == every, (of.title, name)
            assert not written & kept, (of.title, name)
            seen += 1
    assert seen > 80


MISPRINTS = {
    "less for at most": (formulas.COMPARED, "lt", "<="),
    "is for is not": (formulas.DENIED, "eq", "="),
    "some for all": (formulas.QUANTIFIERS, "forall", "\\E"),
    "no sums": (formulas, "ADDED", {}),
    "what is at none is changed": (operations, "is_sort", lambda kind: False),
    "guards that split": (operations, "is_split", lambda node: False),
    "names shared": (names, "OURS", ""),
}


@pytest.mark.parametrize("misprint", MISPRINTS)
def test_a_misprint_does_not_go_unseen(misprint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, wrong = MISPRINTS[misprint]
    if isinstance(where, dict):
        monkeypatch.setitem(where, name, wrong)
    else:
        monkeypatch.setattr(where, name, wrong)
    with pytest.raises((AssertionError, SpecError)):
        small_texts_are_right()


def small_texts_are_right() -> None:
    test_the_ring_is_printed_as_it_was_when_tlc_agreed()
    test_guards_are_conjuncts_with_their_errors_and_a_bulk_update_leaves_what_is_at_none()
    test_guards_that_hold_in_several_ways_make_one_successor()
    test_names_that_mean_something_in_tla_are_changed()
    test_numbers_are_added()


def test_guards_that_hold_in_several_ways_make_one_successor() -> None:
    wait = definition(module(BELLS, "two bells").text, "wait")
    assert "/\\ (\\E bell \\in Bell : bell \\in bells) = TRUE  \\* else NOTHING" in wait


def test_numbers_are_added() -> None:
    assert "![bell] = unheard[bell] + 1]" in definition(module(BELLS, "two bells").text, "ring")


# names


class Seq(Sort):
    pass


class Nat(Enumeration):
    IN = 0


class Words(State):
    vars: Map[Seq, bool]
    queue: Queue[Seq, Seq]
    WITH: Map[Nat, bool]
    one: Map[Seq, Seq]
    other: Map[Seq, Seq]


@action()
def Append(words: Words, queue: Seq, IN: bool) -> None:  # noqa: N802, N803
    """Names that TLA+ has taken: \\* "them" all, (* and *) größer."""
    words.vars[queue] = IN
    words.queue[queue].push(queue)


@action()
def mix(words: Words, left: Seq, right: Seq) -> None:
    """Write one, then what was read of the other after a write, then read one."""
    words.one[left] = left
    words.other[left] = right
    words.one[right] = words.other[right]
    words.other[right] = words.one[left]


@invariant()
def TRUE(words: Words, sequence: Seq) -> bool:  # noqa: N802
    """No good name."""
    return words.vars[sequence] | (words.queue.of(sequence) != sequence)


WORDS = Spec("words", Words, (__import__("sys").modules[__name__],), lambda words: None)


def test_names_that_mean_something_in_tla_are_changed() -> None:
    whole = Module(WORDS, "TLC", Exploration({"seqs": 2}))
    assert whole.name == "scope_TLC"
    assert definition(whole.text, "vars") == "vars == <<vars_2, queue_2, one, other_2>>"
    assert definition(whole.text, "Append_2").startswith("Append_2(queue_3, IN_2) ==")
    assert "TRUE_2" in whole.configuration
    assert whole.text.isascii()


def test_what_is_written_stands_after_what_was_read_for_it() -> None:
    text = definition(Module(WORDS, "words", Exploration({"seqs": 2})).text, "mix")
    assert text.splitlines() == MIXED


MIXED = r"""
mix(left, right) ==
    /\ LET other_3 == [other_2 EXCEPT ![left] = right]
           found == other_3[right]
           one_2 == [one EXCEPT ![left] = left, ![right] = found]
           found_2 == one_2[left]
       IN  /\ one' = one_2
           /\ other_2' = [other_3 EXCEPT ![right] = found_2]
           /\ UNCHANGED <<vars_2, queue_2>>
""".strip().splitlines()


def test_elements_that_would_be_told_apart_by_nothing_are_refused() -> None:
    class Twin(Sort):
        pass

    constant("twin2", Twin)
    with pytest.raises(SpecError, match="two elements of Twin are called"):
        names.elements(Twin, range(1, 3))


def test_a_scope_with_more_names_than_anybody_would_read_is_refused() -> None:
    with pytest.raises(SpecError, match="at most 100 stations, not 101"):
        Module(RING, "large", Exploration({"stations": 101}))


# the command


def test_the_command_writes_a_module_and_a_configuration_a_scope_and_says_how_to_go_on(tmp_path: Path) -> None:
    given = ("export", "tla", "out", "--spec", "token_ring:RING")
    told = run(*given, "--format", "json", env=HERE, cwd=tmp_path)
    assert told.json == {"folder": "out", "modules": {"small": "small", "short of parcels": "short_of_parcels"}}
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {"README.md", *(f"{m}{e}" for m in ("small", "short_of_parcels") for e in (".tla", ".cfg"))}
    readme = (tmp_path / "out" / "README.md").read_text(encoding="ascii")
    assert "tlc2.TLC -workers 1 -config small.cfg small.tla" in readme
    assert (tmp_path / "out" / "small.tla").read_bytes() == GOLDEN.read_bytes()
    (tmp_path / "out" / "small.cfg").write_text("mine\n")
    again = run(*given, env=HERE, cwd=tmp_path)
    assert (again.code, (tmp_path / "out" / "small.cfg").read_text()) == (2, "mine\n")
    assert "out/small.cfg exists, and oneowner did not write it" in again.err
    assert run(*given, "--name", "short of parcels", env=HERE, cwd=tmp_path).code == 0


def test_a_scope_of_ones_own_is_written(tmp_path: Path) -> None:
    told = run("export", "tla", ".", "--scope", "partitions=2,regions=1", "--only", "allocate,free", cwd=tmp_path)
    assert told.code == 0, told
    assert definition((tmp_path / "scope.tla").read_text(), "vars") == "vars == <<owner, mapped, content>>"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((), "Missing argument 'DIR'"),
        (("x", "--name", "nowhere"), "no exploration is called 'nowhere'"),
        (("x", "--only", "free"), "go with --scope"),
        (("x", "--scope", "regions=2", "--name", "files"), "--scope is a scope of your own"),
        (("x", "--scope", "regions=2", "--only", "steal"), "no operation is called 'steal'"),
        (("/dev/null/x", "--name", "processors"), "/dev/null/x: cannot be written: Not a directory"),
        (("x", "--spec", "token_ring:BRANCHES"), "token_ring.py, line"),
        (("x", "--spec", "token_ring:LATE"), "put every require before the first write"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    given: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["export", "tla", *given])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


# TLC

JAR = os.environ.get("TLA2TOOLS", "")
needs_tlc = pytest.mark.skipif(
    not (shutil.which("java") and Path(JAR).is_file()), reason="the variable TLA2TOOLS names no tla2tools.jar, or java is missing"
)


def tlc(of: Module, folder: Path) -> str:
    """What TLC says of a module; it is to ask nothing of the network."""
    (folder / f"{of.name}.tla").write_text(of.text, encoding="ascii")
    (folder / f"{of.name}.cfg").write_text(of.configuration, encoding="ascii")
    (folder / ".tlaplus").mkdir(exist_ok=True)
    (folder / ".tlaplus" / "esc.txt").write_text("NO_STATISTICS\n")
    machine = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Duser.home={folder}", f"-Djava.io.tmpdir={folder}"]
    whole = [*machine, "-cp", JAR, "tlc2.TLC", "-workers", "1", "-noGenerateSpecTE", of.name]
    return subprocess.run(whole, cwd=folder, capture_output=True, text=True, timeout=120, check=False).stdout


@needs_tlc
def test_tlc_counts_the_same_states_transitions_and_levels(tmp_path: Path) -> None:
    text = tlc(module(RING, "small"), tmp_path)
    ours = run("explore", "--spec", "token_ring:RING", "--name", "small", "--format", "json", env=HERE).json["scopes"][0]
    assert f"{ours['transitions'] + 1} states generated, {ours['states']} distinct states found" in text
    assert f"The depth of the complete state graph search is {ours['depth'] + 1}." in text
    assert "No error has been found" in text


@needs_tlc
@pytest.mark.parametrize(
    ("spec", "says"), [(KEEPS, "Invariant one_token is violated"), (AT_NONE, "token_at is written at none")], ids=["kept", "none"]
)
def test_tlc_breaks_what_is_broken(spec: Spec, says: str, tmp_path: Path) -> None:
    assert says in tlc(module(spec, "small"), tmp_path)
