"""Columns of deliveries: text from numpy, the state's grades, yes and no."""

from __future__ import annotations

import numpy as np
import polars as pl


def text(values: np.ndarray) -> pl.Series:
    """A text column of an array of `str` (and None for null)."""
    return pl.Series(values.tolist(), dtype=pl.String)


def state_grade() -> pl.Expr:
    """The grade in the state's code: PKF and K5F before first grade, else three digits."""
    grade = pl.col("grade")
    digits = grade.cast(pl.String).str.zfill(3)
    return (
        pl.when(grade < 0)
        .then(pl.lit("PKF"))
        .when(grade == 0)
        .then(pl.lit("K5F"))
        .otherwise(digits)
        .alias("grade")
    )


def yes_no(column: str) -> pl.Expr:
    """Y or N."""
    return pl.when(column).then(pl.lit("Y")).otherwise(pl.lit("N")).alias(column)
