"""The public gaps, compared with the exact ones, and recomputed from themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest
from statsmodels.stats.proportion import confint_proportions_2indep
from tests.python.suppression.conftest import read
from tests.python.suppression.publication import DECIMALS, KEY, RANGES, published

from outcomes.config import Settings

NORMAL = 1.959963984540054
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
        inner join analysis.int_student_year_measures as measures
            using (student_key, school_year)
        inner join policy.outcome_measures using (measure)
        cross join lateral (select is_proportion and value = 1 as has_outcome) as outcomes
        group by 1, 2, 3, 4, 5, 6
    )

    select * from counted
"""


def _gaps(built: Settings, schema: str) -> pd.DataFrame:
    ungrouped = read(built, f"select * from {schema}.rpt_outcome_gaps")
    grouped = read(built, f"select * from {schema}.rpt_outcome_gaps_by_group")
    return pd.concat([ungrouped.assign(group_type="all", group_value="all"), grouped])


@pytest.fixture(scope="module")
def figures(built: Settings) -> pd.DataFrame:
    """Public rows, with the exact gaps and numbers of students in `true_…`."""
    exact = _gaps(built, "marts_pseudonymized").set_index(KEY)
    true = exact[["n_involved", "n_not_involved", "gap", "adjusted_gap"]].add_prefix("true_")
    return _gaps(built, "marts_public").merge(true, left_on=KEY, right_index=True, validate="1:1")


@pytest.fixture(scope="module")
def shown(figures: pd.DataFrame) -> pd.DataFrame:
    """The public rows that are not suppressed."""
    return figures[~figures.is_suppressed.astype(bool)].reset_index(drop=True)


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
    (running,) = read(built, "select school_year from deliveries.int_as_of").school_year
    assert years["marts_pseudonymized"] - years["marts_public"] == {running}


def test_few_students_have_no_cross_tables(figures: pd.DataFrame, policy: pd.Series) -> None:
    students = figures.true_n_involved + figures.true_n_not_involved
    assert students.max() < policy.cross_table_students
    assert set(figures.group_type) == {"all"}
    assert set(figures.program_group) == {"any"}


def test_the_models_and_python_perturb_alike(
    built: Settings, figures: pd.DataFrame, policy: pd.Series, table: pd.DataFrame
) -> None:
    rows = read(built, "select * from analysis.int_outcome_gaps_to_release")
    expected = published(rows, policy, table).set_index(KEY).sort_index()
    found = figures.set_index(KEY).sort_index()
    assert len(found) == len(expected) > 50
    # PostgreSQL rounds 0.5 up, Python to an even digit.
    unit = np.where(found.index.get_level_values("measure") == "gpa", 0.01, 0.001)
    for column in expected:
        differs = (found[column].astype(float) - expected[column].astype(float)).abs()
        assert (found[column].isna() == expected[column].isna()).all(), column
        assert (differs.fillna(0) < 1.5 * unit).all(), column
        assert (differs.fillna(0) < 1e-9).mean() > 0.95, column


def test_one_set_of_students_has_one_key_and_another_set_another(built: Settings) -> None:
    key = [column for column in KEY if column != "program_group"]
    sets = read(built, COUNTED)
    rows = read(built, "select * from analysis.int_outcome_gaps_to_release")
    rows = rows.merge(sets, on=key)
    counted = {
        "n_involved": "n_involved_set",
        "n_not_involved": "n_not_involved_set",
        "total_involved": "x_involved_set",
        "total_not_involved": "x_not_involved_set",
    }
    pairs = pd.concat(
        [
            pd.DataFrame(
                {
                    "students": rows.school_year.astype(str) + " " + rows[students].astype(str),
                    "key": rows[f"{count}_cell_key"],
                }
            )[rows[students].notna() & (rows.is_proportion | count.startswith("n_"))]
            for count, students in counted.items()
        ]
    )
    assert pairs.duplicated().sum() > 20
    distinct = pairs.drop_duplicates()
    assert distinct.students.is_unique
    assert distinct.key.is_unique
    assert kstest(distinct.key.astype(float), "uniform").pvalue > 0.001


def test_the_keys_of_parts_do_not_add_up(built: Settings) -> None:
    """With additive keys, involved and others would add up to one key for each unit."""
    rows = read(built, "select * from analysis.int_outcome_gaps_to_release")
    rows["sum"] = ((rows.n_involved_cell_key + rows.n_not_involved_cell_key) % 1).astype(float)
    unit = ["school_year", "district_id", "group_type", "group_value", "measure"]
    sums = rows[rows.n_involved > 0].groupby(unit)["sum"]
    several = sums.agg(["nunique", "size"]).query("size > 1")
    assert len(several) > 10
    assert (several["nunique"] == several["size"]).mean() > 0.8


