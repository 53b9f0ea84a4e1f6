"""A workbook for a district's counselors: its students with an early warning.

Only where the agreement has `service_coordination` among its purposes: a list of children to talk
to is more than an evaluation. It holds names and what the district itself has sent, and nothing of
human services.
"""

from __future__ import annotations

from pathlib import Path

import psycopg

from outcomes.access.disclosures import COORDINATION, record_export
from outcomes.errors import OutcomesError
from outcomes.publishing.runs import reading_built, require_inner_tables
from outcomes.queries import query
from outcomes.spreadsheet import Sheet, write_workbook

# Also the list of a dashboard.
WARNED_STUDENTS = query("outcomes.reports", "warned_students")

_INTEREST = "counsels its own students"

# Columns of queries/warned_students.sql with their widths.
_COLUMNS = {
    "last_name": 18, "first_name": 16, "district_student_id": 14, "school": 24, "grade": 10,
    "new_since_last_delivery": 22, "attendance": 18, "behavior": 18, "courses": 18,
    "grade_average": 18, "days_absent": 10, "days_enrolled": 10, "absent": 10,
    "absent_change_in_four_weeks": 14,
}  # fmt: skip


def may_counsel(connection: psycopg.Connection, district_id: str) -> bool:
    """Whether the agreement in force allows a list of students for counselors."""
    with reading_built(connection, "deliveries.int_agreed_purposes"):
        require_inner_tables(connection)
        return bool(
            connection.execute(
                "select from deliveries.int_agreed_purposes "
                "where partner_id = %s and purpose = 'service_coordination'",
                [district_id],
            ).fetchall()
        )


def write_counselors(connection: psycopg.Connection, district_id: str, file: Path) -> None:
    """Write the students with a warning in the last full week, those with a new one first.

    It is entered in the record of disclosures.

    Raises:
        OutcomesError: the agreement does not allow it, the warehouse is not built, or the file
            cannot be written.
    """
    if not may_counsel(connection, district_id):
        raise OutcomesError(
            f"The agreement with {district_id} is not for coordination of services, so its "
            "counselors get no list. Ask for `service_coordination` among its purposes."
        )
    try:
        with (
            reading_built(connection, "marts_district.rpt_early_warnings"),
            connection.transaction(),
        ):
            connection.execute("set transaction isolation level repeatable read")
            connection.execute("set local search_path to marts_district, marts, policy")
            cursor = connection.execute(
                WARNED_STUDENTS,
                {"district": district_id, "school": "all", "kind": "all"},
            )
            names = [column.name for column in cursor.description or []]
            found = [dict(zip(names, row, strict=True)) for row in cursor]
            record_export(
                connection,
                district_id,
                _INTEREST,
                "report counselors",
                {district_id: len(found)},
                COORDINATION,
            )
            headings = {name.replace("_", " "): width for name, width in _COLUMNS.items()}
            rows = [[row[name] for name in _COLUMNS] for row in found]
            write_workbook(file, [Sheet("Students at risk", headings, rows)])
    except OSError as error:
        raise OutcomesError(f"{file} cannot be written: {error.strerror}.") from None
