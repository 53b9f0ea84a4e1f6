"""Rosters of the action-research projects: cumulative, the newest replaces the one before."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from outcomes.demo.columns import text
from outcomes.demo.people import Population
from outcomes.demo.plan import RUNNING_YEAR, Plan
from outcomes.demo.snapshots import Snapshot

INTERVENTIONS = {
    "SST": "School-based support team",
    "MEN": "Mentoring, check and connect",
    "TUT": "After-school tutoring",
}
GRADES = (5, 10)


def make_roster(
    plan: Plan, population: Population, school_years: dict[tuple[str, int], Snapshot]
) -> pl.DataFrame:
    """Everybody who joins a project in the running year; the needier, the likelier.

    Columns as delivered: intervention_code, intervention_name, district_id,
    district_student_id, started_on, ended_on.
    """
    chance = plan.chance("rosters")
    need = population.people["need"].to_numpy()
    rosters = []
    for district_id in ("pittsburgh", "woodland_hills"):
        students = (
            school_years[district_id, RUNNING_YEAR]
            .directory.filter(
                pl.col("grade").is_between(*GRADES),
                pl.col("exit_date").is_null(),
            )
            .unique("person", keep="first", maintain_order=True)
        )
        odds = 0.015 + 0.05 * (need[students["person"].to_numpy()] > 0.5)
        chosen = students.filter(pl.Series(chance.random(len(students)) < odds))
        n = len(chosen)
        start = np.datetime64(date(RUNNING_YEAR - 1, 8, 27)) + chance.integers(0, 60, n)
        length = chance.integers(10, 60, n)
        ends = np.where(chance.random(n) < 0.25, start + length, np.datetime64("NaT"))
        code = chance.choice(list(INTERVENTIONS), n)
        rosters.append(
            chosen.select(
                intervention_code=text(code),
                intervention_name=text(code).replace_strict(INTERVENTIONS),
                district_id=pl.lit(district_id),
                district_student_id="district_student_id",
                started_on=pl.Series(start),
                ended_on=pl.Series(ends),
            )
        )
    return pl.concat(rosters).sort("started_on", maintain_order=True)


def write_roster(folder: Path, as_of: date, roster: pl.DataFrame) -> None:
    """Write `roster.csv` with the spells that had begun by a day."""
    ended = pl.col("ended_on")
    known = roster.filter(pl.col("started_on") <= as_of).with_columns(
        ended_on=pl.when(ended <= as_of).then(ended)
    )
    known.write_csv(folder / "roster.csv")
