"""What the commands share: exit codes, where a result goes, options.

Exit codes: 0 holds; 1 violation; 2 usage; 3 unknown, or the budget spent before everything was seen; 4 the implementation
cannot be reached or does not keep to the interface; 5 nothing ran; 70 a fault of this tool; 130 interrupted.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...model.language import Spec, SpecError
from .. import TRACES
from ..errors import printable

if TYPE_CHECKING:
    from ..session import Declared

HOLDS, VIOLATION, USAGE, UNKNOWN, ADAPTER, NOTHING, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 5, 70, 130
DEFAULT_SPEC = "oneowner.spec:SPEC"
DEFAULT_IMPLEMENTATION = "py:oneowner.reference_impl"
LONG = 20_000
"""How many characters of a line are shown, and how many lines of a text."""

ANY_SIZE = "any number of elements of every sort, any queue bound, any depth"


class Number(click.FloatRange):
    """A number that is finite: 1e400 is read as one that is not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is none of the finite numbers; leave it out for no limit", param, ctx)
        return number


def say(text: str) -> None:
    """Tell of progress, on stderr."""
    click.echo(shown(text), err=True)


def shown(text: str) -> str:
    """`text` as it can be written on a terminal, whoever's words are in it."""
    lines = printable(text).split("\n")
    cut = [line if len(line) <= LONG else f"{line[:LONG]}... ({len(line)} characters)" for line in lines]
    return "\n".join(cut if len(cut) <= LONG else [*cut[:LONG], f"... ({len(cut)} lines)"])


class Output:
    """Where a command's result goes: lines as they come, or one JSON object at the end."""

    def __init__(self, format: str) -> None:
        self.pretty = format == "pretty"

    def line(self, text: str = "") -> None:
        if self.pretty:
            click.echo(shown(text))

    def result(self, value: Any) -> None:
        if not self.pretty:
            click.echo(json.dumps(value, indent=1))


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command on a specification has."""
    command = click.option("--spec", "spec_name", default=DEFAULT_SPEC, metavar="MODULE:NAME", help="The specification.")(command)
    choice = click.Choice(["pretty", "json"])
    return click.option("--format", "format", type=choice, default="pretty", help="How the result is printed.")(command)


jobs_option = click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes (default: the cores).")
traces_option = click.option(
    "--traces", type=click.Path(path_type=Path, file_okay=False), default=TRACES, help="Where traces are written."
)

CONVERSATION = "conversation.jsonl"
"""Where under the traces' folder what was said to an adapter is kept."""


def budgets_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two budgets of time."""
    command = click.option(
        "--must-return", type=Number(0.01), default=10.0, help="Seconds that an answer may take (default 10)."
    )(command)
    return click.option(
        "--must-not-return",
        type=Number(0.001),
        default=0.2,
        help="Seconds after which a call counts as suspended, where the adapter cannot say (default 0.2).",
    )(command)


declared_option = click.option(
    "--deviations",
    "--known-failing",
    "deviations",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What is known to be answered otherwise: a TOML file, or a clause a line.",
)


def declared_in(spec: Spec, path: Path | None) -> list[Declared]:
    """The deviations of a file, none without one.  Raises SpecError, also for a clause or a cause that there is not."""
    if path is None:
        return []
    from ...model.recording import every
    from ...model.symbolic import clauses
    from ..session import read_declared

    found = read_declared(path)
    known, causes = set(clauses(spec)), {str(cause) for cause in every(spec, spec.actions)}
    for each in found:
        if each.clause not in known:
            raise SpecError(f"{path}: no clause is called {each.clause!r}; `oneowner show operations` lists them")
        if each.cause and (each.cause not in causes or not each.cause.startswith(each.clause + "#")):
            how = f"`oneowner show operations --tree {each.clause.partition('/')[0]} --format json` names them"
            raise SpecError(f"{path}: {each.clause} has no cause {each.cause!r}; {how}")
    return found


trust_option = click.option("--trust", is_flag=True, help="Run the command that FILE names (exec:...) without asking.")


def trusted(file: Path, where: str, trust: bool) -> str:
    """The connection string that a file gives, if it may be followed: who sends a file should not choose what is run here.

    Asks at a terminal.  Raises SpecError where nobody is there to be asked, or the answer is no."""
    if not where.startswith("exec:") or trust:
        return where
    if not sys.stdin.isatty():
        raise SpecError(
            f"{file} names a command to be run: {where!r}. Look at it, and give --trust to run it, or --implementation"
        )
    if not click.confirm(f"{shown(str(file))} names a command to be run: {where!r}. Run it?", err=True):
        raise SpecError(f"{file}: not run; --implementation runs it against another implementation")
    return where
