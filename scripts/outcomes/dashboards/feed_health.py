"""Deliveries: how well they come, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg.types.json import Jsonb

from outcomes.access.roles import STEWARD
from outcomes.charts import BLUE, ORANGE
from outcomes.contracts.reader import load_contracts
from outcomes.dashboards import charts
from outcomes.dashboards.page import Content, Page, Section, Table
from outcomes.dashboards.reader import DISTRICT, Reader
from outcomes.queries import query

# Dark and light of the two colors, also distinguishable by the color-blind.
_GRADES = {"good": BLUE, "fair": "#9bc4e2", "poor": "#eba978", "failing": ORANGE}


def _draw(reader: Reader, _: Mapping[str, str]) -> Content:
    names = {"names": Jsonb({name: one.name for name, one in load_contracts().items()})}
    scorecards = reader.rows(query("outcomes.dashboards", "scorecards"), names)
    grades = reader.rows(query("outcomes.dashboards", "delivery_grades"), names)
    freshness = reader.rows(query("outcomes.dashboards", "freshness"), names)
    faults = reader.rows(query("outcomes.dashboards", "open_faults"), names)
    contradictions = reader.rows(query("outcomes.dashboards", "contradictions"), names)
    empty = "Nothing was delivered: `outcomes land` loads deliveries."
    if not scorecards.rows:
        return Content(empty, [], [])
    good = sum(row["grade"] == "good" for row in scorecards.rows)
    late = sum(row["status"] in ("late", "never_delivered") for row in freshness.rows)
    return Content(
        f"The newest delivery of {good} of {len(scorecards.rows)} partners is good; "
        f"{late} of {len(freshness.rows)} files are late or not loaded yet; "
        f"{len(faults.rows) + len(contradictions.rows)} kinds of fault are open.",
        [],
        [
            Section(
                "The newest delivery of each partner", table=Table("scorecards", scorecards, empty)
            ),
            Section(
                "How good all deliveries so far were",
                "Deliveries by grade, from good to failing.",
                lambda: charts.stacked(grades.rows, "partner", "deliveries", "grade", _GRADES),
                Table("grades", grades, empty),
            ),
            Section(
                "Which files came, and which are due",
                table=Table("freshness", freshness, "No partner has agreed to a file.", ["status"]),
            ),
            Section(
                "Open faults of files, rows and values",
                table=Table("faults", faults, "No file, row or value has an open fault."),
            ),
            Section(
                "Incomplete and contradictory records",
                "A district's workbook lists each, and what to do.",
                table=Table("contradictions", contradictions, "No record contradicts another."),
            ),
        ],
    )


PAGE = Page(
    "feed_health",
    "Deliveries",
    "Grades of deliveries, which files are due or late, and open faults.",
    (STEWARD, DISTRICT),
    _draw,
)
