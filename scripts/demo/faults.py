"""Faults of deliveries, for the demo's ledger, and a log of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl


@dataclass
class FaultLog:
    """The faults that were added on purpose: one entry per delivered file and kind."""

    entries: list[tuple[str, str, str, str, int]] = field(default_factory=list)

    def add(self, partner: str, as_of: date, file: str, kind: str, rows: int) -> None:
        """Log `rows` broken rows of a file."""
        if rows:
            self.entries.append((partner, as_of.isoformat(), file, kind, rows))

    def frame(self) -> pl.DataFrame:
        """partner_id, as_of_date, file_name, kind, rows."""
        return pl.DataFrame(
            self.entries,
            schema={
                "partner_id": pl.String, "as_of_date": pl.String, "file_name": pl.String,
                "kind": pl.String, "rows": pl.Int64,
            },
            orient="row",
        )  # fmt: skip


def break_values(
    frame: pl.DataFrame, column: str, value: str, rows: int, chance: np.random.Generator
) -> pl.DataFrame:
    """`frame` with `rows` values of a text column replaced by a broken one."""
    at = chance.choice(len(frame), min(rows, len(frame)), replace=False)
    broken = frame[column].clone().scatter(np.sort(at), value)
    return frame.with_columns(broken.alias(column))
