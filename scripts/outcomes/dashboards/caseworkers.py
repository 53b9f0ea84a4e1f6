"""My children: how a caseworker's children are at school, from a list of client ids."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from outcomes.access.roles import CASEWORKER, STEWARD
from outcomes.dashboards import charts
from outcomes.dashboards.page import Content, Page, Pasted, Section, Table
from outcomes.dashboards.reader import Reader, Row, Rows
from outcomes.errors import OutcomesError
from outcomes.queries import query

_COLUMN = "client_id"
# More small charts would be a page of their own.
_DRAWN = 12


def _draw(reader: Reader, asked: Mapping[str, str]) -> Content:
    ids = client_ids(asked.get("ids", "")) + client_ids(asked.get("file", ""))
    ids = list(dict.fromkeys(ids))
    pasted = Pasted(
        "ids",
        "Client ids of your own system, one a line",
        f"Or a CSV file with a column {_COLUMN}",
        "\n".join(ids),
    )
    notes = [
        "Shown are children for whom the agency is legally responsible today, in districts whose "
        "agreement allows the coordination of services. Look up only children of your own cases."
    ]
    if not ids:
        return Content("Enter the client ids of your children.", notes, [], pasted=pasted)
    children = reader.rows(query("outcomes.dashboards", "caseworker_children"), {"ids": ids})
    reader.disclose("dashboard: my children", children.rows)
    # A child can have several client ids.
    students = {row["student_key"]: row for row in children.rows}
    months = reader.rows(
        query("outcomes.dashboards", "caseworker_months"), {"students": list(students)}
    )
    drawn = _of_first_children([row for row in months.rows if row["share"] is not None])
    found = {part for row in children.rows for part in _names(row[_COLUMN])}
    missing = [{_COLUMN: one} for one in ids if one not in found]
    enrolled = sum(row["is_enrolled"] for row in students.values())
    warned = sum(row["has_warning"] for row in students.values())
    return Content(
        f"{len(ids) - len(missing)} of {len(ids)} client ids are found. Students: "
        f"{len(students)}; enrolled: {enrolled}; with an early warning: {warned}.",
        notes,
        [
            Section(
                "The children",
                "Warnings are those of the last full week. A child of two client ids or two "
                "districts has two rows.",
                table=Table(
                    "children", children, "None of the ids is found.",
                    ["district_id", "student_key", "is_enrolled", "has_warning"],
                ),
            ),
            Section(
                "Absences by month",
                f"Percent of the days enrolled, in the last twelve months of at most {_DRAWN} "
                "children; the table has all. The newest month may be partial.",
                (lambda: charts.months(drawn, "child", "Percent of days")) if drawn else None,
                Table("months", months, "No days are known.", ["child", "share"]),
            ),
            Section(
                "Not found",
                "The id is misspelled, its child goes to no school of a district whose agreement "
                "allows this page, is not linked yet, or the agency is not responsible today.",
                table=Table("not_found", Rows((_COLUMN,), missing), "Every id is found."),
            ),
        ],
        pasted=pasted,
    )  # fmt: skip


def client_ids(text: str) -> list[str]:
    """The ids of a text: one a line, or the column `client_id` of a CSV file.

    Raises:
        OutcomesError: it is no text, or a value has no end.
    """
    if "\0" in text:
        raise OutcomesError(
            "The client ids cannot be read: the file is no CSV file in UTF-8. If it is a workbook, "
            "save it in Excel as CSV UTF-8, and choose that file."
        )
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=None))
    try:
        lines = list(reader)
    except csv.Error:
        raise OutcomesError(
            f"The client ids cannot be read: in or before line {reader.line_num:,}, a value has "
            f"more than {csv.field_size_limit():,} characters. Perhaps a quotation mark is missing"
            ": correct the line, or enter the ids one a line."
        ) from None
    header = [name.strip().lower() for name in lines[0]] if lines else []
    column = header.index(_COLUMN) if _COLUMN in header else 0
    rows = lines[1:] if _COLUMN in header else lines
    return [row[column].strip() for row in rows if len(row) > column and row[column].strip()]


def _of_first_children(rows: Sequence[Row]) -> list[Row]:
    first = list(dict.fromkeys(row["child"] for row in rows))[:_DRAWN]
    return [row for row in rows if row["child"] in first]


def _names(client_id: str) -> tuple[str, str]:
    """How people write a client id: with or without its source."""
    return client_id, client_id.partition(":")[2]


PAGE = Page(
    "my_children",
    "My children",
    "For caseworkers: enrollment, absences by month, warnings and moves of children, by client id.",
    (CASEWORKER, STEWARD),
    _draw,
)
