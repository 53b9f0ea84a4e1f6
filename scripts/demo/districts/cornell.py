"""Cornell: the PIMS templates that it makes for the state, four times a year."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import numpy as np
import polars as pl

from demo import pims
from demo.columns import state_grade, text
from demo.enrollment import activities
from demo.outcomes import absences, enrolled_days
from demo.plan import Delivery, Plan
from demo.snapshots import Snapshot

SANCTIONS = {"DET": "S2", "ISS": "S3", "OSS": "S4"}
# How a student has left: graduation, dropout, transfer, out of the state's public schools.
GRADUATION_STATUSES = {"WD04": "G", "WD01": "D", "WD02": "T", "WD03": "L"}
POST_SCHOOL_PLANS = np.array(["010", "030", "110", "130", "180"], dtype=object)
ACCOMPANIED, UNACCOMPANIED, PRE_K_COUNTS, ALTERNATIVE_EDUCATION = "056", "055", "030", "035"
# Who is suspended for so many days, from so high a grade on, goes on in alternative education.
LONG_SUSPENSION, SECONDARY = 3, 6


def write_delivery(plan: Plan, folder: Path, delivery: Delivery, known: Snapshot) -> None:
    """Write a file of each template: all of the school year so far."""
    aun, year_end = pl.lit(known.district.aun), pl.lit(f"{known.school_year}-06-30")
    school, student = pl.col("school_code"), pl.col("state_student_id")
    resident, whole = pl.lit("A"), pl.lit("100")
    offender = pl.concat_str(pl.lit("P"), student)
    sanctions = _sanctions(known)
    templates: dict[str, tuple[pl.DataFrame, dict[int, pl.Expr]]] = {
        "STUDENT": (_students(plan, known), {
            1: aun, 2: school, 3: year_end, 4: student, 9: pl.col("suffix"), 10: state_grade(),
            14: pl.col("birth_date"), 15: pl.col("sex"), 16: pl.col("street"),
            18: pl.col("city"), 19: pl.lit("PA"), 20: pl.col("zip"),
            33: pl.col("economic_status"), 34: pl.col("primary_disability"),
            38: pl.col("special_education"), 41: pl.col("english_learner"),
            65: pl.col("graduation_status"), 66: pl.col("post_school_plan"), 88: pl.col("race"),
            122: pl.col("middle_name"), 123: pl.col("last_name"), 124: pl.col("first_name"),
            217: aun,
        }),
        "SCHOOL_ENROLL": (activities(known.directory), {
            1: aun, 2: school, 3: year_end, 4: student, 6: pl.col("day"), 7: pl.col("code"),
            9: state_grade(), 10: resident,
        }),
        # A school's code is also the id of its calendar.
        "SCHOOL_CALENDAR": (_calendars(known), {
            1: aun, 2: year_end, 3: school, 4: pl.col("school_name"), 11: pl.col("first"),
            12: pl.col("last"),
        }),
        "STUDENT_CALENDAR_FACT": (_days(known), {
            1: aun, 2: year_end, 3: school, 4: student, 5: aun, 6: aun, 7: resident,
            8: pl.col("enrolled"), 9: pl.col("present"), 10: whole, 11: state_grade(),
        }),
        "PROGRAMS_FACT": (programs(plan, known, delivery.as_of), {
            1: aun, 2: school, 3: year_end, 4: student, 5: pl.col("program"), 6: pl.col("begin"),
            7: pl.col("end"),
        }),
        "PERSON": (sanctions.unique("person", maintain_order=True), {
            1: aun, 2: offender, 3: year_end, 4: aun, 5: student,
        }),
        "INCIDENT": (sanctions, {
            1: aun, 2: year_end, 3: pl.col("incident"), 4: pl.col("incident_date"),
        }),
        "INCIDENT_OFFNDR_DSPLNRY_ACTION": (sanctions, {
            1: aun, 2: pl.col("incident"), 3: offender,
            4: pl.col("action").replace_strict(SANCTIONS), 5: year_end, 8: pl.col("days"),
        }),
    }  # fmt: skip
    sent_at = datetime.combine(delivery.as_of, time(8))
    for template, (frame, fields) in templates.items():
        rows = frame.select(field.cast(pl.String).alias(str(n)) for n, field in fields.items())
        by_position = (dict(zip(fields, row, strict=True)) for row in rows.iter_rows())
        file = folder / pims.file_name(known.district.aun, template, sent_at, "csv")
        # The byte-order mark tells an export without rows from a file that was lost.
        file.write_text(pims.content(template, by_position, ","), "utf-8-sig")


def _students(plan: Plan, known: Snapshot) -> pl.DataFrame:
    """One row per student, with the newest spell."""
    demographics = known.demographics.drop("district_student_id", "state_student_id")
    students = known.directory.unique("person", keep="last", maintain_order=True).join(
        demographics, on="person", maintain_order="left"
    )
    # By person, so that a plan stays the same in later deliveries.
    choice = plan.chance("post-school plans").choice(POST_SCHOOL_PLANS, plan.ever_students)
    return students.with_columns(
        graduation_status=pl.col("exit_code").replace_strict(GRADUATION_STATUSES, default=None),
        post_school_plan=pl.when(pl.col("exit_code") == "WD04").then(
            text(choice[students["person"].to_numpy()])
        ),
    )


def _calendars(known: Snapshot) -> pl.DataFrame:
    """One row per school: the first and the last day in session."""
    day = pl.col("calendar_date")
    in_session = known.calendar.filter("in_session")
    return in_session.group_by("school_code", "school_name", maintain_order=True).agg(
        first=day.min(), last=day.max()
    )


def _days(known: Snapshot) -> pl.DataFrame:
    """One row per student and school: days enrolled and present."""
    absent = pl.col("excused").fill_null(0) + pl.col("unexcused").fill_null(0)
    students = known.directory.select("person", "state_student_id", "grade").unique(
        "person", keep="last", maintain_order=True
    )
    return (
        enrolled_days(known.directory, known.calendar)
        .join(absences(known.attendance), on=["person", "day"], how="left", maintain_order="left")
        .group_by("person", "school_code", maintain_order=True)
        .agg(enrolled=pl.len(), present=(1 - absent).sum())
        .join(students, on="person", maintain_order="left")
    )


def programs(plan: Plan, known: Snapshot, as_of: date) -> pl.DataFrame:
    """Participations so far: both ids of the student, school_code, program, begin, end.

    Homeless students live with a guardian, except half of those of grades 9 and above.
    """
    chance = plan.chance("school programs", known.school_year)
    # By person, so that a participation stays the same in later deliveries.
    draws = pl.DataFrame(
        {
            "wait": chance.integers(0, 21, plan.ever_students),
            "length": chance.integers(20, 200, plan.ever_students),
            "is_alone": chance.random(plan.ever_students) < 0.5,
        }
    ).with_row_index("person")
    suspensions = known.discipline.filter(
        pl.col("action") == "OSS", pl.col("days") >= LONG_SUSPENSION
    )
    students = (
        known.directory.filter(pl.col("exit_code").ne_missing("WD09"))
        .group_by("person", "state_student_id", maintain_order=True)
        .agg(
            pl.col("school_code", "grade").last(),
            entry=pl.col("entry_date").min(),
            until=pl.col("exit_date").last().fill_null(date(known.school_year, 6, 30)),
        )
        .join(known.demographics.select("person", "homeless"), on="person", maintain_order="left")
        .join(draws.cast({"person": pl.Int64}), on="person", maintain_order="left")
        .join(
            suspensions.group_by("person").agg(suspended=pl.col("incident_date").min()),
            on="person",
            how="left",
            maintain_order="left",
        )
    )
    found_homeless = pl.col("entry") + pl.duration(days="wait")
    is_unaccompanied = pl.col("is_alone") & (pl.col("grade") >= 9)
    participations = [
        students.filter(pl.col("homeless") == "Y").with_columns(
            program=pl.when(is_unaccompanied)
            .then(pl.lit(UNACCOMPANIED))
            .otherwise(pl.lit(ACCOMPANIED)),
            begin=found_homeless,
            end=pl.min_horizontal(found_homeless + pl.duration(days="length"), "until"),
        ),
        students.filter(pl.col("grade") < 0).with_columns(
            program=pl.lit(PRE_K_COUNTS), begin="entry", end="until"
        ),
        students.filter(
            pl.col("suspended").is_not_null(), pl.col("grade") >= SECONDARY
        ).with_columns(program=pl.lit(ALTERNATIVE_EDUCATION), begin="suspended", end="until"),
    ]
    return (
        pl.concat(participations)
        .filter(pl.col("begin") <= pl.col("end"), pl.col("begin") <= as_of)
        .select(
            pl.col("state_student_id").alias("district_student_id"),
            "state_student_id", "school_code", "program", "begin",
            end=pl.when(pl.col("end") <= as_of).then("end"),
        )
    )  # fmt: skip


def _sanctions(known: Snapshot) -> pl.DataFrame:
    """One row per incident: each has one offender and one sanction."""
    # By day, so that an incident keeps its number in later deliveries.
    actions = known.discipline.sort("incident_date", "person").with_row_index("number", 1)
    year = pl.lit(f"{known.school_year}-")
    return actions.with_columns(incident=pl.concat_str(year, "number"))
