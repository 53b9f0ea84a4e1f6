"""Effects and balance of interventions against pandas and a statistics library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from outcomes.config import PROJECT_DIR, Settings
from outcomes.warehouse.connection import connect

KEY = ["intervention_code", "school_year", "measure"]
STRATUM = ["district_id", "grade", "band", "involved_prior_year", "economic_status"]
MEASURES = [
    "attendance_rate",
    "gpa",
    "is_chronically_absent_federal",
    "is_chronically_absent_pde",
    "is_proficient_math",
    "is_proficient_reading",
]


def seed(name: str) -> pd.DataFrame:
    return pd.read_csv(PROJECT_DIR / "seeds" / "policy" / f"{name}.csv")


def _frame(built: Settings, query: str) -> pd.DataFrame:
    with connect(built) as connection:
        cursor = connection.execute(query.encode())
        assert cursor.description is not None
        return pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])


@pytest.fixture(scope="module")
def matched(built_demo: Settings) -> dict[tuple[Any, ...], pd.DataFrame]:
    """The matched students with weights, by intervention, school year and measure."""
    spells = _frame(built_demo, "select * from marts.fct_intervention_spells")
    years = _frame(built_demo, "select * from marts.fct_student_years")
    for measure in MEASURES:
        years[measure] = years[measure].astype(float)
    # Right-closed, as in the policy: exactly 90 % of days present is chronic absence.
    years["band"] = pd.cut(years["attendance_rate"], [-1, 0.8, 0.9, 0.95, 1], labels=list("abcd"))
    spells["started_on"] = pd.to_datetime(spells["started_on"])
    first = spells.groupby(["intervention_code", "student_key"], as_index=False)["started_on"].min()
    first["school_year"] = first["started_on"].dt.year + (first["started_on"].dt.month >= 7)
    before = years[["student_key", "school_year", "band", *MEASURES]].assign(
        school_year=years["school_year"] + 1
    )
    pairs = years.drop(columns="band").merge(
        before, on=["student_key", "school_year"], suffixes=("", "_before")
    )
    pairs["economic_status"] = pairs["economic_status"].fillna("unknown")
    found = {}
    for (code, year), participants in first.groupby(["intervention_code", "school_year"]):
        ever = set(first.loc[first["intervention_code"] == code, "student_key"])
        keys = set(participants["student_key"])
        districts = {key.split(":")[0] for key in keys}
        pool = pairs[
            (pairs["school_year"] == year)
            & pairs["district_id"].isin(districts)
            & pairs["band"].notna()
            & (pairs["student_key"].isin(keys) | ~pairs["student_key"].isin(ever))
        ]
        for measure in MEASURES:
            sample = pool.dropna(subset=[measure, f"{measure}_before"]).copy()
            sample["treated"] = sample["student_key"].isin(keys)
            strata = sample.groupby(STRATUM, observed=True)["treated"]
            treated, size = strata.transform("sum"), strata.transform("size")
            sample["weight"] = np.where(sample["treated"], 1.0, treated / (size - treated))
            sample.loc[(treated == 0) | (treated == size), "weight"] = 0.0
            sample["change"] = sample[measure] - sample[f"{measure}_before"]
            found[code, year, measure] = sample
    return found


def test_effects_equal_weighted_least_squares(
    built_demo: Settings, matched: dict[tuple[Any, ...], pd.DataFrame]
) -> None:
    effects = _frame(built_demo, "select * from marts_pseudonymized.rpt_intervention_effects")
    effects = effects[effects["measure"].isin(MEASURES)]
    (fewest,) = seed("reporting_rules")["smallest_number_of_students"]
    (fewest_schools,) = seed("intervention_evaluation_rules")["smallest_number_of_schools"]
    with_interval = 0
    for row in effects.itertuples():
        sample = matched[row.intervention_code, row.school_year, row.measure]
        sample = sample[sample["weight"] > 0]
        assert row.n_matched == sample["treated"].sum()
        assert row.n_comparison == (~sample["treated"]).sum()
        assert row.n_schools == sample["school_code"].groupby(sample["district_id"]).nunique().sum()
        if sample.empty:
            assert pd.isna(row.effect)
            assert row.limitation == "no_match"
            continue
        model = sm.WLS(
            sample["change"].to_numpy(),
            sm.add_constant(sample["treated"].astype(float).to_numpy()),
            weights=sample["weight"].to_numpy(),
        )
        schools = pd.factorize(sample["district_id"] + ":" + sample["school_code"])[0]
        is_small = min(row.n_matched, row.n_comparison) < fewest
        assert (row.limitation == "too_few_students") == is_small
        has_interval = row.n_schools >= fewest_schools
        if not is_small:
            assert row.limitation == (None if has_interval else "no_interval")
        if not has_interval:
            assert row.effect == pytest.approx(model.fit().params[1], abs=1e-9)
            assert pd.isna(row.standard_error)
            assert pd.isna(row.ci_low)
            continue
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": schools}, use_t=True)
        assert row.effect == pytest.approx(fit.params[1], abs=1e-9)
        assert row.standard_error == pytest.approx(fit.bse[1], abs=1e-9)
        assert (row.ci_low, row.ci_high) == pytest.approx(tuple(fit.conf_int()[1]), abs=1e-9)
        with_interval += 1
    assert with_interval >= 2


def test_every_participant_is_matched_or_has_a_reason(built_demo: Settings) -> None:
    effects = _frame(built_demo, "select * from marts_pseudonymized.rpt_intervention_effects")
    spells = _frame(
        built_demo,
        "select intervention_code, count(distinct student_key) as n"
        " from marts.fct_intervention_spells group by 1",
    )
    reasons = ["n_matched", *(c for c in effects.columns if c.startswith("n_without"))]
    assert (effects[reasons].sum(axis=1) == effects["n_participants"]).all()
    per_intervention = (
        effects[effects["measure"] == "gpa"].groupby("intervention_code")["n_participants"].sum()
    )
    assert per_intervention.to_dict() == spells.set_index("intervention_code")["n"].to_dict()


def test_balance_of_the_matched_sample(
    built_demo: Settings, matched: dict[tuple[Any, ...], pd.DataFrame]
) -> None:
    balance = _frame(built_demo, "select * from marts_pseudonymized.rpt_intervention_balance")
    rows = balance[
        (balance["covariate"] == "measure_before") & (balance["measure"] == "attendance_rate")
    ]
    assert len(rows)
    for row in rows.itertuples():
        sample = matched[row.intervention_code, row.school_year, row.measure]
        treated, others = sample[sample["treated"]], sample[~sample["treated"]]
        values = "attendance_rate_before"
        spread = np.sqrt((treated[values].var() + others[values].var()) / 2)
        assert row.participants_before == pytest.approx(treated[values].mean(), abs=1e-9)
        assert row.comparison_before == pytest.approx(others[values].mean(), abs=1e-9)
        if sample["weight"].gt(0).any():
            means = [np.average(g[values], weights=g["weight"]) for g in (treated, others)]
            assert row.standardized_difference_after == pytest.approx(
                (means[0] - means[1]) / spread, abs=1e-9
            )
        else:
            assert pd.isna(row.standardized_difference_after)


def test_matched_groups_agree_in_the_matching_variables(built_demo: Settings) -> None:
    balance = _frame(built_demo, "select * from marts_pseudonymized.rpt_intervention_balance")
    exact = balance[balance["covariate"].isin(["grade", "is_involved_prior_year"])].dropna()
    assert len(exact)
    assert exact["standardized_difference_after"].to_numpy() == pytest.approx(0, abs=1e-9)
