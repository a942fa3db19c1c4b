"""The command line: `oneowner`, or `python -m oneowner`."""

import contextlib
import os
import signal
from typing import Any


def _interrupted(*_: Any) -> None:
    with contextlib.suppress(OSError):
        os.write(2, b"interrupted\n")
    os._exit(130)


def main() -> None:
    """Run the command line.  It takes its time to be imported; an interruption in that time has nothing to tell of and nothing
    to undo."""
    # it stays as it is where the one who began this wants none
    raised = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if raised:
        signal.signal(signal.SIGINT, _interrupted)
    from .checker.command_line import main as run

    try:
        if raised:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        _interrupted()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is told


if __name__ == "__main__":
    main()
