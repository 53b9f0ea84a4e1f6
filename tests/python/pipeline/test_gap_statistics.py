"""The gaps, their intervals and the adjusted gaps against statistics libraries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from outcomes.config import Settings
from outcomes.warehouse.connection import connect

GROUPS = {
    "grade_band": lambda s: s.grade.map(
        lambda grade: ["pre_kindergarten", "elementary", "middle", "high"][
            int(np.searchsorted([-1, 5, 8, 12], grade))
        ]
    ),
    "school": lambda s: s.school_code,
    "race": lambda s: s.race.astype("Int64").astype("string"),
    "gender": lambda s: s.gender,
    "english_learner": lambda s: s.is_english_learner.map({True: "yes", False: "no"}),
    "special_education": lambda s: s.special_education,
    "economic_status": lambda s: s.economic_status,
}
KEY = ["school_year", "district_id", "group_type", "group_value", "involvement", "measure"]
TOLERANCE = 1e-9


def _frame(built: Settings, query: str) -> pd.DataFrame:
    with connect(built) as connection:
        cursor = connection.execute(query.encode())
        assert cursor.description
        return pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])


@pytest.fixture(scope="module")
def values(built_demo: Settings) -> pd.DataFrame:
    """The compared value: one row per student-year, scope, group, definition and measure."""
    students = _frame(built_demo, "select * from marts.fct_student_years")
    measures = _frame(
        built_demo,
        "select student_key, school_year, measure, value::float8 "
        "from analysis.int_student_year_measures",
    )
    scopes = pd.concat([students.assign(scope=students.district_id), students.assign(scope="all")])
    grouped = pd.concat(
        [scopes.assign(group_type="all", group_value="all")]
        + [
            scopes.assign(group_type=name, group_value=value(scopes))
            for name, value in GROUPS.items()
        ]
    )
    grouped = grouped[grouped.group_value.notna()]
    grouped = grouped[(grouped.group_type != "school") | (grouped.scope != "all")]
    strata = ["district_id", "grade", "economic_status"]
    columns = ["school_year", "scope", "group_type", "group_value", *strata]
    involvements = ["involved_ever", "involved_prior_year", "involved_concurrent"]
    keys = ["student_key", "school_year"]
    long = grouped[["student_key", *columns, *involvements]].merge(measures, on=keys)
    return long.melt(
        id_vars=[*columns, "measure", "value"],
        value_vars=involvements,
        var_name="involvement",
        value_name="is_involved",
    ).assign(involvement=lambda frame: frame.involvement.str.removeprefix("involved_"))


@pytest.fixture(scope="module")
def gaps(built_demo: Settings, values: pd.DataFrame) -> pd.DataFrame:
    """The warehouse's exact gaps under `any` program, with those computed here."""
    warehouse = pd.concat(
        [
            _frame(
                built_demo,
                "select *, 'all' as group_type, 'all' as group_value "
                "from marts_pseudonymized.rpt_outcome_gaps where program_group = 'any'",
            ),
            _frame(
                built_demo,
                "select * from marts_pseudonymized.rpt_outcome_gaps_by_group "
                "where program_group = 'any'",
            ),
        ]
    )
    key = ["school_year", "scope", *KEY[2:]]
    sides = values.assign(side=np.where(values.is_involved, "involved", "others"))
    here = sides.groupby([*key, "side"]).value.agg(np.array).unstack("side")
    for side in ("involved", "others"):
        here[side] = [v if isinstance(v, np.ndarray) else np.array([]) for v in here[side]]
    here["n_involved"] = here.involved.map(len)
    here["n_not_involved"] = here.others.map(len)
    here["gap"] = here.involved.map(_mean) - here.others.map(_mean)
    here = here.join(_adjusted(sides, key)).reset_index().rename(columns={"scope": "district_id"})
    return warehouse.merge(here, on=KEY, how="outer", suffixes=("", "_here"), indicator=True)


def _mean(numbers: np.ndarray) -> float:
    return float(numbers.mean()) if len(numbers) else np.nan


