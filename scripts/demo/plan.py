"""The plan of a demo: sizes, dates of delivery, and a random generator per job."""

from __future__ import annotations

import zlib
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from outcomes.errors import OutcomesError

# The newest school year of the demo, 2012-13; it is still running at the last delivery.
RUNNING_YEAR = 2013
MONDAY, WEDNESDAY, FRIDAY = 0, 2, 4
# Before this day no source has data.
SOURCES_SINCE = date(2002, 1, 1)
CLIENTS_PER_STUDENT = 12
MAX_WEEKS = 40
MAX_SCHOOL_YEARS = 2


def last_weekday(year: int, month: int, weekday: int) -> date:
    """The last Monday (0) … Sunday (6) of a month."""
    last = date(year, month, monthrange(year, month)[1])
    return last - timedelta(days=(last.weekday() - weekday) % 7)


@dataclass(frozen=True)
class Delivery:
    """One delivery of a district: a snapshot of one school year, known on one day."""

    as_of: date
    school_year: int
    # Spring whose state test results come with this delivery (they arrive in August).
    test_year: int | None = None


@dataclass(frozen=True)
class Plan:
    """The arguments of a run; the same plan always gives the same bytes.

    The people of a plan live in its `districts`, or elsewhere in the county. People, client
    records and services are numbered after `numbered_after`.
    """

    students: int
    clients: int
    weeks: int
    school_years: int
    seed: int
    districts: tuple[str, ...] = ("pittsburgh", "clairton", "woodland_hills")
    numbered_after: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible sizes."""
        fewest_students = 200 if len(self.districts) > 1 else 20
        limits = {
            "--students": (self.students, fewest_students, 1_000_000),
            "--clients": (self.clients, self.students, 100_000_000),
            "--weeks": (self.weeks, 1, MAX_WEEKS),
            "--school-years": (self.school_years, 0, MAX_SCHOOL_YEARS),
            "--seed": (self.seed, 0, 2**32 - 1),
        }
        for option, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise OutcomesError(f"{option} must be from {low} to {high}, not {value}.")

    def chance(self, *job: object) -> np.random.Generator:
        """The random generator of one job, so that jobs do not change each other's numbers."""
        seed = self.seed + self.numbered_after
        return np.random.default_rng([seed, zlib.crc32(repr(job).encode())])

    def parts(self) -> tuple[Plan, Plan]:
        """The plan, and one of Cornell, with people and random numbers of its own.

        So Cornell's children are invented like all others, but nobody else depends on them.
        """
        # Enough to show its programs and graduates in a small demo, too.
        students = max(round(0.02 * self.students), min(100, self.students // 4))
        cornell = replace(
            self,
            students=students,
            clients=self.clients * students // self.students,
            districts=("cornell",),
            numbered_after=500_000_000,
        )
        return self, cornell

    @property
    def first_year(self) -> int:
        """The oldest school year of the demo (spring year)."""
        return RUNNING_YEAR - self.school_years

    @property
    def ever_students(self) -> int:
        """Students of all years: `students` are enrolled at a time, in 13 grades.

        Pre-kindergarten and the graduates of each finished year are added.
        """
        return self.students * (14 + self.school_years) // 13

    @property
    def people(self) -> int:
        """People in the county: about one per 15 client records."""
        return max(self.clients // 15, 3 * self.ever_students)

    def pittsburgh(self) -> list[Delivery]:
        """Weekly on Mondays; every finished year in June, its tests in August."""
        return self._district(MONDAY, first_year=self.first_year)

    def clairton(self) -> list[Delivery]:
        """Weekly on Wednesdays; it joined in 2012 at the end of a school year."""
        return self._district(WEDNESDAY, first_year=max(self.first_year, RUNNING_YEAR - 1))

    def woodland_hills(self) -> list[Delivery]:
        """Weekly on Fridays, of the running year only."""
        return self._district(FRIDAY, first_year=RUNNING_YEAR)

    def cornell(self) -> list[Delivery]:
        """With the state's collections; it joined in 2012 with the files of the year before.

        A finished year in July, the running one in October, January and April.
        """
        fall, spring = RUNNING_YEAR - 1, RUNNING_YEAR
        ended = [Delivery(date(fall, 7, 13), fall)] if self.school_years else []
        days = [date(fall, 10, 5), date(spring, 1, 4), date(spring, 4, 5)]
        return ended + [Delivery(day, RUNNING_YEAR) for day in days if day <= self.last_day]

    def _district(self, weekday: int, first_year: int) -> list[Delivery]:
        deliveries = []
        for year in range(first_year, RUNNING_YEAR):
            deliveries.append(Delivery(last_weekday(year, 6, weekday), year))
            # In the running year, August has the first of the weekly deliveries.
            if year + 1 < RUNNING_YEAR:
                deliveries.append(Delivery(last_weekday(year, 8, weekday), year + 1, year))
        start = last_weekday(RUNNING_YEAR - 1, 8, weekday)
        for week in range(self.weeks):
            tests = RUNNING_YEAR - 1 if week == 0 else None
            deliveries.append(Delivery(start + timedelta(weeks=week), RUNNING_YEAR, tests))
        return deliveries

    def human_services(self) -> list[date]:
        """Fridays: the full extract a week before school starts, then weekly changes."""
        first = date(RUNNING_YEAR - 1, 8, 24)
        return [first + timedelta(weeks=week) for week in range(self.weeks + 1)]

    def rosters(self) -> list[date]:
        """The last day of each month of the running year, up to the last week."""
        months = [(RUNNING_YEAR - 1, month) for month in range(8, 13)]
        months += [(RUNNING_YEAR, month) for month in range(1, 7)]
        ends = [date(year, month, monthrange(year, month)[1]) for year, month in months]
        return [day for day in ends if day <= self.last_day]

    @property
    def last_day(self) -> date:
        """As-of date of the newest delivery."""
        return max(self.woodland_hills()[-1].as_of, self.human_services()[-1])
