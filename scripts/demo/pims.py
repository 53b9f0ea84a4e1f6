"""PIMS templates as files: no header, and every position is there even if empty."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime

# Number of fields of each template, in the manuals of 2010-11 to 2012-13.
FIELDS = {
    "STUDENT": 217, "SCHOOL_ENROLL": 10, "STUDENT_CALENDAR_FACT": 16, "PERSON": 10,
    "PROGRAMS_FACT": 18, "INCIDENT": 16, "INCIDENT_OFFNDR_DSPLNRY_ACTION": 11,
    "SCHOOL_CALENDAR": 21,
}  # fmt: skip


def file_name(aun: str, template: str, sent_at: datetime, ending: str) -> str:
    """The name of a district's file: `<AUN>_<TEMPLATE>_<yyyymmddhhmm>.<ending>`."""
    return f"{aun}_{template}_{sent_at:%Y%m%d%H%M}.{ending}"


def content(template: str, rows: Iterable[Mapping[int, str | None]], delimiter: str) -> str:
    """The lines of a file; a row has its values by position."""
    # Only comma-separated files have quotes.
    is_quoted = delimiter == ","
    lines = io.StringIO()
    writer = csv.writer(
        lines,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE,
        quotechar='"' if is_quoted else None,
        lineterminator="\n",
    )
    positions = range(1, FIELDS[template] + 1)
    writer.writerows([row.get(position) for position in positions] for row in rows)
    return lines.getvalue()
