"""Action research: what became of students, and what interventions changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from outcomes.access.roles import ANALYST
from outcomes.dashboards import charts
from outcomes.dashboards.page import ALL, Content, Page, Section, Table, choice, options
from outcomes.dashboards.reader import Reader, Row
from outcomes.queries import query

_GROUPS = ("With services", "Others")


def _draw(reader: Reader, asked: Mapping[str, str]) -> Content:
    years = options(reader.rows(query("outcomes.dashboards", "cohort_base_years")))
    interventions = options(reader.rows(query("outcomes.dashboards", "interventions")))
    base_year = choice(asked, "base_year", "Enrolled in school year", years)
    intervention = choice(
        asked, "intervention", "Intervention", {ALL: "All interventions"} | interventions
    )
    chosen = {"base_year": base_year.chosen, "intervention": intervention.chosen}
    cohort = reader.rows(query("outcomes.dashboards", "cohort"), chosen)
    effects = reader.rows(query("outcomes.dashboards", "effects"), chosen)
    compared = [
        {"year": row["school_year"], "group": row["students"], "level": row["absent_share"]}
        for row in cohort.rows
        if row["students"] in _GROUPS and row["absent_share"] is not None
    ]
    no_cohort = "No cohort is published: it needs students of a school year before this one."
    return Content(
        _finding(cohort.rows) if cohort.rows else no_cohort,
        [
            "Small groups are not suppressed, so nothing here is for publication. “Too few”: fewer "
            "students are behind the figure than policy.reporting_rules asks for. An effect is "
            "causal only if nothing that is not matched made participants change."
        ],
        [
            Section(
                "How the students of that year did",
                "Share absent 10 % or more of their days, of those with days in that year. “With "
                "services” are those with a service by the end of the first year. Not enrolled "
                "here is not dropping out.",
                (lambda: charts.over_years(compared, "level", "Percent", 100, _GROUPS))
                if compared else None,
                Table(
                    "cohort", cohort, no_cohort, ["group_type", "is_complete_year", "absent_share"]
                ),
            ),
            *_effect_sections(effects.rows),
            Section(
                "The effects in figures",
                "“Better is” says which direction is good news.",
                table=Table(
                    "effects", effects, "No intervention has a roster.",
                    ["label", "gap_unit", "effect_drawn", "low", "high"],
                ),
            ),
            Section(
                "How alike participants and matched students are",
                "Standardized differences; beyond ±0.1 the effect may come from there.",
                table=Table(
                    "balance", reader.rows(query("outcomes.dashboards", "balance"), chosen),
                    "No intervention has enough matched students.",
                ),
            ),
            Section(
                "Moves between districts",
                table=Table(
                    "moves", reader.rows(query("outcomes.dashboards", "district_moves")),
                    "Nobody left one district and entered another.",
                ),
            ),
            Section(
                "High test scores, low grades, with services",
                table=Table(
                    "discrepancies", reader.rows(query("outcomes.dashboards", "discrepancies")),
                    "No student has high test scores, low grades and services.",
                ),
            ),
        ],
        [base_year, intervention],
    )  # fmt: skip


def _finding(cohort: Sequence[Row]) -> str:
    by_year: dict[str, dict[str, Row]] = {}
    for row in cohort:
        by_year.setdefault(row["school_year"], {})[row["students"]] = row
    first = next(iter(by_year))
    known = [
        (year, of)
        for year, of in by_year.items()
        if of.keys() >= {*_GROUPS} and of["All"]["is_complete_year"]
        and all(of[group]["absent_share"] is not None for group in _GROUPS)
    ]  # fmt: skip
    if not known:
        return f"Too few of the students of {first} have services to compare them with others."
    year, of = known[-1]
    return (
        f"Of the students of {first} with services, {of['With services']['absent 10 % or more']} "
        f"were absent 10 % or more of their days in {year}, and "
        f"{of['Others']['absent 10 % or more']} of the others."
    )


def _effect_sections(effects: Sequence[Row]) -> list[Section]:
    """A chart for each unit, because one axis cannot serve points and grade points."""
    sections = []
    for unit in dict.fromkeys(row["gap_unit"] for row in effects):
        drawn = [
            row | {"effect": row["effect_drawn"]}
            for row in effects
            if row["gap_unit"] == unit and row["effect_drawn"] is not None
        ]
        if drawn:
            sections.append(
                Section(
                    f"Effects of interventions, in {unit}",
                    "Change of participants less change of matched students, with the 95 % "
                    "interval. Intervals that reach beyond the axis are cut; the table has them "
                    "whole. A hollow point has no interval: too few schools.",
                    partial(charts.effects, drawn, unit.capitalize()),
                )
            )
    return sections


PAGE = Page(
    "action_research",
    "Action research",
    "What became of students with and without services, and what interventions changed.",
    (ANALYST,),
    _draw,
)
