"""The metrics of the semantic layer, against SQL on the marts."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
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


# By dimension: its column in `marts.fct_student_years`.
DIMENSIONS = {
    "district": "district_id",
    "school": "school_code",
    "grade": "grade",
    "grade_label": "grade_label",
    "gender": "gender",
    "race": "race",
    "race_label": "race_label",
    "is_english_learner": "is_english_learner",
    "special_education": "special_education",
    "economic_status": "economic_status",
    "promise_status": "promise_status",
    "involved_ever": "involved_ever",
    "involved_prior_year": "involved_prior_year",
    "involved_concurrent": "involved_concurrent",
    "is_complete_year": "is_complete_year",
}


@pytest.fixture(scope="module")
def project(built_demo: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `mf` finds the parsed project.

    `mf` reads target/semantic_manifest.json below the folder with dbt_project.yml; the
    project's own target folder is left alone.
    """
    folder = tmp_path_factory.mktemp("mf")
    shutil.copyfile(PROJECT_DIR / "profiles.example.yml", folder / "profiles.yml")
    shutil.copyfile(PROJECT_DIR / "dbt_project.yml", folder / "dbt_project.yml")
    (folder / "target").mkdir()
    write_semantic_manifest(parsed(PROJECT_DIR, built_demo.database), str(folder / "target"))
    return folder


def ask(
    project: Path, built: Settings, dimensions: Sequence[str]
) -> dict[tuple[str, ...], dict[str, str]]:
    """Every metric by school year and dimensions, as `mf query` writes it."""
    written = project / "answers.csv"
    groups = ["metric_time__year", *(f"student_year__{name}" for name in dimensions)]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mf")), "query",
         "--metrics", ",".join(METRICS), "--group-by", ",".join(groups),
         "--decimals", "12", "--csv", str(written)],
        cwd=project,
        env=dict(os.environ) | {"OUTCOMES_PG_DATABASE": built.database},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    with written.open(newline="") as file:
        return {
            (row[groups[0]][:4], *(_text(row[group]) for group in groups[1:])): row
            for row in csv.DictReader(file)
        }


def _text(value: object) -> str:
    """A value as text, with one spelling of null, true and false."""
    text = str(value).lower()
    return "" if text in ("none", "null", "nan") else text


# One dimension, and all at once: metrics by fewer dimensions are sums of these.
@pytest.mark.parametrize("dimensions", [["district"], list(DIMENSIONS)], ids=["one", "all"])
def test_metrics_equal_sql_on_the_marts(
    built_demo: Settings, project: Path, dimensions: list[str]
) -> None:
    answers = ask(project, built_demo, dimensions)
    columns = ["school_year", *(DIMENSIONS[name] for name in dimensions)]
    with connect(built_demo) as connection:
        rows = connection.execute(
            f"""
            select {", ".join([*columns, *METRICS.values()])}
            from marts.fct_student_years
            group by {", ".join(columns)}
            """.encode()
        ).fetchall()
    assert len(rows) == len(answers) > 3
    for row in rows:
        answer = answers[tuple(_text(value) for value in row[: len(columns)])]
        for metric, value in zip(METRICS, row[len(columns) :], strict=True):
            found = answer[metric]
            if value is None:
                assert _text(found) == "", metric
            else:
                assert float(found) == pytest.approx(float(value), abs=1e-9), metric


@pytest.mark.parametrize("dimension", DIMENSIONS.values())
def test_measures_by_group_equal_those_of_identified_students(
    built_demo: Settings, dimension: str
) -> None:
    with connect(built_demo) as connection:
        by_group = [
            connection.execute(
                f"""
                select school_year, {dimension}, {", ".join(list(METRICS.values())[2:])}
                from {schema}.fct_student_years
                group by school_year, {dimension}
                order by school_year, {dimension}
                """.encode()
            ).fetchall()
            for schema in ("marts", "marts_pseudonymized")
        ]
    assert by_group[0] == by_group[1]
