"""Cumulative rosters of the action-research projects: each replaces the one before."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from demo.columns import text
from demo.people import Population
from demo.plan import RUNNING_YEAR, Plan
from demo.snapshots import Snapshot

INTERVENTIONS = {
    "SST": "School-based support team",
    "MEN": "Mentoring, check and connect",
    "TUT": "After-school tutoring",
}
GRADES = (1, 12)


def make_roster(
    plan: Plan, population: Population, school_years: dict[tuple[str, int], Snapshot]
) -> pl.DataFrame:
    """All participants of projects in the running year and the one before.

    The needier, the likelier. Columns as delivered: intervention_code, intervention_name,
    district_id, district_student_id, started_on, ended_on.
    """
    need = population.people["need"].to_numpy()
    rosters = [
        _participants(plan, school_years[district_id, school_year], need)
        for school_year in (RUNNING_YEAR - 1, RUNNING_YEAR)
        for district_id in plan.districts
        if (district_id, school_year) in school_years
    ]
    return pl.concat(rosters).sort("started_on", maintain_order=True)


def _participants(plan: Plan, snapshot: Snapshot, need: np.ndarray) -> pl.DataFrame:
    district_id, school_year = snapshot.district.district_id, snapshot.school_year
    chance = plan.chance("rosters", district_id, school_year)
    students = snapshot.directory.filter(
        pl.col("grade").is_between(*GRADES), pl.col("exit_date").is_null()
    ).unique("person", keep="first", maintain_order=True)
    odds = 0.12 + 0.12 * (need[students["person"].to_numpy()] > 0.5)
    chosen = students.filter(pl.Series(chance.random(len(students)) < odds))
    n = len(chosen)
    start = np.datetime64(date(school_year - 1, 8, 27)) + chance.integers(0, 60, n)
    length = chance.integers(10, 60, n)
    ends = np.where(chance.random(n) < 0.25, start + length, np.datetime64("NaT"))
    code = chance.choice(list(INTERVENTIONS), n, p=[0.6, 0.2, 0.2])
    return chosen.select(
        intervention_code=text(code),
        intervention_name=text(code).replace_strict(INTERVENTIONS),
        district_id=pl.lit(district_id),
        district_student_id="district_student_id",
        started_on=pl.Series(start),
        ended_on=pl.Series(ends),
    )


def write_roster(folder: Path, as_of: date, roster: pl.DataFrame) -> None:
    """Write `roster.csv` with the spells that began up to a day."""
    ended = pl.col("ended_on")
    known = roster.filter(pl.col("started_on") <= as_of).with_columns(
        ended_on=pl.when(ended <= as_of).then(ended)
    )
    known.write_csv(folder / "roster.csv")
