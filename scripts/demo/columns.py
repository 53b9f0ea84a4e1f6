"""Text columns from numpy's arrays of Python strings."""

from __future__ import annotations

import numpy as np
import polars as pl


def text(values: np.ndarray) -> pl.Series:
    """A text column of an array of `str` (and None for null)."""
    return pl.Series(values.tolist(), dtype=pl.String)
