"""A county of any size, written directly into raw: students and client records.

People, records and their errors are those of the demo. Files, archive and loader are skipped,
because this measures linking, not landing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import psycopg
from psycopg import sql

from demo.demographics import make_demographics
from demo.enrollment import homes_by_year, student_ids
from demo.faults import FaultLog
from demo.people import make_population
from demo.plan import RUNNING_YEAR, Plan
from demo.programs import BLOCK, Extracts, assign_records
from demo.schools import DISTRICTS
from demo.snapshots import student_records
from outcomes.config import PROJECT_DIR
from outcomes.contracts.reader import load_contracts
from outcomes.landing.ledger import record_partners

CODE_CROSSWALK = PROJECT_DIR / "seeds" / "crosswalks" / "code_crosswalk.csv"
FIRST_DAY = date(2012, 8, 24)
# Share of the students and of the client records that change in a week.
WEEKLY_CHANGE = 0.01


@dataclass
class County:
    """An invented county, and the raw tables for its records.

    Args:
        connection: a database with empty raw tables.
        students: students enrolled at a time.
        clients: client records.
    """

    connection: psycopg.Connection
    students: int
    clients: int

    def __post_init__(self) -> None:
        """Invent the people, and choose the person of each client record."""
        self._plan = Plan(self.students, self.clients, weeks=1, school_years=0, seed=7)
        self._population = make_population(self._plan)
        demographics = make_demographics(self._plan, self._population)
        self._records = assign_records(self._plan, self._population, demographics)
        nobody_moves = pl.DataFrame(schema={"person": pl.Int64, "entry_date": pl.Date})
        self._extracts = Extracts(
            self._plan, self._population, self._records, Counter(), FaultLog(), nobody_moves
        )
        record_partners(self.connection, load_contracts().values())

    def deliver(self, advance: Callable[[int], None]) -> None:
        """Write the first delivery: all students of the running year, all client records."""
        for district in self._plan.districts:
            self._roster(district, FIRST_DAY, self._students(district))
        for source, person in self._records.person.items():
            positions = np.arange(len(person))
            blocks = (positions[start : start + BLOCK] for start in range(0, len(person), BLOCK))
            self._clients(source, FIRST_DAY, blocks, advance)

    def deliver_changes(self) -> None:
        """Write the next week's delivery, with changes to some students and client records."""
        day = FIRST_DAY + timedelta(weeks=1)
        for district in self._plan.districts:
            students = self._students(district)
            chance = self._plan.chance("changed students", district)
            moved = pl.Series(chance.random(len(students)) < WEEKLY_CHANGE)
            self._roster(
                district,
                day,
                students.with_columns(
                    pl.when(moved).then(pl.lit("1 Changed St")).otherwise("street").alias("street")
                ),
            )
        for source, person in self._records.person.items():
            chance = self._plan.chance("changed clients", source)
            changed = np.flatnonzero(chance.random(len(person)) < WEEKLY_CHANGE)
            self._clients(source, day, iter([changed]), lambda _: None)

    def _students(self, district: str) -> pl.DataFrame:
        homes = homes_by_year(self._plan, self._population).filter(
            school_year=RUNNING_YEAR, district_id=district
        )
        records = student_records(
            self._plan, self._population, DISTRICTS[district], RUNNING_YEAR, homes, Counter()
        )
        return student_ids(self._plan, self._population, DISTRICTS[district]).join(
            records, on="person", maintain_order="left"
        ).filter(pl.col("last_name").is_not_null())  # fmt: skip

    def _roster(self, district: str, day: date, students: pl.DataFrame) -> None:
        load_id = self._file(district, "students", day, school_year=RUNNING_YEAR)
        rows = students.select(
            "district_student_id", "state_student_id", "last_name", "first_name",
            "middle_name", "suffix", "birth_date", "ssn", "street", "city", "zip",
            gender=pl.col("sex").replace_strict(_gender_codes(district)),
        )  # fmt: skip
        self._copy("students", district, load_id, day, iter([rows]))

    def _clients(
        self,
        source: str,
        day: date,
        blocks: Iterator[np.ndarray],
        advance: Callable[[int], None],
    ) -> None:
        load_id = self._file("dhs", "clients", day, source_id=source)
        chance = self._plan.chance("rows", source, day)

        def rows() -> Iterator[pl.DataFrame]:
            for positions in blocks:
                clients = self._extracts.clients(source, positions, chance)
                # Programs send a race, but no contract keeps it.
                yield clients.drop("race").with_columns(
                    source_id=pl.lit(source),
                    updated_at=pl.lit(datetime.combine(day, time(6))),
                    is_deleted=pl.lit(False),
                )
                advance(len(positions))

        self._copy("clients", "dhs", load_id, day, rows())

    def _file(self, partner: str, contract_object: str, day: date, **columns: object) -> int:
        values = {
            "partner_id": partner,
            "contract_object": contract_object,
            "file_name": f"{contract_object}-{columns}",
            "sha256": f"{partner} {contract_object} {columns} {day}",
            "as_of_date": day,
            "status": "loaded",
            **columns,
        }
        [(file_id,)] = self.connection.execute(
            sql.SQL("insert into landing.files ({}) values ({}) returning file_id").format(
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(sql.Placeholder() * len(values)),
            ),
            list(values.values()),
        ).fetchall()
        return int(file_id)

    def _copy(
        self, feed: str, partner: str, load_id: int, day: date, blocks: Iterator[pl.DataFrame]
    ) -> None:
        line = 1
        for rows in blocks:
            numbered = rows.with_columns(
                partner_id=pl.lit(partner),
                load_id=pl.lit(load_id),
                line_number=pl.int_range(line, line + len(rows)),
                as_of_date=pl.lit(day),
            )
            line += len(rows)
            with (
                self.connection.cursor() as cursor,
                cursor.copy(
                    sql.SQL("copy raw.{} ({}) from stdin (format csv)").format(
                        sql.Identifier(feed),
                        sql.SQL(", ").join(map(sql.Identifier, numbered.columns)),
                    )
                ) as copy,
            ):
                copy.write(
                    numbered.write_csv(include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S")
                )


def _gender_codes(district: str) -> dict[str, str]:
    """The district's code for each sex of the invented people."""
    codes = pl.read_csv(CODE_CROSSWALK).filter(domain="gender", partner_id=district)
    words = dict(codes.select("code", "source_code").iter_rows())
    return {"F": words["female"], "M": words["male"]}
