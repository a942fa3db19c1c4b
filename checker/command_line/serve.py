"""The command that puts a Python implementation behind the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...model.language import load
from ..adapters import connect
from .console import DEFAULT_SPEC, HOLDS

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("implementation")
@click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")
@click.option("--listen", metavar="PLACE", help="Serve at unix:PATH or tcp:HOST:PORT (port 0: any), not on stdin and stdout.")
def serve(implementation: str, spec_name: str, listen: str | None) -> int:
    """Put a Python IMPLEMENTATION (py:MODULE) behind the protocol."""
    from ..adapters import serve_here, serve_socket

    spec = load(spec_name)
    actors = {name: action.slots[0].name for name, action in spec.actions.items()}
    connect(implementation)
    if listen:
        serve_socket(
            lambda: connect(implementation),
            listen,
            waiter=spec.waiter,
            actors=actors,
            ready=lambda where: click.echo(f"listening at {where}"),
        )
    else:
        serve_here(lambda: connect(implementation), waiter=spec.waiter, actors=actors)
    return HOLDS
