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
import yaml
from dbt.parser.manifest import write_semantic_manifest
from tests.python.parsed_projects import parsed

from outcomes.config import PROJECT_DIR, Settings
from outcomes.warehouse.connection import connect

# The metrics of outcome measures, by name. YAML cannot read the seed, so tests compare them.
OUTCOMES = {
    metric["name"]: metric
    for metric in yaml.safe_load((PROJECT_DIR / "models/semantic/student_years.yml").read_text())[
        "metrics"
    ]
    if "config" in metric
}
# By metric: what is averaged, over `marts.fct_student_years` and the measures of each row.
AVERAGED = {
    **{
        name: f"(outcomes ->> '{metric['config']['meta']['outcome_measure']}')::numeric"
        for name, metric in OUTCOMES.items()
    },
    "involvement_ever": "involved_ever::int",
    "involvement_prior_year": "involved_prior_year::int",
    "involvement_concurrent": "involved_concurrent::int",
}
# By metric: the same in SQL. Every mean has its number of students.
METRICS = {
    "students": "count(distinct student_key)",
    "people": "count(distinct person_id)",
    **{name: f"avg({value})" for name, value in AVERAGED.items()},
    **{f"n_{name}": f"count({value})" for name, value in AVERAGED.items()},
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
            left join (
                select student_key, school_year, jsonb_object_agg(measure, value) as outcomes
                from analysis.int_student_year_measures
                group by student_key, school_year
            ) as measured using (student_key, school_year)
            where is_complete_year
            group by {", ".join(columns)}
            """.encode()
        ).fetchall()
    assert len(rows) == len(answers) > 2
    for row in rows:
        answer = answers[tuple(_text(value) for value in row[: len(columns)])]
        for metric, value in zip(METRICS, row[len(columns) :], strict=True):
            found = answer[metric]
            if value is None:
                assert _text(found) == "", metric
            else:
                assert float(found) == pytest.approx(float(value), abs=1e-9), metric


def test_every_metric_is_compared() -> None:
    found = yaml.safe_load((PROJECT_DIR / "models/semantic/student_years.yml").read_text())
    assert {metric["name"] for metric in found["metrics"]} == set(METRICS)


def test_metrics_are_named_and_described_as_in_the_seed() -> None:
    with (PROJECT_DIR / "seeds/policy/outcome_measures.csv").open(encoding="utf-8") as file:
        seed = {row["measure"]: row for row in csv.DictReader(file)}
    named = [metric["config"]["meta"]["outcome_measure"] for metric in OUTCOMES.values()]
    assert sorted(named) == sorted(seed)
    for metric in OUTCOMES.values():
        row = seed[metric["config"]["meta"]["outcome_measure"]]
        found = metric["label"], metric["description"]
        assert found == (row["measure_label"], row["definition"])


def test_pseudonymized_student_years_have_the_values_of_the_identified_ones(
    built_demo: Settings,
) -> None:
    with connect(built_demo) as connection:
        ((columns,),) = connection.execute(
            """
            select string_agg(column_name, ', ')
            from information_schema.columns
            where
                (table_schema, table_name) = ('marts_pseudonymized', 'fct_student_years')
                and column_name not in ('student_key', 'person_id', 'birth_year')
            """
        ).fetchall()
        identified, pseudonymized = (
            connection.execute(
                f"select {columns} from {schema}.fct_student_years order by {columns}".encode()
            ).fetchall()
            for schema in ("marts", "marts_pseudonymized")
        )
    assert identified == pseudonymized != []
