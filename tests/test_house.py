"""The house: which folder imports which, and what no file may say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import networkx
import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"model", "spec", "checker", "reference_impl"}
ALLOWED = {"model": set(), "spec": {"model"}, "checker": {"model", "spec"}, "reference_impl": set()}


@dataclass(frozen=True)
class Import:
    """An import of the house's own: who imports, the file that is imported (a door is its folder's __init__), and whether it is
    for the type checker alone."""

    by: Path
    what: Path
    typing: bool


def found_at(parts: tuple[str, ...]) -> Path | None:
    """The file of a module of the house, by the parts of its name."""
    folder = ROOT.joinpath(*parts)
    if (folder / "__init__.py").is_file():
        return folder / "__init__.py"
    return folder.with_suffix(".py") if folder.with_suffix(".py").is_file() else None


@cache
def exported(door: Path) -> list[str]:
    """What a door has: the names of its __all__."""
    for node in ast.parse(door.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            found: list[str] = ast.literal_eval(node.value)
            return found
    return []


def imports(path: Path) -> Iterator[Import]:
    """What a file imports of the house, wherever in it that stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = {
        id(n)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for n in ast.walk(block)
    }
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wholes = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ("",)
            named = tuple((node.module or "").split(".")) if node.module else ()
            wholes = [(*(base if node.level else ()), *named, alias.name) for alias in node.names]
        else:
            continue
        for whole in wholes:
            parts = whole[1:] if whole[0] == "oneowner" else whole
            if not parts or parts[0] not in FOLDERS:
                continue
            door = found_at(parts[:-1])
            at = door if door and door.name == "__init__.py" and parts[-1] in exported(door) else found_at(parts) or door
            if at is not None:
                yield Import(path, at, id(node) in typing)


FILES = sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*.py") if "kits" not in p.parts)
IMPORTS = [each for path in FILES for each in imports(path)]


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_imports_run_one_way(folder: str) -> None:
    for each in IMPORTS:
        by, what = (path.relative_to(ROOT).parts[0] for path in (each.by, each.what))
        if by == folder:
            assert what == folder or what in ALLOWED[folder], f"{each.by.relative_to(ROOT)} imports {each.what.relative_to(ROOT)}"


def past_the_door(each: Import) -> bool:
    """Whether a file imports one of another folder that is not its door."""
    return each.what.name != "__init__.py" and each.what.parent not in each.by.parents


def test_nothing_reaches_past_a_door() -> None:
    wrong = [each for each in IMPORTS if past_the_door(each)]
    assert not wrong, "\n".join(f"{e.by.relative_to(ROOT)} imports {e.what.relative_to(ROOT)}" for e in wrong)


def test_those_outside_come_by_the_door_too_but_for_modules_of_which_a_test_changes_something() -> None:
    for folder in ("tests", "bench", "tools", "examples"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in (n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("oneowner.")):
                at = found_at(tuple(str(node.module).split(".")[1:]))
                assert at is None or at.name == "__init__.py" or at == OLD_NAME, f"{path.relative_to(ROOT)}: {node.module}"


MOST_LINES = 500

OLD_NAME = ROOT / "model" / "spec.py"
"""Where specifications that are written already find their explorations."""

STATE_OF_ALL_ROOMS = Import(ROOT / "spec" / "words.py", ROOT / "spec" / "system.py", typing=True)
"""The one import that closes a circle: a room's functions take the state of all rooms, which is made of theirs.  Only the type
checker follows it."""


def test_no_imports_go_in_a_circle_not_even_those_of_the_type_checker() -> None:
    graph = networkx.DiGraph((each.by, each.what) for each in IMPORTS if each.by != each.what and each != STATE_OF_ALL_ROOMS)
    circles = [sorted(str(p.relative_to(ROOT)) for p in part) for part in networkx.strongly_connected_components(graph)]
    assert [circle for circle in circles if len(circle) > 1] == []
    assert STATE_OF_ALL_ROOMS in IMPORTS


def test_every_folder_says_what_it_is_for() -> None:
    for folder in sorted({path.parent for path in FILES}):
        said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert "." in (said or ""), folder


def test_no_file_of_code_is_too_long_without_a_reason_in_its_first_line() -> None:
    for path in tracked():
        if path.suffix in (".py", ".c", ".h", ".rs", ".j2"):
            first, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
            assert len(lines) < MOST_LINES or "one file" in first, f"{path.relative_to(ROOT)}: {len(lines) + 1} lines"


def test_the_engine_knows_no_word_of_the_seed() -> None:
    words = re.compile(
        r"\b(partitions?|hypervisor|guests?|messages?|signals?|receivers?|regions?|channels?)\b(?!\()", re.IGNORECASE
    )
    for path in (ROOT / "model").rglob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            # there is a module of Python's of that name, for another thing
            said = re.sub(r"^(from|import) signal\b|\bsignal\.\w+", "", line)
            assert not words.search(said), f"{path.name}:{number}: {line.strip()}"


def test_importing_the_package_is_light() -> None:
    heavy = "import sys, oneowner, oneowner.spec; print([m for m in ('z3', 'hypothesis', 'networkx') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_links_lead_to_the_four_folders() -> None:
    for folder in FOLDERS:
        assert (ROOT / "src" / "oneowner" / folder).resolve() == ROOT / folder


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    forbidden = re.compile("py" + r"pi\.org|pythonhosted|/wor" + r"k/|/home/\w|/roo" + "t/")
    for path in tracked():
        if path != Path(__file__):
            assert not forbidden.search(path.read_text(encoding="utf-8")), path


def test_every_public_function_and_class_has_a_docstring() -> None:
    for path in FILES:
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                marks = " ".join(ast.dump(d) for d in node.decorator_list)
                # a lemma's purpose stands in its decorator; a test of freedom or membership is one line
                short = any(f"'{mark}'" in marks for mark in ("unused", "counter", "lemma")) or _is_state(node)
                record = path.parent.name == "reference_impl" and "dataclass" in marks
                assert short or record or ast.get_docstring(node), f"{path.name}: {node.name}"


def _is_state(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and any("State" in ast.dump(b) for b in node.bases)
