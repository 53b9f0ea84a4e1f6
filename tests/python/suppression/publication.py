"""The cell key method once more, in Python: to check the models, and to draw many publications.

An attack is measured on publications with random cell keys: every secret would give others.
"""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd

from outcomes.config import PROJECT_DIR

SIDES = ("involved", "not_involved")
COUNTS = ("n_involved", "n_not_involved", "total_involved", "total_not_involved")
KEY = [
    "school_year", "district_id", "group_type", "group_value", "program_group", "involvement",
    "measure",
]  # fmt: skip
with (PROJECT_DIR / "seeds/policy/outcome_measures.csv").open(encoding="utf-8") as _file:
    MEASURES = {row["measure"]: row for row in csv.DictReader(_file)}
DECIMALS = {measure: int(row["decimals"]) for measure, row in MEASURES.items()}
# Of the measures that are means; shares have 1.
RANGES = {
    measure: int(row["value_range"])
    for measure, row in MEASURES.items()
    if row["is_proportion"] == "false"
}


def drawn(rows: pd.DataFrame, chance: np.random.Generator) -> pd.DataFrame:
    """Exact rows with random cell keys, one for each set of students of a school year."""
    rows = rows.copy()
    year = rows["school_year"].astype(str)
    names = {f"{count}_cell_key": year + " " + rows[f"{count}_key"].astype(str) for count in COUNTS}
    for side in SIDES:
        sets = year + " " + rows["measure"] + " " + rows[f"n_{side}_key"].astype(str)
        names[f"mean_{side}_cell_key"] = sets
    numbers, _ = pd.factorize(pd.concat(names.values()))
    keys = chance.random(numbers.max() + 1)[numbers]
    for column, part in zip(names, np.split(keys, len(names)), strict=True):
        rows[column] = part
    return rows


def published(rows: pd.DataFrame, policy: pd.Series, table: pd.DataFrame) -> pd.DataFrame:
    """What the public sees of exact rows with cell keys: numbers and values of both sides."""
    noisy = {
        count: _perturbed(rows[count], rows[f"{count}_cell_key"], table, policy.largest_noise)
        for count in COUNTS
    }
    share = rows["is_proportion"].to_numpy(bool)
    ranges = rows["measure"].map(RANGES).fillna(1).to_numpy(float)
    lowest = np.where(share, policy.lowest_published_share, 0)
    highest = np.where(share, policy.highest_published_share, ranges)
    shown = rows[KEY].copy()
    coded = np.zeros(len(rows), bool)
    with np.errstate(all="ignore"):
        for side in SIDES:
            uniform = rows[f"mean_{side}_cell_key"].to_numpy(float) - 0.5
            spread = np.sqrt(12) * policy.mean_noise * ranges / rows[f"n_{side}"].to_numpy(float)
            mean = rows[f"value_{side}"].to_numpy(float) + uniform * spread
            value = np.where(share, noisy[f"total_{side}"] / noisy[f"n_{side}"], mean)
            coded |= share & ((value < lowest) | (value > highest))
            shown[f"n_{side}"] = noisy[f"n_{side}"]
            shown[f"value_{side}"] = [
                round(number, DECIMALS[measure])
                for number, measure in zip(
                    np.clip(value, lowest, highest), rows["measure"], strict=True
                )
            ]
    shown["is_suppressed"] = (
        np.minimum(noisy["n_involved"], noisy["n_not_involved"]) < policy.smallest_published_count
    )
    shown["is_coded"] = coded & ~shown["is_suppressed"]
    for side in SIDES:
        for name in (f"n_{side}", f"value_{side}"):
            shown.loc[shown["is_suppressed"], name] = np.nan
    return shown


def _perturbed(
    counts: pd.Series, keys: pd.Series, table: pd.DataFrame, largest: float
) -> np.ndarray:
    true = counts.to_numpy(float)
    known = np.minimum(true, largest)
    noisy = np.full(len(true), np.nan)
    for count, rows in table.groupby("true_count"):
        here = known == count
        places = np.searchsorted(rows.key_to.to_numpy(float), keys[here].to_numpy(float), "right")
        noisy[here] = true[here] + rows.noise.to_numpy()[places]
    return noisy
