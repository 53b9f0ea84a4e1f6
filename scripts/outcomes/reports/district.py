"""A workbook for one district: its faults, with line and remedy.

It lists the open faults: those of files that no newer file has replaced. Student ids are
included only where the district needs them to find a student; names and other columns are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from outcomes.access.disclosures import record_export
from outcomes.config import load_settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.errors import OutcomesError
from outcomes.publishing.runs import reading_built
from outcomes.spreadsheet import Sheet, write_workbook

_INTEREST = "fixes the faults of its own deliveries"

# Few people read more; the limit of a spreadsheet is 1,048,576.
MAX_ROWS = 50_000


@dataclass(frozen=True)
class _Listing:
    """A sheet with the result of a query about `district_id`."""

    title: str
    columns: dict[str, int]
    query: str


_FAULTS = """
    select
        files.file_name,
        files.as_of_date,
        faults.line_number,
        faults.column_name,
        faults.detail,
        coalesce(reasons.meaning, faults.reason_code),
        reasons.what_to_do
    from deliveries.int_file_faults as faults
    inner join deliveries.int_file_statuses as files on faults.file_id = files.file_id
    left join policy.reason_codes as reasons on faults.reason_code = reasons.reason_code
    where
        files.partner_id = %(district_id)s
        and not files.is_superseded
        and faults.fault = '{fault}'
    order by files.as_of_date desc, files.file_name, faults.line_number, faults.column_name
