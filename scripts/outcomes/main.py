"""Starts the `outcomes` command, which takes a moment to load."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; who stops it while it loads is not shown where."""
    try:
        from outcomes.cli import app

        app()
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
