"""An attack that combines all public gaps.

The attacker estimates the true counts behind all public figures by least squares:
involved and others add up to the same students for every program and definition,
districts add up to the total, and groups to their district. This averages the noise
over every total, group, program, definition and measure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

KEY = [
    "school_year", "measure", "district_id", "group_type", "group_value", "program_group",
    "involvement",
]  # fmt: skip
MEANS = ("attendance_rate", "gpa")
SMALL = range(1, 11)
# The deviation of an exact sum.
CERTAIN = 1e-3


@dataclass
class Equations:
    """Linear equations between unknown counts, each with the standard deviation of its error."""

    unknowns: dict[Hashable, int] = field(default_factory=dict)
    rows: list[dict[int, float]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, terms: dict[Hashable, int], value: float, deviation: float) -> None:
        """Add an equation: the sum of the terms is the value, with a standard deviation."""
        self.rows.append(
            {
                self.unknowns.setdefault(unknown, len(self.unknowns)): factor / deviation
                for unknown, factor in terms.items()
            }
        )
        self.values.append(value / deviation)

    def solve(self) -> tuple[np.ndarray, np.ndarray]:
        """The unknown counts, and the covariance of their errors."""
        matrix = np.zeros((len(self.rows), len(self.unknowns)))
        for number, row in enumerate(self.rows):
            matrix[number, list(row)] = list(row.values())
        # Unknowns without an equation are somewhere between 0 and a thousand.
        information = matrix.T @ matrix + np.eye(len(self.unknowns)) * 1e-6
        covariance = np.linalg.inv(information)
        return covariance @ (matrix.T @ np.array(self.values)), covariance


def work_out(figures: pd.DataFrame, variance: float) -> pd.DataFrame:
    """The estimated counts, with the true ones.

    Args:
        figures: public rows, and in `true_…` the true counts of students and of those with
            the outcome (`x`).
        variance: of the noise, which is public.
    """
    found = [
        estimate
        for (_, measure), rows in figures.groupby(["school_year", "measure"])
        # The mean attendance counts the same students as federal chronic absence.
        if measure != "attendance_rate"
        for counted in ("n", *([] if measure in MEANS else ["x"]))
        for estimate in _estimates(rows, counted, variance)
    ]
    return pd.DataFrame(found, columns=["counted", "true", "estimate", "deviation"])


def _estimates(
    rows: pd.DataFrame, counted: str, variance: float
) -> Iterator[tuple[str, int, float, float]]:
    equations = Equations()
    truth: dict[tuple[Hashable, Hashable], int] = {}
    for row in rows.itertuples():
        unit = (row.district_id, row.group_type, row.group_value)
        definition = (row.program_group, row.involvement)
        involved = getattr(row, f"true_{counted}_involved")
        truth[unit, definition] = involved
        truth[unit, None] = involved + getattr(row, f"true_{counted}_not_involved")
        for side, terms in (
            ("involved", {(unit, definition): 1}),
            ("not_involved", {(unit, None): 1, (unit, definition): -1}),
        ):
            shown, error = _shown(row, counted, side)
            if shown is not None:
                equations.add(terms, shown, float(np.sqrt(variance + error**2)))
    for whole, parts in _sums(list(truth)):
        # Students without a known group are missing from a sum; the attacker knows where.
        if truth[whole] == sum(truth[part] for part in parts):
            equations.add({whole: 1} | dict.fromkeys(parts, -1), 0, CERTAIN)
    if not equations.values:
        return
    estimates, covariance = equations.solve()
    for (unit, definition), number in equations.unknowns.items():
        everybody = equations.unknowns.get((unit, None))
        if definition is None or everybody is None or (unit, definition) not in truth:
            continue
        involved = truth[unit, definition]
        yield counted, involved, estimates[number], float(np.sqrt(covariance[number, number]))
        spread = (
            covariance[everybody, everybody]
            + covariance[number, number]
            - 2 * covariance[everybody, number]
        )
        yield (
            counted,
            truth[unit, None] - involved,
            estimates[everybody] - estimates[number],
            float(np.sqrt(max(spread, 0))),
        )


def _shown(row: tuple[object, ...], counted: str, side: str) -> tuple[float | None, float]:
    """A count from a public row, and the deviation from rounding."""
    n, value = getattr(row, f"n_{side}"), getattr(row, f"value_{side}")
    if pd.isna(n) or counted == "n":
        return (None if pd.isna(n) else n), 0.0
    if value in (0.05, 0.95) and row.is_coded:  # type: ignore[attr-defined]
        return None, 0.0
    rounding = n * 0.001
    return (round(n * value), 0.0) if rounding < 1 else (n * value, rounding / np.sqrt(12))


def _sums(
    known: list[tuple[Hashable, Hashable]],
) -> Iterator[tuple[tuple[Hashable, Hashable], list[tuple[Hashable, Hashable]]]]:
    """The sums of counts: districts to the total, groups to their district."""
    parts = defaultdict(list)
    for unit, definition in known:
        district, group_type, group = unit  # type: ignore[misc]
        if district != "all":
            parts[("all", group_type, group), definition].append((unit, definition))
        if group_type != "all":
            whole = ((district, "all", "all"), definition)
            parts[(*whole, group_type)].append((unit, definition))
    wholes = set(known)
    for whole, terms in parts.items():
        if whole[:2] in wholes:
            yield whole[:2], terms


@dataclass(frozen=True)
class Hits:
    """Numbers of true counts from 1 to 10 that are found exactly."""

    counts: int
    by_attack: float
    by_guessing: float

    @property
    def margin(self) -> float:
        return self.by_attack - self.by_guessing


def hits(worked_out: pd.DataFrame) -> Hits:
    """Choose the most likely count from 1 to 10, knowing how common each is."""
    small = worked_out[worked_out.true.isin(SMALL)]
    common = small.true.value_counts(normalize=True).reindex(SMALL, fill_value=0)
    distance = small.estimate.to_numpy()[:, None] - np.array(SMALL)
    deviation = np.maximum(small.deviation.to_numpy(), 0.1)[:, None]
    likelihood = np.exp(-np.minimum((distance / deviation) ** 2 / 2, 700)) * common.to_numpy()
    named = np.array(SMALL)[likelihood.argmax(axis=1)]
    return Hits(len(small), float((named == small.true).mean()), float(common.max()))
