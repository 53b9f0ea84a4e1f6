"""Outcomes of students in a school year: days absent, marks, tests, suspensions.

The student's `need` (see `people`) and involvement with human services lower each outcome, so
that the gaps between involved and other students are visible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from demo.columns import text
from demo.enrollment import Enrollment
from demo.people import Population
from demo.plan import Plan
from demo.schools import District, session_dates

OFFENSES = ("DISR", "DEFY", "FIGHT", "TRUANT", "DRUG", "WEAPON")
SUBJECTS = {"MATH": "Mathematics", "ENGLISH": "English", "SCIENCE": "Science",
            "SOCIAL": "Social Studies", "OTHER": "Physical Education"}  # fmt: skip
MARKS = np.array(["E", "D", "C", "B", "A"], dtype=object)
LEVELS = np.array(["Below Basic", "Basic", "Proficient", "Advanced"], dtype=object)
# Reading and mathematics, writing, science: the grades in which the state tests them.
TEST_GRADES = {
    "MATH": (3, 4, 5, 6, 7, 8, 11),
    "READING": (3, 4, 5, 6, 7, 8, 11),
    "WRITING": (5, 8, 11),
    "SCIENCE": (4, 8, 11),
}
# Unexcused, excused, medical, suspended; not tardy, not on a field trip.
ABSENCES = ("U", "E", "M", "S")
FIRST_MARKED_GRADE = 6
TERMS, TERM_DAYS = 4, 45
# An unexcused absence becomes excused when the note arrives.
NOTE_ARRIVES_AFTER_DAYS = 12


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of one district and school year, by person.

    `attendance`: person, school_code, event_date, event_code (as at Pittsburgh), day_fraction,
    excused_later. `gpas`: person, term, gpa, weighted_gpa, known_from. `marks`: person, term,
    subject, course_code, mark, known_from. `discipline`: person, incident_date,
    offense_code, action, days.
    """

    attendance: pl.DataFrame
    gpas: pl.DataFrame
    marks: pl.DataFrame
    discipline: pl.DataFrame


def abilities(plan: Plan, population: Population) -> np.ndarray:
    """Ability in school by student: mean about 0, standard deviation about 1."""
    students = population.people.head(population.students)
    chance = plan.chance("abilities")
    return np.asarray(
        0.75 * chance.normal(0, 1, len(students))
        - 0.4 * students["need"].to_numpy()
        - 0.25 * (students["is_involved"].to_numpy() - 0.57)
    )


