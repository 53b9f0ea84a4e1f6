"""The dashboards, drawn for each role: what it sees, and what it must not see."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import duckdb
import pytest
from click.testing import Result
from dbt_charts.cli.main import app as dct
from playwright.sync_api import Browser
from starlette.testclient import TestClient
from tests.python.conftest import free_port
from tests.python.web.pages import problems
from typer.testing import CliRunner

from outcomes.access.logins import make_login
from outcomes.access.roles import ANALYST, PUBLIC, STEWARD
from outcomes.config import PROJECT_DIR, Settings
from outcomes.reports.dashboards import prepare
from outcomes.warehouse.connection import connect

# The dashboards that each role can open; everybody reads the public one.
MAY = {
    "public": {"gaps"},
    "analyst": {"gaps", "action_research"},
    "district_pittsburgh": {"gaps", "students_at_risk", "feed_health"},
    "steward": {"gaps", "students_at_risk", "feed_health", "link_quality"},
}
# The role that each dashboard asks for, unless the login is a district's.
BOARDS = {
    "gaps": "outcomes_public",
    "action_research": "outcomes_analyst",
    "students_at_risk": "outcomes_steward",
    "feed_health": "outcomes_steward",
    "link_quality": "outcomes_steward",
}


@pytest.fixture(scope="module")
def people(large_county: Settings) -> Iterator[Settings]:
    """A login for each role, named `reader_<role>`, and `reader_all`."""
    with connect(large_county) as owner:
        for role in MAY:
            make_login(owner, f"reader_{role}", "a good one", f"outcomes_{role}")
        make_login(owner, "reader_all", "a good one", PUBLIC, ANALYST, STEWARD)
        yield large_county
        for role in [*MAY, "all"]:
            owner.execute(f"drop owned by reader_{role}; drop role reader_{role}".encode())


def environment(built: Settings, role: str) -> dict[str, str]:
    """The environment of a login of a role."""
    return {
        "OUTCOMES_PG_DATABASE": built.database,
        "OUTCOMES_PG_USER": f"reader_{role}",
        "OUTCOMES_PG_PASSWORD": "a good one",
        "OUTCOMES_DISTRICT": role.removeprefix("district_") if "district" in role else "",
        "DO_NOT_TRACK": "1",
    }


def draw(built: Settings, role: str, board: str, home: Path, **variables: str) -> Result:
    """Draw a board with a login of a role, as data instead of an image."""
    chosen = [word for name, value in variables.items() for word in ("--var", f"{name}={value}")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT_DIR)
        for name, value in environment(built, role).items():
            patch.setenv(name, value)
        patch.setenv("XDG_CACHE_HOME", str(home))
        return CliRunner().invoke(
            dct,
            ["render", f"charts/{board}.yml", "--format=data", *chosen, "-o", str(home / "data")],
        )


def rows(file: Path, query: str) -> list[dict[str, Any]]:
    """The rows of one query of a drawn board."""
    found: list[dict[str, Any]] = json.loads(file.read_text())["queries"][query]["rows"]
    return found


# For each dashboard, as one of its roles and with these filters: queries of the dashboard, and
# what PostgreSQL says. The columns have the dashboard's names.
FIGURES: list[tuple[str, str, dict[str, str], dict[str, str]]] = [
    (
        "public",
        "gaps",
        {
            "district": "Pittsburgh Public Schools",
            "measure": "Attendance",
            "definition": "In the school year before",
        },
        {
            "by_year": """
                select 100 * gap as gap, 100 * ci_low as low, 100 * ci_high as high
                from marts_public.rpt_outcome_gaps
                where
                    district_id = 'pittsburgh' and measure = 'attendance_rate'
                    and involvement = 'prior_year' and program_group = 'any' and gap is not null
                order by school_year
            """,
            "by_program": """
                select program_group_label as program, 100 * gap as gap
                from marts_public.rpt_outcome_gaps
                where
                    district_id = 'pittsburgh' and measure = 'attendance_rate'
                    and involvement = 'prior_year' and program_group <> 'any'
                    and gap is not null
                    and school_year = (
                        select max(school_year) from marts_public.rpt_outcome_gaps
                    )
                order by gap desc
            """,
        },
    ),
    (
        "public",
        "gaps",
        {"measure": "Grade-point average"},
        {
            "figures": """
                select
                    n_involved as "with services",
                    n_not_involved as "others",
                    to_char(value_involved, 'FM990.00') as "value, with services",
                    to_char(gap, 'FMSG990.00') || ' grade points' as gap
                from marts_public.rpt_outcome_gaps
                where
                    district_id = 'all' and measure = 'gpa' and involvement = 'ever'
                    and program_group = 'any'
                order by school_year
            """,
        },
    ),
    (
        "steward",
        "students_at_risk",
        {"district": "Clairton City School District"},
        {
            "totals": """
                select
                    count(*) as students,
                    sum((
                        has_attendance_flag is true or has_behavior_flag is true
                        or has_course_flag is true or has_gpa_flag is true
                    )::int) as warned
                from marts_district.rpt_early_warnings
                where is_latest_week and district_id = 'clairton'
            """,
            "by_school": """
                select count(*) as students, count(*) filter (where has_gpa_flag) as "grade average"
                from marts_district.rpt_early_warnings
                where is_latest_week and district_id = 'clairton'
                group by school_code
                order by
                    count(*) filter (
                        where has_attendance_flag or has_behavior_flag or has_course_flag
                        or has_gpa_flag
                    ) desc,
                    school_code
            """,
        },
    ),
    (
        "analyst",
        "action_research",
        {"base_year": "2012", "intervention": "After-school tutoring"},
        {
            "outcomes": """
                select
                    n_students as people,
                    to_char(100 * attendance_rate, 'FM990.0 "%"') as attendance
                from marts_pseudonymized.rpt_cohort_trajectories
                where base_year = 2012 and group_type = 'all'
                order by follow_up_year
            """,
            "effect_figures": """
                select measure_label as measure, n_participants as participants
                from marts_pseudonymized.rpt_intervention_effects
                where intervention_name = 'After-school tutoring'
                order by intervention_code, school_year, measure_label
            """,
        },
    ),
    (
        "district_pittsburgh",
        "feed_health",
        {},
        {
            "scorecards": """
                select as_of_date::text as delivery, grade, rows_loaded as "rows taken"
                from district_pittsburgh.delivery_scorecards
                order by as_of_date desc
                limit 1
            """,
            "faults": """
                select as_of_date::text as delivery, occurrences as times
                from district_pittsburgh.file_issues
                where not is_superseded
                order by as_of_date desc, occurrences desc
            """,
        },
    ),
    (
        "steward",
        "link_quality",
        {},
        {
            "links": """
                select students, to_char(100 * link_rate, 'FM990.0 "%"') as linked, reviews
                from identity.match_quality
                inner join policy.group_types using (group_type)
                where is_in_force
                order by position, group_value
            """,
        },
    ),
]


@pytest.mark.parametrize(
    ("role", "board", "filters", "queries"), FIGURES, ids=[f"{f[1]}-{f[0]}" for f in FIGURES]
)
def test_figures_equal_sql(
    people: Settings,
    tmp_path: Path,
    role: str,
    board: str,
    filters: dict[str, str],
    queries: dict[str, str],
) -> None:
    done = draw(people, role, board, tmp_path, **filters)
    assert done.exit_code == 0, done.output
    with connect(replace(people, user=f"reader_{role}", password="a good one")) as reader:
        for query, text in queries.items():
            cursor = reader.execute(text.encode())
            names = [column.name for column in cursor.description or []]
            expected = [
                tuple(float(v) if isinstance(v, Decimal) else v for v in row) for row in cursor
            ]
            found = [tuple(row[name] for name in names) for row in rows(tmp_path / "data", query)]
            assert expected, query
            assert found[: len(expected)] == [pytest.approx(row) for row in expected], query


def test_suppressed_figures_have_no_bar_and_no_zero(people: Settings, tmp_path: Path) -> None:
    done = draw(people, "public", "gaps", tmp_path)
    assert done.exit_code == 0, done.output
    figures = rows(tmp_path / "data", "figures")
    suppressed = [row for row in figures if row["with services"] is None]
    assert suppressed
    for row in suppressed:
        # dbt Charts shows — for null.
        assert row["others"] is None
        shown = ("value, with services", "value, others", "gap", "95 % interval")
        assert {row[name] for name in shown} == {"—"}
    assert not {0, "0", "0.0 %"} & {value for row in figures for value in row.values()}
    for query in ("by_year", "by_program", "by_group", "by_district"):
        assert all(None not in row.values() for row in rows(tmp_path / "data", query))


def test_a_district_sees_its_own_students_and_keeps_no_copy(
    people: Settings, tmp_path: Path
) -> None:
    done = draw(people, "district_pittsburgh", "students_at_risk", tmp_path)
    assert done.exit_code == 0, done.output
    with connect(people) as connection:
        expected = connection.execute(
            "select count(*) from district_pittsburgh.rpt_early_warnings where is_latest_week"
        ).fetchone()
    (totals,) = rows(tmp_path / "data", "totals")
    assert (totals["students"],) == expected
    caches = list(tmp_path.rglob("*.duckdb"))
    assert caches
    for cache in caches:
        with duckdb.connect(str(cache), read_only=True) as kept:
            assert [
                table
                for (table,) in kept.execute("select table_name from duckdb_tables()").fetchall()
                if kept.execute(f'select count(*) from "{table}"').fetchone() != (0,)
            ] == []


@pytest.mark.parametrize("role", MAY)
def test_a_role_opens_its_dashboards_and_is_told_whose_the_others_are(
    people: Settings, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    for name, value in environment(people, role).items():
        monkeypatch.setenv(name, value)
    setup, key = prepare(None)
    with TestClient(setup.app, base_url=f"http://127.0.0.1:{setup.port}") as browser:
        assert offered(browser.get(key.address).text) == MAY[role]
        for board in MAY[role]:
            assert browser.get(f"/{board}/").status_code == 200, board
        assert browser.get("/gaps/?district=O'Brien").status_code == 200
        for board in BOARDS.keys() - MAY[role]:
            for address in (f"/{board}/", f"/phone/{board}/", f"/{board}.pdf"):
                answer = browser.get(address)
                assert answer.status_code == 403, address
                assert f"is for <code>{BOARDS[board]}</code>" in answer.text
                assert f"<code>reader_{role}</code> does not have that role" in answer.text
                assert offered(answer.text) == MAY[role]


def test_only_who_has_the_token_opens_anything(
    people: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(people, "all").items():
        monkeypatch.setenv(name, value)
    setup, key = prepare(None)
    host = f"http://127.0.0.1:{setup.port}"
    paths = {"/", "/health", "/__livereload", "/gaps/", "/gaps.pdf", "/phone/students_at_risk/"}
    paths |= {getattr(route, "path", "/").replace("{", "").replace("}", "")
              for route in setup.app.routes}  # fmt: skip
    assert len(paths) > 8
    with TestClient(setup.app, base_url=host, raise_server_exceptions=False) as browser:
        for path in paths:
            for given in ("", "?token=", "?token=guessed"):
                for method in ("GET", "POST"):
                    assert browser.request(method, path + given).status_code == 403, path
        opened = browser.get(key.address, follow_redirects=False)
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        cookie = opened.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert browser.get("/gaps/").status_code == 200
        # The browser would send the cookie to a name that resolves to this computer, too.
        for foreign in ("evil.example", f"evil.example:{setup.port}", "127.0.0.1"):
            refused = browser.get("/gaps/", headers={"host": foreign})
            assert refused.status_code == 421, foreign


def offered(page: str) -> set[str]:
    """The dashboards that a page links to."""
    return set(re.findall(r'href="/(\w+)/"', page))


@pytest.fixture
def served(people: Settings) -> Iterator[str]:
    """The address of the dashboards with its token, served to a login that may open all."""
    address = f"http://localhost:{free_port()}"
    command = [Path(sys.executable).with_name("outcomes"), "dashboards", "--port", address[17:]]
    given = os.environ | environment(people, "all")
    with subprocess.Popen(
        command, env=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            shown = re.search(r"http://\S+", server.stdout.readline())
            assert shown
            wait_for(shown[0])
            yield shown[0]
        finally:
            server.terminate()


def wait_for(address: str) -> None:
    for _ in range(120):
        try:
            urlopen(address).close()
            return
        except HTTPError:  # it keeps no cookie
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"{address} does not answer")


@pytest.mark.slow
def test_a_browser_shows_the_dashboards_without_a_fault(served: str, browser: Browser) -> None:
    wide = browser.new_page(viewport={"width": 1440, "height": 900})
    narrow = browser.new_page(viewport={"width": 390, "height": 900})
    for page in (wide, narrow):
        page.goto(served)
    served = served.partition("/?")[0]
    for board in BOARDS:
        assert problems(wide, f"{served}/{board}/") == [], board
        assert wide.url == f"{served}/{board}/"
        assert problems(narrow, f"{served}/{board}/") == [], board
        assert narrow.url == f"{served}/phone/{board}/"
    for page in (wide, narrow):
        page.goto(f"{served}/gaps/?district=Clairton City School District")
        page.wait_for_load_state("networkidle")
        texts = page.locator("svg text").all_text_contents()
        assert "—" in texts, "a suppressed figure"
        assert not any("null" in text for text in texts)
