"""The lists of action research, computed independently with pandas from the facts."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pandas as pd
import psycopg

STUDENT_YEAR = ["district_id", "district_student_id", "school_year"]


def read(connection: psycopg.Connection, relation: str) -> pd.DataFrame:
    """A whole relation."""
    cursor = connection.execute(f"select * from {relation}".encode())
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])


def service_gaps(connection: psycopg.Connection) -> set[tuple[str, int, str]]:
    """Student, school year and rule: school and services disagree."""
    students = read(connection, "deliveries.int_students_accepted").set_index(STUDENT_YEAR)
    years = read(connection, "marts.fct_student_years")
    flags = read(connection, "marts.fct_student_year_involvements")
    served = flags.set_index(["student_key", "school_year", "program_group"])
    columns = {"disability": "primary_disability", "homeless": "is_homeless"}
    found = set()
    for rule in read(connection, "policy.service_gap_rules").itertuples():
        facts = students[columns[rule.school_domain]].dropna()
        if rule.school_domain == "homeless":
            facts = facts.map({True: "yes", False: "no"})
        sent = {(district, year) for district, _, year in facts.index}
        for student in years.itertuples():
            if (student.district_id, student.school_year) not in sent:
                continue
            key = (student.district_id, student.district_student_id, student.school_year)
            says = facts.get(key) == rule.school_code
            service = served.at[
                (student.student_key, student.school_year, rule.program_group),
                f"involved_{rule.involvement}",
            ]
            if service is not None and says != service and says == (rule.missing == "service"):
                found.add((student.student_key, student.school_year, rule.rule_id))
    return found


def school_moves(
    connection: psycopg.Connection,
) -> set[tuple[str, str, str, object, object, object]]:
    """Person, from and to school, day, and whether a placement or a shelter stay had begun.

    None where the newest delivery of the source, minus its lag, is before the move.
    """
    spells = read(connection, "marts.fct_enrollments")
    services = read(connection, "marts.fct_involvements").groupby("person_id")
    services_of = {person: list(rows.itertuples()) for person, rows in services}
    triggers = read(connection, "policy.move_triggers")
    lags = read(connection, "policy.client_sources").set_index("source_id")["lag_days"]
    newest = connection.execute(
        "select services.source_id, max(as_of_date) from staging.stg_services as services "
        "inner join deliveries.int_deliveries using (load_id) group by services.source_id"
    ).fetchall()
    until = {source: day - timedelta(days=int(lags[source])) for source, day in newest}
    spells["until"] = spells["exit_date"].map(lambda day: str(day) if day else "9999")
    found = set()
    order = ["person_id", "school_year", "entry_date", "until", "school_key", "student_key"]
    for before, after in pairwise(spells.sort_values(order).itertuples()):
        if (before.person_id, before.school_year) != (after.person_id, after.school_year):
            continue
        if before.school_key == after.school_key or before.entry_date == after.entry_date:
            continue
        began = {
            trigger.trigger: False if after.entry_date <= until[trigger.source_id] else None
            for trigger in triggers.sort_values("trigger").itertuples()
        }
        for service in services_of.get(after.person_id, ()):
            for trigger in triggers.itertuples():
                days = timedelta(days=trigger.window_days)
                if (service.source_id, service.program_code) == (
                    trigger.source_id,
                    trigger.program_code,
                ) and after.entry_date - days <= service.started_on <= after.entry_date:
                    began[trigger.trigger] = True
        move = (after.person_id, before.school_key, after.school_key, after.entry_date)
        found.add((*move, *began.values()))
    return found


def discrepancy_cohort(connection: psycopg.Connection) -> set[tuple[str, int]]:
    """Student and school year: Proficient in both subjects, a GPA of 2.00 or less, involved."""
    years = read(connection, "marts.fct_student_years")
    tests = read(connection, "marts.fct_assessments")
    tests = tests[tests["subject"].isin(["math", "reading"]) & (tests["test"] == "PSSA")]
    found = set()
    for student in years.itertuples():
        if student.grade not in (6, 7, 8) or not student.involved_ever:
            continue
        if pd.isna(student.gpa) or student.gpa > 2:
            continue
        newest = (
            tests[
                (tests["person_id"] == student.person_id)
                & tests["test_year"].isin([student.school_year, student.school_year - 1])
            ]
            .sort_values("test_year")
            .groupby("subject")["is_proficient"]
            .last()
        )
        if newest.sum() == 2:
            found.add((student.student_key, student.school_year))
    return found
