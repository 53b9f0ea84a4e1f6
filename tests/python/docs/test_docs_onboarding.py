"""The examples of new districts: every command prints the output on the page."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from rich.console import Console
from tests.python.docs.documents import Document
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import PROJECT_DIR
from outcomes.contracts.reader import load_contracts

PAGE = PROJECT_DIR / "docs" / "onboarding.md"


def run(command: str) -> str:
    """The output of a command."""
    if not command.startswith("outcomes "):
        return subprocess.run(
            ["bash", "-c", command], check=True, capture_output=True, text=True
        ).stdout
    words = shlex.split(command)[1:]
    files = {word: sorted(map(str, Path().glob(word))) for word in words if "*" in word}
    arguments = [argument for word in words for argument in files.get(word, [word])]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code in (0, 3), result.output
    return result.output


def plain(text: str) -> list[str]:
    """Lines without the borders of tables, whose width depends on the terminal."""
    lines = (re.sub(r"[─━│┃┏┓┗┛┡┩┳┴╇┼├┤└┘┌┐ ]+", " ", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def test_every_command_prints_the_output_on_the_page(
    connection: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(PAGE.parent / "onboarding", tmp_path / "docs/onboarding")
    (tmp_path / "contracts").mkdir()
    monkeypatch.chdir(tmp_path)
    # A fixed width, because Rich reads COLUMNS only once, at its start.
    monkeypatch.setattr(
        "outcomes.cli.landing.console",
        Console(highlight=False, soft_wrap=True, width=80, force_terminal=False),
    )
    for module in ("check", "land"):
        monkeypatch.setattr(
            f"outcomes.landing.{module}.load_contracts", lambda: load_contracts(Path("contracts"))
        )
    for block in Document(PAGE).blocks("console"):
        # A proposal does not overwrite a contract, so the page continues with its own one.
        for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = shown.partition("\n")
            assert plain(run(command)) == plain(output), command
    rows = connection.execute(
        """
        select
            (select count(*) from raw.students), (select count(*) from raw.enrollments),
            (select count(*) from raw.attendance_events),
            (select count(*) from raw.attendance_totals),
            (select count(*) from raw.attendance_year_totals)
        """
    ).fetchone()
    assert rows == (24, 22, 5, 6, 3)
