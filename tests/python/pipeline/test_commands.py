"""The weekly run from the command line, and an empty warehouse."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.python.conftest import UNTESTED
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import Settings
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables


def test_an_empty_warehouse_builds(
    make_own_warehouse: Callable[..., Settings], tmp_path: Path
) -> None:
    empty = make_own_warehouse(tmp_path, *UNTESTED, files=[])
    with connect(empty) as connection:
        assert connection.execute("select count(*) from marts.fct_student_years").fetchone() == (0,)


def test_weekly_builds_and_exits_with_3_if_somebody_has_to_act(
    database: Settings, demo_drops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OUTCOMES_TARGET")
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    drops = tmp_path / "drops"
    shutil.copytree(demo_drops / "clairton", drops / "clairton")
    newest = max((drops / "clairton").iterdir())
    (newest / "minutes of a meeting.txt").write_text("not a delivery")
    # An abandoned run does not block this one.
    with connect(database) as connection:
        create_tables(connection)
        connection.execute("select landing.begin_run('killed', 'build', '', '', '', '')")

    done = CliRunner().invoke(cli, ["weekly", str(drops)], env={"COLUMNS": "160"})

    assert done.exit_code == 3, done.output
    assert "unknown_file" in done.output
    assert "Published: " in done.output
    assert "What was linked" in done.output
    with connect(database) as connection:
        students = connection.execute(
            "select first_name, last_name, state_student_id from marts.dim_students"
        ).fetchall()
        runs = connection.execute("select status from landing.runs order by started_at").fetchall()
    assert runs == [("abandoned",), ("published",)]
    assert len(students) > 50
    for first, last, state_id in students:
        assert f"{first} {last}" not in done.output
        assert not state_id or state_id not in done.output
