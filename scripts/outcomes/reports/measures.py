"""How reports write outcome measures: the seed `outcome_measures`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

# For readers of `adjusted_gap`.
ADJUSTED_HAS_NO_INTERVAL = (
    "The gap among similar students has no interval: where students are few, much of it is chance."
)


@dataclass(frozen=True)
class Measure:
    """An outcome measure; policy.yml describes the fields."""

    measure: str
    measure_label: str
    definition: str
    higher_is_better: bool
    value_range: int
    decimals: int
    display_factor: int
    unit: str | None
    gap_unit: str
    quoted_in: str | None
    finding: str | None

    def number(self, value: float, *, signed: bool = False) -> str:
        """A value or difference as people read it, without its unit."""
        decimals = self.decimals - round(math.log10(self.display_factor))
        # z: a little less than zero is no "-0.0".
        return f"{value * self.display_factor:{'+' if signed else ''}z.{decimals}f}"

    def value(self, value: float) -> str:
        """A value with its unit."""
        return f"{self.number(value)} {self.unit or ''}".rstrip()

    def gap(self, value: float) -> str:
        """A difference of two values with its sign and unit."""
        return f"{self.number(value, signed=True)} {self.gap_unit}"


def headline_measures(connection: psycopg.Connection) -> dict[str, Measure]:
    """The measures that the department quotes, by name, in the order of lists."""
    return {name: m for name, m in all_measures(connection).items() if m.quoted_in}


def all_measures(connection: psycopg.Connection) -> dict[str, Measure]:
    """All measures by name, in the order of lists."""
    with connection.cursor(row_factory=class_row(Measure)) as cursor:
        cursor.execute(
            """
            select measure, measure_label, definition, higher_is_better, value_range,
                decimals, display_factor, unit, gap_unit, quoted_in, finding
            from policy.outcome_measures order by position
            """
        )
        return {row.measure: row for row in cursor}


def changing_districts(delivered: Iterable[tuple[str, str]]) -> str:
    """A sentence with a space before it if not every year is of the same districts, or nothing.

    Args:
        delivered: the school year and the district of each figure of a district.
    """
    districts: dict[str, set[str]] = {}
    for year, district in delivered:
        districts.setdefault(year, set()).add(district)
    if all(found == districts[min(districts)] for found in districts.values()):
        return ""
    numbers = ", ".join(f"{len(found)} in {year}" for year, found in sorted(districts.items()))
    return (
        f" Not every year is of the same districts ({numbers}): a change from year to year may "
        "come from that."
    )
