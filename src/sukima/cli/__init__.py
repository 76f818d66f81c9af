"""The command line: one file a command."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; the console script ``sukima``."""
    from sukima.cli.language import choose_language

    choose_language(sys.argv[1:])  # before the commands are made: their help is in that language too
    from sukima.cli.app import run

    sys.exit(run())
