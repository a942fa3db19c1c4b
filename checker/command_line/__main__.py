"""`python -m oneowner.checker.command_line`: the command line without its script."""

from .entry import main

main()
