"""The sample at two as-of dates: its student-years against the correct ones,
and the lists of action research against an independent computation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pytest
from tests.python.conftest import SAMPLE, UNTESTED, copied, run_dbt
from tests.python.pipeline import action_research

from outcomes.config import Settings
from outcomes.warehouse.connection import connect

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
# The compared columns, and the facts for the independent computation.
READ = (
    "+fct_student_years", "+rpt_service_gaps", "+rpt_school_moves", "+rpt_discrepancy_cohort",
    "+fct_student_year_involvements", "+fct_enrollments", "+fct_involvements", "+fct_assessments",
)  # fmt: skip
DEFINITIONS = ["involved_ever", "involved_prior_year", "involved_concurrent"]


@dataclass(frozen=True)
class Known:
    """A warehouse as known on a day, and the correct student-years of that day."""

    warehouse: Settings
    truth: pd.DataFrame


@pytest.fixture(scope="module", params=["early", "last"])
def known(request: pytest.FixtureRequest, built_sample: Settings) -> Iterator[Known]:
    """The sample as known on one of its two as-of dates."""
    moment: dict[str, str] = json.loads((SAMPLE / "truth" / "as_of.json").read_text())[
        request.param
    ]
    truth = pd.read_parquet(SAMPLE / "truth" / moment["student_years"])
    truth = truth.rename(columns={"district": "district_id"})
    if request.param == "last":
        yield Known(built_sample, truth)
        return
    with copied(built_sample, "early_sample") as early:
        as_of = f"{{as_of: {moment['as_of']}}}"
        run_dbt(early, *UNTESTED, "--select", *READ, "--vars", as_of)
        yield Known(early, truth)


@pytest.fixture(scope="module")
def compared(known: Known) -> pd.DataFrame:
    """Correct and built values, one row per student-year."""
    columns = [*KEY, *EXACT, "attendance_rate", *DEFINITIONS]
    with connect(known.warehouse) as connection:
        rows = connection.execute(
            f"select {', '.join(columns)} from marts.fct_student_years".encode()
        ).fetchall()
    mart = pd.DataFrame(rows, columns=columns)
    return known.truth.merge(mart, on=KEY, how="outer", suffixes=("_truth", ""), indicator=True)


def test_exactly_the_true_student_years_exist(compared: pd.DataFrame) -> None:
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
def test_involvement_is_right_for_almost_all(compared: pd.DataFrame, definition: str) -> None:
    share = (compared[f"{definition}_truth"] == compared[definition]).mean()
    assert share >= 0.97


def _equal(expected: object, found: object) -> bool:
    if pd.isna(expected) or pd.isna(found):
        return bool(pd.isna(expected) and pd.isna(found))
    if isinstance(expected, str | bool):
        return expected == found
    return float(expected) == float(found)  # type: ignore[arg-type]


def test_service_gaps_equal_a_second_computation(known: Known) -> None:
    with connect(known.warehouse) as connection:
        rows = action_research.read(connection, "marts.rpt_service_gaps")
        found = set(rows[["student_key", "school_year", "rule_id"]].itertuples(index=False))
        assert {rule for _, _, rule in found} >= {
            "homeless_without_service",
            "homeless_service_without_school_flag",
        }
        assert found == action_research.service_gaps(connection)


def test_school_moves_equal_a_second_computation(known: Known) -> None:
    columns = ["person_id", "from_school_key", "school_key", "entered_on"]
    began = ["placement_began", "shelter_stay_began"]
    with connect(known.warehouse) as connection:
        rows = action_research.read(connection, "marts.rpt_school_moves")
        found = set(rows[[*columns, *began]].itertuples(index=False))
        assert len(found) == len(rows) > 20
        assert found == action_research.school_moves(connection)


def test_discrepancy_cohort_equals_a_second_computation(known: Known) -> None:
    with connect(known.warehouse) as connection:
        rows = action_research.read(connection, "marts.rpt_discrepancy_cohort")
        found = set(rows[["student_key", "school_year"]].itertuples(index=False))
        assert found
        assert found == action_research.discrepancy_cohort(connection)
