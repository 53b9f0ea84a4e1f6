"""An attack on small counts that combines all public rows.

The attacker estimates the true counts behind the public figures by least squares: involved and
others add up to the same students for every program and definition, districts add up to the
total, and groups to their district. One district's employee also knows how many students, and
how many with an outcome, the district and its groups have. Then Bayes' rule chooses the most
likely small count, from these estimates or from the single figure, whichever finds more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from tests.python.suppression.publication import RANGES, SIDES

SMALL = range(1, 11)
# The deviation of an exact sum.
CERTAIN = 1e-3

Unit = tuple[str, str, str]  # district, group type, group
Definition = tuple[str, str] | None  # program group, involvement; None: all students


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


def estimated(figures: pd.DataFrame, variance: float, insider: str) -> pd.DataFrame:
    """The counts that public rows show or let follow: true, shown and estimated.

    Args:
        figures: public rows, with the exact `true_n_…` and `true_total_…`.
        variance: of the noise, which is public.
        insider: the district whose students the attacker knows, but not their services.
    """
    found = [
        estimate
        for (_, measure), rows in figures.groupby(["school_year", "measure"])
        for counted in ("n", *([] if measure in RANGES else ["total"]))
        for estimate in _estimates(rows, counted, variance, insider)
    ]
    return pd.DataFrame(found, columns=["true", "shown", "estimate", "deviation"])


def _estimates(
    rows: pd.DataFrame, counted: str, variance: float, insider: str
) -> Iterator[tuple[int, float, float, float]]:
    equations = Equations()
    truth: dict[tuple[Unit, Definition], int] = {}
    shown: dict[tuple[Unit, Definition, str], tuple[float, int]] = {}
    for row in rows.itertuples():
        unit: Unit = (row.district_id, row.group_type, row.group_value)
        definition: Definition = (row.program_group, row.involvement)
        true = {side: getattr(row, f"true_{counted}_{side}") for side in SIDES}
        truth[unit, definition] = true["involved"]
        truth[unit, None] = sum(true.values())
        for side, terms in (
            ("involved", {(unit, definition): 1}),
            ("not_involved", {(unit, None): 1, (unit, definition): -1}),
        ):
            figure = _figure(row, counted, side)
            if figure is not None:
                count, error = figure
                equations.add(dict(terms), count, float(np.sqrt(variance + error**2)))
                shown[unit, definition, side] = count, true[side]
    for unit in {unit for unit, _ in truth if unit[0] == insider}:
        equations.add({(unit, None): 1}, truth[unit, None], CERTAIN)
    for whole, parts in _sums(list(truth)):
        # Students without a known group are missing from a sum; the attacker knows where.
        if truth[whole] == sum(truth[part] for part in parts):
            equations.add({whole: 1} | dict.fromkeys(parts, -1), 0, CERTAIN)
    estimates, covariance = equations.solve()
    for (unit, definition, side), (count, true_count) in shown.items():
        terms_of = np.zeros(len(equations.unknowns))
        terms_of[equations.unknowns[unit, definition]] = 1
        if side == "not_involved":
            terms_of = -terms_of
            terms_of[equations.unknowns[unit, None]] = 1
        spread = float(np.sqrt(max(terms_of @ covariance @ terms_of, 0)))
        yield true_count, count, float(terms_of @ estimates), spread


def _figure(row: tuple[object, ...], counted: str, side: str) -> tuple[float, float] | None:
    """A count from a public row, and the deviation from rounding."""
    n, value = getattr(row, f"n_{side}"), getattr(row, f"value_{side}")
    if row.is_suppressed:  # type: ignore[attr-defined]
        return None
    if counted == "n":
        return n, 0.0
    if value in (0.05, 0.95) and row.is_coded:  # type: ignore[attr-defined]
        return None
    rounding = n * 0.001
    return (round(n * value), 0.0) if rounding < 1 else (n * value, rounding / np.sqrt(12))


def _sums(
    known: list[tuple[Unit, Definition]],
) -> Iterator[tuple[tuple[Unit, Definition], list[tuple[Unit, Definition]]]]:
    """The sums of counts: districts to the total, groups to their district."""
    parts = defaultdict(list)
    for unit, definition in known:
        district, group_type, group = unit
        if district != "all":
            parts[(("all", group_type, group), definition), ""].append((unit, definition))
        if group_type != "all":
            parts[((district, "all", "all"), definition), group_type].append((unit, definition))
    wholes = set(known)
    for (whole, _), terms in parts.items():
        if whole in wholes:
            yield whole, terms


@dataclass(frozen=True)
class Hits:
    """Shares of the shown counts from 1 to 10 that are found exactly."""

    counts: int
    by_attack: float
    by_guessing: float

    @property
    def margin(self) -> float:
        return self.by_attack - self.by_guessing


def hits(counts: pd.DataFrame, variance: float) -> Hits:
    """Choose the most likely count from 1 to 10, knowing how common each is."""
    small = counts[counts.true.isin(SMALL)]
    common = small.true.value_counts(normalize=True).reindex(SMALL, fill_value=0).to_numpy()
    found = []
    for estimate, deviation in (
        (small.estimate, np.maximum(small.deviation, 0.1)),
        (small.shown, np.full(len(small), np.sqrt(variance))),
    ):
        distance = estimate.to_numpy()[:, None] - np.array(SMALL)
        squares = (distance / np.asarray(deviation)[:, None]) ** 2 / 2
        likelihood = np.exp(-np.minimum(squares, 700)) * common
        named = np.array(SMALL)[likelihood.argmax(axis=1)]
        found.append(float((named == small.true).mean()))
    return Hits(len(small), max(found), float(common.max()))
