"""Pittsburgh: one zip of CSV files a week, in cp1252 with CRLF and a trailer line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from demo.archives import zip_bytes
from demo.columns import state_grade, text, yes_no
from demo.faults import FaultLog, break_values
from demo.outcomes import LEVELS, SUBJECTS
from demo.plan import RUNNING_YEAR, Delivery, Plan
from demo.snapshots import Snapshot

UNKNOWN_STUDENT = "990000000"
# The week (0 = first of the running year) in which each fault is delivered.
WEEK_OF_BROKEN_OPTIONAL, WEEK_OF_BROKEN_REQUIRED = 1, 2


def write_delivery(
    plan: Plan,
    folder: Path,
    delivery: Delivery,
    known: Snapshot,
    last_year: Snapshot | None,
    people: pl.DataFrame,
    log: FaultLog,
) -> None:
    """Write `PPS_DHS_<yyyymmdd>.zip` with the files of a snapshot.

    Some rows of `last_year` remain in the first files of the running year; `people` are
    `Population.people`, for the guardians' names.
    """
    chance = plan.chance("pittsburgh", delivery.as_of)
    files = {
        "STUDENT_DIRECTORY": _directory(plan, known, people),
        "STUDENT_DEMOGRAPHICS": known.demographics.select(
            StudentID="district_student_id",
            Race="race",
            EnglishLearner="english_learner",
            SpecialEd="special_education",
            PrimaryDisability="primary_disability",
            EconStatus="economic_status",
            HomelessFlag="homeless",
            HomeLanguage="home_language",
        ),
        "SCHOOL_CALENDAR": known.calendar.select(
            SchoolCode="school_code",
            SchoolName="school_name",
            CalendarDate=_us_date("calendar_date"),
            InSession=yes_no("in_session"),
        ),
        "ATTENDANCE_EVENTS": known.attendance.select(
            StudentID="district_student_id",
            SchoolCode="school_code",
            EventDate=_us_date("event_date"),
            EventCode="event_code",
            DayFraction=pl.when(pl.col("day_fraction") == 1)
            .then(pl.lit("1"))
            .otherwise(pl.lit("0.5")),
        ),
        "TERM_GPA": known.gpas.select(
            StudentID="district_student_id",
            SchoolYear=pl.lit(known.years),
            Term="term",
            CumulativeGPA="gpa",
            WeightedGPA="weighted_gpa",
        ),
        "COURSE_MARKS": known.marks.select(
            StudentID="district_student_id",
            SchoolYear=pl.lit(known.years),
            Term="term",
            CourseCode="course_code",
            CourseName=pl.col("subject").replace_strict(SUBJECTS),
            Subject="subject",
            Mark="mark",
            Credits=pl.lit("0.25"),
        ),
        "DISCIPLINE": known.discipline.select(
            StudentID="district_student_id",
            IncidentDate=_us_date("incident_date"),
            OffenseCode="offense_code",
            Action="action",
            Days="days",
        ),
    }
    if delivery.test_year is not None:
        files[f"PSSA_{delivery.test_year}"] = known.tests.select(
            StudentID="district_student_id",
            TestYear=pl.lit(delivery.test_year),
            Grade=state_grade(),
            Subject="subject",
            ScaledScore="score",
            PerformanceLevel=text(LEVELS[known.tests["level"].to_numpy()]),
        )
    if delivery.school_year == RUNNING_YEAR:
        left_over = _directory(plan, last_year, people) if last_year is not None else None
        _break(files, delivery, plan, left_over, chance, log)
    archive = f"PPS_DHS_{delivery.as_of:%Y%m%d}.zip"
    members = {f"{name}.csv": _csv(frame, delivery.as_of) for name, frame in files.items()}
    (folder / archive).write_bytes(zip_bytes(members))


def _us_date(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime("%m/%d/%Y")


def _directory(plan: Plan, known: Snapshot, people: pl.DataFrame) -> pl.DataFrame:
    guardian = people.select(
        parent="person", guardian_first="first_name", guardian_last="last_name"
    )
    directory = known.directory.join(guardian, on="parent", how="left", maintain_order="left")
    person = directory["person"].to_numpy()
    # By person, not by row, so that phone and homeroom stay the same from week to week.
    number = np.random.default_rng(plan.seed).integers(200_0000, 999_9999, len(people))[person]
    phone = pl.Series(number).cast(pl.String)
    last_first = pl.Series(person % 4 == 0)
    return directory.select(
        StudentID="district_student_id",
        PASecureID="state_student_id",
        LegalLastName="last_name",
        LegalFirstName="first_name",
        MiddleName="middle_name",
        Suffix="suffix",
        BirthDate=_us_date("birth_date"),
        Gender="sex",
        SSN="ssn",
        HomeAddress1="street",
        HomeCity="city",
        HomeState=pl.lit("PA"),
        HomeZip="zip",
        SchoolCode="school_code",
        Grade=state_grade(),
        Homeroom=pl.concat_str(
            pl.col("grade").cast(pl.String),
            text(np.array(list("ABCD"))[person % 4]),
            pl.Series(person % 29 + 1).cast(pl.String).str.zfill(2),
        ),
        EntryDate=_us_date("entry_date"),
        EntryCode="entry_code",
        ExitDate=_us_date("exit_date"),
        ExitCode="exit_code",
        Phone=pl.concat_str(pl.lit("412-"), phone.str.slice(0, 3), pl.lit("-"), phone.str.slice(3)),
        GuardianName=pl.when(last_first)
        .then(pl.concat_str("guardian_last", pl.lit(", "), "guardian_first"))
        .otherwise(pl.concat_str("guardian_first", pl.lit(" "), "guardian_last")),
    )


def _break(
    files: dict[str, pl.DataFrame],
    delivery: Delivery,
    plan: Plan,
    left_over: pl.DataFrame | None,
    chance: np.random.Generator,
    log: FaultLog,
) -> None:
    """Add the week's faults to the files."""
    week = next(
        number
        for number, other in enumerate(
            d for d in plan.pittsburgh() if d.school_year == RUNNING_YEAR
        )
        if other == delivery
    )

    def note(file: str, kind: str, rows: int) -> None:
        log.add("pittsburgh", delivery.as_of, f"{file}.csv", kind, rows)

    directory, attendance = files["STUDENT_DIRECTORY"], files["ATTENDANCE_EVENTS"]
    if week == 0 and left_over is not None:
        rows = min(len(left_over), 3 + len(left_over) // 400)
        directory = pl.concat([directory, left_over.tail(rows)])
        note("STUDENT_DIRECTORY", "row of another school year", rows)
    if week == WEEK_OF_BROKEN_OPTIONAL:
        for column, value in (
            ("SSN", "12-34"),
            ("PASecureID", "PENDING"),
            ("ExitDate", "00/00/0000"),
        ):
            directory = break_values(directory, column, value, 2, chance)
            note("STUDENT_DIRECTORY", f"broken optional value in {column}", 2)
    if week == WEEK_OF_BROKEN_REQUIRED:
        directory = break_values(directory, "EntryDate", "02/30/2012", 1, chance)
        note("STUDENT_DIRECTORY", "broken required value in EntryDate", 1)
    if len(attendance):
        unknown = attendance.tail(2).with_columns(StudentID=pl.lit(UNKNOWN_STUDENT))
        attendance = pl.concat([attendance, unknown])
        note("ATTENDANCE_EVENTS", "attendance of an unknown student", len(unknown))
    files["STUDENT_DIRECTORY"], files["ATTENDANCE_EVENTS"] = directory, attendance


def _csv(frame: pl.DataFrame, as_of: date) -> bytes:
    text = frame.write_csv(line_terminator="\r\n", float_precision=2)
    return f"{text}TRAILER,{len(frame)},{as_of:%Y%m%d}\r\n".encode("cp1252")
