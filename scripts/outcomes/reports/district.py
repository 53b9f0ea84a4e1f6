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
    """A sheet with a district's rows of a relation.

    `columns` has the column and its width by heading; `what_to_do` is the same in each row.
    """

    title: str
    relation: str
    columns: dict[str, tuple[str, int]]
    order: str
    district_column: str = "district_id"
    condition: str = "true"
    what_to_do: str | None = None


_FAULTS: dict[str, Any] = {
    "relation": "deliveries.int_open_faults",
    "columns": {
        "file": ("file_name", 36), "delivery": ("as_of_date", 12), "line": ("line_number", 8),
        "column": ("column_name", 18), "expected": ("detail", 30),
        "what it means": ("meaning", 36), "what to do": ("what_to_do", 36),
    },
    "order": "as_of_date desc, file_name, line_number, column_name",
    "district_column": "partner_id",
}  # fmt: skip

_LISTINGS = [
    _Listing(
        "Files",
        "deliveries.int_open_files",
        {
            "file": ("file_name", 36), "delivery": ("as_of_date", 12),
            "kind of file": ("contract_object", 22), "state": ("state", 20),
            "rows loaded": ("rows_loaded", 10), "rows rejected": ("rows_rejected", 10),
            "found": ("detail", 30), "what it means": ("meaning", 36),
            "what to do": ("what_to_do", 36),
        },
        "state = 'loaded', as_of_date desc, file_name",
        "partner_id",
    ),
    _Listing("Rejected rows", condition="fault = 'row'", **_FAULTS),
    _Listing("Unreadable values", condition="fault = 'value'", **_FAULTS),
    _Listing(
        "Unknown codes",
        "quality.unmapped_codes",
        {
            "file and column": ("feed_column", 34), "code": ("source_code", 20),
            "rows": ("rows_affected", 10), "first sent": ("first_as_of_date", 12),
            "last sent": ("last_as_of_date", 12),
        },
        "feed_column, source_code",
        "partner_id",
        what_to_do="Tell us what the code means, or correct it.",
    ),
    _Listing(
        "Incomplete students",
        "quality.incomplete_records",
        {
            "file": ("contract_object", 26), "school year": ("school_year", 12),
            "student id as sent": ("record_id", 20), "rows": ("rows_affected", 10),
            "delivery": ("as_of_date", 12), "missing from": ("missing_from", 28),
            "what it means": ("meaning", 36), "left out of": ("left_out_of", 22),
            "what to do": ("what_to_do", 40),
        },
        "reason_code, contract_object, school_year, record_id",
        "partner_id",
    ),
    _Listing(
        "New or missing students",
        "quality.changed_students",
        {
            "file": ("contract_object", 26), "student id": ("district_student_id", 20),
            "change": ("change", 12), "delivery": ("as_of_date", 12),
            "previous delivery": ("previous_as_of_date", 16),
        },
        "contract_object, change desc, district_student_id",
    ),
    _Listing(
        "Shared state ids",
        "quality.shared_state_ids",
        {
            "state id": ("state_student_id", 16), "student ids": ("district_student_ids", 34),
            "names differ": ("names_differ", 13), "birth dates differ": ("birth_dates_differ", 17),
            "last sent": ("last_as_of_date", 12),
        },
        "state_student_id",
        what_to_do="Find out whose state id it is, and correct the other students.",
    ),
    _Listing(
        "Attendance gaps",
        "quality.attendance_gaps",
        {
            "day": ("calendar_date", 12), "students enrolled": ("students_enrolled", 17),
            "students without a row": ("students_without_row", 22),
        },
        "calendar_date",
        what_to_do="Send a row for every student and day, or correct the calendar or entry dates.",
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
        "select as_of_date, grade, worst, files_delivered, files_loaded, rows_loaded, "  # noqa: S608 - _TO_DO is a constant
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
    columns = ", ".join(column for column, _ in listing.columns.values())
    cursor = connection.execute(
        f"select {columns} from {listing.relation} "  # noqa: S608 - listings are constants
        f"where {listing.district_column} = %s and {listing.condition} "
        f"order by {listing.order}".encode(),
        [district_id],
    )
    rows: list[Sequence[Any]] = [*cursor.fetchmany(MAX_ROWS)]
    more = cursor.rowcount - len(rows)
    widths = {heading: width for heading, (_, width) in listing.columns.items()}
    if listing.what_to_do:
        widths["what to do"] = 40
        rows = [(*row, listing.what_to_do) for row in rows]
    if more:
        rows.append([f"… and {more:,} more"])
    return Sheet(listing.title, widths, rows)
