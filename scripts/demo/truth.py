"""The true person of every record, and the errors that were added on purpose."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from demo.districts import woodland_hills
from demo.faults import FaultLog
from demo.people import Population
from demo.plan import Delivery, Plan
from demo.programs import SOURCES, ClientRecords
from demo.snapshots import Snapshot


def person_id(column: str) -> pl.Expr:
    """The public id of a person: P000000001 is person 0."""
    number = (pl.col(column).cast(pl.Int64) + 1_000_000_001).cast(pl.String).str.slice(1)
    return pl.when(pl.col(column).is_not_null()).then(pl.concat_str(pl.lit("P"), number))


def write_people(folder: Path, population: Population) -> None:
    """Write `people.parquet`: one row per person, with twin, parent and namesake."""
    population.people.select(
        person_id("person").alias("person_id"),
        "kind", "last_name", "first_name", "middle_name", "suffix", "birth_date", "sex", "race",
        "ssn", "street", "city", "zip", "former_last_name", "nickname",
        person_id("twin_of").alias("twin_of"),
        person_id("parent").alias("parent"),
        person_id("same_name_as").alias("same_name_as"),
        "is_involved",
    ).write_parquet(folder / "people.parquet")  # fmt: skip


def students_of_delivery(delivery: Delivery, known: Snapshot) -> pl.DataFrame:
    """The students whose local id is in a delivery, once each."""
    # Woodland Hills sends only the local ids of active students.
    if known.district.district_id == "woodland_hills":
        students = woodland_hills.active_students(known, delivery)
    else:
        students = known.directory
    return students.unique("district_student_id", keep="first", maintain_order=True).select(
        pl.lit(known.district.district_id).alias("district"),
        "district_student_id",
        pl.col("state_student_id").alias("pasecureid"),
        pl.lit(known.school_year).alias("school_year"),
        "person",
        pl.lit(delivery.as_of.isoformat()).alias("first_delivery"),
    )


def write_students(folder: Path, population: Population, delivered: list[pl.DataFrame]) -> None:
    """Write `student_person.parquet`: one row per district student and school year.

    `delivered` is `students_of_delivery` of every delivery, oldest first within a district.
    """
    race = population.people.select("person", true_race="race")
    students = pl.concat(delivered).unique(
        ["district", "school_year", "district_student_id"], keep="first", maintain_order=True
    )
    students.join(race, on="person", maintain_order="left").select(
        "district",
        "district_student_id",
        "pasecureid",
        "school_year",
        person_id("person").alias("person_id"),
        "true_race",
        "first_delivery",
    ).write_parquet(folder / "student_person.parquet")


def write_clients(
    folder: Path,
    plan: Plan,
    records: ClientRecords,
    deleted: dict[str, list[tuple[int, int]]],
) -> None:
    """Write `client_person.parquet`: one row per client record, with the day of deletion."""
    days = pl.Series([day.isoformat() for day in plan.human_services()])
    frames = []
    for source, person in records.person.items():
        arrival = np.zeros(len(person), dtype=np.int8)
        for week in range(1, plan.weeks + 1):
            new = records.arrivals(source, week, plan.weeks)
            arrival[new.start : new.stop] = week
        deleted_week = np.full(len(person), -1, dtype=np.int8)
        for position, week in deleted[source]:
            deleted_week[position] = week
        number = pl.Series(np.arange(1_000_000_001, 1_000_000_001 + len(person))).cast(pl.String)
        prefix = pl.lit(SOURCES[source].prefix)
        frames.append(
            pl.DataFrame(
                {"person": person, "arrival": arrival, "deleted_week": deleted_week}
            ).select(
                pl.lit(source).cast(pl.Enum(list(SOURCES))).alias("source"),
                pl.concat_str(prefix, number.str.slice(1)).alias("source_client_id"),
                person_id("person").alias("person_id"),
                days.gather(arrival).cast(pl.Categorical).alias("first_delivery"),
                pl.when(pl.col("deleted_week") > 0)
                .then(days.gather(np.maximum(deleted_week, 0)).cast(pl.Categorical))
                .alias("deleted_on"),
            )
        )
    pl.concat(frames).with_columns(
        pl.col("first_delivery", "deleted_on").cast(pl.Categorical)
    ).write_parquet(folder / "client_person.parquet")


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
