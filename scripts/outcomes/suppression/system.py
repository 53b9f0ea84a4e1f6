"""Unknown counts, what is known about them, and what follows: linear programs."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import highspy
import numpy as np

from outcomes.errors import OutcomesError

TOLERANCE = 1e-6

# unknown → factor
Terms = dict[Hashable, float]


@dataclass(frozen=True)
class _Row:
    """low ≤ terms ≤ high; an assumed row is given up where it cannot be true."""

    terms: Terms
    low: float
    high: float
    is_assumed: bool = False


class System:
    """Unknowns and what is known about them; all unknowns are counts, so never negative."""

    def __init__(self) -> None:
        self.known: dict[Hashable, float] = {}
        self._rows: list[_Row] = []

    def know(self, unknown: Hashable, value: float) -> None:
        """The unknown is this count."""
        self.known[unknown] = value

    def equal(self, terms: Terms, value: float = 0.0) -> None:
        """The sum is this value."""
        self._rows.append(_Row(terms, value, value))

    def at_least(self, terms: Terms, value: float = 0.0) -> None:
        """The sum is this value or more."""
        self._rows.append(_Row(terms, value, math.inf))

    def assume_none_left(self, terms: Terms) -> None:
        """At least 0, and 0 as far as that can be."""
        self._rows.append(_Row(terms, 0.0, 0.0, is_assumed=True))

    def parts(self) -> Iterator[Part]:
        """The unknowns that depend on each other, with what is known about them."""
        rows = []
        leader: dict[Hashable, Hashable] = {}

        def find(unknown: Hashable) -> Hashable:
            leader.setdefault(unknown, unknown)
            while leader[unknown] != unknown:
                leader[unknown] = leader[leader[unknown]]
                unknown = leader[unknown]
            return unknown

        for row in self._rows:
            given = sum(f * self.known[u] for u, f in row.terms.items() if u in self.known)
            rest = {u: f for u, f in row.terms.items() if u not in self.known}
            high = math.inf if row.is_assumed and not rest else row.high
            if not rest:
                if not row.low - TOLERANCE <= given <= high + TOLERANCE:
                    raise _contradiction()
                continue
            rows.append(_Row(rest, row.low - given, row.high - given, row.is_assumed))
            first, *others = rest
            find(first)
            for other in others:
                leader[find(other)] = find(first)
        members: dict[Hashable, list[_Row]] = defaultdict(list)
        for row in rows:
            members[find(next(iter(row.terms)))].append(row)
        for part in members.values():
            yield Part(part)


class Part:
    """A linear program that answers, for many sums of its unknowns, how far each can go.

    Every solution is a table that fits everything known, so it widens what has been seen
    of all sums at once. Most of them need no program of their own to be called wide.
    """

    def __init__(self, rows: Sequence[_Row]) -> None:
        unknowns = sorted({u for row in rows for u in row.terms}, key=repr)
        self.position = {unknown: i for i, unknown in enumerate(unknowns)}
        self._sums: list[Terms] = []
        self._solved: set[int] = set()
        self._cost: list[int] = []
        self._highs = _load(rows, self.position)
        if not self._is_possible():
            self._highs = _load(self._give_up_assumptions(rows), self.position)
            if not self._is_possible():
                raise _contradiction()

    def ask(self, terms: Terms) -> int:
        """Register a sum of unknowns; its number."""
        self._sums.append(terms)
        return len(self._sums) - 1

    def start(self) -> None:
        """Begin to answer, once every sum is registered."""
        self._columns = np.array([self.position[u] for terms in self._sums for u in terms])
        self._factors = np.array([f for terms in self._sums for f in terms.values()])
        self._starts = np.cumsum([0, *(len(terms) for terms in self._sums)])[:-1]
        self._low = np.full(len(self._sums), math.inf)
        self._high = np.full(len(self._sums), -math.inf)
        if self._sums:
            self._see()

    def seen(self, number: int) -> tuple[float, float]:
        """An interval that the sum can fill, maybe more."""
        return float(self._low[number]), float(self._high[number])

    def solve(self, number: int) -> None:
        """Find the ends of the interval."""
        if number not in self._solved:
            self._solved.add(number)
            self._low[number] = self._least(self._sums[number], 1.0)
            self._high[number] = -self._least(self._sums[number], -1.0)

    def _give_up_assumptions(self, rows: Sequence[_Row]) -> list[_Row]:
        """Drop as few of the assumptions as have to be, so that the others still hold."""
        loose = [replace(row, high=math.inf) if row.is_assumed else row for row in rows]
        self._highs = _load(loose, self.position)
        left: Terms = defaultdict(float)
        for row in rows:
            if row.is_assumed:
                for unknown, factor in row.terms.items():
                    left[unknown] += factor
        for unknown, factor in left.items():
            self._highs.changeColCost(self.position[unknown], factor)
        if not self._is_possible():
            raise _contradiction()
        solution = self._highs.getSolution()
        return [
            loosened if value > row.low + TOLERANCE else row
            for row, loosened, value in zip(rows, loose, solution.row_value, strict=True)
        ]

    def _is_possible(self) -> bool:
        self._highs.run()
        return bool(self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)

    def _least(self, terms: Terms, sign: float) -> float:
        for column in self._cost:
            self._highs.changeColCost(column, 0.0)
        self._cost = [self.position[unknown] for unknown in terms]
        for column, factor in zip(self._cost, terms.values(), strict=True):
            self._highs.changeColCost(column, sign * factor)
        self._highs.run()
        # What is possible has a least value or none at all.
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return -math.inf
        self._see()
        return float(self._highs.getInfo().objective_function_value)

    def _see(self) -> None:
        solution = np.array(self._highs.getSolution().col_value)
        values = np.add.reduceat(solution[self._columns] * self._factors, self._starts)
        np.minimum(self._low, values, out=self._low)
        np.maximum(self._high, values, out=self._high)


def _load(rows: Sequence[_Row], position: dict[Hashable, int]) -> highspy.Highs:
    lp = highspy.HighsLp()
    lp.num_col_ = len(position)
    lp.num_row_ = len(rows)
    lp.col_cost_ = np.zeros(len(position))
    lp.col_lower_ = np.zeros(len(position))
    lp.col_upper_ = np.full(len(position), highspy.kHighsInf)
    lp.row_lower_ = np.array([row.low for row in rows])
    lp.row_upper_ = np.array([row.high for row in rows])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(row.terms) for row in rows)])
    lp.a_matrix_.index_ = np.array([position[u] for row in rows for u in row.terms])
    lp.a_matrix_.value_ = np.array([f for row in rows for f in row.terms.values()])
    with _silence():
        highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    # The vertex of the last question is a feasible start for the primal simplex.
    highs.setOptionValue("presolve", "off")
    highs.setOptionValue("simplex_strategy", 4)
    highs.passModel(lp)
    return highs


def _contradiction() -> OutcomesError:
    return OutcomesError(
        "The published gaps contradict each other: no counts of students fit all of them, "
        "so what could be worked out from them is undefined. Build again; if it stays, the "
        "marts are wrong."
    )


@contextmanager
def _silence() -> Iterator[None]:
    """HiGHS greets on standard output before it can be told not to."""
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
