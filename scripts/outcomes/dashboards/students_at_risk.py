"""Students at risk: early warnings of the last full week, with names."""

from __future__ import annotations

from collections.abc import Mapping

from outcomes.access.roles import STEWARD
from outcomes.dashboards import charts
from outcomes.dashboards.page import ALL, Content, Page, Section, Table, choice, options, percent
from outcomes.dashboards.reader import DISTRICT, Reader, Row
from outcomes.queries import query
from outcomes.reports.counselors import WARNED_STUDENTS

_KINDS = {
    ALL: "All",
    "new": "New since the last delivery",
    "attendance": "Attendance",
    "behavior": "Behavior",
    "course": "Courses",
    "gpa": "Grade average",
}


def _draw(reader: Reader, asked: Mapping[str, str]) -> Content:
    known = options(reader.rows(query("outcomes.dashboards", "warning_districts")))
    # A district's own staff have one, and nothing to choose.
    districts = {ALL: "All districts"} | known if len(known) > 1 else known or {ALL: "None"}
    district = choice(asked, "district", "District", districts)
    chosen = {"district": district.chosen}
    schools = reader.rows(query("outcomes.dashboards", "warning_schools_to_choose"), chosen)
    of_district = {ALL: "All schools"} | options(schools)
    # A school of the district that was chosen before.
    asked = asked if asked.get("school") in of_district else dict(asked) | {"school": ALL}
    school = choice(asked, "school", "School", of_district)
    kind = choice(asked, "kind", "Warnings", _KINDS)
    chosen |= {"school": school.chosen, "kind": kind.chosen}

    totals = reader.rows(query("outcomes.dashboards", "warning_totals"), chosen).rows[0]
    kinds = reader.rows(query("outcomes.dashboards", "warning_kinds"), chosen)
    absences = reader.rows(query("outcomes.dashboards", "warning_absences"), chosen)
    grades = reader.rows(query("outcomes.dashboards", "warning_grades"), chosen)
    students = reader.rows(WARNED_STUDENTS, chosen)
    reader.disclose("dashboard: students at risk", students.rows)
    empty = "No early warnings are published: they need deliveries of a running school year."
    if not totals["students"]:
        return Content(empty, [], [], [district, school, kind])
    hidden = ["district_id"] if len(known) > 1 else ["district_id", "district"]
    known_kinds = [row for row in kinds.rows if row["known_for"]]
    known_grades = [row for row in grades.rows if row["known_for"]]
    # The reason if nobody can have the chosen kind of warning.
    unknown = {
        row["name"]: f"Not known, {row['warning'].lower()}: {row['why_not_known']}."
        for row in kinds.rows
        if not row["known_for"]
    }
    without_warning = f"No student has such a warning: {kind.options[kind.chosen]}."
    left_out = totals["students"] - totals["known"]
    return Content(
        _finding(totals),
        [
            "A warning is a reason to talk to a student, not a judgement. The thresholds are those "
            "of the student's grade band.",
            *unknown.values(),
            *([f"Left out of the share: {left_out:,} students without a threshold or data."]
              if left_out else []),
        ],
        [
            Section(
                "What the warnings are for",
                "One student can have several.",
                (lambda: charts.bars(known_kinds, "warning", "students", "Students"))
                if known_kinds else None,
                Table("kinds", kinds, empty, ["name"]),
            ),
            Section(
                "The students",
                "Students with something new come first. “Since” is the week in which the warning "
                "began. “No threshold”: the grade has none. “No data”: nothing was delivered.",
                table=Table(
                    "students", students, unknown.get(kind.chosen, without_warning), hidden
                ),
            ),
            Section(
                "Days absent so far this school year",
                "Students by the share of enrolled days that they missed.",
                lambda: charts.bars(absences.rows, "days_absent_so_far", "students", "Students"),
                Table("absences", absences, empty),
            ),
            Section(
                "Students with a warning, by grade",
                "",
                (lambda: charts.bars(known_grades, "grade", "with_a_warning", "Students"))
                if known_grades else None,
                Table("grades", grades, empty),
            ),
            Section(
                "By school",
                "The last four columns are the students with a warning of that kind.",
                table=Table(
                    "schools",
                    reader.rows(query("outcomes.dashboards", "warning_schools"), chosen),
                    empty, [] if len(known) > 1 else ["district"],
                ),
            ),
            Section(
                "The Pittsburgh Promise, class by class",
                "Students in grades 9 to 12 of districts that take part. “Too low” is of those "
                "whose data are not missing.",
                table=Table(
                    "promise",
                    reader.rows(query("outcomes.dashboards", "promise_pipeline"), chosen),
                    "No student here is in grades 9 to 12 of a district that takes part.",
                ),
            ),
        ],
        [district, school, kind] if len(districts) > 1 else [school, kind],
    )  # fmt: skip


def _finding(totals: Row) -> str:
    weeks = " or ".join(
        dict.fromkeys(totals[name].isoformat() for name in ("first_week", "last_week"))
    )
    if not totals["known"]:
        return f"It is not known which students had a warning in the last full week, {weeks}."
    return (
        f"{totals['warned']:,} of {totals['known']:,} students "
        f"({percent(totals['warned'], totals['known'])}) had a warning at the end of the last "
        f"full week, {weeks}; for {totals['new']:,} of them it is new since the delivery before."
    )


PAGE = Page(
    "students_at_risk",
    "Students at risk",
    "Who has an early warning, since when and what is new; absences; the Promise.",
    (STEWARD, DISTRICT),
    _draw,
)
