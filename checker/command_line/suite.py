"""The command that draws the fixed conformance suite."""

from __future__ import annotations

import click

from ...model.language import SpecError, load
from .console import DEFAULT_SPEC, HOLDS, NOTHING, jobs_option


@click.command()
@click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")
@jobs_option
def suite(spec_name: str, jobs: int) -> int:
    """Draw the fixed conformance suite from the explored graphs and print it, a sequence a line.

    What was found by walks for the suite that the specification has stored is kept, as far as it shows anything.
    """
    from ...model.compiled import CompiledModel
    from ..suite import generate, stored_suite, write

    spec = load(spec_name)
    try:
        CompiledModel(spec, spec.scope(spec.fuzz_scope))
    except SpecError as error:
        click.echo(f"{error}: so there are no sequences for effects alone", err=True)
    made = generate(spec, jobs=jobs, scouting=True, kept=stored_suite(spec))
    click.echo(write(spec, made), nl=False)
    return HOLDS if made else NOTHING
