"""A district's school year, and its state on the day of a delivery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from demo.enrollment import Movement, homes_by_year, make_enrollment, student_ids
from demo.mess import STUDENT_RATES, garble
from demo.outcomes import NOTE_ARRIVES_AFTER_DAYS, abilities, make_outcomes, make_tests
from demo.people import Population, district_sizes
from demo.plan import RUNNING_YEAR, Delivery, Plan
from demo.schools import DISTRICTS, District, make_calendar, make_schools


@dataclass(frozen=True)
class Snapshot:
    """All feeds of a district and school year; `at` restricts them to a day.

    Every frame with students has person, district_student_id and state_student_id.
    `directory` (one row per spell) also has the identity as the district writes it. `tests` are
    those of the previous spring.
    """

    district: District
    school_year: int
    schools: pl.DataFrame
    calendar: pl.DataFrame
    directory: pl.DataFrame
    demographics: pl.DataFrame
    attendance: pl.DataFrame
    gpas: pl.DataFrame
    marks: pl.DataFrame
    discipline: pl.DataFrame
    tests: pl.DataFrame

    @property
    def years(self) -> str:
        """The school year as two districts write it: 2012-13."""
        return f"{self.school_year - 1}-{self.school_year % 100:02d}"

    def at(self, as_of: date) -> Snapshot:
        """The state on a day; schools have reported up to a few days before it."""
        until = self.schools.select(
            "school_code",
            reported_until=pl.lit(as_of) - pl.duration(days=pl.col("report_lag")),
        )

        def reported(frame: pl.DataFrame, day: str) -> pl.DataFrame:
            known = frame.join(until, on="school_code", maintain_order="left")
            return known.filter(pl.col(day) <= pl.col("reported_until")).drop("reported_until")

        has_left = pl.col("exit_date") <= as_of
        directory = self.directory.filter(
            pl.col("entry_date") <= as_of,
            pl.col("visible_until").is_null() | (pl.col("visible_until") >= as_of),
        ).with_columns(pl.when(has_left).then("exit_date"), pl.when(has_left).then("exit_code"))
        noted = pl.col("excused_later") & (
            pl.col("event_date").dt.offset_by(f"{NOTE_ARRIVES_AFTER_DAYS}d") <= as_of
        )
        on_roster = directory.select("person").unique()

        def of_students(frame: pl.DataFrame) -> pl.DataFrame:
            return frame.join(on_roster, on="person", how="semi")

        return replace(
            self,
            calendar=reported(self.calendar, "calendar_date"),
            directory=directory,
            demographics=of_students(self.demographics),
            attendance=reported(of_students(self.attendance), "event_date").with_columns(
                event_code=pl.when(noted).then(pl.lit("E")).otherwise("event_code")
            ),
            gpas=of_students(self.gpas).filter(pl.col("known_from") <= as_of),
            marks=of_students(self.marks).filter(pl.col("known_from") <= as_of),
            discipline=of_students(self.discipline).filter(pl.col("incident_date") < as_of),
        )


def deliveries_of(plan: Plan, district_id: str) -> list[Delivery]:
    """The deliveries of a district, oldest first."""
    return {
        "pittsburgh": plan.pittsburgh,
        "clairton": plan.clairton,
        "woodland_hills": plan.woodland_hills,
        "cornell": plan.cornell,
    }[district_id]()


def make_school_years(
    plan: Plan, population: Population, demographics: pl.DataFrame, mess: Counter[str]
) -> dict[tuple[str, int], Snapshot]:
    """All snapshots, by district and school year.

    The number of students' records with each kind of error is added to `mess`.
    """
    homes = homes_by_year(plan, population)
    ability = abilities(plan, population)
    sizes = district_sizes(plan, plan.students)
    districts = {name: DISTRICTS[name] for name in plan.districts}
    # The population has the students of all years; the number of schools fits one year.
    movements = {name: Movement.none(population.students) for name in districts}
    schools = {
        name: make_schools(plan, district, sizes[name]) for name, district in districts.items()
    }
    ids = {name: student_ids(plan, population, district) for name, district in districts.items()}
    school_years: dict[tuple[str, int], Snapshot] = {}
    for year in range(plan.first_year, RUNNING_YEAR + 1):
        arrivals = Movement.none(0).arrivals
        for name, district in districts.items():
            if year not in {delivery.school_year for delivery in deliveries_of(plan, name)}:
                continue
            calendar = make_calendar(district, year, schools[name])
            movements[name].arrivals = arrivals
            enrollment = make_enrollment(
                plan, homes, ids[name], district, year, schools[name], calendar, movements[name]
            )
            arrivals = movements[name].arrivals
            outcomes = make_outcomes(
                plan, population, ability, district, year, enrollment, calendar
            )
            roster = enrollment.roster
            takers = homes.filter(
                pl.col("district_id") == name,
                pl.col("school_year") == year - 1,
            )
            before = school_years.get((name, year - 1))
            if before is not None:
                takers = before.directory.unique("person", keep="first", maintain_order=True)
            key = roster.select("person", "district_student_id", "state_student_id")
            first_ids = ids[name].select("person", "district_student_id", "state_student_id")
            records = student_records(plan, population, district, year, roster, mess)
            school_years[name, year] = Snapshot(
                district=district,
                school_year=year,
                schools=schools[name],
                calendar=calendar,
                directory=_keyed(enrollment.spells, key).join(
                    records, on="person", maintain_order="left"
                ),
                demographics=_keyed(
                    roster.select("person").join(demographics, on="person", maintain_order="left"),
                    key,
                ),
                attendance=_keyed(outcomes.attendance, key),
                gpas=_keyed(outcomes.gpas, key),
                marks=_keyed(outcomes.marks, key),
                discipline=_keyed(outcomes.discipline, key),
                tests=_keyed(make_tests(plan, ability, takers, district, year - 1), first_ids),
            )
    return school_years


def moves_between_schools(years: Iterable[Snapshot]) -> pl.DataFrame:
    """The changes of school: person, entry_date."""
    nobody = pl.DataFrame(schema={"person": pl.Int64, "entry_date": pl.Date})
    moves = (year.directory.filter(pl.col("entry_code") == "R12") for year in years)
    return pl.concat([nobody, *(move.select("person", "entry_date") for move in moves)])


def _keyed(frame: pl.DataFrame, key: pl.DataFrame) -> pl.DataFrame:
    return frame.join(key, on="person", maintain_order="left")


def student_records(
    plan: Plan,
    population: Population,
    district: District,
    school_year: int,
    roster: pl.DataFrame,
    mess: Counter[str],
) -> pl.DataFrame:
    """The identity as the district writes it: one row per student of the roster.

    The same random numbers in each year give the same errors, so an error stays until name or
    address change. Years before the running one have the former name and address.
    """
    rates = replace(
        STUDENT_RATES,
        former_name=0.75 if school_year < RUNNING_YEAR else 0.05,
        previous_address=0.6 if school_year < RUNNING_YEAR else 0.1,
    )
    students = population.people.head(population.students)
    counts: Counter[str] = Counter()
    records = garble(students, rates, plan.chance("records", district.district_id), counts)
    if school_year == RUNNING_YEAR:
        # Drawn for all students of the county, so only the enrolled share is counted.
        mess.update({kind: round(n * len(roster) / len(students)) for kind, n in counts.items()})
    return records.select(
        "person", "last_name", "first_name", "middle_name", "suffix", "birth_date", "sex",
        "ssn", "street", "city", "zip", "parent",
    ).join(roster.select("person"), on="person", how="semi")  # fmt: skip
