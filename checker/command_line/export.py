"""The commands that write the specification in another language."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ...model.language import load, parse_scope
from .console import DEFAULT_SPEC, HOLDS


@click.group()
def export() -> None:
    """Write the specification in another language."""


@export.command()
@click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")
@click.option("--scope", metavar="SIZES", help="How much there is of everything, as stations=2,parcels=1; -D can say otherwise.")
@click.option("--profile", default="all", help="Only the operations of a profile (default: all).")
@click.option("--lines", is_flag=True, help="Name the specification's lines in the source, for debuggers.")
@click.argument("folder", type=click.Path(path_type=Path))
def c(spec_name: str, scope: str | None, profile: str, lines: bool, folder: Path) -> int:
    """Write an oracle in C into FOLDER: it stands beside an implementation, in its own tree, and says at each call whether it
    answered as it must.

    The sizes are those of fuzzing where --scope does not say otherwise.
    """
    from ..export import export_c

    spec = load(spec_name)
    sizes = {**spec.fuzz_scope, **(parse_scope(scope) if scope else {})}
    options = [("--spec", spec_name if spec_name != DEFAULT_SPEC else ""), ("--scope", scope), ("--profile", profile)]
    words = [word for option, value in options if value and value != "all" for word in (option, value)]
    command = shlex.join(["oneowner", "export", "c", *words, *(["--lines"] if lines else []), "DIR"])
    oracle = export_c(spec, folder, sizes, profile, command=command, lines=lines)
    click.echo(f"{folder} has the oracle of {len(oracle.actions)} operations; its README.md says how to go on. Next:\n")
    click.echo(f"    cc -std=c11 -O2 -c {shlex.quote(str(folder / 'oneowner.c'))}")
    return HOLDS
