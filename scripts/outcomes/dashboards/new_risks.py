"""New risks: involved students newly at risk, and moves of children in placement."""

from __future__ import annotations

from collections.abc import Mapping

from outcomes.access.roles import ANALYST
from outcomes.dashboards import charts
from outcomes.dashboards.page import Content, Page, Section, Table, percent
from outcomes.dashboards.reader import Reader
from outcomes.queries import query


def _draw(reader: Reader, _: Mapping[str, str]) -> Content:
    levels = reader.rows(query("outcomes.dashboards", "risk_levels"))
    students = reader.rows(query("outcomes.dashboards", "newly_at_risk"))
    moved = reader.rows(query("outcomes.dashboards", "moves_and_placements"))
    moves = reader.rows(query("outcomes.dashboards", "move_counts"))
    empty = "No early warnings are published: they need deliveries of a running school year."
    if len(levels.rows) < 2:
        return Content(empty, [], [])
    involved, others = levels.rows
    shares = [
        {
            "label": row["group_of_students"],
            "share": 100 * row["with_a_warning"] / row["students"],
        }
        for row in levels.rows
    ]
    return Content(
        f"{percent(involved['with_a_warning'], involved['students'])} of the students with "
        f"services have a warning, and {percent(others['with_a_warning'], others['students'])} of "
        f"the others; {len(students.rows)} students with services are newly at risk, and "
        f"{len(moved.rows)} changes of school were during a placement.",
        [
            "Under pseudonyms, and not for publication. A move after a placement is not caused by "
            "it for that. “With services” are students who ever received one."
        ],
        [
            Section(
                "Students with a warning in the last full week",
                "",
                lambda: charts.two_groups(shares, "Percent of students"),
                Table("levels", levels, empty),
            ),
            Section(
                "Students with services who are newly at risk",
                "They have a warning that the delivery before did not have.",
                table=Table("students", students, "No student with services has a new warning."),
            ),
            Section(
                "Children who changed school since a placement began",
                "The placement was open on the day of the move; its day is not shown, only the "
                "month.",
                table=Table("moves", moved, "No child in placement changed school."),
            ),
            Section(
                "All changes of school",
                "“Soon” is within the days of policy.move_triggers.",
                table=Table("counts", moves, "No student changed school within a year."),
            ),
        ],
    )


PAGE = Page(
    "new_risks",
    "New risks and moves",
    "Students with services who are newly at risk, and children who changed school in placement, "
    "under pseudonyms.",
    (ANALYST,),
    _draw,
)
