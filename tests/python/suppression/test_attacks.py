"""The strongest attacks that we know, on what is public, and on what would be without the policy.

docs/suppression.md has their figures. Each is measured on several publications with other keys.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from tests.python.suppression import insider
from tests.python.suppression.conftest import read
from tests.python.suppression.publication import SIDES, drawn, published
from tests.python.suppression.small_counts import Hits, estimated, hits

from outcomes.config import Settings

# Allowed advantage over guessing.
SMALL_COUNTS = 0.1
CHILDREN = 0.05
PUBLICATIONS = 60

# That an attack works without the policy is shown on one warehouse.
on_the_demo = pytest.mark.parametrize("built", ["built_demo"], indirect=True)


def publications(
    exact: pd.DataFrame, policy: pd.Series, table: pd.DataFrame, number: int = PUBLICATIONS
) -> Iterator[pd.DataFrame]:
    """Public figures of the exact rows, with the true counts."""
    for seed in range(number):
        keyed = drawn(exact, np.random.default_rng(seed))
        figures = published(keyed, policy, table)
        for side in SIDES:
            figures[f"true_n_{side}"] = exact[f"n_{side}"].astype(int)
            figures[f"true_total_{side}"] = exact[f"total_{side}"].astype(float).round().astype(int)
        yield figures


def small_counts(exact: pd.DataFrame, policy: pd.Series, table: pd.DataFrame, number: int) -> Hits:
    found = [
        estimated(figures, policy.noise_variance, insider="pittsburgh")
        for figures in publications(exact, policy, table, number)
    ]
    return hits(pd.concat(found), policy.noise_variance)


def children(built: Settings, district: str, school_year: int) -> pd.DataFrame:
    """The student-years of a district, and who is involved."""
    students = read(
        built,
        f"""
        select
            student_years.*, grade_band,
            case is_english_learner when true then 'yes' when false then 'no' end
                as english_learner
        from marts.fct_student_years as student_years
        left join policy.grade_bands using (grade)
        where district_id = '{district}' and school_year = {school_year}
        order by student_key
        """,
    )
    measures = read(
        built,
        "select student_key, measure, value from analysis.int_student_year_measures "
        f"where school_year = {school_year}",
    ).pivot(index="student_key", columns="measure", values="value")
    return (
        students.drop(columns=measures.columns, errors="ignore")
        .join(measures, on="student_key")
        .replace({True: 1.0, False: 0.0, None: np.nan})
    )


def found_children(
    built: Settings, exact: pd.DataFrame, policy: pd.Series, table: pd.DataFrame
) -> list[tuple[float, float, float]]:
    """By attack, by guessing and by the outcomes alone, for each district, year and key."""
    own = exact[(exact.district_id != "all") & (exact.program_group == "any")]
    own = own[own.group_type.isin(["all", *insider.GROUPS])]
    found = []
    for (district, school_year), rows in own.groupby(["district_id", "school_year"]):
        students = children(built, district, school_year)
        for seed, figures in enumerate(publications(rows, policy, table, 4)):
            chance = np.random.default_rng(seed)
            result = insider.attack(students, figures, policy, chance)
            found.append((result.by_attack, result.by_guessing, result.by_outcomes))
    return found


def test_small_counts_cannot_be_computed(
    exact: pd.DataFrame, policy: pd.Series, table: pd.DataFrame
) -> None:
    found = small_counts(exact[exact.is_headline], policy, table, PUBLICATIONS)
    assert found.counts > 10
    assert found.margin <= SMALL_COUNTS


@on_the_demo
def test_small_counts_could_be_computed_with_half_the_noise(
    exact: pd.DataFrame, policy: pd.Series, table: pd.DataFrame
) -> None:
    weaker = policy.copy()
    weaker["noise_variance"] = 2.0
    halved = table.assign(noise=(table.noise / 2).round())
    assert small_counts(exact, weaker, halved, 1).margin > SMALL_COUNTS


def test_the_districts_staff_does_not_find_the_involved_children(
    built: Settings, exact: pd.DataFrame, policy: pd.Series, table: pd.DataFrame
) -> None:
    found = found_children(built, exact[exact.is_headline], policy, table)
    by_attack, by_guessing, by_outcomes = np.mean(found, axis=0)
    # What the staff's own files tell without any publication is no disclosure.
    assert by_attack - max(by_guessing, by_outcomes) <= CHILDREN


@on_the_demo
def test_the_districts_staff_would_find_them_with_cross_tables_of_few_students(
    built: Settings, exact: pd.DataFrame, policy: pd.Series, table: pd.DataFrame
) -> None:
    found = found_children(built, exact, policy, table)
    by_attack, by_guessing, by_outcomes = np.mean(found, axis=0)
    assert by_attack - max(by_guessing, by_outcomes) > CHILDREN
