"""The true person of every record, and what else the deliveries should lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from demo.districts import cornell, woodland_hills
from demo.faults import FaultLog
from demo.outcomes import ABSENCES, enrolled_days
from demo.people import Population
from demo.plan import Delivery, Plan
from demo.programs import SOURCES, Extracts, record_ids
from demo.snapshots import Snapshot


def person_id(column: str, population: Population) -> pl.Expr:
    """The public id of a person: P000000001 is person 0."""
    number = pl.col(column).cast(pl.Int64) + population.numbered_after + 1_000_000_001
    digits = number.cast(pl.String).str.slice(1)
    return pl.when(pl.col(column).is_not_null()).then(pl.concat_str(pl.lit("P"), digits))


def write_people(folder: Path, populations: Sequence[Population]) -> None:
    """Write `people.parquet`: one row per person, with twin, parent and namesake."""
    pl.concat(
        population.people.select(
            person_id("person", population).alias("person_id"),
            "kind", "last_name", "first_name", "middle_name", "suffix", "birth_date", "sex", "race",
            "ssn", "street", "city", "zip", "former_last_name", "nickname",
            person_id("twin_of", population).alias("twin_of"),
            person_id("parent", population).alias("parent"),
            person_id("same_name_as", population).alias("same_name_as"),
            "is_involved",
        )
        for population in populations
    ).write_parquet(folder / "people.parquet")  # fmt: skip


def students_of_delivery(
    delivery: Delivery, known: Snapshot, population: Population
) -> pl.DataFrame:
    """The students whose local id is in a delivery, once each."""
    # Woodland Hills sends only the local ids of active students.
    if known.district.district_id == "woodland_hills":
        students = woodland_hills.active_students(known, delivery)
    else:
        students = known.directory
    race = population.people.select("person", true_race="race")
    return (
        students.unique("district_student_id", keep="first", maintain_order=True)
        .join(race, on="person", maintain_order="left")
        .select(
            pl.lit(known.district.district_id).alias("district"),
            "district_student_id",
            pl.col("state_student_id").alias("pasecureid"),
            pl.lit(known.school_year).alias("school_year"),
            person_id("person", population).alias("person_id"),
            "true_race",
            pl.lit(delivery.as_of.isoformat()).alias("first_delivery"),
        )
    )


def write_students(folder: Path, delivered: list[pl.DataFrame]) -> None:
    """Write `student_person.parquet`: one row per district student and school year.

    `delivered` is `students_of_delivery` of every delivery, oldest first within a district.
    """
    pl.concat(delivered).unique(
        ["district", "school_year", "district_student_id"], keep="first", maintain_order=True
    ).write_parquet(folder / "student_person.parquet")


def write_school_years(
    folder: Path,
    plan: Plan,
    population: Population,
    school_years: Mapping[tuple[str, int], Snapshot],
) -> None:
    """Write what Cornell's PIMS files tell by the newest delivery of each school year.

    `student_years.parquet` has one row per student and year, `school_programs.parquet` one per
    participation.
    """
    newest = {delivery.school_year: delivery for delivery in plan.cornell()}
    years, programs = [], []
    for year, delivery in newest.items():
        known = school_years["cornell", year].at(delivery.as_of)
        key = pl.lit("cornell").alias("district"), pl.lit(year).alias("school_year")
        person = person_id("person", population).alias("person_id")
        years.append(_student_years(known).select(*key, person, pl.exclude("person")))
        participations = cornell.programs(plan, known, delivery.as_of)
        programs.append(participations.select(*key, pl.all()))
    for name, frames in (("student_years", years), ("school_programs", programs)):
        if frames:
            pl.concat(frames).write_parquet(folder / f"{name}.parquet")


def _student_years(known: Snapshot) -> pl.DataFrame:
    """The days, suspensions and graduation of each student who came."""
    attended = known.directory.filter(pl.col("exit_code").ne_missing("WD09"))
    absent = known.attendance.filter(pl.col("event_code").is_in(ABSENCES))
    suspended = known.discipline.filter(pl.col("action") == "OSS")
    students = attended.group_by("person", "district_student_id", maintain_order=True).agg(
        has_graduated=(pl.col("exit_code") == "WD04").any()
    )
    for measure in (
        enrolled_days(attended, known.calendar).group_by("person").agg(days_enrolled=pl.len()),
        absent.group_by("person").agg(days_absent=pl.col("day_fraction").sum()),
        suspended.group_by("person").agg(suspension_days=pl.col("days").sum()),
    ):
        students = students.join(measure, on="person", how="left", maintain_order="left")
    return students.with_columns(
        pl.col("days_enrolled", "days_absent", "suspension_days").fill_null(0)
    )


def write_clients(folder: Path, parts: Sequence[Extracts]) -> None:
    """Write `client_person.parquet`: one row per client record, with the day of deletion."""
    pl.concat(frame for part in parts for frame in _clients(part)).with_columns(
        pl.col("first_delivery", "deleted_on").cast(pl.Categorical)
    ).write_parquet(folder / "client_person.parquet")


def _clients(part: Extracts) -> Iterator[pl.DataFrame]:
    """The client records of each source."""
    plan, population, records = part.plan, part.population, part.records
    days = pl.Series([day.isoformat() for day in plan.human_services()])
    for source, person in records.person.items():
        arrival = np.zeros(len(person), dtype=np.int8)
        for week in range(1, plan.weeks + 1):
            new = records.arrivals(source, week, plan.weeks)
            arrival[new.start : new.stop] = week
        deleted_week = np.full(len(person), -1, dtype=np.int8)
        for position, week in part.deleted[source]:
            deleted_week[position] = week
        positions = np.arange(len(person)) + population.numbered_after
        yield pl.DataFrame(
            {"person": person, "arrival": arrival, "deleted_week": deleted_week}
        ).select(
            pl.lit(source).cast(pl.Enum(list(SOURCES))).alias("source"),
            record_ids(SOURCES[source].prefix, positions).alias("source_client_id"),
            person_id("person", population).alias("person_id"),
            days.gather(arrival).cast(pl.Categorical).alias("first_delivery"),
            pl.when(pl.col("deleted_week") > 0)
            .then(days.gather(np.maximum(deleted_week, 0)).cast(pl.Categorical))
            .alias("deleted_on"),
        )


def write_notes(
    folder: Path,
    students: Counter[str],
    clients: Counter[str],
    log: FaultLog,
) -> None:
    """Write `mess.parquet` (kinds of errors, counted) and `faults.parquet`."""
    rows = [
        (record_type, kind, count)
        for record_type, counts in (("student", students), ("client", clients))
        for kind, count in sorted(counts.items())
    ]
    pl.DataFrame(rows, schema=["record_type", "kind", "records"], orient="row").write_parquet(
        folder / "mess.parquet"
    )
    log.frame().write_parquet(folder / "faults.parquet")
