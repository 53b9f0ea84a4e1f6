"""The demo's district of PIMS files, from its files to the marts, against the truth."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from outcomes.config import Settings
from outcomes.linkage.evaluate import evaluate, read_truth
from outcomes.warehouse.connection import connect

STUDENT_YEAR = ["district_student_id", "school_year"]
# The state's code → the warehouse's program.
PROGRAMS = {
    "030": "pre_k_counts", "035": "alternative_education", "055": "homeless_unaccompanied",
    "056": "homeless_accompanied",
}  # fmt: skip


@pytest.fixture(scope="module")
def truth(demo_drops: Path) -> Path:
    return demo_drops.parent / "truth"


@pytest.fixture(scope="module")
def student_years(truth: Path) -> pl.DataFrame:
    return pl.read_parquet(truth / "student_years.parquet").sort(STUDENT_YEAR)


@pytest.fixture(scope="module")
def programs(truth: Path) -> pl.DataFrame:
    return pl.read_parquet(truth / "school_programs.parquet").with_columns(
        pl.col("program").replace_strict(PROGRAMS)
    )


def cornell(built: Settings, query: str) -> pl.DataFrame:
    """The rows of Cornell; `{where}` stands for the condition."""
    with connect(built) as connection:
        return pl.read_database(query.format(where="where district_id = 'cornell'"), connection)


def test_days_and_suspensions_of_the_year(
    built_demo: Settings, student_years: pl.DataFrame
) -> None:
    measures = ["days_enrolled", "days_absent", "suspension_days"]
    found = cornell(
        built_demo,
        """
        select district_student_id, school_year, days_enrolled, days_absent, suspension_days
        from marts.fct_student_years {where}
        """,
    )
    expected = student_years.select(*STUDENT_YEAR, *measures)
    assert (expected.select(pl.col(measures).sum()).to_numpy() > 0).all()
    assert_frame_equal(found.cast(expected.schema).sort(STUDENT_YEAR), expected)


def test_programs_and_homelessness_as_the_schools_see_it(
    built_demo: Settings, student_years: pl.DataFrame, programs: pl.DataFrame
) -> None:
    key = [*STUDENT_YEAR, "program"]
    found = cornell(
        built_demo,
        """
        select district_student_id, school_year, program, started_on, ended_on
        from marts.fct_student_programs {where}
        """,
    )
    expected = programs.select(*key, started_on="begin", ended_on="end").sort(key)
    assert set(expected["program"]) >= {"homeless_accompanied", "pre_k_counts"}
    assert_frame_equal(found.cast(expected.schema).sort(key), expected)

    homeless = programs.filter(pl.col("program").str.starts_with("homeless"))
    counted = cornell(
        built_demo,
        """
        select school_year, n_students, n_homeless_by_school
        from marts_pseudonymized.rpt_homelessness {where} order by school_year
        """,
    )
    assert counted.rows() == [
        (year, len(student_years.filter(school_year=year)),
         homeless.filter(school_year=year)["district_student_id"].n_unique())
        for year in sorted(set(student_years["school_year"]))
    ]  # fmt: skip


def test_graduates_of_the_year_that_has_ended(
    built_demo: Settings, student_years: pl.DataFrame
) -> None:
    found = cornell(
        built_demo,
        """
        select district_student_id, graduation_year as school_year, is_on_time_graduate,
            post_school_plan is not null as has_plan
        from marts.fct_graduation_cohorts {where} and graduation_year is not null
        """,
    )
    graduates = student_years.filter("has_graduated").select(STUDENT_YEAR)
    assert len(graduates) > 1
    reported = found.select(STUDENT_YEAR).cast(graduates.schema).sort(STUDENT_YEAR)
    assert_frame_equal(reported, graduates)
    assert found["is_on_time_graduate"].all()
    assert found["has_plan"].all()


def test_links_of_cornells_children_are_evaluated(built_demo: Settings, truth: Path) -> None:
    with connect(built_demo) as connection:
        groups = evaluate(connection, read_truth(truth)).by_group
    (measured,) = (group for group in groups if group.label == "district: cornell")
    assert measured.pairs.true > 50
    assert measured.pairs.precision.value > 0.9
    assert measured.pairs.recall.value > 0.8
