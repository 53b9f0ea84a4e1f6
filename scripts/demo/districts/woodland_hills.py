"""Woodland Hills: the state's pipe-delimited templates, with a byte-order mark, no header."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from demo.columns import state_grade, yes_no
from demo.enrollment import activities
from demo.faults import FaultLog
from demo.outcomes import enrolled_days
from demo.plan import Delivery, Plan
from demo.snapshots import Snapshot

TEST_SUBJECTS = {"MATH": "M", "READING": "R", "WRITING": "W", "SCIENCE": "S"}
# Minutes after 19:00 at which the system writes each template.
MINUTES = {"STUDENT": 30, "ENROLLMENT": 31, "CALENDAR": 32, "ATTENDANCE": 33, "GPA": 34,
           "ASSESSMENT": 35, "DISCIPLINE": 36}  # fmt: skip
# The week (0 = first) whose STUDENT file is incomplete and sent again the same evening.
WEEK_OF_RESEND = 1
SHARE_OF_MISSING_ATTENDANCE = 0.004


def write_delivery(
    plan: Plan, folder: Path, delivery: Delivery, known: Snapshot, log: FaultLog
) -> None:
    """Write the delivery's `<AUN>_<TEMPLATE>_<yyyymmddhhmm>.txt` files of a snapshot."""
    aun = pl.lit(known.district.aun)
    year_end = pl.lit(f"{known.school_year}-06-30")
    templates = {
        "STUDENT": _students(known, delivery).select(
            aun, "school_code", year_end.alias("year_end"), "state_student_id",
            "district_student_id", "last_name", "first_name", "middle_name", "suffix",
            "birth_date", "sex", "street", "city", pl.lit("PA").alias("state"), "zip",
            state_grade(), "race", "english_learner", "special_education", "primary_disability",
            "economic_status", "ssn",
        ),
        "ENROLLMENT": activities(known.directory).select(
            aun, "school_code", "state_student_id", "day", "code", state_grade()
        ),
        "CALENDAR": known.calendar.select(
            aun, "school_code", "school_name", "calendar_date",
            yes_no("in_session"),
        ),
        "ATTENDANCE": _attendance(plan, known, delivery).select(
            aun, "school_code", "state_student_id", "day", "status", "excused"
        ),
        "GPA": known.gpas.select(aun, "state_student_id", year_end.alias("y"), "term", "gpa"),
        "DISCIPLINE": known.discipline.select(
            aun, "state_student_id", "incident_date", "offense_code", "action", "days"
        ),
    }  # fmt: skip
    if delivery.test_year is not None:
        templates["ASSESSMENT"] = known.tests.select(
            aun, "state_student_id", pl.lit(delivery.test_year).alias("test_year"), state_grade(),
            pl.lit("PSSA").alias("test"), pl.col("subject").replace_strict(TEST_SUBJECTS),
            "score", pl.col("level") + 1,
        )  # fmt: skip

    def name(template: str, hour: int = 19) -> str:
        return (
            f"{known.district.aun}_{template}_{delivery.as_of:%Y%m%d}{hour}{MINUTES[template]}.txt"
        )

    for template, frame in templates.items():
        (folder / name(template)).write_bytes(_pipes(frame))
    if delivery == plan.woodland_hills()[min(WEEK_OF_RESEND, plan.weeks - 1)]:
        students = templates["STUDENT"]
        short = students.head(len(students) - 1 - len(students) // 50)
        (folder / name("STUDENT")).write_bytes(_pipes(short))
        (folder / name("STUDENT", hour=21)).write_bytes(_pipes(students))
        missing = len(students) - len(short)
        log.add("woodland_hills", delivery.as_of, name("STUDENT"), "short, sent again", missing)


def active_students(known: Snapshot, delivery: Delivery) -> pl.DataFrame:
    """The students who are enrolled on the day, each with the newest spell."""
    return known.directory.filter(
        pl.col("exit_date").is_null() | (pl.col("exit_date") > delivery.as_of)
    ).unique("person", keep="last", maintain_order=True)


def _students(known: Snapshot, delivery: Delivery) -> pl.DataFrame:
    active = active_students(known, delivery)
    demographics = known.demographics.drop("district_student_id", "state_student_id")
    return active.join(demographics, on="person", maintain_order="left")


def _attendance(plan: Plan, known: Snapshot, delivery: Delivery) -> pl.DataFrame:
    """One row per student and day in session; a few are missing."""
    code, half = pl.col("event_code"), pl.col("day_fraction") < 1
    events = known.attendance.select(
        "person",
        day="event_date",
        status=pl.when(code == "T").then(pl.lit("L"))
        .when(code == "F").then(pl.lit("P"))
        .when(half).then(pl.lit("H"))
        .otherwise(pl.lit("A")),
        excused=pl.when(code.is_in(["E", "M", "S"])).then(pl.lit("Y"))
        .when(code == "U").then(pl.lit("N")),
    ).unique(["person", "day"], keep="last", maintain_order=True)  # fmt: skip
    ids = known.directory.select("person", "state_student_id").unique()
    days = (
        enrolled_days(known.directory, known.calendar)
        .join(events, on=["person", "day"], how="left", maintain_order="left")
        .join(ids, on="person", maintain_order="left")
        .with_columns(pl.col("status").fill_null("P"))
    )
    chance = plan.chance("woodland_hills", delivery.as_of)
    draw = chance.random(len(days))
    flag_missing = pl.Series((draw > 0.99) & (draw < 0.995))
    return days.with_columns(
        excused=pl.when(~flag_missing).then("excused"),
    ).filter(pl.Series(draw >= SHARE_OF_MISSING_ATTENDANCE))


def _pipes(frame: pl.DataFrame) -> bytes:
    text = frame.write_csv(
        include_header=False, separator="|", quote_style="never", float_precision=2
    )
    return b"\xef\xbb\xbf" + text.encode()
