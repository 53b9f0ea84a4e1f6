"""The public report: one HTML file about the gaps between the two groups of students.

It reads only public tables, so a login of the role outcomes_public is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import great_tables as gt
import jinja2
import pandas as pd

from outcomes.access.logins import connect_as
from outcomes.access.roles import BUILDER
from outcomes.charts import image
from outcomes.errors import OutcomesError
from outcomes.frames import read
from outcomes.reports import public_charts as charts
from outcomes.reports.measures import (
    ADJUSTED_HAS_NO_INTERVAL,
    Measure,
    changing_districts,
    headline_measures,
)

SUPPRESSED = "suppressed"
ALL = "all"
_ANY = {"involvement": "ever", "is_complete_year": True}
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


def public_report(district_id: str = ALL) -> tuple[date, str]:
    """Make the report from the published tables: the day of the newest release, and the page.

    Args:
        district_id: whose students it is about; by default those of all districts.

    Raises:
        OutcomesError: no published row fits the headline.
    """
    names = read("marts.dim_districts").set_index("district_id")["district_name"].to_dict()
    published = read("marts_public.rpt_outcome_gaps", where=_ANY)
    published_groups = read("marts_public.rpt_outcome_gaps_by_group", where=_ANY)
    with connect_as(BUILDER) as connection:
        measures = headline_measures(connection)
    lead = next(measure for measure in measures.values() if measure.finding)
    policy = read("policy.suppression").iloc[0]
    gaps = _in_words(published, measures, policy)
    groups = _in_words(published_groups, measures, policy)
    measured = gaps[gaps["program_group"].eq("any")]
    overall = measured[measured["district_id"].eq(district_id)]
    headlines = overall[overall["measure"].eq(lead.measure) & ~overall["is_suppressed"]]
    if headlines.empty:
        raise OutcomesError(
            "No school year that has ended has enough students to be public. Expected one in "
            f"marts_public.rpt_outcome_gaps, with the district_id {district_id!r}."
        )
    headline = headlines.sort_values("school_year").iloc[-1]
    year = headline["school_year"]
    newest = overall[overall["school_year"].eq(year)]
    of_districts = measured[measured["district_id"].ne(ALL)]
    changing = changing_districts(
        of_districts[["year", "district_id"]].itertuples(index=False, name=None)
    )
    sections = [
        _levels(newest, measures),
        _by_year(overall, changing if district_id == ALL else ""),
        _adjusted(newest),
        _programs(_only(gaps[gaps["district_id"].eq(district_id)], lead, year), lead),
        _groups(
            _only(measured, lead, year).assign(
                label=lambda districts: districts["district_id"].map(names)
            ),
            _only(groups[groups["district_id"].eq(district_id)], lead, year),
            lead,
        ),
    ]
    released_on = headline["released_on"].date()
    page = (
        jinja2.Environment(autoescape=True)
        .from_string(_TEMPLATE.read_text("utf-8"))
        .render(
            headline=sentence(headline, lead, names.get(district_id)),
            district=names.get(district_id),
            measures=measures.values(),
            year=headline["year"],
            not_public=[names[one] for one in sorted(names.keys() - {*measured["district_id"]})],
            released_on=released_on,
            revision_reason=headline["revision_reason"] if headline["revision"] else None,
            sections=[section for section in sections if section],
            smallest=policy["smallest_published_count"],
            low=_at_most(policy),
            high=_at_least(policy),
        )
    )
    return released_on, page


def sentence(row: pd.Series, lead: Measure, district: str | None = None) -> str:
    """The finding of one row, in words; `district` has the name of its only one."""
    of = f" of {district}" if district else ""
    levels = (
        f"In the school year {row['year']}, {row['involved']} of the students{of} who ever "
        f"received human services {lead.finding}. Of all other students it was {row['others']}"
    )
    # A bound has no gap.
    if pd.isna(row["gap"]):
        return f"{levels}."
    chance = ", which may be chance" if row["ci_low"] <= 0 <= row["ci_high"] else ""
    return f"{levels}: a gap of {abs(row['gap']):.1f} percentage points{chance}."


def _only(frame: pd.DataFrame, measure: Measure, year: int) -> pd.DataFrame:
    return frame[frame["school_year"].eq(year) & frame["measure"].eq(measure.measure)]


def _in_words(frame: pd.DataFrame, measures: dict[str, Measure], policy: pd.Series) -> pd.DataFrame:
    """Rows in the report's order, with shares as percentages and every figure as text."""
    frame = frame[frame["measure"].isin(list(measures))].copy()
    frame["order"] = frame["measure"].map({name: n for n, name in enumerate(measures)})
    frame = frame.sort_values(["order", "school_year"]).drop(columns="order")
    frame["unit"] = [measures[name].unit for name in frame["measure"]]
    frame["year"] = [f"{y - 1}-{y % 100:02d}" for y in frame["school_year"]]
    rows = [(row, measures[row["measure"]]) for _, row in frame.iterrows()]
    frame["involved"] = [_value(row, "value_involved", measure, policy) for row, measure in rows]
    frame["others"] = [_value(row, "value_not_involved", measure, policy) for row, measure in rows]
    frame["gap_text"] = [_difference(row, "gap", measure) for row, measure in rows]
    frame["adjusted_gap_text"] = [
        _difference(row, "adjusted_gap", measure) for row, measure in rows
    ]
    frame["coverage"] = [_coverage(row) for row, _ in rows]
    frame["interval"] = [_interval(row, measure) for row, measure in rows]
    for name in ("n_involved", "n_not_involved"):
        frame[f"{name}_text"] = [
            SUPPRESSED if row["is_suppressed"] else f"{row[name]:,}" for row, _ in rows
        ]
    factors = [float(measure.display_factor) for _, measure in rows]
    for name in (
        "gap",
        "ci_low",
        "ci_high",
        "adjusted_gap",
        "value_involved",
        "value_not_involved",
    ):
        frame[name] = frame[name] * factors
    frame["low"], frame["high"] = frame["ci_low"], frame["ci_high"]
    return frame


