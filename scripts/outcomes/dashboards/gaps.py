"""Gaps: the public figures of students with and without human services."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from outcomes.access.roles import PUBLIC
from outcomes.dashboards import charts
from outcomes.dashboards.page import ALL, Content, Page, Section, Table, choice, options
from outcomes.dashboards.reader import Reader, Row, Rows
from outcomes.queries import query
from outcomes.reports.measures import (
    ADJUSTED_HAS_NO_INTERVAL,
    Measure,
    all_measures,
    changing_districts,
)
from outcomes.reports.public_charts import INVOLVED, OTHERS

_WHEN = {
    "ever": "Ever",
    "prior_year": "In the school year before",
    "concurrent": "In the same school year",
}
_WORDS = {
    "ever": "the students who ever received human services",
    "prior_year": "the students who received human services in the school year before",
    "concurrent": "the students who received human services in the same school year",
}
# For charts and the program, not for readers.
_HIDDEN = ("district_id", "group_type", "program_group", "is_newest", "released_on", "is_known",
           "may_be_chance", "involved", "others")  # fmt: skip


def _draw(reader: Reader, asked: Mapping[str, str]) -> Content:
    known = reader.rows(query("outcomes.dashboards", "gap_districts"))
    public = [row for row in known.rows if row["is_public"]]
    not_public = ", ".join(row["label"] for row in known.rows if not row["is_public"])
    districts = {ALL: "All districts"} | options(Rows(known.columns, public))
    measures = options(reader.rows(query("outcomes.dashboards", "gap_measures")))
    district = choice(asked, "district", "District", districts)
    chosen = choice(asked, "measure", "Measure", measures)
    when = choice(asked, "services", "Received services", _WHEN)
    filters = [district, chosen, when]
    figures = reader.rows(
        query("outcomes.dashboards", "gap_figures"),
        {"measure": chosen.chosen, "involvement": when.chosen},
    )
    if not figures.rows:
        return Content(
            "No figures are public yet: they need a school year that has ended.", [], [], filters
        )
    measure = all_measures(reader.connection)[chosen.chosen]
    own = [row for row in figures.rows if row["district_id"] == district.chosen]
    newest = [row for row in own if row["is_newest"]]

    def of(rows: Sequence[Row], *, programs: bool = False, groups: bool = False) -> Rows:
        return Rows(
            figures.columns,
            [
                row
                for row in rows
                if (row["program_group"] != "any") == programs
                and (row["group_type"] != "all") == groups
            ],
        )

    years, districts_now = of(own), of([row for row in figures.rows if row["is_newest"]])
    programs, groups = of(newest, programs=True), of(newest, groups=True)
    changing = changing_districts(
        (row["year"], row["district_id"])
        for row in of(figures.rows).rows
        if row["district_id"] != ALL
    )
    few = "There are figures only where there are very many students."
    finding = _finding(years.rows, measure, _WORDS[when.chosen], districts[district.chosen])
    return Content(
        finding,
        [
            "A gap is not an effect. Numbers are adjusted slightly to protect children; they need "
            "not add up. A share near 0 or 100 % is given as a bound, and its gap and interval are "
            "not shown. Charts leave out bounds and what is suppressed.",
            f"Newest release: {max(row['released_on'] for row in figures.rows)}."
            + (f" No school year is public yet of: {not_public}." if not_public else ""),
        ],
        [
            Section(
                "By school year",
                "Similar students are those of the same grade, economic status and district; not "
                f"every student has some. {ADJUSTED_HAS_NO_INTERVAL}"
                f"{changing if district.chosen == ALL else ''}",
                _over_years(years.rows, measure),
                _table("years", years, finding, "students_or_services"),
            ),
            Section(
                "By kind of service, newest year",
                "Students with a service of that kind, and all other students.",
                _levels(programs.rows, "students_or_services", measure),
                _table("programs", programs, few, "year"),
            ),
            Section(
                "By district, newest year",
                "",
                _levels(districts_now.rows, "district", measure),
                _table("districts", districts_now, few, "year", "students_or_services"),
            ),
            Section(
                "By group of students, newest year",
                "Where two intervals overlap widely, the difference between the groups is no "
                "finding.",
                _levels(groups.rows, "students_or_services", measure),
                _table("groups", groups, few, "year"),
            ),
        ],
        filters,
    )


def _finding(years: Sequence[Row], measure: Measure, involved: str, district: str) -> str:
    known = [row for row in years if row["is_known"]]
    if not years:
        return (
            f"{measure.measure_label}, {district}: no student has a value in a school year that "
            "has ended."
        )
    if not known:
        return (
            f"{measure.measure_label}, {district}: suppressed, because one of the two groups is "
            "too small."
        )
    row = known[-1]
    chance = " The difference may be chance." if row["may_be_chance"] else ""
    if measure.finding:
        return (
            f"In {row['year']}, {row['value_with_services']} of {involved} {measure.finding}, and "
            f"{row['value_of_others']} of all other students.{chance}"
        )
    return (
        f"{measure.measure_label}, {row['year']}: {row['value_with_services']} among {involved}, "
        f"{row['value_of_others']} among all other students.{chance}"
    )


def _axis(measure: Measure) -> tuple[str, float]:
    title = "Percent" if measure.unit == "%" else measure.measure_label
    return f"{measure.measure_label}, {title.lower()}", measure.value_range * measure.display_factor


def _levels(rows: Sequence[Row], label: str, measure: Measure) -> Callable[[], str] | None:
    drawn = [row for row in rows if row["involved"] is not None or row["others"] is not None]
    return (lambda: charts.levels(drawn, label, *_axis(measure))) if drawn else None


def _over_years(rows: Sequence[Row], measure: Measure) -> Callable[[], str] | None:
    drawn = [
        {"year": row["year"], "group": group, "level": row[column]}
        for row in rows
        for column, group in (("involved", INVOLVED), ("others", OTHERS))
        if row[column] is not None
    ]
    return (
        (lambda: charts.over_years(drawn, "level", *_axis(measure), (INVOLVED, OTHERS)))
        if drawn
        else None
    )


def _table(name: str, found: Rows, empty: str, *hidden: str) -> Table:
    label = "district" if name == "districts" else "students_or_services"
    first = "year" if name == "years" else label
    columns = (first, *(column for column in found.columns if column != first))
    one = () if name == "districts" else ("district",)
    return Table(name, Rows(columns, found.rows), empty, (*_HIDDEN, *one, *hidden))


PAGE = Page(
    "gaps",
    "Gaps",
    "Public figures: how students with and without human services do, by year, service, district "
    "and group.",
    (PUBLIC,),
    _draw,
)
