"""New risks: involved students newly at risk, and moves of children in placement."""

from __future__ import annotations

from collections.abc import Mapping

from outcomes.access.roles import ANALYST
from outcomes.dashboards import charts
from outcomes.dashboards.page import Content, Page, Section, Table, percent
from outcomes.dashboards.reader import Reader, Row
from outcomes.queries import query


def _draw(reader: Reader, _: Mapping[str, str]) -> Content:
    levels = reader.rows(query("outcomes.dashboards", "risk_levels"))
    students = reader.rows(query("outcomes.dashboards", "newly_at_risk"))
    moved = reader.rows(query("outcomes.dashboards", "moves_and_placements"))
    moves = reader.rows(query("outcomes.dashboards", "move_counts"))
    empty = "No early warnings are published: they need deliveries of a running school year."
    involved, others = levels.rows
    if not involved["students"] + others["students"]:
        return Content(empty, [], [])
    shares = [
        {
            "label": row["group_of_students"],
            "share": 100 * row["with_a_warning"] / row["known_for"],
        }
        for row in levels.rows
        if row["known_for"]
    ]
    return Content(
        f"{_share(involved)} of the students with services have a warning, and {_share(others)} "
        f"of the others; {len(students.rows)} students with services are newly at risk, and "
        f"{len(moved.rows)} changes of school were during a placement.",
        [
            "Under pseudonyms, and not for publication. A move after a placement is not caused by "
            "it for that. “With services” are students who ever received one."
        ],
        [
            Section(
                "Students with a warning in the last full week",
                "",
                lambda: charts.two_groups(shares, "Percent of students of whom it is known"),
                Table("levels", levels, empty),
            ),
            Section(
                "Students with services who are newly at risk",
                "They have a warning that the delivery before did not have.",
                table=Table("students", students, "No student with services has a new warning."),
            ),
            Section(
                "Children who changed school since a placement began",
                "The placement began before the move or in its month, and had not ended before "
                "that month. Its days are not shown.",
                table=Table("moves", moved, "No child in placement changed school."),
            ),
            Section(
                "All changes of school",
                "“Soon” is within the days of policy.move_triggers. Not known are moves with days "
                "before them that the services delivered do not cover, or not yet.",
                table=Table("counts", moves, "No student changed school within a year."),
            ),
        ],
    )


def _share(group: Row) -> str:
    if not group["known_for"]:
        return "an unknown share"
    return percent(group["with_a_warning"], group["known_for"])


PAGE = Page(
    "new_risks",
    "New risks and moves",
    "Students with services who are newly at risk, and children who changed school in placement, "
    "under pseudonyms.",
    (ANALYST,),
    _draw,
)
