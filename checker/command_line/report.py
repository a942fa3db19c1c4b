"""The command that shows what several systems do, clause by clause."""

from __future__ import annotations

from pathlib import Path

import click

from ...model.language import load
from .console import HOLDS, Output, common, say


@click.command()
@common
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("-o", "page", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The page that is written.")
def report(spec_name: str, format: str, files: tuple[Path, ...], page: Path) -> int:
    """Make one page of the statements in FILES: a row a system, a column a room, opened to clauses and the calls that show
    what is wrong.  `conform --report statement=FILE` writes a statement."""
    from ..reports import put, read_statement, results

    spec, out = load(spec_name), Output(format)
    statements = [read_statement(path) for path in files]
    put(page, results(spec, statements))
    say(f"wrote {page}")
    out.result({"page": str(page), "systems": len(statements)})
    return HOLDS
