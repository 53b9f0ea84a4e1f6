"""The dashboards, drawn for each role: what it sees, and what it must not see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from outcomes.config import PROJECT_DIR, Settings
from outcomes.warehouse.connection import connect

# The roles that can draw each dashboard; everybody reads the public one.
MAY = {
    "public": {"gaps"},
    "analyst": {"gaps", "action_research"},
    "district_pittsburgh": {"gaps", "students_at_risk", "feed_health"},
    "steward": {"gaps", "students_at_risk", "feed_health", "link_quality"},
}
BOARDS = sorted(path.stem for path in (PROJECT_DIR / "charts").glob("*.yml"))


@pytest.fixture(scope="module")
def people(first_publication: Settings) -> Iterator[Settings]:
    """A login for each role, named `reader_<role>`."""
    with connect(first_publication) as owner:
        for role in MAY:
            owner.execute(
                f"create role reader_{role} login password 'a good one' in role outcomes_{role}"
                .encode()
            )  # fmt: skip
        yield first_publication
        for role in MAY:
            owner.execute(f"drop role reader_{role}".encode())


def draw(
    built: Settings, role: str, board: str, home: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Draw a board with a login of a role, as data instead of an image."""
    environment = os.environ | {
        "OUTCOMES_PG_DATABASE": built.database,
        "OUTCOMES_PG_USER": f"reader_{role}",
        "OUTCOMES_PG_PASSWORD": "a good one",
        "OUTCOMES_DISTRICT": role.removeprefix("district_") if "district" in role else "",
        "XDG_CACHE_HOME": str(home),
        "DO_NOT_TRACK": "1",
    }
    command = Path(sys.executable).with_name("dct")
    chosen = [word for name, value in variables.items() for word in ("--var", f"{name}={value}")]
    return subprocess.run(
        [command, "render", f"charts/{board}.yml", "--format=data", *chosen, "-o", home / "data"],
        cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def rows(file: Path, query: str) -> list[dict[str, Any]]:
    """The rows of one query of a drawn board."""
    found: list[dict[str, Any]] = json.loads(file.read_text())["queries"][query]["rows"]
    return found


def test_gaps_are_the_public_ones_and_the_filters_work(people: Settings, tmp_path: Path) -> None:
    chosen = {
        "district": "Pittsburgh Public Schools",
        "measure": "Attendance",
        "definition": "In the school year before",
    }
    done = draw(people, "public", "gaps", tmp_path, **chosen)
    assert done.returncode == 0, done.stderr
    with connect(people) as connection:
        expected = connection.execute(
            """
            select 100 * gap, 100 * ci_low, 100 * ci_high from marts_public.rpt_outcome_gaps
            where
                district_id = 'pittsburgh' and measure = 'attendance_rate'
                and involvement = 'prior_year' and program_group = 'any' and gap is not null
            order by school_year
            """
        ).fetchall()
    found = [(row["gap"], row["low"], row["high"]) for row in rows(tmp_path / "data", "by_year")]
    assert expected
    assert found == [pytest.approx(figures) for figures in expected]


def test_suppressed_figures_have_no_bar_and_no_zero(people: Settings, tmp_path: Path) -> None:
    assert draw(people, "public", "gaps", tmp_path).returncode == 0
    figures = rows(tmp_path / "data", "figures")
    suppressed = [row for row in figures if "—" in row.values()]
    assert suppressed
    assert not {"0", "0.0 %", None} & {value for row in figures for value in row.values()}
    for query in ("by_year", "by_program", "by_group", "by_district"):
        assert all(None not in row.values() for row in rows(tmp_path / "data", query))


def test_a_district_sees_its_own_students_and_keeps_no_copy(
    people: Settings, tmp_path: Path
) -> None:
    done = draw(people, "district_pittsburgh", "students_at_risk", tmp_path)
    assert done.returncode == 0, done.stderr
    with connect(people) as connection:
        expected = connection.execute(
            "select count(*) from district_pittsburgh.rpt_early_warnings where is_latest_week"
        ).fetchone()
    (totals,) = rows(tmp_path / "data", "totals")
    assert (totals["students"],) == expected
    for cache in tmp_path.rglob("*.duckdb"):
        with duckdb.connect(str(cache), read_only=True) as kept:
            assert [
                table
                for (table,) in kept.execute("select table_name from duckdb_tables()").fetchall()
                if kept.execute(f'select count(*) from "{table}"').fetchone() != (0,)
            ] == []


@pytest.mark.slow
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("role", MAY)
def test_a_role_draws_its_dashboards_and_no_other(
    people: Settings, tmp_path: Path, role: str, board: str
) -> None:
    done = draw(people, role, board, tmp_path)
    if board in MAY[role]:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode != 0
        assert "permission denied" in done.stdout + done.stderr
        assert not (tmp_path / "data").exists()
