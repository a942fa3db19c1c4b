"""The command that begins an adapter: a kit for each language, copied as it is."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import click

from ...model.language import SpecError
from .console import HOLDS

KITS = Path(__file__).parent.parent / "adapters" / "kits"
TRIED = {
    "c": "exec:./adapter",
    "rust": "exec:target/debug/adapter",
    "python": "'exec:python3 adapter.py'",
    "javascript": "'exec:node adapter.mjs'",
}
"""By language, how its adapter is reached."""

LANGUAGES = tuple(TRIED)
BUILT = shutil.ignore_patterns("adapter", "*.o", "target", "Cargo.lock", "__pycache__", "*.pyc", ".oneowner")
"""What building or trying a kit in its place leaves there."""


def copy(language: str, folder: Path) -> None:
    """Make `folder`, a kit for that language.  Raises SpecError, and makes nothing, where something stands there already."""
    if language not in LANGUAGES:
        raise SpecError(f"there is no kit for {language!r}; there are {', '.join(LANGUAGES)}")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SpecError(f"{folder} exists and is not an empty folder: name a new one")
        shutil.copytree(KITS / language, folder, ignore=BUILT, dirs_exist_ok=True)
    except OSError as error:
        raise SpecError(f"{folder}: cannot be made: {error.strerror or error}") from None


@click.group()
def new() -> None:
    """Begin something of your own."""


@new.command()
@click.option("--lang", "language", type=click.Choice(LANGUAGES), required=True, help="The language of the adapter.")
@click.argument("folder", type=click.Path(path_type=Path))
def adapter(language: str, folder: Path) -> int:
    """Make FOLDER, which has an adapter to fill in: it speaks the protocol, and supports no operation yet."""
    copy(language, folder)
    click.echo(f"{folder} is an adapter that supports no operation yet; its README.md says how to go on. Next:\n")
    for line in (f"cd {shlex.quote(str(folder))}", "make try", f"oneowner smoke {TRIED[language]}"):
        click.echo(f"    {line}")
    return HOLDS
