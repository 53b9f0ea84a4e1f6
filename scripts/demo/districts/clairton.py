"""Clairton: one workbook a week, typed by a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from demo.archives import workbook_bytes
from demo.outcomes import absences, enrolled_days
from demo.people import RACE_LABELS
from demo.plan import RUNNING_YEAR, Delivery, Plan
from demo.snapshots import Snapshot

# Clairton still uses the legacy codes; a change of school has none.
REASONS = {"WD01": "W3", "WD02": "W1", "WD03": "W2", "WD04": "W4", "WD09": "W9"}
LEVELS = ("BB", "B", "P", "A")
TEST_SUBJECTS = {"MATH": "Math", "READING": "Reading", "WRITING": "Writing", "SCIENCE": "Science"}
STUDENT_COLUMNS = (
    "ID", "State ID", "Last", "First", "MI", "DOB", "Sex", "Street", "Town", "Zip", "Bldg", "Gr",
    "Start", "End", "Reason", "Race", "ELL", "IEP", "Disability", "Lunch",
)  # fmt: skip
TEST_COLUMNS = ("ID", "Year", "Grade", "Test", "Subject", "Score", "Level")


def write_delivery(plan: Plan, folder: Path, delivery: Delivery, known: Snapshot) -> None:
    """Write `Clairton_DHS_<yyyy-mm-dd>.xlsx` with the four sheets of a snapshot."""
    typist = _Typist(plan.chance("clairton", delivery.as_of))
    sheets = {
        "Students": _students(known, typist),
        "Attendance": _attendance(known, typist),
        "Report Cards": _report_cards(known, typist),
        "Tests": _tests(known, typist, delivery.school_year - 1),
    }
    if delivery.school_year < RUNNING_YEAR:
        # The first delivery was before the scores of that spring.
        sheets["Tests"] = iter([list(TEST_COLUMNS)])
    path = folder / f"Clairton_DHS_{delivery.as_of:%Y-%m-%d}.xlsx"
    path.write_bytes(workbook_bytes(sheets))


class _Typist:
    """Turns a value into the cell of a spreadsheet into which somebody types it."""

    def __init__(self, chance: np.random.Generator) -> None:
        # Random numbers are drawn in blocks: a call per cell would be the slowest part.
        self._chance = chance
        self._block: Iterator[float] = iter(())

    def _often(self, share: float) -> bool:
        draw = next(self._block, None)
        if draw is None:
            self._block = iter(self._chance.random(10_000).tolist())
            draw = next(self._block)
        return draw < share

    def code(self, digits: str | None, share_of_numbers: float = 0.3) -> str | int | None:
        """A code of digits, sometimes as a number, which loses leading zeros."""
        if digits is not None and self._often(share_of_numbers):
            return int(digits)
        return digits

    def day(self, value: date | None) -> datetime | str | None:
        """A date cell; one in eight is typed as text, `M/D/YY`."""
        if value is None:
            return None
        if self._often(0.12):
            return f"{value.month}/{value.day}/{value:%y}"
        return datetime(value.year, value.month, value.day)


def _grade(grade: int, typist: _Typist) -> str | int | None:
    return {-1: "PK", 0: "K"}.get(grade) or typist.code(str(grade), 0.6)


def _students(known: Snapshot, typist: _Typist) -> Iterator[list[Any]]:
    yield list(STUDENT_COLUMNS)
    rows = known.directory.join(
        known.demographics.drop("district_student_id", "state_student_id"),
        on="person",
        maintain_order="left",
    )
    for row in rows.iter_rows(named=True):
        yield [
            typist.code(row["district_student_id"]),
            typist.code(row["state_student_id"]),
            row["last_name"],
            row["first_name"],
            (row["middle_name"] or "")[:1] or None,
            typist.day(row["birth_date"]),
            {"M": "Male", "F": "Female"}[row["sex"]],
            row["street"],
            row["city"],
            typist.code(row["zip"], 0.5),
            typist.code(row["school_code"]),
            _grade(row["grade"], typist),
            typist.day(row["entry_date"]),
            typist.day(row["exit_date"]),
            REASONS.get(row["exit_code"]),
            RACE_LABELS[int(row["race"])],
            "Yes" if row["english_learner"] == "01" else "No",
            {"Y": "Yes", "N": "No", "E": "Exited"}[row["special_education"]],
            row["primary_disability"],
            {"F": "Free", "R": "Reduced", "N": "Paid"}[row["economic_status"]],
        ]


def _attendance(known: Snapshot, typist: _Typist) -> Iterator[list[Any]]:
    yield ["ID", "Month", "Days Enrolled", "Days Present", "Excused", "Unexcused"]
    ids = known.directory.select("person", "district_student_id").unique()
    months = (
        enrolled_days(known.directory, known.calendar)
        .join(absences(known.attendance), on=["person", "day"], how="left")
        .group_by("person", month=pl.col("day").dt.strftime("%Y-%m"))
        .agg(pl.len(), pl.col("excused").sum(), pl.col("unexcused").sum())
        .join(ids, on="person")
        .sort("month", "person")
    )
    for row in months.iter_rows(named=True):
        present = row["len"] - row["excused"] - row["unexcused"]
        yield [
            typist.code(row["district_student_id"]),
            row["month"],
            row["len"],
            *(_short(days) for days in (present, row["excused"], row["unexcused"])),
        ]


def _short(days: float) -> int | float:
    return int(days) if days == int(days) else days


def _report_cards(known: Snapshot, typist: _Typist) -> Iterator[list[Any]]:
    yield ["ID", "Year", "Quarter", "GPA"]
    for row in known.gpas.iter_rows(named=True):
        yield [typist.code(row["district_student_id"]), known.years, row["term"], row["gpa"]]


def _tests(known: Snapshot, typist: _Typist, test_year: int) -> Iterator[list[Any]]:
    yield list(TEST_COLUMNS)
    for row in known.tests.iter_rows(named=True):
        yield [
            typist.code(row["district_student_id"]),
            test_year,
            _grade(row["grade"], typist),
            "PSSA",
            TEST_SUBJECTS[row["subject"]],
            row["score"],
            LEVELS[row["level"]],
        ]
