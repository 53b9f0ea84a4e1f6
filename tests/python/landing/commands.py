"""Runs the `outcomes` command within the test."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.errors import OutcomesError


def run(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and output; an error is raised."""
    result = CliRunner().invoke(cli, [str(a) for a in arguments], env={"COLUMNS": "200"})
    if isinstance(result.exception, OutcomesError):
        raise result.exception
    return result.exit_code, result.output