def test_what_is_computed_follows_from_the_row_alone(
    shown: pd.DataFrame, policy: pd.Series
) -> None:
    """Gaps and intervals from the shown numbers and values, as any reader could compute them."""
    assert len(shown) > 50
    for row in shown.itertuples():
        values = (float(row.value_involved), float(row.value_not_involved))
        numbers = (int(row.n_involved), int(row.n_not_involved))
        if not row.is_coded:
            assert row.gap == pytest.approx(values[0] - values[1], abs=1e-9)
        else:
            assert pd.isna(row.gap)
            assert pd.isna(row.adjusted_gap)
        expected = [_bound(row.measure, values, numbers, row, policy, side) for side in (-1, 1)]
        unit = 10.0 ** -DECIMALS[row.measure]
        assert [row.ci_low, row.ci_high] == pytest.approx(expected, abs=unit)


def _bound(
    measure: str,
    values: tuple[float, float],
    numbers: tuple[int, int],
    row: tuple[object, ...],
    policy: pd.Series,
    side: int,
) -> float:
    """A bound of the interval: `side` is −1 for the lower, 1 for the upper one."""
    squares = sum(1 / n**2 for n in numbers)
    if measure in RANGES:
        gap = values[0] - values[1]
        deviation = float(row.standard_deviation)  # type: ignore[attr-defined]
        margin = NORMAL * deviation * np.sqrt(sum(1 / n for n in numbers))
        noise = (policy.mean_noise * RANGES[measure]) ** 2 * squares
    else:
        extremes = [
            _beyond(value, policy, outwards) if row.is_coded else value  # type: ignore[attr-defined]
            for value, outwards in zip(values, (side, -side), strict=True)
        ]
        gap = extremes[0] - extremes[1]
        counts = [round(share * n, 9) for share, n in zip(extremes, numbers, strict=True)]
        bounds = confint_proportions_2indep(
            counts[0], numbers[0], counts[1], numbers[1], method="newcomb", compare="diff"
        )
        margin = bounds[0 if side == -1 else 1] - gap
        noise = policy.noise_variance * sum(
            (1 + value**2) / n**2 for value, n in zip(values, numbers, strict=True)
        )
    found = gap + side * float(np.sqrt(margin**2 + NORMAL**2 * noise))
    largest = RANGES.get(measure, 1)
    return max(-largest, min(largest, found))


def _beyond(value: float, policy: pd.Series, outwards: int) -> float:
    """The extreme that a coded share may have; a bound itself is indistinguishable from it."""
    if value == policy.lowest_published_share and outwards == -1:
        return 0.0
    if value == policy.highest_published_share and outwards == 1:
        return 1.0
    return value


def test_no_shown_row_lacks_its_interval(shown: pd.DataFrame) -> None:
    needed = ["ci_low", "ci_high", "n_involved", "n_not_involved", "value_involved"]
    assert shown[needed].notna().all(axis=None)


def test_an_adjusted_gap_has_noise_of_its_own(shown: pd.DataFrame) -> None:
    """Published and true adjusted gaps do not differ by what published and true gaps do."""
    rows = shown[shown.adjusted_gap.notna() & shown.true_adjusted_gap.notna()]
    # Noise that is equal in the rows of the same students counts once.
    noise = rows.drop_duplicates(["measure", "school_year", "true_gap", "true_adjusted_gap"])
    of_gap = (noise.gap - noise.true_gap).astype(float)
    of_adjusted = (noise.adjusted_gap - noise.true_adjusted_gap).astype(float)
    units = noise.measure.map(DECIMALS).rpow(10.0) ** -1
    assert len(noise) > 40
    assert ((of_gap - of_adjusted).abs() <= units).mean() < 0.2
    assert abs(np.corrcoef(of_gap, of_adjusted)[0, 1]) < 0.5


def test_no_public_figure_has_full_precision(figures: pd.DataFrame) -> None:
    decimals = np.where(figures.measure == "gpa", 2, 3)
    for column in (
        "value_involved", "value_not_involved", "gap", "ci_low", "ci_high", "adjusted_gap",
    ):  # fmt: skip
        scaled = figures[column].astype(float) * 10.0**decimals
        assert np.allclose(scaled, scaled.round(), atol=1e-6, equal_nan=True)
    scaled = figures.adjusted_coverage.astype(float) * 100
    assert np.allclose(scaled, scaled.round(), atol=1e-6, equal_nan=True)


def test_the_interval_has_the_true_gap_in_19_of_20_rows(shown: pd.DataFrame) -> None:
    inside = shown.true_gap.between(shown.ci_low, shown.ci_high)
    assert inside.mean() > 0.95


def test_noise_is_small_beside_the_headline_gaps(shown: pd.DataFrame) -> None:
    """The price of the noise, for shares and any program."""
    rows = shown[~shown.measure.isin(list(RANGES)) & shown.gap.notna()]
    wrong = (rows.gap - rows.true_gap).abs().astype(float)
    assert wrong.median() < 0.05
