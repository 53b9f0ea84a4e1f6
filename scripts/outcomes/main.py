"""Starts the `outcomes` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; Ctrl-C while it loads shows no traceback."""
    try:
        from outcomes.cli import app

        app()
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