"""
_FAULT_COLUMNS = {
    "file": 36, "delivery": 12, "line": 8, "column": 18, "expected": 30, "what it means": 36,
    "what to do": 36,
}  # fmt: skip

_LISTINGS = [
    _Listing(
        "Files",
        {
            "file": 36, "delivery": 12, "kind of file": 22, "state": 20, "rows loaded": 10,
            "rows rejected": 10, "found": 30, "what it means": 36, "what to do": 36,
        },
        """
        select
            files.file_name,
            files.as_of_date,
            files.contract_object,
            case files.status
                when 'loaded' then 'loaded'
                when 'duplicate' then 'duplicate'
                when 'held' then 'held'
                else 'not loaded'
            end,
            files.rows_loaded,
            files.rows_rejected,
            files.detail,
            coalesce(reasons.meaning, files.reason_code),
            reasons.what_to_do
        from deliveries.int_file_statuses as files
        left join policy.reason_codes as reasons on files.reason_code = reasons.reason_code
        where files.partner_id = %(district_id)s and not files.is_superseded
        order by files.status = 'loaded', files.as_of_date desc, files.file_name
        """,
    ),
    _Listing("Rejected rows", _FAULT_COLUMNS, _FAULTS.format(fault="row")),
    _Listing("Unreadable values", _FAULT_COLUMNS, _FAULTS.format(fault="value")),
    _Listing(
        "Unknown codes",
        {"file and column": 34, "code": 20, "rows": 10, "first sent": 12, "last sent": 12,
         "what to do": 40},
        """
        select
            feed_column,
            source_code,
            rows_affected,
            first_as_of_date,
            last_as_of_date,
            'Tell us what the code means, or correct it.'
        from quality.unmapped_codes
        where partner_id = %(district_id)s
        order by feed_column, source_code
        """,
    ),
    _Listing(
        "Incomplete students",
        {"file": 26, "school year": 12, "student id as sent": 20, "rows": 10, "delivery": 12,
         "missing from": 28, "what it means": 36, "left out of": 22, "what to do": 40},
        """
        select
            contract_object,
            school_year,
            record_id,
            rows_affected,
            as_of_date,
            missing_from,
            meaning,
            left_out_of,
            what_to_do
        from quality.incomplete_records
        where partner_id = %(district_id)s
        order by reason_code, contract_object, school_year, record_id
        """,
    ),
    _Listing(
        "New or missing students",
        {"file": 26, "student id": 20, "change": 12, "delivery": 12, "previous delivery": 16},
        """
        select contract_object, district_student_id, change, as_of_date, previous_as_of_date
        from quality.changed_students
        where district_id = %(district_id)s
        order by contract_object, change desc, district_student_id
        """,
    ),
    _Listing(
        "Shared state ids",
        {"state id": 16, "student ids": 34, "names differ": 13, "birth dates differ": 17,
         "last sent": 12, "what to do": 40},
        """
        select
            state_student_id,
            district_student_ids,
            names_differ,
            birth_dates_differ,
            last_as_of_date,
            'Find out whose state id it is, and correct the other students.'
        from quality.shared_state_ids
        where district_id = %(district_id)s
        order by state_student_id
        """,
    ),
    _Listing(
        "Attendance gaps",
        {"day": 12, "students enrolled": 17, "students without a row": 22, "what to do": 40},
        """
        select
            calendar_date,
            students_enrolled,
            students_without_row,
            'Send a row for every student and day, or correct the calendar or entry dates.'
        from quality.attendance_gaps
        where district_id = %(district_id)s
        order by calendar_date
        """,
    ),
]  # fmt: skip

# Columns of the scorecard: the label for the district, and what to do if the count is not 0.
_TO_DO = {
    "missing_files": ("Missing files", "Send them."),
    "files_quarantined": ("Files not loaded", "Fix and send them again: sheet Files."),
    "files_held": (
        "Files held because many rows are missing", "Tell us whether these rows were removed."
    ),
    "rows_rejected": ("Rejected rows", "Fix them: sheet Rejected rows."),
    "values_nulled": ("Unreadable values", "Fix them: sheet Unreadable values."),
    "unmapped_codes": ("Unknown codes", "Tell us what they mean: sheet Unknown codes."),
    "incomplete_records": ("Incomplete students", "Fix them: sheet Incomplete students."),
    "days_late": ("Days late", "Send the delivery."),
}  # fmt: skip
# None of these data are used until somebody acts.
_URGENT = ("missing_files", "files_quarantined", "files_held", "days_late")
_GRADES = {"good": "fine", "failing": "urgent"}
_FRESHNESS = {
    "on_time": ("as agreed", "fine", ""),
    "due": ("due since {expected_on:%Y-%m-%d}", "to fix", "Send it."),
    "late": (
        "{days_late} days late; last loaded from the delivery of {last_accepted_on:%Y-%m-%d}",
        "urgent", "Send it.",
    ),
    "never_delivered": ("never loaded", "urgent", "Send it."),
    "unscheduled": ("no day agreed", "fine", ""),
}  # fmt: skip


def write_all_reports(connection: psycopg.Connection) -> dict[str, Path]:
    """Write the workbook of every district with a contract, and return the files.

    Raises:
        OutcomesError: as `write_report`.
    """
    files = {}
    for district_id in district_ids(load_contracts().values()):
        files[district_id] = report_file(connection, district_id)
        write_report(connection, district_id, files[district_id])
    return files


def write_report(connection: psycopg.Connection, district_id: str, file: Path) -> None:
    """Write a district's workbook: only rows of that district, as of the last build.

    The workbook is entered in the record of disclosures if it can be written.

    Raises:
        OutcomesError: the warehouse is not built, or the file cannot be written.
    """
    try:
        with (
            reading_built(connection, "quality.delivery_scorecards"),
            connection.transaction(),
        ):
            # All sheets show the same state, even if a build publishes meanwhile.
            connection.execute("set transaction isolation level repeatable read")
            listed = [_sheet(connection, listing, district_id) for listing in _LISTINGS]
            sheets = [sheet for sheet in listed if sheet.rows]
            count = sum(len(sheet.rows) for sheet in sheets)
            record_export(
                connection, district_id, _INTEREST, "report district", {district_id: count}
            )
            write_workbook(file, [_summary(connection, district_id), *sheets])
    except OSError as error:
        raise OutcomesError(f"{file} cannot be written: {error.strerror}.") from None


def report_file(connection: psycopg.Connection, district_id: str) -> Path:
    """The file of a district's report: `<warehouse>/reports/<as-of date>/<district>.xlsx`.

    Raises:
        OutcomesError: the warehouse is not built, or was built without a delivery.
    """
    with reading_built(connection, "deliveries.int_as_of"):
        [(as_of_date,)] = connection.execute(
            "select as_of_date from deliveries.int_as_of"
        ).fetchall()
    if as_of_date is None:
        raise OutcomesError("Nothing has landed. Run `outcomes land` and `outcomes build` first.")
    return load_settings().files_dir / "reports" / str(as_of_date) / f"{district_id}.xlsx"


def _summary(connection: psycopg.Connection, district_id: str) -> Sheet:
    columns = {"what": 36, "finding": 44, "state": 12, "what to do": 46, "by when": 12}
    return Sheet("Summary", columns, list(_summary_rows(connection, district_id)))


def _summary_rows(connection: psycopg.Connection, district_id: str) -> Iterator[Sequence[Any]]:
    for (name,) in connection.execute(
        "select partner_name from staging.stg_partners where partner_id = %s", [district_id]
    ):
        yield "District", name
    feeds = connection.execute(
        """
        select contract_object, status, expected_on, days_late, last_accepted_on
        from quality.feed_freshness
        where partner_id = %s
        order by contract_object, source_id
        """,
        [district_id],
    ).fetchall()
    next_delivery = min((on for _, _, on, _, _ in feeds if on), default=None)
    card = connection.execute(
        "select as_of_date, grade, worst, files_delivered, files_loaded, rows_loaded, "  # noqa: S608
        f"{', '.join(_TO_DO)} from quality.delivery_scorecards "
        "where partner_id = %s order by as_of_date desc limit 1".encode(),
        [district_id],
    ).fetchone()
    if card is None:
        yield "Newest delivery", "Nothing has been delivered yet."
    else:
        as_of_date, grade, worst, delivered, loaded, rows, *counts = card
        yield "Newest delivery", as_of_date
        yield "Grade", grade, _GRADES.get(grade, "to fix")
        yield "Worst problem", worst
        yield "Files delivered", delivered
        yield "Files loaded", loaded
        yield "Rows loaded", rows
        for (key, (label, what_to_do)), count in zip(_TO_DO.items(), counts, strict=True):
            if count:
                state = "urgent" if key in _URGENT else "to fix"
                yield label, count, state, what_to_do, next_delivery
            else:
                yield label, "none", "fine"
    for rows, students in connection.execute(
        "select sum(rows_affected)::bigint, sum(students)::bigint "
        "from quality.attendance_outside_enrollment where district_id = %s having count(*) > 0",
        [district_id],
    ):
        yield (
            "Attendance on days not enrolled", f"{rows} rows, {students} students", "to fix",
            "Correct the entry and exit dates, or the attendance.", next_delivery,
        )  # fmt: skip
    for name, status, expected_on, days_late, last_accepted_on in feeds:
        template, state, what_to_do = _FRESHNESS[status]
        finding = template.format(
            expected_on=expected_on, days_late=days_late, last_accepted_on=last_accepted_on
        )
        yield f"File {name}", finding, state, what_to_do, expected_on


def _sheet(connection: psycopg.Connection, listing: _Listing, district_id: str) -> Sheet:
    cursor = connection.execute(listing.query.encode(), {"district_id": district_id})
    rows: list[Sequence[Any]] = [*cursor.fetchmany(MAX_ROWS)]
    more = cursor.rowcount - len(rows)
    if more:
        rows.append([f"… and {more:,} more"])
    return Sheet(listing.title, listing.columns, rows)
