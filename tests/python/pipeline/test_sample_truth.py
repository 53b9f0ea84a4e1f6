"""The sample's student-years, to the last digit, against what an all-knowing warehouse says."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.python.conftest import BuiltWarehouse, run_dbt

KEY = ["district_id", "district_student_id", "school_year"]
EXACT = [
    "race",
    "grade",
    "days_enrolled",
    "days_absent",
    "days_absent_excused",
    "days_absent_unexcused",
    "is_chronically_absent_pde",
    "is_chronically_absent_federal",
    "is_regular_attender",
    "gpa",
    "pssa_math_level",
    "is_proficient_math",
    "pssa_reading_level",
    "is_proficient_reading",
    "promise_status",
    "promise_history_is_complete",
]
DEFINITIONS = ["involved_ever", "involved_prior_year", "involved_concurrent"]


@pytest.fixture(scope="module", params=["early", "last"])
def compared(
    request: pytest.FixtureRequest, built_sample: BuiltWarehouse, shared: Path
) -> pd.DataFrame:
    """Truth beside mart, one row a student-year, at the sample's two as-of dates."""
    truth_folder = shared / "sample" / "truth"
    moment = json.loads((truth_folder / "as_of.json").read_text())[request.param]
    if request.param == "early":
        run_dbt(built_sample, "run", "--vars", f"{{as_of: {moment['as_of']}}}")
    else:
        run_dbt(built_sample, "run")
    truth = pd.read_parquet(truth_folder / moment["student_years"])
    truth = truth.rename(columns={"district": "district_id"})
    columns = [*KEY, *EXACT, "attendance_rate", *DEFINITIONS]
    with built_sample.connect() as connection:
        rows = connection.execute(
            f"select {', '.join(columns)} from marts.fct_student_years".encode()
        ).fetchall()
    mart = pd.DataFrame(rows, columns=columns)
    return truth.merge(mart, on=KEY, how="outer", suffixes=("_truth", ""), indicator=True)


def test_student_years_are_all_there_and_no_other(compared: pd.DataFrame) -> None:
    assert len(compared) > 2000
    assert (compared["_merge"] == "both").all()


@pytest.mark.parametrize("column", EXACT)
def test_column_equals_truth(compared: pd.DataFrame, column: str) -> None:
    differing = [
        (expected, found)
        for expected, found in zip(compared[f"{column}_truth"], compared[column], strict=True)
        if not _equal(expected, found)
    ]
    assert not differing, f"{len(differing)} differ, the first: {differing[0]}"


def test_attendance_rate_equals_truth(compared: pd.DataFrame) -> None:
    expected = compared["attendance_rate_truth"]
    found = compared["attendance_rate"].astype(float)
    assert (expected.isna() == found.isna()).all()
    assert (expected - found).abs().max() < 1e-15


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_involvement_is_right_for_nearly_all(compared: pd.DataFrame, definition: str) -> None:
    share = (compared[f"{definition}_truth"] == compared[definition]).mean()
    assert share >= 0.97


def _equal(expected: object, found: object) -> bool:
    if pd.isna(expected) or pd.isna(found):
        return bool(pd.isna(expected) and pd.isna(found))
    if isinstance(expected, str | bool):
        return expected == found
    return float(expected) == float(found)  # type: ignore[arg-type]
