"""Draws names, streets and places: common ones from lists, rare ones from syllables.

Real populations have few very common names and very many rare ones. A linkage model uses this
difference, so the demo needs it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

SEED_LISTS = Path(__file__).parent / "seed_lists"
RACE_GROUPS = ("white", "black", "hispanic", "asian")
# Share of names that are composed of syllables.
TAIL = {"surname": 0.3, "first_name": 0.08}


@cache
def seed_list(name: str) -> pl.DataFrame:
    """A committed list of `seed_lists/`, every column but `weight` as text."""
    return pl.read_csv(
        SEED_LISTS / f"{name}.csv",
        schema_overrides={"zip": pl.String},
    )


def _parts(kind: str) -> list[str]:
    parts = seed_list("name_parts")
    return parts.filter(pl.col("kind") == kind)["part"].to_list()


def _compose(start: str, end: str) -> np.ndarray:
    return np.array([a + b for a in _parts(start) for b in _parts(end)], dtype=object)


def _draw(
    common: pl.DataFrame,
    column: str,
    tail: np.ndarray,
    n: int,
    share: float,
    chance: np.random.Generator,
) -> np.ndarray:
    weight = common["weight"].to_numpy().astype(float)
    drawn = common[column].to_numpy()[chance.choice(len(weight), n, p=weight / weight.sum())]
    rare = chance.random(n) < share
    # The square prefers the front, so that some composed names are more common than others.
    drawn[rare] = tail[(chance.random(int(rare.sum())) ** 2 * len(tail)).astype(int)]
    return drawn


def draw_surnames(group: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """A surname for each index into `RACE_GROUPS`; 2 % are compound, some with a hyphen."""
    surnames = np.empty(len(group), dtype=object)
    tail = _compose("surname_start", "surname_end")
    for code, name in enumerate(RACE_GROUPS):
        rows = np.flatnonzero(group == code)
        common = seed_list("surnames").filter(pl.col("race_group") == name)
        share = TAIL["surname"] if name in ("white", "black") else 0.0
        drawn = _draw(common, "surname", tail, len(rows), share, chance)
        second = _draw(common, "surname", tail, len(rows), share, chance)
        compound = chance.random(len(rows)) < (0.12 if name == "hispanic" else 0.02)
        joint = "-" if name != "hispanic" else " "
        drawn[compound] = drawn[compound] + joint + second[compound]
        surnames[rows] = drawn
    return surnames


def draw_first_names(
    group: np.ndarray, is_female: np.ndarray, is_child: np.ndarray, chance: np.random.Generator
) -> np.ndarray:
    """A first name for each person, by race group, sex and generation."""
    first = np.empty(len(group), dtype=object)
    for code, name in enumerate(RACE_GROUPS):
        for sex, females in (("F", True), ("M", False)):
            tail = _compose(f"first_start_{sex}", f"first_end_{sex}")
            for generation, children in (("child", True), ("adult", False)):
                rows = np.flatnonzero(
                    (group == code) & (is_female == females) & (is_child == children)
                )
                common = seed_list("first_names").filter(
                    pl.col("race_group") == name,
                    pl.col("sex") == sex,
                    pl.col("generation") == generation,
                )
                share = TAIL["first_name"] * (2.0 if name == "black" else 0.5)
                first[rows] = _draw(common, "first_name", tail, len(rows), share, chance)
    return first


def draw_streets(n: int, chance: np.random.Generator) -> np.ndarray:
    """`n` street addresses, a fifth of them flats."""
    streets = seed_list("streets")["street"].to_numpy()
    kinds = np.array(["St", "Ave", "Way", "Dr", "Rd", "Pl", "Ln", "Ct"], dtype=object)
    number = (chance.random(n) ** 2 * 2400 + 1).astype(int).astype(str).astype(object)
    # The kind depends on the street's name, with two kinds per name.
    drawn = (chance.random(n) ** 1.5 * len(streets)).astype(int)
    kind = (drawn + chance.integers(0, 2, n)) % len(kinds)
    address: np.ndarray = number + " " + streets[drawn] + " " + kinds[kind]
    flat = chance.random(n) < 0.2
    unit = chance.integers(1, 40, n).astype(str).astype(object)
    label = np.array([" Apt ", " #", " Unit "], dtype=object)[chance.integers(0, 3, n)]
    address[flat] = address[flat] + label[flat] + unit[flat]
    return address


def nicknames() -> dict[str, list[str]]:
    """First name → the short forms people use for it."""
    by_name = seed_list("nicknames").group_by("first_name", maintain_order=True)
    return {str(key[0]): rows["nickname"].to_list() for key, rows in by_name}
