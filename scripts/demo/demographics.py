"""Demographics of students: language, disability, income."""

from __future__ import annotations

import numpy as np
import polars as pl

from demo.columns import text
from demo.people import Population
from demo.plan import Plan

DISABILITIES = ("SLD", "OHI", "SLI", "ED", "AUT", "ID")


def make_demographics(plan: Plan, population: Population) -> pl.DataFrame:
    """One row per student, in the state's codes.

    Columns: person, race, english_learner (01/99), special_education (Y/E/N),
    primary_disability, economic_status (F/R/N), homeless (Y/N), home_language.
    """
    chance = plan.chance("demographics")
    students = population.people.head(population.students)
    n = len(students)
    need = students["need"].to_numpy()
    race = students["race"].to_numpy()
    learner = chance.random(n) < np.select([race == 4, race == 2], [0.35, 0.3], 0.004)
    special = chance.choice(np.array(["Y", "E", "N"]), n, p=[0.17, 0.02, 0.81])
    special[(special == "N") & (chance.random(n) < 0.05 * (need > 1))] = "Y"
    disability = chance.choice(
        np.array(DISABILITIES, dtype=object), n, p=[0.47, 0.16, 0.14, 0.1, 0.07, 0.06]
    )
    disability[special == "N"] = None
    hardship = need + chance.normal(0, 0.6, n)
    other_language = np.select([race == 4, race == 2], ["Spanish", "Chinese"], "Arabic")
    return students.select(
        "person",
        race=pl.col("race").cast(pl.String),
        english_learner=pl.Series(np.where(learner, "01", "99")),
        special_education=pl.Series(special),
        primary_disability=text(disability),
        economic_status=pl.Series(np.select([hardship > -0.4, hardship > -0.7], ["F", "R"], "N")),
        homeless=pl.Series(np.where(chance.random(n) < 0.04 * (need > 0.5), "Y", "N")),
        home_language=pl.Series(np.where(learner, other_language, "English")),
    )
