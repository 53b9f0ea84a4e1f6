"""What a dashboard consists of, as data; page.html.jinja shows it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from outcomes.charts import image
from outcomes.dashboards.reader import Reader, Rows
from outcomes.errors import OutcomesError
from outcomes.spreadsheet import spreadsheet_text

# What a page shows of a long table; the CSV has all.
SHOWN_ROWS = 100
ALL = "all"
# A number that a query has formatted, such as "+2.9 to +42.7" or "5 % or less". Four digits beside
# each other are an id or a year.
_FIGURE = re.compile(
    r"(?!.*\d{4})[+-]?[\d.,]+( to [+-]?[\d.,]+)?( %)?( or (less|more))?( (grade )?points)?"
)


@dataclass(frozen=True)
class Filter:
    """A choice that the reader of a page has."""

    name: str
    label: str
    options: Mapping[str, str]
    chosen: str


@dataclass(frozen=True)
class Pasted:
    """A list that the reader of a page pastes, or has in a file. No address shows it."""

    name: str
    label: str
    file_label: str
    given: str


@dataclass(frozen=True)
class Table:
    """Rows as people read them. A null is what nobody has delivered: "not known"."""

    name: str
    found: Rows
    # Why there may be no row.
    empty: str
    hidden: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        """The columns that are shown."""
        return [column for column in self.found.columns if column not in self.hidden]

    @property
    def numeric(self) -> set[str]:
        """The columns of numbers, which are aligned at the right."""
        return {
            column
            for column in self.columns
            if _are_figures([row[column] for row in self.found.rows])
        }

    @property
    def rows(self) -> list[list[str]]:
        """The first rows, in words."""
        return [
            [in_words(row[column]) for column in self.columns]
            for row in self.found.rows[:SHOWN_ROWS]
        ]

    def csv(self) -> str:
        """All rows, for a spreadsheet or program; what nobody has delivered is empty."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(self.columns)
        for row in self.found.rows:
            values = [row[column] for column in self.columns]
            writer.writerow([spreadsheet_text(v) if isinstance(v, str) else v for v in values])
        return text.getvalue()


@dataclass(frozen=True)
class Section:
    """A heading with a chart, a table, or both."""

    title: str
    text: str = ""
    # Draws an SVG, if there is something to draw.
    draw: Callable[[], str] | None = None
    table: Table | None = None

    @property
    def image(self) -> str:
        """The chart in the page."""
        table = " The table below has the figures." if self.table else ""
        return image(self.draw(), f"Chart: {self.title}.{table}") if self.draw else ""


@dataclass(frozen=True)
class Content:
    """A drawn page: the finding in a sentence, then its sections."""

    finding: str
    notes: Sequence[str]
    sections: Sequence[Section]
    filters: Sequence[Filter] = field(default_factory=tuple)
    pasted: Pasted | None = None

    def table(self, name: str) -> Table | None:
        """The table of that name."""
        tables = (section.table for section in self.sections)
        return next((table for table in tables if table and table.name == name), None)


@dataclass(frozen=True)
class Page:
    """A dashboard, and the roles that it is for, the one that reads most first."""

    name: str
    title: str
    about: str
    roles: Sequence[str]
    draw: Callable[[Reader, Mapping[str, str]], Content]


def choice(asked: Mapping[str, str], name: str, label: str, options: Mapping[str, str]) -> Filter:
    """A filter with what was asked for, by default its first option.

    Raises:
        OutcomesError: there is no such option.
    """
    chosen = asked.get(name) or next(iter(options), "")
    if options and chosen not in options:
        raise OutcomesError(
            f"The address asks for a {label.lower()} that this page does not have. Choose one of: "
            f"{', '.join(options.values())}."
        )
    return Filter(name, label, options, chosen)


def options(found: Rows) -> dict[str, str]:
    """Rows of `value` and `label` as options."""
    return {str(row["value"]): str(row["label"]) for row in found.rows}


def heading(column: str) -> str:
    """A column's name as a heading."""
    words = column.replace("_", " ")
    return words[:1].upper() + words[1:]


def in_words(value: Any) -> str:
    """A value as people read it."""
    match value:
        case None:
            return "not known"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
    return str(value)


def percent(part: int, whole: int) -> str:
    """A share in words."""
    return f"{100 * part / whole:.0f}\N{NO-BREAK SPACE}%"


def _are_figures(values: Sequence[Any]) -> bool:
    """Whether there are numbers, and otherwise only words, such as "suppressed"."""
    texts = [value for value in values if isinstance(value, str)]
    others = [text for text in texts if not _FIGURE.fullmatch(text)]
    return any(map(_is_number, values)) or (
        len(others) < len(texts) and not re.search(r"\d", "".join(others))
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
