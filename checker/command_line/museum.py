"""The command that plants real bugs."""

from __future__ import annotations

import click

from ...model.language import SpecError, load
from .console import (
    HOLDS,
    VIOLATION,
    Number,
    Output,
    common,
    jobs_option,
)


@click.command()
@common
@click.argument("bugs", nargs=-1)
@click.option("--wing", default="", help="Those of a wing, such as newer (default: the first, of which each is to be caught).")
@click.option("--time", "seconds", type=Number(0.1), default=180.0, help="Seconds to fuzz a bug at most (default 180).")
@click.option("--seed", type=click.IntRange(0), help="Draw the same runs again.")
@jobs_option
def museum(
    spec_name: str, format: str, bugs: tuple[str, ...], wing: str, seconds: float, seed: int | None, jobs: int
) -> int:
    """Plant real bugs, or those named, and show that each is caught."""
    from ..museum import catalogue
    from ..museum import museum as run

    spec, out = load(spec_name), Output(format)
    exhibits = [exhibit for exhibit in catalogue(spec, bugs) if bugs or exhibit.wing == wing]
    if not exhibits:
        raise SpecError(f"the museum has no wing called {wing!r}")
    width = max(len(exhibit.name) for exhibit in exhibits)
    out.line(f"{'bug':{width}} {'source':28} {'checker':8} {'calls':>5} {'seconds':>8}  caught by")
    caught = run(
        spec,
        list(dict.fromkeys(exhibit.name for exhibit in exhibits)),
        seconds=seconds,
        seed=seed,
        jobs=jobs,
        progress=lambda c: out.line(
            f"{c.exhibit.name:{width}} {c.exhibit.source:28} {c.exhibit.checker:8} "
            f"{c.calls or '-':>5} {c.seconds:8.1f}  {c.clause if c.caught else 'GOT AWAY: ' + c.text}"
        ),
    )
    missed = [c for c in caught if not c.caught]
    out.line(f"{len(caught) - len(missed)} of {len(caught)} planted bugs caught")
    out.result(
        [
            {
                "bug": c.exhibit.name,
                "source": c.exhibit.source,
                "checker": c.exhibit.checker,
                "caught": c.caught,
                "clause": c.clause,
                "calls": c.calls,
                "seconds": round(c.seconds, 3),
            }
            for c in caught
        ]
    )
    return VIOLATION if missed else HOLDS