def enrolled_days(spells: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    """One row per student and day in session inside a spell: person, school_code, day."""
    attended = spells.filter(pl.col("exit_code").ne_missing("WD09"))
    days = calendar.filter("in_session").select("school_code", day="calendar_date")
    return (
        attended.select("person", "school_code", "entry_date", "exit_date")
        .join(days, on="school_code")
        .filter(
            pl.col("day") >= pl.col("entry_date"),
            pl.col("exit_date").is_null() | (pl.col("day") <= pl.col("exit_date")),
        )
        .select("person", "day", "school_code")
        .sort("person", "day", "school_code")
        .unique(["person", "day"], keep="first", maintain_order=True)
    )


def absences(attendance: pl.DataFrame) -> pl.DataFrame:
    """One row per student and day with an absence: person, day, excused, unexcused (days)."""
    is_absence = pl.col("event_code").is_in(ABSENCES)
    is_unexcused = pl.col("event_code") == "U"
    return attendance.filter(is_absence).group_by("person", day="event_date").agg(
        excused=pl.col("day_fraction").filter(~is_unexcused).sum(),
        unexcused=pl.col("day_fraction").filter(is_unexcused).sum(),
    )  # fmt: skip


def make_outcomes(
    plan: Plan,
    population: Population,
    ability: np.ndarray,
    district: District,
    school_year: int,
    enrollment: Enrollment,
    calendar: pl.DataFrame,
) -> Outcomes:
    """Draw the outcomes of a district and school year, up to the last delivery."""
    chance = plan.chance("outcomes", district.district_id, school_year)
    seen = calendar.filter(pl.col("calendar_date") <= plan.last_day)
    days = enrolled_days(enrollment.spells, seen)
    discipline, suspended = _discipline(population, days, chance)
    marks, gpas = _school_work(ability, district, enrollment, calendar, chance)
    return Outcomes(_attendance(population, days, suspended, chance), gpas, marks, discipline)


def _discipline(
    population: Population, days: pl.DataFrame, chance: np.random.Generator
) -> tuple[pl.DataFrame, np.ndarray]:
    """The actions, and for each row of `days` whether the student is suspended."""
    person = days["person"].to_numpy()
    need = population.people["need"].to_numpy()[person]
    involved = population.people["is_involved"].to_numpy()[person]
    rate = 0.0016 * np.exp(0.6 * need + 0.5 * involved - 0.3)
    at = np.flatnonzero(chance.random(len(days)) < rate)
    action = chance.choice(
        np.array(["OSS", "ISS", "DET"], dtype=object), len(at), p=[0.5, 0.25, 0.25]
    )
    length = np.where(action == "OSS", chance.choice([1, 2, 3, 5], len(at)), 1)
    suspended = np.zeros(len(days), dtype=bool)
    for later in range(5):
        rows = at[(action == "OSS") & (length > later)] + later
        start = at[(action == "OSS") & (length > later)]
        inside = rows < len(days)
        rows, start = rows[inside], start[inside]
        suspended[rows[person[rows] == person[start]]] = True
    actions = days[at].select(
        "person",
        incident_date="day",
        offense_code=text(
            chance.choice(OFFENSES, len(at), p=[0.35, 0.28, 0.17, 0.12, 0.05, 0.03])
        ),
        action=text(action),
        days=pl.Series(length),
    )  # fmt: skip
    return actions, suspended


def _attendance(
    population: Population, days: pl.DataFrame, suspended: np.ndarray, chance: np.random.Generator
) -> pl.DataFrame:
    students = population.people.head(population.students)
    need, involved = students["need"].to_numpy(), students["is_involved"].to_numpy()
    # Log-normal: most students miss a few days, some miss very many.
    habit = chance.normal(0, 0.68, len(students))
    rate = np.exp(-3.03 + 0.25 * need + 0.33 * involved + habit).clip(0.002, 0.7)
    person = days["person"].to_numpy()
    draw = chance.random(len(days))
    absent = draw < rate[person]
    tardy = ~absent & (draw > 0.982)
    trip = ~absent & ~tardy & (draw > 0.978)
    at = np.flatnonzero(absent | tardy | trip | suspended)
    n = len(at)
    unexcused = chance.random(n) < 0.45 + 0.12 * involved[person[at]]
    reason = np.where(chance.random(n) < 0.6, "E", "M")
    code = np.select([suspended[at], tardy[at], trip[at], unexcused], ["S", "T", "F", "U"], reason)
    is_absence = np.isin(code, ["U", "E", "M"])
    half = is_absence & (chance.random(n) < 0.12)
    events = days[at].select(
        "person",
        "school_code",
        event_date="day",
        event_code=pl.Series(code),
        day_fraction=pl.Series(np.where(half, 0.5, 1.0)),
        excused_later=pl.Series((code == "U") & (chance.random(n) < 0.04)),
    )
    # Half an unexcused and half an excused day are two rows of one day.
    two = pl.Series(half & (code == "U") & (chance.random(n) < 0.05))
    other_half = events.filter(two).with_columns(
        event_code=pl.lit("E"), excused_later=pl.lit(False)
    )
    return pl.concat([events, other_half]).sort("event_date", "person", maintain_order=True)


def _school_work(
    ability: np.ndarray,
    district: District,
    enrollment: Enrollment,
    calendar: pl.DataFrame,
    chance: np.random.Generator,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Marks of each term and the cumulative GPA after it, for grades 6 to 12."""
    dates = session_dates(calendar)
    terms = pl.DataFrame({"term": range(1, TERMS + 1)}).with_columns(
        known_from=pl.Series(dates[TERM_DAYS * np.arange(TERMS) + district.marks_after - 1])
    )
    attended = enrollment.spells.filter(pl.col("exit_code").ne_missing("WD09"))
    membership = attended.group_by("person", maintain_order=True).agg(
        pl.col("grade").first(),
        since=pl.col("entry_date").min(),
        until=pl.col("exit_date").last(),
    )
    terms_taken = (
        membership.filter(pl.col("grade") >= FIRST_MARKED_GRADE)
        .join(terms, how="cross", maintain_order="left_right")
        .filter(
            pl.col("known_from") >= pl.col("since"),
            pl.col("until").is_null()
            | (pl.col("until") >= pl.col("known_from").dt.offset_by("-20d")),
        )
    )
    subjects = pl.DataFrame({"subject": list(SUBJECTS), "number": range(len(SUBJECTS))})
    marks = terms_taken.join(subjects, how="cross", maintain_order="left_right")
    typical = 2.5 + 0.8 * ability[marks["person"].to_numpy()]
    points = (typical + chance.normal(0, 0.8, len(marks))).round().clip(0, 4)
    is_graded = pl.col("subject") != "OTHER"
    marks = marks.with_columns(points=pl.Series(points)).with_columns(
        course_code=pl.concat_str(
            pl.col("subject").str.slice(0, 3),
            pl.col("grade").cast(pl.String).str.zfill(2),
            pl.col("number").cast(pl.String),
        ),
        mark=pl.when(is_graded).then(text(MARKS[points.astype(int)])).otherwise(pl.lit("P")),
    )
    gpas = (
        marks.filter(is_graded)
        .group_by("person", "term", "known_from", maintain_order=True)
        .agg(pl.col("points").mean())
        .with_columns(so_far=pl.col("points").cum_sum().over("person")
                      / pl.int_range(1, pl.len() + 1).over("person"))
    )  # fmt: skip
    # Earlier years count as much as this one.
    before = (2.5 + 0.8 * ability[gpas["person"].to_numpy()]).clip(0.3, 4.0)
    honors = chance.choice([0.0, 0.25, 0.5], len(ability), p=[0.6, 0.25, 0.15])
    gpa = (pl.col("so_far") + pl.Series(before)) / 2
    gpas = gpas.select(
        "person",
        "term",
        "known_from",
        gpa=gpa.round(2),
        weighted_gpa=(gpa + pl.Series(honors[gpas["person"].to_numpy()])).round(2),
    )
    return (
        marks.select("person", "term", "known_from", "subject", "course_code", "mark"),
        gpas,
    )


def make_tests(
    plan: Plan, ability: np.ndarray, takers: pl.DataFrame, district: District, test_year: int
) -> pl.DataFrame:
    """The state tests of a spring: person, grade, subject, score, level (0–3).

    `takers` has person and grade of everybody who was enrolled that spring.
    """
    chance = plan.chance("tests", district.district_id, test_year)
    wanted = pl.DataFrame(
        [(subject, grade) for subject, grades in TEST_GRADES.items() for grade in grades],
        schema={"subject": pl.String, "grade": pl.Int64},
        orient="row",
    )
    tests = takers.select("person", "grade").join(wanted, on="grade", maintain_order="left_right")
    tests = tests.filter(pl.Series(chance.random(len(tests)) < 0.97))
    standing = 0.85 * ability[tests["person"].to_numpy()] + chance.normal(0, 0.5, len(tests)) + 0.2
    return tests.with_columns(
        score=pl.Series((1280 + 130 * standing).round().astype(int).clip(700, 2400)),
        level=pl.Series(np.digitize(standing, [-0.7, 0.0, 0.95])),
    )
