"""Links: how evenly links reach the groups of students."""

from __future__ import annotations

from collections.abc import Mapping

from outcomes.access.roles import STEWARD
from outcomes.dashboards import charts
from outcomes.dashboards.page import Content, Page, Section, Table
from outcomes.dashboards.reader import Reader
from outcomes.queries import query


def _draw(reader: Reader, _: Mapping[str, str]) -> Content:
    links = reader.rows(query("outcomes.dashboards", "link_rates"))
    empty = "Nothing is linked: `outcomes build` links the deliveries."
    if not links.rows:
        return Content(empty, [], [])
    total = next(row for row in links.rows if row["group_type"] == "all")
    # Of small groups the share alone would mostly say how small they are.
    apart = [
        f"{row['students_of']}, {row['linked']}"
        for row in links.rows
        if row["low"] > total["share"] or row["high"] < total["share"]
    ]
    groups = (
        f"Further from that than chance explains: {'; '.join(apart)}."
        if apart
        else "No group is apart from that by more than chance."
    )
    return Content(
        f"{total['linked']} of the {total['students']:,} students have a linked record of human "
        f"services. {groups}",
        [
            "A low share can be few services, or missed links: then the group looks less involved "
            "than it is. Precision and recall are what the match model expects; a low recall "
            "points to missed links.",
            "Reviews are the pairs that the last build left to a reviewer. `outcomes link review` "
            "shows them, less those decided since.",
        ],
        [
            Section(
                "Linked students, by group",
                "The bar is the 95 % interval.",
                lambda: charts.shares(links.rows, "students_of", "Percent of students linked"),
                Table("links", links, empty, ["group_type", "share", "low", "high"]),
            )
        ],
    )


PAGE = Page(
    "link_quality",
    "Links and reviews",
    "How many students of each group are linked, expected quality, and the review load.",
    (STEWARD,),
    _draw,
)
