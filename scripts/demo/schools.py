"""Districts, their schools and calendars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from demo.plan import MONDAY, Plan, last_weekday

SESSION_DAYS = 180
# Lowest and highest grade of each kind of school (-1 = pre-kindergarten).
BANDS = {"Elementary": (-1, 5), "Middle School": (6, 8), "High School": (9, 12)}
STUDENTS_PER_SCHOOL = {"Elementary": 330, "Middle School": 400, "High School": 900}
SCHOOL_NAMES = (
    "Allegheny", "Arsenal", "Beechwood", "Brookline", "Concord", "Dilworth", "Eastgate",
    "Faison", "Fulton", "Grandview", "Greenway", "Hilltop", "Ironbridge", "Junction",
    "Kenmawr", "Lakeside", "Lincoln", "Mifflin", "Northview", "Overbrook", "Parkway",
    "Quarry", "Riverside", "Roosevelt", "Schenley", "Sterling", "Terrace", "Union",
    "Vista", "Westwood",
)  # fmt: skip


@dataclass(frozen=True)
class District:
    """A district's properties that show in its deliveries."""

    district_id: str
    aun: str
    id_digits: int
    # Highest student id in use; real ids start with zeros.
    highest_id: int
    first_school_code: int
    # Days from the first day of school back from the last Monday of August.
    starts_before_last_monday: int
    # Days between the last reported school day and the delivery, at the promptest school.
    report_lag: int
    # The first day of session (counted from 1) on which a marking period shows a GPA.
    marks_after: int
    lowest_grade: int
    schools: dict[str, int]


DISTRICTS = {
    "pittsburgh": District(
        "pittsburgh", "102027451", 9, 480_000, 12, 4, 3, 45, 0,
        {"Elementary": 5, "Middle School": 3, "High School": 2},
    ),
    "clairton": District(
        "clairton", "103021752", 6, 80_000, 57, 0, 1, 15, -1,
        {"Elementary": 1, "Middle School": 1, "High School": 1},
    ),
    "woodland_hills": District(
        "woodland_hills", "103029902", 6, 90_000, 97, 0, 0, 15, 0,
        {"Elementary": 2, "Middle School": 1, "High School": 1},
    ),
    "cornell": District(
        "cornell", "103022103", 10, 90_000, 131, 0, 0, 15, -1,
        {"Elementary": 2, "Middle School": 1, "High School": 1},
    ),
}  # fmt: skip


def make_schools(plan: Plan, district: District, students: int) -> pl.DataFrame:
    """One row per school: school_code, school_name, band, starts_late, report_lag (days)."""
    chance = plan.chance("schools", district.district_id)
    rows: list[tuple[str, str, str, bool, int]] = []
    code = district.first_school_code
    for band, (low, high) in BANDS.items():
        share = (high - low + 1) / 14
        count = max(district.schools[band], int(students * share / STUDENTS_PER_SCHOOL[band]))
        for number in range(count):
            place = SCHOOL_NAMES[len(rows) % len(SCHOOL_NAMES)]
            again = len(rows) // len(SCHOOL_NAMES)
            name = f"{place} {band}" + (f" {again + 1}" if again else "")
            late = number > 0 and chance.random() < 0.25
            lag = int(chance.choice([0, 1, 2], p=[0.75, 0.18, 0.07]))
            rows.append((f"{code:04d}", name, band, late, district.report_lag + lag))
            code += int(chance.integers(2, 6))
    columns = ["school_code", "school_name", "band", "starts_late", "report_lag"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def school_days(district: District, school_year: int) -> pl.DataFrame:
    """One row per weekday of the school year: calendar_date, in_session.

    180 days in session from the end of August; the usual holidays are days without.
    """
    day = last_weekday(school_year - 1, 8, MONDAY) - timedelta(
        days=district.starts_before_last_monday
    )
    closed = _holidays(school_year)
    days: list[tuple[date, bool]] = []
    sessions = 0
    while sessions < SESSION_DAYS:
        if day.weekday() < 5:
            in_session = day not in closed
            sessions += in_session
            days.append((day, in_session))
        day += timedelta(days=1)
    return pl.DataFrame(days, schema=["calendar_date", "in_session"], orient="row")


def _holidays(school_year: int) -> set[date]:
    fall, spring = school_year - 1, school_year

    def monday_from(day: date) -> date:
        return day + timedelta(days=-day.weekday() % 7)

    thanksgiving = monday_from(date(fall, 11, 19)) + timedelta(days=3)
    return {
        monday_from(date(fall, 9, 1)),  # Labor Day
        date(fall, 11, 11),
        monday_from(date(spring, 1, 15)),  # Martin Luther King
        monday_from(date(spring, 2, 15)),  # presidents
        last_weekday(spring, 5, MONDAY),
        *(thanksgiving + timedelta(days=d) for d in range(5)),
        *(date(fall, 12, 24) + timedelta(days=d) for d in range(9)),
        *(monday_from(date(spring, 4, 1)) + timedelta(days=d) for d in range(5)),
    }


def make_calendar(district: District, school_year: int, schools: pl.DataFrame) -> pl.DataFrame:
    """One row per school and weekday of the year: school_code, calendar_date, in_session.

    A school that starts late has no row for the district's first day.
    """
    days = school_days(district, school_year)
    first = days["calendar_date"].min()
    return (
        schools.select("school_code", "school_name", "starts_late")
        .join(days, how="cross")
        .filter(~(pl.col("starts_late") & (pl.col("calendar_date") == first)))
        .drop("starts_late")
    )


def session_dates(calendar: pl.DataFrame) -> np.ndarray:
    """The sorted days on which any school of the calendar is in session."""
    days = calendar.filter("in_session")["calendar_date"].unique().sort()
    return days.to_numpy()
