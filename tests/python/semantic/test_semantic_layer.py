"""The metrics of the semantic layer, asked as in the README, against SQL on the marts."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dbt.parser.manifest import write_semantic_manifest
from tests.python.parsed_projects import parsed

from outcomes.config import PROJECT_DIR, Settings
from outcomes.warehouse.connection import connect

# By metric: the same in SQL, over `marts.fct_student_years`.
METRICS = {
    "students": "count(distinct student_key)",
    "people": "count(distinct person_id)",
    "attendance_rate": "avg(attendance_rate)",
    "chronic_absence_federal": "avg(is_chronically_absent_federal::int)",
    "chronic_absence_pde": "avg(is_chronically_absent_pde::int)",
    "gpa": "avg(gpa)",
    "proficiency_math": "avg(is_proficient_math::int)",
    "proficiency_reading": "avg(is_proficient_reading::int)",
    "promise_on_track": """
        count(*) filter (where promise_status in ('on_track', 'eligible'))::numeric
        / nullif(count(*) filter (where promise_status not in ('not_applicable', 'unknown')), 0)
    """,
    "involvement_ever": "avg(involved_ever::int)",
    "involvement_prior_year": "avg(involved_prior_year::int)",
    "involvement_concurrent": "avg(involved_concurrent::int)",
}


@pytest.fixture
def answers(
    built_demo: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[tuple[int, str], dict[str, str]]:
    """Every metric by school year and district, as `mf query` writes it."""
    # `mf` reads target/semantic_manifest.json below the folder with dbt_project.yml; the
    # project's own target belongs to whoever works there.
    shutil.copyfile(PROJECT_DIR / "profiles.example.yml", tmp_path / "profiles.yml")
    shutil.copyfile(PROJECT_DIR / "dbt_project.yml", tmp_path / "dbt_project.yml")
    (tmp_path / "target").mkdir()
    write_semantic_manifest(parsed(PROJECT_DIR, built_demo.database), str(tmp_path / "target"))
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", built_demo.database)
    written = tmp_path / "answers.csv"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mf")), "query",
         "--metrics", ",".join(METRICS),
         "--group-by", "metric_time__year,student_year__district",
         "--decimals", "12", "--csv", str(written)],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    with written.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {(int(row["metric_time__year"][:4]), row["student_year__district"]): row for row in rows}


def test_metrics_equal_sql_on_the_marts(
    built_demo: Settings, answers: dict[tuple[int, str], dict[str, str]]
) -> None:
    with connect(built_demo) as connection:
        rows = connection.execute(
            f"""
            select school_year, district_id, {", ".join(METRICS.values())}
            from marts.fct_student_years
            group by school_year, district_id
            """.encode()
        ).fetchall()
    assert len(rows) == len(answers) > 3
    for year, district, *values in rows:
        answer = answers[year, district]
        for metric, value in zip(METRICS, values, strict=True):
            found = answer[metric]
            if value is None:
                assert found in ("", "NULL", "None"), metric
            else:
                assert float(found) == pytest.approx(float(value), abs=1e-9), metric
