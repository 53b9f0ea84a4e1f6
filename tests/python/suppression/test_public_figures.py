"""The public gaps, compared with the exact ones and tested against attacks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.python.suppression.attack import KEY, MEANS, hits, work_out

from outcomes.config import Settings
from outcomes.warehouse.connection import connect

# Allowed advantage of an attack over guessing, for counts from 1 to 10.
MARGIN = 0.1
SIDES = ("involved", "not_involved")
# Counts that are equal in all of these are almost always of the same students.
SETS = ["school_year", "group_type", "group_value", "program_group", "involvement"]
# Every counted set of students, identified by a sum of random numbers.
COUNTED = """
    with students as (
        select *, hashtextextended(student_key, 0)::numeric as student
        from marts.fct_student_years
    ),

    counted as (
        select
            students.school_year, districts.district_id, groups.group_type, groups.group_value,
            definitions.involvement, measures.measure,
            sum(student) filter (where is_involved) as n_involved_set,
            sum(student) filter (where not is_involved) as n_not_involved_set,
            sum(student) filter (where is_involved and has_outcome) as x_involved_set,
            sum(student) filter (where not is_involved and has_outcome) as x_not_involved_set
        from students
        cross join lateral (values (district_id), ('all')) as districts (district_id)
        cross join lateral (
            values
            ('all', 'all'), ('gender', gender), ('race', race::text),
            ('economic_status', economic_status), ('special_education', special_education)
        ) as groups (group_type, group_value)
        cross join lateral (
            values
            ('ever', involved_ever), ('prior_year', involved_prior_year),
            ('concurrent', involved_concurrent)
        ) as definitions (involvement, is_involved)
        cross join lateral (
            values
            ('attendance_rate', attendance_rate is not null, null),
            ('gpa', gpa is not null, null),
            (
                'is_chronically_absent_federal', is_chronically_absent_federal is not null,
                is_chronically_absent_federal
            ),
            (
                'is_chronically_absent_pde', is_chronically_absent_pde is not null,
                is_chronically_absent_pde
            ),
            ('is_proficient_math', is_proficient_math is not null, is_proficient_math),
            ('is_proficient_reading', is_proficient_reading is not null, is_proficient_reading)
        ) as measures (measure, counts, has_outcome)
        where counts
        group by 1, 2, 3, 4, 5, 6
    )

    select * from counted
