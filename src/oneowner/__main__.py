"""The command line: `oneowner`, or `python -m oneowner`."""

import os
import signal
import sys
from typing import Any


def _interrupted(*_: Any) -> None:
    os.write(sys.stderr.fileno(), b"interrupted\n")
    os._exit(130)


def main() -> None:
    """Run the command line.  It takes its time to be imported; an interruption in that time has nothing to tell of and nothing
    to undo."""
    before = signal.getsignal(signal.SIGINT)
    # it stays as it is where the one who began this wants none
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    from .checker.command_line import main as run

    try:
        signal.signal(signal.SIGINT, before)
        run()
    except KeyboardInterrupt:
        _interrupted()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is told


if __name__ == "__main__":
    main()
