"""The command line.  Results go to stdout, progress to stderr; every claim is printed with its scope."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from ...model.language import SpecError, is_interruption
from ..errors import AdapterError, Unsupported
from .check import check
from .check_log import check_log
from .conform import conform
from .console import (
    ADAPTER,
    HOLDS,
    INTERNAL,
    INTERRUPTED,
    USAGE,
    say,
)
from .explore import explore
from .export import export
from .fuzz import fuzz
from .museum import museum
from .new import new
from .prove import prove
from .replay import replay
from .report import report
from .schema import schema
from .serve import serve
from .show import show
from .shrink import shrink
from .smoke import smoke
from .suite import suite


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # who reads has seen enough; click would call it a failure, and Python would flush what is left
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise click.exceptions.Exit(HOLDS) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="oneowner")
def cli() -> None:
    """Prove, explore and fuzz message passing by moving memory, against its executable specification."""


COMMANDS: tuple[click.Command, ...] = (
    check,
    check_log,
    conform,
    explore,
    export,
    fuzz,
    museum,
    new,
    prove,
    replay,
    report,
    schema,
    serve,
    show,
    shrink,
    smoke,
    suite,
)

for command in COMMANDS:
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code.  What goes wrong is one clear line; ONEOWNER_DEBUG=1 adds the traceback."""
    # no matrices are multiplied here, and numpy is there sooner if it starts no threads for that
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = cli.main(arguments, prog_name="oneowner", standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as error:
        error.show()
        code = USAGE
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        code = INTERRUPTED
    except SpecError as error:
        say(f"oneowner: {error}")
        code = USAGE
    except (AdapterError, Unsupported) as error:
        say(f"oneowner: {error}")
        code = ADAPTER
    except Exception as error:
        if is_interruption(error):
            say("interrupted")
            code = INTERRUPTED
        else:
            if os.environ.get("ONEOWNER_DEBUG"):
                traceback.print_exc()
            say(f"oneowner: internal error: {type(error).__name__}: {error} (ONEOWNER_DEBUG=1 shows where; please report it)")
            code = INTERNAL
    # Python remembers of the last text that was executed, as of a dataclass, whether an interruption ended it, and ends by that
    # signal instead of with the code: it is to be another one
    exec("")
    sys.exit(code or HOLDS)
