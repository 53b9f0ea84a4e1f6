"""What a partner has agreed to: purposes and dates, school calendars, when deliveries are due."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, get_args

from pydantic import Field, model_validator

from outcomes.contracts.formats import spring_year
from outcomes.contracts.values import Frozen, Texts


class Agreement(Frozen):
    """The data-sharing agreement; dates are inclusive."""

    signed_on: date
    starts_on: date
    ends_on: date
    purposes: list[Literal["audit_and_evaluation", "service_coordination"]] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_usable(self) -> Agreement:
        if self.ends_on < self.starts_on:
            raise ValueError("endsOn is before startsOn")
        # FERPA's exception (34 CFR 99.31(a)(3)) under which records may be linked.
        if "audit_and_evaluation" not in self.purposes:
            raise ValueError("purposes lacks audit_and_evaluation, the purpose of linking")
        return self

    def is_in_force(self, day: date) -> bool:
        """Whether a delivery of that day may be kept."""
        return self.starts_on <= day <= self.ends_on


class SchoolCalendar(Frozen):
    """The days in session of a school year, for a district that delivers no calendar.

    They are the days from Monday to Friday without the closed ones.
    """

    first_day: date
    last_day: date
    closed: list[date] = []
    # The district's total for the school year, to check that no closed day is missing.
    days_in_session: int
    # Empty: all schools of the district that have no calendar of their own.
    schools: Texts = []

    @model_validator(mode="after")
    def _adds_up(self) -> SchoolCalendar:
        if spring_year(self.first_day) != spring_year(self.last_day):
            raise ValueError("firstDay and lastDay are of different school years")
        for day in self.closed:
            if day not in self._weekdays:
                raise ValueError(f"closed: {day} is not a weekday within the calendar")
        if len(self.session_days) != self.days_in_session:
            raise ValueError(
                f"daysInSession is {self.days_in_session}, but firstDay to lastDay without the "
                f"closed days has {len(self.session_days)}"
            )
        return self

    @property
    def school_year(self) -> int:
        """The school year, by its spring."""
        return spring_year(self.first_day)

    @property
    def session_days(self) -> list[date]:
        """The days in session."""
        return [day for day in self._weekdays if day not in self.closed]

    @property
    def _weekdays(self) -> list[date]:
        days = (self.last_day - self.first_day).days + 1
        all_days = (self.first_day + timedelta(days=number) for number in range(days))
        return [day for day in all_days if day.isoweekday() <= 5]


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_INTERVALS = {"d": "days", "w": "weeks", "m": "months"}


class Frequency(Frozen):
    """How often deliveries come: every so many days (d), weeks (w) or months (m)."""

    value: int = Field(gt=0)
    unit: Literal["d", "w", "m"]

    @property
    def interval(self) -> str:
        """As an interval of PostgreSQL."""
        return f"{self.value} {_INTERVALS[self.unit]}"


class Latency(Frozen):
    """How many days after the agreed day a delivery is late."""

    value: int = Field(ge=0)
    unit: Literal["d"]


class ServiceLevel(Frozen):
    """When deliveries are due: on a weekday, or without one, after the interval."""

    frequency: Frequency
    latency: Latency
    weekday: Weekday | None = None

    @model_validator(mode="after")
    def _weekday_of_a_week(self) -> ServiceLevel:
        if self.weekday and self.frequency.unit != "w":
            raise ValueError("`weekday` goes with a frequency in weeks (w)")
        return self

    @property
    def iso_weekday(self) -> int | None:
        """1 for Monday to 7 for Sunday; None if the contract names no day."""
        return get_args(Weekday).index(self.weekday) + 1 if self.weekday else None
