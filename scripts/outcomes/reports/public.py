"""The public report: one HTML file about the gaps between the two groups of students.

It reads only public tables, so a login of the role outcomes_public is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import great_tables as gt
import jinja2
import numpy as np
import pandas as pd

from outcomes.charts import image
from outcomes.errors import OutcomesError
from outcomes.frames import read
from outcomes.reports import public_charts as charts
from outcomes.reports.summary import MEASURES

HEADLINE = "is_chronically_absent_federal"
SUPPRESSED = "suppressed"
_ANY = {"involvement": "ever", "is_complete_year": True}
_GROUP_TYPES = {
    "district": "District",
    "grade_band": "Grades",
    "gender": "Gender",
    "race": "Race",
    "economic_status": "School lunch",
    "english_learner": "English learner",
    "special_education": "Special education",
}
_TEMPLATE = Path(__file__).with_name("public.html.jinja")


@dataclass(frozen=True)
class Section:
    """A chart with its table."""

    title: str
    text: str
    svg: str
    table: str

    @property
    def image(self) -> str:
        """The chart in the page."""
        return image(self.svg, f"Chart: {self.title}. The table below has the same figures.")


def public_report() -> tuple[date, str]:
    """Make the report from the published tables: the day of the newest release, and the page.

    Raises:
        OutcomesError: no published row fits the headline.
    """
    gaps = _in_words(read("marts_public.rpt_outcome_gaps", where=_ANY))
    groups = _in_words(read("marts_public.rpt_outcome_gaps_by_group", where=_ANY))
    measured = gaps[gaps["program_group"].eq("any")]
    overall = measured[measured["district_id"].eq("all")]
    headlines = overall[overall["measure"].eq(HEADLINE) & overall["gap"].notna()]
    if headlines.empty:
        raise OutcomesError(
            "No school year that has ended has enough students to be public. Expected one in "
            "marts_public.rpt_outcome_gaps, for all districts together."
        )
    headline = headlines.sort_values("school_year").iloc[-1]
    year = headline["school_year"]
    newest = overall[overall["school_year"].eq(year)]
    sections = [
        _levels(newest),
        _by_year(overall),
        _adjusted(newest),
        _programs(gaps[gaps["district_id"].eq("all") & _is_of(gaps, year)]),
        _groups(measured[_is_of(measured, year)], groups[_is_of(groups, year)]),
    ]
    released_on = headline["released_on"].date()
    page = (
        jinja2.Environment(autoescape=True)
        .from_string(_TEMPLATE.read_text("utf-8"))
        .render(
            headline=sentence(headline),
            year=headline["year"],
            released_on=released_on,
            revision_reason=headline["revision_reason"] if headline["revision"] else None,
            sections=[section for section in sections if section],
        )
    )
    return released_on, page


def sentence(row: pd.Series) -> str:
    """The finding of one row, in words."""
    return (
        f"In the school year {row['year']}, {row['involved']} of the students who ever received "
        f"human services missed a tenth or more of their school days. Of all other students it "
        f"was {row['others']}: a gap of {abs(row['gap']):.1f} percentage points."
    )


def _is_of(frame: pd.DataFrame, year: int) -> pd.Series:
    return frame["school_year"].eq(year) & frame["measure"].eq(HEADLINE)


def _in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows in the report's order, with shares as percentages and every figure as text."""
    frame = frame[frame["measure"].isin(list(MEASURES))].copy()
    frame["order"] = frame["measure"].map({name: n for n, name in enumerate(MEASURES)})
    frame = frame.sort_values(["order", "school_year"]).drop(columns="order")
    scale = np.where(frame["measure"].eq("gpa"), 1.0, 100.0)
    for name in (
        "gap",
        "ci_low",
        "ci_high",
        "adjusted_gap",
        "value_involved",
        "value_not_involved",
    ):
        frame[name] = frame[name] * scale
    frame["year"] = [f"{y - 1}-{y % 100:02d}" for y in frame["school_year"]]
    frame["low"], frame["high"] = frame["ci_low"], frame["ci_high"]
    rows = [row for _, row in frame.iterrows()]
    frame["involved"] = [_value(row, "value_involved") for row in rows]
    frame["others"] = [_value(row, "value_not_involved") for row in rows]
    frame["gap_text"] = [_difference(row, "gap") for row in rows]
    frame["adjusted_gap_text"] = [_difference(row, "adjusted_gap") for row in rows]
    frame["interval"] = [_interval(row) for row in rows]
    for name in ("n_involved", "n_not_involved"):
        frame[f"{name}_text"] = [
            SUPPRESSED if row["is_suppressed"] else f"{row[name]:,}" for row in rows
        ]
    return frame


def _value(row: pd.Series, name: str) -> str:
    if row["is_suppressed"] or pd.isna(row[name]):
        return SUPPRESSED
    if row["measure"] == "gpa":
        return f"{row[name]:.2f}"
    # A top- or bottom-coded row (`is_coded`) has the bound as its value.
    if row["is_coded"] and row[name] <= 5:
        return "5 % or less"
    if row["is_coded"] and row[name] >= 95:
        return "95 % or more"
    return f"{row[name]:.1f} %"


