"""The command that draws the fixed conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...model.language import load
from .console import DEFAULT_SPEC, HOLDS, NOTHING, jobs_option

if TYPE_CHECKING:
    pass


@click.command()
@click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")
@jobs_option
def suite(spec_name: str, jobs: int) -> int:
    """Draw the fixed conformance suite from the explored graphs and print it, a sequence a line."""
    from ..suite import generate, write

    spec = load(spec_name)
    made = generate(spec, jobs=jobs, scouting=True)
    click.echo(write(spec, made), nl=False)
    return HOLDS if made else NOTHING
