"""The gaps' confidence intervals against a statistics library."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tests.python.conftest import BuiltWarehouse

MEANS = {"attendance_rate": "attendance_rate", "gpa": "gpa"}
SHARES = {
    "is_chronically_absent_pde": "is_chronically_absent_pde::int",
    "is_proficient_math": "is_proficient_math::int",
}


def _groups(built: BuiltWarehouse, expression: str) -> tuple[np.ndarray, np.ndarray]:
    with built.connect() as connection:
        rows = connection.execute(
            f"""
            select involved_ever, ({expression})::float8
            from marts.fct_student_years
            where school_year = 2012 and {expression} is not null
            """.encode()
        ).fetchall()
    involved = np.array([value for is_involved, value in rows if is_involved])
    others = np.array([value for is_involved, value in rows if not is_involved])
    assert len(involved) > 10
    assert len(others) > 10
    return involved, others


def _published(built: BuiltWarehouse, measure: str) -> tuple[float, float, float]:
    with built.connect() as connection:
        row = connection.execute(
            """
            select gap, ci_low, ci_high
            from intermediate.int_outcome_gaps
            where
                school_year = 2012 and district_id = 'all' and program_group = 'any'
                and involvement = 'ever' and measure = %s
            """,
            [measure],
        ).fetchone()
    assert row is not None
    gap, low, high = (float(value) for value in row)
    return gap, low, high


@pytest.mark.parametrize("measure", MEANS)
def test_interval_of_means_is_welchs(built_demo: BuiltWarehouse, measure: str) -> None:
    involved, others = _groups(built_demo, MEANS[measure])
    interval = stats.ttest_ind(involved, others, equal_var=False).confidence_interval(0.95)
    gap, low, high = _published(built_demo, measure)
    assert gap == pytest.approx(involved.mean() - others.mean(), abs=1e-9)
    assert (low, high) == pytest.approx((interval.low, interval.high), abs=1e-9)


@pytest.mark.parametrize("measure", SHARES)
def test_interval_of_shares_is_newcombes(built_demo: BuiltWarehouse, measure: str) -> None:
    involved, others = _groups(built_demo, SHARES[measure])
    first, second = (
        stats.binomtest(int(group.sum()), len(group)).proportion_ci(0.95, method="wilson")
        for group in (involved, others)
    )
    p, q = involved.mean(), others.mean()
    gap, low, high = _published(built_demo, measure)
    assert gap == pytest.approx(p - q, abs=1e-9)
    assert low == pytest.approx(p - q - np.hypot(p - first.low, second.high - q), abs=1e-9)
    assert high == pytest.approx(p - q + np.hypot(first.high - p, q - second.low), abs=1e-9)


def test_quantile_of_students_t(built_demo: BuiltWarehouse) -> None:
    with built_demo.connect() as connection:
        coefficients = np.array(
            connection.execute(
                "select coefficient from policy.student_t_coefficients order by degree"
            ).fetchall()
        )[:, 0]
    degrees = np.concatenate([np.linspace(1, 50, 500), np.geomspace(50, 1e9, 200)])
    angles = np.outer(np.arccos(2 / degrees - 1), np.arange(len(coefficients)))
    quantiles = np.exp(np.cos(angles) @ coefficients)
    assert np.abs(quantiles - stats.t.ppf(0.975, degrees)).max() < 1e-12