def _difference(row: pd.Series, name: str) -> str:
    if row["is_suppressed"]:
        return SUPPRESSED
    if pd.isna(row[name]):
        return "not shown"
    if row["measure"] == "gpa":
        return _signed(row[name], 2)
    return f"{_signed(row[name], 1)} points"


def _interval(row: pd.Series) -> str:
    if row["is_suppressed"]:
        return SUPPRESSED
    decimals = 2 if row["measure"] == "gpa" else 1
    return f"{_signed(row['ci_low'], decimals)} to {_signed(row['ci_high'], decimals)}"


def _signed(value: float, decimals: int) -> str:
    return f"{value:+.{decimals}f}".replace("-", "\N{MINUS SIGN}")


_COMPARED = {"involved": "Ever received services", "others": "All other students"}
_GAP = {"gap_text": "Gap", "interval": "95 % interval"}
_COUNTS = {
    "n_involved_text": "Students who received services",
    "n_not_involved_text": "Other students",
}


def _levels(newest: pd.DataFrame) -> Section:
    drawn = newest.rename(
        columns={
            "value_involved": "Ever received services",
            "value_not_involved": "All other students",
        }
    )
    is_gpa = drawn["measure"].eq("gpa")
    return Section(
        "How the two groups of students did",
        "Each line joins the students who ever received human services (circle) and all other "
        "students (diamond).",
        charts.levels(drawn[~is_gpa], drawn[is_gpa]),
        _table("levels", newest, {"measure_label": "Measure"} | _COMPARED | _GAP | _COUNTS),
    )


def _by_year(overall: pd.DataFrame) -> Section:
    return Section(
        "How the gap changed",
        "The gap is the value of students who received services minus that of all other students: "
        "in percentage points, for the grade-point average in grade points. The bar is the 95 % "
        "interval.",
        charts.by_year(overall[overall["gap"].notna()]),
        _table(
            "years",
            overall,
            {"measure_label": "Measure", "year": "School year"} | _COMPARED | _GAP,
        ),
    )


def _adjusted(newest: pd.DataFrame) -> Section:
    shares = newest[newest["measure"].ne("gpa") & newest["gap"].notna()]
    return Section(
        "The gap among similar students",
        "The diamond compares students of the same grade, economic status and district, so these "
        "three do not contribute to it. The remaining gap is still not an effect of the services.",
        charts.adjusted(
            shares.rename(columns={"gap": "As counted", "adjusted_gap": "Among similar students"})
        ),
        _table(
            "adjusted",
            newest,
            {
                "measure_label": "Measure",
                "gap_text": "Gap as counted",
                "adjusted_gap_text": "Gap among similar students",
            },
        ),
    )


def _programs(programs: pd.DataFrame) -> Section | None:
    programs = programs[programs["program_group"].ne("any")].sort_values(
        "gap", ascending=False, na_position="last"
    )
    if programs.empty:
        return None
    programs = programs.assign(label=programs["program_group_label"])
    return Section(
        "Missing a tenth of school, by kind of service",
        "Students who ever received a service of that kind, compared with all other students. A "
        "student can have received several kinds.",
        charts.intervals(programs[programs["gap"].notna()]),
        _table("programs", programs, {"label": "Service"} | _COMPARED | _GAP | _COUNTS),
    )


def _groups(districts: pd.DataFrame, groups: pd.DataFrame) -> Section:
    names = read("marts.dim_districts").set_index("district_id")["district_name"]
    districts = districts[districts["district_id"].ne("all")]
    districts = districts.assign(
        group_type="district", label=districts["district_id"].map(names.to_dict())
    )
    groups = groups[groups["district_id"].eq("all") & groups["group_type"].isin(list(_GROUP_TYPES))]
    groups = groups.assign(
        label=groups["group_label"].str.replace("_", "-").str.replace(r"^(.)", _upper, regex=True)
    )
    both = pd.concat([districts, groups])
    both["group"] = both["group_type"].map(_GROUP_TYPES)
    both["order"] = both["group_type"].map({name: n for n, name in enumerate(_GROUP_TYPES)})
    both = both.sort_values(["order", "label"], kind="stable")
    return Section(
        "Missing a tenth of school, by district and group of students",
        "Within each group, students who ever received services are compared with all others. If "
        "two bars overlap widely, the difference between the groups may be chance.",
        charts.intervals(both[both["gap"].notna()], row="group"),
        _table("groups", both, {"label": "Group"} | _COMPARED | _GAP | _COUNTS, groups="group"),
    )


def _upper(match: object) -> str:
    return str(match[0]).upper()  # type: ignore[index]


def _table(name: str, frame: pd.DataFrame, columns: dict[str, str], groups: str = "") -> str:
    label = next(iter(columns))
    shown = frame[[*columns, *([groups] if groups else [])]]
    table = gt.GT(shown, rowname_col=label, groupname_col=groups or None, id=f"table-{name}")
    return (
        table.cols_label(dict(columns))
        .tab_stubhead(columns[label])
        .cols_align("right", columns=[c for c in columns if c not in (label, "year")])
        .tab_options(table_width="100%", table_font_size="0.9rem", data_row_padding="4px")
        .as_raw_html()
    )
