"""Policy is seed rows: a changed row alone changes the marts."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.python.conftest import WITH_SEEDS, copied, run_dbt

from outcomes.config import PROJECT_DIR, Settings
from outcomes.warehouse.connection import connect

# The models that read the changed rows.
READERS = (
    "int_student_year_outcomes",
    "int_promise_statuses",
    "int_expected_days",
    "rpt_absence_risks",
    "rpt_early_warnings",
    "rpt_promise_pipeline",
)


@pytest.fixture(scope="module")
def changed(built_demo: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A copy of the demo's warehouse, built again with other policy rows."""
    project = tmp_path_factory.mktemp("policy") / "project"
    project.mkdir()
    for folder in ("models", "macros", "functions", "tests"):
        (project / folder).symlink_to(PROJECT_DIR / folder)
    shutil.copyfile(PROJECT_DIR / "dbt_project.yml", project / "dbt_project.yml")
    shutil.copytree(PROJECT_DIR / "seeds", project / "seeds")
    edits: dict[str, Callable[[list[dict[str, str]]], None]] = {
        "early_warning_thresholds": _every_share_warns,
        "promise_rules": _the_class_of_2014_needs_straight_as,
        "school_year_lengths": _a_year_has_100_days,
        "compulsory_ages": _until_10_in_2013,
        "truancy_thresholds": _one_day_is_truant_in_2013,
    }
    for seed, edit in edits.items():
        _edit(project / "seeds" / "policy" / f"{seed}.csv", edit)
    with copied(built_demo, "demo_with_other_policies") as settings:
        run_dbt(settings, *WITH_SEEDS, "--select", *edits, *READERS, project=project)
        yield settings


def _edit(seed: Path, edit: Callable[[list[dict[str, str]]], None]) -> None:
    with seed.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns, rows = list(reader.fieldnames or []), list(reader)
    edit(rows)
    with seed.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _every_share_warns(rows: list[dict[str, str]]) -> None:
    high = next(row for row in rows if row["grade_band"] == "high")
    high["absence_share_min"] = "0"


def _the_class_of_2014_needs_straight_as(rows: list[dict[str, str]]) -> None:
    of_2014 = next(row for row in rows if row["class_year"] == "2014")
    of_2014["gpa_min"] = "4.00"


def _a_year_has_100_days(rows: list[dict[str, str]]) -> None:
    rows[0]["last_school_year"] = "2012"
    rows.append({**rows[0], "first_school_year": "2013", "last_school_year": "",
                 "days_in_session": "100"})  # fmt: skip


def _until_10_in_2013(rows: list[dict[str, str]]) -> None:
    rows[0]["last_school_year"] = "2012"
    rows.append({**rows[0], "first_school_year": "2013", "last_school_year": "2020",
                 "age_until": "10"})  # fmt: skip


def _one_day_is_truant_in_2013(rows: list[dict[str, str]]) -> None:
    rows.append({"status": "truant", "first_school_year": "2013", "last_school_year": "2017",
                 "unexcused_days_min": "1", "source": "a test"})  # fmt: skip


def _both(built: Settings, changed: Settings, query: str) -> tuple[int, int]:
    return tuple(_number(settings, query) for settings in (built, changed))  # type: ignore[return-value]


def _number(settings: Settings, query: str) -> int:
    with connect(settings) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_threshold_of_early_warnings(built_demo: Settings, changed: Settings) -> None:
    flagged = (
        "select count(*) from marts.rpt_early_warnings "
        "where has_attendance_flag and grade_band {} 'high'"
    )
    known = _number(
        built_demo,
        "select count(*) from marts.rpt_early_warnings "
        "where absence_share is not null and grade_band = 'high'",
    )
    before, after = _both(built_demo, changed, flagged.format("="))
    assert 0 < before < after == known
    before, after = _both(built_demo, changed, flagged.format("<>"))
    assert 0 < before == after


def test_a_rule_of_a_promise_class(built_demo: Settings, changed: Settings) -> None:
    on_track = (
        "select count(*) from marts.rpt_promise_pipeline "
        "where promise_status in ('on_track', 'eligible') and class_year {} 2014"
    )
    before, after = _both(built_demo, changed, on_track.format("="))
    assert before > after
    before, after = _both(built_demo, changed, on_track.format("<>"))
    assert 0 < before == after


def test_the_length_of_a_school_year(built_demo: Settings, changed: Settings) -> None:
    before, after = _both(
        built_demo, changed, "select max(days_enrolled_expected) from marts.rpt_absence_risks"
    )
    assert (before, after) == (180, 100)


def test_the_ages_of_compulsory_attendance(built_demo: Settings, changed: Settings) -> None:
    under_it = "select count(*) from marts.rpt_early_warnings where is_of_compulsory_age"
    before, after = _both(built_demo, changed, under_it)
    assert before > after > 0


def test_the_law_of_truancy(built_demo: Settings, changed: Settings) -> None:
    known = "select count(is_truant) from marts.rpt_early_warnings"
    before, after = _both(built_demo, changed, known)
    assert before == 0
    assert after > 0
    with connect(changed) as connection:
        wrong = connection.execute(
            """
            select count(*) from marts.rpt_early_warnings
            where is_truant is distinct from (days_absent_unexcused >= 1 and is_of_compulsory_age)
            """
        ).fetchone()
    assert wrong == (0,)
