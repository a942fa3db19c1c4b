"""The house: which folder imports which, and what no file may say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"model", "spec", "checker", "reference_impl"}
ALLOWED = {"model": set(), "spec": {"model"}, "checker": {"model", "spec"}, "reference_impl": set()}


def imported(path: Path) -> set[str]:
    """The folders of the house that a module imports."""
    found = set()
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            found.add((*base, *(node.module or "").split("."))[0] or (node.names[0].name))
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").removeprefix("oneowner.").split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("oneowner.").split(".")[0] for alias in node.names}
    return found & FOLDERS


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_imports_run_one_way(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        wrong = imported(path) - ALLOWED[folder] - {folder}
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_the_engine_knows_no_word_of_the_seed() -> None:
    words = re.compile(
        r"\b(partitions?|hypervisor|guests?|messages?|signals?|receivers?|regions?|channels?)\b(?!\()", re.IGNORECASE
    )
    for path in (ROOT / "model").glob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not words.search(line), f"{path.name}:{number}: {line.strip()}"


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
    for path in (p for folder in sorted(FOLDERS) for p in (ROOT / folder).glob("*.py")):
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