"""


def _read(built: Settings, query: str) -> pd.DataFrame:
    with connect(built) as connection:
        cursor = connection.execute(query.encode())
        assert cursor.description
        return pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])


def _gaps(built: Settings, schema: str) -> pd.DataFrame:
    ungrouped = _read(built, f"select * from {schema}.rpt_outcome_gaps")
    grouped = _read(built, f"select * from {schema}.rpt_outcome_gaps_by_group")
    return pd.concat([ungrouped.assign(group_type="all", group_value="all"), grouped])


@pytest.fixture(scope="module", params=["built_demo", "built_sample"])
def built(request: pytest.FixtureRequest) -> Settings:
    settings: Settings = request.getfixturevalue(request.param)
    return settings


@pytest.fixture(scope="module")
def policy(built: Settings) -> pd.Series:
    return _read(built, "select * from policy.suppression").astype(float, errors="ignore").iloc[0]


@pytest.fixture(scope="module")
def figures(built: Settings) -> pd.DataFrame:
    """Public rows, with the exact gap, numbers of students and of outcomes in `true_…`."""
    exact = _gaps(built, "marts_pseudonymized").set_index(KEY)
    for side in SIDES:
        outcomes = exact[f"n_{side}"] * exact[f"value_{side}"].astype(float).fillna(0)
        exact[f"true_n_{side}"] = exact[f"n_{side}"]
        exact[f"true_x_{side}"] = outcomes.round().astype(int)
    exact["true_gap"] = exact.gap
    true = exact.filter(like="true_")
    return _gaps(built, "marts_public").merge(true, left_on=KEY, right_index=True, validate="1:1")


def test_every_headline_row_is_shown(figures: pd.DataFrame) -> None:
    headline = figures[
        (figures.group_type == "all")
        & (figures.program_group == "any")
        & (figures.involvement == "ever")
        & (figures.true_n_involved + figures.true_n_not_involved > 50)
    ]
    assert len(headline) > 10
    assert not headline.is_suppressed.any()


def test_only_school_years_that_have_ended_are_public(built: Settings) -> None:
    years = {
        schema: set(_gaps(built, schema).school_year)
        for schema in ("marts_public", "marts_pseudonymized")
    }
    (running,) = _read(built, "select school_year from staging.stg_as_of").school_year
    assert years["marts_pseudonymized"] - years["marts_public"] == {running}


def test_small_counts_cannot_be_computed(figures: pd.DataFrame, policy: pd.Series) -> None:
    worked_out = work_out(figures, policy.noise_variance)
    assert len(worked_out) > 2000
    # The attacker knows that the count is from 1 to 10, and how common each is.
    assert hits(worked_out).margin <= MARGIN
    # Counts for which the attack uses more than one figure.
    averaged = worked_out[worked_out.deviation < np.sqrt(policy.noise_variance)]
    small = averaged[averaged.true.between(1, 10)]
    named = (small.estimate.round() == small.true).mean()
    assert named - hits(averaged).by_guessing <= MARGIN


def test_noise_is_unbiased(figures: pd.DataFrame, policy: pd.Series) -> None:
    large = figures[
        (figures.true_n_involved >= 3 * policy.largest_noise)
        & (figures.true_n_not_involved >= 3 * policy.largest_noise)
    ]
    for side in SIDES:
        # The same students have the same noise, which is counted once.
        counts = [f"true_n_{side}", f"n_{side}"]
        sets = large.drop_duplicates([*SETS, *counts])
        noise = (sets[f"n_{side}"] - sets[f"true_n_{side}"]).astype(float)
        assert noise.abs().max() <= policy.largest_noise
        assert noise.var() == pytest.approx(policy.noise_variance, rel=0.3)
        assert abs(noise.mean()) < 4 * np.sqrt(policy.noise_variance / len(noise))


def test_the_same_students_have_the_same_figure_everywhere(
    built: Settings, figures: pd.DataFrame
) -> None:
    key = [column for column in KEY if column != "program_group"]
    sets = _read(built, COUNTED)
    shown = figures[(figures.program_group == "any") & ~figures.is_suppressed].merge(sets, on=key)
    counts = []
    for side in SIDES:
        counts.append(
            shown[[f"n_{side}_set", f"n_{side}"]].set_axis(["students", "figure"], axis=1)
        )
        share = shown[~shown.measure.isin(MEANS) & ~shown.is_coded & (shown[f"n_{side}"] < 500)]
        counted = (share[f"n_{side}"] * share[f"value_{side}"]).round()
        counts.append(
            pd.DataFrame({"students": share[f"x_{side}_set"].fillna(0), "figure": counted})
        )
    found = pd.concat(counts).groupby("students").figure.agg(["nunique", "size"])
    assert (found["size"] > 1).sum() > 50
    assert (found["nunique"] == 1).all()


def test_no_students_value_follows_from_two_means(figures: pd.DataFrame) -> None:
    """Two means of the same students but one."""
    shown = figures[figures.measure.isin(MEANS) & figures.gap.notna()]
    unit = ["school_year", "measure", "district_id", "group_type", "group_value"]
    pairs = shown.merge(shown, on=unit, suffixes=("", "_other"))
    pairs = pairs[pairs.true_n_involved - pairs.true_n_involved_other == 1]
    assert len(pairs) > 20
    known = pairs.n_involved * pairs.value_involved
    value = known - pairs.n_involved_other * pairs.value_involved_other
    largest = pairs.measure.map({"attendance_rate": 1, "gpa": 4})
    # Otherwise every second value would be impossible.
    assert (~value.between(0, largest)).mean() > 0.4


def test_no_public_figure_has_full_precision(figures: pd.DataFrame) -> None:
    decimals = np.where(figures.measure == "gpa", 2, 3)
    for column in ("value_involved", "value_not_involved", "gap", "ci_low", "ci_high"):
        scaled = figures[column].astype(float) * 10.0**decimals
        assert np.allclose(scaled, scaled.round(), atol=1e-6, equal_nan=True)
    scaled = figures.adjusted_coverage.astype(float) * 100
    assert np.allclose(scaled, scaled.round(), atol=1e-6, equal_nan=True)


def test_a_gap_follows_from_the_shown_values(figures: pd.DataFrame) -> None:
    shown = figures[figures.gap.notna()].astype({"gap": float})
    assert np.allclose(shown.gap, shown.value_involved - shown.value_not_involved)
    assert (shown.ci_low.isna() | (shown.ci_low < shown.gap)).all()
    assert shown.adjusted_coverage.notna().all()
    # The widened interval has the true gap in 19 of 20 rows.
    inside = shown.true_gap.between(shown.ci_low, shown.ci_high)
    assert inside[shown.ci_low.notna()].mean() > 0.95
