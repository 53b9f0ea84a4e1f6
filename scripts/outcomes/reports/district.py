"""A workbook for one district: its faults, with line and remedy.

It lists the open faults: those of files that no newer file has replaced. Student ids are
included only where the district needs them to find a student; names and other columns are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from outcomes.access.disclosures import record_export
from outcomes.config import load_settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.errors import OutcomesError
from outcomes.publishing.runs import reading_built, require_inner_tables
from outcomes.reports.counselors import may_counsel, write_counselors
from outcomes.spreadsheet import Sheet, write_workbook

_INTEREST = "fixes the faults of its own deliveries"
_HELD_TO_DO = "Tell us whether the missing rows were removed on purpose."

# Few people read more; the limit of a spreadsheet is 1,048,576.
MAX_ROWS = 50_000


@dataclass(frozen=True)
class _Listing:
    """A sheet with a district's rows of a relation.

    `columns` has the column and its width by heading; `what_to_do` is the same in each row.
    With `says_where`, the district's name of a feed's column, the first, comes before it.
    """

    title: str
    relation: str
    columns: dict[str, tuple[str, int]]
    order: str
    district_column: str = "district_id"
    condition: str = "true"
    what_to_do: str | None = None
    says_where: bool = False


@dataclass(frozen=True)
class _Line:
    """A line of the summary: fine, to fix or urgent, and by when to do what."""

    what: str
    finding: Any
    state: str = ""
    to_do: str = ""
    by: date | None = None


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
            "read as": ("feed_column", 30), "code": ("source_code", 20),
            "rows": ("rows_affected", 10), "first sent": ("first_as_of_date", 12),
            "last sent": ("last_as_of_date", 12),
        },
        "feed_column, source_code",
        "partner_id",
        what_to_do="Tell us what the code means, or correct it.",
        says_where=True,
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
        "Days not enrolled",
        "quality.attendance_not_enrolled",
        {
            "school year": ("school_year", 12), "student id": ("district_student_id", 20),
            "attendance rows": ("rows_affected", 16), "first day": ("first_day", 12),
            "last day": ("last_day", 12),
        },
        "school_year desc, rows_affected desc, district_student_id",
        what_to_do="Correct the entry and exit dates, or the attendance.",
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

# Lines of the summary about the sheets: what to do if a sheet has rows.
_TO_DO = {
    "Rejected rows": "Fix them: sheet Rejected rows.",
    "Unreadable values": "Fix them: sheet Unreadable values.",
    "Unknown codes": "Tell us what they mean: sheet Unknown codes.",
    "Incomplete students": "Fix them: sheet Incomplete students.",
    "Shared state ids": "Find out whose they are: sheet Shared state ids.",
    "Days not enrolled": "Correct the dates or the attendance: sheet Days not enrolled.",
    "Attendance gaps": "Send the missing rows, or correct the dates: sheet Attendance gaps.",
}
# What to do about files by their state, as in sheet Files.
_FILES_TO_DO = {
    "not loaded": ("Files not loaded", "Fix and send them again: sheet Files."),
    "held": ("Files held because many rows are missing", _HELD_TO_DO),
}
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
# A kind of file whose newest file came, but is not used yet.
_WAITING = {
    "not loaded": ("came, but was not loaded", "urgent", "Fix it and send it again: sheet Files."),
    "held": ("came, but is held: many rows are missing", "urgent", _HELD_TO_DO),
}


def write_all_reports(connection: psycopg.Connection) -> dict[str, Path]:
    """Write the workbooks of every district with a contract, and return the files.

    Where the agreement allows it, there is one for counselors, too; where it no longer does, the
    one of the same day is deleted.

    Raises:
        OutcomesError: as `write_report`.
    """
    files = {}
    for district_id in district_ids(load_contracts().values()):
        files[district_id] = report_file(connection, district_id)
        write_report(connection, district_id, files[district_id])
        counselors = report_file(connection, f"counselors/{district_id}")
        if may_counsel(connection, district_id):
            write_counselors(connection, district_id, counselors)
            files[f"{district_id}, for counselors"] = counselors
        else:
            # Of an earlier run about the same day: whoever hands out the folder takes it along.
            counselors.unlink(missing_ok=True)
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
            listed = [_listed(connection, listing, district_id) for listing in _LISTINGS]
            sheets = {sheet.title: sheet for sheet, count in listed if count}
            shown = sum(len(sheet.rows) for sheet in sheets.values())
            record_export(
                connection, district_id, _INTEREST, "report district", {district_id: shown}
            )
            counts = {sheet.title: count for sheet, count in listed}
            summary = _summary(connection, district_id, counts)
            write_workbook(file, [summary, *sheets.values()])
    except OSError as error:
        raise OutcomesError(f"{file} cannot be written: {error.strerror}.") from None


def report_file(connection: psycopg.Connection, name: str) -> Path:
    """The file of a report: `<warehouse>/reports/<as-of date>/<name>.xlsx`.

    Raises:
        OutcomesError: the warehouse is not built, or was built without a delivery.
    """
    with reading_built(connection, "deliveries.int_as_of"):
        require_inner_tables(connection)
        [(as_of_date,)] = connection.execute(
            "select as_of_date from deliveries.int_as_of"
        ).fetchall()
    if as_of_date is None:
        raise OutcomesError("Nothing has landed. Run `outcomes land` and `outcomes build` first.")
    return load_settings().files_dir / "reports" / str(as_of_date) / f"{name}.xlsx"


def _summary(connection: psycopg.Connection, district_id: str, counts: Mapping[str, int]) -> Sheet:
    [(name,)] = connection.execute(
        "select partner_name from staging.stg_partners where partner_id = %s", [district_id]
    ).fetchall()
    feeds = connection.execute(
        """
        select contract_object, status, expected_on, days_late, last_accepted_on
        from quality.feed_freshness
        where partner_id = %s
        order by contract_object, source_id
        """,
        [district_id],
    ).fetchall()
    states = connection.execute(
        "select contract_object, state from deliveries.int_open_files where partner_id = %s "
        "order by state = 'loaded', as_of_date desc",
        [district_id],
    ).fetchall()
    next_delivery = min((on for _, _, on, _, _ in feeds if on), default=None)
    lines = [*_delivery(connection, district_id), *_faults(counts, states, next_delivery)]
    kinds = [*_kinds_of_file(feeds, states)]
    # The sort is stable, so lines of one state stay in their order. A kind of file is often
    # urgent for a reason that a line before it gives.
    to_do = sorted((line for line in lines if line.to_do), key=lambda line: line.state != "urgent")
    to_do += [line for line in kinds if line.to_do]
    first = [
        _Line(f"To do {number}", f"{line.what}: {line.finding}", line.state, line.to_do, line.by)
        for number, line in enumerate(to_do[:3], start=1)
    ] or [_Line("To do", "Nothing. Thank you.", "fine")]
    rows: list[Sequence[Any]] = [
        ("What to correct", name),
        *([("Questions", contact)] if (contact := load_settings().contact) else []),
        *(astuple(line) for line in first + lines + kinds),
    ]
    columns = {"what": 36, "finding": 44, "state": 12, "what to do": 46, "by when": 12}
    return Sheet("Summary", columns, rows)


def _delivery(connection: psycopg.Connection, district_id: str) -> Iterator[_Line]:
    """The newest delivery, and its grade."""
    card = connection.execute(
        "select as_of_date, grade, worst, files_delivered, files_loaded, rows_loaded, "
        "missing_files, days_late from quality.delivery_scorecards "
        "where partner_id = %s order by as_of_date desc limit 1",
        [district_id],
    ).fetchone()
    if card is None:
        yield _Line("Newest delivery", "Nothing has been delivered yet.")
        return
    as_of_date, grade, worst, delivered, loaded, rows, missing, days_late = card
    yield _Line("Newest delivery", as_of_date)
    yield _Line("Grade of this delivery", grade, _GRADES.get(grade, "to fix"))
    yield _Line("Worst problem of this delivery", worst)
    yield _Line("Files delivered", delivered)
    yield _Line("Files loaded", loaded)
    yield _Line("Rows loaded", rows)
    for what, found, to_do in (
        ("Missing files", missing, "Send them."),
        ("Days late", days_late, "Send the delivery."),
    ):
        yield _Line(what, found, "urgent", to_do) if found else _Line(what, "none", "fine")


def _faults(
    counts: Mapping[str, int], states: Sequence[tuple[str, str]], next_delivery: date | None
) -> Iterator[_Line]:
    """The open faults, as many as the sheets list."""
    for state, (what, to_do) in _FILES_TO_DO.items():
        if count := sum(found == state for _, found in states):
            yield _Line(what, count, "urgent", to_do, next_delivery)
        else:
            yield _Line(what, "none", "fine")
    for title, to_do in _TO_DO.items():
        if count := counts[title]:
            yield _Line(title, count, "to fix", to_do, next_delivery)
        else:
            yield _Line(title, "none", "fine")


def _kinds_of_file(
    feeds: Sequence[Sequence[Any]], states: Sequence[tuple[str, str]]
) -> Iterator[_Line]:
    """Each kind of file: whether it came as agreed, and whether it waits."""
    # Newest first, and loaded last.
    waiting = dict(reversed(states))
    for name, status, expected_on, days_late, last_accepted_on in feeds:
        finding, state, to_do = _WAITING.get(waiting.get(name, ""), _FRESHNESS[status])
        finding = finding.format(
            expected_on=expected_on, days_late=days_late, last_accepted_on=last_accepted_on
        )
        yield _Line(f"File {name}", finding, state, to_do, expected_on)


def _listed(
    connection: psycopg.Connection, listing: _Listing, district_id: str
) -> tuple[Sheet, int]:
    """The sheet, and the number of rows of which it may show the first only."""
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
    if listing.says_where:
        sent_as = _columns_as_sent(district_id)
        widths = {"file and column": 34} | widths
        rows = [(sent_as.get(row[0], row[0]), *row) for row in rows]
    if listing.what_to_do:
        widths["what to do"] = 40
        rows = [(*row, listing.what_to_do) for row in rows]
    if more:
        rows.append([f"… and {more:,} more"])
    return Sheet(listing.title, widths, rows), cursor.rowcount


def _columns_as_sent(district_id: str) -> dict[str, str]:
    """The district's kinds of file and their columns, by the feed's column that they fill."""
    contract = load_contracts().get(district_id)
    sent_as: dict[str, list[str]] = {}
    for item in contract.objects if contract else []:
        for prop in item.properties:
            for feed_column in prop.feeds:
                sent_as.setdefault(feed_column, []).append(f"{item.name}: {prop.header}")
    return {feed_column: ", ".join(names) for feed_column, names in sent_as.items()}
