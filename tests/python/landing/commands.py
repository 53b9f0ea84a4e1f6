"""Runs the `outcomes` command within the test."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from outcomes.cli import cli


def run(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and output; an error is raised."""
    words = [str(argument) for argument in arguments]
    result = CliRunner().invoke(cli, words, env={"COLUMNS": "200"}, catch_exceptions=False)
    return result.exit_code, result.output
