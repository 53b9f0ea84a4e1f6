"""Cohorts against pandas, and their cumulative incidence against a statistics library."""

from __future__ import annotations

import pandas as pd
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight

from outcomes.config import Settings
from outcomes.warehouse.connection import connect

OUTCOMES = {"juvenile_justice": 1, "graduated": 2, "censored": 0}


def _frame(built: Settings, query: str) -> pd.DataFrame:
    with connect(built) as connection:
        cursor = connection.execute(query.encode())
        assert cursor.description is not None
        return pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])


def _incidence(cohort: pd.DataFrame) -> pd.Series:
    """The library's estimate by day, without days that have only censored students."""
    if not (cohort["status"] == 1).any():
        return pd.Series([0.0], index=[0])
    curve = CumIncidenceRight(cohort["day"].to_numpy(), cohort["status"].to_numpy())
    return pd.Series(curve.cinc[0], index=curve.times)


@pytest.fixture(scope="module", params=["built_demo", "built_sample"])
def built(request: pytest.FixtureRequest) -> Settings:
    """The demo, with few first records, and the sample."""
    settings: Settings = request.getfixturevalue(request.param)
    return settings


@pytest.fixture(scope="module")
def today(built: Settings) -> pd.Timestamp:
    return pd.Timestamp(_frame(built, "select as_of_date from deliveries.int_as_of").iat[0, 0])


@pytest.fixture(scope="module")
def members(built: Settings, today: pd.Timestamp) -> pd.DataFrame:
    """One row per person and base year, from the facts: how and when the follow-up ends."""
    enrollments = _frame(built, "select * from marts.fct_enrollments")
    services = _frame(built, "select * from marts.fct_involvements")
    years = _frame(built, "select * from marts.fct_student_years")
    enrollments["exit_date"] = pd.to_datetime(enrollments["exit_date"])
    end_of_year = pd.to_datetime(enrollments["school_year"].astype(str) + "-06-30")
    enrollments["last_day"] = enrollments["exit_date"].fillna(end_of_year).clip(upper=today)
    services["started_on"] = pd.to_datetime(services["started_on"])
    justice = services[
        (services["program_group"] == "juvenile_justice") & (services["started_on"] <= today)
    ]
    first = justice.groupby("person_id")["started_on"].min()
    spells_of = dict(tuple(enrollments.groupby("person_id")))
    rows = []
    for person, base in years[["person_id", "school_year"]].drop_duplicates().values:
        spells = spells_of[person][spells_of[person]["school_year"] >= base]
        start = pd.Timestamp(year=base - 1, month=7, day=1)
        graduations = spells.loc[spells["exit_code"] == "WD04", "exit_date"]
        end, outcome = spells["last_day"].max(), "censored"
        if len(graduations) and graduations.min() <= end:
            end, outcome = graduations.min(), "graduated"
        event = first.get(person)
        if event is not None and event < start:
            continue
        if event is not None and event <= end:
            end, outcome = event, "juvenile_justice"
        rows.append((person, base, (end - start).days + 1, OUTCOMES[outcome]))
    return pd.DataFrame(rows, columns=["person_id", "base_year", "day", "status"])


def test_incidence_equals_the_librarys(built: Settings, members: pd.DataFrame) -> None:
    assert set(members["status"]) == {0, 1, 2}
    published = _frame(
        built,
        """
        select base_year, days_observed, n_at_risk, cumulative_incidence
        from analysis.int_cohort_incidences
        where group_type = 'all'
        order by base_year, days_observed
        """,
    )
    assert len(published) > 20
    for base, rows in published.groupby("base_year"):
        cohort = members[members["base_year"] == base]
        expected = _incidence(cohort).reindex(rows["days_observed"]).ffill().fillna(0)
        assert rows["cumulative_incidence"].to_numpy() == pytest.approx(
            expected.to_numpy(), abs=1e-9
        )
        at_risk = [(cohort["day"] >= day).sum() for day in rows["days_observed"]]
        assert rows["n_at_risk"].tolist() == at_risk


def test_trajectories_follow_the_incidence_and_add_up(
    built: Settings, today: pd.Timestamp, members: pd.DataFrame
) -> None:
    rows = _frame(built, "select * from marts_pseudonymized.rpt_cohort_trajectories")
    statuses = rows[["n_enrolled", "n_graduated", "n_not_enrolled"]].sum(axis=1)
    assert (statuses == rows["n_students"]).all()
    everybody = rows[rows["group_type"] == "all"]
    assert everybody["n_graduated"].max() > 0
    for row in everybody.itertuples():
        cohort = members[members["base_year"] == row.base_year]
        until = min(pd.Timestamp(year=row.follow_up_year, month=6, day=30), today)
        day = (until - pd.Timestamp(year=row.base_year - 1, month=7, day=1)).days + 1
        seen = cohort[cohort["day"] <= day]
        assert row.n_free_at_start == len(cohort)
        assert row.n_juvenile_justice == (seen["status"] == 1).sum()
        assert row.n_at_risk == (cohort["day"] >= day).sum()
        expected = _incidence(cohort).loc[:day]
        last = expected.iloc[-1] if len(expected) else 0
        assert row.juvenile_justice_incidence == pytest.approx(last, abs=1e-9)