def _adjusted(sides: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The mean of the differences within strata, weighted by students."""
    strata = sides.groupby([*key, "district_id", "grade", "economic_status", "side"], dropna=False)
    means = strata.value.mean().unstack("side")
    weights = strata.value.count().unstack("side").sum(axis="columns")
    difference = means.involved - means.others
    compared = weights.where(difference.notna(), 0.0)
    summed = pd.DataFrame(
        {"weighted": (compared * difference).fillna(0), "compared": compared, "all": weights}
    ).groupby(key).sum()  # fmt: skip
    return pd.DataFrame(
        {
            "adjusted_gap": summed.weighted / summed.compared.replace(0, np.nan),
            "adjusted_coverage": summed.compared / summed["all"],
        }
    )


@pytest.fixture(scope="module")
def shares(built_demo: Settings) -> set[str]:
    """The measures that are shares."""
    query = "select measure from policy.outcome_measures where is_proportion"
    return set(_frame(built_demo, query).measure)


def test_exactly_the_expected_gaps_exist(built_demo: Settings, gaps: pd.DataFrame) -> None:
    measures = _frame(built_demo, "select measure from policy.outcome_measures").measure
    assert set(gaps.measure) == set(measures)
    assert set(gaps.group_type) == {"all", *GROUPS}
    assert len(gaps) > 1000
    assert (gaps["_merge"] == "both").all()


@pytest.mark.parametrize(
    "column", ["n_involved", "n_not_involved", "gap", "adjusted_gap", "adjusted_coverage"]
)
def test_gaps_equal_those_computed_from_the_students(gaps: pd.DataFrame, column: str) -> None:
    found = gaps[column].astype(float)
    expected = gaps[f"{column}_here"].astype(float)
    assert found.notna().sum() > 500
    assert (found.isna() == expected.isna()).all()
    assert (found - expected).abs().max() < TOLERANCE


def test_intervals_of_means_equal_welchs(gaps: pd.DataFrame, shares: set[str]) -> None:
    compared = 0
    for row in gaps[~gaps.measure.isin(shares)].itertuples():
        if min(len(row.involved), len(row.others)) < 2:
            assert pd.isna(row.ci_low)
            continue
        if np.ptp([*row.involved, *row.others]) == 0:
            continue
        test = stats.ttest_ind(row.involved, row.others, equal_var=False)
        interval = test.confidence_interval(0.95)
        if np.isnan(interval.low):
            continue
        assert row.ci_low == pytest.approx(interval.low, abs=TOLERANCE)
        assert row.ci_high == pytest.approx(interval.high, abs=TOLERANCE)
        compared += row.group_type != "all"
    assert compared > 100


def test_intervals_of_shares_equal_newcombes(gaps: pd.DataFrame, shares: set[str]) -> None:
    compared = 0
    for row in gaps[gaps.measure.isin(shares)].itertuples():
        if not len(row.involved) or not len(row.others):
            assert row.ci_low is None or np.isnan(row.ci_low)
            continue
        first, second = (
            stats.binomtest(int(group.sum()), len(group)).proportion_ci(0.95, method="wilson")
            for group in (row.involved, row.others)
        )
        p, q = row.involved.mean(), row.others.mean()
        low = p - q - np.hypot(p - first.low, second.high - q)
        high = p - q + np.hypot(first.high - p, q - second.low)
        assert row.ci_low == pytest.approx(low, abs=TOLERANCE)
        assert row.ci_high == pytest.approx(high, abs=TOLERANCE)
        compared += row.group_type != "all"
    assert compared > 100


def test_quantile_of_students_t(built_demo: Settings) -> None:
    degrees = np.concatenate([np.linspace(1, 50, 500), np.geomspace(50, 1e9, 200)])
    with connect(built_demo) as connection:
        rows = connection.execute(
            "select functions.student_t_quantile(df) from unnest(%s) as df", [degrees.tolist()]
        ).fetchall()
    quantiles = np.array([quantile for (quantile,) in rows])
    assert np.abs(quantiles - stats.t.ppf(0.975, degrees)).max() < 1e-12
