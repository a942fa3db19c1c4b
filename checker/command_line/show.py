"""The command that prints what the specification says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...model.language import SpecError, load
from .console import (
    HOLDS,
    Output,
    common,
    jobs_option,
)

if TYPE_CHECKING:
    pass


@click.command()
@common
@click.argument("what", type=click.Choice(["matrix", "operations", "invariants", "steps", "flow", "states", "rooms"]))
@click.argument("name", required=False)
@click.option(
    "--tree", "recorded", metavar="NAME", help="With operations: one as it is recorded, guard by guard."
)
@jobs_option
def show(spec_name: str, format: str, what: str, name: str | None, recorded: str | None, jobs: int) -> int:
    """Print what the specification says: the requirements' matrix, operations, invariants, steps of the seed's figures; a flow by
    NAME (default: all), with a table and a sequence diagram; the states of a room's things by NAME (default: all), drawn
    from exploration; all rooms as a page.

    Tables are Markdown, diagrams Mermaid.
    """
    from .. import pages

    spec, out = load(spec_name), Output(format)
    if recorded is not None:
        if what != "operations":
            raise SpecError("--tree goes with `show operations`")
        lines, value = pages.show_tree(spec, recorded)
    elif what in ("flow", "states"):
        lines, value = (pages.show_flow if what == "flow" else pages.show_states)(spec, name, jobs)
    elif name is not None:
        raise SpecError(f"show {what} takes no name")
    elif what == "rooms":
        lines, value = pages.show_rooms(spec, jobs)
    else:
        lists = {
            "matrix": pages.show_matrix,
            "operations": pages.show_operations,
            "invariants": pages.show_invariants,
            "steps": pages.show_steps,
        }
        lines, value = lists[what](spec)
    for line in lines:
        out.line(line)
    out.result(value)
    return HOLDS
