"""Early warnings and absence risks against an independent computation, day by day."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pandas as pd
import pytest

from outcomes.config import Settings
from outcomes.warehouse.connection import connect

SHARE = {"elementary": 0.10, "middle": 0.20, "high": 0.10}
FOUR_WEEKS = timedelta(weeks=4)
STUDENT = ["district_id", "district_student_id"]


def _frame(built: Settings, query: str) -> pd.DataFrame:
    with connect(built) as connection:
        cursor = connection.execute(query.encode())
        assert cursor.description
        return pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])


@pytest.fixture(scope="module")
def warnings(built_demo: Settings) -> pd.DataFrame:
    frame = _frame(built_demo, "select * from marts.rpt_early_warnings")
    assert frame.district_id.nunique() == 3
    return frame.sort_values([*STUDENT, "week_starts_on"]).reset_index(drop=True)


def test_attendance_is_the_sum_of_the_days(built_demo: Settings, warnings: pd.DataFrame) -> None:
    days = _frame(
        built_demo,
        """
        select
            enrolled.district_id, enrolled.district_student_id,
            date '2012-07-01' + n as calendar_date, day_fraction, is_excused
        from intermediate.int_enrollment_calendars as enrolled
        cross join generate_series(0, 365) as n
        left join intermediate.int_absence_calendars as absent
            on
                (enrolled.district_id, enrolled.district_student_id, enrolled.school_year)
                = (absent.district_id, absent.district_student_id, absent.school_year)
                and get_bit(absent_days, n) = 1
        where enrolled.school_year = 2013 and get_bit(enrolled_days, n) = 1
        """,
    )
    by_student = dict(tuple(days.groupby(STUDENT)))
    counted = warnings[warnings.district_id != "clairton"]
    assert len(counted) > 500
    for row in counted.itertuples():
        known = by_student.get((row.district_id, row.district_student_id), days[:0])
        known = known[known.calendar_date <= row.week_ends_on]
        absent = known.day_fraction.dropna().astype(float)
        assert row.days_enrolled == len(known)
        assert float(row.days_absent) == absent.sum()
        unexcused = known[known.is_excused.eq(False)].day_fraction.astype(float).sum()
        assert float(row.days_absent_unexcused) == unexcused


def test_monthly_totals_wait_for_the_end_of_the_month(
    built_demo: Settings, warnings: pd.DataFrame
) -> None:
    totals = _frame(built_demo, "select * from deliveries.int_attendance_totals_accepted")
    totals = totals[totals.school_year == 2013]
    reported = warnings[warnings.district_id == "clairton"]
    as_of = reported.week_ends_on.max()
    ends = [min((m + timedelta(days=32)).replace(day=1) - timedelta(days=1), as_of)
            for m in totals.month]  # fmt: skip
    totals = totals.assign(counts_from=[day - timedelta(days=day.weekday()) for day in ends])
    assert len(reported) > 50
    for row in reported.itertuples():
        known = totals[
            (totals.district_student_id == row.district_student_id)
            & (totals.counts_from <= row.week_starts_on)
        ]
        assert row.days_enrolled == known.days_enrolled.sum()


def test_flags_their_beginning_and_their_change(warnings: pd.DataFrame) -> None:
    flagged = 0
    for _, weeks in warnings.groupby(STUDENT):
        since: date | None = None
        shares: dict[date, float] = {}
        for row in weeks.itertuples():
            limit = SHARE.get(row.grade_band, math.inf)
            fires = None
            if row.days_enrolled and math.isfinite(limit):
                fires = float(row.days_absent) >= limit * row.days_enrolled
            assert row.has_attendance_flag == fires or (row.has_attendance_flag is fires)
            since = (since or row.week_starts_on) if fires else None
            assert row.attendance_flag_since == since
            if row.days_enrolled:
                shares[row.week_starts_on] = float(row.days_absent) / row.days_enrolled
            now, then = (
                shares.get(row.week_starts_on - back) for back in (timedelta(0), FOUR_WEEKS)
            )
            if now is None or then is None:
                assert row.absence_share_change is None or pd.isna(row.absence_share_change)
            else:
                assert float(row.absence_share_change) == pytest.approx(now - then, abs=1e-12)
            flagged += bool(fires)
    assert flagged > 100


def test_grades_count_from_their_delivery(built_sample: Settings) -> None:
    """Uses the sample, because the demo's running year has no grades yet."""
    graded = _frame(
        built_sample,
        """
        select district_id, min(week_ends_on) as first_week_ends_on
        from marts.rpt_early_warnings
        where gpa is not null
        group by district_id
        """,
    )
    delivered = _frame(
        built_sample,
        """
        select partner_id as district_id, min(as_of_date) as first_delivered_on
        from raw.gpas
        where school_year = 2013
        group by partner_id
        """,
    )
    assert len(graded) > 0
    for row in graded.merge(delivered, on="district_id").itertuples():
        behind = row.first_week_ends_on - row.first_delivered_on
        assert timedelta(0) <= behind < timedelta(weeks=1)


def test_days_still_allowed_end_half_a_day_before_the_limit(built_demo: Settings) -> None:
    risks = _frame(built_demo, "select * from marts.rpt_absence_risks")
    assert len(risks) > 300
    for row in risks.itertuples():
        absent, expected = float(row.days_absent), row.days_enrolled_expected
        federal = float(row.days_allowed_federal)
        if row.is_beyond_federal or federal == 0:
            assert (absent + 0.5) * 10 >= expected
        else:
            assert (absent + federal) * 10 < expected <= (absent + federal + 0.5) * 10
        if row.days_allowed_pde is None or pd.isna(row.days_allowed_pde):
            assert expected < 90
            continue
        pde = float(row.days_allowed_pde)
        if row.is_beyond_pde:
            assert pde == 0
            assert absent * 10 > expected
        else:
            assert (absent + pde) * 10 <= expected < (absent + pde + 0.5) * 10


def test_the_latest_week_is_the_last_full_one_of_each_district(
    built_demo: Settings, warnings: pd.DataFrame
) -> None:
    """Pittsburgh delivers on Mondays: its latest week is the one before, and has new flags."""
    delivered = _frame(
        built_demo,
        "select partner_id, as_of_date as day from deliveries.int_deliveries group by 1, 2",
    ).groupby("partner_id").day  # fmt: skip
    latest = warnings[warnings.is_latest_week]
    assert set(latest.district_id) == set(warnings.district_id)
    new = 0
    for row in latest.itertuples():
        reported = sorted(
            {
                day - timedelta(days=day.weekday() if day.weekday() >= 4 else day.weekday() + 7)
                for day in delivered.get_group(row.district_id)
            }
        )
        assert row.week_starts_on == reported[-1]
        expected = [
            flag
            for flag in ("attendance", "behavior", "course", "gpa")
            if (since := getattr(row, f"{flag}_flag_since")) and since > reported[-2]
        ]
        found = row.new_flags if isinstance(row.new_flags, str) else ""
        assert found == ", ".join(expected)
        new += row.district_id == "pittsburgh" and bool(expected)
    assert new > 0
    assert warnings[~warnings.is_latest_week].new_flags.isna().all()