def _value(row: pd.Series, name: str, measure: Measure, policy: pd.Series) -> str:
    if row["is_suppressed"] or pd.isna(row[name]):
        return SUPPRESSED
    # A top- or bottom-coded row (`is_coded`) has the bound as its value.
    if row["is_coded"] and row[name] <= policy["lowest_published_share"]:
        return _at_most(policy)
    if row["is_coded"] and row[name] >= policy["highest_published_share"]:
        return _at_least(policy)
    return measure.value(row[name])


def _at_most(policy: pd.Series) -> str:
    return f"{100 * policy['lowest_published_share']:g} % or less"


def _at_least(policy: pd.Series) -> str:
    return f"{100 * policy['highest_published_share']:g} % or more"


def _difference(row: pd.Series, name: str, measure: Measure) -> str:
    if row["is_suppressed"]:
        return SUPPRESSED
    return "not shown" if pd.isna(row[name]) else _with_minus(measure.gap(row[name]))


def _coverage(row: pd.Series) -> str:
    if row["is_suppressed"]:
        return SUPPRESSED
    share = row["adjusted_coverage"]
    return "not shown" if pd.isna(share) else f"{100 * share:.0f} %"


def _interval(row: pd.Series, measure: Measure) -> str:
    if row["is_suppressed"]:
        return SUPPRESSED
    # Beside a bound, an interval would look like that of the bound.
    if row["is_coded"]:
        return "not shown"
    low, high = (measure.number(row[name], signed=True) for name in ("ci_low", "ci_high"))
    return _with_minus(f"{low} to {high}")


def _with_minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


_COMPARED = {"involved": "Ever received services", "others": "All other students"}
_GAP = {"gap_text": "Gap", "interval": "95 % interval"}
_COUNTS = {
    "n_involved_text": "Students who received services",
    "n_not_involved_text": "Other students",
}


def _levels(newest: pd.DataFrame, measures: dict[str, Measure]) -> Section:
    drawn = newest.rename(
        columns={
            "value_involved": "Ever received services",
            "value_not_involved": "All other students",
        }
    )
    return Section(
        "How the two groups of students did",
        "Each line joins the students who ever received human services (circle) and all other "
        "students (diamond).",
        charts.levels(drawn, measures.values()),
        _table("levels", newest, {"measure_label": "Measure"} | _COMPARED | _GAP | _COUNTS),
    )


def _by_year(overall: pd.DataFrame, changing: str) -> Section:
    return Section(
        "How the gap changed",
        "The gap is the value of students who received services minus that of all other students, "
        f"for shares in percentage points. The bar is the 95 % interval.{changing}",
        charts.by_year(overall[overall["gap"].notna()]),
        _table(
            "years",
            overall,
            {"measure_label": "Measure", "year": "School year"} | _COMPARED | _GAP,
        ),
    )


def _adjusted(newest: pd.DataFrame) -> Section:
    shares = newest[newest["unit"].eq("%") & newest["gap"].notna()]
    return Section(
        "The gap among similar students",
        "The diamond compares students of the same grade, economic status and district, so these "
        "three do not contribute to it. The remaining gap is still not an effect of the services. "
        f"{ADJUSTED_HAS_NO_INTERVAL}",
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
                "coverage": "Similar students found for",
            },
        ),
    )


def _programs(programs: pd.DataFrame, lead: Measure) -> Section | None:
    programs = programs[programs["program_group"].ne("any")].sort_values(
        "gap", ascending=False, na_position="last"
    )
    if programs.empty:
        return None
    programs = programs.assign(label=programs["program_group_label"])
    return Section(
        f"{lead.measure_label}, by kind of service",
        "Students who ever received a service of that kind, compared with all other students. A "
        "student can have received several kinds.",
        charts.intervals(programs[programs["gap"].notna()]),
        _table("programs", programs, {"label": "Service"} | _COMPARED | _GAP | _COUNTS),
    )


def _groups(districts: pd.DataFrame, groups: pd.DataFrame, lead: Measure) -> Section:
    types = read("policy.group_types").set_index("group_type")
    districts = districts[districts["district_id"].ne(ALL)].assign(group_type="district")
    groups = groups.assign(
        label=groups["group_label"].str.replace("_", "-").str.replace(r"^(.)", _upper, regex=True)
    )
    both = pd.concat([districts, groups]).join(types, on="group_type")
    both = both.rename(columns={"group_type_label": "group"})
    both = both.sort_values(["position", "label"], kind="stable")
    return Section(
        f"{lead.measure_label}, by district and group of students",
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
