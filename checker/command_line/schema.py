"""The command that prints the protocol's JSON Schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ...model.language import load
from .console import DEFAULT_SPEC, HOLDS

if TYPE_CHECKING:
    pass


@click.command()
@click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")
def schema(spec_name: str) -> int:
    """Print the JSON Schema of every line that may pass between the checker and an adapter."""
    from ..adapters import schema as made

    click.echo(json.dumps(made(load(spec_name)), indent=1))
    return HOLDS
